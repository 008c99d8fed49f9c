"""Volumes of other formats than NIfTI, and files that only look like volumes."""

from __future__ import annotations

import math
import os
import warnings
from glob import glob
from pathlib import Path
from typing import Any

from nibabel import Nifti1Header, Nifti1Image, Nifti1Pair
from nibabel.analyze import AnalyzeHeader
from nibabel.gifti.gifti import GiftiImage
from nibabel.orientations import aff2axcodes
from nibabel.spatialimages import HeaderDataError, SpatialImage

from ari_estimator.files._given_path import given_path
from ari_estimator.images._grid import check_affine
from ari_estimator.images._image_file import load_image
from ari_estimator.images._reading_errors import clear_errors

# Numbers of vertices of a hemisphere, on the meshes that programs share.
_MESHES = {
    642: "fsaverage3",
    2562: "fsaverage4",
    10242: "fsaverage5",
    32492: "fsLR 32k",
    40962: "fsaverage6",
    59292: "fsLR 59k",
    163842: "fsaverage",
}

_READ_SURFACE = (
    "Pass a nilearn SurfaceImage, which has the values with the mesh of each hemisphere: "
    "ari_estimator.interfaces.read_surface makes one of files, and read_surface_atlas one of "
    "labels. In the shell, pass the file of each hemisphere (.mgh, .mgz, .nii.gz or .gii) with "
    "--mesh for each."
)

# The message about a GIfTI file that is given as a map.
NEEDS_MESH = f"The file of a hemisphere has no mesh. {_READ_SURFACE}"

# A longer row of voxels is a surface. Shorter ones may be tests.
_LONGEST_ROW = 641

# FreeSurfer cuts a long row in some files, but not into pieces as short as this.
_SHORTEST_PIECE = 1000


def as_nifti(img: Any) -> Any:
    """Return a volume of another format, or its file, as a NIfTI image.

    Parameters
    ----------
    img : image, path, or anything else
        What a user gives as a volume.

    Returns
    -------
    img : Nifti1Image, or what was given
        An image of MGH, Analyze and other formats of nibabel as NIfTI, with the data where they
        are, and with its file. Paths to NIfTI files and all else are returned as they are.

    Raises
    ------
    IsADirectoryError
        If it is a folder.
    TypeError
        If it is a GIfTI image or its file, which has no mesh with its values.
    ValueError
        If the file is not an image, is damaged, or is not a file on a disk. If the image is a
        surface.
    """
    if isinstance(img, (str, Path)):
        # nilearn takes patterns of names, too, and the folder of a user.
        path = given_path(img, "An image")
        paths: list[Any] = [path] if os.path.lexists(path) else glob(str(path))
        loaded = [load_image(path, "An image") for path in paths]
        for one, file in zip(loaded, paths, strict=True):
            refuse_gifti(one, file)
        if path.name.endswith((".nii", ".nii.gz")) or len(loaded) != 1:
            return img
        return as_nifti(loaded[0]) if isinstance(loaded[0], SpatialImage) else img
    if isinstance(img, Nifti1Image):
        return img
    refuse_gifti(img)
    if not isinstance(img, SpatialImage):
        return img
    refuse_surface(img.shape)  # NIfTI has no room for some of them
    header = img.header if isinstance(img, Nifti1Pair) else None
    affine = img.header.get_best_affine() if img.affine is None else img.affine
    check_affine(affine, img)
    with clear_errors(img, "A volume"):
        volume = Nifti1Image(img.dataobj, affine, header, dtype=img.get_data_dtype())
    if isinstance(img.header, AnalyzeHeader) and "descrip" in img.header:
        volume.header["descrip"] = img.header["descrip"]
    # Its name tells what it holds, whatever the format. NIfTI images take names of NIfTI only.
    volume.file_map["image"].filename = img.get_filename()
    return volume


def refuse_gifti(img: Any, file: Path | None = None) -> None:
    """Refuse a GIfTI image where a whole map is wanted, or labels.

    Parameters
    ----------
    img : object
        What was given, or what its file holds.

    file : Path or None, default=None
        The file; None if an object was given.

    Raises
    ------
    TypeError
        If it is a GIfTI image, which has the values of a hemisphere without its mesh.
    """
    if isinstance(img, GiftiImage):
        got = type(img).__name__ if file is None else f"the GIfTI file {str(file)!r}"
        raise TypeError(f"An image must not be a GIfTI image. Got {got}. {NEEDS_MESH}")


def refuse_surface(shape: tuple[int, ...], what: str = "A volume") -> None:
    """Refuse an image whose voxels lie in one row: FreeSurfer keeps surfaces like that.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image; only the first three axes count.

    what : str, default="A volume"
        What it was given for, for the message.

    Raises
    ------
    ValueError
        If all of its voxels, more than 641, lie in one row, or in a few rows that together have
        as many as a mesh has vertices.
    """
    n = math.prod(int(length) for length in shape[:3])
    mesh = _mesh_of(n)
    is_row = is_row_of_vertices(shape) and (mesh is not None or n > _LONGEST_ROW)
    if not is_row:
        return
    which = f" of {mesh}" if mesh is not None else " on an unknown mesh"
    got = tuple(int(length) for length in shape)
    raise ValueError(
        f"{what} must have more than one dimension. Got shape {got}: that is a surface{which} in "
        f"the file of a volume, and its {n} vertices are not on a grid of voxels. {_READ_SURFACE}"
    )


def is_row_of_vertices(shape: tuple[int, ...]) -> bool:
    """Return whether the voxels of an image lie in one row, as FreeSurfer keeps vertices.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image; only the first three axes count.

    Returns
    -------
    is_row : bool
        True for one row, and for a row that was cut into pieces and has as many voxels as a mesh of
        a program has vertices. Volumes of one row are rows as well.
    """
    axes = tuple(int(n) for n in shape[:3])
    n = math.prod(axes)
    is_cut = 1 in axes and max(axes) > _SHORTEST_PIECE and _mesh_of(n) is not None
    return sorted(axes)[1:2] == [1] or is_cut


def _mesh_of(n_vertices: int) -> str | None:
    """Return the mesh with this number of vertices; None if no program has one."""
    if n_vertices % 2 == 0 and n_vertices // 2 in _MESHES:
        return f"{_MESHES[n_vertices // 2]}, both hemispheres"
    return _MESHES.get(n_vertices)


def warn_of_other_side(img: SpatialImage) -> bool:
    """Warn if the two affines in the header of an image take other sides for left.

    Parameters
    ----------
    img : nibabel image
        The image. Only NIfTI has two affines.

    Returns
    -------
    is_told : bool
        Whether there was a warning.
    """
    header = img.header
    if not isinstance(header, Nifti1Header) or not (header["sform_code"] and header["qform_code"]):
        return False
    sform = header.get_sform()
    try:
        qform = header.get_qform()
    except HeaderDataError:  # no rotation at all, and so not used by anyone
        return False
    # Where the first coordinate grows by one of them, it falls by the other.
    if sform[0, :3] @ qform[0, :3] >= 0:
        return False
    by_sform, by_qform = ("".join(map(str, aff2axcodes(affine))) for affine in (sform, qform))
    warnings.warn(
        "sform and qform in the header of an image disagree in left and right: its axes point to "
        f"{by_sform} by the sform, to {by_qform} by the qform. The sform is used, as nibabel and "
        "nilearn do. If the qform is right, left and right are exchanged in all results.",
        UserWarning,
        stacklevel=2,
    )
    return True
