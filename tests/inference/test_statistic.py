"""P-values, evidence and signs of the statistics that a map may hold."""

import re
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.inference import (
    DEFAULT_STAT_TYPE,
    STATISTICS,
    Statistic,
    StatType,
    make_statistic,
    stat_type_called,
)

DF = {"t": (29.0,), "F": (3.0, 29.5), "chi2": (3.0,)}

TWO_SIDED = ["z", "t", "neg_log10_p"]


def statistic_of(stat_type, df=None, two_sided=False):
    """Return a statistic with these degrees of freedom, by default from ``DF``."""
    return STATISTICS[stat_type](DF.get(stat_type, ()) if df is None else df, two_sided)


# One of each kind.
EACH = [
    *(statistic_of(stat_type) for stat_type in STATISTICS),
    *(statistic_of(stat_type, two_sided=True) for stat_type in TWO_SIDED),
]

# Upper tails to 17 digits, computed with 50 by mpmath 1.4.1 as the regularised incomplete gamma
# and beta functions that they are.
UPPER_TAILS = [
    ("z", (), 0.5, 0.3085375387259869),
    ("z", (), 3.0, 0.0013498980316300945),
    ("z", (), 8.0, 6.2209605742717841e-16),
    ("z", (), 20.0, 2.7536241186062337e-89),
    ("z", (), 37.0, 5.7255712225245768e-300),
    ("t", (5,), 0.5, 0.3191494358204645),
    ("t", (5,), 4.0, 0.0051617077404157269),
    ("t", (5,), 64.0, 8.8153313826127514e-9),
    ("t", (5,), 2.0**40, 5.905745575859196e-60),
    ("t", (5,), 1.5 * 2.0**199, 3.7322599553766735e-300),
    ("t", (29,), 0.5, 0.31042404209689068),
    ("t", (29,), 4.0, 0.00020003197282624571),
    ("t", (29,), 16.0, 3.1420787060676552e-16),
    ("t", (29,), 512.0, 3.1712892651594098e-59),
    ("t", (29,), 2.0**36, 6.2434320025978787e-295),
    ("t", (29.5,), 4.0, 0.00019536532538470078),
    ("t", (29.5,), 512.0, 4.1498484660007365e-60),
    ("t", (1000,), 0.5, 0.30859254041693741),
    ("t", (1000,), 4.0, 3.4004959604390789e-5),
    ("t", (1000,), 16.0, 8.9059388068378224e-52),
    ("t", (1000,), 32.0, 1.390210098447007e-155),
    ("t", (1000,), 54.0, 5.5378220645327612e-299),
    ("F", (1, 5), 0.5, 0.51108408043028067),
    ("F", (1, 5), 64.0, 0.00049290666057244408),
    ("F", (1, 5), 2.0**100, 1.0490711545435254e-74),
    ("F", (3, 29.5), 0.5, 0.68516723720024488),
    ("F", (3, 29.5), 4.0, 0.016694486243252609),
    ("F", (3, 29.5), 64.0, 5.0620768430277761e-13),
    ("F", (3, 29.5), 2.0**40, 4.8115823351734191e-163),
    ("F", (5, 200), 4.0, 0.0017614047571876361),
    ("F", (5, 200), 64.0, 1.1881273628713151e-39),
    ("F", (5, 200), 2048.0, 1.2732916583375e-169),
    ("F", (10, 1000), 1.0, 0.44136583209978734),
    ("F", (10, 1000), 4.0, 2.1805408512785292e-5),
    ("F", (10, 1000), 128.0, 2.8623242522011263e-171),
    ("F", (100, 3), 0.5, 0.88115753210600039),
    ("F", (100, 3), 64.0, 0.0026803137321267155),
    ("F", (100, 3), 2.0**300, 4.7889278689054476e-136),
    ("chi2", (1,), 0.5, 0.47950012218695346),
    ("chi2", (1,), 16.0, 6.3342483666239843e-5),
    ("chi2", (1,), 1024.0, 1.0904161207024792e-224),
    ("chi2", (3,), 0.5, 0.91889141165467586),
    ("chi2", (3,), 16.0, 0.0011339842897853227),
    ("chi2", (3,), 1024.0, 1.1187648204463196e-221),
    ("chi2", (29.5,), 64.0, 0.00023780132146223143),
    ("chi2", (29.5,), 1024.0, 1.7968012715146805e-196),
    ("chi2", (1000,), 900.0, 0.98928276190871026),
    ("chi2", (1000,), 1500.0, 1.0454640385979657e-22),
]


