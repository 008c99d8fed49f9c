"""Find the statistic of maps that come after a fit."""

from __future__ import annotations

from typing import Any

from ari_estimator.images._declared import Declaration
from ari_estimator.inference._statistic import DEFAULT_STAT_TYPE
from ari_estimator.inference._statistics import CONVERTED, SettledStatistic, settle_statistic


def settle_again(
    fitted: SettledStatistic,
    declarations: list[list[Declaration]],
    df: Any,
    two_sided: Any,
    *,
    are_masked_values: bool,
) -> SettledStatistic:
    """Return the statistic of maps for which the user gives none, after a fit to other maps.

    Parameters
    ----------
    fitted : SettledStatistic
        The statistic of the maps in fit.

    declarations, df, two_sided
        As for :func:`settle_statistic`.

    are_masked_values : bool
        Whether the maps are masked values: an array, which cannot declare anything. They hold the
        statistic of the fit. Images that declare nothing may hold anything.

    Returns
    -------
    settled : SettledStatistic
        The statistic of the values, and its source.

    Raises
    ------
    TypeError
        As :func:`settle_statistic`.
    ValueError
        As :func:`settle_statistic`. Or if an image declares nothing and the statistic of the fit
        is not z: as in a list of maps, only z may be assumed beside a declaration.
    """
    is_silent = [all(one.is_source for one in of_map) for of_map in declarations]
    statistic = fitted.statistic
    # A map from an archive holds z values, and only its source tells that it held t values.
    was_converted = fitted.df_varies or fitted.said_by.endswith(CONVERTED)
    is_z = statistic.stat_type == DEFAULT_STAT_TYPE and not was_converted
    if not all(is_silent):
        # A mix of images is refused in the words of a fit to the same mix.
        settled = settle_statistic(declarations, None, df, two_sided)
        if not any(is_silent):
            return settled
    if not is_z and (not are_masked_values or (was_converted and df is None)):
        raise ValueError(_refusal(fitted, is_silent, was_converted))
    stat_type = None
    if are_masked_values:
        stat_type = "t" if was_converted else statistic.stat_type
        df = statistic.given_df if df is None else df
    settled = settle_statistic(declarations, stat_type, df, two_sided)
    if not statistic.has_direction:
        settled = settled._replace(statistic=settled.statistic.of_f())
    return settled


def _refusal(fitted: SettledStatistic, is_silent: list[bool], was_converted: bool) -> str:
    """Return why maps that declare nothing are refused."""
    statistic = fitted.statistic
    stat_type, given = statistic.stat_type, f" and df={statistic.given_df!r}"
    if was_converted:
        stat_type, given = "t", " and df to their degrees of freedom"
    elif not statistic.df:
        given = ""
    n_silent = sum(is_silent)
    which = f"{n_silent} maps declare" if n_silent > 1 else "a map declares"
    numbers = " and ".join(f"{value:g}" for value in statistic.df)
    with_df = f" with {numbers} degrees of freedom" if numbers else ""
    return (
        f"stat_type must be given: {which} no statistic, and fit has read {statistic.name} "
        f"values{with_df}, according to {fitted.said_by}. For the same statistic, set "
        f"stat_type={stat_type!r}{given}. For z values, set stat_type='z'."
    )
