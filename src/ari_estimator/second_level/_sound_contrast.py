"""nilearn's contrast, with a statistic of 0 where data are constant, and of data of any scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from nilearn.glm.contrasts import Contrast

# nilearn takes smaller variances for this. Its own number, 1e-50, is above the variance of data
# below 1e-25, such as the power of magnetic fields in T²/Hz.
_LEAST_VARIANCE = float(np.finfo(float).tiny)


class SoundContrast(Contrast):
    """A contrast of nilearn whose statistic is 0 where data are constant.

    There, the residual variance is only rounding. nilearn divides by it and gets a huge statistic.

    Parameters
    ----------
    contrast : nilearn.glm.Contrast
        The contrast.

    is_constant : ndarray of bool of shape (n_elements,)
        Whether data are constant, given the design.
    """

    def __init__(self, contrast: Contrast, is_constant: np.ndarray) -> None:
        super().__init__(
            contrast.effect,
            contrast.variance,
            dim=contrast.dim,
            dof=contrast.dof,
            stat_type=contrast.stat_type,
            tiny=_LEAST_VARIANCE,
        )
        self._is_constant = is_constant

    def stat(self, baseline: float = 0.0) -> np.ndarray:
        """Return t or F; 0 where data are constant."""
        with np.errstate(over="ignore"):
            self.stat_: Any = self._with(0.0, super().stat(baseline))
        return self.stat_

    def p_value(self, baseline: float = 0.0) -> np.ndarray:
        """Return p-values, one-sided for t; 1 where data are constant."""
        self.p_value_: Any = self._with(1.0, super().p_value(baseline))
        return self.p_value_

    def z_score(self, baseline: float = 0.0) -> np.ndarray:
        """Return z values with the same one-sided p-values; 0 where data are constant."""
        self.z_score_: Any = self._with(0.0, super().z_score(baseline))
        return self.z_score_

    def _with(self, value: float, values: np.ndarray) -> np.ndarray:
        if self._is_constant.any():
            values = np.where(self._is_constant, value, values)
        return values
