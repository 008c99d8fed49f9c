"""Calibration of a contrast of a second-level model, on the data that the model has read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.images._frame import Frame
from ari_estimator.images._space import Space
from ari_estimator.resampling._contrast import ContrastType


@contextmanager
def recorded(masker: Any, known: np.ndarray | None = None) -> Iterator[list[np.ndarray]]:
    """Record the output of a masker while the context lasts.

    A model reads the maps of all subjects whenever it computes a contrast, and does not keep
    them. Recording reads them only once, and calibrates on the same data as the z map.

    Parameters
    ----------
    masker : masker
        A fitted masker.

    known : ndarray of shape (n_subjects, n_elements) or None, default=None
        The output, if an earlier contrast of the same maps has recorded it. The maps are then not
        read again.

    Yields
    ------
    data : list of ndarray of shape (n_subjects, n_elements)
        The result of each call of ``masker.transform`` so far.
    """
    data: list[np.ndarray] = []
    transform = masker.transform

    def keep(*args: Any, **kwargs: Any) -> Any:
        values = transform(*args, **kwargs) if known is None else known
        data.append(np.asarray(values))
        return values

    # Only this object changes, and only within the context.
    masker.transform = keep
    try:
        yield data
    finally:
        del masker.transform


def only(data: list[np.ndarray]) -> np.ndarray:
    """Take the data of all subjects out of the record.

    Parameters
    ----------
    data : list of ndarray of shape (n_subjects, n_elements)
        From :func:`recorded`. It is emptied, so that the memory can be freed.

    Returns
    -------
    data : ndarray of shape (n_subjects, n_elements)
        The data.

    Raises
    ------
    RuntimeError
        If the maps were not read in exactly one call, as nilearn does so far.
    """
    if len(data) != 1:
        raise RuntimeError(
            f"The maps of the subjects were read in {len(data)} calls of the masker instead of "
            "one. So the data of the map are not known: this version of nilearn is not "
            "supported."
        )
    return data.pop()


def columns_of(masker: Any, frame: Frame, is_tested: np.ndarray) -> np.ndarray:
    """Return the column of the subjects' data for each tested element of a map.

    The data of the subjects have one column for each element in the mask of the model. The
    transformer may have a smaller mask, and some elements of a map may be NaN. So the tested
    elements are some of the columns.

    Parameters
    ----------
    masker : NiftiMasker or SurfaceMasker
        Fitted to the mask of the model, without any preprocessing.

    frame : Frame
        The mask of the transformer, which holds the elements of the map.

    is_tested : ndarray of bool of shape (n_elements,)
        Whether each element of the map is tested.

    Returns
    -------
    columns : ndarray of int of shape (n_tested,)
        The column of each tested element.

    Raises
    ------
    ValueError
        If a tested element is outside the mask of the model, so that it has no column.
    """
    # Convert the numbers of the columns to an image and back, like a map. They start at 1,
    # because 0 is outside the mask.
    numbers = masker.inverse_transform(np.arange(1.0, masker.n_elements_ + 1))
    columns = next(frame.arrays(numbers))[is_tested].astype(np.intp) - 1
    n_outside = int((columns < 0).sum())
    if n_outside:
        raise ValueError(
            f"transformer__mask_img must lie within the mask of the model, which has "
            f"{masker.n_elements_} elements. Got {n_outside} of {columns.size} "
            f"{frame.space.element_name[1]} outside it, which have no data to calibrate on."
        )
    return columns


def calibrated_contrast(
    calibration: SubjectCalibration,
    data: np.ndarray,
    columns: np.ndarray,
    design: np.ndarray,
    weights: np.ndarray,
    space: Space,
    *,
    stat_type: ContrastType,
    alpha: float,
    two_sided: TwoSided,
) -> SubjectCalibration:
    """Return a calibration that is fitted to some elements of a model.

    Parameters
    ----------
    calibration : SubjectCalibration
        The calibration, not fitted.

    data : ndarray of shape (n_subjects, n_elements)
        The data of the model.

    columns : ndarray of int of shape (n_tested,)
        Columns of the tested elements.

    design : ndarray of shape (n_subjects, n_columns)
        The design of the model.

    weights : ndarray of shape (n_columns,) or (n_rows, n_columns)
        The contrast.

    space : Space
        Positions of the tested elements.

    stat_type : {"t", "F"}
        Type of the test.

    alpha : float
        Error level.

    two_sided : bool or "directional"
        Whether to test effects in both directions.

    Returns
    -------
    fitted : SubjectCalibration
        The calibration, fitted to the data.
    """
    if not np.array_equal(columns, np.arange(data.shape[1])):
        data = data[:, columns]
    return calibration._fit_family(
        data, design, weights, space, stat_type=stat_type, alpha=alpha, two_sided=two_sided
    )