def name_of(statistic):
    return statistic.stat_type + " two-sided" * statistic.two_sided


each_statistic = pytest.mark.parametrize("statistic", EACH, ids=name_of)


class TestUpperTails:
    """P-values keep their digits, however small they are."""

    @pytest.mark.parametrize(("stat_type", "df", "value", "p"), UPPER_TAILS)
    def test_they_equal_mpmath(self, stat_type, df, value, p):
        statistic = statistic_of(stat_type, tuple(map(float, df)))
        assert_allclose(statistic.p_values(np.array([value])), [p], rtol=1e-12)
        if stat_type in TWO_SIDED:
            statistic = statistic_of(stat_type, statistic.df, True)
            both = statistic.p_values(np.array([value, -value]))
            assert_allclose(both, [2 * p, 2 * p], rtol=1e-12)

    @pytest.mark.parametrize(
        ("stat_type", "df", "values", "tail"),
        [
            # Down to 3e-301, far beyond where the square of t overflows.
            ("t", (1,), np.logspace(-4, 300, 609), lambda t: np.arctan(1 / t) / np.pi),
            ("t", (2,), np.logspace(-4, 149, 307), lambda t: 1 / (2 + t * (t + np.sqrt(t**2 + 2)))),
            ("F", (1, 1), np.logspace(-4, 300, 609), lambda f: np.arctan(f**-0.5) * 2 / np.pi),
            ("F", (2, 30), np.logspace(-4, 20, 49), lambda f: np.exp(-15 * np.log1p(f / 15))),
            ("F", (2, 500), np.logspace(-4, 3, 49), lambda f: np.exp(-250 * np.log1p(f / 250))),
            ("chi2", (2,), np.linspace(0, 1380, 70), lambda x: np.exp(-x / 2)),
        ],
        ids=["t 1", "t 2", "F 1 1", "F 2 30", "F 2 500", "chi2 2"],
    )  # fmt: skip
    def test_they_equal_closed_forms(self, stat_type, df, values, tail):
        p = statistic_of(stat_type, df).p_values(values)
        assert_allclose(p, tail(values), rtol=1e-12)
        assert p[-1] > 0

    @pytest.mark.parametrize(
        ("stat_type", "df", "values", "distribution"),
        [
            ("z", (), np.linspace(-37, 37, 99), stats.norm()),
            *(("t", (df,), np.linspace(-50, 50, 99), stats.t(df)) for df in (1.5, 5, 29, 1000)),
            *(("F", df, np.linspace(0, 99, 99), stats.f(*df)) for df in ((1, 5), (3, 200), (9, 2))),
            *(("chi2", (df,), np.linspace(0, 1300, 99), stats.chi2(df)) for df in (0.5, 1, 99)),
        ],
    )
    def test_they_equal_scipy(self, stat_type, df, values, distribution):
        expected = distribution.sf(values)
        assert_allclose(statistic_of(stat_type, df).p_values(values), expected, rtol=1e-10)

    @pytest.mark.parametrize("df", [1.5, 2.0, 5.0, 29.0, 1000.0])
    def test_squared_t_is_f(self, df):
        t = np.linspace(-50, 50, 101)
        two_sided = statistic_of("t", (df,), True).p_values(t)
        assert_allclose(two_sided, statistic_of("F", (1.0, df)).p_values(t**2), rtol=1e-11)

    def test_t_of_many_degrees_of_freedom_is_z(self):
        t = np.linspace(-8, 8, 33)
        p = statistic_of("t", (1e12,)).p_values(t)
        assert_allclose(p, statistic_of("z").p_values(t), rtol=1e-8)

    def test_f_of_many_degrees_of_freedom_is_chi_squared(self):
        f = np.linspace(0, 20, 41)
        expected = statistic_of("chi2", (3.0,)).p_values(3 * f)
        for df in (1e9, 1e16, 1e20, 1e300):
            assert_allclose(statistic_of("F", (3.0, df)).p_values(f), expected, rtol=1e-5)

    @pytest.mark.parametrize("df", [1e-300, 1e-3, 1.0, 1e16, 1e300])
    def test_they_are_never_nan(self, df):
        values = np.array([0.0, 5e-324, 1e-300, 0.5, 1.0, 3.0, 1e10, 1e155, 1.7e308, np.inf])
        for statistic in (
            statistic_of("t", (df,)),
            statistic_of("t", (df,), True),
            statistic_of("chi2", (df,)),
            *(statistic_of("F", pair) for pair in ((df, 3.0), (3.0, df), (df, df))),
        ):
            p = statistic.p_values(values)
            assert ((p >= 0) & (p <= 1)).all(), (statistic, p)


