"""One calibration of several contrasts, against the definition on all p-values."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator.calibration import Workers
from ari_estimator.calibration._calibrate_contrasts import calibrate_contrasts
from ari_estimator.calibration._subject_contrasts import ContrastOfFamily, resample_contrasts
from ari_estimator.closed_testing import calibrate

N, M = 9, 25
DESIGN = np.column_stack([np.ones(N), np.linspace(-1, 1, N) ** 3])
EVERY = np.arange(M)


def contrast(weights, stat_type="t", two_sided=False, columns=EVERY):
    return ContrastOfFamily(np.asarray(weights, dtype=float), stat_type, two_sided, columns)


def calibrated(data, contrasts, *, design=DESIGN, **options):
    defaults = {
        "alpha": 0.1, "template": "simes", "n_permutations": 2**N, "scheme": "sign_flip",
        "blocks": None, "exchange": None, "variance_groups": None, "p_values": "parametric",
        "k_max": "auto", "delta": 0, "step_down": False, "allow_shared_data": False,
        "missing": None, "level_weights": None, "rng": np.random.default_rng(0), "version": "",
        "workers": Workers(),
    }  # fmt: skip
    return calibrate_contrasts(data, design, contrasts, **defaults | options)


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    data = rng.standard_normal((N, M))
    data[:, :4] += 3
    return data


def p_of_flips(data, two_sided):
    """Return p-values of the mean and the slope for all sign-flips of each null model."""
    signs = np.array(np.meshgrid(*[[1, -1]] * N, indexing="ij")).reshape(N, -1).T
    columns = DESIGN / np.linalg.norm(DESIGN, axis=0)
    rows = []
    for flips in signs:
        row = []
        for tested, nuisance in ((0, 1), (1, 0)):
            other = columns[:, [nuisance]]
            residuals = data - other @ (other.T @ data)
            flipped = flips[:, np.newaxis] * residuals
            fit, squares, *_ = np.linalg.lstsq(DESIGN, flipped, rcond=None)
            variance = np.linalg.inv(DESIGN.T @ DESIGN)[tested, tested] * squares / (N - 2)
            t = fit[tested] / np.sqrt(variance)
            p = stats.t.sf(np.abs(t) if two_sided else t, N - 2)
            row.append(np.minimum(2 * p, 1) if two_sided else p)
        rows.append(np.concatenate(row))
    return np.array(rows)


@pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
@pytest.mark.parametrize("template", ["simes", "beta", "higher_criticism"])
def test_lambda_is_that_of_all_p_values_together(data, template, two_sided):
    found = calibrated(
        data,
        {
            "mean": contrast([1, 0], two_sided=two_sided),
            "slope": contrast([0, 1], two_sided=two_sided),
        },
        template=template,
    )
    expected = calibrate(p_of_flips(data, two_sided), template=template, alpha=0.1)
    assert found.calibration.is_exhaustive
    assert found.calibration.lambda_ == pytest.approx(expected.lambda_, rel=1e-7)
    assert_allclose(
        np.sort(found.calibration.pivotal_statistics),
        np.sort(expected.pivotal_statistics),
        rtol=1e-4,
    )
    assert_allclose(found.p_values, p_of_flips(data, two_sided)[0], rtol=1e-7)
    assert found.elements == {"mean": slice(0, M), "slope": slice(M, 2 * M)}


def test_t_and_f_together(data):
    found = calibrated(
        data, {"mean": contrast([1, 0]), "any": contrast([[1, 0]], "F")}, n_permutations=200
    )
    t, f = found.p_values[:M], found.p_values[M:]
    assert_allclose(f, np.minimum(2 * np.minimum(t, 1 - t), 1), rtol=1e-6)


@pytest.mark.parametrize(("n", "missing"), [(420, None), (48, "omit")], ids=["many", "gaps"])
def test_t_and_f_with_large_rounding_errors(n, missing):
    """Bounds on rounding errors are large with many subjects and with gaps. Results stay exact."""
    rng = np.random.default_rng(5)
    data, design = rng.standard_normal((n, M)), np.eye(4)[np.arange(n) % 4]
    if missing:
        data[rng.random(data.shape) < 0.05] = np.nan
    asked = {
        "a - b": contrast([1, -1, 0, 0]),
        "any": contrast([[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]], "F"),
    }
    options = {"n_permutations": 60, "scheme": "auto", "missing": missing}
    found = calibrated(data, asked, design=design, **options)
    null = resample_contrasts(data, design, asked, rng=np.random.default_rng(0), **options).null
    # P-values that may decide are told apart.
    assert null.tail(null.tail.highest) < 1e-6 < 0.2 < null.tail(null.tail.lowest)
    expected = calibrate(null.tail(null.exact(np.arange(60))), template="simes", alpha=0.1)
    assert found.calibration.lambda_ == pytest.approx(expected.lambda_, rel=1e-9)


def test_a_contrast_twice_has_the_pivots_of_once(data):
    """Each p-value occurs twice, among twice as many: Simes' template then has the same scale."""
    once = calibrated(data, {"a": contrast([1, 0])})
    twice = calibrated(data, {"a": contrast([1, 0]), "b": contrast([1, 0])})
    assert twice.calibration.lambda_ == pytest.approx(once.calibration.lambda_, rel=1e-9)


@pytest.mark.parametrize("p_values", ["parametric", "rank"])
@pytest.mark.parametrize("step_down", [False, True])
def test_each_contrast_has_its_own_elements(data, p_values, step_down):
    found = calibrated(
        data,
        {"mean": contrast([1, 0], columns=EVERY[:4]), "slope": contrast([0, 1])},
        p_values=p_values,
        step_down=step_down,
    )
    assert found.elements == {"mean": slice(0, 4), "slope": slice(4, 4 + M)}
    assert found.calibration.template.n_elements == 4 + M


def test_results_do_not_depend_on_the_number_of_processes(data):
    asked = {"mean": contrast([1, 0]), "slope": contrast([0, 1])}
    one, two = (calibrated(data, asked, workers=Workers(n)) for n in (1, 2))
    assert_array_equal(one.calibration.pivotal_statistics, two.calibration.pivotal_statistics)


def test_a_contrast_that_the_scheme_cannot_serve_is_named(data):
    with pytest.raises(ValueError, match=r"Contrast 'mean': scheme must be 'sign_flip'"):
        calibrated(
            data,
            {"slope": contrast([0, 1]), "mean": contrast([1, 0])},
            scheme="permutation",
        )
