"""The statistic of a map, and its p-values.

A map may hold z, t, F or chi-squared statistics, or p-values in one of three notations. A
:class:`Statistic` provides everything that depends on this choice: p-values to test, evidence to
threshold, and words for tables, figures and files.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from ari_estimator.closed_testing._two_sided import TwoSided

Height = TypeVar("Height", float, np.ndarray)

StatType = Literal["z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"]

# What a map is taken for, and what contrasts of a model are.
DEFAULT_STAT_TYPE: StatType = "z"

# The table of statistics, by name. Each class adds itself.
STATISTICS: dict[str, type[Statistic]] = {}

MINUS_LOG_P = "\N{MINUS SIGN}log10 p"

# At a higher level, most p-values are needed.
_HIGHEST_PARTIAL_LEVEL = 0.5

# How far below the value with a p-value the values are that are left out, relative to 1 or to it.
# Inverse distribution functions are more accurate than that.
_MARGIN = 1e-3

# -log10 of the smallest p-value that is a normal floating-point number.
_STRONGEST = 308.0


@dataclass(frozen=True)
class Statistic(ABC):
    """The statistic of a map.

    Each subclass is one statistic. The methods take the values of the tested elements, a float64
    array of shape (n_tested,) without NaN, and do not change it.

    Attributes
    ----------
    df : tuple of float
        Degrees of freedom: one for t and chi2, two for F (numerator, denominator), none
        otherwise.

    two_sided : bool or "directional"
        Whether to test both directions. "directional" tests each of them with its own bounds. Only
        for statistics with a sign.

    has_direction : bool
        False for z values of an F or chi-squared test, where a large z shows an effect without a
        direction.

    stat_type : str
        Name of the statistic in the parameter ``stat_type``.

    name : str
        Name of the statistic in a sentence.

    symbol : str
        Name of the statistic on a page or an axis.

    wanted_df : str or None
        Required value of ``df``, in words; None if there are no degrees of freedom.

    n_df : int
        Number of degrees of freedom: 0, 1 or 2.

    last_df_may_be_infinite : bool
        Whether the last number may be infinite, which means that the variance is known.

    df_may_vary : bool
        Whether degrees of freedom may differ between elements.

    why_one_sided : str or None
        Reason why the statistic cannot be two-sided; None if it can.

    is_p : bool
        Whether the values represent p-values. Then no value means "not tested".

    is_signed : bool
        Whether the sign of a value is the direction of the effect, even if the test is one-sided.

    as_p : tuple of (float, float) or None
        Offset and factor that turn a value into a p-value, if p-values are linear in the values.
        Figures show such a map as ``-log10 p``, because small p-values are hard to see.

    zero_is_strongest : bool
        Whether a value of 0 is the strongest evidence. Then a background of zeros is an error.

    called : mapping of str to str
        Names of the statistic in files, by program: "bids", "nifti", "spm", "fsl".

    See Also
    --------
    make_statistic : Returns the statistic with a given name.

    Notes
    -----
    The one-sided p-value of z and t is the upper tail: large positive values are evidence, and
    negative values are not. The two-sided p-value is twice the tail beyond the absolute value. The
    p-value of F and chi-squared is the upper tail, which covers all directions of an effect. Each
    tail is computed directly and not as one minus the rest, so small p-values keep their digits.

    P-values must be uncorrected for multiple testing. They are tested as they are, whether they
    were computed one-sided or two-sided. ``neg_log10_p`` with ``two_sided`` is ``-log10`` of
    two-sided p-values with the sign of the effect, as in the sig maps of FreeSurfer. These p-values
    are not doubled, and the sign is the direction.

    ``1 - p`` loses the digits of small p-values: in single precision, all p-values below 3e-8
    become 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.inference import make_statistic
    >>> make_statistic("t", 23, two_sided=True).p_values(np.array([-2.07, 0.0])).round(3)
    array([0.05, 1.  ])
    """

    df: tuple[float, ...] = ()
    two_sided: TwoSided = False
    has_direction: bool = field(default=True, repr=False)

    stat_type: ClassVar[str]
    name: ClassVar[str]
    symbol: ClassVar[str]
    wanted_df: ClassVar[str | None] = None
    n_df: ClassVar[int] = 0
    last_df_may_be_infinite: ClassVar[bool] = False
    df_may_vary: ClassVar[bool] = False
    why_one_sided: ClassVar[str | None] = None
    is_p: ClassVar[bool] = False
    is_signed: ClassVar[bool] = False
    as_p: ClassVar[tuple[float, float] | None] = None
    zero_is_strongest: ClassVar[bool] = False
    called: ClassVar[Mapping[str, str]] = {}

    # Range of one-sided values, and of thresholds on the scale of the map.
    _lowest: ClassVar[float] = 0.0
    _highest: ClassVar[float] = math.inf
    _hint_on_range: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if "stat_type" in vars(cls):
            STATISTICS[cls.stat_type] = cls

    @property
    def direction(self) -> str:
        """Direction of the effects that the test looks for: "positive", "both" or "unsigned".

        Sets have this direction too, unless they consist of positive or negative values only.
        """
        return "both" if self.two_sided else "unsigned"

    def of_f(self) -> Statistic:
        """Return the statistic for a map whose values represent an F test.

        Returns
        -------
        statistic : Statistic
            The same statistic, without a direction.

        Raises
        ------
        ValueError
            If the statistic is two-sided.
        """
        if self.two_sided:
            raise ValueError(
                f"'two_sided' must be False for {self.name} values of an F test, which has no "
                f"sign: a negative {self.name} only says that the effect is smaller than expected "
                f"by chance. Got {self.two_sided!r}."
            )
        return replace(self, has_direction=False)

    @property
    def given_df(self) -> Any:
        """Degrees of freedom as in the parameter ``df``: None, one number or two numbers."""
        return self.df[0] if len(self.df) == 1 else self.df or None

    @property
    def symbol_as_drawn(self) -> str:
        """Name of the values that figures and pages draw."""
        return self.symbol if self.as_p is None else MINUS_LOG_P

    def check_values(self, values: np.ndarray) -> None:
        """Raise a ValueError if the statistic cannot have some of the values."""
        if self.two_sided or not values.size:
            return
        low, high = values.min(), values.max()
        if low >= self._lowest and high <= self._highest:
            return
        raise ValueError(
            f"A map of stat_type={self.stat_type!r} cannot have values "
            f"{'below 0' if np.isinf(self._highest) else 'outside [0, 1]'}. "
            f"Got values from {low} to {high}.{self._hint_on_range}"
        )

    def check_thresholds(self, thresholds: tuple[float, ...], given: object) -> None:
        """Check thresholds on the scale of the map.

        Parameters
        ----------
        thresholds : tuple of float
            The thresholds.

        given : object
            The threshold as given by the user, for messages.

        Raises
        ------
        ValueError
            If one of them is NaN, infinite, negative or, for p and one_minus_p, above 1.
        """
        if all(0 <= t <= self._highest and t < np.inf for t in thresholds):
            return
        if np.inf in thresholds and not np.isfinite(self._highest):
            raise ValueError(
                "'threshold' must be finite, because no value exceeds infinity. "
                f"Got: 'threshold={given}'."
            )
        if np.isfinite(self._highest):
            raise ValueError(
                "'threshold' must lie between 0 and 1, as the values of a map of "
                f"stat_type={self.stat_type!r} do. Got: 'threshold={given}'."
            )
        hint = self._hint_on_sign if any(t < 0 for t in thresholds) else ""
        # nilearn's words, which users may test for.
        raise ValueError(
            "'threshold' cannot be negative or contain negative values, or NaN. "
            f"Got: 'threshold={given}'.{hint}"
        )

    @property
    def _hint_on_sign(self) -> str:
        """What to do in place of a negative threshold."""
        if self.two_sided:
            return " Give its absolute value: a two-sided test applies it to both signs."
        if self.why_one_sided is None:
            return " To test negative values too, set two_sided=True and a positive threshold."
        return " Give a positive threshold."

    @abstractmethod
    def p_values(self, values: np.ndarray) -> np.ndarray:
        """Return the p-values of the values of a map.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values that pass ``check_values``.

        Returns
        -------
        p_values : ndarray of shape (n_tested,)
            P-values in [0, 1] without NaN. This is the array ``values`` itself if it holds
            p-values.

        Notes
        -----
        Relative errors stay below 1e-12 down to p-values of 1e-300, with negligible exceptions.
        For t with one degree of freedom, the error is 4e-9 next to p = 0.5. For F with more than
        1e3 degrees of freedom, it is 1e-9 up to 1e6 of them, 1e-6 up to 1e10 (both only with old
        releases of scipy), and 1e-4 beyond.
        """

    def may_have_p_up_to(self, values: np.ndarray, level: float) -> np.ndarray | None:
        """Return the elements whose p-values may be up to a level, without p-values.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values that pass ``check_values``.

        level : float
            The level.

        Returns
        -------
        elements : ndarray of int of shape (n_strong,), or None
            The elements; all others have larger p-values. None if this is not known, or would
            leave out too few.
        """
        if not 0 < level < _HIGHEST_PARTIAL_LEVEL:
            return None
        height = self.at_p(level)
        height -= _MARGIN * max(1, abs(height))
        # Weaker values have higher p-values than this one, unless it could not be found.
        if not self.p_values(np.array([height]))[0] > level:
            return None
        return np.flatnonzero(self.evidence(values) >= height)

    @abstractmethod
    def at_p(self, p_value: float) -> float:
        """Return the value of the map with a given p-value; the absolute value if two-sided."""

    @abstractmethod
    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        """Return z values that are as extreme as the values of the map.

        If the map is pure noise, these z values are standard normal. This reveals whether a map was
        thresholded.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values of a map.

        Returns
        -------
        z : ndarray of shape (n_tested,)
            Z values with the same upper tail, and with the sign of the values if they have one.
            They are +inf where the tail is 0 and -inf where it is 1. For z, this is the array
            ``values`` itself.
        """

    def evidence(self, values: np.ndarray) -> np.ndarray:
        """Return the evidence to threshold; larger values are stronger.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values of a map.

        Returns
        -------
        evidence : ndarray of shape (n_tested,)
            The values, negated for p-values, absolute if two-sided. This is the array ``values``
            itself if nothing changes.
        """
        return np.abs(values) if self.two_sided else values

    def evidence_of_threshold(self, threshold: float) -> float:
        """Convert a threshold on the map to a threshold on the evidence.

        Parameters
        ----------
        threshold : float
            The threshold, on the scale of the map.

        Returns
        -------
        threshold : float
            The threshold, on the scale of the evidence.
        """
        return threshold

    def threshold_of_evidence(self, evidence: Height) -> Height:
        """Convert thresholds on the evidence to thresholds on the map.

        Parameters
        ----------
        evidence : float or ndarray
            One or more thresholds, on the scale of the evidence.

        Returns
        -------
        thresholds : float or ndarray
            The thresholds, on the scale of the map.
        """
        return evidence

    @property
    def side_of_threshold(self) -> str:
        """Side of the threshold on which clusters lie, as in "voxels above 3.1"."""
        return "with absolute values above" if self.two_sided else "above"

    def drawn(self, values: np.ndarray) -> np.ndarray:
        """Return values as drawn in figures.

        Parameters
        ----------
        values : ndarray
            Values of the map, or thresholds on its scale.

        Returns
        -------
        drawn : ndarray
            The values; ``-log10 p`` for maps of p-values.
        """
        if self.as_p is None:
            return values
        offset, factor = self.as_p
        with np.errstate(divide="ignore"):
            return np.minimum(-np.log10(offset + factor * values), _STRONGEST)

    def rounded(self, value: float) -> float:
        """Return a value of the map rounded for tables.

        Parameters
        ----------
        value : float
            The value.

        Returns
        -------
        rounded : float
            The value with 2 decimals; p-values with 2 significant digits.
        """
        return round(float(value), 2) + 0.0  # which turns -0 into 0
