"""The edges of a triangle mesh, for the graphs of all masks on it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from ari_estimator.graphs._graph import link


class MeshLinks:
    """The edges of a triangle mesh.

    They depend on the triangles alone, so all graphs of a mesh share them.

    Parameters
    ----------
    faces : array-like of int of shape (n_faces, 3)
        The vertices of each triangle.

    n_vertices : int
        Number of vertices.

    Attributes
    ----------
    faces : ndarray of int32 of shape (n_faces, 3)
        The vertices of each triangle.

    n_vertices : int
        Number of vertices.

    Raises
    ------
    ValueError
        If the faces are not triples of vertices.
    """

    def __init__(self, faces: ArrayLike, n_vertices: int) -> None:
        self.faces = _check_faces(faces, n_vertices)
        self.n_vertices = n_vertices

    @cached_property
    def upward(self) -> csr_array:
        """Each edge once, in the row of its lower vertex, in ascending order."""
        corners = self.faces.T
        # From each corner of a face to the next.
        following = np.roll(corners, -1, axis=0)
        low = np.minimum(corners, following).ravel()
        high = np.maximum(corners, following).ravel()
        if (is_point := low == high).any():
            low, high = low[~is_point], high[~is_point]
        links = link(low, high, self.n_vertices)
        # Most edges are in two faces.
        links.has_canonical_format = False
        links.sum_duplicates()
        return links

    @cached_property
    def both_ways(self) -> csr_array:
        """Each edge in the rows of both vertices."""
        upward = self.upward.tocoo()
        low, high = upward.row, upward.col
        return link(np.concatenate([low, high]), np.concatenate([high, low]), self.n_vertices)


def _check_faces(faces: ArrayLike, n_vertices: int) -> np.ndarray:
    """Return faces as an array of int32 of shape (n_faces, 3)."""
    faces = np.asarray(faces)
    if faces.shape in ((0,), (0, 3)):  # an empty list is an array of floats, for numpy
        return np.empty((0, 3), dtype=np.int32)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise ValueError(
            "faces must be an array of integers of shape (n_faces, 3). "
            f"Got shape {faces.shape} of {faces.dtype}."
        )
    if faces.min() < 0 or faces.max() >= n_vertices:
        raise ValueError(
            f"faces must hold numbers of the {n_vertices} vertices that mask has, from 0. "
            f"Got numbers from {faces.min()} to {faces.max()}."
        )
    return faces.astype(np.int32, copy=False)
