"""A fitted calibration in one file, for later use with the map of its contrast."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator._software import package_versions
from ari_estimator.closed_testing import Calibration, SplitCalibration
from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._checks import check_p_values
from ari_estimator.closed_testing._level_share import level_share
from ari_estimator.closed_testing._split_calibration import calibration_from_arrays
from ari_estimator.closed_testing._templates import TEMPLATES
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._calibrated_test import n_tested_by
from ari_estimator.files._stored_array import stored_array
from ari_estimator.inference._provenance import plain
from ari_estimator.interfaces._saved_map import part_of
from ari_estimator.interfaces._sidecar import described_test
from ari_estimator.interfaces._stored_parameters import from_text, to_text, two_sided_from

KIND = "permutation calibration"
_SIDES = ("positive", "negative")
_ARRAYS = ("statistic_", "is_constant_", "df_")
_NUMBERS = ("n_permutations_", "n_features_in_", "rank_")
_TEXTS = ("scheme_", "stat_type_")
_LABELS = ("blocks", "variance_groups")
_MEMBERS = (
    "parameters", "two_sided_", "alpha_", "seed_", "calibration_*", "p_values_",
    # With a calibration for each sign.
    *(f"{side}_{name}" for side in _SIDES for name in ("calibration_*", "p_values_")),
    *_LABELS, *_ARRAYS, *_NUMBERS, *_TEXTS,
)  # fmt: skip

_STAT_TYPES = ("t", "F", "v", "G")


def save_calibration(path: Path, calibration: PermutationCalibration) -> None:
    """Write a fitted calibration to a file.

    Parameters
    ----------
    path : Path
        Name of the file, which ends in ``.npz``.

    calibration : PermutationCalibration
        The calibration.
    """
    parameters = calibration.get_params(deep=False)
    if not isinstance(parameters["random_state"], Integral):
        parameters["random_state"] = None  # a generator whose state has changed
    arrays: dict[str, Any] = {
        "parameters": to_text(PermutationCalibration, parameters),
        "two_sided_": calibration.two_sided_,
        "alpha_": None if calibration.sides_ is None else calibration.alpha_,
        **{name: getattr(calibration, name) for name in (*_ARRAYS, *_NUMBERS, *_TEXTS)},
        **{name: _as_numbers(getattr(calibration, name)) for name in _LABELS},
        "seed_": calibration.seed_,
    }
    arrays = {name: array for name, array in arrays.items() if array is not None}
    for prefix, part in _parts(calibration).items():
        fitted = part.calibration_.to_arrays()
        arrays |= {f"{prefix}calibration_{name}": array for name, array in fitted.items()}
        arrays[f"{prefix}p_values_"] = part.p_values_
    save_arrays(path, KIND, arrays)


def _parts(calibration: PermutationCalibration) -> dict[str, PermutationCalibration]:
    """Return the calibrations of each sign by the prefix of their arrays, or the one of all."""
    if calibration.sides_ is None:
        return {"": calibration}
    return {f"{side}_": part for side, part in calibration.sides_.items()}


def _as_numbers(labels: Any) -> Any:
    """Return labels of rows as numbers. A word for labels and None stay as they are."""
    if labels is None or isinstance(labels, str):
        return labels
    if np.ndim(labels) == 2:
        return np.asarray(labels).astype(np.int64)  # nested levels, whose numbers have a meaning
    # Names may have any type. Numbers have the same information.
    return pd.factorize(np.asarray(labels, dtype=object))[0]


def load_calibration(path: Path) -> PermutationCalibration:
    """Read a fitted calibration from a file.

    Parameters
    ----------
    path : Path
        Name of a file that :func:`save_calibration` has written.

    Returns
    -------
    calibration : PermutationCalibration
        The calibration, as it was saved.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is another kind of file, has another format, or is damaged.
    """
    return load_archive(path, KIND, _from_arrays, members=_MEMBERS)


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> PermutationCalibration:
    two_sided = two_sided_from(arrays, "two_sided_")
    prefixes = {side: f"{side}_" for side in _SIDES} if two_sided == DIRECTIONAL else {"": ""}
    sides = {side: _side_from_arrays(arrays, prefix) for side, prefix in prefixes.items()}
    fitted, _ = next(iter(sides.values()))
    if any(one.n_permutations != fitted.n_permutations for one, _ in sides.values()):
        raise ValueError("the calibrations of both signs must have the same permutations")
    attributes = _attributes(arrays, fitted)
    parameters = from_text(PermutationCalibration, stored_array(arrays, "parameters", "U").item())
    labels = {name: _labels_from_arrays(arrays, name) for name in _LABELS}
    template, weights = _template_and_weights(fitted, parameters["delta"])
    calibration = PermutationCalibration(template, level_weights=weights, **labels, **parameters)
    calibration._validate_params()
    alpha = fitted.alpha
    if two_sided == DIRECTIONAL:
        alpha = stored_array(arrays, "alpha_", "f").item()
        if any(one.alpha != level_share(alpha, 2) for one, _ in sides.values()):
            raise ValueError(f"alpha of the calibration of each sign must be half of {alpha}")
    calibration._keep(sides, two_sided=two_sided, alpha=alpha, **attributes)
    return calibration


def _side_from_arrays(
    arrays: Mapping[str, np.ndarray], prefix: str
) -> tuple[Calibration | SplitCalibration, np.ndarray]:
    """Return a calibration and its p-values."""
    fitted = calibration_from_arrays(part_of(arrays, f"{prefix}calibration_"))
    p_values = stored_array(arrays, f"{prefix}p_values_", "f", (fitted.n_elements,))
    return fitted, check_p_values(p_values)


def _template_and_weights(fitted: Calibration | SplitCalibration, delta: int) -> tuple[Any, Any]:
    """Return parameters that make this calibration: templates by name where that is enough."""
    made = [part.template for part in fitted.parts]
    shift = delta if len(made) == 1 else 0
    templates = [one.name if one.name in TEMPLATES and one.delta == shift else one for one in made]
    if isinstance(fitted, SplitCalibration):
        return templates, list(fitted.weights)
    return templates[0], None


def _attributes(
    arrays: Mapping[str, np.ndarray], fitted: Calibration | SplitCalibration
) -> dict[str, Any]:
    n = fitted.n_elements
    attributes: dict[str, Any] = {
        "statistic_": stored_array(arrays, "statistic_", "f", (n,)),
        "is_constant_": stored_array(arrays, "is_constant_", "b", (n,)),
        **{name: stored_array(arrays, name, "i").item() for name in _NUMBERS},
        **{name: stored_array(arrays, name, "U").item() for name in _TEXTS},
        "seed_": stored_array(arrays, "seed_", "i").item() if "seed_" in arrays else None,
        "df_": _df_from_arrays(arrays, n),
    }
    wanted = {"n_features_in_": n, "n_permutations_": fitted.n_permutations}
    for name, number in wanted.items():
        if attributes[name] != number:
            raise ValueError(f"{name} must be {number}. Got {attributes[name]}.")
    if attributes["stat_type_"] not in _STAT_TYPES or attributes["rank_"] < 1:
        raise ValueError(f"stat_type_ must be one of {list(_STAT_TYPES)}, and rank_ positive")
    if np.isnan(attributes["statistic_"]).any():
        raise ValueError("statistic_ must not be NaN")
    return attributes


def _df_from_arrays(arrays: Mapping[str, np.ndarray], n_elements: int) -> int | np.ndarray:
    """Return degrees of freedom: one number, or one for each element."""
    is_one = "df_" not in arrays or arrays["df_"].ndim == 0
    df = stored_array(arrays, "df_", "i" if is_one else "f", () if is_one else (n_elements,))
    # Elements that lack too many subjects have none.
    least = 0 if not is_one else 1
    if not (np.isfinite(df) & (df >= least)).all():
        raise ValueError("df_ must be positive and finite, or 0 in elements that are left out")
    return df.item() if is_one else df


def _labels_from_arrays(arrays: Mapping[str, np.ndarray], name: str) -> Any:
    """Return the labels of rows, a word for them, or None."""
    array = arrays.get(name)
    if array is None:
        return None
    if array.dtype.kind == "U":
        word = stored_array(arrays, name, "U").item()
        if (name, word) != ("variance_groups", "auto"):
            raise ValueError(f"{name} must be labels. Got {word[:100]!r}")
        return word
    return stored_array(arrays, name, "i", (None,) * (2 if array.ndim == 2 else 1))


def describe_calibration(
    calibration: PermutationCalibration, command: str | None
) -> dict[str, Any]:
    """Return the sidecar of a calibration, for JSON.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted.

    command : str or None
        The command line.

    Returns
    -------
    sidecar : dict
        Keys in the notation of BIDS.
    """
    alpha = calibration.alpha_
    test = calibration._test(alpha).describe(alpha)
    sidecar = {
        "Description": "Calibration of a critical vector by permutations of the subjects.",
        "Alpha": alpha,
        "Statistic": calibration.stat_type_,
        "VarianceGroups": plain(_as_numbers(calibration.variance_groups)),
        "MissingValues": calibration.missing,
        "TwoSided": calibration.two_sided_,
        "NumberTested": n_tested_by(calibration),
        "Test": test["name"],
        **described_test(test),
        "SoftwareVersions": dict(package_versions()),
    }
    return sidecar if command is None else sidecar | {"Command": command}
