"""The folds of a mesh, as what a map on it is drawn on."""

from __future__ import annotations

import numpy as np
from nilearn.surface import SurfaceImage

_N_SMOOTHINGS = 4

# Shades from 0, white, to 1, black: maps are to stand out against both.
_BULGE, _HOLLOW = 0.25, 0.5


def folds(img: SurfaceImage) -> SurfaceImage:
    """Return which vertices of the meshes of an image lie in a fold.

    Parameters
    ----------
    img : SurfaceImage
        The image.

    Returns
    -------
    folds : SurfaceImage
        A darker shade where the mesh is hollow, a lighter one where it bulges.
    """
    data = {
        hemi: shades_of_folds(mesh.coordinates, mesh.faces) for hemi, mesh in img.mesh.parts.items()
    }
    return SurfaceImage(img.mesh, data)


def shades_of_folds(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the shade of vertices: hollow is where neighbours lie outward.

    Parameters
    ----------
    points : ndarray of shape (n_vertices, 3)
        Coordinates of a mesh.

    faces : ndarray of int of shape (n_faces, 3)
        Its triangles.

    Returns
    -------
    shades : ndarray of shape (n_vertices,)
        From 0, white, to 1, black.
    """
    points, faces = np.asarray(points, dtype=np.float64), np.asarray(faces)
    corners = points[faces]
    of_faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = _summed(of_faces, faces, len(points))
    outward = ((_averaged(points, faces) - points) * normals).sum(axis=1)
    # The length of the normal does not matter, but it must not be 0.
    outward /= np.linalg.norm(normals, axis=1) + np.finfo(float).tiny
    for _ in range(_N_SMOOTHINGS):
        outward = _averaged(outward[:, np.newaxis], faces)[:, 0]
    return np.where(outward > 0, _HOLLOW, _BULGE)


def _summed(of_faces: np.ndarray, faces: np.ndarray, n_vertices: int) -> np.ndarray:
    """Return the sum over the faces of each vertex, an array of shape (n_vertices, n_columns)."""
    columns = [
        sum(np.bincount(corner, weights=column, minlength=n_vertices) for corner in faces.T)
        for column in of_faces.T
    ]
    return np.stack(columns, axis=1)


def _averaged(values: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the mean over the corners of the faces of each vertex; of one without, its value."""
    n_corners = 3 * np.bincount(faces.ravel(), minlength=len(values))[:, np.newaxis]
    sums = _summed(values[faces].sum(axis=1), faces, len(values))
    return np.where(n_corners > 0, sums / np.maximum(n_corners, 1), values)
