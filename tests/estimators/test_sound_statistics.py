"""Statistics of a group model where data are constant, and of data of any scale."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from scipy import stats

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration

SHAPE = (8, 8, 6)
MASK = Nifti1Image(np.ones(SHAPE, np.uint8), np.diag([3, 3, 3, 1]))
N_CONSTANT = 20

MEAN = pd.DataFrame({"intercept": np.ones(12)})
GROUPS = pd.DataFrame({"a": np.repeat([1.0, 0], 6), "b": np.repeat([0.0, 1], 6)})


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(1).standard_normal((12, np.prod(SHAPE)))


def images(data):
    return [Nifti1Image(row.reshape(SHAPE), MASK.affine) for row in data]


def model(data, design=MEAN, **options):
    return ARISecondLevelModel(mask_img=MASK, **options).fit(images(data), design_matrix=design)


@pytest.mark.parametrize("size", [0.1, 100.1, 1e-6, 1 / 3, 2.0])
@pytest.mark.parametrize(
    ("design", "contrast", "options"),
    [
        (MEAN, "intercept", {}),
        (MEAN, "intercept", {"missing": "omit"}),
        (MEAN, "intercept", {"minimize_memory": False}),
        (MEAN, "intercept", {"calibration": PermutationCalibration(random_state=0, verbose=0)}),
        (MEAN, "intercept", {"variance_groups": [0] * 6 + [1] * 6}),
        (GROUPS, "a - b", {}),
        (GROUPS, np.eye(2), {}),
        (GROUPS.assign(again=GROUPS["a"]), np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1]]), {}),
    ],
)
@pytest.mark.filterwarnings("ignore:P-values of 2 variance groups")
def test_no_element_is_a_discovery_for_being_constant(noise, size, design, contrast, options):
    data = noise.copy()
    data[:, :N_CONSTANT] = size
    if design is not MEAN:
        data[6:, :N_CONSTANT] *= 3
    fitted = model(data, design, **options)
    said = f"no residual variance in {N_CONSTANT} of {data.shape[1]}"
    with pytest.warns(UserWarning, match=said):
        fitted.compute_contrast(contrast, output_type="tdp")
    assert fitted.true_discoveries_ == 0
    if "calibration" in options:
        return
    with pytest.warns(UserWarning, match="never a discovery"):
        maps = fitted.compute_contrast(contrast, output_type="all")
    for name, value in {"stat": 0, "z_score": 0, "p_value": 1}.items():
        assert (maps[name].get_fdata().ravel()[:N_CONSTANT] == value).all()


def test_elements_of_zeros_are_as_they_were(noise):
    data = noise.copy()
    data[:, :N_CONSTANT] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stat = model(data).compute_contrast("intercept", output_type="stat").get_fdata().ravel()
    assert (stat[:N_CONSTANT] == 0).all()


@pytest.mark.parametrize("power", [-130, -95, -80, 0, 100])
@pytest.mark.parametrize("missing", [None, "omit"])
def test_statistics_do_not_depend_on_the_unit(noise, power, missing):
    """A power of two changes no digit, and the variance of the smallest is far below 1e-50."""
    design = MEAN.assign(age=np.linspace(-1, 1, 12))
    data = noise + 0.5
    for contrast, output_type in (("age", "stat"), (np.eye(2), "stat"), ("intercept", "z_score")):
        maps = [
            model(data * scale, design, missing=missing).compute_contrast(
                contrast, output_type=output_type
            )
            for scale in (1.0, 2.0**power)
        ]
        np.testing.assert_array_equal(*(one.get_fdata() for one in maps))


def test_power_of_magnetic_fields_has_its_t():
    rng = np.random.default_rng(0)
    data = 1e-28 * (rng.standard_normal((12, 10, 30)) + 1.5 * (np.arange(30) < 10))
    transformer = ClusterTDPTransformer(3, adjacency="lattice")
    fitted = ARISecondLevelModel(transformer=transformer).fit(data)
    stat = fitted.compute_contrast(output_type="stat")
    np.testing.assert_allclose(stat, stats.ttest_1samp(data / 1e-28, 0).statistic, rtol=1e-12)
    fitted.compute_contrast(output_type="tdp")
    assert fitted.true_discoveries_ > 50
