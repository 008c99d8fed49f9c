"""What files of results are called, and where they may go."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nilearn.surface import SurfaceImage

from ari_estimator.files._output_path import folder_to_write, real_target
from ari_estimator.images._kinds import is_cifti

# The ending of what is loaded again.
ARCHIVE = "_ari.npz"

_VOLUME, _CIFTI, _SURFACE = ".nii.gz", ".dscalar.nii", ".func.gii"
_TABLES = ("clusters", "regions", "calibration")


def image_names(prefix: str, what: str, image: Any) -> dict[str, str]:
    """Return the names of the files of an image, for each hemisphere if it is a surface."""
    if isinstance(image, SurfaceImage):
        return {
            f", {hemi}": f"{prefix}_hemi-{hemi[0].upper()}_{what}{_SURFACE}"
            for hemi in image.data.parts
        }
    return {"": f"{prefix}_{what}" + (_CIFTI if is_cifti(image) else _VOLUME)}


def possible_names(prefix: str, endings: Iterable[str] = ()) -> Iterator[str]:
    """Yield the names that results may have, of all kinds of maps and sets.

    Parameters
    ----------
    prefix : str
        How they start.

    endings : iterable of str, default=()
        How further ones end.
    """
    for what in ("stat-tdp_statmap", "desc-clusters_dseg"):
        yield from (f"{prefix}_{what}{format_}" for format_ in (_VOLUME, _CIFTI))
        yield from (f"{prefix}_hemi-{hemi}_{what}{_SURFACE}" for hemi in "LR")
    for table in _TABLES:
        yield from (f"{prefix}_{table}.tsv", f"{prefix}_{table}.json")
    yield prefix + ARCHIVE
    yield from (prefix + ending for ending in endings)


def check_prefix(prefix: Any, what: str = "prefix") -> None:
    """Raise an error unless names of files can start with a prefix.

    Parameters
    ----------
    prefix : object
        What was given.

    what : str, default="prefix"
        What it was given for, for messages.

    Raises
    ------
    TypeError
        If it is no text.
    ValueError
        If it is empty or starts with a dot, which hides files; or if it has a character that some
        systems have no room for in names: slashes, ``:*?"<>|``, line breaks and other controls.
    """
    if not isinstance(prefix, str):
        raise TypeError(f"{what} must be a string. Got {type(prefix).__name__}.")
    categories = {unicodedata.category(character) for character in prefix}
    refused = set(prefix) & set('/\\:*?"<>|') or categories & {"Cc", "Zl", "Zp"}
    if not prefix or prefix.startswith(".") or refused:
        raise ValueError(
            f"{what} must be the start of a file name, without a dot at its start, and without "
            f'slashes, line breaks and any of :*?"<>|. Got {prefix!r}.'
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
    """Return the folder for results; refuse it before any work is done if it cannot have them.

    Parameters
    ----------
    folder : str or path-like
        Where to write; it may not be there yet.

    prefix : str
        How names of files start.

    overwrite : bool
        Whether files are replaced.

    endings : iterable of str, default=()
        How names of further files end.

    inputs : iterable of Path, default=()
        Files that must stay.

    called : tuple of 2 str, default=("folder", "prefix")
        What folder and prefix were given for, for messages.

    Returns
    -------
    folder : Path
        The folder, with the home folder in place of ``~``.

    Raises
    ------
    TypeError, ValueError, OSError
        As :func:`~ari_estimator.files._output_path.folder_to_write`.
    FileExistsError
        If results of that prefix are there already, and are not to be replaced.
    """
    inputs = list(inputs)
    names = list(possible_names(prefix, endings))
    path = folder_to_write(folder, called[0], names=names, name_by=called[1], inputs=inputs)
    # Results of any kind have this file. All others are checked when they are written.
    real_target(path / (prefix + ARCHIVE), overwrite=overwrite, inputs=inputs)
    return path
