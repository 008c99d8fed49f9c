"""Kinds of images that every test of the contract runs on: volumes, surfaces, CIFTI images."""

import itertools
from abc import ABC, abstractmethod
from functools import cached_property

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.image import get_data
from nilearn.maskers import (
    NiftiLabelsMasker,
    NiftiMapsMasker,
    NiftiMasker,
    SurfaceLabelsMasker,
    SurfaceMapsMasker,
    SurfaceMasker,
)
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from scipy.linalg import block_diag
from scipy.sparse.csgraph import connected_components

# How many coordinates may differ between neighbours.
N_CHANGES = {6: 1, 18: 2, 26: 3}


def sheet(n_rows, n_columns, x=0.0):
    """Return a bumpy rectangle of triangles, in single precision as files have it."""
    grid = np.arange(n_rows * n_columns).reshape(n_rows, n_columns)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    i, j = np.indices((n_rows, n_columns)).reshape(2, -1)
    points = np.column_stack([x + 2.0 * i + 0.1 * j, 3.0 * j, np.sin(2 * i + j)])
    return InMemoryMesh(points.astype("float32"), faces)


def edges_of(faces, n_vertices):
    """Return which vertices share an edge, a matrix of bool."""
    joined = np.zeros((n_vertices, n_vertices), dtype=bool)
    for one, other in itertools.permutations(range(3), 2):
        joined[faces[:, one], faces[:, other]] = True
    return joined


def triangle_areas(mesh):
    """Return the area of each triangle by the lengths of its sides."""
    corners = np.asarray(mesh.coordinates, dtype=float)[np.asarray(mesh.faces)]
    a, b, c = (np.linalg.norm(corners[:, i] - corners[:, i - 1], axis=1) for i in range(3))
    s = (a + b + c) / 2
    return np.sqrt(np.maximum(s * (s - a) * (s - b) * (s - c), 0))


def vertex_areas(mesh):
    """Return a third of all triangles at each vertex."""
    areas = np.zeros(mesh.n_vertices)
    for face, area in zip(np.asarray(mesh.faces), triangle_areas(mesh), strict=True):
        areas[face] += area / 3
    return areas


def are_close(voxels, connectivity):
    """Return which voxels are neighbours, a matrix of bool."""
    steps = np.abs(voxels[:, np.newaxis] - voxels)
    return (steps.max(-1) == 1) & (steps.sum(-1) <= N_CHANGES[connectivity])


def components(selected, neighbours):
    """Return the selected elements of each connected component."""
    inside = np.flatnonzero(selected)
    n_components, labels = connected_components(neighbours[np.ix_(inside, inside)])
    return [inside[labels == i] for i in range(n_components)]


