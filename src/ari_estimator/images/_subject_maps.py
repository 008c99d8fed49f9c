"""The maps of subjects, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.spatialimages import SpatialImage
from nilearn.image import check_niimg
from nilearn.maskers import NiftiMasker
from nilearn.surface import PolyData, SurfaceImage

from ari_estimator._progress import Task, progress
from ari_estimator._unused_options import refuse_unused
from ari_estimator.files._absent_content import is_named
from ari_estimator.images._grid import check_grid, same_grid
from ari_estimator.images._hemispheres import check_mesh
from ari_estimator.images._image_file import load_image
from ari_estimator.images._masks import is_fitted, refuse_mixing
from ari_estimator.images._mean_volume import mean_volume
from ari_estimator.images._nan_masker import NaNWarningMasker
from ari_estimator.images._present_sample import present_sample
from ari_estimator.images._reading_errors import name_of_image
from ari_estimator.images._several_maps import chosen_map
from ari_estimator.images._unread_images import in_memory
from ari_estimator.images._volume_formats import as_nifti, refuse_surface, warn_of_other_side

_NO_CIFTI = (
    "{} must be a volume or a surface here. Got a CIFTI image: {}. ARISecondLevelModel takes CIFTI "
    "images if all maps are of that kind and files have names such as 'sub-01.dscalar.nii'."
)

_NO_IMAGES = "for input that is not a list or column of images"

# How to choose one of several maps.
_ALONE = "one image alone that has a map for each row of the design."
WITHOUT_MAP = f"Pass one map of each, as nilearn.image.index_img(image, 0) gives it, or {_ALONE}"
WITH_MAP = (
    "Choose one with map, counted from 0: it is the same number in each image. Or pass " + _ALONE
)


def masked_subjects(images: Any, masker: Any) -> Iterator[np.ndarray]:
    """Yield the masked values of each subject's map.

    Parameters
    ----------
    images : iterable of images or paths
        A map for each subject.

    masker : masker
        A fitted masker of nilearn.

    Yields
    ------
    values : ndarray of shape (n_elements,) or (1, n_elements)
        The values of one subject.

    Raises
    ------
    TypeError
        If ``images`` is not an iterable of images, or ``masker`` is not a masker.
    ValueError
        If the masker changes the map of a subject with the help of the others.
    """
    if not hasattr(masker, "transform"):
        raise TypeError(
            f"masker must be a fitted masker of nilearn or None. Got {type(masker).__name__}."
        )
    refuse_mixing(masker, "masker")
    if isinstance(images, (str, bytes)) or not isinstance(images, Iterable):
        raise TypeError(
            f"data must be a list or an iterator of images. Got {type(images).__name__}."
        )
    if type(masker) is NiftiMasker:
        # Which takes NaN for 0 all the same, but says so.
        masker = NaNWarningMasker.take_over(masker)
    return map(masker.transform, map(readable, images))


def readable(image: Any) -> Any:
    """Return the map of a subject as nilearn reads it.

    Parameters
    ----------
    image : image, path, or anything else
        The map.

    Returns
    -------
    image : image, path, or anything else
        A volume of another format as NIfTI; a surface image with the same arrays, since nilearn
        changes the shape of data in place; all else as it is.

    Raises
    ------
    ValueError
        If a surface lies on a mesh of the other hemisphere.
    """
    if not isinstance(image, SurfaceImage):
        return as_nifti(image)
    check_mesh(image.mesh, "the map of a subject")
    return SurfaceImage(image.mesh, PolyData(**image.data.parts))


def all_readable(
    images: Any,
    what: str = "The map of a subject",
    map_: int | None = None,
    *,
    ways: str = WITHOUT_MAP,
) -> Any:
    """Return maps of subjects, in any form that a model takes, as nilearn reads them.

    Parameters
    ----------
    images : list, DataFrame, Series, or one image
        The maps.

    what : str, default="The map of a subject"
        What each of them is, for messages.

    map_ : int or None, default=None
        The number of the map in each image of a list or column, from 0. None if each has one map.

    ways : str, default=WITHOUT_MAP
        How to choose a map, for messages.

    Returns
    -------
    images : list, DataFrame, Series, or one image
        The same, with each map as from :func:`readable`.

    Raises
    ------
    TypeError
        If an image is a CIFTI image.
    ValueError
        If a volume is a surface, or a surface is on the mesh of the other hemisphere. If an image
        of a list has several maps without a choice, or no map of this number.
    """
    if isinstance(images, pd.DataFrame):
        column = images.get("effects_map_path")
        if column is None:
            refuse_unused(_NO_IMAGES, {"map": (map_, None)})
            return images
        return images.assign(effects_map_path=all_readable(column, what, map_, ways=ways))
    if isinstance(images, pd.Series):
        if images.empty:
            raise ValueError(f"{what} must be in each row of the column. Got a column of no rows.")
        found = all_readable(images.tolist(), what, map_, ways=ways)
        return pd.Series(found, index=images.index, name=images.name)
    if not isinstance(images, list):
        refuse_unused("for one image, which has a map for each subject", {"map": (map_, None)})
        image, img = _readable_and_loaded(images, what)
        if isinstance(img, SpatialImage):
            warn_of_other_side(img)
        return image
    checked = []
    is_told = False
    with progress("Files of subjects", len(images)) as task:
        for given in images:
            image, img = _readable_and_loaded(given, what)
            if isinstance(img, SpatialImage):
                is_told = is_told or warn_of_other_side(img)
            elif not isinstance(img, (SurfaceImage, str, Path)):
                refuse_unused(_NO_IMAGES, {"map": (map_, None)})
            checked.append(chosen_map(image, img, map_, what, ways=ways))
            task.advance()
    return checked


def _readable_and_loaded(given: Any, what: str) -> tuple[Any, Any]:
    """Return a map as nilearn reads it, and the image if it is in a file."""
    image = readable(given)
    # Only the header of a file is read.
    img = load_image(image, what) if _is_nifti_file(image) else image
    if isinstance(img, Cifti2Image):
        raise TypeError(_NO_CIFTI.format(what, name_of_image(image)))
    if isinstance(img, SpatialImage):
        refuse_surface(img.shape, what)
        check_grid(img)
    return image, img


class OneForAll(list[Any]):
    """A list of one image, many times, whose iterator comes to it once.

    nilearn counts the maps of a list, and computes the mean of what comes from its iterator, for
    which it has a copy of each in memory. The mean of one image is that image.
    """

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over the first image alone."""
        return iter(self[:1])


