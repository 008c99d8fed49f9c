"""What a simultaneous test of all sets of hypotheses can be asked for."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._critical_vector import CriticalVector


class SimultaneousTest(Protocol):
    """Bounds and p-values that hold for all sets of hypotheses at once.

    See Also
    --------
    Hommel : By closed testing with a parametric local test.
    CalibratedTest : By a critical vector that is calibrated by permutations.
    """

    @property
    def p_values(self) -> np.ndarray:
        """P-values of the hypotheses, of shape (n_hypotheses,)."""

    @property
    def n_hypotheses(self) -> int:
        """Number of hypotheses."""

    def critical_vector(self, alpha: float = 0.05) -> CriticalVector:
        """Return the critical vector that the bounds of all sets are computed from."""

    def set_p_value(self, subset: ArrayLike, tdp: float = 0.0) -> float:
        """Return the smallest alpha at which a set's proportion is above ``tdp``."""

    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets of a labelling; NaN without members."""
