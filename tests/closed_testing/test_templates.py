"""Templates: that each inverse is the inverse, and what rounding may not do."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import (
    AORCTemplate,
    BetaTemplate,
    HigherCriticismTemplate,
    LearnedTemplate,
    PowerTemplate,
    SimesTemplate,
    make_template,
)
from ari_estimator.closed_testing._templates import TEMPLATES

NAMES = list(TEMPLATES)

# P-values anywhere, tiny, next to 1, and on a grid, where templates tie with them.
P_VALUES = (
    st.floats(0, 1)
    | st.floats(1, 300).map(lambda e: 10**-e)
    | st.integers(1, 10**6).map(lambda k: 1 - k * 2**-53)
    | st.integers(0, 40).map(lambda k: k / 40)
)


@st.composite
def templates(draw, names=tuple(NAMES)):
    """Draw a template of up to 60 elements."""
    name = draw(st.sampled_from(names))
    degenerate = TEMPLATES[name]._n_degenerate
    m = draw(st.integers(1 + degenerate, 60))
    k_max = draw(st.none() | st.integers(1, m - degenerate))
    delta = draw(st.just(0) | st.integers(0, (k_max or m - degenerate) - 1))
    return make_template(name, m, k_max=k_max, delta=delta)


def a_rank(draw, template):
    """Draw a rank beyond the shift."""
    return draw(st.integers(template.delta + 1, template.k_max))


def inverse(template, rank, p):
    return float(template.inverse(np.array(rank), np.array(p)))


def exact_inverse(template, rank, p):
    """Return the inverse of the Simes template or of the AORC in fractions."""
    p, k = Fraction(p), rank - template.delta
    m = template.n_elements - template.delta
    return p * m / k if template.name == "simes" else p * (m - k) / (k * (1 - p))


def exact_threshold(template, rank, lambda_):
    """Return a threshold of the Simes template or of the AORC in fractions."""
    k, m = rank - template.delta, template.n_elements - template.delta
    return lambda_ * k / m if template.name == "simes" else k * lambda_ / (m - k + k * lambda_)


@settings(max_examples=200)
@given(template=templates(("simes", "aorc")), p=P_VALUES, data=st.data())
def test_inverse_is_exact_but_for_rounding(template, p, data):
    assume(p < 1)
    rank = a_rank(data.draw, template)
    lambda_ = exact_inverse(template, rank, p)
    assert exact_threshold(template, rank, lambda_) == Fraction(p)
    assert_allclose(inverse(template, rank, p), float(lambda_), rtol=1e-15, atol=1e-322)


@settings(max_examples=200)
@given(template=templates(("simes", "aorc")), p=P_VALUES, data=st.data())
def test_thresholds_are_exact_but_for_rounding(template, p, data):
    assume(p < 1)
    rank, other = a_rank(data.draw, template), a_rank(data.draw, template)
    lambda_ = inverse(template, other, p)
    expected = float(exact_threshold(template, rank, Fraction(lambda_)))
    assert_allclose(template.thresholds(lambda_)[rank - 1], expected, rtol=1e-15, atol=1e-322)


@settings(max_examples=200)
@given(exponent=st.integers(0, 5), j=st.integers(0, 64), other=st.integers(0, 64), data=st.data())
def test_a_p_value_is_below_a_threshold_exactly_if_its_inverse_is_below_lambda(
    exponent, j, other, data
):
    # Powers of two and a grid of them: the arithmetic is exact, and ties are ties.
    template = SimesTemplate(2**exponent)
    rank = 2 ** data.draw(st.integers(0, exponent))
    p, lambda_ = j / 64, other / 64
    is_below = p < template.thresholds(lambda_)[rank - 1]
    assert is_below == (inverse(template, rank, p) < lambda_)
    assert is_below == (p <= template.critical_thresholds(lambda_)[rank - 1])


def relative_tolerance(template):
    # Newton's method ends within the rounding of tails; squares and roots lose a bit or two.
    return {"simes": 1e-15, "aorc": 2e-15, "higher_criticism": 1e-13}.get(template.name, 1e-11)


def is_usual_level(template, lambda_):
    # Next to a level of 1, quantiles of doubles that follow each other are far apart.
    return template.name != "beta" or lambda_ < -0.01


@settings(max_examples=300)
@given(template=templates(), p=P_VALUES, of_lambda=P_VALUES, data=st.data())
@example(
    template=HigherCriticismTemplate(50), p=1e-9, of_lambda=1e-12, data=None
)  # cancellation with the other root
def test_p_values_beside_a_threshold_are_on_its_sides(template, p, of_lambda, data):
    rank = template.k_max if data is None else a_rank(data.draw, template)
    other = 1 if data is None else a_rank(data.draw, template)
    lambda_ = inverse(template, other, of_lambda)
    assume(math.isfinite(lambda_) and of_lambda > 0 and is_usual_level(template, lambda_))
    threshold = template.thresholds(lambda_)[rank - 1]
    tolerance = relative_tolerance(template) * threshold
    assume(abs(p - threshold) > tolerance and p > 1e-290)
    # Next to 1 the distance to 1 is what counts, and of it not all digits are there.
    assume(threshold < 1 - 1e-9 or p < 1 - 1e-9)
    assert (p < threshold) == (inverse(template, rank, p) < lambda_)


@settings(max_examples=300)
@given(template=templates(), p=P_VALUES, data=st.data())
def test_the_threshold_at_the_inverse_of_a_p_value_is_the_p_value(template, p, data):
    rank = a_rank(data.draw, template)
    lambda_ = inverse(template, rank, p)
    threshold = template.thresholds(lambda_)[rank - 1]
    if p == 0:
        assert threshold == 0
    elif 1e-290 < p < 1 - 1e-6 and is_usual_level(template, lambda_):
        assert_allclose(threshold, p, rtol=relative_tolerance(template))
    elif is_usual_level(template, lambda_):
        assert_allclose(threshold, p, rtol=1e-9, atol=1e-280)
    else:
        assert template.inverse(np.array(rank), threshold) == pytest.approx(lambda_, abs=1e-13)


@settings(max_examples=200)
@given(template=templates(), p=st.lists(P_VALUES, min_size=2, max_size=20))
def test_inverse_grows_with_the_p_value_and_falls_with_the_rank(template, p):
    p = np.sort(p)
    ranks = np.arange(1, template.k_max + 1)
    table = template.inverse(ranks[:, np.newaxis], p)
    assert table.shape == (template.k_max, p.size)
    assert not np.isnan(table).any()
    assert_array_equal(table[: template.delta], np.inf)
    table = table[template.delta :]
    slack = [template._rounding(value) if value < 0 else 0 for value in table.min(axis=0)]
    if template.name == "power":
        slack = 1e-15 * np.minimum(table, 1e300).max(axis=0)
    with np.errstate(invalid="ignore"):  # differences of infinite values
        assert not (np.diff(table, axis=1) < -np.max(slack)).any()
        assert not (np.diff(table, axis=0) > slack).any()


@pytest.mark.parametrize("name", ["simes", "aorc", "higher_criticism"])
@pytest.mark.parametrize("m", [7, 1000, 100_003])
def test_rounding_keeps_the_order_of_inverses(name, m):
    # Neighbouring doubles, and neighbouring ranks.
    template = make_template(name, m)
    rng = np.random.default_rng(m)
    for p in [*10 ** -rng.uniform(0, 12, 20), 0.5, 1 - 1e-12]:
        rank = int(rng.integers(1, template.k_max))
        p = np.minimum(p + np.spacing(p) * np.arange(500), 1)
        assert (np.diff(template.inverse(np.array(rank), p)) >= 0).all()
        ranks = np.arange(rank, min(rank + 500, template.k_max + 1))
        assert (np.diff(template.inverse(ranks, p[0])) <= 0).all()


@pytest.mark.parametrize(("name", "m"), [("beta", 60), ("beta", 20_000), ("power", 5000)])
def test_rounding_disturbs_the_order_of_inverses_less_than_is_allowed_for(name, m):
    template = make_template(name, m)
    rng = np.random.default_rng(m)
    for _ in range(60):
        rank = int(rng.integers(1, template.k_max + 1))
        p = rank / m * rng.uniform(0.3, 1)
        p = np.minimum(p + np.spacing(p) * np.arange(200), 1)
        values = template.inverse(np.array(rank), p)
        assert (np.maximum.accumulate(values) - values).max() <= template._rounding(values[0])


@settings(max_examples=200)
@given(template=templates(), p=P_VALUES, other=P_VALUES, data=st.data())
def test_thresholds_grow_with_rank_and_lambda(template, p, other, data):
    rank = a_rank(data.draw, template)
    lambdas = sorted(inverse(template, rank, value) for value in (p, other))
    low, high = (template.thresholds(value) for value in lambdas)
    assert low.shape == (template.k_max,)
    assert_array_equal(low[: template.delta], 0)
    assert (low >= 0).all()
    assert (np.diff(low) >= -1e-10 * low[1:]).all()
    assert (high >= low * (1 - 1e-10)).all()


@settings(max_examples=300)
@given(template=templates(), p=P_VALUES, data=st.data())
@example(template=SimesTemplate(1), p=0.0, data=None)
@example(template=SimesTemplate(1), p=1.0, data=None)
@example(template=HigherCriticismTemplate(2), p=1.0, data=None)
@example(template=AORCTemplate(2), p=1.0, data=None)
@example(template=BetaTemplate(2), p=5e-324, data=None)
@example(template=BetaTemplate(3), p=1.0, data=None)
@example(template=PowerTemplate(3), p=1.0, data=None)
def test_what_meets_a_critical_threshold_is_below_the_threshold(template, p, data):
    rank = template.k_max if data is None else a_rank(data.draw, template)
    lambda_ = inverse(template, rank, p)
    critical = template.critical_thresholds(lambda_)
    assert critical.shape == (template.k_max,)
    assert (np.diff(critical) >= 0).all()
    assert (critical <= 1).all()
    assert_array_equal(critical[: template.delta], -1)
    # Lambda is the pivotal statistic of this very p-value, which has to stay above.
    assert p > critical[rank - 1]
    assert_array_equal(critical[critical < 0], -1)
    if template.name not in ("beta", "power"):
        # Of doubles up to 1, the next one is not below any more.
        ranks = np.flatnonzero(critical < 1) + 1
        above = np.nextafter(np.maximum(critical[ranks - 1], -5e-324), 1)
        assert (template.inverse(ranks, above) >= lambda_).all()
    ranks = np.flatnonzero(critical >= 0) + 1
    at = critical[ranks - 1]
    for n_below in (0, 1, 2, 3, 10, 1000):
        below = np.maximum(at - n_below * np.spacing(at), 0)
        assert (template.inverse(ranks, below) < lambda_).all()


@settings(max_examples=300)
@given(template=templates(), p=P_VALUES, data=st.data())
def test_thresholds_of_data_are_the_largest_that_are_critical_after_they_are_raised(
    template, p, data
):
    lambda_ = inverse(template, a_rank(data.draw, template), p)
    critical = template.critical_thresholds(lambda_)
    thresholds = template.thresholds_of_data(lambda_)
    assert_array_equal(thresholds < 0, critical < 0)
    ranks = np.flatnonzero(critical >= 0) + 1
    at, critical = thresholds[ranks - 1], critical[ranks - 1]
    above = np.nextafter(at, 2)
    assert (at * (1 + 1e-10) <= critical).all()
    assert (above * (1 + 1e-10) > critical).all()
    assert (at < 1).all()
    # The inverse of raised p-values tells the same.
    limit = template.limit(lambda_)
    assert (template.raised_inverse(ranks, at) < limit).all()
    if template.name not in ("beta", "power"):
        assert (template.raised_inverse(ranks, np.minimum(above, 1)) >= limit).all()


@pytest.mark.parametrize("m", [20, 5000])
def test_a_logarithm_whose_last_bit_is_wrong_moves_no_p_value_below_a_threshold(monkeypatch, m):
    # As on another machine: neighbouring doubles may have logarithms in the wrong order.
    log = np.log

    def last_bit_wrong(x):
        bits = np.asarray(x, dtype=float).view(np.int64)
        return log(x) * (1 + (bits % 1_000_003 % 3 - 1) * 2.0**-52)

    monkeypatch.setattr(np, "log", last_bit_wrong)
    template, ranks, rng = PowerTemplate(m), np.arange(1, m + 1), np.random.default_rng(m)
    for p in 10 ** -rng.uniform(0.1, 30, 20):
        rank = int(rng.integers(1, m + 1))
        lambda_ = inverse(template, rank, p)
        critical = template.critical_thresholds(lambda_)
        assert critical[rank - 1] < p < critical[rank - 1] * (1 + 1e-11)
        met = critical >= 0
        for n_below in range(40):
            below = np.maximum(critical - n_below * np.spacing(critical), 0)[met]
            assert (template.inverse(ranks[met], below) < lambda_).all()


@settings(max_examples=200)
@given(template=templates(), p=P_VALUES, data=st.data())
def test_critical_thresholds_are_close_to_the_thresholds(template, p, data):
    assume(1e-280 < p < 1 - 1e-6)
    rank = a_rank(data.draw, template)
    lambda_ = inverse(template, rank, p)
    assume(is_usual_level(template, lambda_))
    thresholds = template.thresholds(lambda_)
    critical = template.critical_thresholds(lambda_)
    # Next to 1 a double of lambda is several of p.
    usual = (thresholds > 1e-280) & (thresholds < 1 - 1e-6)
    usual[rank - 1] = True
    assert_allclose(critical[usual], thresholds[usual], rtol=relative_tolerance(template))
    if template.name == "simes":
        n_ulps = (thresholds - critical)[usual] / np.spacing(thresholds[usual])
        assert (np.abs(n_ulps) <= 4).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("delta", [0, 3])
def test_the_least_lambda_gives_thresholds_that_nothing_meets(name, delta):
    template = make_template(name, 20, delta=delta)
    lowest = float(template.inverse(np.arange(1, template.k_max + 1), 0.0).min())
    assert_array_equal(template.thresholds(lowest), 0)
    assert_array_equal(template.critical_thresholds(lowest), -1)


@pytest.mark.parametrize("name", NAMES)
def test_p_values_of_one_have_thresholds_just_below_one(name):
    template = make_template(name, 20)
    ranks = np.arange(1, template.k_max + 1)
    highest = float(template.inverse(ranks, 1.0).min())
    critical = template.critical_thresholds(highest)
    assert critical[-1] < 1
    assert critical[-1] > 0.999999


def test_the_shift_takes_away_from_rank_and_number():
    shifted = SimesTemplate(100, k_max=30, delta=8)
    expected = [max(0, k - 8) * 0.3 / 92 for k in range(1, 31)]
    assert_allclose(shifted.thresholds(0.3), expected, rtol=1e-15)
    for name in NAMES:
        shifted, plain = make_template(name, 50, delta=5), make_template(name, 45)
        p = np.linspace(0.01, 0.99, plain.k_max)
        ranks = np.arange(1, plain.k_max + 1)
        assert_array_equal(shifted.inverse(ranks + 5, p), plain.inverse(ranks, p))


def test_formulas_are_those_that_are_stated():
    m, k, lambda_ = 50, np.arange(1, 50), 0.2
    assert_allclose(
        AORCTemplate(m).thresholds(lambda_), k * lambda_ / (m - k + k * lambda_), rtol=1e-15
    )
    p = HigherCriticismTemplate(m, k_max=49).thresholds(-lambda_)
    assert_allclose(np.sqrt(m) * (k / m - p) / np.sqrt(p * (1 - p)), lambda_, rtol=1e-12)
    p = HigherCriticismTemplate(m, k_max=49).thresholds(lambda_)
    assert_allclose(np.sqrt(m) * (k / m - p) / np.sqrt(p * (1 - p)), -lambda_, rtol=1e-11)
    p = PowerTemplate(m, k_max=49).thresholds(lambda_)
    assert_allclose(p, (k / (m + np.sqrt(m))) ** (1 / lambda_), rtol=1e-13)
    # The least of 50 uniform numbers is at most p with probability 1 - (1 - p)^50.
    first = BetaTemplate(m).thresholds(math.log(lambda_))[0]
    assert 1 - (1 - first) ** 50 == pytest.approx(lambda_, rel=1e-13)
    # ... and all of them with probability p^50.
    assert BetaTemplate(m).thresholds(math.log(lambda_))[-1] ** 50 == pytest.approx(lambda_)


def test_higher_criticism_keeps_its_digits_where_terms_cancel():
    template = HigherCriticismTemplate(10**6)
    lambda_ = inverse(template, 1, 1e-25)
    assert lambda_ < -1e9
    assert template.thresholds(lambda_)[0] == pytest.approx(1e-25, rel=1e-14)


def test_levels_of_the_beta_template_may_be_smaller_than_any_double():
    template = BetaTemplate(2000)
    p = np.arange(1, 2001) / 2000 * 0.3
    lambda_ = template.inverse(np.arange(1, 2001), p).min()
    assert lambda_ < -800
    critical = template.critical_thresholds(lambda_)
    assert ((p <= critical).sum(), (p * 0.999999 <= critical).sum()) == (0, 1)


def test_templates_by_name():
    assert list(TEMPLATES) == ["simes", "aorc", "beta", "higher_criticism", "power"]
    for name in NAMES:
        template = make_template(name, 10, k_max=4, delta=2)
        assert type(template) is TEMPLATES[name]
        assert (template.name, template.n_elements) == (name, 10)
        assert (template.k_max, template.delta) == (4, 2)
    assert make_template("simes", 10).k_max == 10
    assert make_template("aorc", 10).k_max == 9
    assert make_template("simes", np.int64(10), k_max=np.int32(3)).k_max == 3


def test_a_template_that_is_made_already_is_taken_as_it_is():
    shifted = SimesTemplate(10, delta=2)
    assert make_template(shifted, 10) is shifted
    assert make_template(shifted, 10, delta=2) is shifted
    cut = make_template(shifted, 10, k_max=5)
    assert (type(cut), cut.k_max, cut.delta) == (SimesTemplate, 5, 2)
    learned = LearnedTemplate([[0.1, 0.2], [0.2, 0.3]], 10)
    assert make_template(learned, 10) is learned
    assert make_template(learned, 10, k_max=1).k_max == 1


def test_repr_tells_what_the_template_is_of():
    assert repr(SimesTemplate(10)) == "SimesTemplate(n_elements=10, k_max=10)"
    assert repr(AORCTemplate(10, delta=2)) == "AORCTemplate(n_elements=10, k_max=9, delta=2)"


@pytest.mark.parametrize("name", ["Simes", "linear", "", "higher.criticism", "learned"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match=rf"template must be one of .* Got '{name}'"):
        make_template(name, 10)


@pytest.mark.parametrize("template", [None, 1, SimesTemplate, {"simes"}, [1], ["simes", None]])
def test_what_is_no_template_is_refused(template):
    with pytest.raises(TypeError, match="template must be one of"):
        make_template(template, 10)


@pytest.mark.parametrize(
    ("name", "k_max"), [("simes", 0), ("simes", 11), ("simes", -1), ("aorc", 10), ("power", 11)]
)
def test_a_number_of_thresholds_out_of_range_is_refused(name, k_max):
    with pytest.raises(ValueError, match=rf"k_max must be an integer from 1 to .* Got {k_max}"):
        make_template(name, 10, k_max=k_max)


@pytest.mark.parametrize("delta", [-1, 10, 11])
def test_a_shift_out_of_range_is_refused(delta):
    with pytest.raises(ValueError, match=rf"delta must be an integer from 0 to 9.* Got {delta}"):
        make_template("simes", 10, delta=delta)
    with pytest.raises(ValueError, match="delta must be an integer from 0 to 4, as there are 5"):
        make_template("simes", 10, k_max=5, delta=5)


@pytest.mark.parametrize("value", [2.0, "2", None, True, np.float64(2)])
def test_numbers_that_are_no_integers_are_refused(value):
    with pytest.raises(TypeError, match="n_elements must be an integer"):
        SimesTemplate(value)
    with pytest.raises(TypeError, match="delta must be an integer"):
        SimesTemplate(10, delta=value)
    if value is not None:
        with pytest.raises(TypeError, match="k_max must be an integer"):
            SimesTemplate(10, k_max=value)


@pytest.mark.parametrize(("cls", "m"), [(SimesTemplate, 0), (AORCTemplate, 1), (BetaTemplate, -2)])
def test_too_few_elements_are_refused(cls, m):
    with pytest.raises(ValueError, match=f"n_elements must be an integer from .* Got {m}"):
        cls(m)


def test_a_template_of_other_elements_is_refused():
    with pytest.raises(ValueError, match=r"template must have 11 elements. Got one with 10"):
        make_template(SimesTemplate(10), 11)


def test_a_template_that_is_made_already_keeps_its_shift():
    with pytest.raises(ValueError, match="delta must be 0 for an existing template"):
        make_template(SimesTemplate(10, delta=2), 10, delta=3)
    with pytest.raises(ValueError, match="delta must be 0 for an existing template"):
        make_template(LearnedTemplate([[0.1]], 10), 10, delta=1)
