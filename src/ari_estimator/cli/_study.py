"""The maps of subjects and their design, from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._images import read_image

# Columns of a design that say which subject a row is of, and where its map is.
_SUBJECT = ("subject_label", "participant_id", "subject")
_PATH = "path"
_HEMISPHERES = ("path_left", "path_right")


@dataclass(frozen=True)
class Study:
    """A group study.

    Attributes
    ----------
    images : list
        Map of each subject.

    design : pandas.DataFrame
        Design, a row for each map.

    contrast : str
        The contrast.

    blocks : ndarray or None
        Block of each map.

    is_surface : bool
        Whether maps are surfaces.

    mask_img : nibabel.Nifti1Image or None
        What is in the brain masks of all subjects, where there are some.
    """

    images: list[Any]
    design: pd.DataFrame
    contrast: str
    blocks: np.ndarray | None
    is_surface: bool
    mask_img: Any


def read_study(
    images: Sequence[str],
    options: DesignOptions,
    *,
    mesh: Sequence[Path] | None,
    folder_of_masks: Path | None,
) -> Study:
    """Return the study that is meant.

    Parameters
    ----------
    images : sequence of str
        Files, patterns, or a folder.

    options : DesignOptions
        The design.

    mesh : sequence of Path or None
        Meshes of surfaces.

    folder_of_masks : Path or None
        Where the brain masks of the subjects are; None for the folder of the maps.

    Returns
    -------
    study : Study
        Maps and design, in one order.

    Raises
    ------
    FileNotFoundError
        If there is no file of a name or pattern.
    ValueError
        If maps and design do not go together, or a regressor holds no numbers.
    """
    files, mask_img = _files(images, options.select or [], folder_of_masks)
    table = None if options.design is None else _read_table(options.design)
    if table is None:
        for name in ("regressor", "blocks"):
            if getattr(options, name):
                raise ValueError(f"--{name} names columns of --design. Got no --design.")
        if not files:
            raise ValueError("IMG must name the maps, or --design have a column path. Got neither.")
        table = pd.DataFrame(index=range(len(files)))
    else:
        table, files = _matched(table, files, options.design)
    twice = next((file for file in files if files.count(file) > 1), None)
    if twice is not None:
        raise ValueError(f"Each subject must have a map of its own. Got {twice!r} more than once.")
    is_surface = set(_HEMISPHERES) <= set(table.columns)
    if is_surface:
        pairs = zip(*(table[name] for name in _HEMISPHERES), strict=True)
        maps: list[Any] = [
            read_image([Path(left), Path(right)], mesh, "--design") for left, right in pairs
        ]
    else:
        maps = [read_image([Path(file)], mesh, "IMG") for file in files]
    if len(maps) < 2:
        raise ValueError(f"IMG must be maps of at least 2 subjects. Got {len(maps)}.")
    design = _design_of(table, options)
    contrast = options.contrast or _only_column(design)
    blocks = None if options.blocks is None else _column(table, options.blocks).to_numpy()
    return Study(maps, design, contrast, blocks, is_surface, mask_img)


def _files(
    images: Sequence[str], select: Sequence[str], folder_of_masks: Path | None
) -> tuple[list[str], Any]:
    """Return the files that are named, sorted by name for each pattern; and a mask."""
    if len(images) == 1 and Path(images[0]).is_dir():
        folder = Path(images[0])
        return _files_of_folder(folder, select, folder_of_masks or folder)
    if select:
        raise ValueError("--select is for a folder of BIDS derivatives. Got files.")
    if folder_of_masks is not None:
        raise ValueError(
            "--mask may be a folder of brain masks only where the maps are in a folder of BIDS "
            f"derivatives. Got the folder {str(folder_of_masks)!r} and files."
        )
    files = []
    for pattern in images:
        # A file that is there is meant by its name, whatever characters that has.
        found = [pattern] if Path(pattern).exists() else sorted(glob(pattern, recursive=True))
        if not found:
            raise FileNotFoundError(f"IMG must be files. There is none at {pattern!r}.")
        files += found
    return files, None


def _files_of_folder(
    folder: Path, select: Sequence[str], folder_of_masks: Path
) -> tuple[list[str], Any]:
    """Return one map of each subject of a folder of BIDS derivatives; a mask if there are some."""
    from ari_estimator.interfaces import find_group_mask, find_subject_maps

    wanted = {}
    for text in select:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ValueError(f"--select must be as contrast=faces. Got {text!r}.")
        wanted[name] = value
    maps = find_subject_maps(folder, **wanted)
    return maps["path"].tolist(), find_group_mask(folder_of_masks, maps)


def _read_table(path: Path) -> pd.DataFrame:
    """Return a table of tab- or comma-separated values."""
    from ari_estimator.interfaces._reading import existing_file

    existing_file(path, "--design")
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    try:
        # Labels are no numbers: 01 is another one than 1.
        labels = dict.fromkeys((*_SUBJECT, _PATH, *_HEMISPHERES), str)
        table = pd.read_csv(path, sep=separator, na_values=["n/a"], dtype=labels)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"--design must be a table. {str(path)!r} is none: {error}.") from error
    if table.empty:
        raise ValueError(f"--design must have a row for each map. {str(path)!r} has none.")
    return table


def _matched(
    table: pd.DataFrame, files: list[str], path: Path | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return table and files in one order: by paths, by subjects, or as they are."""
    folder = Path() if path is None else path.parent
    columns = [name for name in (_PATH, *_HEMISPHERES) if name in table]
    if columns:
        if files:
            raise ValueError(f"IMG must be left out where --design has a column {columns[0]!r}.")
        table = table.copy()
        for name in columns:
            if table[name].isna().any():
                raise ValueError(f"The column {name!r} of --design must have a path in each row.")
            # Paths in a table are mostly relative to it.
            table[name] = [str(folder / value) for value in table[name].astype(str)]
        return table, table[_PATH].tolist() if _PATH in table else []
    if not files:
        raise ValueError("IMG must name the maps, or --design have a column path. Got neither.")
    subject = next((name for name in _SUBJECT if name in table), None)
    if subject is None:
        if len(files) != len(table):
            raise ValueError(
                f"--design must have a row for each of the {len(files)} maps. Got {len(table)} "
                f"rows, and no column {', '.join((_PATH, *_SUBJECT))} that names their maps."
            )
        return table, files
    labels = [str(label).removeprefix("sub-") for label in table[subject]]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(
            f"The column {subject!r} of --design must name each subject once, or a column path "
            f"say which map is meant. Got {repeated[0]!r} more than once."
        )
    rows = [_row_of(file, labels, subject) for file in files]
    twice = [file for file, row in zip(files, rows, strict=True) if rows.count(row) > 1]
    if twice:
        raise ValueError(f"IMG must be one map of each subject. Got {' and '.join(twice[:2])}.")
    return table.iloc[rows].reset_index(drop=True), files


