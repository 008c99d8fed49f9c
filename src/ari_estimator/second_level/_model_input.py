"""What the input of a group model must be, so that each row belongs to one subject."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

_SUBJECT = "subject_label"


def refuse_ignored_confounds(confounds: Any, design_matrix: Any) -> None:
    """Refuse covariates beside a design, which nilearn would ignore.

    Parameters
    ----------
    confounds : pandas.DataFrame or None
        The covariates.

    design_matrix : pandas.DataFrame, path or None
        The design.

    Raises
    ------
    ValueError
        If both are given.
    """
    if confounds is not None and design_matrix is not None:
        raise ValueError(
            "confounds must be None with a design_matrix: nilearn ignores them. Add them to the "
            "design as columns."
        )


def unsorted_subjects(second_level_input: Any) -> tuple[str, str] | None:
    """Return two subjects that nilearn puts in another order; None if it keeps the order of rows.

    nilearn sorts the rows of a table by ``subject_label``, and nothing else with them.

    Parameters
    ----------
    second_level_input : DataFrame or other input of a second-level model
        The input.

    Returns
    -------
    subjects : tuple of str or None
        The labels of the first row that comes too early, and of the row after it.
    """
    if not isinstance(second_level_input, pd.DataFrame) or _SUBJECT not in second_level_input:
        return None
    labels = second_level_input[_SUBJECT].tolist()
    if not all(isinstance(label, str) for label in labels):
        return None  # nilearn refuses them
    return next(((one, other) for one, other in pairwise(labels) if one > other), None)


def rows_differ(design_matrix: Any) -> bool:
    """Return whether the rows of a design may differ, so that their order matters.

    Parameters
    ----------
    design_matrix : pandas.DataFrame, path or None
        The design.

    Returns
    -------
    may_differ : bool
        True for a file, which is not read here.
    """
    if not isinstance(design_matrix, pd.DataFrame):
        return True
    values = design_matrix.to_numpy()
    return bool((values != values[:1]).any())


def refuse_other_order(subjects: tuple[str, str] | None, of_rows: Mapping[str, Any]) -> None:
    """Refuse what has an item for each row of a table that nilearn sorts.

    Parameters
    ----------
    subjects : tuple of str or None
        From :func:`unsorted_subjects`.

    of_rows : mapping of str to object
        What may have an item for each row, by name; None or "auto" if it has none.

    Raises
    ------
    ValueError
        If the items would belong to other subjects.
    """
    given = [
        name
        for name, value in of_rows.items()
        if value is not None and not (isinstance(value, str) and value == "auto")
    ]
    if subjects is not None and given:
        raise ValueError(
            f"second_level_input must be sorted by {_SUBJECT} with {' and '.join(given)}: nilearn "
            "sorts the rows of the table, and so these would belong to other subjects. Got "
            f"{subjects[0]!r} before {subjects[1]!r}. Sort all of them: "
            f"order = table['{_SUBJECT}'].argsort(kind='stable'), then table.iloc[order] and so on."
        )


def warn_of_repeated_map(second_level_input: Any) -> None:
    """Warn if two rows have the same map: one object, or one path.

    Parameters
    ----------
    second_level_input : list, Series, DataFrame or other input of a second-level model
        The input.

    Warns
    -----
    UserWarning
        If there are such rows.
    """
    images, names = second_level_input, None
    if isinstance(images, pd.DataFrame):
        # Rows of one name are tested together.
        images, names = images.get("effects_map_path"), images.get("map_name")
    if not isinstance(images, (list, tuple, pd.Series)):
        return
    seen: dict[Any, int] = {}
    for number, image in enumerate(images):
        key = str(image) if isinstance(image, (str, Path)) else id(image)
        first = seen.setdefault((key, None if names is None else names.iloc[number]), number)
        if first != number:
            warnings.warn(
                f"second_level_input has the same map in rows {first} and {number}, counted from "
                "0. They are not independent, so bounds are too large. Pass one map of each "
                "subject.",
                UserWarning,
                stacklevel=3,
            )
            return
