"""The names of regions, from a list, a mapping or a look-up table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ari_estimator.images._lut import read_lut, refuse_unnamed

# Names in the order of the regions, or by label.
Names: TypeAlias = Sequence[str] | Mapping[int, str] | pd.Series

_FORMS = (
    "labels must be a list of names, in the order of the labels, or a dictionary of each label and "
    "its name"
)


def names_by_label(
    ids: np.ndarray,
    labels: Names | None,
    lut: pd.DataFrame | str | Path | None,
    background_label: int,
) -> list[str]:
    """Return the name of each region of an image of labels.

    Parameters
    ----------
    ids : ndarray of int of shape (n_regions,)
        Labels of the regions, in ascending order.

    labels : sequence of str, mapping of int to str, Series or None
        Names, as the user gives them.

    lut : pandas.DataFrame, str, Path or None
        Look-up table.

    background_label : int
        Label of the elements in no region. A mapping may have a name for it, which has no use.

    Returns
    -------
    names : list of str
        The names, each there once; the labels if there are no names.

    Raises
    ------
    TypeError
        If the names are in another form.
    ValueError
        If the names do not fit the regions.
    """
    if labels is not None:
        return _given_names(ids, labels, "regions", "labels", background_label)
    if lut is None:
        return [str(label) for label in ids]
    table = read_lut(lut)
    table = table[table["index"].isin(ids)].drop_duplicates(["index", "name"])
    repeated = table["index"][table["index"].duplicated()]
    if len(repeated):
        raise ValueError(
            f"lut must have one name for each region. Got several for {repeated.unique().tolist()}."
        )
    names = table.set_index("index")["name"].reindex(ids)
    refuse_unnamed(names.tolist(), ids.tolist(), "lut, or the label table of labels_img,")
    return _unique([str(name) for name in names], ids)


def names_of_maps(
    ids: np.ndarray, labels: Names | None, lut: pd.DataFrame | str | Path | None
) -> list[str]:
    """Return the name of each region of an image of several maps.

    Parameters
    ----------
    ids : ndarray of int of shape (n_regions,)
        Numbers of the maps, from 1.

    labels, lut
        As for :func:`names_by_label`. The index of the look-up table says the order of the maps.

    Returns
    -------
    names : list of str
        As from :func:`names_by_label`.

    Raises
    ------
    TypeError, ValueError
        As from :func:`names_by_label`.
    """
    if lut is not None:
        labels = read_lut(lut).sort_values("index")["name"].tolist()
    if labels is None:
        return [str(label) for label in ids]
    return _given_names(ids, labels, "maps", "labels" if lut is None else "lut", 0)


def _given_names(
    ids: np.ndarray, labels: Any, what: str, argument: str, background_label: int
) -> list[str]:
    """Return names that are given in the order of the regions, or by their label."""
    if isinstance(labels, (Mapping, pd.Series)):
        names = _looked_up(ids, labels, what, background_label)
    else:
        names = _in_order(ids, labels, what, argument)
    refuse_unnamed(names, ids.tolist(), argument)
    for name in names:
        if not isinstance(name, (str, Real)):
            hint = " Decode it." if isinstance(name, bytes) else ""
            raise TypeError(
                f"{argument} must hold names, as texts. Got {type(name).__name__} {name!r}.{hint}"
            )
    return _unique([str(name) for name in names], ids)


def _in_order(ids: np.ndarray, labels: Any, what: str, argument: str) -> list[Any]:
    """Return names in the order of the regions, with or without one of the background before."""
    if isinstance(labels, (str, bytes, bytearray)):
        raise TypeError(f"{_FORMS}. Got one text, {labels!r}.")
    if isinstance(labels, Set):
        raise TypeError(f"{_FORMS}. Got {type(labels).__name__}, which has no order.")
    is_array = hasattr(labels, "__array__") and np.ndim(labels) == 1
    if not is_array and not isinstance(labels, Sequence):
        raise TypeError(f"{_FORMS}. Got {type(labels).__name__}.")
    names = list(labels)
    if len(names) == ids.size + 1 and str(names[0]).lower() == "background":
        names = names[1:]
    if len(names) != ids.size:
        raise ValueError(
            f"{argument} must have a name for each of the {ids.size} {what} of labels_img. "
            f"Got {len(names)} names."
        )
    return names


def _looked_up(
    ids: np.ndarray, labels: Mapping[Any, Any] | pd.Series, what: str, background_label: int
) -> list[Any]:
    """Return the names that a mapping has for the regions, and for nothing else."""
    keys = labels.index.tolist() if isinstance(labels, pd.Series) else list(labels)
    where = "the index of a Series" if isinstance(labels, pd.Series) else "the keys of a dictionary"
    advice = (
        "For names in the order of the labels, pass a list. For names of more regions than there "
        "are, pass lut, a table with columns index and name."
    )
    wrong = [key for key in keys if isinstance(key, bool) or not isinstance(key, Integral)]
    if wrong:
        raise TypeError(
            f"labels must name labels of labels_img, integers: {where}. Got {wrong[0]!r}. {advice}"
        )
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ValueError(
            f"labels must have one name for each region. Got several for {repeated[:10]}."
        )
    wanted = ids.tolist()
    missing = [label for label in wanted if label not in set(keys)]
    unknown = [key for key in keys if key not in {*wanted, background_label}]
    if missing or unknown:
        said = [f"no name for {missing[:10]}"] if missing else []
        said += [f"names for {unknown[:10]}, which labels_img does not have"] if unknown else []
        raise ValueError(
            f"labels must have a name for each of the {ids.size} {what} of labels_img and for no "
            f"others, by {where}. Got {' and '.join(said)}. {advice}"
        )
    values = labels.tolist() if isinstance(labels, pd.Series) else [labels[key] for key in keys]
    by_label = dict(zip(map(int, keys), values, strict=True))
    return [by_label[label] for label in wanted]


def _unique(names: list[str], ids: Iterable[int]) -> list[str]:
    """Return names with the label appended where one is there more than once."""
    labels = list(ids)
    # Once more where a name with a label is the name of another region.
    while len(set(names)) < len(names):
        counts = Counter(names)
        names = [
            f"{name} {label}" if counts[name] > 1 else name
            for name, label in zip(names, labels, strict=True)
        ]
    return names
