"""The voxels of a mask, as neighbours on a grid."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

Connectivity = Literal[6, 18, 26]

CONNECTIVITIES: tuple[int, ...] = get_args(Connectivity)


class VoxelGrid:
    """Neighbourhood of the voxels of a mask.

    Parameters
    ----------
    mask : array-like of bool of shape (nx, ny, nz)
        The voxels there are.

    connectivity : {6, 18, 26}, default=6
        Neighbours share a face (6), a face or an edge (18), or a face, an edge or a
        corner (26).

    Attributes
    ----------
    mask : ndarray of bool of shape (nx, ny, nz)
        The voxels there are. Arrays of voxels hold them in the C order of the mask.

    connectivity : int
        The number of neighbours of a voxel.

    Raises
    ------
    ValueError
        If the mask is not a three-dimensional array of booleans, or the connectivity is
        none of the three.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.graphs import VoxelGrid
    >>> grid = VoxelGrid(np.ones((1, 2, 2), dtype=bool), connectivity=6)
    >>> labels, n_components = grid.components([True, False, False, True])
    >>> labels.tolist(), n_components
    ([1, 0, 0, 2], 2)
    """

    def __init__(self, mask: ArrayLike, connectivity: Connectivity = 6) -> None:
        self.mask = np.asarray(mask)
        if self.mask.ndim != 3 or self.mask.dtype != bool:
            raise ValueError(
                "mask must be a three-dimensional array of booleans. "
                f"Got shape {self.mask.shape} of {self.mask.dtype}."
            )
        if connectivity not in CONNECTIVITIES:
            raise ValueError(f"connectivity must be 6, 18 or 26. Got {connectivity!r}.")
        self.connectivity = connectivity
        self._n_voxels = int(self.mask.sum())

    def components(self, selected: ArrayLike) -> tuple[np.ndarray, int]:
        """Return the connected components of the selected voxels.

        Parameters
        ----------
        selected : array-like of bool of shape (n_voxels,)
            Whether each voxel of the mask is selected.

        Returns
        -------
        labels : ndarray of int32 of shape (n_voxels,)
            1, 2, ... for the components, in the order of their first voxels; 0 for voxels
            that are not selected.

        n_components : int
            Number of components.

        Raises
        ------
        ValueError
            If the selection has another length than the mask has voxels.
        """
        selected = np.asarray(selected, dtype=bool)
        if selected.shape != (self._n_voxels,):
            raise ValueError(
                f"selected must have shape ({self._n_voxels},), one for each voxel of the mask. "
                f"Got shape {selected.shape}."
            )
        volume = np.zeros(self.mask.shape, dtype=bool)
        volume[self.mask] = selected
        structure = ndimage.generate_binary_structure(
            3, 1 + CONNECTIVITIES.index(self.connectivity)
        )
        labels, n_components = ndimage.label(volume, structure=structure)
        return labels[self.mask], n_components
