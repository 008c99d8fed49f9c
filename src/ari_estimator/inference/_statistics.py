"""Find the statistic of a map from the arguments of the user and the declarations of its file."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ari_estimator._masked_values import refuse_masked
from ari_estimator.closed_testing._two_sided import check_two_sided
from ari_estimator.images._declared import Declaration
from ari_estimator.inference._statistic import DEFAULT_STAT_TYPE, STATISTICS, Statistic

# Maps that cannot be tested: their name, and what to pass instead.
_UNTESTABLE = {
    "physical values": (
        "physical values, such as volts or tesla",
        "a statistical map. ARISecondLevelModel makes one from the objects of all subjects, or "
        "from Epochs",
    ),
    "effect": (
        "effects",
        "the statistical map of the same contrast (zstat1 or tstat1 of FSL, spmT_0001 of SPM, "
        "z_score of nilearn)",
    ),
    "variance": (
        "variances",
        "the statistical map of the same contrast (zstat1 or tstat1 of FSL, spmT_0001 of SPM, "
        "z_score of nilearn)",
    ),
    "corrected p-values": (
        "corrected p-values",
        "the map of uncorrected p-values, or the statistical map: All-Resolutions Inference "
        "corrects for multiple testing itself",
    ),
    "p-values of sets": (
        "p-values of TFCE or of clusters, which show activity around a voxel, but not in the "
        "voxel itself",
        "the p-values of voxels ('*_vox_p_*' or '*_vox_*_uncp'), or the statistical map",
    ),
    "thresholded map": ("thresholded values", "the map before thresholding"),
    "cluster labels": ("labels of clusters", "the statistical map; the labels are for labels_img"),
    "labels": ("labels", "the statistical map; the labels are for labels_img"),
    "degrees of freedom": ("degrees of freedom", "the t map; this image is for df"),
    "different sub-bricks": (
        "different quantities in its sub-bricks",
        "one of them, read by ari_estimator.interfaces.read_afni",
    ),
    "different maps": (
        "different quantities in its maps",
        "one of them: map chooses it in the shell, ari_estimator.interfaces.select_map in Python",
    ),
    "another distribution": (
        "values of a beta, binomial, gamma or Poisson distribution",
        "their p-values, with stat_type='p'",
    ),
    "natural logarithms of p": ("natural logarithms of p-values", "-log10 of them"),
    "true discovery proportions": (
        "true discovery proportions",
        "the statistical map that they were computed from",
    ),
    "correlation": (
        "correlations",
        "their t values, r * sqrt(df / (1 - r**2)), with stat_type='t' and df",
    ),
}

# What is added to the source of t values with degrees of freedom that vary.
CONVERTED = " (t values, converted to z values with the degrees of freedom of each element)"

# Source of the statistic if nothing declares it.
_NOTHING = "nothing"

# Declarations that do not determine the statistic.
_MAY_BE = {"t or F": ("t", "F"), "p-values of PALM": ("p", "one_minus_p", "neg_log10_p")}

# Files in which programs store the degrees of freedom.
_WHERE_DF_IS = (
    "The file does not declare them. FSL stores them in stats/dof for a first level; for a group, "
    "pass the image tdof_t1 as df. SPM stores them in SPM.mat and in the header of spmT_0001. For "
    "nilearn's models they are the number of maps minus the rank of the design"
)


# End of the name of a statistic in a declaration, if its values represent an F test.
_OF_F = " of F"

# Headers have one decimal.
_DF_ROUNDING = 0.051


class SettledStatistic(NamedTuple):
    """The statistic of maps, and its source.

    Attributes
    ----------
    statistic : Statistic
        The statistic of the values.

    said_by : str
        Source of the statistic, for reports and files.

    df_varies : bool
        Whether the maps hold t values that are converted to z values with the degrees of freedom of
        each element.
    """

    statistic: Statistic
    said_by: str
    df_varies: bool = False


def settle_statistic(
    declarations: list[list[Declaration]], stat_type: Any, df: Any, two_sided: Any
) -> SettledStatistic:
    """Return the statistic of maps: from the user, or else from the files, or else z.

    Parameters
    ----------
    declarations : list of list of Declaration
        Declarations of the file of each map, starting with the most trusted.

    stat_type : str or None
        Statistic given by the user; None to take what the files declare.

    df : None, float, sequence of two floats, image, path or array
        Degrees of freedom; None to take what the files declare. An image, a file or an array of
        many numbers gives the degrees of freedom of each element.

    two_sided : bool or "directional"
        Whether to test both directions, together or each with its own bounds.

    Returns
    -------
    settled : SettledStatistic
        The statistic of the values, and its source.

    Raises
    ------
    TypeError
        If an argument has another type.
    ValueError
        If a file declares values that cannot be tested, if files contradict each other, or if
        information is missing or inconsistent.

    Warns
    -----
    UserWarning
        If the user contradicts the declaration of a file.
    """
    if df is not None:
        refuse_masked(df, "df", "Fill them with NaN, which leaves them out: df.filled(np.nan).")
    sources = [one for of_map in declarations for one in of_map if one.is_source]
    declarations = [[one for one in of_map if not one.is_source] for of_map in declarations]
    first = [_put_together(of_map) for of_map in declarations if of_map]
    said_by = _source_of(sources, stat_type, df) or "the parameter stat_type"
    if stat_type is None:
        stat_type, said_by = DEFAULT_STAT_TYPE, _NOTHING
        if first:
            stat_type, said_by = _declared(first, len(declarations)), first[0].said_by
    elif first:
        _warn_of_contradiction(first, stat_type)
    if df is not None and _varies(df):
        if not (stat_type in STATISTICS and STATISTICS[stat_type].df_may_vary):
            raise ValueError(
                "df may be an image or an array only for t values. Got one for "
                f"stat_type={stat_type!r}: set stat_type='t' if the map holds t values."
            )
        said_by += CONVERTED
        return SettledStatistic(make_statistic("z", None, two_sided), said_by, df_varies=True)
    if first and stat_type in STATISTICS and STATISTICS[stat_type].n_df:
        declared = _declared_df(first, stat_type, is_needed=df is None)
        if df is None:
            df = declared
        elif declared is not None:
            _warn_of_other_df(df, declared, first[0].said_by)
    statistic = make_statistic(stat_type, df, two_sided)
    if statistic.is_signed and any(one.holds.endswith(_OF_F) for one in first):
        statistic = statistic.of_f()
    return SettledStatistic(statistic, said_by)


def _source_of(sources: list[Declaration], stat_type: Any, df: Any) -> str | None:
    """Return where readers have found what the user passes on; None if that is something else."""
    if not sources:
        return None
    found = {one.said_by for one in sources}
    given = () if df is None or _varies(df) else tuple(np.atleast_1d(df).tolist())
    agree = all(one.holds == stat_type and one.df == given for one in sources)
    return found.pop() if agree and len(found) == 1 else None


def sentence_of(statistic: Statistic, said_by: str) -> str:
    """Return a sentence on the statistic of a map and its source."""
    if said_by == _NOTHING:
        return f"The map declares no statistic, so its values were read as {statistic.name} values."
    numbers = " and ".join(f"{value:g}" for value in statistic.df)
    with_df = f" with {numbers} degrees of freedom" if numbers else ""
    return f"The values were read as {statistic.name} values{with_df}, according to {said_by}."


def _put_together(of_map: list[Declaration]) -> Declaration:
    """Return the most trusted declaration of a file, completed from the others."""
    first = of_map[0]
    for other in of_map[1:]:
        if other.holds in _MAY_BE.get(first.holds, ()):
            first = other
        elif other.holds == first.holds and not first.df:
            first = replace(first, df=other.df)
        elif other.holds != first.holds and not other.is_weak:
            warnings.warn(
                f"The file contradicts itself: {first.said_by} says {first.holds}, and "
                f"{other.said_by} says {other.holds}. With stat_type=None, the first one counts.",
                UserWarning,
                stacklevel=2,
            )
    return first


def _varies(df: Any) -> bool:
    """Return whether degrees of freedom are an image, a file, or an array of many numbers."""
    if isinstance(df, np.ndarray):
        return df.ndim > 0 and df.size > 2
    return isinstance(df, (str, Path)) or hasattr(df, "header") or hasattr(df, "mesh")


def _declared(first: list[Declaration], n_maps: int) -> str:
    """Return the one statistic that all maps declare."""
    for one in first:
        if one.holds in _UNTESTABLE:
            what, instead = _UNTESTABLE[one.holds]
            raise ValueError(
                f"The map holds {what}, as {one.said_by} says. Pass {instead}. If that is wrong, "
                "set stat_type to what the map holds."
            )
        if one.holds == "t or F":
            raise ValueError(
                f"stat_type and df must be given: {one.said_by} says that the map holds t or F "
                "values, but not which of them. Got neither."
            )
        if one.holds == "p-values of PALM":
            raise ValueError(
                f"stat_type must be given: {one.said_by} says that the map holds p-values of PALM, "
                "which may be p, 1 - p or -log10 p. Use ari_estimator.interfaces.read_p_map, which "
                "finds out."
            )
    found = {_stat_type_of(one.holds) for one in first}
    if len(found) > 1 or (len(first) < n_maps and found != {DEFAULT_STAT_TYPE}):
        raise ValueError(
            "stat_type must be given, since the maps declare different statistics. Got "
            + "; ".join(f"{one.holds} ({one.said_by})" for one in first[:5])
            + (f"; nothing for {n_maps - len(first)} maps." if len(first) < n_maps else ".")
        )
    return str(found.pop())


def _stat_type_of(holds: str) -> str | None:
    # FreeSurfer's signed logarithms count as logarithms. Their sign needs two_sided.
    return stat_type_called("declared", holds.removesuffix(" with a sign").removesuffix(_OF_F))


def _warn_of_contradiction(first: list[Declaration], stat_type: Any) -> None:
    for one in first:
        agreed = _MAY_BE.get(one.holds, (_stat_type_of(one.holds),))
        if not any(of_file == stat_type for of_file in agreed):
            what = _UNTESTABLE.get(one.holds, (f"{one.holds} values", ""))[0]
            warnings.warn(
                f"The map holds {what}, as {one.said_by} says, but stat_type={stat_type!r}. If "
                f"{one.said_by} is right, the bounds do not hold.",
                UserWarning,
                stacklevel=2,
            )
            return


def _declared_df(first: list[Declaration], stat_type: Any, *, is_needed: bool) -> Any:
    """Return the degrees of freedom that all maps declare; None if they declare none."""
    found = {one.df for one in first if _stat_type_of(one.holds) == stat_type}
    if not any(found) or (len(found) > 1 and not is_needed):
        return None
    values = np.array(sorted(df for df in found if df))
    if () in found or np.ptp(values, axis=0).max() > _DF_ROUNDING:
        raise ValueError(
            "'df' must be given, since the maps declare different degrees of freedom. Got "
            f"{', '.join(str(list(one)) for one in found)}."
        )
    df = tuple(float(value) for value in values[0])
    return df[0] if len(df) == 1 else df


def _warn_of_other_df(df: Any, declared: Any, said_by: str) -> None:
    """Warn if the user and a file give different degrees of freedom."""
    said, of_file = np.atleast_1d(df), np.atleast_1d(declared)
    if said.dtype.kind not in "iuf" or said.shape != of_file.shape:
        return  # make_statistic refuses this
    if np.abs(said - of_file).max() > _DF_ROUNDING:
        warnings.warn(
            f"The map has df={declared}, as {said_by} says, but df={df!r} was given. If "
            f"{said_by} is right, the bounds do not hold.",
            UserWarning,
            stacklevel=2,
        )


def stat_type_called(program: str, word: str) -> str | None:
    """Return the statistic for a program's name of the values of a map.

    Parameters
    ----------
    program : {"bids", "declared", "spm", "fsl"}
        Program or standard that uses the name.

    word : str
        The name, such as ``"tstat"`` in a file name of FSL.

    Returns
    -------
    stat_type : str or None
        The statistic; None if the name does not stand for a known statistic.

    Examples
    --------
    >>> from ari_estimator.inference import stat_type_called
    >>> stat_type_called("fsl", "tstat")
    't'
    """
    for stat_type, statistic in STATISTICS.items():
        if statistic.called.get(program) == word:
            return stat_type
    return None


def make_statistic(stat_type: Any, df: Any = None, two_sided: Any = False) -> Statistic:
    """Return the statistic with a given name.

    Parameters
    ----------
    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"}
        The statistic; or p-values, ``-log10(p)``, or ``1 - p``.

    df : None, float, or sequence of two floats, default=None
        Degrees of freedom: a number for t and chi2, two for F (numerator, denominator), None
        otherwise.

    two_sided : bool or "directional", default=False
        Whether to test both directions, together or each with its own bounds. For z, t and
        neg_log10_p only.

    Returns
    -------
    statistic : Statistic
        The statistic.

    Raises
    ------
    TypeError
        If an argument has another type.
    ValueError
        If ``stat_type`` is not one of these names, or the other arguments do not fit it.

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
    if not isinstance(two_sided, bool):
        two_sided = check_two_sided(two_sided, "'two_sided'")
    statistic = STATISTICS[stat_type]
    if two_sided and statistic.why_one_sided is not None:
        raise ValueError(
            f"'two_sided' must be False for stat_type={stat_type!r}: {statistic.why_one_sided}. "
            f"Got {two_sided!r}."
        )
    has_df = statistic.wanted_df is not None or df is not None
    return statistic(_check_df(statistic, df) if has_df else (), two_sided)


