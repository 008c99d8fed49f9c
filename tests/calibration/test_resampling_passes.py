"""Passes over permutations: against sorting in double precision, and spread in any way."""

from types import SimpleNamespace

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.calibration import calibrate_draws
from ari_estimator.calibration._resampling_passes import (
    pivots_by_rank,
    pivots_by_tail,
    rank_p_values,
    smallest_p_values,
)
from ari_estimator.calibration._subject_data import resample_subjects
from ari_estimator.calibration._workers import Workers
from ari_estimator.closed_testing import LearnedTemplate, make_template
from ari_estimator.closed_testing._lambda import lambda_at, lambda_rank
from ari_estimator.closed_testing._templates import TEMPLATES

N_PERMUTATIONS = 110
ALPHA = 0.1


def make_data(n_subjects=14, n_elements=300, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n_subjects, 1))
    data = rng.standard_normal((n_subjects, n_elements)) + 0.5 * shared
    data[:, :30] += 1
    return data


def null_of(data, design=None, contrast=None, **options):
    options = {"two_sided": False, "n_permutations": N_PERMUTATIONS, **options}
    return resample_subjects(data, design, contrast, rng=np.random.default_rng(3), **options).null


def slope_of(data, **options):
    rng = np.random.default_rng(9)
    design = np.column_stack([np.ones(len(data)), rng.standard_normal((len(data), 2))])
    return null_of(data, design, [0, 1, 0], **options)


GROUPS = np.eye(3)[np.repeat([0, 1, 2], [4, 4, 6])]
AMONG_GROUPS = [[1, -1, 0], [0, 1, -1]]


def null_of_groups(contrast=(1, -1, 0), **options):
    return null_of(make_data(), GROUPS, contrast, **options)


NULLS = {
    "F by permutation": lambda: null_of_groups(AMONG_GROUPS),
    "F by bootstrap": lambda: null_of_groups(AMONG_GROUPS, scheme="bootstrap"),
    "v by flips": lambda: null_of_groups(variance_groups="auto"),
    "v by permutation, two-sided": lambda: null_of_groups(
        variance_groups="auto", scheme="permutation", two_sided=True
    ),
    "G by flips": lambda: null_of_groups(AMONG_GROUPS, variance_groups="auto"),
    "G by bootstrap": lambda: null_of_groups(
        AMONG_GROUPS, variance_groups="auto", scheme="bootstrap"
    ),
    "whole blocks": lambda: null_of_groups(
        blocks=np.repeat(np.arange(7), 2), exchange="whole", two_sided=True
    ),
    "flips": lambda: null_of(make_data()),
    "flips, two-sided": lambda: null_of(make_data(), two_sided=True),
    "permutations beside nuisance": lambda: slope_of(make_data()),
    "bootstrap": lambda: slope_of(make_data(), scheme="bootstrap", two_sided=True),
    "streamed": lambda: null_of(iter(make_data(40)), n_groups=16, two_sided=True),
    "single precision": lambda: null_of(make_data().astype(np.float32)),
}


@pytest.fixture(params=NULLS)
def null(request):
    return NULLS[request.param]()


def exact_p_values(null):
    """Return the p-values of all draws, in double precision."""
    exact = null.exact(np.arange(null.n_permutations))
    p = null.tail(np.abs(exact) if null.tail.is_absolute else exact)
    p[0] = null.observed_p_values
    return np.where(null.is_constant, 1, p)


def exact_pivots(null, template):
    """Return pivotal statistics by their definition, in double precision."""
    p = np.sort(exact_p_values(null), axis=1)[:, : template.k_max]
    return template.inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)


@pytest.mark.parametrize("name", [*TEMPLATES, "learned"])
def test_pivots_equal_double_precision(null, name):
    if name == "learned":
        training = null_of(make_data(seed=8), two_sided=null.tail.is_absolute)
        template = LearnedTemplate.from_smallest(
            smallest_p_values(training, 50, Workers()), null.n_elements
        )
    else:
        template = make_template(name, null.n_elements, k_max=200, delta=2)
    exact = exact_pivots(null, template)
    found = pivots_by_tail(null, [template], [ALPHA], Workers())[0].values
    assert found.shape == (null.n_permutations,)
    assert_allclose(found[0], exact[0], rtol=1e-12)
    assert_allclose(lambda_at(found, ALPHA), lambda_at(exact, ALPHA), rtol=1e-12)
    if name != "learned":  # whose pivots are whole numbers, which jump
        assert_allclose(found, exact, rtol=100 * null.error + 1e-3)
        # Others are in single precision, as was to be saved.
        assert (found != exact).any()


