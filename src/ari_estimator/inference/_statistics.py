"""The table of statistics: each kind of map that can be tested, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np

from ari_estimator.inference._f_and_chi2 import Chi2Statistic, FStatistic
from ari_estimator.inference._p_value_maps import NegLog10P, OneMinusP, PValue
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._z_and_t import TStatistic, ZStatistic

StatType = Literal["z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"]

# What a map is taken for, and what contrasts of a model are.
DEFAULT_STAT_TYPE: StatType = "z"

STATISTICS: dict[str, type[Statistic]] = {
    statistic.stat_type: statistic
    for statistic in (
        ZStatistic,
        TStatistic,
        FStatistic,
        Chi2Statistic,
        PValue,
        NegLog10P,
        OneMinusP,
    )
}


def stat_type_called(program: str, word: str) -> str | None:
    """Return what a program's word for the values of a map means.

    Parameters
    ----------
    program : {"bids", "nifti", "spm", "fsl"}
        Whose word it is.

    word : str
        The word, such as ``"t test"`` for a NIfTI intent code.

    Returns
    -------
    stat_type : str or None
        The statistic; None if the word means none of them.

    Examples
    --------
    >>> from ari_estimator.inference import stat_type_called
    >>> stat_type_called("nifti", "t test")
    't'
    """
    for stat_type, statistic in STATISTICS.items():
        if statistic.called.get(program) == word:
            return stat_type
    return None


def make_statistic(stat_type: Any, df: Any = None, two_sided: Any = False) -> Statistic:
    """Return what the values of a map are, from what a user says.

    Parameters
    ----------
    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"}
        The statistic; or p-values, ``-log10(p)``, or ``1 - p``.

    df : None, float, or sequence of two floats, default=None
        Degrees of freedom: a number for t and chi2, two for F (numerator, denominator), None
        otherwise.

    two_sided : bool, default=False
        Whether deviations in both directions count. For z, t and neg_log10_p only.

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
    >>> from ari_estimator.inference import make_statistic
    >>> make_statistic("t", 23, two_sided=True)
    TStatistic(df=(23.0,), two_sided=True)
    """
    if not isinstance(stat_type, str):
        raise TypeError(f"'stat_type' must be one of {list(STATISTICS)}. Got {stat_type!r}.")
    if stat_type not in STATISTICS:
        raise ValueError(f"'stat_type' must be one of {list(STATISTICS)}. Got {stat_type!r}.")
    if not isinstance(two_sided, (bool, np.bool_)):
        raise TypeError(f"'two_sided' must be True or False. Got {two_sided!r}.")
    statistic = STATISTICS[stat_type]
    if two_sided and statistic.why_one_sided is not None:
        raise ValueError(
            f"'two_sided' must be False for stat_type={stat_type!r}: {statistic.why_one_sided}. "
            f"Got {two_sided!r}."
        )
    return statistic(_check_df(statistic, df), bool(two_sided))


def _check_df(statistic: type[Statistic], df: Any) -> tuple[float, ...]:
    """Return degrees of freedom as a tuple: empty, of one number, or of two."""
    if statistic.wanted_df is None:
        if df is not None:
            # An option that would do nothing: something is not as the user believes.
            raise ValueError(
                f"'df' must be None for stat_type={statistic.stat_type!r}, which has no degrees of "
                f"freedom. Got {df!r}."
            )
        return ()
    wanted = f"'df' must be {statistic.wanted_df}, for stat_type={statistic.stat_type!r}."
    if df is None:
        raise ValueError(f"{wanted} Got None.")
    values = df.tolist() if isinstance(df, np.ndarray) else df
    is_one = not isinstance(values, Sequence) or isinstance(values, (str, bytes))
    values = (values,) if is_one else tuple(values)
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        raise TypeError(f"{wanted} Got {df!r}.")
    if is_one != (statistic.n_df == 1) or len(values) != statistic.n_df:
        raise ValueError(f"{wanted} Got {df!r}.")
    if not all(0 < value < np.inf for value in values):
        raise ValueError(f"'df' must be positive and finite. Got {df!r}.")
    return tuple(float(value) for value in values)
