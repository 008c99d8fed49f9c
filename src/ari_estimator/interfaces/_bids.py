"""Names of BIDS derivatives, and the maps of a group of subjects by their names.

Names consist of pairs of entity and value, a suffix and an extension. This module parses only
names. Finding maps does not need an index of the whole dataset, as in pybids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from glob import escape
from os import PathLike
from pathlib import Path
from typing import Any, Final

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.nifti1 import Nifti1Pair
from nilearn.image import get_data

from ari_estimator.images._grid import same_grid
from ari_estimator.interfaces._reading import (
    existing_folder,
    open_image,
    read_mask,
    stem_of,
)

_PAIR = re.compile(r"(?P<entity>[A-Za-z0-9]+)-(?P<value>[^-_.]+)")

_VOLUMES: Final = (".nii.gz", ".nii")
_CIFTI: Final = (".dscalar.nii",)

# Entities that results set themselves.
_OF_THE_MAP: Final = ("stat", "desc")


@dataclass(frozen=True)
class BIDSName:
    """The name of a file of a BIDS dataset.

    Parameters
    ----------
    entities : dict of str to str
        Values by entity, in their order: ``{"sub": "01", "task": "faces"}``.

    suffix : str
        Suffix of the name, such as ``statmap``.

    extension : str, default=""
        Extension with its dot, such as ``.nii.gz``.

    Examples
    --------
    >>> from ari_estimator.interfaces import BIDSName
    >>> name = BIDSName.parse("sub-01_task-faces_stat-z_statmap.nii.gz")
    >>> name.entities["task"], name.suffix, name.extension
    ('faces', 'statmap', '.nii.gz')
    >>> str(BIDSName({**name.entities, "stat": "tdp"}, name.suffix, name.extension))
    'sub-01_task-faces_stat-tdp_statmap.nii.gz'
    """

    entities: dict[str, str] = field(default_factory=dict)
    suffix: str = ""
    extension: str = ""

    @classmethod
    def parse(cls, path: str | PathLike[str]) -> BIDSName:
        """Parse the name of a file.

        Parameters
        ----------
        path : path
            The file. It need not exist.

        Returns
        -------
        name : BIDSName
            Its parts.

        Raises
        ------
        ValueError
            If it is not a BIDS name, which consists of pairs ``entity-value``, each entity once,
            and a suffix, joined by underscores.
        """
        file = Path(path).name
        stem, dot, extension = file.partition(".")
        *pairs, suffix = stem.split("_")
        matches = [_PAIR.fullmatch(pair) for pair in pairs]
        entities = {match["entity"]: match["value"] for match in matches if match}
        if len(entities) < max(1, len(pairs)) or not suffix or "-" in suffix:
            raise ValueError(
                "path must have a BIDS name, such as 'sub-01_task-faces_statmap.nii.gz'. Got "
                f"{file!r}."
            )
        return cls(entities, suffix, dot + extension)

    def __str__(self) -> str:
        pairs = (f"{entity}-{value}" for entity, value in self.entities.items())
        return "_".join([*pairs, *([self.suffix] if self.suffix else [])]) + self.extension


def output_stem(path: str | PathLike[str]) -> str:
    """Return the first part of the names of the results of a map.

    Parameters
    ----------
    path : path
        The map.

    Returns
    -------
    stem : str
        The entities of a BIDS name except ``stat`` and ``desc``, which results set themselves. For
        other names, the name without its extension.

    Examples
    --------
    >>> from ari_estimator.interfaces import output_stem
    >>> output_stem("sub-01/sub-01_task-x_contrast-y_stat-z_statmap.nii.gz")
    'sub-01_task-x_contrast-y'
    >>> output_stem("cope1.feat/stats/zstat1.nii.gz")
    'zstat1'
    """
    try:
        name = BIDSName.parse(path)
    except ValueError:
        return stem_of(path)
    kept = {key: value for key, value in name.entities.items() if key not in _OF_THE_MAP}
    return str(BIDSName(kept)) or stem_of(path)


def find_subject_maps(
    folder: str | PathLike[str],
    *,
    contrast: str | None = None,
    stat: str | None = "effect",
    suffix: str = "statmap",
    subjects: Iterable[str] | None = None,
    extension: str | None = None,
    **entities: str | None,
) -> pd.DataFrame:
    """Find one map of each subject by its BIDS name.

    Parameters
    ----------
    folder : path
        Folder to search, including subfolders: derivatives of nilearn's first level
        (:func:`nilearn.glm.save_glm_to_bids`), FitLins, fMRIPrep and others.

    contrast : str or None, default=None
        Value of the entity ``contrast``, such as ``"facesMinusHouses"``. None for any.

    stat : str or None, default="effect"
        Value of the entity ``stat``. Group studies use effects. None for any.

    suffix : str, default="statmap"
        Suffix of the maps.

    subjects : iterable of str or None, default=None
        Subjects, as ``"01"`` or ``"sub-01"``, in the order of the rows. None for all subjects with
        a matching map, in alphabetical order.

    extension : {".nii.gz", ".nii", ".dscalar.nii"} or None, default=None
        Extension of the maps. None for volumes, and for CIFTI files if no volume matches.

    **entities : str or None
        Values of other entities: ``space="MNI152NLin2009cAsym"``, ``task="faces"``, ``ses="1"``;
        None if the name must not have the entity.

    Returns
    -------
    maps : pandas.DataFrame
        One row for each subject: ``path`` (str), ``subject`` ("01"), and a column for each other
        entity, with NaN for names without it.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist, has no matching map, or has none for one of ``subjects``.
    NotADirectoryError
        If the folder is a file.
    ValueError
        If the extension is unknown. If a subject has several matching maps. The message says in
        which entities they differ.

    See Also
    --------
    find_group_mask : The voxels inside the brains of all subjects.
    ari_estimator.ARISecondLevelModel : Computes TDPs from these maps.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.interfaces import find_subject_maps
    >>> with TemporaryDirectory() as folder:
    ...     for sub in ("01", "02"):
    ...         name = f"sub-{sub}_task-x_contrast-y_stat-effect_statmap.nii.gz"
    ...         (Path(folder) / name).touch()
    ...     maps = find_subject_maps(folder, contrast="y")
    >>> maps[["subject", "task", "contrast"]]
      subject task contrast
    0      01    x        y
    1      02    x        y
    """
    root = existing_folder(folder, "The folder of maps")
    wanted = {**entities}
    wanted |= {key: value for key, value in (("contrast", contrast), ("stat", stat)) if value}
    kinds: tuple[tuple[str, ...], ...] = (_VOLUMES, _CIFTI)
    if extension is not None:
        if extension not in (*_VOLUMES, *_CIFTI):
            raise ValueError(
                f"extension must be one of {[*_VOLUMES, *_CIFTI]} or None. Got {extension!r}."
            )
        kinds = ((extension,),)
    found: dict[str, list[tuple[Path, dict[str, str]]]] = {}
    there: list[tuple[Path, dict[str, str]]] = []
    for kind in kinds:
        of_kind = _subject_files(root, suffix, kind)
        there += of_kind
        for path, of_path in of_kind:
            if all(of_path.get(key) == value for key, value in wanted.items()):
                found.setdefault(of_path["sub"], []).append((path, of_path))
        if found:
            break
    if not found:
        entities_there = [of_path for _, of_path in there]
        raise FileNotFoundError(_nothing_found(root, suffix, kinds, wanted, entities_there))
    if subjects is not None:
        order = [subject.removeprefix("sub-") for subject in subjects]
        missing = [subject for subject in order if subject not in found]
        if missing:
            raise FileNotFoundError(
                f"There is no matching map of {', '.join(f'sub-{s}' for s in missing)} in "
                f"{str(root)!r}."
            )
        found = {subject: found[subject] for subject in order}
    rows = []
    for subject, matches in found.items():
        if len(matches) > 1:
            raise ValueError(_several_found(subject, matches))
        ((path, of_path),) = matches
        others = {key: value for key, value in of_path.items() if key != "sub"}
        rows.append({"path": str(path), "subject": subject, **others})
    return pd.DataFrame(rows)


def find_group_mask(
    folder: str | PathLike[str], maps: pd.DataFrame, **entities: str | None
) -> Nifti1Pair | None:
    """Return the intersection of the brain masks of all subjects.

    Parameters
    ----------
    folder : path
        Folder to search for ``sub-*_desc-brain_mask.nii.gz``, including subfolders. It may be the
        output folder of fMRIPrep.

    maps : pandas.DataFrame
        The maps found by :func:`find_subject_maps`. A mask belongs to a map if it has the same
        subject and the same grid, and if no entity in its name contradicts the name of the map.

    **entities : str or None
        Values of entities that the masks must have, such as ``task="faces"``. None if the name must
        not have the entity.

    Returns
    -------
    mask_img : nibabel.Nifti1Image or None
        The intersection of the masks, including all runs. None if no subject has a mask.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If the folder does not exist.
    TypeError
        If ``maps`` is not a table from :func:`find_subject_maps`.
    ValueError
        If maps are CIFTI files, if a mask is damaged, if only some of the subjects have masks, if
        the maps are on different grids, or if the masks have no voxel in common.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator.interfaces import find_group_mask, find_subject_maps
    >>> with TemporaryDirectory() as folder:
    ...     for k, subject in enumerate(("01", "02")):
    ...         brain = np.ones((4, 4, 4), dtype=np.uint8)
    ...         brain[0, 0, k] = 0
    ...         name = f"{folder}/sub-{subject}_space-MNI"
    ...         Nifti1Image(brain, np.eye(4)).to_filename(f"{name}_desc-brain_mask.nii.gz")
    ...         effect = Nifti1Image(brain * 1.5, np.eye(4))
    ...         effect.to_filename(f"{name}_stat-effect_statmap.nii.gz")
    ...     mask_img = find_group_mask(folder, find_subject_maps(folder))
    >>> int(mask_img.get_fdata().sum())
    62
    """
    root = existing_folder(folder, "The folder of masks")
    if not isinstance(maps, pd.DataFrame) or not {"path", "subject"} <= set(maps.columns):
        raise TypeError(
            "maps must be a table with columns 'path' and 'subject', as from find_subject_maps. "
            f"Got {type(maps).__name__}."
        )
    if any(str(path).endswith(_CIFTI) for path in maps["path"]):
        raise ValueError(
            "maps must be volumes: brain masks are, and CIFTI files hold their own grayordinates. "
            f"Got {maps['path'].iloc[0]!r}. A model of CIFTI files needs no mask."
        )
    masks: dict[str, list[tuple[Path, dict[str, str]]]] = {}
    for path, of_path in _subject_files(root, "mask", _VOLUMES):
        wanted = {"desc": "brain", **entities}
        if all(of_path.get(key) == value for key, value in wanted.items()):
            masks.setdefault(of_path["sub"], []).append((path, of_path))
    grid: Any = None
    joint = None
    lacking = []
    for path, subject in zip(maps["path"], maps["subject"], strict=True):
        img = open_image(path, "The map")
        grid = img if grid is None else grid
        if not _same_grid(img, grid):
            raise ValueError(
                "All maps must be on one grid. Got shapes or affines that differ: "
                f"{maps['path'].iloc[0]!r} and {path!r}."
            )
        of_map = BIDSName.parse(path).entities
        of_subject = [
            mask_path
            for mask_path, of_mask in masks.get(subject, [])
            if not _contradict(of_mask, of_map)
            and _same_grid(open_image(mask_path, "The mask"), img)
        ]
        if not of_subject:
            lacking.append(subject)
        for mask_path in of_subject:
            mask = get_data(read_mask(mask_path)) > 0
            joint = mask if joint is None else joint & mask
    if joint is None:
        return None
    if lacking:
        raise ValueError(
            f"Either all subjects or none must have a brain mask in {str(root)!r} on the grid of "
            f"the maps. Got none for {', '.join(f'sub-{subject}' for subject in lacking)}."
        )
    if not joint.any():
        raise ValueError(f"The brain masks in {str(root)!r} must share a voxel. Got none.")
    return nib.Nifti1Image(joint.astype(np.uint8), grid.affine)


def _subject_files(
    root: Path, suffix: str, extensions: tuple[str, ...]
) -> list[tuple[Path, dict[str, str]]]:
    """Return the images of subjects in a folder, in alphabetical order, with their entities."""
    files = []
    for path in sorted(root.rglob(f"sub-*_{escape(suffix)}.*")):
        try:
            name = BIDSName.parse(path)
        except ValueError:
            continue
        if name.suffix == suffix and name.extension in extensions:
            files.append((path, name.entities))
    return files


def _nothing_found(
    root: Path,
    suffix: str,
    kinds: tuple[tuple[str, ...], ...],
    wanted: dict[str, str | None],
    there: list[dict[str, str]],
) -> str:
    """Return a message that lists the available maps."""
    if not there:
        names = " or ".join(f"'sub-*_{suffix}{extensions[0]}'" for extensions in kinds)
        return f"There is no map named {names} in {str(root)!r}, or below."
    asked = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
    values = {
        key: ", ".join(sorted({of_path.get(key, "none") for of_path in there})) for key in wanted
    }
    found = "; ".join(f"{key}: {found}" for key, found in values.items())
    return f"There is no map with {asked} in {str(root)!r}. Got {len(there)} others, with {found}."


def _several_found(subject: str, matches: list[tuple[Path, dict[str, str]]]) -> str:
    """Return a message that says how the maps of a subject differ."""
    keys = dict.fromkeys(key for _, of_path in matches for key in of_path)
    values = {key: {of_path.get(key, "none") for _, of_path in matches} for key in keys}
    differ = [f"{key} ({', '.join(sorted(v))})" for key, v in values.items() if len(v) > 1]
    if not differ:
        paths = ", ".join(repr(str(path)) for path, _ in matches)
        return f"sub-{subject} must have one map. Got {len(matches)} with the same name: {paths}."
    return (
        f"sub-{subject} must have one map. Got {len(matches)}, which differ in "
        f"{' and '.join(differ)}: choose one, for example with {differ[0].split()[0]}=..."
    )


def _contradict(of_mask: dict[str, str], of_map: dict[str, str]) -> bool:
    """Return whether a mask belongs to another task, run or space than a map."""
    return any(
        key in of_map and of_map[key] != value for key, value in of_mask.items() if key != "desc"
    )


def _same_grid(img: Any, other: Any) -> bool:
    return same_grid(img.shape, img.affine, other.shape, other.affine)