class TestPValues:
    """Which tail, what two-sided means, and the ends."""

    @pytest.mark.parametrize("stat_type", ["z", "t"])
    def test_one_sided_is_the_upper_tail(self, stat_type):
        p = statistic_of(stat_type).p_values(np.array([-2.5, 0.0, 2.5]))
        assert p[2] < 0.02
        assert p[1] == 0.5
        assert_allclose(p[0], 1 - p[2], rtol=1e-14)

    @pytest.mark.parametrize("stat_type", ["z", "t"])
    def test_two_sided_doubles_the_tail(self, stat_type):
        df = DF.get(stat_type, ())
        values = np.array([-5.0, -1.0, 0.0, 1.0, 5.0])
        one_sided = statistic_of(stat_type, df).p_values(np.abs(values))
        assert_array_equal(statistic_of(stat_type, df, True).p_values(values), 2 * one_sided)

    def test_signed_log_p_values_are_not_doubled(self):
        values = np.array([-3.0, -0.0, 0.0, 3.0])
        p = statistic_of("neg_log10_p", two_sided=True).p_values(values)
        assert_allclose(p, [1e-3, 1, 1, 1e-3], rtol=1e-15)
        assert_array_equal(statistic_of("neg_log10_p").p_values(values[2:]), p[2:])

    @pytest.mark.parametrize(
        ("statistic", "values", "p"),
        [
            (statistic_of("z"), [-np.inf, 0, np.inf], [1, 0.5, 0]),
            (statistic_of("z", two_sided=True), [-np.inf, 0, np.inf], [0, 1, 0]),
            *((statistic_of("t", (df,)), [-np.inf, -1e308, 0, np.inf], [1, 1, 0.5, 0])
              for df in (0.5, 1.0, 29.0, 1e20)),
            *((statistic_of("t", (df,), True), [-np.inf, 0, np.inf], [0, 1, 0])
              for df in (0.5, 1.0, 29.0, 1e20)),
            *((statistic_of("F", df), [0, np.inf], [1, 0])
              for df in ((1.0, 1.0), (3.0, 29.5), (3.0, 1e20))),
            *((statistic_of("chi2", (df,)), [0, np.inf], [1, 0]) for df in (0.5, 3.0, 1e20)),
            (statistic_of("p"), [0, 5e-324, 0.3, 1], [0, 5e-324, 0.3, 1]),
            (statistic_of("neg_log10_p"), [0, 400, np.inf], [1, 0, 0]),
            (statistic_of("neg_log10_p", two_sided=True), [-np.inf, 0, np.inf], [0, 1, 0]),
            (statistic_of("one_minus_p"), [0, 0.75, 1], [1, 0.25, 0]),
        ],
    )  # fmt: skip
    def test_at_the_ends(self, statistic, values, p):
        values = np.array(values, dtype=float)
        statistic.check_values(values)
        assert_array_equal(statistic.p_values(values), p)

    def test_logarithm_and_back(self):
        p = np.concatenate([np.logspace(-300, 0, 301), np.linspace(0.001, 1, 50)])
        back = statistic_of("neg_log10_p").p_values(-np.log10(p))
        assert_allclose(back, p, rtol=1e-12)

    def test_complement_and_back(self):
        p = np.linspace(0, 1, 101)
        assert_allclose(statistic_of("one_minus_p").p_values(1 - p), p, rtol=0, atol=2e-16)

    @each_statistic
    def test_no_values_have_no_p_values(self, statistic):
        nothing = np.empty(0)
        statistic.check_values(nothing)
        assert statistic.p_values(nothing).shape == (0,)
        assert statistic.evidence(nothing).shape == (0,)
        assert statistic.one_sided_z(nothing).shape == (0,)

    @each_statistic
    def test_the_values_are_left_as_they_are(self, statistic):
        values = np.array([0.0, 0.25, 1.0])
        values.flags.writeable = False
        for method in (statistic.p_values, statistic.evidence, statistic.one_sided_z):
            assert method(values).dtype == np.float64

    def test_nothing_is_copied_without_need(self):
        values = np.array([0.0, 0.25, 1.0])
        assert statistic_of("p").p_values(values) is values
        assert statistic_of("z").one_sided_z(values) is values
        for statistic in EACH:
            kept = statistic.evidence(values) is values
            assert kept == (statistic.stat_type != "p" and not statistic.two_sided)


