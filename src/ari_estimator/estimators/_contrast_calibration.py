"""Calibration of a contrast of a second-level model, on the data that the model has read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from joblib import hash as hash_of_values
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ari_estimator.closed_testing import CalibratedTest
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.images._frame import Frame
from ari_estimator.inference._fitted_map import TestMaker
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.resampling._contrast_expression import contrast_weights
from ari_estimator.resampling._parametric_p_values import parametric_p_values

# Parameters of a calibration that its result does not depend on.
_OF_NO_EFFECT = ("chunk_size", "memory", "n_jobs", "verbose")

# Largest difference of p-values by two ways of the same data: maps are stored in few digits.
_TOLERANCE = 1e-3


def is_f_contrast(contrast: Any, second_level_stat_type: str | None) -> bool:
    """Tell whether nilearn takes a contrast for an F contrast.

    Parameters
    ----------
    contrast : str, array-like or None
        As for :meth:`nilearn.glm.second_level.SecondLevelModel.compute_contrast`.

    second_level_stat_type : {"t", "F"} or None
        What the user says that it is.

    Returns
    -------
    is_f : bool
        Whether it is.
    """
    if second_level_stat_type is not None or contrast is None or isinstance(contrast, str):
        return second_level_stat_type == "F"
    return np.ndim(contrast) == 2 and np.shape(contrast)[0] > 1


def weights_of(contrast: Any, design: pd.DataFrame) -> np.ndarray:
    """Return a contrast as nilearn reads it, of texts those that are sums of columns.

    Parameters
    ----------
    contrast : str, array-like or None
        A contrast that nilearn has taken.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Returns
    -------
    weights : ndarray of float of shape (n_rows, n_columns)
        A row of weights for a t contrast, one or several for an F contrast. 0 for columns that a
        shorter contrast does not reach.
    """
    if contrast is None:
        return np.ones((1, design.shape[1]))  # of the only column
    if isinstance(contrast, str):
        contrast = contrast_weights(contrast, design.columns.tolist())
    try:
        given = np.atleast_2d(np.asarray(contrast, dtype=float))
    except OverflowError as error:
        raise ValueError(f"A contrast must have weights of a size in use: {error}.") from error
    weights = np.zeros((len(given), design.shape[1]))
    weights[:, : given.shape[1]] = given
    return weights


def tested_rows(
    contrast: Any, second_level_stat_type: str | None, design: pd.DataFrame
) -> np.ndarray:
    """Return a contrast as a calibration takes it, which tells t and F by the number of rows.

    Parameters
    ----------
    contrast : str, array-like or None
        A contrast that nilearn has taken.

    second_level_stat_type : {"t", "F"} or None
        What the user says that it is.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Returns
    -------
    weights : ndarray of float of shape (n_columns,) or (n_rows, n_columns)
        One row for a t contrast, at least two for an F contrast. They may be the same.
    """
    weights = weights_of(contrast, design)
    if not is_f_contrast(contrast, second_level_stat_type):
        return weights[0]
    return weights if len(weights) > 1 else np.repeat(weights, 2, axis=0)


def in_words(contrast: Any, design: pd.DataFrame) -> str:
    """Return a contrast as a text, for reports and files.

    Parameters
    ----------
    contrast : str, array-like or None
        A contrast that nilearn has taken.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Returns
    -------
    text : str
        Its expression or its weights; the name of the only column for None.
    """
    if contrast is None:
        return ", ".join(map(str, design.columns))
    return contrast if isinstance(contrast, str) else str(np.asarray(contrast).tolist())


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
            "expected. So the data of the map are not known: this version of nilearn is not "
            "supported."
        )
    return data.pop()


def columns_of(masker: Any, frame: Frame, is_tested: np.ndarray) -> np.ndarray:
    """Return which column of the subjects' data belongs to each tested element of a map.

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
        Which elements of the map are tested.

    Returns
    -------
    columns : ndarray of int of shape (n_tested,)
        The column of each tested element.

    Raises
    ------
    ValueError
        If a tested element is outside the mask of the model, so that it has no column.
    """
    # The numbers of the columns go the way of a map: into an image, and out of it again. They
    # start at 1, because 0 is outside of the mask.
    numbers = masker.inverse_transform(np.arange(1.0, masker.n_elements_ + 1))
    columns = next(frame.arrays(numbers))[is_tested].astype(np.intp) - 1
    n_outside = int((columns < 0).sum())
    if n_outside:
        raise ValueError(
            f"transformer__mask_img must lie within the mask of the model, which has "
            f"{masker.n_elements_} elements. Got {n_outside} of {columns.size} "
            f"{frame.space.element_name[1]} outside of it, which have no data to "
            "calibrate on."
        )
    return columns


class ContrastCalibrator:
    """Calibrates the contrasts of one fit of a model, and the same one not twice.

    Attributes
    ----------
    last : PermutationCalibration or None
        The last calibration.
    """

    def __init__(self) -> None:
        self.last: PermutationCalibration | None = None
        self._asked = ""
        self._columns = np.empty(0, dtype=np.intp)

    def fit(
        self,
        calibration: PermutationCalibration,
        first_level_contrast: Any,
        data: np.ndarray,
        columns: np.ndarray,
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

        first_level_contrast : str, array-like or None
            Which maps of the subjects the data are.

        data : ndarray of shape (n_subjects, n_elements)
            The data of the model.

        columns : ndarray of int of shape (n_tested,)
            Columns of the tested elements.

        design : ndarray of shape (n_subjects, n_columns)
            The design of the model.

        weights : ndarray of shape (n_columns,) or (n_rows, n_columns)
            The contrast; several rows are an F contrast.

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
        # The design and the subjects cannot change before the model is fitted again.
        asked = hash_of_values(
            (
                type(calibration).__name__,
                parameters,
                first_level_contrast,
                weights.tolist(),
                float(alpha),
                two_sided,
            )
        )
        is_same = asked == self._asked and np.array_equal(columns, self._columns)
        if self.last is None or not is_same:
            # The old one is not held while a new one is computed.
            self.last = None
            if not np.array_equal(columns, np.arange(data.shape[1])):
                data = data[:, columns]
            self.last = clone(calibration).fit(
                data, design, weights, alpha=alpha, two_sided=two_sided
            )
            self._asked, self._columns = asked, columns
        return self.last


def test_of(calibration: PermutationCalibration, alpha: float) -> CalibratedTest:
    """Return the test of a fitted calibration at a level.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted.

    alpha : float
        Error level.

    Returns
    -------
    test : CalibratedTest
        The test, which knows how the data were permuted.
    """
    return CalibratedTest(
        calibration.p_values_,
        calibration.calibration_.at(alpha),
        scheme=calibration.scheme_,
        seed=calibration.seed_,
    )


def calibrated_test(calibration: Any, alpha: float) -> TestMaker:
    """Return what makes the test of a map from the fitted calibration of its contrast.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted to the data that the map was computed from.

    alpha : float
        Error level.

    Returns
    -------
    make_test : callable
        Gives the test of a family. It raises a ValueError if the calibration is of other
        elements, sides or data.

    Raises
    ------
    TypeError
        If it is not a PermutationCalibration.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If, after step-down, it is of another level.
    """
    if not isinstance(calibration, PermutationCalibration):
        raise TypeError(
            f"calibration must be a PermutationCalibration. Got {type(calibration).__name__}."
        )
    check_is_fitted(calibration)
    test = test_of(calibration, alpha)

    def make_test(family: MapFamily) -> CalibratedTest:
        _check_is_of_the_map(calibration, family)
        return test

    return make_test


def _check_is_of_the_map(calibration: PermutationCalibration, family: MapFamily) -> None:
    """Refuse a calibration whose elements, sides or data differ from the map's."""
    n_calibrated = calibration.p_values_.size
    if family.n_tested != n_calibrated:
        raise ValueError(
            f"calibration must be of the {family.n_tested} elements that are tested in the map. "
            f"Got one of {n_calibrated}."
        )
    # Of a map of p-values it is not known whether they are one-sided or two-sided.
    statistic = family.statistic
    if not statistic.is_p and calibration.two_sided_ != statistic.two_sided:
        raise ValueError(
            f"two_sided must be {calibration.two_sided_}, as in the calibration. "
            f"Got {statistic.two_sided}."
        )
    # The calibration's own p-values may be ranks.
    parametric = parametric_p_values(
        calibration.stat_type_,
        calibration.statistic_,
        calibration.df_,
        calibration.rank_,
        calibration.two_sided_,
    )
    differences = np.abs(family.p_values - parametric)[~calibration.is_constant_]
    if differences.max(initial=0) > _TOLERANCE:
        raise ValueError(
            "calibration must be of the data that the map was computed from. Got p-values that "
            f"differ from the map's by up to {differences.max():.2g}."
        )
