"""A tested map in one file, which is enough to bound any further set."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ari_estimator.closed_testing import DirectionalTest, SimultaneousTest
from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
)
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.files._stored_array import stored_array
from ari_estimator.images._kinds import KINDS
from ari_estimator.inference import FittedMap, make_statistic
from ari_estimator.inference._local_tests import TESTS
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._statistics import SettledStatistic
from ari_estimator.interfaces._stored_parameters import from_text, to_text, two_sided_from
from ari_estimator.interfaces._stored_provenance import (
    provenance_from_arrays,
    provenance_to_arrays,
)
from ari_estimator.interfaces._stored_regions import regions_from_arrays, regions_to_arrays

KIND = "tested map"

_CLASSES: dict[str, type[Any]] = {
    transformer.__name__: transformer
    for transformer in (ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer)
}

_MEMBERS = (
    "transformer", "parameters", "stat_type", "df", "two_sided", "values", "kind", "test_kind",
    "has_direction", "frame_*", "test_*", "regions_*",
    # What the analysis says about itself.
    "said_by", "asked_with", "mask_called", "contrast", "group_*",
)  # fmt: skip

# Largest number of labels: one for each element and threshold. They take 512 MiB, plus the memory
# of clusters and tables.
_MOST_LABELS = 2**27

Choice = TypeVar("Choice")


def save_map(path: Path, fitted_map: FittedMap) -> None:
    """Write a map, its mask, its given sets and its test to a file.

    Parameters
    ----------
    path : Path
        Name of the file, which ends in ``.npz``.

    fitted_map : FittedMap
        The map.

    Raises
    ------
    ValueError
        If no transformer tested the map, or if a parameter cannot be stored in a file.
    """
    statistic = fitted_map.family.statistic
    asked_by, regions = fitted_map.asked_by, fitted_map.made_by.regions
    parameters = dict(asked_by.parameters)
    if asked_by.estimator not in _CLASSES:
        raise ValueError(
            f"fitted must be a map tested by one of {', '.join(_CLASSES)}: other maps cannot be "
            f"loaded again. Got a map tested by {asked_by.estimator}."
        )
    if parameters["df"] is not None:
        # If the degrees of freedom vary between voxels, the stored values are z values.
        parameters |= {"stat_type": statistic.stat_type, "df": statistic.given_df}
    transformer = _CLASSES[asked_by.estimator]
    text = to_text(transformer, parameters)
    arrays: dict[str, Any] = {
        "transformer": asked_by.estimator,
        "parameters": text,
        "stat_type": statistic.stat_type,
        "df": np.array(statistic.df, dtype=np.float64),
        "two_sided": statistic.two_sided,
        "values": fitted_map.family.values_in_mask,
        "kind": fitted_map.frame.stored_kind,
        "test_kind": fitted_map.test.kind,
    }
    _check_work(parameters, arrays["values"].size)
    stored = from_text(transformer, text)
    arrays |= provenance_to_arrays(asked_by, stored, fitted_map.frame.mask_called)
    if not statistic.has_direction:
        arrays["has_direction"] = False
    arrays |= {f"frame_{name}": array for name, array in fitted_map.frame.to_arrays().items()}
    arrays |= {f"test_{name}": array for name, array in fitted_map.test.to_arrays().items()}
    if regions is not None:
        arrays |= {f"regions_{name}": array for name, array in regions_to_arrays(regions).items()}
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
        The transformer as it was saved, except for images of sets.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is another kind of file, has another format, or is damaged.
    """
    return load_archive(path, KIND, _map_from_arrays, members=_MEMBERS)


def _map_from_arrays(arrays: Mapping[str, np.ndarray]) -> BaseTDPTransformer:
    kind = _chosen(arrays, "kind", KINDS)
    make_transformer = _chosen(arrays, "transformer", _CLASSES)
    test = _chosen(arrays, "test_kind", TESTS)
    parameters = from_text(make_transformer, stored_array(arrays, "parameters", "U").item())
    asked_by, mask_called = provenance_from_arrays(arrays, make_transformer, parameters)
    settled = _settled_from_arrays(arrays, parameters)
    if (settled.statistic.two_sided == DIRECTIONAL) != (test is DirectionalTest):
        raise ValueError("the test and two_sided must both be directional, or neither")
    values = stored_array(arrays, "values", "f", (None,))
    _check_work(parameters, values.size)
    of_regions = part_of(arrays, "regions_")
    if of_regions:
        parameters["labels_img"] = regions_from_arrays(of_regions, values.size)
    mask_img, geometry = kind.mask_from_arrays(part_of(arrays, "frame_"))
    transformer = make_transformer(**parameters, mask_img=mask_img, **geometry)
    with warnings.catch_warnings():
        # Warnings of NaN, zeros and sets without discoveries were shown at the first test.
        warnings.simplefilter("ignore", UserWarning)
        frame = transformer.fit()._frame
        if values.size != frame.space.n_elements:
            raise ValueError(
                f"the mask has {frame.space.n_elements} elements, and there are {values.size} "
                "values"
            )
        # Ignore warnings about the statistic, which the file of the map may have declared.
        transformer._check_sets(settled.statistic)
        transformer._fit_maps(
            frame.single(frame.image([values], None, "statistic")),
            partial(_test_from_arrays, test, part_of(arrays, "test_")),
            asked_by.contrast,
            settled,
        )
    transformer._frame.mask_called = mask_called
    transformer.maps_ = replace(transformer.maps_, asked_by=asked_by)
    return transformer


def _test_from_arrays(
    test: type[SimultaneousTest], arrays: Mapping[str, np.ndarray], family: MapFamily
) -> SimultaneousTest:
    made = test.from_arrays(arrays, family.p_values)
    if made.n_elements != family.n_tested:
        raise ValueError(
            f"the test is of {made.n_elements} elements, and the map has {family.n_tested}"
        )
    return made


def _settled_from_arrays(
    arrays: Mapping[str, np.ndarray], parameters: Mapping[str, Any]
) -> SettledStatistic:
    df = stored_array(arrays, "df", "f", (None,)).tolist()
    statistic = make_statistic(
        stored_array(arrays, "stat_type", "U").item(),
        df[0] if len(df) == 1 else df or None,
        two_sided_from(arrays, "two_sided"),
    )
    if "has_direction" in arrays and not stored_array(arrays, "has_direction", "b").item():
        statistic = statistic.of_f()
    given = {"stat_type": statistic.stat_type, "df": statistic.given_df}
    for name, value in {**given, "two_sided": statistic.two_sided}.items():
        asked = parameters[name]
        asked = tuple(asked) if isinstance(asked, list) else asked
        if asked not in (None, value):
            raise ValueError(f"{name} is {asked!r} by the parameters, and {value!r} by the map")
    return SettledStatistic(statistic, stored_array(arrays, "said_by", "U").item())


def _check_work(parameters: Mapping[str, Any], n_elements: int) -> None:
    """Refuse more thresholds than a map of this size can have."""
    for name in ("threshold", "tdp_threshold"):
        number = np.size(parameters.get(name, 0))
        if number > 1 and number * n_elements > _MOST_LABELS:
            raise ValueError(
                f"{name} must be at most {max(1, _MOST_LABELS // n_elements):,} numbers for a file "
                f"of a map of {n_elements:,} elements. Got {number:,}."
            )


def _chosen(arrays: Mapping[str, np.ndarray], name: str, choices: Mapping[str, Choice]) -> Choice:
    """Return the choice that a name in a file stands for."""
    found = stored_array(arrays, name, "U").item()
    if found not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}. Got {found[:100]!r}.")
    return choices[found]


def part_of(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names start with a prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