class Kind(ABC):
    """Images of one kind on one grid or mesh.

    Values are given and returned as arrays, with an element for each voxel or vertex.
    """

    # nilearn's maskers of this kind.
    masker = labels_masker = maps_masker = None
    suffix = None  # of a file
    parameters = {}  # what a transformer needs beside the mask

    @abstractmethod
    def image(self, values):
        """Return an image of one map of shape (n,), or of several of shape (n_maps, n)."""

    @abstractmethod
    def values(self, img):
        """Return the values of an image, of shape (n_maps, n)."""

    @abstractmethod
    def neighbours(self, connectivity=6):
        """Return which elements are neighbours, a matrix of bool: pair by pair, and slow."""

    @property
    @abstractmethod
    def other_image(self):
        """Return a map on another grid or mesh."""

    @property
    @abstractmethod
    def coordinates(self):
        """Return where each element is in mm, of shape (n, 3)."""

    @property
    @abstractmethod
    def sizes(self):
        """Return the size of each element, by the column of a table."""

    def place(self, element):
        """Return what a table says of where a peak is, beside its coordinates."""
        return {}

    @abstractmethod
    def indices(self, members):
        """Return the indices by which users name elements."""

    @property
    def columns(self):
        """Return the columns of a table of clusters."""
        plural = {"vertex": "vertices"}.get(self.element, f"{self.element}s")
        counts = [f"n_{plural}", *self.sizes, "true_discoveries", "tdp", "peak_stat"]
        places = [*self.place(0), "peak_x", "peak_y", "peak_z"]
        return ["cluster_id", "threshold", "direction", *counts, *places]

    @cached_property
    def mask(self):
        return np.random.default_rng(7).random(self.n) < 0.85

    @property
    def mask_img(self):
        return self.image(self.mask.astype("uint8"))

    def z(self, seed=0):
        """Return noise and three effects, one of them negative."""
        z = 0.9 * np.random.default_rng(seed).standard_normal(self.n)
        strength = (3.5, 5.0, 2.5)[seed % 3]
        first, last, small = (
            slice(int(a * self.n), int(b * self.n)) for a, b in ((0.1, 0.3), (0.45, 0.6), (0.9, 1))
        )
        z[first] += strength
        z[last] -= strength
        z[small] += 4
        return z

    @property
    def labels(self):
        """Return labels of three regions."""
        labels = np.zeros(self.n, dtype="int32")
        for label, (a, b) in {40: (0.05, 0.35), 3: (0.4, 0.7), 7: (0.75, 1)}.items():
            labels[int(a * self.n) : int(b * self.n)] = label
        return labels

    @property
    def labels_img(self):
        return self.image(self.labels)

    @property
    def overlapping_img(self):
        """Return the probabilities of three regions that overlap."""
        near = np.abs(np.arange(self.n) / self.n - [[0.2], [0.4], [0.8]])
        return self.image(np.maximum(1 - 3 * near, 0))

    def rows(self, output, mask=None):
        """Return what a transformer returned in the mask, with a row for each map."""
        mask = self.mask if mask is None else mask
        if isinstance(output, list):
            return np.concatenate([self.rows(one, mask) for one in output])
        if isinstance(output, (np.ndarray, pd.DataFrame)):
            return np.atleast_2d(output)
        values = self.values(output)
        assert not values[:, ~mask].any()
        return values[:, mask]

    def masks(self, folder):
        """Return the mask in each form that it may have, by the name of the form."""
        mask_img = self.mask_img
        forms = {
            "image": mask_img,
            "floats": self.image(2.5 * self.mask),
            "negative": self.image(-1.0 * self.mask),
            "NaN elsewhere": self.image(np.where(self.mask, 1.0, np.nan)),
            "image of one of several maps": self.image(self.mask[np.newaxis].astype("uint8")),
        }
        if self.masker:
            forms["masker"] = self.masker(mask_img, standardize=None)
            forms["fitted masker"] = self.masker(mask_img, standardize=None).fit()
        if self.suffix:
            forms["path"] = self.save(mask_img, folder / "mask")
            forms["name of a file"] = str(forms["path"])
        if self.masker and self.suffix:
            forms["masker of a file"] = self.masker(forms["name of a file"], standardize=None)
        return forms

    def save(self, img, path):
        path = path.with_name(path.name + self.suffix)
        nib.save(img, path)
        return path


class Volumes(Kind):
    # As CIFTI files, some volumes have a second suffix that begins with a d.
    name, element, suffix = "volume", "voxel", ".data.nii"
    masker, labels_masker, maps_masker = NiftiMasker, NiftiLabelsMasker, NiftiMapsMasker
    shape, n = (6, 7, 8), 336
    affine = np.array([[-3.0, 0, 0, 12], [0, 2, 0, -7], [0, 0, 4, 5], [0, 0, 0, 1]])

    def image(self, values):
        values = np.asarray(values)
        grid = values.reshape(*values.shape[:-1], *self.shape)
        data = grid if values.ndim == 1 else np.moveaxis(grid, 0, -1)
        return Nifti1Image(data, self.affine, dtype=data.dtype)

    def values(self, img):
        return get_data(img).reshape(self.n, -1).T

    def neighbours(self, connectivity=6):
        return are_close(self.indices(np.ones(self.n)), connectivity)

    @property
    def coordinates(self):
        return apply_affine(self.affine, self.indices(np.ones(self.n)))

    @property
    def sizes(self):
        return {"size_mm3": np.full(self.n, 24.0)}

    def indices(self, members):
        return np.argwhere(members.reshape(self.shape))

    @property
    def other_image(self):
        return Nifti1Image(get_data(self.image(self.z()))[1:], self.affine)


class Surfaces(Kind):
    name, element = "surface", "vertex"
    masker, labels_masker, maps_masker = SurfaceMasker, SurfaceLabelsMasker, SurfaceMapsMasker
    mesh = PolyMesh(left=sheet(9, 8, -30), right=sheet(7, 8, 20))
    n = 128

    def image(self, values):
        data = np.asarray(values).T
        return SurfaceImage(self.mesh, {"left": data[:72].copy(), "right": data[72:].copy()})

    def values(self, img):
        return np.concatenate([v.reshape(len(v), -1) for v in img.data.parts.values()]).T

    def neighbours(self, connectivity=6):
        left, right = (edges_of(p.faces, p.n_vertices) for p in self.mesh.parts.values())
        return block_diag(left, right)

    @property
    def coordinates(self):
        return np.concatenate([part.coordinates for part in self.mesh.parts.values()])

    @property
    def sizes(self):
        areas = [vertex_areas(part) for part in self.mesh.parts.values()]
        return {"size_mm2": np.concatenate(areas)}

    def place(self, element):
        side, vertex = ("left", element) if element < 72 else ("right", element - 72)
        return {"peak_hemisphere": side, "peak_vertex": vertex}

    def indices(self, members):
        return {"left": np.flatnonzero(members[:72]), "right": np.flatnonzero(members[72:])}

    @property
    def other_image(self):
        mesh = PolyMesh(left=sheet(8, 8), right=self.mesh.parts["right"])
        return SurfaceImage(mesh, {"left": self.z()[:64], "right": self.z()[72:]})


