"""Contrasts of nilearn's second-level model, as weights and as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.resampling._contrast import is_f_test, refuse_other_labels
from ari_estimator.resampling._contrast_expression import contrast_weights


def is_f_contrast(contrast: Any, second_level_stat_type: Any) -> bool:
    """Return whether a contrast is tested by F.

    Parameters
    ----------
    contrast : str, array-like or None
        As for :meth:`nilearn.glm.second_level.SecondLevelModel.compute_contrast`.

    second_level_stat_type : {"t", "F"} or None
        Type of the test; None is t for one row and F for several.

    Returns
    -------
    is_f : bool
        Whether it is.

    Raises
    ------
    ValueError
        If the type is unknown, or is "t" for several rows.
    """
    is_one = contrast is None or isinstance(contrast, str) or np.ndim(contrast) != 2
    n_rows = 1 if is_one else np.shape(contrast)[0]
    return is_f_test(n_rows, second_level_stat_type, "second_level_stat_type")


def weights_of(contrast: Any, design: pd.DataFrame) -> np.ndarray:
    """Return the weights of a contrast.

    Parameters
    ----------
    contrast : str, array-like or None
        A contrast for nilearn. A text must be a sum of multiples of columns.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Returns
    -------
    weights : ndarray of float of shape (n_rows, n_columns)
        One row of weights for each row of the contrast. If the contrast has too few weights, the
        last columns have weight 0.

    Raises
    ------
    TypeError, ValueError
        If the contrast is malformed.
    """
    if contrast is None:
        return np.ones((1, design.shape[1]))  # of the only column
    refuse_names(contrast, design)
    if isinstance(contrast, str):
        contrast = contrast_weights(contrast, design.columns.tolist())
    try:
        given = np.atleast_2d(np.asarray(contrast, dtype=float))
    except OverflowError as error:
        raise ValueError(f"A contrast must have weights of a usual size: {error}.") from error
    weights = np.zeros((len(given), design.shape[1]))
    weights[:, : given.shape[1]] = given
    return weights


def refuse_names(contrast: Any, design: pd.DataFrame) -> None:
    """Refuse a list of names, and other values that are not contrasts. The message says how.

    Parameters
    ----------
    contrast : object
        The contrast as given by the user.

    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Raises
    ------
    TypeError
        If it is neither a text nor a list or array.
    ValueError
        If it is a list or array with texts, or with other values than numbers, or its labels are
        not the columns of the design.
    """
    refuse_other_labels(contrast, design, "second_level_contrast")
    is_list = isinstance(contrast, (list, tuple, np.ndarray, pd.Index))
    items = list(contrast) if is_list and getattr(contrast, "ndim", 1) > 0 else []
    if not any(isinstance(item, str) for item in items):
        _refuse_other_values(contrast)
        return
    shown = f"[{', '.join(repr(str(item)) for item in items)}]"
    how = f"Write {str(items[0])!r}, without the list."
    if len(items) > 1:
        columns = design.columns.tolist()
        rows = [contrast_weights(str(item), columns).tolist() for item in items]
        how = (
            f"For an F contrast of these, give a row of weights for each: {rows}. For a t "
            "contrast, write one expression, such as 'a - b'."
        )
    raise ValueError(
        f"second_level_contrast must be one text, or numbers. Got a list of texts, {shown}. {how}"
    )


def _refuse_other_values(contrast: Any) -> None:
    """Refuse what is neither a text nor a list of numbers."""
    if contrast is None or isinstance(contrast, str):
        return
    try:
        if np.asarray(contrast, dtype=float).ndim > 0:
            return
    except OverflowError:
        return  # has a message of its own
    except (TypeError, ValueError):
        pass
    kind = ValueError if isinstance(contrast, (list, tuple, np.ndarray, pd.Index)) else TypeError
    raise kind(
        "second_level_contrast must be one text, or a list of numbers with a weight for each "
        f"column of the design. Got {contrast!r}."
    )


def in_words(contrast: Any, design: pd.DataFrame) -> str:
    """Return a contrast as a text, for reports and files.

    Parameters
    ----------
    contrast : str, array-like or None
        A contrast that nilearn has accepted.

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
