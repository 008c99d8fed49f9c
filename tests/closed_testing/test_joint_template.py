"""Templates together: one parameter for all, against the definition and against brute force."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import (
    BetaTemplate,
    Calibration,
    JointTemplate,
    LearnedTemplate,
    SimesTemplate,
    calibrate,
    make_template,
)
from ari_estimator.closed_testing._lambda import lambda_at
from ari_estimator.closed_testing._templates import TEMPLATES

from .test_templates import P_VALUES

M = 24


def learned(m, k_max, seed=0, n_curves=40):
    p = np.random.default_rng(seed).random((n_curves, m))
    return LearnedTemplate.from_smallest(np.sort(p, axis=1)[:, :k_max], m)


@st.composite
def joint_templates(draw):
    """Draw two or three different templates of up to 40 elements, and their crossings."""
    m = draw(st.integers(6, 40))
    names = draw(st.permutations([*TEMPLATES, "learned"]))[: draw(st.integers(2, 3))]
    parts = []
    for name in names:
        k_max = draw(st.integers(4, m - 1))
        if name == "learned":
            parts.append(learned(m, k_max))
        else:
            parts.append(make_template(name, m, k_max=k_max, delta=draw(st.integers(0, 2))))
    first, *others = parts
    crossings = [
        draw(st.integers(max(first.delta, one.delta) + 1, min(first.k_max, one.k_max)))
        for one in others
    ]
    return JointTemplate(parts, crossings)


@settings(max_examples=80)
@given(template=joint_templates(), p=P_VALUES, data=st.data())
def test_a_p_value_meets_the_critical_threshold_exactly_if_its_inverse_is_below(template, p, data):
    rank = data.draw(st.integers(1, template.k_max))
    other = data.draw(st.integers(template.delta + 1, template.k_max))
    lambda_ = float(template.inverse(np.array(other), np.array(p)))
    assume(np.isfinite(lambda_))
    critical = template.critical_thresholds(lambda_)
    assert critical.shape == (template.k_max,)
    assert (np.diff(critical) >= 0).all()
    # Lambda is the pivotal statistic of this very p-value, which has to stay above.
    assert p > critical[other - 1]
    q = data.draw(P_VALUES)
    if q <= critical[rank - 1]:
        assert template.inverse(np.array(rank), np.array(q)) < lambda_


@settings(max_examples=60)
@given(template=joint_templates(), seed=st.integers(0, 10**6), alpha=st.sampled_from([0.1, 0.2]))
def test_no_more_than_alpha_of_the_permutations_are_beyond(template, seed, alpha):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random((20, template.n_elements)) ** 2, 2)
    calibration = calibrate(p, alpha, template=template)
    thresholds = calibration.critical_vector.thresholds
    beyond = (np.sort(p, axis=1)[:, : thresholds.size] <= thresholds).any(axis=1)
    assert beyond.sum() <= Fraction(alpha).limit_denominator(10) * len(p)
    assert calibration.joint_error_rate() == beyond.mean()


@settings(max_examples=60)
@given(template=joint_templates(), seed=st.integers(0, 10**6))
def test_the_pivotal_statistic_is_the_smallest_of_all_templates(template, seed):
    p = np.random.default_rng(seed).random((5, template.n_elements))
    found = calibrate(p, 0.4, template=template).pivotal_statistics
    first, *others = (calibrate(p, 0.4, template=t).pivotal_statistics for t in template.templates)
    scaled = [scale.common(one) for scale, one in zip(template._scales, others, strict=True)]
    assert_array_equal(found, np.min([first, *scaled], axis=0))


def exact_pivot(row, crossing, shift):
    """Return the pivotal statistic of Simes' template with a shifted one, in fractions."""
    m = len(row)
    pivots = [p * m / k for k, p in enumerate(row, start=1)]
    # The shifted curve c (k - shift) meets lambda k / m at the crossing.
    per_lambda = Fraction(crossing, m * (crossing - shift))
    pivots += [p / (per_lambda * (k - shift)) for k, p in enumerate(row, start=1) if k > shift]
    return min(pivots)


