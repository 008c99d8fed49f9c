"""Read the values of a hemisphere from a file: GIfTI, MGH, NIfTI, and FreeSurfer's own."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from nibabel.freesurfer.io import read_morph_data
from nibabel.gifti.gifti import GiftiImage
from nibabel.spatialimages import SpatialImage

from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._annotation import read_vertices
from ari_estimator.images._declared import Declaration, declarations_of, gifti_declarations
from ari_estimator.images._image_file import load_image
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.images._selected_map import MapFacts, facts_of_gifti
from ari_estimator.images._size_limits import check_size
from ari_estimator.images._volume_formats import is_row_of_vertices

_MORPHOMETRY: Final = b"\xff\xff\xff"


class SurfaceValues(NamedTuple):
    """The values of a hemisphere.

    Attributes
    ----------
    values : ndarray of shape (n_vertices,) or (n_vertices, n_maps)
        The values, of the type that the file has.

    declared : list of Declaration
        What the file says about them, the most trusted first.

    maps : sequence of MapFacts
        What GIfTI says about each map; empty for other formats.
    """

    values: np.ndarray
    declared: list[Declaration]
    maps: Sequence[MapFacts] = ()


def read_surface_values(path: str | PathLike[str], what: str, n_vertices: int) -> SurfaceValues:
    """Return the values of a hemisphere from a file.

    Parameters
    ----------
    path : str or path-like
        GIfTI; or ``.mgh``, ``.mgz`` or NIfTI with the vertices in one row, of shape
        ``(n_vertices, 1, 1)`` or ``(n_vertices, 1, 1, n_maps)``; or a file like ``lh.thickness``;
        or a ``.label``, which is a mask.

    what : str
        What it should be, for messages.

    n_vertices : int
        Number of vertices of the mesh.

    Returns
    -------
    read : SurfaceValues
        The values, in memory, and what the file says about them.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If it is another file, damaged, incomplete, or a volume.
    """
    path = existing_file(path, what)
    if path.name.endswith(".label"):
        is_inside = read_vertices(path, what, n_vertices)
        return SurfaceValues(is_inside.astype(np.uint8), [])
    if is_morphometry(path):
        with clear_errors(path, what):
            return SurfaceValues(_morphometry(path), declarations_of(path))
    img = load_image(path, what)
    if isinstance(img, GiftiImage):
        with clear_errors(path, what):
            declared = [*declarations_of(path), *gifti_declarations(img)]
            return SurfaceValues(_of_gifti(img), declared, facts_of_gifti(img))
    if not isinstance(img, SpatialImage) or not is_row_of_vertices(img.shape):
        got = type(img).__name__ if not isinstance(img, SpatialImage) else f"shape {img.shape}"
        raise ValueError(
            f"{what} must hold the vertices of a hemisphere, in one row, where a mesh is given. "
            f"Got {got}: {str(path)!r}."
        )
    with clear_errors(path, what):
        data = np.asanyarray(img.dataobj)
    return SurfaceValues(_in_a_row(data), declarations_of(img, path))


def _in_a_row(data: np.ndarray) -> np.ndarray:
    """Return an array with a row for each vertex, and a column for each map if there are several.

    FreeSurfer cuts rows, since NIfTI-1 has no axis above 32,767. The pieces follow one another.
    """
    n_vertices, n_maps = math.prod(data.shape[:3]), math.prod(data.shape[3:])
    values = data.reshape((n_vertices, n_maps), order="F")
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    return values[:, 0] if n_maps == 1 else values


def _of_gifti(img: GiftiImage) -> np.ndarray:
    """Return the values of the arrays of GIfTI."""
    if img.get_arrays_from_intent("NIFTI_INTENT_POINTSET"):
        raise ValueError("it holds a mesh without values")
    arrays: list[Any] = [np.asarray(array.data) for array in img.darrays]
    if not arrays:
        raise ValueError("it holds no values")
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(f"its arrays have shapes {[array.shape for array in arrays]}")
    return arrays[0] if len(arrays) == 1 else np.column_stack(arrays)


def is_morphometry(path: Path) -> bool:
    """Return whether a file begins like FreeSurfer's values of vertices, such as lh.thickness."""
    with path.open("rb") as file:
        return file.read(3) == _MORPHOMETRY


def _morphometry(path: Path) -> np.ndarray:
    """Return the values of a file like lh.thickness."""
    with path.open("rb") as file:
        n_vertices, _, n_values = struct.unpack(">3xiii", file.read(15))
    if n_vertices < 1 or n_values != 1:
        raise ValueError(f"it has {n_vertices} vertices and {n_values} values for each")
    check_size(path, 15 + 4 * n_vertices)
    values: np.ndarray = read_morph_data(path)
    return values.astype(np.float32)