def _row_of(file: str, labels: list[str], column: str) -> int:
    """Return the row of the subject that a file is of: the label in its name or folders."""
    parts = {
        part.removeprefix("sub-")
        for name in Path(file).parts
        for part in (name, *name.split("_"), name.split(".")[0])
    }
    rows = [row for row, label in enumerate(labels) if label in parts]
    if len(rows) != 1:
        found = "none" if not rows else " and ".join(labels[row] for row in rows)
        raise ValueError(
            f"The column {column!r} of --design must have the subject of {file!r}, by the label "
            f"sub-... in its path. Got {found}."
        )
    return rows[0]


def _design_of(table: pd.DataFrame, options: DesignOptions) -> pd.DataFrame:
    """Return the design: regressors, and an intercept unless they have the mean among them."""
    known = {_PATH, *_HEMISPHERES, *_SUBJECT, options.blocks}
    names = options.regressor or [
        str(name)
        for name in table
        if name not in known and pd.api.types.is_numeric_dtype(table[name])
    ]
    regressors = [_column(table, name) for name in names]
    for column in regressors:
        if not pd.api.types.is_numeric_dtype(column) or not np.isfinite(column).all():
            raise ValueError(
                f"The regressor {column.name!r} must hold numbers, in each row. Code groups as "
                "0 and 1."
            )
    design = pd.DataFrame({str(c.name): c.astype(float) for c in regressors}, index=table.index)
    if options.intercept and not _has_mean(design.to_numpy()):
        design["intercept"] = 1.0
    if design.shape[1] == 0:
        raise ValueError("--no-intercept leaves no regressor. Give --regressor, or leave it out.")
    return design


def _has_mean(design: np.ndarray) -> bool:
    """Tell whether the mean of all rows is a combination of the columns of a design."""
    if design.shape[1] == 0:
        return False
    ones = np.ones(len(design))
    weights = np.linalg.lstsq(design, ones, rcond=None)[0]
    return bool(np.allclose(design @ weights, ones))


def _only_column(design: pd.DataFrame) -> str:
    if list(design.columns) == ["intercept"]:
        return "intercept"
    raise ValueError(
        f"--contrast must say what is tested of {', '.join(map(repr, design.columns))}. Got none."
    )


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        raise ValueError(
            f"--design must have a column {name!r}. Got {', '.join(map(str, table.columns))}."
        )
    return table[name]
