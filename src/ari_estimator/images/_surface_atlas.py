"""An atlas of a surface from the annotations or labels of FreeSurfer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from nilearn.surface import PolyMesh, SurfaceImage

from ari_estimator.images._annotation import read_annotation, read_vertices
from ari_estimator.images._gifti_labels import lut_of_gifti
from ari_estimator.images._hemispheres import side_of, without_side
from ari_estimator.images._surface_files import surface_of_files
from ari_estimator.images._surfaces import as_poly_mesh

_PREFIXES = {"left": "lh.", "right": "rh."}

# In FreeSurfer's table of all structures, 1002 is the entry 2 of the left hemisphere, 2002 of the
# right one.
_FIRST = {"left": 1, "right": 2}
_SMALLEST_BASE = 1000


class SurfaceAtlas(NamedTuple):
    """Regions of a surface.

    Attributes
    ----------
    labels_img : SurfaceImage
        A label for each vertex, 0 in no region; or a map for each region, where regions overlap.

    lut : pandas.DataFrame
        The label (``index``), the name (``name``) and, of annotations, the colour (``color``,
        ``"#rrggbb"``) of each region.
    """

    labels_img: SurfaceImage
    lut: pd.DataFrame


def atlas_of_files(
    files: Mapping[Any, Sequence[str | PathLike[str]]], mesh: Any, what: str, mesh_called: str
) -> SurfaceAtlas:
    """Return the regions in files of one hemisphere or of both.

    Parameters
    ----------
    files : dict of str to sequence of path
        By "left" and "right": one ``.annot`` or ``.label.gii`` file, or any number of ``.label``
        files.

    mesh : PolyMesh or dict
        The meshes, or meshes or their files by "left" and "right".

    what, mesh_called : str
        What files and meshes were given for, for messages.

    Returns
    -------
    atlas : SurfaceAtlas
        The regions.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If a file is damaged, of another hemisphere, or does not fit its mesh. If there is no mesh
        for a hemisphere. If there are other files, or annotations beside labels.
    """
    parts = as_poly_mesh(mesh, mesh_called).parts
    all_files = [str(path) for paths in files.values() for path in paths]
    if all(path.endswith(".label.gii") for path in all_files) and len(all_files) == len(files):
        one_each = {side: path for side, (path,) in files.items()}
        return _of_gifti(one_each, mesh, what, mesh_called)
    are_annotations = all(path.endswith(".annot") for path in all_files)
    if not (are_annotations or all(path.endswith(".label") for path in all_files)) or (
        are_annotations and any(len(paths) != 1 for paths in files.values())
    ):
        raise ValueError(
            f"{what} must be one .annot or .label.gii file for each hemisphere, or .label files. "
            f"Got {', '.join(map(repr, all_files))}."
        )
    for side, paths in files.items():
        if side not in parts:
            raise ValueError(
                f"{mesh_called} must have a mesh for the {side} hemisphere, which "
                f"{str(paths[0])!r} is of. Got none."
            )
        for path in paths:
            if (told := side_of(Path(path))).side not in (None, side):
                raise ValueError(
                    f"{what} must have the {side} hemisphere as {side!r}. Got {str(path)!r} "
                    f"({told.said_by})."
                )
    meshes = PolyMesh(**{side: parts[side] for side in files})
    read = _of_annotations if are_annotations else _of_labels
    return read(files, meshes, what)


def _of_gifti(files: Mapping[Any, Any], mesh: Any, what: str, mesh_called: str) -> SurfaceAtlas:
    img = surface_of_files(files, mesh, what, mesh_called)
    lut = lut_of_gifti(list(files.values()), what)
    if lut is None:
        keys = np.unique(np.concatenate([np.unique(part) for part in img.data.parts.values()]))
        keys = keys[keys != 0]
        lut = pd.DataFrame({"index": keys, "name": keys.astype(str)})
    return SurfaceAtlas(img, lut)


def _of_annotations(
    files: Mapping[Any, Sequence[Any]], meshes: PolyMesh, what: str
) -> SurfaceAtlas:
    read = {side: read_annotation(path, what) for side, (path,) in files.items()}
    for side, one in read.items():
        if one.indices.size != (n_vertices := meshes.parts[side].n_vertices):
            raise ValueError(
                f"{what} must have a label for each vertex of the mesh. Got {one.indices.size:,} "
                f"vertices in {str(files[side][0])!r}, and a mesh of {n_vertices:,}."
            )
        if one.n_unknown:
            warnings.warn(
                f"{one.n_unknown} vertices of {str(files[side][0])!r} have a label that its colour "
                "table does not have. They are in no region.",
                UserWarning,
                stacklevel=2,
            )
    largest = max((entry for one in read.values() for entry in one.names), default=-1)
    if largest < 0:
        raise ValueError(f"{what} must have regions. Got annotations without any.")
    base = _SMALLEST_BASE
    while base <= largest:
        base *= 10
    data, rows = {}, []
    for side, one in read.items():
        first = base * _FIRST[side]
        data[side] = np.where(one.indices >= 0, one.indices + first, 0).astype(np.int32)
        rows += [
            (first + entry, side, name, one.colours[entry]) for entry, name in one.names.items()
        ]
    named = zip((row[1] for row in rows), (row[2] for row in rows), strict=True)
    lut = pd.DataFrame(
        {
            "index": [row[0] for row in rows],
            "name": _with_sides(named),
            "color": [row[3] for row in rows],
        }
    ).sort_values("index", ignore_index=True)
    return SurfaceAtlas(SurfaceImage(meshes, data), lut)


def _of_labels(files: Mapping[Any, Sequence[Any]], meshes: PolyMesh, what: str) -> SurfaceAtlas:
    regions = [
        (side, path, read_vertices(path, what, meshes.parts[side].n_vertices))
        for side, paths in files.items()
        for path in paths
    ]
    names = _with_sides(
        (side, _without_ending(without_side(Path(path).name)[1])) for side, path, _ in regions
    )
    index = list(range(1, len(regions) + 1))
    maps = {
        side: np.zeros((part.n_vertices, len(regions)), dtype=np.uint8)
        for side, part in meshes.parts.items()
    }
    for column, (side, _, is_inside) in enumerate(regions):
        maps[side][:, column] = is_inside
    if all((part.sum(axis=1) <= 1).all() for part in maps.values()):
        maps = {side: (part * np.array(index)).sum(axis=1) for side, part in maps.items()}
        maps = {side: part.astype(np.int32) for side, part in maps.items()}
    lut = pd.DataFrame({"index": index, "name": names})
    return SurfaceAtlas(SurfaceImage(meshes, maps), lut)


def _without_ending(name: str) -> str:
    """Return the name of a region from a file whose hemisphere is replaced: ?.BA1.label."""
    return name.removesuffix(".label").removeprefix("?.") or name


def _with_sides(named: Iterable[tuple[str, str]]) -> list[str]:
    """Return names of regions; those that both hemispheres have begin with lh. and rh."""
    pairs = list(named)
    sides: dict[str, set[str]] = {}
    for side, name in pairs:
        sides.setdefault(name, set()).add(side)
    are_shared = any(len(of_name) > 1 for of_name in sides.values())
    return [_PREFIXES[side] + name if are_shared else name for side, name in pairs]