@settings(max_examples=60)
@given(data=st.data(), shift=st.integers(1, 4), extra=st.integers(1, 4))
def test_simes_with_a_shift_is_exact(data, shift, extra):
    rows = data.draw(st.lists(st.lists(st.integers(0, 64), min_size=8, max_size=8), min_size=5))
    p = [sorted(Fraction(k, 64) for k in row) for row in rows]
    crossing = min(shift + extra, 8)
    template = JointTemplate([SimesTemplate(8), SimesTemplate(8, delta=shift)], [crossing])
    as_doubles = np.array([[float(one) for one in row] for row in p])
    found = calibrate(as_doubles, 0.4, template=template).pivotal_statistics
    expected = [float(exact_pivot(row, crossing, shift)) for row in p]
    assert_allclose(found, expected, rtol=1e-14)


@settings(max_examples=100)
@given(p=P_VALUES, shift=st.integers(1, 5), data=st.data())
def test_critical_thresholds_of_proportional_templates_are_the_largest_doubles(p, shift, data):
    template = JointTemplate([SimesTemplate(20), SimesTemplate(20, delta=shift)], [shift + 2])
    rank = data.draw(st.integers(1, 20))
    lambda_ = float(template.inverse(np.array(rank), np.array(p)))
    critical = template.critical_thresholds(lambda_)
    ranks = np.flatnonzero((critical >= 0) & (critical < 1)) + 1
    assert (template.inverse(ranks, critical[ranks - 1]) < lambda_).all()
    above = np.nextafter(critical[ranks - 1], 1)
    assert (template.inverse(ranks, above) >= lambda_).all()


def bounds_of_closed_test(p, template, lambda_):
    """Return the bound of every set: its size minus its largest set that may be inactive."""
    m = p.size
    bounds = {}
    for mask in range(1 << m):
        members = [i for i in range(m) if mask >> i & 1]
        largest = 0
        for inner in range(1 << m):
            if inner & ~mask:
                continue
            rest = np.sort(p[[i for i in range(m) if inner >> i & 1]])
            ranks = np.arange(1, min(rest.size, template.k_max) + 1)
            # A local test rejects a set with a p-value below its threshold.
            if not (template.inverse(ranks, rest[: ranks.size]) < lambda_).any():
                largest = max(largest, rest.size)
        bounds[mask] = len(members) - largest
    return bounds


@pytest.mark.parametrize("seed", range(4))
def test_bounds_are_those_of_closed_testing_by_its_definition(seed):
    rng = np.random.default_rng(seed)
    p = rng.random((20, 6)) ** 3
    template = JointTemplate(
        [SimesTemplate(6), BetaTemplate(6, k_max=4), SimesTemplate(6, delta=1)], [2, 3]
    )
    calibration = calibrate(p, 0.2, template=template)
    expected = bounds_of_closed_test(p[0], template, calibration.lambda_)
    vector = calibration.critical_vector
    for mask, bound in expected.items():
        assert vector.true_discoveries(p[0][[i for i in range(6) if mask >> i & 1]]) == bound


def test_the_first_template_decides_with_its_own_numbers():
    template = JointTemplate([SimesTemplate(M), SimesTemplate(M, delta=3)], [M])
    simes = SimesTemplate(M)
    assert_array_equal(template.critical_thresholds(0.2)[:4], simes.critical_thresholds(0.2)[:4])
    assert template.parameters(0.2)[0] == 0.2


@pytest.mark.parametrize("name", TEMPLATES)
def test_curves_cross_at_their_rank(name):
    template = JointTemplate([SimesTemplate(2000), make_template(name, 2000, k_max=500)], [50])
    if name == "simes":
        template = JointTemplate([SimesTemplate(2000), SimesTemplate(2000, delta=9)], [50])
    for lambda_ in (0.01, 0.2, 0.9):
        first, other = (
            one.thresholds(parameter)[49]
            for one, parameter in zip(template.templates, template.parameters(lambda_), strict=True)
        )
        assert_allclose(other, first, rtol=1e-3)


