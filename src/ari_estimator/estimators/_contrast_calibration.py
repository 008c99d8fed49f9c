"""Calibration of a contrast of a second-level model, on the data that the model has read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from joblib import hash as hash_of_values
from nilearn.glm import expression_to_contrast_vector
from sklearn.base import clone

from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.images._frame import Frame

# Parameters of a calibration that its result does not depend on.
_OF_NO_EFFECT = ("chunk_size", "n_jobs", "verbose")


def is_f_contrast(contrast: Any, stat_type: str | None) -> bool:
    """Tell whether nilearn takes a contrast for an F contrast.

    Parameters
    ----------
    contrast : str, array-like or None
        As for :meth:`nilearn.glm.second_level.SecondLevelModel.compute_contrast`.

    stat_type : {"t", "F"} or None
        What the user says that it is.

    Returns
    -------
    is_f : bool
        Whether it is.
    """
    if stat_type is not None or contrast is None or isinstance(contrast, str):
        return stat_type == "F"
    return np.ndim(contrast) == 2 and np.shape(contrast)[0] > 1


def weights_of(contrast: Any, design: pd.DataFrame) -> np.ndarray:
    """Return a t contrast as nilearn reads it.

    Parameters
    ----------
    contrast : str, array-like or None
        A contrast that nilearn has taken.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Returns
    -------
    weights : ndarray of float of shape (n_columns,)
        A weight for each column, 0 for those that a shorter contrast does not reach.
    """
    weights = np.zeros(design.shape[1])
    if contrast is None:
        return weights + 1  # of the only column
    if isinstance(contrast, str):
        contrast = expression_to_contrast_vector(contrast, design.columns.tolist())
    given = np.ravel(contrast)
    weights[: given.size] = given
    return weights


@contextmanager
def recorded(masker: Any) -> Iterator[list[np.ndarray]]:
    """Keep what a masker returns for as long as the context lasts.

    A model reads the maps of all subjects whenever it computes a contrast, but does not keep
    them. This way they are read once, and calibrated is what the z map was computed from.

    Parameters
    ----------
    masker : masker
        A fitted masker.

    Yields
    ------
    data : list of ndarray of shape (n_subjects, n_elements)
        What each call of ``masker.transform`` has returned so far.
    """
    data: list[np.ndarray] = []
    transform = masker.transform

    def keep(*args: Any, **kwargs: Any) -> Any:
        values = transform(*args, **kwargs)
        data.append(np.asarray(values))
        return values

    # Of this one object, and gone with the context.
    masker.transform = keep
    try:
        yield data
    finally:
        del masker.transform


def only(data: list[np.ndarray]) -> np.ndarray:
    """Take the data of all subjects out of what was recorded.

    Parameters
    ----------
    data : list of ndarray of shape (n_subjects, n_elements)
        From :func:`recorded`. Empty afterwards, so that nothing is held on to.

    Returns
    -------
    data : ndarray of shape (n_subjects, n_elements)
        The data.

    Raises
    ------
    RuntimeError
        If they were not read at once, as nilearn does up to now.
    """
    if len(data) != 1:
        raise RuntimeError(
            f"The maps of the subjects were read in {len(data)} calls of the masker, where one was "
            "expected: this version of nilearn does not go with calibration."
        )
    return data.pop()


def columns_of(masker: Any, frame: Frame, is_tested: np.ndarray) -> np.ndarray:
    """Return where the data of the tested elements of a map are.

    Parameters
    ----------
    masker : NiftiMasker or SurfaceMasker
        Fitted to the mask of the model, without any preprocessing.

    frame : Frame
        The elements of the map.

    is_tested : ndarray of bool of shape (n_elements,)
        Which of them are tested.

    Returns
    -------
    columns : ndarray of int of shape (n_tested,)
        Columns of the data, for each tested element.

    Raises
    ------
    ValueError
        If some of them are not in the mask of the model.
    """
    # The way of a map: numbers into an image, and out of it again. float64 has them all.
    numbers = masker.inverse_transform(np.arange(1.0, masker.n_elements_ + 1))
    columns = next(frame.arrays(numbers))[is_tested].astype(np.intp) - 1
    n_outside = int((columns < 0).sum())
    if n_outside:
        raise ValueError(
            f"transformer__mask_img must lie within the mask of the model. Got {n_outside} of "
            f"{columns.size} {frame.space.element_name[1]} outside of it, which have no data to "
            "calibrate on."
        )
    return columns


class ContrastCalibrator:
    """Calibrates contrasts, and does not do so twice for the same one.

    Attributes
    ----------
    last : PermutationCalibration or None
        The last calibration.
    """

    def __init__(self) -> None:
        self.last: PermutationCalibration | None = None
        self._fingerprint: str | None = None

    def fit(
        self,
        calibration: PermutationCalibration,
        data: np.ndarray,
        design: np.ndarray,
        weights: np.ndarray,
        *,
        alpha: float,
        two_sided: bool,
    ) -> PermutationCalibration:
        """Return a calibration that is fitted, the last one if it was of the same.

        Parameters
        ----------
        calibration : PermutationCalibration
            Its parameters, not fitted.

        data : ndarray of shape (n_subjects, n_tested)
            Data of the tested elements.

        design : ndarray of shape (n_subjects, n_columns)
            The design.

        weights : ndarray of shape (n_columns,)
            The contrast.

        alpha : float
            Error level.

        two_sided : bool
            Whether deviations in both directions count.

        Returns
        -------
        fitted : PermutationCalibration
            Fitted to the data.
        """
        parameters = {
            name: value
            for name, value in calibration.get_params().items()
            if name not in _OF_NO_EFFECT
        }
        fingerprint = hash_of_values(
            (type(calibration), parameters, data, design, weights, float(alpha), two_sided)
        )
        if self.last is None or fingerprint != self._fingerprint:
            # The old one is not held while a new one is computed.
            self.last = None
            self.last = clone(calibration).fit(
                data, design, weights, alpha=alpha, two_sided=two_sided
            )
            self._fingerprint = fingerprint
        return self.last