def _check_df(statistic: type[Statistic], df: Any) -> tuple[float, ...]:
    """Return degrees of freedom as a tuple of numbers."""
    if statistic.wanted_df is None:
        # The argument would have no effect, so the user expects something else.
        raise ValueError(
            f"'df' must be None for stat_type={statistic.stat_type!r}, which has no degrees of "
            f"freedom. Got {df!r}."
        )
    wanted = f"'df' must be {statistic.wanted_df}, for stat_type={statistic.stat_type!r}."
    if df is None:
        raise ValueError(f"{wanted} Got None. {_WHERE_DF_IS}.")
    values = df.tolist() if isinstance(df, np.ndarray) else df
    is_one = not isinstance(values, Sequence) or isinstance(values, (str, bytes))
    values = (values,) if is_one else tuple(values)
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        raise TypeError(f"{wanted} Got {df!r}.")
    if is_one != (statistic.n_df == 1) or len(values) != statistic.n_df:
        raise ValueError(f"{wanted} Got {df!r}.")
    finite = values[:-1] if statistic.last_df_may_be_infinite else values
    if not all(value > 0 for value in values) or any(math.isinf(value) for value in finite):
        raise ValueError(
            "'df' must be positive and finite. Only the number of t and the last number of F may "
            f"be infinite, which means that the variance is known. Got {df!r}."
        )
    return tuple(float(value) for value in values)