# The values that a map may have, to draw from.
PROBABILITIES = st.floats(0, 1)
POSITIVE = st.floats(0, np.inf)
SIGNED = st.floats(-np.inf, np.inf)
RANGES = {"p": PROBABILITIES, "one_minus_p": PROBABILITIES, "F": POSITIVE, "chi2": POSITIVE}


@st.composite
def maps(draw):
    """Draw a statistic, and values of it: some of the usual size, some of any."""
    stat_type = draw(st.sampled_from(list(STATISTICS)))
    two_sided = stat_type in TWO_SIDED and draw(st.booleans())
    df = draw(
        {
            "t": st.tuples(st.sampled_from([1.5, 2.0, 5.0, 29.0, 1000.0])),
            "F": st.tuples(st.sampled_from([1.0, 3.0, 9.5]), st.sampled_from([1.0, 5.0, 200.0])),
            "chi2": st.tuples(st.sampled_from([0.5, 1.0, 3.0, 100.0])),
        }.get(stat_type, st.just(()))
    )
    values = SIGNED if stat_type in ("z", "t") or two_sided else RANGES.get(stat_type, POSITIVE)
    usual = values.filter(lambda value: abs(value) <= 40)
    drawn = draw(st.lists(values | usual, min_size=2, max_size=20))
    return statistic_of(stat_type, df, two_sided), np.array(drawn)