def test_each_draw_that_may_decide_is_computed_in_double_precision():
    null = NULLS["flips"]()
    template = make_template("simes", null.n_elements)
    exact = exact_pivots(null, template)
    # A large error, as if there were thousands of subjects: all that are near are suspects.
    null.error = 0.01
    for alpha in (0.01, 0.05, 0.3, 0.9):
        found = pivots_by_tail(null, [template], [alpha], Workers())[0].values
        assert_allclose(lambda_at(found, alpha), lambda_at(exact, alpha), rtol=1e-12)
        rank = lambda_rank(null.n_permutations, alpha)
        assert (found < found[np.argsort(exact)[rank]]).sum() <= rank


@pytest.mark.parametrize("seed", range(4))
def test_the_draw_that_decides_is_found_among_near_ties(seed):
    # Pivots that differ in digits that single precision does not have.
    data = make_data(10, 40, seed)
    rng = np.random.default_rng(seed)
    data = np.hstack([data, data * (1 + 1e-9 * rng.standard_normal(data.shape))])
    null = null_of(data, n_permutations=400)
    template = make_template("simes", 80)
    exact = exact_pivots(null, template)
    for alpha in (0.01, 0.05, 0.2):
        found = pivots_by_tail(null, [template], [alpha], Workers())[0].values
        assert_allclose(lambda_at(found, alpha), lambda_at(exact, alpha), rtol=1e-12)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("two_sided", [False, True])
def test_ties_with_lambda_are_not_beyond_the_thresholds(name, two_sided):
    # Whole numbers of few subjects: many draws have equal p-values, except for rounding.
    data = np.random.default_rng(2).integers(-2, 3, (7, 40)).astype(float)
    null = null_of(data, two_sided=two_sided, n_permutations=128)
    template = make_template(name, 40, k_max=20)
    p = np.sort(exact_p_values(null), axis=1)[:, :20]
    n_rounded = 0
    for alpha in np.arange(1, 20) / 20:
        calibration = calibrate_draws(null, template, alpha).calibration
        beyond = (p <= calibration.critical_vector.thresholds).any(axis=1)
        assert calibration.joint_error_rate() == beyond.mean() <= alpha
        n_rounded += (calibration.pivotal_statistics < calibration.lambda_).sum() - beyond.sum()
    assert n_rounded > 0


def by_tail(null, workers):
    template = make_template("simes", null.n_elements)
    return np.array(pivots_by_tail(null, [template], [ALPHA], workers)[0])


def by_rank(null, workers):
    counts, _ = rank_p_values(null, workers)
    return np.array(pivots_by_rank(counts, make_template("beta", null.n_elements)))


def smallest(null, workers):
    return smallest_p_values(null, 40, workers)


@pytest.mark.parametrize("of_pass", [by_tail, by_rank, smallest])
def test_results_do_not_depend_on_how_work_is_spread(of_pass):
    # A product of more than one block of draws. The last one is not full.
    null = slope_of(make_data(12, 3000), n_permutations=310)
    one = of_pass(null, Workers())
    for workers in (
        Workers(n_jobs=2),
        Workers(chunk_size=1),
        Workers(chunk_size=26),
        Workers(n_jobs=2, chunk_size=1000),
    ):
        assert_array_equal(of_pass(null, workers), one)
    with parallel_config(backend="threading", n_jobs=2):
        assert_array_equal(of_pass(null, Workers()), one)


@pytest.mark.parametrize(("n_elements", "block"), [(10, 100), (235_375, 71), (4_000_000, 50)])
def test_ranges_are_of_whole_blocks(n_elements, block):
    def ranges(chunk_size, n_permutations):
        null = SimpleNamespace(n_permutations=n_permutations, n_elements=n_elements)
        return Workers(chunk_size=chunk_size).ranges_of_draws(null)

    assert ranges(1, 2 * block + 20) == [
        range(0, block),
        range(block, 2 * block),
        range(2 * block, 2 * block + 20),
    ]
    assert ranges(block + 10, 2 * block + 20) == [
        range(0, 2 * block),
        range(2 * block, 2 * block + 20),
    ]
    assert ranges(block, block) == [range(0, block)]


def brute_force_ranks(null):
    """Return how many draws have a statistic that is at least as large, for each."""
    r = null.exact(np.arange(null.n_permutations))
    if null.tail.is_absolute:
        r = np.abs(r)
    # As close as this are only statistics that are equal but for rounding.
    return np.array([(r >= of_draw - 1e-10).sum(axis=0) for of_draw in r])


