"""Meshes, and smooth noise on them."""

from __future__ import annotations

import numpy as np
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from scipy.sparse import csr_array, diags_array, eye_array

HEMISPHERES = ("left", "right")


def icosphere(n_subdivisions: int) -> InMemoryMesh:
    """Return a sphere as FreeSurfer makes it, from an icosahedron; 7 times is fsaverage."""
    golden = (1 + 5**0.5) / 2
    # Rectangles of golden proportions, one in each plane of two axes.
    points = np.array([(0, a, b) for a in (-1, 1) for b in (-golden, golden)])
    points = np.concatenate([np.roll(points, shift, axis=1) for shift in range(3)])
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    near = (distances > 0) & (distances < 2.1)
    faces = np.argwhere(near[:, :, None] & near[:, None, :] & near)
    faces = faces[(np.diff(faces) > 0).all(axis=1)]
    for _ in range(n_subdivisions):
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]))
        edges, numbers = np.unique(edges @ [len(points), 1], return_inverse=True)
        low, high = np.divmod(edges, len(points))
        (a, b, c), (ab, bc, ca) = faces.T, len(points) + numbers.reshape(3, -1)
        points = np.concatenate([points, (points[low] + points[high]) / 2])
        faces = np.concatenate(
            [np.column_stack(f) for f in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
        )
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return InMemoryMesh(100 * points.astype(np.float32), faces.astype(np.int32))


def adjacency(mesh: InMemoryMesh) -> csr_array:
    """Return 1 for each pair of neighbours in a mesh."""
    a, b, c = np.asarray(mesh.faces).T
    rows, columns = np.concatenate([a, b, c, b, c, a]), np.concatenate([b, c, a, a, b, c])
    matrix = csr_array((np.ones(rows.size), (rows, columns)), shape=(mesh.n_vertices,) * 2)
    matrix.data[:] = 1
    return matrix


def smoother(neighbours: csr_array) -> csr_array:
    """Return the matrix that replaces each vertex by the mean of itself and its neighbours."""
    matrix = csr_array(neighbours + eye_array(neighbours.shape[0]))
    return csr_array(diags_array(1 / matrix.sum(axis=1)) @ matrix)


def z_map(mesh: PolyMesh, smoothing: int, seed: int = 0) -> SurfaceImage:
    """Return noise of unit variance after so many rounds of smoothing, with some activation."""
    rng = np.random.default_rng(seed)
    data = {}
    for name, part in mesh.parts.items():
        matrix = smoother(adjacency(part))
        noise = rng.standard_normal(part.n_vertices)
        for _ in range(smoothing):
            noise = matrix @ noise
        signal = (rng.random(part.n_vertices) > 0.9998).astype(float)
        for _ in range(50):
            signal = matrix @ signal
        data[name] = noise / noise.std() + 8 * signal / signal.max()
    return SurfaceImage(mesh, data)