class TestEvidence:
    """Evidence, which thresholds select, goes with the p-values."""

    @settings(max_examples=200)
    @given(drawn=maps())
    def test_more_evidence_has_no_larger_p_value(self, drawn):
        statistic, values = drawn
        statistic.check_values(values)
        p = statistic.p_values(values)
        assert ((p >= 0) & (p <= 1)).all()
        p = p[np.argsort(statistic.evidence(values))]
        # Next to each other, rounding decides.
        assert (p[1:] <= p[:-1] * (1 + 1e-12) + 1e-300).all()

    @settings(max_examples=200)
    @given(drawn=maps(), level=st.floats(0, 1) | st.floats(0, 1e-6))
    def test_what_is_left_out_has_a_larger_p_value(self, drawn, level):
        statistic, values = drawn
        elements = statistic.may_have_p_up_to(values, level)
        if elements is not None:
            assert (np.delete(statistic.p_values(values), elements) > level).all()

    @each_statistic
    def test_most_is_left_out(self, statistic):
        p_values = np.linspace(1e-6, 1 - 1e-6, 501)
        values = np.array([statistic.at_p(p) for p in p_values])
        elements = statistic.may_have_p_up_to(values, 0.05)
        if statistic.stat_type == "p":
            assert elements is None  # these are known
        else:
            assert_array_equal(elements, np.arange(elements.size))
            assert 25 <= elements.size <= 30

    def test_nothing_is_left_out_if_the_height_is_not_found(self, monkeypatch):
        statistic, values = statistic_of("t", (5.0,)), np.linspace(-3, 3, 20)
        assert statistic.may_have_p_up_to(values, 0.05) is not None
        for wrong in (np.nan, np.inf, 5.0):
            monkeypatch.setattr(type(statistic), "at_p", lambda *_, wrong=wrong: wrong)
            assert statistic.may_have_p_up_to(values, 0.05) is None

    @settings(max_examples=200)
    @given(drawn=maps())
    def test_one_sided_z_has_the_same_tail(self, drawn):
        statistic, values = drawn
        p = statistic.p_values(values)
        z = statistic.one_sided_z(values)
        assert not np.isnan(z).any()
        of_z = statistic_of("z", two_sided=statistic.two_sided).p_values(z)
        assert_allclose(of_z, p, rtol=1e-11, atol=1e-300)
        if statistic.two_sided:
            far = np.abs(values) > 1e-3
            assert_array_equal(np.sign(z[far]), np.sign(values[far]))

    @pytest.mark.parametrize("df", [1.5, 29.0, 1000.0])
    def test_z_of_t_is_symmetric(self, df):
        t = np.linspace(0, 50, 51)
        statistic = statistic_of("t", (df,))
        z = statistic.one_sided_z(t)
        assert_array_equal(z, -statistic.one_sided_z(-t))
        assert (np.diff(z) > 0).all()
        assert_array_equal(statistic.one_sided_z(np.array([-np.inf, np.inf])), [-np.inf, np.inf])

    @pytest.mark.parametrize("stat_type", ["F", "chi2", "p", "neg_log10_p", "one_minus_p"])
    def test_z_at_the_ends(self, stat_type):
        ends = [0.0, 1.0 if stat_type in ("p", "one_minus_p") else np.inf]
        z = statistic_of(stat_type).one_sided_z(np.array(ends))
        assert_array_equal(z, [np.inf, -np.inf] if stat_type == "p" else [-np.inf, np.inf])

    def test_z_and_back(self):
        z = np.linspace(-5, 37, 85)
        p = statistic_of("z").p_values(z)
        assert_allclose(statistic_of("p").one_sided_z(p), z, rtol=1e-9, atol=1e-9)
        log_p = statistic_of("neg_log10_p").one_sided_z(-np.log10(p))
        assert_allclose(log_p, z, rtol=1e-9, atol=1e-9)
        # The other notation keeps the digits of the other tail.
        assert_allclose(statistic_of("one_minus_p").one_sided_z(p), -z, rtol=1e-9, atol=1e-9)
        two_sided = statistic_of("z", two_sided=True).p_values(z)
        signed = np.copysign(-np.log10(two_sided), z)
        back = statistic_of("neg_log10_p", two_sided=True).one_sided_z(signed)
        assert_allclose(back, z, rtol=1e-9, atol=1e-9)

    @each_statistic
    def test_a_threshold_selects_the_same_values_on_either_scale(self, statistic):
        values = np.linspace(0, 1, 11)
        above = statistic.evidence(values) > statistic.evidence_of_threshold(0.3)
        expected = values < 0.3 if statistic.stat_type == "p" else values > 0.3
        assert_array_equal(above, expected)

    @each_statistic
    def test_direction_goes_with_the_evidence(self, statistic):
        is_signed = statistic.stat_type in ("z", "t")
        expected = "both" if statistic.two_sided else "positive" if is_signed else "unsigned"
        assert statistic.direction == expected
        if statistic.two_sided:
            assert_array_equal(statistic.evidence(np.array([-3.0, 2.0])), [3, 2])


class TestCheckValues:
    """Values that are none of the statistic."""

    @pytest.mark.parametrize(
        ("stat_type", "values", "match"),
        [
            ("p", [0.5, 1.5], r"'p' cannot have values outside \[0, 1\]. Got .* from 0.5 to 1.5"),
            ("p", [-0.5, 0.5], r"'p' .* outside \[0, 1\]. Got values from -0.5 to 0.5"),
            ("p", [np.inf, 0.5], r"'p' .* outside \[0, 1\]. Got values from 0.5 to inf"),
            ("one_minus_p", [0.5, 1.5], r"'one_minus_p' .* outside \[0, 1\]. Got .* to 1.5"),
            ("one_minus_p", [-0.5, 0.5], r"'one_minus_p' .* outside \[0, 1\]. Got .* from -0.5"),
            ("neg_log10_p", [-3, 2], "'neg_log10_p' .* below 0. Got .* from -3.0 .*two_sided=True"),
            ("neg_log10_p", [-np.inf, 2], "'neg_log10_p' .* below 0. Got .* from -inf to 2.0"),
            ("F", [-1e-9, 2], "'F' cannot have values below 0. Got .* from -1e-09 to 2.0.$"),
            ("chi2", [-1, 2], "'chi2' cannot have values below 0. Got .* from -1.0 to 2.0.$"),
        ],
    )
    def test_they_are_refused(self, stat_type, values, match):
        with pytest.raises(ValueError, match=match):
            statistic_of(stat_type).check_values(np.array(values, dtype=float))

    @pytest.mark.parametrize("stat_type", ["z", "t", "neg_log10_p"])
    def test_of_signed_ones_there_are_none(self, stat_type):
        values = np.array([-np.inf, -3, 0, 3, np.inf])
        statistic_of(stat_type, two_sided=True).check_values(values)

    def test_the_ends_are_values(self):
        for stat_type in ("p", "one_minus_p"):
            statistic_of(stat_type).check_values(np.array([0.0, -0.0, 1.0]))
        for stat_type in ("F", "chi2", "neg_log10_p"):
            statistic_of(stat_type).check_values(np.array([-0.0, np.inf]))


