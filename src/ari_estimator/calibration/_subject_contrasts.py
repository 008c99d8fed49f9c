"""From the data of subjects and several contrasts to one family of statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.calibration._missing_rows import (
    Missing,
    has_gaps,
    refuse_with_groups,
    statistics_of,
)
from ari_estimator.calibration._subject_data import (
    check_data,
    doubt_of_bounds,
    find_variance_groups,
    refuse_constant,
    statistic_of,
    takes_all,
)
from ari_estimator.resampling import (
    Contrast,
    Exchange,
    JointStatistics,
    NullStatistics,
    Scheme,
    SchemeName,
    check_blocks,
    choose_scheme,
    find_contrast,
)
from ari_estimator.resampling._common_scheme import (
    NoCommonSchemeError,
    common_schemes,
    schemes_alone,
)
from ari_estimator.resampling._contrast import ContrastType
from ari_estimator.resampling._scheme import Transformations
from ari_estimator.resampling._shared_residuals import SharedResiduals


class ContrastOfFamily(NamedTuple):
    """A contrast that is tested together with others.

    Attributes
    ----------
    weights : ndarray of shape (n_columns,) or (n_rows, n_columns)
        Weights of the columns of the design.

    stat_type : {"t", "F"}
        Type of the test.

    two_sided : bool
        Whether to test effects in both directions; False for F.

    columns : ndarray of int of shape (n_tested,)
        The tested elements, as columns of the data.
    """

    weights: np.ndarray
    stat_type: ContrastType
    two_sided: bool
    columns: np.ndarray


class ResampledFamily(NamedTuple):
    """Statistics of several contrasts under resampling, and their origin.

    Attributes
    ----------
    null : JointStatistics
        The statistics, one part for each contrast.

    schemes : list of str
        Description of the scheme for each contrast. The draws are the same for all.

    is_exhaustive : bool
        Whether all possible draws were taken.

    doubts : list of str
        Warnings about the validity of the bounds, without repetitions.

    data : ndarray of shape (n_subjects, n_elements)
        The data.
    """

    null: JointStatistics
    schemes: list[str]
    is_exhaustive: bool
    doubts: list[str]
    data: np.ndarray


def resample_contrasts(
    data: ArrayLike,
    design: np.ndarray,
    contrasts: Mapping[str, ContrastOfFamily],
    *,
    n_permutations: int,
    scheme: SchemeName = "auto",
    blocks: ArrayLike | None = None,
    exchange: Exchange | None = None,
    variance_groups: Any = None,
    missing: Missing = None,
    rng: np.random.Generator,
) -> ResampledFamily:
    """Return the statistics of several contrasts under the same draws.

    Parameters
    ----------
    data : array-like of shape (n_subjects, n_elements)
        The data.

    design : ndarray of shape (n_subjects, n_columns)
        The design.

    contrasts : mapping of str to ContrastOfFamily
        The contrasts.

    n_permutations, scheme, blocks, exchange, variance_groups, missing, rng
        As for :func:`~ari_estimator.calibration._subject_data.resample_subjects`. The scheme
        serves all contrasts, see
        :func:`~ari_estimator.resampling._common_scheme.common_schemes`.

    Returns
    -------
    resampled : ResampledFamily
        The statistics.

    Raises
    ------
    NoCommonSchemeError
        If each contrast has a scheme, and none serves all.
    ValueError
        If data, design, contrasts, blocks or variance groups are malformed or do not fit together.
    """
    checked = check_data(data, missing)
    refuse_with_groups(variance_groups, missing)
    units = None if blocks is None or np.ndim(blocks) != 1 else check_blocks(blocks, len(checked))
    tested = [find_contrast(design, one.weights, one.stat_type) for one in contrasts.values()]
    groups: Sequence[np.ndarray | None] = [
        find_variance_groups(
            variance_groups, design, one, scheme=scheme, blocks=blocks, exchange=exchange
        )
        for one in tested
    ]
    try:
        schemes = common_schemes(scheme, tested, blocks, exchange, groups)
    except NoCommonSchemeError:
        raise
    except ValueError:
        for name, one, own in zip(contrasts, tested, groups, strict=True):
            _check_scheme(name, one, scheme, blocks, exchange, own)
        raise
    alone = schemes_alone(scheme, tested, schemes, blocks, exchange)
    draws = schemes[0].draws(n_permutations, rng)
    # The residuals of null models differ between contrasts by their directions.
    may_share = isinstance(schemes[0], Transformations) and not has_gaps(checked)
    shared = SharedResiduals(checked, tested[0]) if may_share else None
    parts: list[NullStatistics] = []
    doubts = [_doubt_of_power(list(contrasts), schemes, alone)]
    for asked, one, chosen, own in zip(contrasts.values(), tested, schemes, groups, strict=True):
        statistic = statistic_of(one, chosen, own, two_sided=asked.two_sided)
        every = np.array_equal(asked.columns, np.arange(checked.shape[1]))
        values = checked if every else checked[:, asked.columns]
        null = None if shared is None else shared.of_contrast(one, None if every else asked.columns)
        parts.append(
            statistics_of(
                values, statistic, chosen, draws, two_sided=asked.two_sided, null_residuals=null
            )
        )
        refuse_constant(parts[-1])
        doubts.append(doubt_of_bounds(checked, design, one, chosen, own, units))
    return ResampledFamily(
        JointStatistics(parts),
        [chosen.description for chosen in schemes],
        takes_all(schemes[0], n_permutations),
        list(dict.fromkeys(doubt for doubt in doubts if doubt is not None)),
        checked,
    )


def _doubt_of_power(
    names: list[str], schemes: Sequence[Scheme], alone: Mapping[int, Scheme]
) -> str | None:
    """Return a warning if contrasts would be resampled in another way alone."""
    if not alone:
        return None
    common = " and ".join(dict.fromkeys(scheme.description for scheme in schemes))
    own = ", ".join(f"{names[place]!r} by {one.description}" for place, one in alone.items())
    return (
        f"All contrasts are resampled by {common}, which serves all of them. Alone, they would be "
        f"resampled in another way: {own}. The bounds are valid, but may be weak. "
        "error_budget='split' gives each contrast its own way and a share of the error level."
    )


def _check_scheme(
    name: str,
    contrast: Contrast,
    scheme: SchemeName,
    blocks: ArrayLike | None,
    exchange: Exchange | None,
    groups: np.ndarray | None,
) -> None:
    """Raise an error with the name of a contrast that cannot have a scheme."""
    try:
        choose_scheme(scheme, contrast, blocks, exchange, groups)
    except ValueError as error:
        raise ValueError(f"Contrast {name!r}: {error}") from error
