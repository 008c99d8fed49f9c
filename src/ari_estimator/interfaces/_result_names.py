"""Names of result files, and checks of the output folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from nilearn.surface import SurfaceImage

from ari_estimator.files._output_path import folder_to_write, real_target
from ari_estimator.images._cifti_header import is_cifti
from ari_estimator.images._mne_objects import is_mne

# End of the name of an archive.
ARCHIVE = "_ari.npz"

_VOLUME, _CIFTI, _ARRAY, _SURFACE = ".nii.gz", ".dscalar.nii", ".npy", ".func.gii"
_TABLES = ("clusters", "regions", "calibration")


def image_names(prefix: str, what: str, image: Any) -> dict[str, str]:
    """Return the file names of an image, one for each hemisphere if it is a surface."""
    if isinstance(image, SurfaceImage):
        return {
            f", {hemi}": f"{prefix}_hemi-{hemi[0].upper()}_{what}{_SURFACE}"
            for hemi in image.data.parts
        }
    ending = (
        _CIFTI
        if is_cifti(image)
        else _ARRAY
        if isinstance(image, np.ndarray) or is_mne(image)
        else _VOLUME
    )
    return {"": f"{prefix}_{what}{ending}"}


def possible_names(prefix: str, endings: Iterable[str] = ()) -> Iterator[str]:
    """Yield all possible names of result files.

    Parameters
    ----------
    prefix : str
        First part of the names.

    endings : iterable of str, default=()
        Last parts of the names of further files.
    """
    for what in ("stat-tdp_statmap", "desc-clusters_dseg", "stat-z_statmap", "stat-df_statmap"):
        yield from (f"{prefix}_{what}{format_}" for format_ in (_VOLUME, _CIFTI, _ARRAY))
        yield from (f"{prefix}_hemi-{hemi}_{what}{_SURFACE}" for hemi in "LR")
    for table in _TABLES:
        yield from (f"{prefix}_{table}.tsv", f"{prefix}_{table}.json")
    yield prefix + ARCHIVE
    yield from (prefix + ending for ending in endings)


def check_prefix(prefix: Any, what: str = "prefix") -> None:
    """Raise an error unless file names can start with a prefix.

    Parameters
    ----------
    prefix : object
        The prefix.

    what : str, default="prefix"
        Name of the argument in messages.

    Raises
    ------
    TypeError
        If it is not a string.
    ValueError
        If it is empty. If it starts with a dot, which hides files, or with a dash, which looks like
        an option. If it starts or ends with a space. If it has a character that some systems do
        not allow in names: slashes, ``:*?"<>|``, line breaks and other controls.
    """
    if not isinstance(prefix, str):
        raise TypeError(f"{what} must be a string. Got {type(prefix).__name__}.")
    categories = {unicodedata.category(character) for character in prefix}
    refused = set(prefix) & set('/\\:*?"<>|') or categories & {"Cc", "Zl", "Zp"}
    if not prefix or prefix.startswith((".", "-")) or prefix != prefix.strip() or refused:
        raise ValueError(
            f"{what} must be the start of a file name. It must not start with a dot or a dash, "
            "start or end with a space, or contain slashes, line breaks or any of "
            f':*?"<>|. Got {prefix!r}.'
        )


def results_folder(
    folder: Any,
    prefix: str,
    *,
    overwrite: bool,
    endings: Iterable[str] = (),
    inputs: Iterable[Path] = (),
    called: tuple[str, str] = ("folder", "prefix"),
) -> Path:
    """Check and return the folder for results before any work is done.

    Parameters
    ----------
    folder : str or path-like
        Output folder. It need not exist.

    prefix : str
        First part of the file names.

    overwrite : bool
        Whether to replace existing files.

    endings : iterable of str, default=()
        Last parts of the names of further files.

    inputs : iterable of Path, default=()
        Files that must not be overwritten.

    called : tuple of 2 str, default=("folder", "prefix")
        Names of the two arguments in messages.

    Returns
    -------
    folder : Path
        The folder, with ``~`` expanded.

    Raises
    ------
    TypeError, ValueError, OSError
        As :func:`~ari_estimator.files._output_path.folder_to_write`.
    FileExistsError
        If results with this prefix exist and must not be replaced.
    """
    inputs = list(inputs)
    names = list(possible_names(prefix, endings))
    path = folder_to_write(folder, called[0], names=names, name_by=called[1], inputs=inputs)
    # All kinds of results have this file. The others are checked when they are written.
    real_target(path / (prefix + ARCHIVE), overwrite=overwrite, inputs=inputs)
    return path