class TestCheckThresholds:
    """Thresholds that no value of the statistic can be above, or all of them are."""

    @pytest.mark.parametrize("thresholds", [(-1.0,), (2.0, -0.5), (np.nan,), (3.0, np.nan)])
    @each_statistic
    def test_impossible_ones_are_refused(self, statistic, thresholds):
        with pytest.raises(ValueError, match=r"'threshold'.* Got: 'threshold=") as info:
            statistic.check_thresholds(thresholds, "what was given")
        assert "'threshold=what was given'" in str(info.value)

    @each_statistic
    def test_above_one_depends(self, statistic):
        if statistic.stat_type in ("p", "one_minus_p"):
            with pytest.raises(
                ValueError,
                match=f"'threshold' must lie between 0 and 1.*{statistic.stat_type}.*=3.1'",
            ):
                statistic.check_thresholds((3.1,), 3.1)
        else:
            statistic.check_thresholds((3.1, 1e300), None)
            with pytest.raises(ValueError, match=r"'threshold' must be finite.*=inf'"):
                statistic.check_thresholds((3.1, np.inf), np.inf)

    @each_statistic
    def test_from_zero_to_one_is_possible_for_all(self, statistic):
        statistic.check_thresholds((0.0, 0.001, 1.0), None)
        statistic.check_thresholds((), None)

    def test_negative_ones_are_refused_in_the_words_of_nilearn(self):
        match = "^'threshold' cannot be negative or contain negative values, or NaN"
        with pytest.raises(ValueError, match=match):
            statistic_of("z").check_thresholds((-1.0,), -1.0)

    @pytest.mark.parametrize(
        ("statistic", "remedy"),
        [
            (make_statistic("z"), "To test negative values too, set two_sided=True"),
            (make_statistic("z", two_sided=True), "Give its absolute value"),
            (make_statistic("F", (2, 9)), "Give a positive threshold"),
        ],
    )
    def test_negative_ones_are_told_what_to_do(self, statistic, remedy):
        with pytest.raises(ValueError, match=rf"Got: 'threshold=-3.1'\. {remedy}"):
            statistic.check_thresholds((-3.1,), -3.1)
        with pytest.raises(ValueError, match=r"Got: 'threshold=nan'\.$"):
            statistic.check_thresholds((np.nan,), np.nan)


REFUSED = [
    *(("stat_type", (value, None, False), ValueError, f"'stat_type' must be one of .*Got {value!r}")
      for value in ("Z", "f", "", "pvalue")),
    *(("stat_type", (value, None, False), TypeError, "'stat_type' must be one of")
      for value in (None, 3, ["z"], np.array(["z"]))),
    *(("df", (stat_type, None, False), ValueError, f"'df' must be .*{stat_type!r}. Got None")
      for stat_type in ("t", "F", "chi2")),
    *(("df", (stat_type, df, False), ValueError, f"'df' must be None for stat_type={stat_type!r}")
      for stat_type in ("z", "p", "neg_log10_p", "one_minus_p") for df in (5, (3, 29), (), 0)),
    *(("df", (stat_type, df, False), ValueError, "'df' must be positive and finite.* Got ")
      for stat_type in ("t", "chi2") for df in (0, -1, -0.5, np.nan, np.float32(np.nan))),
    ("df", ("chi2", np.inf, False), ValueError, "'df' must be positive and finite.* Got inf"),
    *(("df", ("F", df, False), ValueError, "'df' must be positive and finite.* Got ")
      for df in ((0, 5), (3, -1), [3, np.nan], np.array([np.inf, 3]))),
    *(("df", ("F", df, False), ValueError, "'df' must be two numbers, .* numerator .*'F'. Got ")
      for df in (5, [5], (), (1, 2, 3), np.array([5]), np.float64(3))),
    *(("df", (stat_type, df, False), ValueError, "'df' must be one number, .*. Got ")
      for stat_type in ("t", "chi2") for df in ((3, 29), [29], np.array([3.0, 29.0]))),
    *(("df", ("t", df, False), TypeError, "'df' must be one number, .*'t'. Got ")
      for df in ("29", b"29", True, np.True_, 3j, {29}, np.array(True))),
    *(("df", ("F", df, False), TypeError, "'df' must be two numbers, .*'F'. Got ")
      for df in (("3", "29"), (3, None), (True, 29), [[3, 29]], "35", {3, 29}, iter((3, 29)))),
    *(("two_sided", (stat_type, DF[stat_type], True), ValueError,
       f"'two_sided' must be False for stat_type={stat_type!r}: F and chi2 have no sign")
      for stat_type in ("F", "chi2")),
    *(("two_sided", (stat_type, None, True), ValueError,
       f"'two_sided' .*{stat_type!r}: p-values are taken as they are.*Got True")
      for stat_type in ("p", "one_minus_p")),
    *(("two_sided", ("z", None, value), TypeError,
       "'two_sided' must be True or False, or 'directional'. Got ")
      for value in ("yes", 1, None)),
]  # fmt: skip


