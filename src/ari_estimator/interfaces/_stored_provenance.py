"""Store what an analysis says about itself, for reports of results that are loaded again."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.files._stored_array import stored_array
from ari_estimator.inference._group_model import GroupModel
from ari_estimator.inference._provenance import Provenance, plain

# Longer than the texts of all parameters, and short enough to parse quickly.
_LONGEST = 2**18

# Facts on a group model that are texts. All but the mask may be missing.
_TEXTS = tuple(
    name for name in GroupModel._fields if name not in ("subjects", "design", "contrast", "weights")
)


def provenance_to_arrays(
    asked_by: Provenance, stored: Mapping[str, Any], mask_called: str
) -> dict[str, Any]:
    """Return what an analysis says about itself as arrays.

    Parameters
    ----------
    asked_by : Provenance
        The estimator that tested the map, its parameters and the group model.

    stored : mapping of str to object
        The parameters that the file holds already. They are not stored twice.

    mask_called : str
        The mask in words.

    Returns
    -------
    arrays : dict of str to array-like
        ``said_by``, ``asked_with`` (in JSON), ``mask_called`` and, where known, ``contrast`` and
        ``group_*``.
    """
    words = asked_by.plain_parameters()
    words = {name: value for name, value in words.items() if plain(stored.get(name)) != value}
    arrays: dict[str, Any] = {
        "said_by": asked_by.said_by,
        "asked_with": json.dumps(words),
        "mask_called": mask_called,
    }
    if asked_by.contrast is not None:
        arrays["contrast"] = asked_by.contrast
    group = asked_by.group
    if group is not None:
        of_group = {
            "subjects": np.asarray(group.subjects, dtype=np.str_),
            "columns": np.asarray([str(name) for name in group.design.columns], dtype=np.str_),
            "design": group.design.to_numpy(dtype=np.float64),
            "weights": group.weights,
            **{name: getattr(group, name) for name in _TEXTS},
        }
        arrays |= {f"group_{name}": one for name, one in of_group.items() if one is not None}
    return arrays


def provenance_from_arrays(
    arrays: Mapping[str, np.ndarray], estimator: type, stored: Mapping[str, Any]
) -> tuple[Provenance, str]:
    """Return what an analysis says about itself from the arrays of an untrusted file.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        As from :func:`provenance_to_arrays`.

    estimator : type
        The estimator that tested the map.

    stored : mapping of str to object
        The parameters that the file holds on their own.

    Returns
    -------
    asked_by : Provenance
        The estimator with its parameters in plain data, and the group model.

    mask_called : str
        The mask in words.

    Raises
    ------
    ValueError
        If the arrays do not hold these facts.
    """
    # In the order of scikit-learn, as before.
    names = sorted(inspect.signature(estimator).parameters)
    words = _words(stored_array(arrays, "asked_with", "U").item(), names)
    known = {**stored, **words}
    asked_by = Provenance(
        estimator.__name__,
        {name: known.get(name) for name in names},
        stored_array(arrays, "contrast", "U").item() if "contrast" in arrays else None,
        stored_array(arrays, "said_by", "U").item(),
        _group(arrays) if any(name.startswith("group_") for name in arrays) else None,
    )
    return asked_by, stored_array(arrays, "mask_called", "U").item()


def _words(text: str, names: list[str]) -> dict[str, Any]:
    """Return parameters in plain data from an untrusted text."""
    if len(text) > _LONGEST:
        raise ValueError(f"asked_with must take at most {_LONGEST:,} characters. Got {len(text):,}")
    try:
        words = json.loads(text)
    except RecursionError:
        raise ValueError("asked_with must be numbers, texts and lists of numbers") from None
    if not isinstance(words, dict) or not set(words) <= set(names):
        raise ValueError(f"asked_with must hold parameters among {', '.join(names)}")
    for name, value in words.items():
        items = value if isinstance(value, list) else [value]
        if not all(item is None or isinstance(item, (bool, int, float, str)) for item in items):
            raise ValueError(f"{name} has a value that is not allowed: {str(value)[:100]!r}")
    return words


def _group(arrays: Mapping[str, np.ndarray]) -> GroupModel:
    design = stored_array(arrays, "group_design", "f", (None, None))
    n_rows, n_columns = design.shape
    weights = stored_array(arrays, "group_weights", "f", (None, n_columns))
    if not (design.size and weights.size):
        raise ValueError("the design and the contrast must have rows and columns")
    columns = stored_array(arrays, "group_columns", "U", (n_columns,))
    texts: dict[str, Any] = dict.fromkeys(_TEXTS)
    for name in _TEXTS:
        if name == "mask" or f"group_{name}" in arrays:
            texts[name] = stored_array(arrays, f"group_{name}", "U").item()
    return GroupModel(
        subjects=stored_array(arrays, "group_subjects", "U", (n_rows,)).tolist(),
        design=pd.DataFrame(design, columns=columns.tolist()),
        contrast=stored_array(arrays, "contrast", "U").item(),
        weights=weights,
        **texts,
    )