def test_templates_of_different_lengths_keep_their_last_threshold():
    template = JointTemplate([SimesTemplate(100), BetaTemplate(100, k_max=20)], [5])
    thresholds = template.thresholds(0.1)
    last = template.templates[1].thresholds(template.parameters(0.1)[1])[-1]
    assert thresholds.size == 100
    assert_array_equal(thresholds[20:], np.maximum(np.arange(21, 101) * 0.1 / 100, last))


def test_a_list_of_names_and_templates():
    shifted = SimesTemplate(1000, delta=27)
    template = make_template(["simes", shifted, "beta"], 1000, k_max=None)
    assert template.templates[1] is shifted
    assert template.crossings == (36, 100)
    assert [one.k_max for one in template.templates] == [1000, 1000, 1000]
    assert make_template(["simes"], 1000).name == "simes"
    assert make_template(("beta",), 10, k_max=4).k_max == 4


def test_the_joint_template_by_its_name():
    template = make_template("joint", 5000)
    assert [one.delta for one in template.templates] == [0, 9]
    assert template.crossings == (12,)
    # Few elements get a small shift, and hardly any elements none.
    assert make_template("joint", 60).crossings == (4,)
    assert make_template("joint", 12).name == "simes"


def test_step_down_keeps_the_relation():
    rng = np.random.default_rng(1)
    p = rng.random((40, 50))
    p[0, :25] = 1e-7
    template = make_template(["simes", "beta"], 50)
    calibration = calibrate(p, 0.1, template=template, step_down=True)
    assert calibration.n_steps > 1
    kept = p[:, 25:]
    pivots = template.inverse(np.arange(1, 26), np.sort(kept, axis=1)).min(axis=1)
    assert calibration.lambda_ == lambda_at(pivots, 0.1)
    alone = calibrate(p, 0.1, template=template)
    assert calibration.lambda_ >= alone.lambda_


def test_a_relation_from_other_subjects_crosses_where_their_curves_do():
    templates = [SimesTemplate(100), BetaTemplate(100)]
    at_20 = JointTemplate(templates, [20])
    lambdas = at_20.parameters(0.2)
    again = JointTemplate.from_lambdas(templates, [lambdas[0], lambdas[1] + 1e-3])
    assert abs(again.crossings[0] - 20) <= 1
    # A curve that stays below crosses where it comes closest.
    below = JointTemplate.from_lambdas([SimesTemplate(10), SimesTemplate(10, delta=2)], [0.5, 0.1])
    assert below.crossings == (10,)


def test_files_keep_the_template(tmp_path):
    p = np.random.default_rng(0).random((40, 60))
    parts = ["simes", BetaTemplate(60, k_max=30), learned(60, 20), SimesTemplate(60, delta=4)]
    calibration = calibrate(p, 0.1, template=parts)
    calibration.save(tmp_path / "calibration.npz")
    again = Calibration.load(tmp_path / "calibration.npz")
    assert again.template.crossings == calibration.template.crossings
    assert again.template.in_words == calibration.template.in_words
    assert_array_equal(again.critical_vector.thresholds, calibration.critical_vector.thresholds)


def test_the_template_in_words():
    template = make_template(["simes", SimesTemplate(1000, delta=27), "higher_criticism"], 1000)
    assert template.in_words == (
        "simes + simes (delta = 27) (crossing at rank 36) + higher criticism (crossing at rank 100)"
    )
    assert "Blain" in make_template(["simes", learned(1000, 50)], 1000).cited