class TestMakeStatistic:
    """What users may say that a map holds."""

    @pytest.mark.parametrize(
        ("arguments", "error", "match"),
        [
            pytest.param(*case[1:], id=f"{case[0]}-{i}-{case[1][0]}")
            for i, case in enumerate(REFUSED)
        ],
    )
    def test_what_does_not_go_together_is_refused(self, arguments, error, match):
        with pytest.raises(error, match=match):
            make_statistic(*arguments)

    def test_an_unknown_type_is_told_the_known_ones(self):
        with pytest.raises(ValueError, match=re.escape(str(list(STATISTICS)))):
            make_statistic("T", None, False)

    @each_statistic
    def test_what_goes_together_is_accepted(self, statistic):
        df = DF.get(statistic.stat_type)
        df = df[0] if df and len(df) == 1 else df
        assert make_statistic(statistic.stat_type, df, statistic.two_sided) == statistic

    @pytest.mark.parametrize(
        "df", [29, 29.0, np.int32(29), np.uint8(29), np.float32(29), Fraction(29), np.array(29)]
    )
    def test_numbers_may_be_of_any_real_type(self, df):
        statistic = make_statistic("t", df, np.True_)
        assert statistic == statistic_of("t", (29.0,), True)
        assert type(statistic.df[0]) is float
        assert type(statistic.two_sided) is bool

    @pytest.mark.parametrize("df", [(3, 29.5), [3, 29.5], np.array([3, 29.5]), (np.int8(3), 29.5)])
    def test_two_numbers_may_be_in_any_sequence(self, df):
        assert make_statistic("F", df, False) == statistic_of("F", (3.0, 29.5))

    def test_the_default_is_a_one_sided_z(self):
        assert make_statistic(DEFAULT_STAT_TYPE) == statistic_of("z")

    def test_a_type_may_be_a_string_of_numpy(self):
        assert make_statistic(np.str_("z")) == statistic_of("z")


class TestTable:
    """All statistics by their name, and by the words of programs."""

    def test_each_statistic_has_its_name(self):
        assert set(STATISTICS) == set(get_args(StatType))
        assert all(STATISTICS[name].stat_type == name for name in STATISTICS)

    def test_a_statistic_of_no_kind_cannot_be_made(self):
        with pytest.raises(TypeError, match="abstract"):
            Statistic()

    def test_statistics_are_equal_if_kind_degrees_of_freedom_and_sides_are(self):
        assert [[one == other for other in EACH] for one in EACH] == np.eye(len(EACH)).tolist()
        assert statistic_of("t") != statistic_of("t", (28.0,))

    @pytest.mark.parametrize("program", ["bids", "declared", "spm", "fsl"])
    def test_words_of_a_program_are_found_again(self, program):
        called = {name: one.called[program] for name, one in STATISTICS.items()
                  if program in one.called}  # fmt: skip
        assert {"z", "t", "F"} <= set(called)
        assert {name: stat_type_called(program, word) for name, word in called.items()} == {
            name: name for name in called
        }
        assert stat_type_called(program, "beta") is None
