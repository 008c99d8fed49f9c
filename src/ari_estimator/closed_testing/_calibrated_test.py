"""Bounds and p-values of sets from a critical vector that is calibrated by permutations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._checks import check_p_values
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._critical_vector_test import (
    CriticalVectorBounds,
    CriticalVectorTest,
)
from ari_estimator.closed_testing._scheme_assumption import assumption_of_scheme
from ari_estimator.closed_testing._split_calibration import (
    SplitCalibration,
    calibration_from_arrays,
)
from ari_estimator.files._stored_array import stored_array


class CalibratedTest(CriticalVectorTest):
    """Test of all sets of elements by a template that is calibrated by permutations.

    It has the same methods as :class:`Hommel`.

    Parameters
    ----------
    p_values : array-like of shape (n_elements,)
        P-values of the data as observed, in any order.

    calibration : Calibration or SplitCalibration
        The calibration. Its first permutation is the data as observed.

    scheme : str or None, default=None
        How the data were permuted, in words, where that is known.

    seed : int or None, default=None
        Seed of the permutations, where that is known.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        The p-values.

    calibration : Calibration or SplitCalibration
        The calibration.

    scheme : str or None
        How the data were permuted.

    seed : int or None
        Seed of the permutations.

    Raises
    ------
    ValueError
        If the p-values are not one-dimensional, hold NaN or lie outside [0, 1], or are not as
        many as the template is for.

    Notes
    -----
    The bound of a set with sorted p-values ``q_(1) <= ... <= q_(n)`` exceeds ``k`` exactly if
    ``q_(k+u)`` is below the threshold ``t_u(lambda)`` for some ``u >= 1``, that is, if

        lambda_S = min_u t_u^-1(q_(k+u)) < lambda(alpha).

    As ``lambda(alpha)`` is the ``floor(alpha B) + 1``-th smallest of the pivotal statistics,
    this holds exactly if at most ``alpha B`` of them are at most ``lambda_S``. The p-value of the
    set is the smallest alpha for which this holds: the share of pivotal statistics that are at
    most ``lambda_S``. It is never below ``1 / B``, since the data as observed count. Like the
    bounds, it is adjusted for all sets and all ``k`` at once.

    Step-down depends on alpha. Therefore the p-values of sets come from the first step alone. They
    are valid, but may be larger than p-values with step-down would be.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import CalibratedTest, calibrate
    >>> p_values = np.random.default_rng(0).random((100, 500))
    >>> p_values[0, :50] *= 1e-5
    >>> test = CalibratedTest(p_values[0], calibrate(p_values))
    >>> test.set_p_value(np.arange(60))
    0.01
    >>> test.set_p_values_by_label(np.arange(500) // 100)
    array([0.01, 1.  , 0.16, 1.  , 1.  ])
    """

    kind = "calibrated"
    calibration: Calibration | SplitCalibration

    def __init__(
        self,
        p_values: ArrayLike,
        calibration: Calibration | SplitCalibration,
        *,
        scheme: str | None = None,
        seed: int | None = None,
    ) -> None:
        self.p_values = check_p_values(p_values).copy()
        self.calibration = calibration
        self.scheme = scheme
        self.seed = seed
        if self.p_values.size != calibration.n_elements:
            raise ValueError(
                f"p_values must be {calibration.n_elements} numbers, as many as there "
                f"are elements in the calibration. Got {self.p_values.size}."
            )

    def __repr__(self) -> str:
        return f"CalibratedTest({self.calibration!r})"

    def critical_vector(self, alpha: float = 0.05) -> CriticalVector:
        """Return the critical vector that the bounds of all sets are computed from.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level, at least ``1 / n_permutations``; after step-down, the level of the
            calibration.

        Returns
        -------
        critical_vector : CriticalVector
            The critical vector.

        Raises
        ------
        ValueError
            If alpha is another level after step-down, or below ``1 / n_permutations``.
        """
        return self.calibration.at(alpha).critical_vector

    def monte_carlo_bounds(
        self, alpha: float = 0.05
    ) -> tuple[CriticalVectorBounds, CriticalVectorBounds] | None:
        """Return the bounds at the ends of the interval for lambda.

        See :meth:`SimultaneousTest.monte_carlo_bounds`.
        """
        calibration = self.calibration.at(alpha)
        if calibration.is_exhaustive:
            return None
        vector_at: Any = calibration.at_lambda
        low, high = (
            CriticalVectorBounds(self.p_values, vector_at(end))
            for end in calibration.lambda_interval()
        )
        return low, high

    def _significance(self, u: np.ndarray, q: np.ndarray) -> np.ndarray:
        return self.calibration._significance(u, q)

    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        return self.calibration._p_values_of(significances)

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        calibration = self.calibration.at(alpha)
        by = "" if self.scheme is None else f" ({self.scheme})"
        values, sentence, references = calibration._described()
        return {
            "kind": self.kind,
            "name": "bounds calibrated by permutations",
            "sentence": (
                f"{sentence} It was calibrated by {calibration.n_permutations:,} "
                f"permutations of the subjects{by}, including the data as observed. "
                f"{_certainty(calibration)}"
            ),
            "assumption": assumption_of_scheme(self.scheme),
            "references": references,
            "values": {
                **values,
                "NumberOfPermutations": calibration.n_permutations,
                "Scheme": self.scheme,
                "Seed": self.seed,
            },
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return p-values and calibration, see :meth:`SimultaneousTest.to_arrays`."""
        known = {name: getattr(self, name) for name in ("scheme", "seed")}
        return {
            "p_values": self.p_values,
            **{name: value for name, value in known.items() if value is not None},
            **{f"calibration_{k}": value for k, value in self.calibration.to_arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray) -> CalibratedTest:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        prefix = "calibration_"
        parts = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        return cls(
            stored_array(arrays, "p_values", "f", (None,)),
            calibration_from_arrays(parts),
            scheme=stored_array(arrays, "scheme", "U").item() if "scheme" in arrays else None,
            seed=stored_array(arrays, "seed", "iu").item() if "seed" in arrays else None,
        )


def _certainty(calibration: Calibration | SplitCalibration) -> str:
    """Describe the Monte Carlo error of lambda."""
    if calibration.is_exhaustive:
        return "These are all permutations, so that lambda has no Monte Carlo error."
    parts = calibration.parts
    ends = [part.lambda_interval() for part in parts]
    lambdas = " and ".join(f"{part.lambda_:.3g}" for part in parts)
    intervals = " and ".join(f"{low:.3g} to {high:.3g}" for low, high in ends)
    other = "another one" if len(parts) == 1 else "other ones"
    return (
        f"Lambda is {lambdas}. Another seed would give {other}: the 95 % Monte "
        f"Carlo interval is {intervals}."
    )
