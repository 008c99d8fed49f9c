"""Voxels of a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from nibabel.affines import apply_affine
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from ari_estimator._blocks import blocks
from ari_estimator.graphs import VoxelGrid
from ari_estimator.graphs._voxel_grid import Connectivity, places_of
from ari_estimator.images._grayordinates import GRAYORDINATES
from ari_estimator.images._mask_array import restricted


@dataclass(frozen=True)
class VolumePart:
    """Voxels of a grid.

    Attributes
    ----------
    mask : ndarray of bool of shape (nx, ny, nz)
        The voxels there are; arrays hold them in C order.

    affine : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    structures : ndarray of str of shape (n_elements,), or None
        Anatomical structure of each voxel, where the image tells.
    """

    mask: np.ndarray
    affine: np.ndarray
    structures: np.ndarray | None = None

    size_unit = "mm3"

    @cached_property
    def n_elements(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.mask))

    @property
    def element_name(self) -> tuple[str, str]:
        """What an element is called, and what several are."""
        return ("voxel", "voxels") if self.structures is None else GRAYORDINATES

    def restrict(self, kept: np.ndarray) -> VolumePart:
        """Return the part of some of its voxels."""
        structures = None if self.structures is None else self.structures[kept]
        return replace(self, mask=restricted(self.mask, kept), structures=structures)

    def graph(self, connectivity: Connectivity) -> VoxelGrid:
        """Return the graph of neighbours."""
        return VoxelGrid(self.mask, connectivity)

    @cached_property
    def orientation(self) -> np.ndarray:
        """Which way the axes run, as nibabel says it: a row of (axis of mm, 1 or -1) for each."""
        return io_orientation(self.affine)

    def turned(self) -> tuple[VolumePart, np.ndarray]:
        """Return the part on a grid whose axes run as x, y and z do, see :meth:`Space.turned`."""
        order = np.arange(self.n_elements, dtype=np.int32)
        if not self._is_turned:
            return self, order
        # What is empty around the mask has no numbers.
        around = VoxelGrid(self.mask).box
        numbers = np.full(self.mask[around].shape, -1, dtype=np.int32)
        numbers[self.mask[around]] = order
        numbers = apply_orientation(numbers, self.orientation)
        order = numbers[numbers >= 0]
        affine = self.affine @ inv_ornt_aff(self.orientation, self.mask.shape)
        structures = None if self.structures is None else self.structures[order]
        return VolumePart(apply_orientation(self.mask, self.orientation), affine, structures), order

    @cached_property
    def _is_turned(self) -> bool:
        """Whether some axis does not run as x, y or z does."""
        axes, signs = self.orientation.T
        # nibabel reports NaN for an axis without a direction.
        is_known = not np.isnan(axes).any()
        return is_known and not ((axes == (0, 1, 2)).all() and (signs == 1).all())

    def ranks_of(self, elements: np.ndarray) -> np.ndarray:
        """Return where voxels come in the order of :meth:`turned`, see :meth:`Space.ranks_of`."""
        flat = places_of(self.mask, elements)
        if not self._is_turned:
            return flat
        voxels = np.unravel_index(flat, self.mask.shape)
        places, shape = [flat] * 3, [0] * 3
        for voxel, length, (axis, sign) in zip(
            voxels, self.mask.shape, self.orientation, strict=True
        ):
            places[int(axis)] = voxel if sign > 0 else length - 1 - voxel
            shape[int(axis)] = length
        return np.ravel_multi_index(tuple(places), tuple(shape))

    def coordinates(self) -> np.ndarray:
        """Return the centre of each voxel in mm, an array of shape (n_elements, 3)."""
        return apply_affine(self.affine, np.argwhere(self.mask))

    @property
    def _voxel_size(self) -> float:
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    def element_sizes(self) -> np.ndarray:
        """Return the volume of each voxel in mm3, an array of shape (n_elements,)."""
        return np.full(self.n_elements, self._voxel_size)

    def sizes(self, elements: np.ndarray | slice, labels: np.ndarray, n_labels: int) -> np.ndarray:
        """Return the volume of the voxels of each label in mm3."""
        # One product, not a sum of volumes, which would round.
        counts = np.zeros(n_labels, dtype=np.intp)
        for block in blocks(labels.size):
            counts += np.bincount(labels[block], minlength=n_labels)
        return counts * self._voxel_size

    def locate(self, elements: np.ndarray) -> dict[str, np.ndarray]:
        """Say where voxels are, see :meth:`Space.locate`: structure, if the image tells, and mm."""
        flat = places_of(self.mask, elements)
        xyz = apply_affine(self.affine, np.column_stack(np.unravel_index(flat, self.mask.shape)))
        named = {} if self.structures is None else {"structure": self.structures[elements]}
        return {**named, **dict(zip("xyz", xyz.T, strict=True))}
