"""A map and how it was tested in one file, from which all sets can be asked again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ari_estimator._version import __version__
from ari_estimator.closed_testing._archive import load_arrays, save_arrays
from ari_estimator.estimators import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
)
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.images._kinds import KINDS
from ari_estimator.images._labels import Regions
from ari_estimator.inference import STATISTICS, FittedMap
from ari_estimator.inference._local_tests import TESTS
from ari_estimator.inference._statistics import SettledStatistic

KIND = "tested map"
# Of the arrays in a file; another number whenever files of before cannot be read any more.
_FORMAT = 2
_CLASSES: dict[str, type[Any]] = {
    transformer.__name__: transformer
    for transformer in (ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer)
}

# Parameters that are images, of images, or of the machine: the file has what follows from them.
_NOT_STORED = {
    "mask_img", "mesh", "verbose",
    "labels_img", "labels", "lut", "background_label", "probability_threshold", "resampling_target",
}  # fmt: skip


def save_map(path: Path, fitted_map: FittedMap) -> None:
    """Write a map, its mask, sets that were given, and its test to a file.

    Parameters
    ----------
    path : Path
        Name of the file, which ends in ``.npz``.

    fitted_map : FittedMap
        The map.
    """
    statistic = fitted_map.family.statistic
    asked_by, regions = fitted_map.asked_by, fitted_map.made_by.regions
    parameters = {k: v for k, v in asked_by.plain_parameters().items() if k not in _NOT_STORED}
    arrays: dict[str, Any] = {
        "format": _FORMAT,
        "version": __version__,
        "transformer": asked_by.estimator,
        "parameters": json.dumps(parameters),
        "statistic": json.dumps(
            {"stat_type": statistic.stat_type, "df": statistic.df, "two_sided": statistic.two_sided}
        ),
        "said_by": asked_by.said_by,
        "values": fitted_map.family.values_in_mask,
        "kind": fitted_map.frame.kind,
        "test_kind": fitted_map.test.kind,
    }
    if asked_by.contrast is not None:
        arrays["contrast"] = asked_by.contrast
    arrays |= {f"frame_{name}": array for name, array in fitted_map.frame.to_arrays().items()}
    arrays |= {f"test_{name}": array for name, array in fitted_map.test.to_arrays().items()}
    if regions is not None:
        arrays |= {f"regions_{name}": array for name, array in _regions_to_arrays(regions).items()}
    save_arrays(path, KIND, arrays)


def load_map(path: Path) -> BaseTDPTransformer:
    """Return a transformer fitted to the map of a file.

    Parameters
    ----------
    path : Path
        Name of a file that :func:`save_map` has written.

    Returns
    -------
    transformer : transformer
        As it was when it was saved, but for images of sets.

    Raises
    ------
    ValueError
        If it is no such file, or one of a version with another format.
    """
    arrays = load_arrays(path, KIND)
    check_format(path, arrays, _FORMAT)
    kind = KINDS[str(arrays["kind"])]
    mask_img, mesh = kind.mask_from_arrays(part_of(arrays, "frame_"))
    parameters = json.loads(str(arrays["parameters"]))
    if "regions_labels" in arrays:
        parameters["labels_img"] = _regions_from_arrays(part_of(arrays, "regions_"))
    settled = _settled_from_arrays(arrays)
    if parameters["df"] is not None:
        # They may be those of each voxel: then the values of the file are z values already.
        statistic = settled.statistic
        parameters |= {"stat_type": statistic.stat_type, "df": statistic.given_df}
    transformer = _CLASSES[str(arrays["transformer"])](**parameters, mask_img=mask_img, mesh=mesh)
    of_test = part_of(arrays, "test_")
    test = TESTS[str(arrays["test_kind"])]
    contrast = str(arrays["contrast"]) if "contrast" in arrays else None
    with warnings.catch_warnings():
        # Of NaN, zeros, sets without discoveries: said when the map was seen first.
        warnings.simplefilter("ignore", UserWarning)
        stat_img = transformer.fit()._frame.image([arrays["values"]], None, "statistic")
        transformer._fit_maps(
            stat_img,
            lambda family: test.from_arrays(of_test, family.p_values),
            contrast,
            settled,
        )
    return transformer


def _settled_from_arrays(arrays: Mapping[str, np.ndarray]) -> SettledStatistic:
    given = json.loads(str(arrays["statistic"]))
    statistic = STATISTICS[given["stat_type"]](tuple(given["df"]), given["two_sided"])
    return SettledStatistic(statistic, str(arrays["said_by"]))


def check_format(path: Path, arrays: Mapping[str, np.ndarray], wanted: int) -> None:
    """Raise a ValueError if a file is in the format of another version."""
    found = arrays.get("format")
    if found != wanted:
        raise ValueError(
            f"{str(path)!r} was written by ari_estimator {arrays.get('version')}, in format "
            f"{found}. Version {__version__} reads format {wanted}: save it again, or load it "
            "with the version that wrote it."
        )


def part_of(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names start with a prefix, by the rest of their names."""
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
        arrays.get("elements"),
        arrays["labels"],
        arrays["ids"],
        [str(name) for name in arrays["names"]],
        int(arrays["rest_id"]),
    )
