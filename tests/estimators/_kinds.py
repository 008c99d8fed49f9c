"""Kinds of images that every test of the contract runs on: volumes, surfaces, CIFTI images."""

from functools import cached_property

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage


def sheet(n_rows, n_columns, x=0.0):
    """Return a bumpy rectangle of triangles, in single precision as files have it."""
    grid = np.arange(n_rows * n_columns).reshape(n_rows, n_columns)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    i, j = np.indices((n_rows, n_columns)).reshape(2, -1)
    points = np.column_stack([x + 2.0 * i + 0.1 * j, 3.0 * j, np.sin(2 * i + j)])
    return InMemoryMesh(points.astype("float32"), faces)


class Kind:
    """Images of one kind on one grid or mesh.

    Values are given and returned as arrays, with an element for each voxel or vertex.
    """

    masker = None  # nilearn's masker of this kind
    suffix = None  # of a file
    parameters = {}  # noqa: RUF012  what a transformer needs to know

    def image(self, values):
        """Return an image of one map of shape (n,), or of several of shape (n_maps, n)."""
        raise NotImplementedError

    def values(self, img):
        """Return the values of an image, of shape (n_maps, n)."""
        raise NotImplementedError

    @property
    def other_image(self):
        """Return a map on another grid or mesh."""
        raise NotImplementedError

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
        return self.image(np.maximum(1 - 2 * near, 0))

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
        forms = {"image": self.mask_img, "floats": self.image(2.5 * self.mask)}
        if self.masker:
            forms["masker"] = self.masker(self.mask_img, standardize=None)
            forms["fitted masker"] = self.masker(self.mask_img, standardize=None).fit()
        if self.suffix:
            forms["path"] = self.save(self.mask_img, folder / "mask")
            forms["name of a file"] = str(forms["path"])
        return forms

    def save(self, img, path):
        path = path.with_name(path.name + self.suffix)
        nib.save(img, path)
        return path


class Volumes(Kind):
    name, element, masker, suffix = "volume", "voxel", NiftiMasker, ".nii.gz"
    shape, n = (6, 7, 8), 336
    affine = np.array([[-3.0, 0, 0, 12], [0, 2, 0, -7], [0, 0, 4, 5], [0, 0, 0, 1]])

    def image(self, values, affine=None):
        values = np.asarray(values)
        grid = values.reshape(*values.shape[:-1], *self.shape)
        data = grid if values.ndim == 1 else np.moveaxis(grid, 0, -1)
        return Nifti1Image(data, self.affine if affine is None else affine, dtype=data.dtype)

    def values(self, img):
        return get_data(img).reshape(self.n, -1).T

    @property
    def other_image(self):
        return Nifti1Image(get_data(self.image(self.z()))[1:], self.affine)


class Surfaces(Kind):
    name, element, masker = "surface", "vertex", SurfaceMasker
    mesh = PolyMesh(left=sheet(9, 8, -30), right=sheet(7, 8, 20))
    n, n_left = 128, 72

    def image(self, values, mesh=None):
        data = np.asarray(values).T
        parts = {"left": data[: self.n_left].copy(), "right": data[self.n_left :].copy()}
        return SurfaceImage(mesh or self.mesh, parts)

    def values(self, img):
        return np.concatenate([v.reshape(len(v), -1) for v in img.data.parts.values()]).T

    @property
    def other_image(self):
        mesh = PolyMesh(left=sheet(8, 9), right=self.mesh.parts["right"])
        return self.image(self.z(), mesh)


class Cifti(Kind):
    name, element, suffix = "CIFTI image", "grayordinate", ".dscalar.nii"
    mesh = Surfaces.mesh
    parameters = {"mesh": mesh}  # noqa: RUF012
    # Not in the file: the vertices that are left out cut the meshes, as the medial wall does.
    left_out = (3, 17, 40)

    @cached_property
    def axis(self):
        """Return the right cortex from its last vertex on, a grid of voxels, the left cortex."""
        right, left = (
            BrainModelAxis.from_surface(np.setdiff1d(np.arange(n), self.left_out)[::step], n, name)
            for n, step, name in ((56, -1, "CortexRight"), (72, 1, "CortexLeft"))
        )
        voxels = np.argwhere(np.ones((3, 3, 3), dtype=bool))
        volume = BrainModelAxis(
            np.full(27, "CIFTI_STRUCTURE_THALAMUS_LEFT"),
            voxel=voxels,
            affine=np.diag([2.0, 2, 2, 1]),
            volume_shape=(3, 3, 3),
        )
        return right + volume + left

    @property
    def n(self):
        return len(self.axis)

    def image(self, values, axis=None):
        rows = np.atleast_2d(values)
        names = ScalarAxis([f"map {i}" for i in range(len(rows))])
        return Cifti2Image(rows, (names, self.axis if axis is None else axis))

    def values(self, img):
        return np.asarray(img.dataobj)

    @property
    def other_image(self):
        return self.image(self.z()[1:], self.axis[1:])


KINDS = {kind.name: kind for kind in (Volumes(), Surfaces(), Cifti())}