REFUSED = {
    "a list of one": ([SimesTemplate(9)], None, ValueError, "at least two templates. Got 1"),
    "other sizes": (
        [SimesTemplate(9), BetaTemplate(8)], None, ValueError,
        r"templates must have the same number of elements. Got \[9, 8\]",
    ),
    "twice": (
        [SimesTemplate(9), BetaTemplate(9), SimesTemplate(9)], None, ValueError,
        r"templates must differ. Got SimesTemplate.* at places 0 and 2",
    ),
    "a name": (["simes", "beta"], None, TypeError, r"templates\[0\] must be a template"),
    "nested": (
        [SimesTemplate(9), JointTemplate([SimesTemplate(9), BetaTemplate(9)])], None, TypeError,
        r"templates\[1\] must be a template that is not itself made of templates",
    ),
    "a shift beyond k_max": (
        [SimesTemplate(9, delta=5), BetaTemplate(9, k_max=5)], None, ValueError,
        "one has 5 thresholds, the other ignores the first 5. Use a smaller delta",
    ),
    "a rank within a shift": (
        [SimesTemplate(9), SimesTemplate(9, delta=3)], [3], ValueError,
        "a rank of crossings must be an integer from 4 to 9 .* Got 3",
    ),
    "a rank beyond k_max": (
        [SimesTemplate(9), BetaTemplate(9, k_max=4)], [5], ValueError, "from 1 to 4 .* Got 5",
    ),
    "no integer": (
        [SimesTemplate(9), BetaTemplate(9)], [2.5], TypeError, "must be an integer .* Got 2.5",
    ),
    "too many ranks": (
        [SimesTemplate(9), BetaTemplate(9)], [2, 3], ValueError, "must be 1 ranks.* Got 2",
    ),
    "no list of ranks": (
        [SimesTemplate(9), BetaTemplate(9)], 3, TypeError, "must be 1 ranks.* Got 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case):
    templates, crossings, error, match = REFUSED[case]
    with pytest.raises(error, match=match):
        JointTemplate(templates, crossings)


@pytest.mark.parametrize(
    ("template", "options", "error", "match"),
    [
        ([], {}, ValueError, "Got an empty list"),
        (["simes", "joint"], {}, ValueError, "each entry of .* use it alone"),
        (["simes", 3], {}, TypeError, "each entry of template must be one of .* Got 3"),
        (["simes", "beta"], {"delta": 2}, ValueError, "delta must be 0 for several templates"),
        ("joint", {"delta": 2}, ValueError, "delta must be 0 for template 'joint'"),
        (["simes", "aorc"], {"k_max": 10}, ValueError, "k_max must be an integer from 1 to 9"),
        (["simes", SimesTemplate(9)], {}, ValueError, "template must have 10 elements"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(template, options, error, match):
    with pytest.raises(error, match=match):
        make_template(template, 10, **options)


def test_an_integer_of_numpy_is_a_shift_of_0():
    assert make_template(["simes", "beta"], 10, delta=np.int64(0)).crossings == (1,)


def test_templates_that_cross_at_high_ranks_are_not_cut_to_few_thresholds():
    template = make_template(["simes", SimesTemplate(100, delta=9)], 100)
    assert template.cut(50).k_max == 50
    with pytest.raises(ValueError, match=r"k_max must be at least 12 for templates that cross"):
        template.cut(11)


def test_a_relation_learned_from_the_same_data_is_refused():
    rng = np.random.default_rng(0)
    p = rng.random((30, 50))
    of_others = LearnedTemplate.from_p_values(p, 10)
    joint = JointTemplate([SimesTemplate(50), BetaTemplate(50)], subjects=of_others.subjects)
    with pytest.raises(ValueError, match=r"template was learned from data .* 30 of the 30 rows"):
        calibrate(p, 0.1, template=joint)
    with pytest.raises(ValueError, match="template was learned from data"):
        calibrate(p, 0.1, template=["simes", of_others])
    assert calibrate(p, 0.1, template=joint, allow_shared_data=True).template is joint
    assert calibrate(rng.random((30, 50)), 0.1, template=joint).template is joint
