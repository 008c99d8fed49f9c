"""A map and how it was tested in one file, from which all sets can be asked again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ari_estimator._version import __version__
from ari_estimator.closed_testing import CalibratedTest, Calibration
from ari_estimator.closed_testing._archive import load_arrays, save_arrays
from ari_estimator.estimators import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
)
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._inference import MapInference
from ari_estimator.estimators._test_makers import GivenTest
from ari_estimator.images._kinds import KINDS
from ari_estimator.images._labels import Regions
from ari_estimator.images._maps import as_maps

_KIND = "tested map"
# Of the arrays in a file; another number whenever files of before cannot be read any more.
_FORMAT = 1
_CLASSES: dict[str, type[Any]] = {
    transformer.__name__: transformer
    for transformer in (ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer)
}

# Parameters that are images, of images, or of the machine: the file has what follows from them.
_NOT_STORED = {
    "mask_img", "mesh", "memory", "memory_level", "verbose",
    "labels_img", "labels", "lut", "background_label", "probability_threshold", "resampling_target",
}  # fmt: skip


def parameters_of(transformer: BaseTDPTransformer) -> dict[str, Any]:
    """Return the parameters of a transformer that JSON can hold."""
    parameters = transformer.get_params(deep=False)
    return {
        name: value if value is None or isinstance(value, str) else np.asarray(value).tolist()
        for name, value in parameters.items()
        if name not in _NOT_STORED
    }


def save_map(path: Path, transformer: BaseTDPTransformer, inference: MapInference) -> None:
    """Write a map, its mask, sets that were given, and its test to a file.

    Parameters
    ----------
    path : Path
        Name of the file, which ends in ``.npz``.

    transformer : transformer
        Fitted.

    inference : MapInference
        What was found in one of its maps.
    """
    frame, family = transformer._frame, inference.family
    arrays: dict[str, Any] = {
        "format": _FORMAT,
        "version": __version__,
        "transformer": type(transformer).__name__,
        "parameters": json.dumps(parameters_of(transformer)),
        "values": family.values_in_mask,
        "kind": frame.kind,
    }
    arrays |= {f"frame_{name}": array for name, array in frame.to_arrays().items()}
    regions: Regions | None = getattr(transformer, "_regions", None)
    if regions is not None:
        arrays |= {f"regions_{name}": array for name, array in _regions_to_arrays(regions).items()}
    if isinstance(family.test, CalibratedTest):
        arrays["p_values"] = family.test.p_values
        calibration = family.test.calibration.to_arrays()
        arrays |= {f"calibration_{name}": array for name, array in calibration.items()}
    save_arrays(path, _KIND, arrays)


def load_map(path: Path) -> BaseTDPTransformer:
    """Return a transformer fitted to the map of a file.

    Parameters
    ----------
    path : Path
        Name of a file that :func:`save_map` has written.

    Returns
    -------
    transformer : transformer
        As it was when it was saved, but for images of sets, and for what it cached where.

    Raises
    ------
    ValueError
        If it is no such file, or one of a version with another format.
    """
    arrays = load_arrays(path, _KIND)
    found = arrays.get("format")
    if found != _FORMAT:
        raise ValueError(
            f"{str(path)!r} was written by ari_estimator {arrays.get('version')}, in format "
            f"{found}. Version {__version__} reads format {_FORMAT}: save it again, or load it "
            "with the version that wrote it."
        )
    kind = KINDS[str(arrays["kind"])]
    mask_img, mesh = kind.mask_from_arrays(_part(arrays, "frame_"))
    parameters = json.loads(str(arrays["parameters"]))
    if "regions_labels" in arrays:
        parameters["labels_img"] = _regions_from_arrays(_part(arrays, "regions_"))
    if isinstance(parameters.get("df"), list):
        parameters["df"] = tuple(parameters["df"])
    transformer = _CLASSES[str(arrays["transformer"])](
        **parameters, mask_img=mask_img, mesh=mesh, memory_level=0
    )
    with warnings.catch_warnings():
        # Of NaN, zeros, sets without discoveries: said when the map was seen first.
        warnings.simplefilter("ignore", UserWarning)
        transformer._fit(None)
        values = arrays["values"]
        maps: Any = as_maps(transformer._frame.image([values], None, "statistic"))
        make_test = None
        if "p_values" in arrays:
            calibration = Calibration.from_arrays(_part(arrays, "calibration_"))
            test = CalibratedTest(arrays["p_values"], calibration)
            make_test = GivenTest(test, ~np.isnan(values))
        transformer._transform_and_keep(maps, make_test)
    return transformer


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _regions_to_arrays(regions: Regions) -> dict[str, Any]:
    arrays = {
        "labels": regions.labels,
        "ids": regions.ids,
        "names": np.array(regions.names, dtype=np.str_),
        "rest_id": regions.rest_id,
    }
    return arrays | ({"elements": regions.elements} if regions.overlap else {})


def _regions_from_arrays(arrays: Mapping[str, np.ndarray]) -> Regions:
    return Regions(
        arrays.get("elements", slice(None)),
        arrays["labels"],
        arrays["ids"],
        [str(name) for name in arrays["names"]],
        int(arrays["rest_id"]),
    )
