"""What the values of a statistical map are, and the p-values they stand for.

A map may hold z, t, F or chi-squared statistics, or p-values in one of three notations. What
follows needs p-values to test, evidence that grows with the effect to threshold, and a sign to
tell positive from negative deviations: a :class:`Statistic` gives all three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from scipy.special import (
    betainccinv,
    betaincinv,
    chdtrc,
    chdtri,
    fdtrc,
    ndtr,
    ndtri,
    stdtr,
    stdtrit,
)

Height = TypeVar("Height", float, np.ndarray)

StatType = Literal["z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"]

STAT_TYPES: tuple[str, ...] = get_args(StatType)

# What df is, where there is one.
_DF = {
    "t": "one number, the degrees of freedom",
    "chi2": "one number, the degrees of freedom",
    "F": "two numbers, the degrees of freedom of the numerator and of the denominator",
}

# Why there are no two sides.
_UNSIGNED = {
    "F": "F and chi2 have no sign",
    "chi2": "F and chi2 have no sign",
    "p": "p-values are taken as they are, one-sided or two-sided",
    "one_minus_p": "p-values are taken as they are, one-sided or two-sided",
}

# The square of t, which stdtr takes, overflows somewhat beyond.
_FAR_T = 1e100

# Beyond, there is next to no change; fdtrc of the oldest supported scipy returns noise, or NaN.
_LARGEST_F_DF = 1e10


@dataclass(frozen=True)
class Statistic:
    """What the values of a map are.

    The methods take the values of the tested voxels: a float64 array of shape (n_tested,)
    without NaN, which they leave as it is.

    Attributes
    ----------
    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"}
        The statistic; or p-values, ``-log10(p)``, or ``1 - p``.

    df : tuple of float
        Degrees of freedom: one for t and chi2, two for F (numerator, denominator), none
        otherwise.

    two_sided : bool
        Whether deviations in both directions count. For z, t and neg_log10_p alone.

    Notes
    -----
    One-sided, the p-value of z and t is that of the upper tail: large positive values are
    evidence, negative ones are not. Two-sided, it is twice the tail beyond the absolute value.
    F and chi-squared have their upper tail, which covers all directions of an effect. All tails
    are computed as such, not as one minus the rest, so that small p-values keep their digits.

    P-values must not be corrected for multiple testing. Whether they are one-sided or
    two-sided is for whoever computed them to know; they are tested as they are.
    neg_log10_p with ``two_sided`` is ``-log10`` of two-sided p-values with the sign of the
    effect, as in the sig maps of FreeSurfer: nothing is doubled, and the sign is the direction.

    ``1 - p`` has lost the digits of small p-values: in single precision, all below 3e-8 are 0.
    """

    stat_type: StatType = "z"
    df: tuple[float, ...] = ()
    two_sided: bool = False

    @property
    def is_p(self) -> bool:
        """Whether values stand for p-values: there is none that says that nothing was tested."""
        return self.stat_type in ("p", "neg_log10_p", "one_minus_p")

    @property
    def direction(self) -> str:
        """Which deviations a set that was not formed by their sign is of."""
        if self.two_sided:
            return "both"
        return "positive" if self.stat_type in ("z", "t") else "unsigned"

    @property
    def directions(self) -> tuple[int, ...]:
        """Signs of the deviations that are looked for."""
        return (1, -1) if self.two_sided else (1,)

    def check_values(self, values: np.ndarray) -> None:
        """Raise a ValueError if there are values that the statistic cannot have."""
        if self.stat_type in ("z", "t") or self.two_sided or not values.size:
            return
        low, high = values.min(), values.max()
        highest = 1.0 if self.stat_type in ("p", "one_minus_p") else np.inf
        if low >= 0 and high <= highest:
            return
        hint = ""
        if self.stat_type == "neg_log10_p":
            hint = " If their sign is the direction of the effect, set two_sided=True."
        raise ValueError(
            f"A map of stat_type={self.stat_type!r} cannot have values "
            f"{'below 0' if np.isinf(highest) else 'outside [0, 1]'}. "
            f"Got values from {low} to {high}.{hint}"
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
        if self.stat_type in ("p", "one_minus_p"):
            if not all(0 <= threshold <= 1 for threshold in thresholds):
                raise ValueError(
                    "'threshold' must lie between 0 and 1, as the values of a map of "
                    f"stat_type={self.stat_type!r} do. Got: 'threshold={given}'."
                )
        elif not all(threshold >= 0 for threshold in thresholds):
            # The words of nilearn, whose users may have tests of them.
            raise ValueError(
                "'threshold' cannot be negative or contain negative values, or NaN. "
                f"Got: 'threshold={given}'."
            )

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
        if self.stat_type == "p":
            return values
        if self.stat_type == "one_minus_p":
            return 1 - values
        if self.stat_type == "chi2":
            return chdtrc(self.df[0], values)
        if self.stat_type == "F":
            p = fdtrc(min(self.df[0], _LARGEST_F_DF), min(self.df[1], _LARGEST_F_DF), values)
            return np.minimum(p, 1, out=p)
        # One array throughout: a map may have millions of voxels.
        p = np.abs(values) if self.two_sided else np.negative(values)
        if self.two_sided:
            np.negative(p, out=p)
        if self.stat_type == "neg_log10_p":
            return np.power(10.0, p, out=p)
        if self.stat_type == "t":
            _lower_tail_of_t(self.df[0], p)
        else:
            ndtr(p, out=p)
        if self.two_sided:
            p *= 2
        return np.minimum(p, 1, out=p)

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
        if self.stat_type == "p":
            return np.negative(values)
        return np.abs(values) if self.two_sided else values

    def evidence_of_threshold(self, threshold: float) -> float:
        """Return a threshold on the scale of the map as one on that of the evidence."""
        return -threshold if self.stat_type == "p" else threshold

    def threshold_of_evidence(self, evidence: Height) -> Height:
        """Return a threshold on the scale of the evidence, or several, as on that of the map."""
        return -evidence if self.stat_type == "p" else evidence

    def at_p(self, p_value: float) -> float:
        """Return the value of the map that has a p-value, absolute if two-sided."""
        if self.stat_type == "p":
            return p_value
        if self.stat_type == "one_minus_p":
            return 1 - p_value
        if self.stat_type == "neg_log10_p":
            return abs(math.log10(p_value))
        if self.stat_type == "chi2":
            return float(chdtri(self.df[0], p_value))
        if self.stat_type == "F":
            numerator, denominator = (min(df, _LARGEST_F_DF) for df in self.df)
            return _f_at_p(numerator, denominator, p_value)
        tail = p_value / len(self.directions)
        if tail in (0.5, 1):
            # Where old releases of scipy give a number next to 0, and NaN.
            return 0.0 if tail == 0.5 else -math.inf
        value = -ndtri(tail) if self.stat_type == "z" else -stdtrit(self.df[0], tail)
        return float(value) + 0.0  # which turns -0 into 0

    def one_sided_z(self, values: np.ndarray) -> np.ndarray:
        """Return z values that are as extreme as the map's values are.

        If nothing but noise is in the map, these are standard normal, so that a map that was
        thresholded before can be told from one that was not.

        Parameters
        ----------
        values : ndarray of shape (n_tested,)
            Values of a map.

        Returns
        -------
        z : ndarray of shape (n_tested,)
            z values with the same upper tail, and the sign of the values where they have one.
            +inf where that is 0, and -inf where it is 1. ``values`` itself for z.
        """
        if self.stat_type == "z":
            return values
        # No p-value in between: it would round to 1 where the z value is very negative.
        if self.stat_type == "one_minus_p":
            return ndtri(values)
        if self.stat_type == "t":
            # By symmetry, so that both tails keep their digits.
            z = np.abs(values)
            np.negative(z, out=z)
            _lower_tail_of_t(self.df[0], z)
        elif self.stat_type == "p":
            z = values.copy()
        else:
            z = self.p_values(values)
        is_signed = self.stat_type == "t" or self.two_sided
        if self.two_sided and self.stat_type == "neg_log10_p":
            z /= 2
        ndtri(z, out=z)
        return np.copysign(z, values, out=z) if is_signed else np.negative(z, out=z)


def _lower_tail_of_t(df: float, t: np.ndarray) -> None:
    """Overwrite t values by the probability of smaller ones."""
    far = np.flatnonzero(t < -_FAR_T)
    ratios = t[far] / -_FAR_T
    stdtr(df, t, out=t)
    # So far out, the tail is that of a power law; whatever is not is 0.
    t[far] = stdtr(df, -_FAR_T) * ratios**-df


def _f_at_p(numerator: float, denominator: float, p_value: float) -> float:
    """Return the F value whose upper tail is a p-value, however small that is."""
    # scipy's inverse of F starts from 1 - p, which is 1 where p is small. F is a ratio of two
    # beta values that add up to 1; the smaller one has all its digits.
    part = float(betainccinv(numerator / 2, denominator / 2, p_value))
    rest = float(betaincinv(denominator / 2, numerator / 2, p_value))
    if not rest > 0:
        return math.inf
    odds = part / (1 - part) if part < rest else (1 - rest) / rest
    return odds * denominator / numerator


def check_statistic(stat_type: Any, df: Any, two_sided: Any) -> Statistic:
    """Check what a user says the values of a map are.

    Parameters
    ----------
    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"}
        The statistic; or p-values, ``-log10(p)``, or ``1 - p``.

    df : None, float, or sequence of two floats
        Degrees of freedom: a number for t and chi2, two for F (numerator, denominator), None
        otherwise.

    two_sided : bool
        Whether deviations in both directions count. For z, t and neg_log10_p alone.

    Returns
    -------
    statistic : Statistic
        What the values are.

    Raises
    ------
    TypeError
        If an argument is not of these types.
    ValueError
        If ``stat_type`` is none of these, or if the others do not go with it.

    Examples
    --------
    >>> check_statistic("t", 23, two_sided=True)
    Statistic(stat_type='t', df=(23.0,), two_sided=True)
    """
    if not isinstance(stat_type, str):
        raise TypeError(f"'stat_type' must be one of {list(STAT_TYPES)}. Got {stat_type!r}.")
    if stat_type not in STAT_TYPES:
        raise ValueError(f"'stat_type' must be one of {list(STAT_TYPES)}. Got {stat_type!r}.")
    if not isinstance(two_sided, (bool, np.bool_)):
        raise TypeError(f"'two_sided' must be True or False. Got {two_sided!r}.")
    if two_sided and stat_type in _UNSIGNED:
        raise ValueError(
            f"'two_sided' must be False for stat_type={stat_type!r}: {_UNSIGNED[stat_type]}. "
            f"Got {two_sided!r}."
        )
    known: Any = str(stat_type)  # a member of the literal, as mypy cannot tell
    return Statistic(known, _check_df(stat_type, df), bool(two_sided))


def _check_df(stat_type: str, df: Any) -> tuple[float, ...]:
    """Return degrees of freedom as a tuple: empty, of one number, or of two."""
    if stat_type not in _DF:
        if df is not None:
            # An option that would do nothing: something is not as the user believes.
            raise ValueError(
                f"'df' must be None for stat_type={stat_type!r}, which has no degrees of "
                f"freedom. Got {df!r}."
            )
        return ()
    wanted = f"'df' must be {_DF[stat_type]}, for stat_type={stat_type!r}."
    if df is None:
        raise ValueError(f"{wanted} Got None.")
    values = df.tolist() if isinstance(df, np.ndarray) else df
    is_one = not isinstance(values, Sequence) or isinstance(values, (str, bytes))
    values = (values,) if is_one else tuple(values)
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        raise TypeError(f"{wanted} Got {df!r}.")
    if is_one != (stat_type != "F") or len(values) != (2 if stat_type == "F" else 1):
        raise ValueError(f"{wanted} Got {df!r}.")
    if not all(0 < value < np.inf for value in values):
        raise ValueError(f"'df' must be positive and finite. Got {df!r}.")
    return tuple(float(value) for value in values)
