"""Maps of p-values, in three notations."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from scipy.special import ndtri

from ari_estimator.inference._statistic import MINUS_LOG_P, Height, Statistic


class _PValues(Statistic):
    """Values that stand for p-values."""

    is_p = True
    why_one_sided: ClassVar[str | None] = "p-values are taken as they are, one-sided or two-sided"


def _with_two_digits(p_value: float) -> int:
    """Return the number of decimals at which a p-value has two significant digits."""
    return 1 - math.floor(math.log10(p_value))


class PValue(_PValues):
    """p-values as they are."""

    stat_type = "p"
    name = "p-value"
    symbol = "p"
    as_p = (0.0, 1.0)
    zero_is_strongest = True
    called = {"bids": "p", "declared": "p"}
    _highest = 1.0

    def p_values(self, values: np.ndarray) -> np.ndarray:
        return values

    def may_have_p_up_to(self, values: np.ndarray, level: float) -> None:
        """Return None: there is nothing to compute."""

    def at_p(self, p_value: float) -> float:
        return p_value

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        z = ndtri(values)
        return np.negative(z, out=z)

    def evidence(self, values: np.ndarray) -> np.ndarray:
        return np.negative(values)

    def evidence_of_threshold(self, threshold: float) -> float:
        return -threshold

    def threshold_of_evidence(self, evidence: Height) -> Height:
        return -evidence

    @property
    def side_of_threshold(self) -> str:
        return "below"

    def rounded(self, value: float) -> float:
        value = float(value)
        return round(value, _with_two_digits(value)) if value > 0 else value


class NegLog10P(_PValues):
    """``-log10`` of p-values; two-sided, with the sign of the effect."""

    stat_type = "neg_log10_p"
    name = "-log10 p"
    symbol = MINUS_LOG_P
    why_one_sided = None
    called = {"bids": "logp", "declared": "-log10 p"}
    _hint_on_range = " If their sign is the direction of the effect, set two_sided=True."

    def p_values(self, values: np.ndarray) -> np.ndarray:
        p = np.abs(values) if self.two_sided else np.negative(values)
        if self.two_sided:
            np.negative(p, out=p)
        return np.power(10.0, p, out=p)

    def at_p(self, p_value: float) -> float:
        return abs(math.log10(p_value))

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        z = self.p_values(values)
        if self.two_sided:
            z /= 2
        ndtri(z, out=z)
        return np.copysign(z, values, out=z) if self.two_sided else np.negative(z, out=z)


class OneMinusP(_PValues):
    """One minus a p-value, as FSL's randomise writes it."""

    stat_type = "one_minus_p"
    name = "1 - p"
    symbol = "1 \N{MINUS SIGN} p"
    as_p = (1.0, -1.0)
    called = {"bids": "1-p", "declared": "1 - p"}
    _highest = 1.0

    def p_values(self, values: np.ndarray) -> np.ndarray:
        return 1 - values

    def at_p(self, p_value: float) -> float:
        return 1 - p_value

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        # Without going through a p-value, which would round to 1 for very negative z values.
        return ndtri(values)

    def rounded(self, value: float) -> float:
        value = float(value)
        return round(value, _with_two_digits(1 - value)) if value < 1 else value
