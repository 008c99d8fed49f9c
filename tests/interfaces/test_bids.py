"""BIDS names, and the maps and masks of a group of subjects."""

from functools import wraps
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel import Nifti1Image
from nilearn.glm import save_glm_to_bids
from nilearn.glm.first_level import FirstLevelModel, make_first_level_design_matrix
from nilearn.image import get_data
from numpy.testing import assert_array_equal

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer
from ari_estimator.interfaces import BIDSName, find_group_mask, find_subject_maps, output_stem

AFFINE = np.diag([3.0, 3, 3, 1])
SHAPE = (8, 9, 7)
LABELS = st.text("abcXYZ0123456789", min_size=1, max_size=6)


def put(path, data=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Nifti1Image(np.ones(SHAPE) if data is None else data, AFFINE).to_filename(path)
    return path


class TestNames:
    """Taken apart, and put together."""

    @given(st.dictionaries(LABELS, LABELS, min_size=1, max_size=5), LABELS)
    def test_round_trip(self, entities, suffix):
        name = BIDSName(entities, suffix, ".nii.gz")
        assert BIDSName.parse(str(name)) == name
        assert list(BIDSName.parse(f"a/b/{name}").entities) == list(entities)

    @pytest.mark.parametrize(
        "name",
        ["zstat1.nii.gz", "sub-01.nii", "sub-01_sub-02_bold.nii", "sub_bold.nii", "sub-_bold.nii",
         "sub-01_bold-x.nii", "", "sub-01__bold.nii", "_bold.nii"],
    )  # fmt: skip
    def test_others_are_refused(self, name):
        with pytest.raises(ValueError, match="must have a BIDS name"):
            BIDSName.parse(name)

    @pytest.mark.parametrize(
        ("path", "stem"),
        [
            ("x/sub-01_task-x_contrast-y_stat-z_statmap.nii.gz", "sub-01_task-x_contrast-y"),
            ("sub-01_space-MNI_desc-smooth_stat-t_statmap.nii", "sub-01_space-MNI"),
            ("stat-z_statmap.nii.gz", "stat-z_statmap"),
            ("contrast-a_stat-z_statmap.dscalar.nii", "contrast-a"),
            ("zstat1.nii.gz", "zstat1"),
            ("spmT_0001.nii", "spmT_0001"),
            ("stats+tlrc.HEAD", "stats+tlrc"),
            ("my.map.v2.nii.gz", "my.map.v2"),
        ],
    )
    def test_stems_of_results(self, path, stem):
        assert output_stem(path) == stem


class TestMaps:
    """One row for each subject."""

    @pytest.fixture
    def folder(self, tmp_path):
        for subject in ("02", "01", "10"):
            for contrast in ("faces", "houses"):
                for stat in ("effect", "variance", "z"):
                    name = f"sub-{subject}_task-x_contrast-{contrast}_stat-{stat}_statmap.nii.gz"
                    put(tmp_path / f"sub-{subject}" / "func" / name)
        (tmp_path / "sub-01" / "func" / "sub-01_task-x_statmap.json").write_text("{}")
        (tmp_path / "sub-01" / "func" / "sub-01_odd name_statmap.nii.gz").write_text("")
        return tmp_path

    def test_are_found_by_contrast(self, folder):
        maps = find_subject_maps(folder, contrast="faces")
        assert maps["subject"].tolist() == ["01", "02", "10"]
        assert list(maps.columns) == ["path", "subject", "task", "contrast", "stat"]
        name = "sub-10_task-x_contrast-faces_stat-effect_statmap.nii.gz"
        assert maps["path"].iloc[2] == str(folder / "sub-10" / "func" / name)

    def test_in_an_order_of_ones_own(self, folder):
        maps = find_subject_maps(folder, contrast="faces", stat="z", subjects=["sub-10", "01"])
        assert maps["subject"].tolist() == ["10", "01"]
        assert set(maps["stat"]) == {"z"}
        with pytest.raises(FileNotFoundError, match="no matching map of sub-03, sub-04 in"):
            find_subject_maps(folder, contrast="faces", subjects=["03", "01", "sub-04"])

    def test_several_are_told_apart(self, folder):
        with pytest.raises(ValueError, match=r"sub-01 .*Got 2.* differ in contrast \(faces, hou"):
            find_subject_maps(folder)
        for run in (1, 2):
            name = f"sub-02_ses-a_task-x_run-{run}_contrast-faces_stat-effect_statmap.nii"
            put(folder / "sub-02" / "ses-a" / name)
        with pytest.raises(ValueError, match=r"sub-02 .*Got 3.*ses \(a, none\) and run \(1, 2, n"):
            find_subject_maps(folder, contrast="faces")
        maps = find_subject_maps(folder, contrast="faces", ses="a", run="2")
        assert maps["run"].tolist() == ["2"]
        assert len(find_subject_maps(folder, contrast="faces", ses=None)) == 3

    def test_files_of_one_name_are_told_apart(self, folder):
        name = "sub-01_task-x_contrast-faces_stat-effect_statmap.nii.gz"
        put(folder / "old" / name)
        with pytest.raises(ValueError, match=r"Got 2 with the same name: .*old.*func"):
            find_subject_maps(folder, contrast="faces")

    def test_spaces_of_fmriprep(self, tmp_path):
        for space in ("MNI152NLin2009cAsym", "T1w"):
            put(tmp_path / "sub-01" / f"sub-01_task-x_space-{space}_boldref.nii.gz")
        with pytest.raises(ValueError, match=r"space \(MNI152NLin2009cAsym, T1w\)"):
            find_subject_maps(tmp_path, suffix="boldref", stat=None)
        maps = find_subject_maps(tmp_path, suffix="boldref", stat=None, space="T1w")
        assert maps["space"].tolist() == ["T1w"]

    def test_what_is_there_is_said(self, folder, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"contrast='face'.*18 others.*: faces, houses"):
            find_subject_maps(folder, contrast="face")
        with pytest.raises(FileNotFoundError, match=r"no map named 'sub-\*_bold\.nii\.gz'"):
            find_subject_maps(folder, suffix="bold")
        with pytest.raises(FileNotFoundError, match="folder of maps does not exist"):
            find_subject_maps(tmp_path / "none")
        (tmp_path / "file").write_text("")
        with pytest.raises(NotADirectoryError, match="folder of maps must be a folder"):
            find_subject_maps(tmp_path / "file")


class TestMasks:
    """The voxels that all have."""

    @pytest.fixture
    def masks(self, tmp_path):
        masks = np.random.default_rng(0).random((2, *SHAPE)) < 0.8
        for subject, mask in zip(("01", "02"), masks, strict=True):
            folder = tmp_path / f"sub-{subject}"
            put(folder / f"sub-{subject}_task-x_space-MNI_contrast-y_stat-effect_statmap.nii.gz")
            name = f"sub-{subject}_task-x_space-MNI_desc-brain_mask.nii.gz"
            put(folder / name, mask.astype("uint8"))
            other = f"sub-{subject}_task-other_space-MNI_desc-brain_mask.nii.gz"
            put(folder / other, np.zeros(SHAPE, "uint8"))
            anat = Nifti1Image(np.ones((4, 4, 4), "uint8"), AFFINE)
            anat.to_filename(folder / f"sub-{subject}_space-MNI_desc-brain_mask.nii.gz")
        return masks

    @pytest.fixture
    def maps(self, masks, tmp_path):
        return find_subject_maps(tmp_path, contrast="y")

    def test_are_intersected(self, tmp_path, maps, masks):
        mask_img = find_group_mask(tmp_path, maps)
        assert_array_equal(get_data(mask_img), masks.all(0))
        assert_array_equal(mask_img.affine, AFFINE)

    def test_none_is_none(self, tmp_path, maps):
        assert find_group_mask(tmp_path, maps, space="T1w") is None

    def test_of_some_only_are_refused(self, tmp_path, maps):
        (tmp_path / "sub-02" / "sub-02_task-x_space-MNI_desc-brain_mask.nii.gz").unlink()
        with pytest.raises(ValueError, match=r"Either all subjects .* Got none for sub-02"):
            find_group_mask(tmp_path, maps)

    def test_without_a_common_voxel_are_refused(self, tmp_path, maps, masks):
        name = "sub-02_task-x_space-MNI_desc-brain_mask.nii.gz"
        put(tmp_path / "sub-02" / name, (~masks[0]).astype("uint8"))
        with pytest.raises(ValueError, match="must share a voxel"):
            find_group_mask(tmp_path, maps)

    def test_maps_on_two_grids_are_refused(self, tmp_path, maps):
        Nifti1Image(np.ones((4, 4, 4)), AFFINE).to_filename(maps["path"].iloc[1])
        with pytest.raises(ValueError, match="All maps must be on one grid"):
            find_group_mask(tmp_path, maps)

    def test_damaged_masks_are_named(self, tmp_path, maps, damage):
        damage(tmp_path / "sub-01" / "sub-01_task-x_space-MNI_desc-brain_mask.nii.gz", "truncated")
        with pytest.raises(
            ValueError, match=r"mask cannot be read: .*sub-01_task-x_space-MNI_desc"
        ):
            find_group_mask(tmp_path, maps)


def _written_without_figures(*_, **__):
    """Stand in for a report of nilearn's: drawing takes longer than all else, and is not read."""
    return SimpleNamespace(save_as_html=lambda path: Path(path).write_text("<html></html>"))


@pytest.mark.filterwarnings("ignore")  # of nilearn's, on its figures of maps without clusters
def test_a_group_study_from_what_nilearn_writes(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    mask = np.zeros(SHAPE, dtype="uint8")
    mask[1:-1, 1:-1, 1:-1] = 1
    mask_img = Nifti1Image(mask, AFFINE)
    events = pd.DataFrame({"onset": [4, 12, 20, 28], "duration": 4, "trial_type": "faces"})
    design = make_first_level_design_matrix(2.0 * np.arange(20), events)
    effects = []
    for subject in range(1, 6):
        bold = rng.standard_normal((*SHAPE, 20))
        bold[2:5, 2:5, 2:5] += 6 * design["faces"].to_numpy()
        model = FirstLevelModel(t_r=2, mask_img=mask_img, minimize_memory=False, noise_model="ols")
        model.fit(Nifti1Image(bold + 100, AFFINE), design_matrices=design)
        effects.append(model.compute_contrast("faces", output_type="effect_size"))
        save_glm_to_bids(
            model, contrasts={"faces": "faces"}, out_dir=tmp_path / "out",
            prefix=f"sub-{subject:02d}_task-x_space-MNI", plot_type="glass", threshold=10,
        )  # fmt: skip
        # The first subject has all files of nilearn's; of the others, only the maps are read.
        if subject == 1:
            quick = wraps(FirstLevelModel.generate_report)(_written_without_figures)
            monkeypatch.setattr(FirstLevelModel, "generate_report", quick)
    maps = find_subject_maps(tmp_path / "out", contrast="faces", space="MNI")
    assert maps["subject"].tolist() == [f"{k:02d}" for k in range(1, 6)]
    tables = []
    for imgs in (maps["path"].tolist(), effects):
        group = ARISecondLevelModel(mask_img=mask_img, transformer=ClusterTDPTransformer(2.5))
        group.fit(imgs, design_matrix=pd.DataFrame({"intercept": np.ones(5)}))
        group.compute_contrast("intercept", output_type="tdp")
        tables.append(group.table_)
    assert tables[0]["true_discoveries"].max() > 0
    pd.testing.assert_frame_equal(*tables, check_exact=False, rtol=1e-4)
