"""Tests of several contrasts: parts of one family, and shares of one error level."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_estimator.closed_testing import (
    CalibratedTest,
    FamilyPart,
    Hommel,
    LevelShare,
    calibrate,
)
from ari_estimator.closed_testing._level_share import level_share
from ari_estimator.closed_testing._rational import check_alpha

from ._brute_force import ClosedTest
from ._strategies import LOCAL_TESTS, alphas, as_floats

P_VALUES = st.lists(st.integers(0, 20).map(lambda k: Fraction(k, 20)), min_size=2, max_size=7)


def calibrated():
    p_values = np.random.default_rng(0).random((100, 30))
    p_values[0, :8] *= 1e-4
    return CalibratedTest(p_values[0], calibrate(p_values))


WHOLES = {
    "Hommel": lambda: Hommel(np.random.default_rng(1).random(30) ** 4),
    "calibrated": calibrated,
}


@given(P_VALUES, st.data(), alphas(), st.sampled_from(LOCAL_TESTS))
def test_bounds_of_a_part_are_those_of_exhaustive_closed_testing(p_values, data, alpha, local_test):
    size = data.draw(st.integers(1, len(p_values) - 1))
    whole = Hommel(as_floats(p_values), local_test)
    sizes = {"a": size, "b": len(p_values) - size}
    bounds = FamilyPart(whole, slice(size, len(p_values)), sizes).bounds(float(alpha))
    members = data.draw(st.sets(st.integers(0, len(p_values) - size - 1), min_size=1))
    exhaustive = ClosedTest(p_values, local_test).bounds(alpha)
    assert bounds.of_set(sorted(members)) == exhaustive[sum(1 << m + size for m in members)]


@pytest.mark.parametrize("make_whole", WHOLES.values(), ids=WHOLES)
def test_a_part_answers_like_the_family(make_whole):
    whole = make_whole()
    part = FamilyPart(whole, slice(0, 12), {"a": 12, "b": 18})
    members = np.arange(3, 10)
    assert part.n_elements == 12
    assert part.bounds(0.1).of_set(members) == whole.bounds(0.1).of_set(members)
    assert part.set_p_value(members, 0.2) == whole.set_p_value(members, 0.2)
    ends, of_whole = part.monte_carlo_bounds(0.1), whole.monte_carlo_bounds(0.1)
    assert (ends is None) == (of_whole is None)
    if ends is not None:
        found = [end.of_set(members) for end in ends]
        assert found == [end.of_set(members) for end in of_whole]
    described = part.describe(0.1)
    assert "“a”, “b”" in described["sentence"]
    assert described["values"]["FamilyTrueDiscoveries"] == whole.bounds(0.1).of_set()


@pytest.mark.parametrize("make_own", WHOLES.values(), ids=WHOLES)
def test_a_share_is_the_test_at_a_smaller_level(make_own):
    own, members = make_own(), np.arange(8)
    share = LevelShare(own, ["a", "b"])
    assert share.bounds(0.2).of_set(members) == own.bounds(0.1).of_set(members)
    assert share.set_p_value(members) == min(1, 2 * own.set_p_value(members))
    assert share.set_p_value(np.arange(20, 30), 0.9) == 1
    assert "0.1 each" in share.describe(0.2)["sentence"]


@given(st.integers(1, 999).map(lambda k: k / 1000), st.integers(1, 40))
def test_shares_never_add_up_to_more_than_the_level(alpha, n_shares):
    total = n_shares * check_alpha(level_share(alpha, n_shares))
    assert total <= check_alpha(alpha)
    assert float(total) == pytest.approx(alpha, rel=1e-12)


def made(name, kind):
    whole = WHOLES[name]()
    if kind is FamilyPart:
        return FamilyPart(whole, slice(12, 30), {"a": 12, "b": 18})
    return LevelShare(whole, ["a", "b"])


@pytest.mark.parametrize("kind", [FamilyPart, LevelShare])
@pytest.mark.parametrize("name", WHOLES)
def test_restored_from_arrays(name, kind):
    test = made(name, kind)
    again = kind.from_arrays(
        {key: np.asarray(value) for key, value in test.to_arrays().items()}, test.p_values
    )
    assert again.describe(0.1) == test.describe(0.1)
    assert again.bounds(0.1).of_set() == test.bounds(0.1).of_set()
    assert again.set_p_value([0, 1]) == test.set_p_value([0, 1])


@pytest.mark.parametrize(
    ("kind", "change", "match"),
    [
        (FamilyPart, {"whole_kind": "part"}, "must be one of"),
        (FamilyPart, {"start": 5}, "do not fit"),
        (FamilyPart, {"part_sizes": np.array([12, 17])}, "do not fit"),
        (FamilyPart, {"part_sizes": np.array([30, 0])}, "do not fit"),
        (FamilyPart, {"part_names": np.array(["a"])}, "part_sizes"),
        (LevelShare, {"own_kind": "level share"}, "must be one of"),
        (LevelShare, {"names": np.array([], dtype="U1")}, "names"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(kind, change, match):
    test = made("Hommel", kind)
    arrays = {key: np.asarray(value) for key, value in (test.to_arrays() | change).items()}
    with pytest.raises(ValueError, match=match):
        kind.from_arrays(arrays, test.p_values)
