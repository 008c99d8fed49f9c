"""Maps of a contrast in elements that some subjects lack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.calibration._missing_rows import (
    Missing,
    has_gaps,
    refuse_with_groups,
    warn_of_left_out,
)
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.resampling import choose_scheme, find_contrast
from ari_estimator.resampling._design_space import DesignSpace
from ari_estimator.resampling._maps_with_gaps import MapsWithGaps
from ari_estimator.second_level._model_contrast import is_f_contrast, weights_of

# nilearn's maps, in the order in which it makes all of them.
_OUTPUTS = ("z_score", "stat", "p_value", "effect_size", "effect_variance")


def check_missing(
    missing: Missing, variance_groups: Any, calibration: SubjectCalibration | None
) -> None:
    """Refuse what cannot be combined with missing values, before any map is read.

    Parameters
    ----------
    missing : {"omit"} or None
        What the model does with missing values.

    variance_groups : array-like of shape (n_subjects,), "auto" or None
        The variance groups of the model.

    calibration : SubjectCalibration or None
        The calibration.

    Raises
    ------
    ValueError
        If ``missing`` is unknown, the calibration has another one, or there are variance groups.
    """
    if missing not in (None, "omit"):
        raise ValueError(f"missing must be 'omit' or None. Got {missing!r}.")
    if calibration is not None and calibration.missing not in (None, missing):
        raise ValueError(
            f"missing must be the same in model and calibration. Got missing={missing!r} and "
            f"calibration__missing={calibration.missing!r}. Set missing only in the model, which "
            "passes it to the calibration."
        )
    refuse_with_groups(variance_groups, missing)
    if missing is not None and calibration is not None:
        refuse_with_groups(calibration.variance_groups, missing)
        if calibration.scheme == "bootstrap":
            raise ValueError(
                "calibration__scheme must be 'auto', 'sign_flip' or 'permutation' with "
                "missing='omit'. Got 'bootstrap', which would draw a row more than once and so "
                "change how many rows are present."
            )


def images_with_gaps(
    model: Any, asked: tuple[Any, Any, str | None, str], read: list[np.ndarray]
) -> tuple[Any, Any]:
    """Return maps of a contrast. Elements that lack a subject have statistics of the others.

    Parameters
    ----------
    model : ARISecondLevelModel
        A fitted model.

    asked : tuple
        The contrast, the first-level contrast, the type of the test and the output type.

    read : list of ndarray of shape (n_subjects, n_elements)
        Where the data of the subjects are, once the masker of the model has read them.

    Returns
    -------
    images : image or dict of str to image
        The map, or all maps by output type. Without gaps, they are nilearn's.

    df_img : image
        Degrees of freedom of each element; 0 where it lacks too many subjects.

    Raises
    ------
    ValueError
        If data are infinite, or for the reasons of a model without gaps.

    Warns
    -----
    UserWarning
        If elements lack too many subjects.
    """
    contrast, _, stat_type, output_type = asked
    # Computing a contrast may exchange the design of the model.
    design, masker = model.design_matrix_, model.masker_
    names = iter(_OUTPUTS if output_type == "all" else [output_type])
    make_image = masker.inverse_transform
    found: list[MapsWithGaps | None] = []

    def fill(values: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        if not found:
            found.append(_maps_of(read[0], design, contrast, stat_type, model.calibration))
        name = next(names)
        if found[0] is not None:
            values = np.array(values)
            values[..., found[0].elements] = getattr(found[0], name)
        return make_image(values, *args, **kwargs)

    # nilearn's values are replaced before they are images. Only this object changes, and only here.
    masker.inverse_transform = fill
    try:
        images = model._exact_contrast(*asked)
    finally:
        del masker.inverse_transform
    rank = DesignSpace.of(design.to_numpy(dtype=np.float64)).rank
    df = np.full(read[0].shape[1], float(len(design) - rank))
    if found[0] is not None:
        df[found[0].elements] = found[0].df
    return images, masker.inverse_transform(df)


def _maps_of(
    data: np.ndarray,
    design: pd.DataFrame,
    contrast: Any,
    stat_type: str | None,
    calibration: SubjectCalibration | None,
) -> MapsWithGaps | None:
    """Return the maps of a contrast in the elements that some subjects lack; None without gaps."""
    if not has_gaps(data):
        return None
    if any(bool(np.isinf(row).any()) for row in data):
        raise ValueError("Maps of subjects must be finite, or NaN where missing. Got infinity.")
    is_f = is_f_contrast(contrast, stat_type)
    weights = weights_of(contrast, design)
    values = design.to_numpy(dtype=np.float64)
    tested = find_contrast(values, weights if is_f else weights[0], "F" if is_f else "t")
    scheme = None
    if calibration is not None:
        scheme = choose_scheme(calibration.scheme, tested, calibration.blocks, calibration.exchange)
    maps = MapsWithGaps.of(data, values, weights, tested, scheme)
    warn_of_left_out(int((maps.df == 0).sum()), data.shape[1], "voxels or vertices of the mask")
    return maps
