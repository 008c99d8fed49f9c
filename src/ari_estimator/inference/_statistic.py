"""What the values of a statistical map are, and the p-values they stand for.

A map may hold z, t, F or chi-squared statistics, or p-values in one of three notations. A
:class:`Statistic` knows all that depends on it: p-values to test, evidence that grows with the
effect to threshold, and words for tables, figures and files.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

Height = TypeVar("Height", float, np.ndarray)

StatType = Literal["z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"]

# What a map is taken for, and what contrasts of a model are.
DEFAULT_STAT_TYPE: StatType = "z"

# The table of statistics, by name. Each class puts itself in.
STATISTICS: dict[str, type[Statistic]] = {}

MINUS_LOG_P = "\N{MINUS SIGN}log10 p"

# -log10 of the smallest p-value that there is as a normal number.
_STRONGEST = 308.0


@dataclass(frozen=True)
class Statistic(ABC):
    """What the values of a map are.

    A subclass is one statistic. The methods take the values of the tested elements: a float64
    array of shape (n_tested,) without NaN, which they leave as it is.

    Attributes
    ----------
    df : tuple of float
        Degrees of freedom: one for t and chi2, two for F (numerator, denominator), none
        otherwise.

    two_sided : bool
        Whether deviations in both directions count. Only for statistics with a sign.

    stat_type : str
        Its name, as the parameter ``stat_type`` has it.

    name : str
        Its name in a sentence.

    symbol : str
        Its name on a page or an axis.

    wanted_df : str or None
        What ``df`` must be; None if there are no degrees of freedom.

    n_df : int
        How many degrees of freedom there are.

    last_df_may_be_infinite : bool
        Whether the last of them may be infinite, which means that the variance is known.

    df_may_vary : bool
        Whether each element may have degrees of freedom of its own.

    why_one_sided : str or None
        Why there are no two sides; None if there are.

    is_p : bool
        Whether the values stand for p-values, so that no value says that nothing was tested.

    is_signed : bool
        Whether the sign of a value is the direction of its effect, even one-sided.

    as_p : tuple of (float, float) or None
        Offset and factor that turn a value into a p-value, where p-values are one line of the
        values. Such a map is drawn as ``-log10 p``, because strong p-values are hard to see.

    zero_is_strongest : bool
        Whether a value of 0 is the strongest evidence, so that a background of zeros is a fault.

    called : mapping of str to str
        What files of programs call it, by program: "bids", "nifti", "spm", "fsl".

    See Also
    --------
    make_statistic : The statistic of a name.

    Notes
    -----
    One-sided, the p-value of z and t is the upper tail: large positive values are evidence,
    negative ones are not. Two-sided, it is twice the tail beyond the absolute value. F and
    chi-squared have their upper tail, which covers all directions of an effect. Each tail is
    computed directly, not as one minus the rest, so that small p-values keep their digits.

    P-values must not be corrected for multiple testing. Only the person who computed them knows
    whether they are one-sided or two-sided; they are tested as they are. ``neg_log10_p`` with
    ``two_sided`` is ``-log10`` of two-sided p-values with the sign of the effect, as in the sig
    maps of FreeSurfer: nothing is doubled, and the sign is the direction.

    ``1 - p`` has lost the digits of small p-values: in single precision, all below 3e-8 are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.inference import make_statistic
    >>> make_statistic("t", 23, two_sided=True).p_values(np.array([-2.07, 0.0])).round(3)
    array([0.05, 1.  ])
    """

    df: tuple[float, ...] = ()
    two_sided: bool = False

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

    # The range of one-sided values, and of thresholds on the scale of the map.
    _lowest: ClassVar[float] = 0.0
    _highest: ClassVar[float] = math.inf
    _hint_on_range: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if "stat_type" in vars(cls):
            STATISTICS[cls.stat_type] = cls

    @property
    def direction(self) -> str:
        """Direction of the effects that the test looks for: "positive", "both" or "unsigned".

        A set has this direction, too, unless it was made of positive or of negative values alone.
        """
        return "both" if self.two_sided else "unsigned"

    @property
    def given_df(self) -> Any:
        """Degrees of freedom as the parameter ``df`` has them: None, a number, or two."""
        return self.df[0] if len(self.df) == 1 else self.df or None

    @property
    def symbol_as_drawn(self) -> str:
        """Name of what figures and pages draw."""
        return self.symbol if self.as_p is None else MINUS_LOG_P

    def check_values(self, values: np.ndarray) -> None:
        """Raise a ValueError if there are values that the statistic cannot have."""
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
            What the user gave as threshold, for messages.

        Raises
        ------
        ValueError
            If one of them is NaN, negative or, for p and one_minus_p, above 1.
        """
        if all(0 <= threshold <= self._highest for threshold in thresholds):
            return
        if np.isfinite(self._highest):
            raise ValueError(
                "'threshold' must lie between 0 and 1, as the values of a map of "
                f"stat_type={self.stat_type!r} do. Got: 'threshold={given}'."
            )
        # The words of nilearn, whose users may have tests of them.
        raise ValueError(
            "'threshold' cannot be negative or contain negative values, or NaN. "
            f"Got: 'threshold={given}'."
        )

    @abstractmethod
    def p_values(self, values: np.ndarray) -> np.ndarray:
        """Return the p-values of a map's values.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values that pass ``check_values``.

        Returns
        -------
        p_values : ndarray of shape (n_tested,)
            In [0, 1], never NaN. ``values`` itself if they are p-values.

        Notes
        -----
        Relative errors stay below 1e-12 down to p-values of 1e-300, with exceptions that are too
        small to matter: 4e-9 next to p = 0.5 for t with one degree of freedom; for F with more
        than 1e3 degrees of freedom 1e-9 up to 1e6 of them, 1e-6 up to 1e10 (both with old
        releases of scipy alone), and 1e-4 beyond.
        """

    @abstractmethod
    def at_p(self, p_value: float) -> float:
        """Return the value of the map that has a p-value, absolute if two-sided."""

    @abstractmethod
    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        """Return z values that are as extreme as the map's values.

        If nothing but noise is in the map, these are standard normal, which tells a map that was
        thresholded before from one that was not.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values of a map.

        Returns
        -------
        z : ndarray of shape (n_tested,)
            The z values with the same upper tail, and with the sign of the values where they have
            one. It is +inf where the tail is 0, and -inf where it is 1. ``values`` itself for z.
        """

    def evidence(self, values: np.ndarray) -> np.ndarray:
        """Return what is thresholded, and peaks: the larger, the stronger.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values of a map.

        Returns
        -------
        evidence : ndarray of shape (n_tested,)
            The values, negated if they are p-values, absolute if two-sided. ``values`` itself
            where nothing changes.
        """
        return np.abs(values) if self.two_sided else values

    def evidence_of_threshold(self, threshold: float) -> float:
        """Return a threshold of the map as a threshold of the evidence.

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
        """Return thresholds of the evidence as thresholds of the map.

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
        """Side of a threshold on which clusters lie, as in "voxels above 3.1"."""
        return "with absolute values above" if self.two_sided else "above"

    def drawn(self, values: np.ndarray) -> np.ndarray:
        """Return values as figures draw them.

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
        """Return a value of the map with the digits that a table shows.

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
