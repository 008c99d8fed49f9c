"""The parcels of a CIFTI file, as labels of grayordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis, LabelAxis, ParcelsAxis

_BLACK = (0.0, 0.0, 0.0, 1.0)

# What Workbench calls the label of no parcel, without a colour.
_NOTHING = ("???", (0.0, 0.0, 0.0, 0.0))


def parcels_of(img: Cifti2Image) -> ParcelsAxis | None:
    """Return the parcels of a file that has maps of parcels; None of all other files.

    Parameters
    ----------
    img : Cifti2Image
        Any CIFTI image.

    Returns
    -------
    parcels : ParcelsAxis or None
        The parcels of a pscalar or ptseries file.
    """
    if img.ndim != 2:
        return None
    kinds = [img.header.matrix.get_index_map(i).indices_map_to_data_type for i in range(2)]
    if kinds[0] not in ("CIFTI_INDEX_TYPE_SCALARS", "CIFTI_INDEX_TYPE_SERIES"):
        return None
    if kinds[1] != "CIFTI_INDEX_TYPE_PARCELS":
        return None
    return img.header.get_axis(1)


def labels_of_parcels(parcels: ParcelsAxis) -> Cifti2Image:
    """Return parcels as a dlabel image of all grayordinates that are in one.

    Parameters
    ----------
    parcels : ParcelsAxis
        The parcels.

    Returns
    -------
    img : Cifti2Image
        The labels are 1, 2, ... in the order of the parcels, with their names.

    Raises
    ------
    ValueError
        If a grayordinate is in two parcels, if no parcel has any, or a vertex is below 0.
    """
    names: list[np.ndarray] = []
    vertices: list[np.ndarray] = []
    voxels: list[np.ndarray] = []
    labels: list[np.ndarray] = []

    def add(label: int, structure: str, vertex: np.ndarray, voxel: np.ndarray) -> None:
        n = max(len(vertex), len(voxel))
        names.append(np.full(n, structure))
        vertices.append(vertex if len(vertex) else np.full(n, -1))
        voxels.append(voxel if len(voxel) else np.full((n, 3), -1))
        labels.append(np.full(n, label))

    nothing = np.empty(0, dtype=int), np.empty((0, 3), dtype=int)
    described: Any = parcels  # which can be gone through, but does not say so
    for label, (_, of_parcel, on_surfaces) in enumerate(described, 1):
        for structure, vertex in on_surfaces.items():
            if len(vertex) and np.min(vertex) < 0:
                raise ValueError(
                    f"labels_img must have vertices counted from 0. Got {np.min(vertex)} in the "
                    f"parcel {str(parcels.name[label - 1])!r}."
                )
            add(label, structure, np.asarray(vertex, dtype=int), nothing[1])
        if len(of_parcel):
            # A parcel does not say which structure its voxels are of.
            add(label, "CIFTI_STRUCTURE_OTHER", nothing[0], np.asarray(of_parcel, dtype=int))
    if not names:
        raise ValueError(
            f"labels_img must have grayordinates in its parcels. Got {len(parcels)} parcels "
            "without any."
        )
    name, vertex = np.concatenate(names), np.concatenate(vertices)
    voxel, label_of = np.vstack(voxels), np.concatenate(labels)
    order = np.argsort(name, kind="stable")
    places = np.column_stack([np.unique(name, return_inverse=True)[1], vertex, voxel])
    if len(np.unique(places, axis=0)) < len(places):
        raise ValueError("labels_img must have each grayordinate in one parcel at most.")
    axis = BrainModelAxis(
        name[order],
        voxel=voxel[order],
        vertex=vertex[order],
        affine=parcels.affine,
        volume_shape=parcels.volume_shape,
        nvertices=parcels.nvertices,
    )
    table = {0: _NOTHING} | {k: (str(n), _BLACK) for k, n in enumerate(parcels.name, 1)}
    return Cifti2Image(
        label_of[order][np.newaxis].astype(np.int32), (LabelAxis(["parcels"], table), axis)
    )