class Cifti(Kind):
    """Parts of both cortices, and two structures side by side in a grid; in no order."""

    name, element, suffix = "CIFTI image", "grayordinate", ".dscalar.nii"
    mesh = Surfaces.mesh
    parameters = {"mesh": mesh}
    # Rotated axes, voxels of 2 x 2.5 x 3 mm, the first axis from right to left.
    affine = np.array(
        [[-1.92, 0.7, 0, 12], [0.56, 2.4, 0, -9], [0, 0, 3, 4], [0, 0, 0, 1]], dtype=float
    )
    shape = (4, 5, 4)
    # Not in the file: the vertices that are left out cut the meshes, as the medial wall does.
    left_out = (3, 17, 26, 40)

    @cached_property
    def ordered_axis(self):
        """Return the grayordinates in the usual order, the cortex first."""
        left, right = (
            BrainModelAxis.from_surface(np.setdiff1d(np.arange(n), self.left_out), n, name=name)
            for n, name in ((72, "CortexLeft"), (56, "CortexRight"))
        )
        voxels = np.argwhere(np.ones(self.shape))
        voxels = voxels[np.abs(voxels - [1.5, 2, 1.5]).sum(axis=1) < 4.4]
        is_first = voxels[:, 0] < 2
        first, second = (
            BrainModelAxis(
                np.full(len(ijk), f"CIFTI_STRUCTURE_THALAMUS_{side}"),
                voxel=ijk,
                affine=self.affine,
                volume_shape=self.shape,
            )
            for ijk, side in ((voxels[is_first], "LEFT"), (voxels[~is_first], "RIGHT"))
        )
        return left + right + first + second

    @cached_property
    def order(self):
        """Return where each grayordinate is in the usual order: structures, then shuffled."""
        rng = np.random.default_rng(3)
        names = self.ordered_axis.name
        structures = list(dict.fromkeys(names))
        shuffled = [structures[i] for i in (1, 3, 0, 2)]
        return np.concatenate([rng.permutation(np.flatnonzero(names == s)) for s in shuffled])

    @cached_property
    def axis(self):
        return self.ordered_axis[self.order]

    @property
    def n(self):
        return len(self.ordered_axis)

    def z(self, seed=0):
        return super().z(seed)[self.order]

    @property
    def labels(self):
        return super().labels[self.order]

    def image(self, values, axis=None):
        rows = np.atleast_2d(values)
        names = ScalarAxis([f"map {i}" for i in range(len(rows))])
        return Cifti2Image(rows, (names, self.axis if axis is None else axis))

    def values(self, img):
        return np.asarray(img.dataobj)

    @cached_property
    def vertices(self):
        """Return which vertex of the surfaces each grayordinate is, where it is one."""
        is_right = self.axis.name == "CIFTI_STRUCTURE_CORTEX_RIGHT"
        return np.where(self.axis.surface_mask, self.axis.vertex + 72 * is_right, -1)

    def neighbours(self, connectivity=6):
        on_mesh, in_grid = self.axis.surface_mask, self.axis.volume_mask
        vertices = self.vertices[on_mesh]
        joined = np.zeros((self.n, self.n), dtype=bool)
        joined[np.ix_(on_mesh, on_mesh)] = Surfaces().neighbours()[np.ix_(vertices, vertices)]
        joined[np.ix_(in_grid, in_grid)] = are_close(self.axis.voxel[in_grid], connectivity)
        return joined

    @property
    def coordinates(self):
        in_grid = self.axis.volume_mask
        xyz = Surfaces().coordinates[self.vertices].astype(float)
        xyz[in_grid] = apply_affine(self.affine, self.axis.voxel[in_grid])
        return xyz

    @property
    def sizes(self):
        in_grid = self.axis.volume_mask
        areas = Surfaces().sizes["size_mm2"][self.vertices]
        volume = abs(np.linalg.det(self.affine[:3, :3]))
        return {"size_mm2": np.where(in_grid, 0, areas), "size_mm3": volume * in_grid}

    def place(self, element):
        structure = self.axis.name[element].removeprefix("CIFTI_STRUCTURE_")
        vertex = None if self.axis.volume_mask[element] else self.axis.vertex[element]
        return {"peak_structure": structure, "peak_vertex": vertex}

    def indices(self, members):
        return np.flatnonzero(members)

    @property
    def other_image(self):
        return self.image(self.z()[1:], self.axis[1:])


KINDS = {kind.name: kind for kind in (Volumes(), Surfaces(), Cifti())}
