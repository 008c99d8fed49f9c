"""Maps of SPM: headers, SPM.mat, masks."""

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image, Nifti1Pair, load, save
from nilearn.image import get_data
from numpy.testing import assert_array_equal
from scipy.io import savemat

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer
from ari_estimator.interfaces import read_spm

from ._files import AFFINE, spm_struct, write_spm, write_spm_map


@pytest.fixture
def folder(tmp_path, study):
    """Return the folder of an analysis with two t contrasts and an F contrast."""
    write_spm(tmp_path, study)
    return tmp_path


class TestReading:
    """Degrees of freedom, masks, contrasts."""

    @pytest.mark.filterwarnings("error")
    def test_clusters_of_a_height_threshold(self, folder, study):
        stat_map = read_spm(folder)
        assert (stat_map.stat_type, stat_map.df, stat_map.name) == ("t", 29.0, "faces")
        ari = ClusterTDPTransformer(0.01, threshold_scale="p", **stat_map.parameters())
        tdp_img = ari.fit_transform(stat_map.stat_img)
        direct = ClusterTDPTransformer(
            0.01, threshold_scale="p", stat_type="t", df=29, connectivity=18,
            mask_img=Nifti1Image(study.mask.astype("uint8"), AFFINE),
        )  # fmt: skip
        expected = direct.fit_transform(Nifti1Image(study.t.astype("float32"), AFFINE))
        assert_array_equal(get_data(tdp_img), get_data(expected))
        pd.testing.assert_frame_equal(ari.table_, direct.table_)
        assert ari.n_tested_ == study.mask.sum()
        assert ari.table_["tdp"].max() > 0.5

    def test_adaptive_clusters(self, folder):
        stat_map = read_spm(folder, two_sided=True)
        ari = AdaptiveTDPTransformer(0.8, **stat_map.parameters())
        ari.fit_transform(stat_map.stat_img)
        assert set(ari.table_["direction"]) == {"positive", "negative", "rest"}

    @pytest.mark.parametrize("contrast", [2, "faces > houses"])
    @pytest.mark.parametrize("with_mat", [True, False])
    def test_contrasts_by_number_and_name(self, folder, study, contrast, with_mat):
        if not with_mat:
            (folder / "SPM.mat").unlink()
        stat_map = read_spm(folder, contrast)
        assert (stat_map.df, stat_map.name) == (29.0, "faces > houses")
        assert_array_equal(
            get_data(stat_map.stat_img)[study.mask], -study.t[study.mask].astype("f4")
        )

    @pytest.mark.parametrize("with_mat", [True, False])
    def test_f_contrasts(self, folder, with_mat):
        if not with_mat:
            (folder / "SPM.mat").unlink()
        stat_map = read_spm(folder, 3)
        assert (stat_map.stat_type, stat_map.df) == ("F", (2.0, 29.0))
        with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
            read_spm(folder, 3, two_sided=True)

    @pytest.mark.parametrize("name", ["spmT_0002.nii", "SPM.mat"])
    def test_a_file_stands_for_its_folder(self, folder, name):
        stat_map = read_spm(folder / name)
        assert stat_map.name == ("faces" if name == "SPM.mat" else "faces > houses")
        assert stat_map.mask_img is not None

    def test_all_digits_of_the_degrees_of_freedom_are_taken(self, folder):
        savemat(folder / "SPM.mat", {"SPM": spm_struct(erdf=29.0312)})
        assert read_spm(folder).df == 29.0312

    def test_an_analysis_of_another_day_is_refused(self, folder):
        savemat(folder / "SPM.mat", {"SPM": spm_struct(erdf=28.0)})
        with pytest.raises(ValueError, match=r"to one analysis\. Got T with 28 .* T with 29"):
            read_spm(folder)

    def test_one_contrast_is_no_list(self, folder):
        savemat(folder / "SPM.mat", {"SPM": spm_struct(contrasts=[("faces", "T")])})
        assert read_spm(folder, "faces").df == 29.0

    def test_where_the_mask_is_gone_nan_is_outside(self, folder, study):
        (folder / "mask.nii").unlink()
        assert_array_equal(get_data(read_spm(folder).mask_img), study.mask)

    def test_old_pairs_of_files(self, folder, study):
        for name in ("spmT_0001", "mask"):
            img = load(folder / f"{name}.nii")
            save(
                Nifti1Pair(np.asanyarray(img.dataobj), img.affine, img.header),
                folder / f"{name}.img",
            )
            (folder / f"{name}.nii").unlink()
        for path in (folder, folder / "spmT_0001.img", folder / "spmT_0001.hdr"):
            stat_map = read_spm(path)
            assert stat_map.df == 29.0
            assert_array_equal(get_data(stat_map.mask_img), study.mask)

    def test_saved_clusters(self, folder, study):
        save(Nifti1Image(study.clusters.astype("float32"), AFFINE), folder / "clusters.nii")
        stat_map = read_spm(folder, labels_img=folder / "clusters.nii")
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
        ari.fit_transform(stat_map.stat_img)
        assert len(ari.table_) == study.clusters.max() + 1


