"""Read the mesh of a hemisphere from a file: GIfTI, or a binary surface of FreeSurfer."""

from __future__ import annotations

import struct
import warnings
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
from nibabel.freesurfer.io import read_geometry
from nilearn.surface import InMemoryMesh, SurfaceMesh

from ari_estimator.files._absent_content import is_named
from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._image_file import check_image_file, load_image
from ari_estimator.images._measured_mesh import MeasuredMesh
from ari_estimator.images._mesh_of_file import MeshOfFile
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.images._size_limits import check_size

_GIFTI: Final = (".gii", ".gii.gz")

_TRIANGLES: Final = b"\xff\xff\xfe"
_QUADRANGLES: Final = (b"\xff\xff\xff", b"\xff\xff\xfd")

# What the areas of the vertices of an average subject are called, after the name of the surface.
_AREAS: Final = ".avg.area.mgh"

# Longest line of text at the start of a file: who wrote it, and when.
_LONGEST_LINE: Final = 1000


def read_mesh(path: str | PathLike[str], what: str) -> SurfaceMesh:
    """Return the mesh of a file.

    Parameters
    ----------
    path : str or path-like
        GIfTI, or a binary surface of FreeSurfer under any name: ``lh.white``, ``lh.pial.T1``.

    what : str
        What it should be, for messages.

    Returns
    -------
    mesh : nilearn.surface.SurfaceMesh
        The mesh, in memory. Coordinates of FreeSurfer are shifted by the centre of the volume, if
        the file tells it: these are coordinates of the scanner, as in nilearn. The mesh of an
        average subject has the areas of a file ``lh.white.avg.area.mgh`` beside it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If it is not a mesh, is damaged, incomplete, or declares more than it can hold.
    """
    path = existing_file(path, what)
    if path.name.lower().endswith(_GIFTI):
        check_image_file(path, what)
        with clear_errors(path, what):
            return MeshOfFile(path)
    with clear_errors(path, what):
        _check_geometry(path)
        with warnings.catch_warnings():
            # Programs other than FreeSurfer leave out what volume the surface comes from.
            warnings.simplefilter("ignore")
            points, faces, volume = read_geometry(path, read_metadata=True)
        points = np.asarray(points, dtype=np.float64) + volume.get("cras", 0)
        if faces.size == 0 or faces.min() < 0 or faces.max() >= len(points):
            raise ValueError(f"its faces are not of its {len(points)} vertices")
        if not np.isfinite(points).all():
            raise ValueError("its coordinates are not finite")
        faces = faces.astype(np.int32)
        areas = path.with_name(path.name + _AREAS)
        if not is_named(areas):
            return InMemoryMesh(points, faces)
    with clear_errors(areas, what):
        values = np.asanyarray(load_image(areas, what).dataobj)
        return MeasuredMesh(points, faces, values.ravel())


def _check_geometry(path: Path) -> None:
    """Refuse a file that is not a surface of FreeSurfer, or shorter than it says."""
    with path.open("rb") as file:
        magic = file.read(3)
        if magic == _TRIANGLES:
            # Two lines of text come first.
            file.readline(_LONGEST_LINE)
            file.readline(_LONGEST_LINE)
            n_vertices, n_faces = struct.unpack(">ii", file.read(8))
            n_bytes = 12 * (n_vertices + n_faces)
        elif magic in _QUADRANGLES:
            n_vertices, n_faces = (int.from_bytes(file.read(3), "big") for _ in range(2))
            n_bytes = (6 if magic == _QUADRANGLES[0] else 12) * n_vertices + 12 * n_faces
        else:
            raise ValueError("it is neither GIfTI nor a binary surface of FreeSurfer")
        if n_vertices < 1 or n_faces < 1:
            raise ValueError(f"it has {n_vertices} vertices and {n_faces} faces")
        check_size(path, file.tell() + n_bytes)
