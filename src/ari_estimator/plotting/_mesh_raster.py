"""A picture of a mesh: which vertex each pixel shows.

Drawing each triangle as a path takes minutes and gigabytes for meshes of today. A picture of a few
hundred pixels needs the foremost triangle of each pixel, and the corner that is nearest there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Elevation and azimuth, in degrees, of the views of nilearn.
_VIEWS: dict[str, dict[str, tuple[float, float]]] = {
    "left": {"lateral": (0, 180), "medial": (0, 0)},
    "right": {"lateral": (0, 0), "medial": (0, 180)},
    "both": {"dorsal": (90, 0), "ventral": (270, 0), "anterior": (0, 90), "posterior": (0, 270)},
}

# Pixels of the longer side.
_N_PIXELS = 600

# Candidates of one step, so that memory stays small.
_AT_ONCE = 500_000

# A triangle is never larger than this power of 2, in pixels.
_MOST_POWERS = 16


class MeshRaster(NamedTuple):
    """Which vertex each pixel of a picture shows.

    Attributes
    ----------
    vertices : ndarray of int of shape (height, width)
        The vertex; -1 where there is no mesh.

    light : ndarray of shape (height, width)
        How much the surface faces the viewer, from 0 to 1.
    """

    vertices: np.ndarray
    light: np.ndarray


def angles_of(view: str | tuple[float, float], hemisphere: str) -> tuple[float, float]:
    """Return elevation and azimuth of a view, in degrees.

    Parameters
    ----------
    view : str or (float, float)
        A name, or the angles themselves.

    hemisphere : {"left", "right"}
        The hemisphere.

    Returns
    -------
    elevation, azimuth : float
        The angles, as in matplotlib.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    named = _VIEWS[hemisphere] | _VIEWS["both"]
    if isinstance(view, str):
        if view not in named:
            raise ValueError(
                f"views must be among {list(named)}, or pairs of angles. Got {view!r}."
            )
        return named[view]
    if np.shape(view) != (2,) or not np.isfinite(np.asarray(view, dtype=float)).all():
        raise ValueError(
            f"views must be names, or pairs of elevation and azimuth in degrees. Got {view!r}."
        )
    return float(view[0]), float(view[1])


def rasterise(
    points: np.ndarray, faces: np.ndarray, elevation: float, azimuth: float
) -> MeshRaster:
    """Return which vertex each pixel of a picture of a mesh shows.

    Parameters
    ----------
    points : ndarray of shape (n_vertices, 3)
        Coordinates.

    faces : ndarray of int of shape (n_faces, 3)
        The triangles.

    elevation, azimuth : float
        From where to look, in degrees.

    Returns
    -------
    raster : MeshRaster
        The picture. Each pixel shows the nearest corner of the foremost triangle.
    """
    el, az = np.deg2rad([elevation, azimuth])
    to_viewer = np.array([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)])
    to_right = np.array([-np.sin(az), np.cos(az), 0.0])
    to_top = np.cross(to_viewer, to_right)
    seen = np.asarray(points, dtype=np.float64) @ np.stack([to_right, -to_top, to_viewer], axis=1)
    low = seen[:, :2].min(axis=0)
    extent = seen[:, :2].max(axis=0) - low
    scale = (_N_PIXELS - 3) / (extent.max() or 1.0)
    seen[:, :2] -= low
    seen *= scale
    seen[:, :2] += 1
    width, height = np.ceil(extent * scale).astype(int) + 3
    faces = np.asarray(faces)
    corners = seen[faces]
    foremost = _foremost(corners, int(width), int(height))
    is_mesh = foremost >= 0
    face = foremost[is_mesh]
    y, x = np.nonzero(is_mesh)
    of_pixels = corners[face]
    apart = np.hypot(of_pixels[:, :, 0] - x[:, np.newaxis], of_pixels[:, :, 1] - y[:, np.newaxis])
    vertices = np.full(foremost.shape, -1)
    vertices[is_mesh] = faces[face, apart.argmin(axis=1)]
    normals = np.cross(of_pixels[:, 1] - of_pixels[:, 0], of_pixels[:, 2] - of_pixels[:, 0])
    lengths = np.linalg.norm(normals, axis=1) + np.finfo(float).tiny
    light = np.zeros(foremost.shape)
    light[is_mesh] = np.abs(normals[:, 2]) / lengths
    return MeshRaster(vertices, light)


def _foremost(corners: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the number of the foremost triangle of each pixel; -1 if there is none."""
    deepest = np.full(width * height, -np.inf)
    foremost = np.full(width * height, -1)
    a, b, c = corners[:, :, :2].transpose(1, 0, 2)
    first = np.ceil(np.minimum(np.minimum(a, b), c)).astype(int)
    spans = np.floor(np.maximum(np.maximum(a, b), c)).astype(int) - first + 1
    # Most triangles of a fine mesh lie between the pixels.
    has_pixels = np.flatnonzero((spans[:, 0] > 0) & (spans[:, 1] > 0))
    # Triangles of about the same size together, so that each step is one of numpy's.
    powers = np.ceil(np.log2(spans[has_pixels])).astype(int)
    sizes = powers[:, 0] * _MOST_POWERS + powers[:, 1]
    for size in np.flatnonzero(np.bincount(sizes)):
        of_size = has_pixels[sizes == size]
        wide, high = 2 ** (size // _MOST_POWERS), 2 ** (size % _MOST_POWERS)
        step = max(1, _AT_ONCE // (wide * high))
        dx, dy = (grid.ravel() for grid in np.meshgrid(np.arange(wide), np.arange(high)))
        for start in range(0, of_size.size, step):
            few = of_size[start : start + step]
            _keep_foremost(corners[few], first[few], dx, dy, few, width, deepest, foremost)
    return foremost.reshape(height, width)


def _keep_foremost(
    corners: np.ndarray,
    first: np.ndarray,
    dx: np.ndarray,
    dy: np.ndarray,
    numbers: np.ndarray,
    width: int,
    deepest: np.ndarray,
    foremost: np.ndarray,
) -> None:
    """Put triangles into the picture, where nothing is in front of them."""
    x = first[:, :1] + dx
    y = first[:, 1:] + dy
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners.transpose(1, 2, 0)[..., np.newaxis]
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    # A triangle seen from its edge has no area.
    area = np.where(area == 0, np.nan, area)
    b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
    c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
    # A little more than inside, so that no pixel falls between two triangles.
    inside = (b >= -1e-9) & (c >= -1e-9) & (b + c <= 1 + 1e-9)
    depth = (az + b * (bz - az) + c * (cz - az))[inside]
    pixels = (y * width + x)[inside]
    triangles = np.broadcast_to(numbers[:, np.newaxis], inside.shape)[inside]
    is_front = depth > deepest[pixels]
    depth, pixels, triangles = depth[is_front], pixels[is_front], triangles[is_front]
    order = np.argsort(depth)
    # numpy keeps the last of several values for one pixel, which is the foremost.
    deepest[pixels[order]] = depth[order]
    foremost[pixels[order]] = triangles[order]
