"""Contrasts of a second-level model with variance groups."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ari_estimator.calibration._subject_data import (
    doubt_of_one_variance,
    find_variance_groups,
    warn_of_constant,
)
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.images._described import described, description_of
from ari_estimator.inference._provenance import in_short
from ari_estimator.resampling import Contrast, variance_groups_of
from ari_estimator.resampling._welch_maps import welch_maps

# nilearn's maps whose values change, in addition to the variance of the effect.
_CHANGED = ("z_score", "stat", "p_value")


class ReadContrast(NamedTuple):
    """Maps of a contrast, and the data they come from.

    Attributes
    ----------
    images : image or dict of str to image
        The map, or all maps by output type.

    data : ndarray of shape (n_subjects, n_elements)
        The data of the subjects.

    rows : ndarray of shape (n_columns,) or (n_rows, n_columns)
        Weights of the columns of the design.

    tested : Contrast
        The tested contrast.

    groups : ndarray of int of shape (n_subjects,) or None
        Variance groups.

    is_constant : ndarray of bool of shape (n_elements,)
        Whether data are constant, given the design.
    """

    images: Any
    data: np.ndarray
    rows: np.ndarray
    tested: Contrast
    groups: np.ndarray | None
    is_constant: np.ndarray


def check_groups(
    variance_groups: Any, calibration: SubjectCalibration | None, design: pd.DataFrame
) -> None:
    """Refuse variance groups that are malformed, before any map is read.

    Parameters
    ----------
    variance_groups : array-like of shape (n_subjects,), "auto" or None
        The groups of the model.

    calibration : SubjectCalibration or None
        The calibration.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Raises
    ------
    ValueError
        If there is not one label for each row, or "auto" finds no groups.
    """
    has_blocks = calibration is not None and calibration.blocks is not None
    # With blocks, the groups of "auto" depend on the contrast.
    if not (has_blocks and isinstance(variance_groups, str) and variance_groups == "auto"):
        variance_groups_of(variance_groups, design.to_numpy(dtype=np.float64))


def common_groups(
    variance_groups: Any,
    calibration: SubjectCalibration | None,
    design: pd.DataFrame,
    contrast: Contrast,
) -> np.ndarray | None:
    """Return the variance groups of a model and its calibration; None if there are none.

    Parameters
    ----------
    variance_groups : array-like of shape (n_subjects,), "auto" or None
        The groups of the model.

    calibration : SubjectCalibration or None
        The calibration, whose blocks may define the groups of "auto".

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    contrast : Contrast
        What is tested.

    Returns
    -------
    groups : ndarray of int of shape (n_subjects,) or None
        Group of each row, from 0.

    Raises
    ------
    ValueError
        If groups are malformed, or the calibration has other groups than the model.
    """
    resampled = {}
    if calibration is not None:
        names = ("scheme", "blocks", "exchange")
        resampled = {name: getattr(calibration, name) for name in names}

    def found(groups: Any) -> np.ndarray | None:
        return find_variance_groups(
            groups, design.to_numpy(dtype=np.float64), contrast, **resampled
        )

    groups = found(variance_groups)
    of_calibration = None if calibration is None else calibration.variance_groups
    if of_calibration is not None and not _are_same(groups, found(of_calibration)):
        raise ValueError(
            "variance_groups must be the same in model and calibration. Got variance_groups="
            f"{in_short(variance_groups)} and calibration__variance_groups="
            f"{in_short(of_calibration)}. Set variance_groups only in the model, which passes it "
            "to the calibration."
        )
    return groups


def _are_same(groups: np.ndarray | None, others: np.ndarray | None) -> bool:
    """Return whether two groupings are the same, up to the numbers of the groups."""
    if groups is None or others is None:
        return groups is others
    return np.array_equal(pd.factorize(groups)[0], pd.factorize(others)[0])


def groups_in_words(groups: np.ndarray, contrast: Contrast) -> str:
    """Return the statistic and its groups as a text that follows "the model".

    Parameters
    ----------
    groups : ndarray of int of shape (n_subjects,)
        Group of each row, from 0.

    contrast : Contrast
        What is tested.

    Returns
    -------
    text : str
        Such as "with v statistics of 2 variance groups (10 and 30 rows)".
    """
    statistic = "G" if contrast.is_f else "v"
    return f"with {statistic} statistics of {_sizes_in_words(groups)}"


def _sizes_in_words(groups: np.ndarray) -> str:
    sizes = [str(size) for size in np.bincount(groups)]
    listed = sizes[0] if len(sizes) == 1 else f"{', '.join(sizes[:-1])} and {sizes[-1]}"
    return f"{len(sizes)} variance group{'s' * (len(sizes) > 1)} ({listed} rows)"


def warn_of_p_values(
    data: np.ndarray,
    design: pd.DataFrame,
    contrast: Contrast,
    groups: np.ndarray | None,
    *,
    keeps_gaps: bool = False,
) -> None:
    """Warn if parametric p-values of a contrast are likely to be too small.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data of the subjects; NaN where one is missing.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    contrast : Contrast
        What is tested.

    groups : ndarray of int of shape (n_subjects,) or None
        Variance groups.

    keeps_gaps : bool, default=False
        Whether elements with NaN are tested.

    Warns
    -----
    UserWarning
        If there are variance groups, whose p-values are liberal; or if there are none, and
        groups of the design seem to differ in variance.
    """
    if groups is None:
        finite = np.isfinite(data).all(axis=0)
        complete = data if keeps_gaps or finite.all() else data[:, finite]
        doubt = doubt_of_one_variance(complete, design.to_numpy(dtype=np.float64), contrast)
    else:
        doubt = (
            f"P-values of {_sizes_in_words(groups)} are approximate, and their bounds are liberal. "
            "In simulations of two groups, with 5 to 10 rows in the smaller one and three times as "
            "many in the larger one, the error at 0.05 was 0.06 to 0.17 over 60 voxels and 0.13 to "
            "0.55 over 1,000. If errors are symmetric, use calibration=PermutationCalibration(), "
            "which flips signs of residuals: its error is far closer to 0.05."
        )
    if doubt is not None:
        warnings.warn(doubt, UserWarning, stacklevel=3)


def with_groups(
    images: dict[str, Any],
    masker: Any,
    data: np.ndarray,
    design: pd.DataFrame,
    weights: np.ndarray,
    contrast: Contrast,
    groups: np.ndarray,
) -> dict[str, Any]:
    """Return nilearn's maps of a contrast, with variance groups.

    Parameters
    ----------
    images : dict of str to image
        nilearn's maps, by output type.

    masker : masker
        The masker that turns values into images.

    data : ndarray of shape (n_subjects, n_elements)
        The data of the subjects.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    weights : ndarray of shape (n_columns,) or (n_rows, n_columns)
        Weights of the contrast.

    contrast : Contrast
        The contrast.

    groups : ndarray of int of shape (n_subjects,)
        Group of each row, from 0.

    Returns
    -------
    images : dict of str to image
        The maps. Effect sizes are nilearn's, and so is the effect variance of an F contrast.
    """
    maps = welch_maps(data, contrast, groups)
    warn_of_constant(maps.is_constant)
    made = {}
    for name, image in images.items():
        if name in _CHANGED:
            values = getattr(maps, name)
        elif name == "effect_variance" and maps.variance is not None:
            # Ratio of an estimate and the product of the data and the direction.
            scale = np.linalg.norm(np.linalg.pinv(design.to_numpy(dtype=np.float64)).T @ weights)
            values = scale**2 * maps.variance
        else:
            made[name] = image
            continue
        made[name] = described(masker.inverse_transform(values), description_of(image))
    return made
