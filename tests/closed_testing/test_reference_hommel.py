"""Numbers of the R package hommel on synthetic p-values.

A small file of them comes with the tests. The full file lies outside the repository, and
its comparison is skipped without it.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.closed_testing import Hommel

DATA = Path(__file__).parents[1] / "data"

ALPHAS = [0.01, 0.05, 0.1, 0.2]
TDPS = [0.0, 0.3, 0.7]

SOME_VECTORS = ["ties200", "zerosmix300", "ones_and_small30", "simesline100"]

# fmt: off
ALL_VECTORS = [
    "unif10", "unif100", "mix1000", "mix10000", "ties200", "ties1000", "zeros50",
    "zerosmix300", "allone20", "ones_and_small30", "below_tiny100", "above200", "n1_p003",
    "n1_p05", "n1_p0", "n1_p1", "n2eq", "n3", "simesline100", "eqalpha_mixed", "float32_500",
]
# fmt: on


@pytest.fixture(scope="module")
def some_reference():
    with np.load(DATA / "hommel.npz") as archive:
        yield dict(archive)


@pytest.fixture(scope="module")
def full_reference(shared_path):
    with np.load(shared_path("reference", "hommel.npz")) as archive:
        yield dict(archive)


def check(reference, vector, local_test):
    """Compare all that the reference has on one vector of p-values."""
    prefix = f"{vector}.{'simes1' if local_test == 'simes' else 'simes0'}."
    expected = {
        name.removeprefix(prefix): array
        for name, array in reference.items()
        if name.startswith(prefix)
    }
    p = reference[f"{vector}.p"]
    offsets = reference[f"{vector}.ix_offsets"]
    subsets = np.split(reference[f"{vector}.ix_flat"] - 1, offsets[1:-1])
    assert len(subsets) == 24
    hommel = Hommel(p, local_test)
    vectors = [hommel.critical_vector(alpha) for alpha in ALPHAS]
    concentration_sets = [hommel.concentration_set(alpha) for alpha in ALPHAS]

    # Doubles: the reference computes them in another order.
    close = {"rtol": 1e-13, "atol": 0}
    assert_allclose(hommel.factors, expected["simesfactor"][1:], **close)
    assert_allclose(hommel.jumps, expected["jumpalpha"][: p.size], **close)
    assert_allclose(hommel.adjusted_p_values, expected["adjusted"], **close)
    assert_allclose(
        [[hommel.set_p_value(subset, tdp) for tdp in TDPS] for subset in subsets],
        expected["localtest"],
        **close,
    )
    assert_allclose(
        [hommel.set_p_value(np.arange(p.size), tdp) for tdp in TDPS],
        expected["localtest_all"],
        **close,
    )

    # Counts, and p-values that are in the data: equal. NaN equals NaN here.
    assert_array_equal([hommel.value(alpha) for alpha in ALPHAS], expected["h"])
    assert_array_equal([hommel.true_discoveries(alpha) for alpha in ALPHAS], expected["disc_all"])
    assert_array_equal([found.size for found in concentration_sets], expected["conc_z"])
    assert_array_equal([found.p_threshold for found in concentration_sets], expected["conc_p"])
    assert_array_equal(
        [[vector.true_discoveries(p[subset]) for vector in vectors] for subset in subsets],
        expected["disc"],
    )
    curves = [
        np.stack([vector.confidence_curve(p, subset) for vector in vectors], axis=1)
        for subset in subsets
    ]
    assert_array_equal(np.concatenate(curves), expected["inc_flat"])


@pytest.mark.parametrize("local_test", ["simes", "hommel"])
@pytest.mark.parametrize("vector", SOME_VECTORS)
def test_some_vectors_agree_with_the_reference(some_reference, vector, local_test):
    check(some_reference, vector, local_test)


@pytest.mark.parametrize("local_test", ["simes", "hommel"])
@pytest.mark.parametrize("vector", ALL_VECTORS)
def test_every_vector_agrees_with_the_full_reference(full_reference, vector, local_test):
    check(full_reference, vector, local_test)


def test_no_vector_of_a_reference_is_left_out(some_reference):
    found = {name.removesuffix(".p") for name in some_reference if name.endswith(".p")}
    assert found == set(SOME_VECTORS)


def test_no_vector_of_the_full_reference_is_left_out(full_reference):
    found = {name.removesuffix(".p") for name in full_reference if name.endswith(".p")}
    assert found == set(ALL_VECTORS)
