"""Volumes and surfaces with several maps each: one of them for each subject."""

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image, load
from nilearn.surface import PolyData, SurfaceImage
from numpy.testing import assert_array_equal

from ari_estimator import ARISecondLevelModel, non_parametric_inference

from ._kinds import KINDS

N_SUBJECTS, N_MAPS = 4, 3
DESIGN = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})
SHAPE = (5, 4, 3)
AFFINE = np.diag([3.0, 3, 3, 1])
MASK = Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE)


@pytest.fixture
def data():
    return np.random.default_rng(0).standard_normal((N_SUBJECTS, *SHAPE, N_MAPS))


@pytest.fixture
def images(data):
    return [Nifti1Image(values, AFFINE) for values in data]


@pytest.fixture
def paths(images, tmp_path):
    for k, img in enumerate(images):
        img.to_filename(tmp_path / f"{k}.nii.gz")
    return [str(tmp_path / f"{k}.nii.gz") for k in range(N_SUBJECTS)]


def fit(maps, map_=None):
    return ARISecondLevelModel(MASK).fit(maps, design_matrix=DESIGN, map=map_)


def effect(model, **options):
    return model.compute_contrast(output_type="effect_size", **options)


@pytest.mark.parametrize("kind", ["images", "paths", "images of files", "DataFrame"])
def test_volumes(images, paths, data, kind):
    table = pd.DataFrame({"subject_label": list("abcd"), "map_name": "x"})
    given = {
        "images": images,
        "paths": paths,
        "images of files": [load(path) for path in paths],
        "DataFrame": table.assign(effects_map_path=paths),
    }[kind]
    options = {"first_level_contrast": "x"} if kind == "DataFrame" else {}
    found = effect(fit(given, np.int64(2)), **options)
    expected = effect(fit([Nifti1Image(values[..., 2], AFFINE) for values in data]))
    assert_array_equal(found.get_fdata(), expected.get_fdata())


def test_surfaces():
    kind = KINDS["surface"]
    rows = np.random.default_rng(0).standard_normal((2, N_SUBJECTS, kind.n))
    first, second = ([kind.image(row) for row in of_map] for of_map in rows)
    both = []
    for one, other in zip(first, second, strict=True):
        parts = {
            side: np.column_stack([one.data.parts[side], other.data.parts[side]])
            for side in one.data.parts
        }
        both.append(SurfaceImage(one.mesh, PolyData(**parts)))
    model = ARISecondLevelModel()
    found = effect(model.fit(both, design_matrix=DESIGN, map=1))
    expected = effect(model.fit(second, design_matrix=DESIGN))
    for side, values in expected.data.parts.items():
        assert_array_equal(found.data.parts[side], values)
    with pytest.raises(TypeError, match="Got 2 maps in an image in memory"):
        model.fit(both, design_matrix=DESIGN)


@pytest.mark.parametrize(
    ("map_", "error", "text"),
    [
        (None, ValueError, r"Got 3 maps in '.*0\.nii\.gz'\. Choose one with map"),
        (3, ValueError, r"Got 3: there are 3 maps in '.*0\.nii\.gz'"),
        (-1, ValueError, "Got -1: there are 3 maps"),
        ("x", TypeError, "map must be a number for volumes and surfaces.* Got 'x'"),
        (True, TypeError, "Got bool"),
    ],
)
def test_no_map_or_several(paths, map_, error, text):
    with pytest.raises(error, match=text):
        fit(paths, map_)


def test_one_image_of_all_subjects_has_no_choice(images, paths):
    for given in (images[0], paths[0]):
        with pytest.raises(ValueError, match=r"map must be left .* a map for each subject"):
            fit(given, 1)


def test_nilearns_permutations_need_one_map_each(paths):
    with pytest.raises(ValueError, match=r"Got 3 maps in '.*0\.nii\.gz'.*index_img"):
        non_parametric_inference(paths, design_matrix=DESIGN, mask=MASK, n_perm=20)
