"""The two local tests of All-Resolutions Inference, as one family.

Both reject the intersection of ``i`` hypotheses with sorted p-values
``p_(1) <= ... <= p_(i)`` at level alpha when ``s_i * p_(j) <= j * alpha`` for some
``j``. They differ only in the factor ``s_i``:

- Simes [1]_: ``s_i = i``. Valid for independent and for positively dependent
  (PRDS) p-values, the usual assumption for smooth one-sided brain maps.
- Hommel [2]_: ``s_i = i * (1 + 1/2 + ... + 1/i)``. Valid for any dependence.

References
----------
.. [1] Simes RJ (1986). An improved Bonferroni procedure for multiple tests of
   significance. Biometrika 73, 751-754.
.. [2] Hommel G (1983). Tests of the overall hypothesis for arbitrary dependence
   structures. Biometrical Journal 25, 423-430.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np
from scipy.special import digamma

LocalTest = Literal["simes", "hommel"]

LOCAL_TESTS: tuple[str, ...] = get_args(LocalTest)

# Name, sentence for a methods section, assumption and reference of each test.
IN_WORDS: dict[str, dict[str, Any]] = {
    "simes": {
        "name": "Simes tests",
        "sentence": (
            "Closed testing used the local test of Simes (1986), which is valid under positive "
            "dependence."
        ),
        "assumption": (
            "The bounds assume valid p-values that satisfy Simes' inequality, as they do under "
            "positive dependence (PRDS), which is commonly accepted for smooth brain maps."
        ),
        "references": [
            "Simes RJ (1986). An improved Bonferroni procedure for multiple tests of "
            "significance. Biometrika 73, 751-754."
        ],
    },
    "hommel": {
        "name": "Hommel tests, for any dependence",
        "sentence": (
            "Closed testing used the local test of Hommel (1983), which is valid under any "
            "dependence."
        ),
        "assumption": (
            "The bounds assume valid p-values. They make no assumption about the dependence "
            "between elements."
        ),
        "references": [
            "Hommel G (1983). Tests of the overall hypothesis for arbitrary dependence "
            "structures. Biometrical Journal 25, 423-430."
        ],
    },
}

# Up to this size, the harmonic number is summed as a fraction. Beyond it, the reduced
# numerator has so many digits (41 at i = 100) that no p-value on a grid can tie with it.
_LARGEST_EXACT_HARMONIC = 100


def check_local_test(local_test: str) -> None:
    """Raise a ValueError unless the local test is known."""
    if local_test not in LOCAL_TESTS:
        raise ValueError(f"local_test must be one of {list(LOCAL_TESTS)}. Got {local_test!r}.")


def simes_factors(n_elements: int, local_test: LocalTest) -> np.ndarray:
    """Return the factors ``s_1, ..., s_n``.

    Parameters
    ----------
    n_elements : int
        ``n``.

    local_test : {"simes", "hommel"}
        The local test.

    Returns
    -------
    factors : ndarray of shape (n_elements,)
        Increasing.
    """
    sizes = np.arange(1, n_elements + 1, dtype=float)
    if local_test == "simes":
        return sizes
    return sizes * (digamma(sizes + 1) + np.euler_gamma)


def exact_mean_factor(size: int, local_test: LocalTest) -> Fraction:
    """Return ``s_i / i`` of one size ``i`` as a fraction: 1, or the harmonic number.

    Parameters
    ----------
    size : int
        ``i``, at least 1.

    local_test : {"simes", "hommel"}
        The local test.

    Returns
    -------
    factor : fractions.Fraction
        Exact for Simes, and for Hommel up to size 100; the nearest double beyond.
    """
    if local_test == "simes":
        return Fraction(1)
    if size <= _LARGEST_EXACT_HARMONIC:
        return sum((Fraction(1, j) for j in range(1, size + 1)), start=Fraction(0))
    return Fraction(float(digamma(size + 1.0) + np.euler_gamma))
