"""Surfaces from files: the values of each hemisphere, and the meshes they lie on."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
from nilearn.surface import PolyMesh, SurfaceImage

from ari_estimator.images._declared import Declaration, remember_declarations, remember_file
from ari_estimator.images._hemispheres import side_of
from ari_estimator.images._selected_map import remember_maps
from ari_estimator.images._surface_values import SurfaceValues, read_surface_values
from ari_estimator.images._surfaces import as_poly_mesh

# Words for a hemisphere in the names of maps, such as 100307_L_thickness.
_SIDES: Final = re.compile(r"(?<![a-z])(?:left|right|lh|rh|l|r)(?![a-z])", re.IGNORECASE)


def surface_of_files(
    files: Mapping[Any, str | PathLike[str]], mesh: Any, what: str, mesh_called: str = "mesh"
) -> SurfaceImage:
    """Return a surface image of one hemisphere or of both.

    Parameters
    ----------
    files : dict of str to path
        The file of the values by "left" and "right".

    mesh : PolyMesh or dict
        The meshes, or meshes or their files by "left" and "right". Further hemispheres are not
        used.

    what : str
        What the files were given for, for messages.

    mesh_called : str, default="mesh"
        What the meshes were given for, for messages.

    Returns
    -------
    img : SurfaceImage
        The values in memory. What the files declare about them is remembered.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If a file is damaged, of another hemisphere, or has other vertices than its mesh. If there
        is no mesh for a hemisphere. If the files hold different things.
    """
    for side, file in files.items():
        told = side_of(Path(file))
        if told.side not in (None, side) and told.is_sure:
            raise ValueError(
                f"{what} must have the {side} hemisphere as {side!r}. Got {str(file)!r} "
                f"({told.said_by})."
            )
    # nilearn has read the meshes of a PolyMesh already, once for all maps of a study.
    meshes = (mesh if isinstance(mesh, PolyMesh) else as_poly_mesh(mesh, mesh_called)).parts
    if missing := [side for side in files if side not in meshes]:
        raise ValueError(
            f"{mesh_called} must have a mesh for the {missing[0]} hemisphere, which "
            f"{str(files[missing[0]])!r} is of. Got none."
        )
    read = {
        side: read_surface_values(file, what, meshes[side].n_vertices)
        for side, file in files.items()
    }
    for side, one in read.items():
        n_vertices = meshes[side].n_vertices
        if len(one.values) != n_vertices:
            raise ValueError(
                f"{what} must have a value for each vertex of its mesh. Got {len(one.values):,} "
                f"values in {str(files[side])!r}, and a mesh of {n_vertices:,} vertices."
            )
    _check_pair(read, files, what)
    img = SurfaceImage(
        PolyMesh(**{side: meshes[side] for side in read}),
        {side: one.values for side, one in read.items()},
    )
    first = next(iter(files))
    remember_file(img, Path(files[first]))
    remember_declarations(img, read[first].declared)
    remember_maps(img, list(read[first].maps))
    return img


def warn_of_shared_labels(labels_img: Any, what: str) -> None:
    """Warn of clusters in both hemispheres. Programs number each hemisphere from 1.

    Parameters
    ----------
    labels_img : image
        Clusters. A volume or one hemisphere gets no warning.

    what : str
        What they were given for, for messages.
    """
    parts = list(labels_img.data.parts.values()) if isinstance(labels_img, SurfaceImage) else []
    if len(parts) != 2:
        return
    shared = np.intersect1d(*parts)
    shared = shared[shared > 0]
    if shared.size:
        more = ", ..." if shared.size > 10 else ""
        warnings.warn(
            f"The clusters {', '.join(f'{label:g}' for label in shared[:10])}{more} of {what} have "
            "vertices in both hemispheres, and each of them is one set. If each hemisphere has its "
            "own cluster 1, give the clusters of one hemisphere other labels.",
            UserWarning,
            stacklevel=2,
        )


def _check_pair(read: Mapping[str, SurfaceValues], files: Mapping[Any, Any], what: str) -> None:
    """Refuse files of two hemispheres that do not hold the same kind of maps."""
    if len(read) < 2:
        return
    (one, two), names = read.values(), [repr(str(file)) for file in files.values()]
    if one.values.shape[1:] != two.values.shape[1:]:
        raise ValueError(
            f"{what} must have the same number of maps in both hemispheres. Got "
            f"{' and '.join(str(part.values.shape[1:] or 1) for part in (one, two))} in "
            f"{' and '.join(names)}."
        )
    named = [[facts.name for facts in of_file.maps] for of_file in (one, two)]
    if named[0] != named[1] and sorted(named[0]) == sorted(named[1]):
        raise ValueError(
            f"{what} must have the same maps in the same order in both hemispheres. Got "
            f"{named[0]} and {named[1]} in {' and '.join(names)}."
        )
    without_side = [[_SIDES.sub("", name) for name in of_file] for of_file in named]
    if len(named[0]) == len(named[1]) > 1 and without_side[0] != without_side[1]:
        warnings.warn(
            f"The maps of {what} have different names in both hemispheres: {named[0]} and "
            f"{named[1]} in {' and '.join(names)}. They are paired by their order.",
            UserWarning,
            stacklevel=3,
        )
    said = [_first(of_file.declared) for of_file in (one, two)]
    if None not in said and len(set(said)) > 1:
        got = " and ".join(f"{holds} in {name}" for holds, name in zip(said, names, strict=True))
        raise ValueError(
            f"{what} must hold the same statistic in both hemispheres. Got {got}, as the files say."
        )


def _first(declared: list[Declaration]) -> str | None:
    """Return the statistic that a file declares, with its degrees of freedom; None if none."""
    sure = [one for one in declared if not one.is_weak]
    if not sure:
        return None
    df = ", ".join(f"{value:g}" for value in sure[0].df)
    return f"{sure[0].holds} ({df})" if df else sure[0].holds