class TestWithoutMat:
    """A SPM.mat that is not there or cannot be read."""

    @pytest.mark.parametrize("head", [b"MATLAB 7.3 MAT-file", b"\x89HDF\r\n\x1a\n"])
    def test_version_7_3_needs_the_header(self, folder, study, head):
        (folder / "SPM.mat").write_bytes(head + b" " * 600)
        assert read_spm(folder, "faces").df == 29.0
        write_spm_map(folder / "spmT_0001.nii", study.t, "a map of my own")
        with pytest.raises(ValueError, match=r"unknown.*version 7\.3.*save\('SPM\.mat'.*-v7"):
            read_spm(folder)

    def test_a_map_of_another_name_has_its_header(self, folder, study):
        write_spm_map(folder / "mine.nii", study.t, "SPM{T_[12.0]} - contrast 7: own")
        assert read_spm(folder / "mine.nii").df == 12.0
        write_spm_map(folder / "mine.nii", study.t, "")
        with pytest.raises(ValueError, match=r"are unknown.*does not show its contrast"):
            read_spm(folder / "mine.nii")
        assert read_spm(folder / "mine.nii", "faces").df == 29.0

    def test_a_map_without_description_is_refused(self, folder, study):
        (folder / "SPM.mat").unlink()
        write_spm_map(folder / "spmT_0001.nii", study.t, "")
        with pytest.raises(ValueError, match=r"are unknown.*there is no '.*SPM\.mat'"):
            read_spm(folder)

    @pytest.mark.parametrize("content", [b"", b"text\n" * 99, b"MATLAB 5.0 MAT-file" + b"\1" * 400])
    def test_damaged(self, folder, content):
        (folder / "SPM.mat").write_bytes(content)
        with pytest.raises(ValueError, match=r"SPM\.mat cannot be read: .*SPM\.mat"):
            read_spm(folder)

    def test_truncated(self, folder):
        content = (folder / "SPM.mat").read_bytes()
        (folder / "SPM.mat").write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match=r"SPM\.mat cannot be read"):
            read_spm(folder)

    @pytest.mark.parametrize(
        ("content", "match"),
        [
            ({"other": 1}, "must hold a struct SPM"),
            ({"SPM": {"xX": {"X": 1}, "xCon": spm_struct()["xCon"]}}, r"SPM\.xX\.erdf"),
            ({"SPM": {**spm_struct(), "xCon": np.zeros((0, 0))}}, "from 1 to 0"),
            ({"SPM": spm_struct(contrasts=[("log odds", "P")])}, "statistic 'P'"),
        ],
        ids=["no SPM", "not estimated", "no contrasts", "Bayesian"],
    )
    def test_of_no_use(self, folder, content, match):
        savemat(folder / "SPM.mat", content)
        with pytest.raises(ValueError, match=match):
            read_spm(folder)


class TestBadInput:
    """One clear message."""

    @pytest.mark.parametrize("kind", ["text", "truncated", "empty"])
    @pytest.mark.parametrize("name", ["spmT_0001.nii", "mask.nii"])
    def test_damaged_images(self, folder, damage, kind, name):
        damage(folder / name, kind)
        with pytest.raises(ValueError, match=rf"cannot be read: .*{name}"):
            read_spm(folder)

    def test_what_is_not_there(self, folder):
        with pytest.raises(FileNotFoundError, match=r"does not exist.*nowhere"):
            read_spm(folder / "nowhere")
        (folder / "spmT_0001.nii").unlink()
        with pytest.raises(FileNotFoundError, match=r"no map of contrast 1 .*no spmT_0001"):
            read_spm(folder)

    @pytest.mark.parametrize("contrast", [0, 4, -1])
    def test_numbers_out_of_range(self, folder, contrast):
        with pytest.raises(ValueError, match=rf"contrast must be from 1 to 3.*Got {contrast}"):
            read_spm(folder, contrast)

    @pytest.mark.parametrize("with_mat", [True, False])
    def test_unknown_names(self, folder, with_mat):
        if not with_mat:
            (folder / "SPM.mat").unlink()
        with pytest.raises(ValueError, match=r"Got 'house'.*1: 'faces', 2: 'faces > houses', 3"):
            read_spm(folder, "house")

    @pytest.mark.parametrize("contrast", [1, "faces"])
    def test_a_map_of_another_contrast(self, folder, contrast):
        with pytest.raises(ValueError, match=r"contrast must be .*'spmT_0002\.nii'|for 'spmT_0002"):
            read_spm(folder / "spmT_0002.nii", contrast)
