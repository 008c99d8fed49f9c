"""Maps of a contrast in elements that lack subjects, against nilearn on the rows present."""

import numpy as np
import pytest
from nilearn.glm.contrasts import compute_contrast
from nilearn.glm.first_level import run_glm
from numpy.testing import assert_allclose

from ari_estimator.resampling import find_contrast
from ari_estimator.resampling._maps_with_gaps import MapsWithGaps

from ._brute_force import least_squares_f, least_squares_t
from ._cases import F_CASES, T_CASES, N

CASES = T_CASES | F_CASES
MAPS = ("stat", "p_value", "z_score", "effect_size", "effect_variance")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((N, 30))
    for element in range(5, 30):
        data[rng.choice(N, element % 4, replace=False), element] = np.nan
    return data


def maps_of(data, case):
    contrast = find_contrast(case.design, case.contrast, "F" if case.is_f else None)
    weights = np.atleast_2d(np.asarray(case.contrast, dtype=float))
    return MapsWithGaps.of(data, case.design.astype(float), weights, contrast)


@pytest.mark.parametrize("name", CASES)
def test_statistics_are_those_of_the_rows_present(name, data):
    case = CASES[name]
    maps = maps_of(data, case)
    assert maps.elements.tolist() == np.flatnonzero(np.isnan(data).any(axis=0)).tolist()
    tested = np.flatnonzero(maps.df > 0)
    assert tested.size >= 8
    least_squares = least_squares_f if case.is_f else least_squares_t
    for i in tested:
        values = data[:, maps.elements[i]]
        rows = ~np.isnan(values)
        expected = least_squares(values[rows, np.newaxis], case.design[rows], case.contrast)
        assert_allclose(maps.stat[i], expected[0], rtol=1e-7)


@pytest.mark.parametrize(
    "name", ["mean beside a covariate", "groups and age", "pairs and age", "F of three groups"]
)
def test_maps_are_nilearns_for_the_rows_present(name, data):
    case = CASES[name]
    maps = maps_of(data, case)
    n_compared = 0
    for i in np.flatnonzero(maps.df > 0):
        values = data[:, maps.elements[i]]
        rows = ~np.isnan(values)
        design = case.design[rows].astype(float)
        if np.linalg.matrix_rank(design) < design.shape[1]:
            continue
        labels, results = run_glm(values[rows, np.newaxis], design, noise_model="ols")
        stat_type = "F" if case.is_f else "t"
        expected = compute_contrast(labels, results, np.asarray(case.contrast, float), stat_type)
        assert maps.df[i] == expected.dof
        for of in MAPS:
            found = getattr(maps, of)[..., i]
            assert_allclose(found, np.ravel(getattr(expected, of)()), rtol=1e-6, err_msg=of)
        n_compared += 1
    assert n_compared > 5


def test_elements_with_too_few_rows_are_nan(data):
    data[1:, 7] = np.nan
    maps = maps_of(data, CASES["two groups"])
    i = maps.elements.tolist().index(7)
    assert maps.df[i] == 0
    assert all(np.isnan(getattr(maps, of)[i]) for of in MAPS)


@pytest.mark.parametrize("name", ["two groups", "F of three groups"])
def test_complete_data_have_no_elements(name, data):
    case = CASES[name]
    maps = maps_of(data[:, :5], case)
    assert maps.elements.size == 0
    assert maps.effect_size.shape == ((2, 0) if case.is_f else (0,))


def test_constant_elements_have_z_of_0(data):
    data[2:, 6] = 4.0
    data[:2, 6] = np.nan
    maps = maps_of(data, CASES["mean"])
    i = maps.elements.tolist().index(6)
    assert maps.is_constant[i]
    assert (maps.stat[i], maps.z_score[i], maps.p_value[i], maps.df[i]) == (0, 0, 1, 9)
