"""Numbers of the R package pARI on synthetic data.

Its parameters and critical vectors are right for Simes' template, with any shift, and for the
beta template without. It compares with ``p <= t``, by which one permutation more than alpha
allows for may be beyond, and which is left out of the comparison. The file lies outside of the
repository, and the comparison is skipped without it.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import calibrate

FAMILIES = [("simes", 0), ("simes", 8), ("beta", 0)]


@pytest.fixture(scope="module")
def reference(shared_path):
    with np.load(shared_path("reference", "pari.npz")) as archive:
        yield dict(archive)


def index_sets(reference):
    offsets = reference["ix_offsets"]
    return np.split(reference["ix_flat"] - 1, offsets[1:-1])


def share_beyond(p_values, thresholds):
    """Return the share of permutations with a sorted p-value that meets its threshold."""
    return (np.sort(p_values, axis=1)[:, : thresholds.size] <= thresholds).any(axis=1).mean()


@pytest.mark.parametrize("alpha", [0.05, 0.1])
@pytest.mark.parametrize(("name", "delta"), FAMILIES)
@pytest.mark.parametrize("alternative", ["two.sided", "greater"])
def test_calibration_agrees_with_the_reference(reference, alternative, name, delta, alpha):
    prefix = f"{alternative}.{name}.delta{delta}.alpha{alpha}."
    p_values = reference[f"P_{alternative}"].T
    calibration = calibrate(p_values, alpha, template=name, delta=delta)
    # The scale of Simes' template is in units of alpha there, and the level of the beta
    # template is not on the scale of logarithms.
    scale = alpha if name == "simes" else 1
    expected = scale * reference[prefix + "lambda"][0]
    lambda_ = np.exp(calibration.lambda_) if name == "beta" else calibration.lambda_
    assert_allclose(lambda_, expected, rtol=1e-12)

    thresholds = calibration.critical_vector.thresholds
    assert_array_equal(thresholds[:delta], -1)
    # Ours are lower by one part in ten billion, which leaves room for rounding.
    lowered = reference[prefix + "cv"][delta:] / (1 + 1e-10)
    assert_allclose(thresholds[delta:], lowered, rtol=1e-11)
    assert share_beyond(p_values, thresholds) == calibration.joint_error_rate() <= alpha

    observed = p_values[0]
    found = [
        calibration.critical_vector.true_discoveries(observed[members])
        for members in index_sets(reference)
    ]
    # No observed p-value is on a threshold, where the comparison would matter.
    assert not np.isin(observed, reference[prefix + "cv"]).any()
    assert_array_equal(found, reference[prefix + "discoveries"])


@pytest.mark.parametrize("alternative", ["two.sided", "greater"])
@pytest.mark.parametrize("name", ["simes", "aorc", "beta", "higher_criticism", "power"])
@pytest.mark.parametrize("delta", [0, 8])
def test_no_template_lets_more_permutations_beyond_than_alpha(reference, alternative, name, delta):
    p_values = reference[f"P_{alternative}"].T
    for alpha in (0.05, 0.1):
        for k_max in (None, 100):
            calibration = calibrate(p_values, alpha, template=name, delta=delta, k_max=k_max)
            thresholds = calibration.critical_vector.thresholds
            assert share_beyond(p_values, thresholds) == alpha
