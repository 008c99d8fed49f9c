"""Reports and methods of loaded results say the same as before the results were saved."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.maskers import NiftiMasker

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)
from ari_estimator.reporting import get_methods, make_report

from ._archives import MAPS, make_archives

N_SUBJECTS = 12
SHAPE = (8, 9, 7)
FORMATS = ("markdown", "html", "latex", "bibtex")


def text_of(fitted):
    """Return the texts of a report, without its date."""
    html = make_report(fitted, title="x").get_standalone().partition("Made on")[0]
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "\n", html))


def says_the_same(fitted, folder):
    """Check a result against the same after saving and loading; return both."""
    again = ari_estimator.load(ari_estimator.save(fitted, folder)["archive"])
    for output_format in FORMATS:
        before = get_methods(fitted, output_format=output_format)
        assert get_methods(again, output_format=output_format) == before
    assert text_of(again) == text_of(fitted)
    return again


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Return files: a map, its mask, an atlas, degrees of freedom; and maps of subjects."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(8)
    affine = np.diag([4.0, 4, 4, 1])
    mask = np.ones(SHAPE, dtype=np.uint8)
    mask[0] = 0
    z = rng.standard_normal(SHAPE) * mask
    z[2:5, 2:6, 2:5] += 5
    halves = 1 + (np.indices(SHAPE)[0] > 3).astype(np.int16)
    contents = {"z": z, "mask": mask, "atlas": halves, "df": np.full(SHAPE, 20.0) - (halves > 1)}
    paths = {}
    for name, values in contents.items():
        paths[name] = folder / f"{name}.nii"
        Nifti1Image(values, affine).to_filename(paths[name])
    paths["lut"] = folder / "lut.tsv"
    paths["lut"].write_text("index\tname\n1\tleft & right\n2\t50 %\n", encoding="utf-8")
    subjects = [Nifti1Image(rng.standard_normal(SHAPE) + (z > 4), affine) for _ in range(12)]
    return {name: str(path) for name, path in paths.items()} | {"subjects": subjects}


TRANSFORMERS = {
    "mask from a file": lambda d: ClusterTDPTransformer(2.5, mask_img=d["mask"]),
    "mask computed": lambda d: ClusterTDPTransformer([2, 3], two_sided=True),
    "masker": lambda d: ClusterTDPTransformer(mask_img=NiftiMasker(d["mask"], standardize=None)),
    "adaptive": lambda d: AdaptiveTDPTransformer(0.7, mask_img=d["mask"], cluster_threshold=3),
    "regions": lambda d: RegionTDPTransformer(d["atlas"], lut=d["lut"], mask_img=d["mask"]),
    "given clusters": lambda d: ClusterTDPTransformer(labels_img=d["atlas"], mask_img=d["mask"]),
    "df by voxel": lambda d: ClusterTDPTransformer(
        2, stat_type="t", df=d["df"], mask_img=d["mask"]
    ),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(images, name, tmp_path):
    fitted = TRANSFORMERS[name](images).fit(images["z"])
    again = says_the_same(fitted, tmp_path / "first")
    # Also after the second time.
    says_the_same(again, tmp_path / "second")
    assert again.maps_.describe() == fitted.maps_.describe()


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.filterwarnings("ignore")
def test_all_kinds_of_images(tmp_path_factory, name, tmp_path):
    archive = make_archives(tmp_path_factory.mktemp("archives"))[name]
    says_the_same(archive.load(archive.path), tmp_path)


def test_a_query_of_a_forest(images, tmp_path):
    adaptive = AdaptiveTDPTransformer(0.5, mask_img=images["mask"]).fit(images["z"])
    again = says_the_same(adaptive.maps_.with_tdp(0.9), tmp_path)
    assert again.maps_.describe()["parameters"]["tdp_threshold"] == 0.9


def model_of(images, contrast="group", calibration=None, *, mask=True, masker=None, **params):
    mask_img = images["mask"] if mask else None
    if masker is not None:
        mask_img = NiftiMasker(mask_img, standardize=None, **masker)
    model = ARISecondLevelModel(
        mask_img=mask_img,
        transformer=ClusterTDPTransformer(2, two_sided=isinstance(contrast, str)),
        calibration=calibration,
        **params,
    )
    group = np.repeat([0.5, -0.5], N_SUBJECTS // 2)
    age = np.arange(N_SUBJECTS) - (N_SUBJECTS - 1) / 2
    design = pd.DataFrame({"intercept": np.ones(N_SUBJECTS), "group": group, "age_$%": age})
    model.fit(images["subjects"], design_matrix=design)
    model.compute_contrast(contrast, output_type="tdp")
    return model


def permutations(**params):
    return PermutationCalibration(n_permutations=60, random_state=3, **params)


MODELS = {
    "parametric": {"smoothing_fwhm": 5},
    "smoothing of a masker": {"masker": {"smoothing_fwhm": 6.5}},
    "computed mask": {"mask": False},
    "several rows": {"contrast": [[0, 1, 0], [0, 0, 1]]},
    "permutations": {"calibration": permutations()},
    "sign flips": {"contrast": "intercept", "calibration": permutations(scheme="sign_flip")},
    "blocks": {"calibration": permutations(blocks=np.arange(N_SUBJECTS) // 2)},
    "missing values": {"missing": "omit"},
    "variances": {"calibration": permutations(), "variance_groups": "auto"},
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore")
def test_group_models(images, name, tmp_path):
    model = model_of(images, **MODELS[name])
    if name == "smoothing of a masker":
        assert "smoothed (6.5 mm FWHM)" in get_methods(model)
    again = says_the_same(model, tmp_path / "first")
    says_the_same(again, tmp_path / "second")
    group = again.maps_.asked_by.group
    for field, fact in model.maps_.asked_by.group._asdict().items():
        np.testing.assert_array_equal(getattr(group, field), fact, err_msg=field)
    assert "12 maps of subjects" in get_methods(again)
    assert f"given as mask_img ({images['mask']})" in group.mask or name == "computed mask"


def test_names_of_subjects_and_columns_are_kept(images, tmp_path):
    files = []
    for number, img in enumerate(images["subjects"]):
        files.append(str(tmp_path / f"sub-{number} é.nii"))
        Nifti1Image(img.get_fdata(), img.affine).to_filename(files[-1])
    model = model_of({**images, "subjects": files})
    says_the_same(model, tmp_path / "out")
    assert all(file in text_of(model) for file in files)


@pytest.mark.parametrize("params", [{}, {"memory": "cache", "n_jobs": 1}], ids=["plain", "cached"])
@pytest.mark.filterwarnings("ignore")
def test_calibrations(params, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = np.random.default_rng(0).standard_normal((12, 40)) + 1
    says_the_same(permutations(**params).fit(data), tmp_path / "out")


BAD = {
    "group_design": (np.zeros((0, 2)), "rows and columns"),
    "group_weights": (np.zeros((1, 5)), "must hold floats, in the shape"),
    "group_subjects": (np.array(["one"]), "must hold text, in the shape"),
    "group_columns": (np.array([1.0, 2.0]), "must hold text"),
    "group_mask": (np.array(3), "must hold text"),
    "asked_with": (np.array('{"threshold": {"a": 1}}'), "not allowed"),
    "mask_called": (np.array(1.0), "must hold text"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore")
def test_made_up_facts_are_refused(tmp_path_factory, name, tmp_path):
    archive = make_archives(tmp_path_factory.mktemp("archives"))["a group"]
    value, said = BAD[name]
    path = archive.write(tmp_path / "x_ari.npz", archive.arrays() | {name: value})
    with pytest.raises(ValueError, match=said):
        archive.load(path)
    arrays = archive.arrays()
    del arrays[name]
    with pytest.raises(ValueError, match=f"'{name}' is missing"):
        archive.load(archive.write(tmp_path / "y_ari.npz", arrays))
