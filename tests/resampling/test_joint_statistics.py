"""Several contrasts under the same draws: one scale, one family, one scheme."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.resampling import (
    CorrelationTail,
    JointStatistics,
    LinearModelStatistics,
    MultipleCorrelationTail,
    NormalTail,
    PartialCorrelation,
    Permutation,
    SignFlipping,
    WelchStatistic,
    find_contrast,
)
from ari_estimator.resampling._common_scale import CommonScale
from ari_estimator.resampling._common_scheme import NoCommonSchemeError, common_schemes
from ari_estimator.resampling._shared_residuals import SharedResiduals

from ._brute_force import least_squares_f, least_squares_t

N = 15
THREE = np.eye(3)[np.repeat([0, 1, 2], 5)]
SIDES = {"one-sided": False, "two-sided": True}
T_ONLY = {"a - b": [1.0, -1, 0], "b - c": [0.0, 1, -1]}
MIXED = {"a - b": [1.0, -1, 0], "any": [[1.0, -1, 0], [0, 1, -1]]}


def parts_of(data, contrasts, *, two_sided=False, groups=None, n_permutations=120, seed=0):
    """Return the statistics of each contrast, and the draws."""
    found = [
        find_contrast(THREE, weights, "F" if np.ndim(weights) == 2 else "t")
        for weights in contrasts.values()
    ]
    schemes = common_schemes("auto", found)
    draws = schemes[0].draws(n_permutations, np.random.default_rng(seed))
    parts = []
    for one, scheme in zip(found, schemes, strict=True):
        sided = two_sided and not one.is_f
        if groups is None:
            statistic = PartialCorrelation(one, scheme, sided)
        else:
            statistic = WelchStatistic(one, groups, scheme.keeps_squares(groups), sided)
        parts.append(LinearModelStatistics(data, statistic, scheme, draws))
    return parts, draws


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((N, 60)) + rng.standard_normal(60)
    data[:5, :10] += 4  # so that p-values reach the far tail
    return data


@pytest.mark.parametrize("two_sided", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("contrasts", [T_ONLY, MIXED], ids=["t", "t and F"])
def test_p_values_are_those_of_least_squares_on_the_same_permutation(data, contrasts, two_sided):
    parts, draws = parts_of(data, contrasts, two_sided=two_sided)
    joint = JointStatistics(parts)
    found = joint.tail(joint.exact(np.arange(joint.n_permutations)))
    for draw in (0, 1, 57, 119):
        expected = []
        for weights in contrasts.values():
            contrast = find_contrast(THREE, weights)
            nuisance = contrast.nuisance
            residuals = data - nuisance @ (nuisance.T @ data)
            # A draw names, for each row of residuals, the row whose place it takes.
            moved = np.empty_like(residuals)
            moved[draws[draw]] = residuals
            if np.ndim(weights) == 2:
                expected.append(stats.f.sf(least_squares_f(moved, THREE, weights), 2, N - 3))
                continue
            t = least_squares_t(moved, THREE, weights)
            p = stats.t.sf(np.abs(t) if two_sided else t, N - 3)
            expected.append(2 * p if two_sided else p)
        assert_allclose(found[draw], np.concatenate(expected), rtol=1e-8)
    assert_allclose(joint.observed_p_values, found[0], rtol=1e-8)


@pytest.mark.parametrize("two_sided", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("groups", [None, np.repeat([0, 1, 2], 5)], ids=["one variance", "groups"])
@pytest.mark.parametrize("contrasts", [T_ONLY, MIXED], ids=["t", "t and F"])
def test_single_precision_is_as_close_as_it_says(data, contrasts, groups, two_sided):
    parts, _ = parts_of(data, contrasts, two_sided=two_sided, groups=groups)
    joint = JointStatistics(parts)
    draws = np.arange(joint.n_permutations)
    exact = joint.exact(draws)
    found = np.concatenate([values.copy() for values in joint.blocks(range(draws.size))])
    if joint.tail.is_absolute:
        found, exact = np.abs(found), np.abs(exact)
    low, high = joint.tail.lowest, joint.tail.highest
    error = joint.error + joint.relative_error * np.abs(exact)
    # Beyond the range, values need to be only on the right side of it.
    near = np.clip(found, low, high) - np.clip(exact, low, high)
    assert (np.abs(near) <= error + 1e-6).all()


def test_statistics_that_matter_are_exact_and_others_close(data):
    joint = JointStatistics(parts_of(data, MIXED)[0])
    draws = np.arange(20)
    lowest = np.full(20, 0.4)
    found, exact = joint.exact(draws, lowest), joint.exact(draws)
    matter = exact >= 0.4
    assert matter.any()
    assert_allclose(found[matter], exact[matter], rtol=1e-12)
    in_range = exact > joint.tail.lowest
    assert_allclose(found[in_range], exact[in_range], atol=2 * joint.error)


def test_contrasts_with_one_tail_keep_their_scale(data):
    parts, _ = parts_of(data, T_ONLY)
    joint = JointStatistics(parts)
    assert joint.tail == CorrelationTail(df=N - 3, two_sided=False)
    assert_array_equal(joint.block(0, 10), np.hstack([part.block(0, 10) for part in parts]))


def test_elements_and_selections_cross_the_contrasts(data):
    joint = JointStatistics(parts_of(data, MIXED)[0])
    every = joint.of_elements(slice(0, 120))
    assert_allclose(joint.of_elements(slice(50, 75)), every[:, 50:75], rtol=1e-10, atol=1e-12)
    assert_allclose(every, joint.exact(np.arange(joint.n_permutations)), rtol=1e-9, atol=1e-9)
    keep = np.arange(120) % 7 != 0
    kept = joint.select(keep)
    assert kept.n_elements == keep.sum()
    assert_allclose(kept.observed_p_values, joint.observed_p_values[keep])
    only_last = joint.select(np.arange(120) >= 60)
    assert [part.stop - part.start for part in only_last.slices] == [60]


def test_parts_need_the_same_draws(data):
    parts = parts_of(data, T_ONLY)[0] + parts_of(data, T_ONLY, n_permutations=50)[0]
    with pytest.raises(ValueError, match="parts must be at least one, with the same draws"):
        JointStatistics(parts)
    with pytest.raises(ValueError, match="parts must be at least one"):
        JointStatistics([])


TAILS = [
    CorrelationTail(1, False), CorrelationTail(2, True), CorrelationTail(4, False),
    CorrelationTail(11, True), CorrelationTail(300, False), MultipleCorrelationTail(1, 5),
    MultipleCorrelationTail(2, 27), MultipleCorrelationTail(6, 3), NormalTail(False),
    NormalTail(True),
]  # fmt: skip


REFERENCES = {
    "two-sided t": CorrelationTail(11, True), "one-sided t": CorrelationTail(11, False),
    "F": MultipleCorrelationTail(2, 11), "normal": NormalTail(True),
}  # fmt: skip


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
@pytest.mark.parametrize("error", [1e-6, 0.01], ids=["small error", "large error"])
@pytest.mark.parametrize("tail", TAILS, ids=str)
def test_table_of_the_common_scale(tail, error, reference):
    scale = CommonScale(tail, reference, error, of_reference=error)
    assert scale.lowest < scale.highest
    # Small p-values are told apart, or at least those near 0.05.
    assert reference(scale.lowest) > 0.05
    statistics = np.random.default_rng(0).uniform(tail.lowest, tail.highest, (4, 30_000))
    statistics = statistics.astype(np.float32)
    exact, p_values = scale.exact(statistics), tail(statistics)
    of_size = np.clip(p_values, 1e-12, None)
    assert_allclose(np.clip(reference(exact), 1e-12, None), of_size, rtol=1e-7)
    in_range = (exact > scale.lowest) & (exact < scale.highest)
    assert_allclose(scale.about(statistics)[in_range], exact[in_range], atol=scale.error)
    found = statistics.copy()
    scale.in_place(found)
    low, high = scale.lowest, scale.highest
    assert np.abs(np.clip(found, low, high) - np.clip(exact, low, high)).max() <= scale.error
    values = np.linspace(low, high, 50)
    below = np.maximum(scale.statistic_below(values), tail.lowest)
    assert (scale.exact(below) <= values + 1e-9).all()


def test_t_and_f_are_as_certain_together_as_alone(data):
    parts, _ = parts_of(data, MIXED, two_sided=True)
    joint = JointStatistics(parts)
    assert joint.tail.tail == CorrelationTail(N - 3, True)
    assert joint.error < 2 * max(part.error for part in parts)
    assert joint.tail(joint.tail.highest) < 1e-9
    assert joint.tail(joint.tail.lowest) > 0.9


def test_the_most_elements_keep_their_scale(data):
    several = {"any": MIXED["any"], "one": MIXED["a - b"], "same": MIXED["any"]}
    parts, _ = parts_of(data, several)
    joint = JointStatistics(parts)
    assert joint.tail.tail == MultipleCorrelationTail(2, N - 3)
    assert_array_equal(joint.block(0, 10)[:, :60], parts[0].block(0, 10))


BLOCKS = np.repeat(np.arange(4), 4)
BETWEEN = np.repeat([0.0, 1.0], 8)
WITHIN = np.tile([0.0, 0, 1, 1], 4)


def of_design(*weights, design=None):
    design = np.column_stack([BETWEEN, WITHIN, np.ones(16)]) if design is None else design
    return [find_contrast(design, one) for one in weights]


@pytest.mark.parametrize(
    ("name", "weights", "blocks", "exchange", "kind", "described"),
    [
        ("auto", ([1, 0, 0], [0, 1, 0]), None, None, Permutation, "permutation"),
        ("auto", ([1, 0, 0], [0, 0, 1]), None, None, SignFlipping, "sign-flipping"),
        ("auto", ([1, 0, 0], [0, 1, 0]), BLOCKS, None, SignFlipping, "whole"),
        ("auto", ([0, 1, 0], [0, -1, 0]), BLOCKS, None, Permutation, "within"),
        ("sign_flip", ([1, 0, 0], [0, 1, 0]), None, None, SignFlipping, "sign-flipping"),
    ],
)
def test_one_scheme_for_all(name, weights, blocks, exchange, kind, described):
    schemes = common_schemes(name, of_design(*weights), blocks, exchange)
    assert all(isinstance(scheme, kind) for scheme in schemes)
    assert described in schemes[0].description


def test_no_permutation_of_blocks_serves_contrasts_within_and_between_them():
    contrasts = of_design([1, 0, 0], [0, 1, 0])
    with pytest.raises(NoCommonSchemeError, match="contrasts that need different permutations"):
        common_schemes("permutation", contrasts, BLOCKS)


def test_variance_groups_make_all_contrasts_flip_signs():
    groups = np.repeat([0, 1], 8)
    contrasts = of_design([1, 0, 0], [0, 1, 0])
    schemes = common_schemes("auto", contrasts, variance_groups=[groups, groups])
    assert all(isinstance(scheme, SignFlipping) for scheme in schemes)


@pytest.mark.parametrize("contrasts", [T_ONLY, MIXED], ids=["t", "t and F"])
def test_shared_residuals_give_the_same_statistics(data, contrasts):
    data[:, 7] = 5.0  # constant
    data[:, 8:12] += 1000  # far from 0
    data = data.astype(np.float32)
    own, draws = parts_of(data, contrasts)
    shared = SharedResiduals(data, own[0]._statistic.contrast)
    columns = np.arange(60)[::-1]
    for part in own:
        contrast, scheme = part._statistic.contrast, part._scheme
        arguments = part._statistic, scheme, draws
        found = LinearModelStatistics(data, *arguments, shared.of_contrast(contrast))
        blocks, expected = found.block(0, 50), part.exact(np.arange(50))
        assert (np.abs(blocks - expected) <= found.error).all()
        turned = LinearModelStatistics(
            data[:, columns], *arguments, shared.of_contrast(contrast, columns)
        )
        assert_allclose(turned.block(0, 50), blocks[:, columns], atol=2 * found.error)
        keep = np.arange(60) % 3 == 0
        assert_allclose(turned.select(keep).block(0, 5), blocks[:5, columns[keep]], atol=1e-5)


@pytest.mark.parametrize("contrasts", [T_ONLY, MIXED], ids=["t", "t and F"])
def test_chosen_statistics_are_in_double_precision(data, contrasts):
    joint = JointStatistics(parts_of(data, contrasts)[0])
    draws = np.array([0, 7, 31])
    single = np.stack([joint.block(0, 50)[draw] for draw in draws])
    exact = joint.exact(draws)
    where = exact > 0.3
    assert where.any()
    found = joint.exact_where(draws, single, where)
    assert_allclose(found[where], exact[where], rtol=1e-10)