def assert_ranks(null):
    expected = brute_force_ranks(null)
    counts, observed = rank_p_values(null, Workers())
    assert_array_equal(observed, expected[0] / null.n_permutations)
    n = null.n_permutations
    assert_array_equal(counts, [np.bincount(row - 1, minlength=n) for row in expected])
    for name in TEMPLATES:
        template = make_template(name, null.n_elements, delta=1)
        p = np.sort(expected / n, axis=1)[:, : template.k_max]
        pivots = template.inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)
        assert_array_equal(pivots_by_rank(counts, template).values, pivots)


def test_p_values_by_rank(null):
    assert_ranks(null)


def test_p_values_by_rank_of_all_flips_with_ties():
    # Whole numbers, so that many of the 2^7 flips have the same sum.
    data = np.random.default_rng(0).integers(-2, 3, (7, 50))
    data[0] += 1
    for two_sided in (False, True):
        null = null_of(data, two_sided=two_sided, n_permutations=128)
        assert null.n_permutations == 128
        assert_ranks(null)


def test_a_flip_and_its_mirror_have_the_same_two_sided_p_value():
    null = null_of(make_data(6, 200), two_sided=True, n_permutations=64)
    counts, observed = rank_p_values(null, Workers())
    # So that there are even numbers alone, each of two flips.
    assert (counts[:, ::2] == 0).all()
    assert_array_equal(counts, counts[::-1])
    assert observed.min() >= 2 / 64


def test_permutations_that_are_the_same_have_the_same_p_value():
    group = np.repeat([0.0, 1.0], [3, 3])
    design = np.column_stack([group, 1 - group])
    for n_permutations in (19, 200):  # random ones, some of them equal; all 20
        null = null_of(make_data(6), design, [1, -1], n_permutations=n_permutations)
        assert_ranks(null)


def test_elements_are_dealt_out_in_more_than_one_part(monkeypatch):
    null = NULLS["flips"]()
    counts, observed = rank_p_values(null, Workers())
    seen = []
    one_by_one = null.of_elements

    def of_elements(elements):
        seen.append(elements)
        return one_by_one(elements)

    monkeypatch.setattr(null, "of_elements", of_elements)
    monkeypatch.setattr(
        "ari_estimator.calibration._resampling_passes._MOST_IN_MEMORY", 7 * N_PERMUTATIONS
    )
    in_parts = rank_p_values(null, Workers())
    assert len(seen) == -(-300 // 7)
    assert_array_equal(in_parts[0], counts)
    assert_array_equal(in_parts[1], observed)


def test_smallest_p_values(null):
    found = smallest_p_values(null, 40, Workers())
    exact = np.sort(exact_p_values(null), axis=1)[:, :40]
    assert_allclose(found, exact, rtol=100 * null.error + 1e-4)
    assert (np.diff(found, axis=1) >= 0).all()
    assert smallest_p_values(null, null.n_elements, Workers()).shape == (N_PERMUTATIONS, 300)


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("name", TEMPLATES)
def test_constant_elements_are_as_if_their_p_values_were_one(name, two_sided):
    data = make_data(14, 100)
    with_constants = np.hstack([data[:, :50], np.zeros((14, 80)), data[:, 50:], np.ones((14, 20))])
    null = null_of(with_constants, two_sided=two_sided)
    alone = null_of(data, two_sided=two_sided)
    template = make_template(name, 200)
    p = np.sort(exact_p_values(alone), axis=1)
    p = np.hstack([p, np.ones((N_PERMUTATIONS, 100))])[:, : template.k_max]
    expected = template.inverse(np.arange(1, p.shape[1] + 1), p).min(axis=1)
    found = pivots_by_tail(null, [template], [ALPHA], Workers())[0].values
    assert_allclose(found, expected, rtol=1e-3)
    p = smallest_p_values(null, 150, Workers())
    assert_allclose(p[:, :100], smallest_p_values(alone, 100, Workers()), rtol=1e-4)
    assert (p[:, 100:] == 1).all()
    assert (null.observed_p_values[50:130] == 1).all()
    assert (rank_p_values(null, Workers())[1][50:130] == 1).all()


def test_nothing_but_constant_elements_are_left():
    data = np.hstack([make_data(14, 10), np.ones((14, 5))])
    null = null_of(data)
    kept = null.select(null.is_constant)
    values, raised = by_tail(kept, Workers())
    assert_array_equal(values, np.ones(N_PERMUTATIONS))
    assert_array_equal(raised, np.full(N_PERMUTATIONS, np.inf))
    assert_array_equal(smallest_p_values(kept, 3, Workers()), np.ones((N_PERMUTATIONS, 3)))
