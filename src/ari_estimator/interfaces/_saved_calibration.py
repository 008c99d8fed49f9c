"""A fitted calibration in one file, to be used for the map of its contrast later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator._software import package_versions
from ari_estimator._version import __version__
from ari_estimator.closed_testing import Calibration
from ari_estimator.closed_testing._archive import load_arrays, save_arrays
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._contrast_calibration import test_of
from ari_estimator.inference._provenance import plain
from ari_estimator.interfaces._saved_map import check_format, part_of
from ari_estimator.interfaces._sidecar import described_test

KIND = "permutation calibration"
_FORMAT = 1

# Of the machine; the file has what follows from them.
_NOT_STORED = {"chunk_size", "memory", "n_jobs", "verbose", "template", "blocks"}

_ARRAYS = ("p_values_", "t_values_", "is_constant_")
_NUMBERS = ("df_", "n_permutations_", "n_features_in_")


def save_calibration(path: Path, calibration: PermutationCalibration) -> None:
    """Write a fitted calibration to a file.

    Parameters
    ----------
    path : Path
        Name of the file, which ends in ``.npz``.

    calibration : PermutationCalibration
        The calibration.
    """
    parameters = {
        name: plain(value)
        for name, value in calibration.get_params(deep=False).items()
        if name not in _NOT_STORED
    }
    if not isinstance(parameters["random_state"], int):
        parameters["random_state"] = None  # a generator, which has moved on
    arrays: dict[str, Any] = {
        "format": _FORMAT,
        "version": __version__,
        "parameters": json.dumps(parameters),
        "scheme_": calibration.scheme_,
        "two_sided_": calibration.two_sided_,
        **{name: getattr(calibration, name) for name in (*_ARRAYS, *_NUMBERS)},
    }
    if calibration.blocks is not None:
        # Names may be of any type; numbers say the same.
        arrays["blocks"] = pd.factorize(np.asarray(calibration.blocks, dtype=object))[0]
    fitted = calibration.calibration_.to_arrays()
    save_arrays(path, KIND, arrays | {f"calibration_{name}": a for name, a in fitted.items()})


def load_calibration(path: Path) -> PermutationCalibration:
    """Return the fitted calibration of a file.

    Parameters
    ----------
    path : Path
        Name of a file that :func:`save_calibration` has written.

    Returns
    -------
    calibration : PermutationCalibration
        As it was when it was saved.

    Raises
    ------
    ValueError
        If it is no such file, or one of a version with another format.
    """
    arrays = load_arrays(path, KIND)
    check_format(path, arrays, _FORMAT)
    fitted = Calibration.from_arrays(part_of(arrays, "calibration_"))
    parameters = json.loads(str(arrays["parameters"]))
    learned = fitted.template.name == "learned"
    # A name in a file is a member of the literal, as mypy cannot tell.
    template: Any = fitted.template if learned else fitted.template.name
    calibration = PermutationCalibration(
        template,
        blocks=arrays.get("blocks"),
        **parameters,
    )
    calibration._keep(fitted, two_sided=bool(arrays["two_sided_"]), **_attributes(arrays))
    return calibration


def _attributes(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {
        **{name: arrays[name] for name in _ARRAYS},
        **{name: int(arrays[name]) for name in _NUMBERS},
        "scheme_": str(arrays["scheme_"]),
    }


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
    alpha = calibration.calibration_.alpha
    test = test_of(calibration, alpha).describe(alpha)
    sidecar = {
        "Description": "Calibration of a critical vector by permutations of the subjects.",
        "Alpha": alpha,
        "TwoSided": calibration.two_sided_,
        "NumberTested": calibration.n_features_in_,
        "Test": test["name"],
        **described_test(test),
        "SoftwareVersions": dict(package_versions()),
    }
    return sidecar if command is None else sidecar | {"Command": command}