def sample_maps(images: Any, mask_img: Any, *, keeps_gaps: bool = False) -> Any:
    """Return maps that take the place of many where a mask is computed from their mean.

    Parameters
    ----------
    images : list, DataFrame, Series or image
        Maps of subjects, as from :func:`all_readable`.

    mask_img : image, masker or None
        The mask of the subjects; None if one is to be computed.

    keeps_gaps : bool, default=False
        Whether a mask takes the voxels or vertices that any subject has, instead of those that all
        subjects have.

    Returns
    -------
    images : list, DataFrame, Series or image
        For a list of volumes, their mean; or their first one, if there is a mask. One volume at
        a time is in memory. All else as it is.

    Raises
    ------
    ValueError
        If a mask with gaps is to be computed, and the maps are not a list.
    """
    given = getattr(mask_img, "mask_img", mask_img)
    needs_all = given is None and not (mask_img is not None and is_fitted(mask_img))
    is_list = isinstance(images, list) and len(images) > 1
    if keeps_gaps and needs_all and not is_list:
        raise ValueError(
            "mask_img must be given with missing='omit', unless the maps are a list: nilearn would "
            f"leave out what one subject lacks. Got None and {type(images).__name__}."
        )
    if keeps_gaps and needs_all and isinstance(images[0], SurfaceImage):
        return OneForAll([present_sample(images)] * len(images))
    if not is_list or not isinstance(images[0], (str, Path, SpatialImage)):
        return images
    if any(not isinstance(image, type(images[0])) for image in images):
        return images  # nilearn says what is wrong
    first = check_niimg(images[0])
    for image in images:
        img = check_niimg(image)
        is_volume = img.shape[3:] in ((), (1,))
        if not is_volume or not same_grid(img.shape, img.affine, first.shape, first.affine):
            return images
    if not needs_all:
        return OneForAll([*in_memory([first])] * len(images))
    if keeps_gaps:
        return OneForAll([present_sample(images)] * len(images))
    with progress("Maps of subjects, for the mask", len(images)) as task:
        sample = mean_volume(_volumes(images, task))
    return OneForAll([sample] * len(images))


def _volumes(images: list[Any], task: Task) -> Iterator[Any]:
    for img in in_memory(images):
        yield img
        task.advance()


def _is_nifti_file(image: Any) -> bool:
    if not isinstance(image, (str, Path)):
        return False
    return Path(image).name.endswith((".nii", ".nii.gz")) and is_named(Path(image))
