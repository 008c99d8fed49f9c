"""The maps of subjects and their design, from the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._design_matrix import INTERCEPT, Regressors, find_regressors
from ari_estimator.cli._design_record import DesignRecord
from ari_estimator.cli._design_rows import listed, natural_order, rows_of_maps, warn_of_dropped
from ari_estimator.cli._design_table import HEMISPHERES, DesignTable, read_design_table
from ari_estimator.cli._images import read_image


@dataclass(frozen=True)
class Study:
    """A group study.

    Attributes
    ----------
    images : list
        Map of each subject.

    record : DesignRecord
        What is tested: design, contrast, and the pairs of rows and maps.

    blocks : ndarray or None
        Block of each map.

    is_surface : bool
        Whether maps are surfaces.

    mask_img : nibabel.Nifti1Image or None
        What is in the brain masks of all subjects, where there are some.
    """

    images: list[Any]
    record: DesignRecord
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
        If maps and design do not go together, or the design is none.
    """
    files, mask_img = _files(images, options.select or [], folder_of_masks)
    if options.design is None:
        record, blocks = _record_of_mean(files, options), None
    else:
        table = read_design_table(options.design)
        record, blocks = _record_of_table(table, files, options)
    all_files = [file for row in record.maps for file in row]
    places = [os.path.realpath(file) for file in all_files]
    twice = next(
        (file for file, place in zip(all_files, places, strict=True) if places.count(place) > 1),
        None,
    )
    if twice is not None:
        raise ValueError(f"Each subject must have a map of its own. Got {twice!r} more than once.")
    if len(record.maps) < 2:
        raise ValueError(f"IMG must be maps of at least 2 subjects. Got {len(record.maps)}.")
    is_surface = len(record.maps[0]) == len(HEMISPHERES)
    named_by = "--design" if is_surface else "IMG"
    maps = [read_image([Path(file) for file in row], mesh, named_by) for row in record.maps]
    return Study(maps, record, blocks, is_surface, mask_img)


def _files(
    images: Sequence[str], select: Sequence[str], folder_of_masks: Path | None
) -> tuple[list[str], Any]:
    """Return the files that are named, in natural order for each pattern; and a mask."""
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
        found = (
            [pattern]
            if Path(pattern).exists()
            else sorted(glob(pattern, recursive=True), key=natural_order)
        )
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


def _record_of_mean(files: list[str], options: DesignOptions) -> DesignRecord:
    """Return what is tested without a table: the mean of all maps."""
    for name in ("regressor", "formula", "blocks", "drop_missing"):
        if getattr(options, name):
            raise ValueError(
                f"--{name.replace('_', '-')} is for columns of --design. Got no --design."
            )
    if not files:
        raise ValueError("IMG must name the maps, or --design have a column path. Got neither.")
    if not options.intercept:
        raise ValueError("--no-intercept leaves no regressor. Give --design, or leave it out.")
    design = pd.DataFrame({INTERCEPT: np.ones(len(files))})
    contrast = options.contrast or INTERCEPT
    return DesignRecord(
        design,
        contrast,
        _weights(contrast, design),
        df=len(files) - 1,
        maps=[(file,) for file in files],
        rows=[],
        subjects=[],
        blocks=None,
        file=None,
        file_sha256=None,
        left_out={},
        formula=None,
        dropped=[],
    )


def _record_of_table(
    table: DesignTable, files: list[str], options: DesignOptions
) -> tuple[DesignRecord, np.ndarray | None]:
    """Return what is tested with a table, and the block of each map."""
    from ari_estimator.resampling._design_space import DesignSpace

    whole = table
    regressors = find_regressors(table, options)
    table, maps = rows_of_maps(table, files, drop_missing=options.drop_missing)
    used = list(regressors.names)
    if options.blocks is not None and options.blocks not in used:
        used.append(options.blocks)
    table, maps = _complete(table, maps, used, options)
    if len(maps) < 2:
        raise ValueError(f"IMG must be maps of at least 2 subjects. Got {len(maps)}.")
    design = regressors.matrix(table, intercept=options.intercept)
    contrast = options.contrast or _only_contrast(design, regressors)
    blocks = None
    if options.blocks is not None:
        blocks = table.values([options.blocks])[options.blocks].to_numpy()
    subject = table.subject
    kept = set(table.cells.index)
    record = DesignRecord(
        design,
        contrast,
        _weights(contrast, design),
        df=len(design) - DesignSpace.of(design.to_numpy()).rank,
        maps=maps,
        rows=[int(row) for row in table.cells.index],
        subjects=[] if subject is None else table.column(subject).tolist(),
        blocks=None
        if options.blocks is None
        else (options.blocks, table.column(options.blocks).tolist()),
        file=options.design,
        file_sha256=table.sha256,
        left_out=regressors.left_out,
        formula=regressors.formula,
        dropped=[
            whole.row(place) for place, row in enumerate(whole.cells.index) if row not in kept
        ],
    )
    return record, blocks


def _complete(
    table: DesignTable, maps: list[tuple[str, ...]], used: list[str], options: DesignOptions
) -> tuple[DesignTable, list[tuple[str, ...]]]:
    """Return the rows that have all values, and their maps."""
    lacking = table.lacks(used)
    if not lacking:
        return table, maps
    if not options.drop_missing:
        rows = [f"{table.row(place)} in {', '.join(map(repr, n))}" for place, n in lacking.items()]
        raise ValueError(
            f"--design must have a value in each column that is used. There is none in "
            f"{listed(rows)}. --drop-missing leaves these subjects out; --regressor or --formula "
            "say which columns are used."
        )
    columns = sorted({name for names in lacking.values() for name in names})
    warn_of_dropped(table, list(lacking), f"have no value in {', '.join(map(repr, columns))}")
    kept = [place for place in range(len(maps)) if place not in lacking]
    return table.take(kept), [maps[place] for place in kept]


def _only_contrast(design: pd.DataFrame, regressors: Regressors) -> str:
    """Return the mean, if there is nothing else that may be meant."""
    may_be = regressors.are_none_there or regressors.formula is not None
    if may_be and list(design.columns) == [INTERCEPT]:
        return INTERCEPT
    raise ValueError(
        f"--contrast must say what is tested of {', '.join(map(repr, design.columns))}. Got none."
    )


def _weights(contrast: str, design: pd.DataFrame) -> dict[str, float]:
    """Return the weight of each regressor in a contrast."""
    from ari_estimator.estimators._contrast_calibration import weights_of

    names = [str(name) for name in design.columns]
    try:
        weights = weights_of(contrast, design)[0]
    # An expression may go wrong in many ways.
    except Exception:
        raise ValueError(
            f"--contrast must be one of {', '.join(map(repr, names))}, or an expression such as "
            f"'patients - controls', with names in backquotes that have brackets. Got {contrast!r}."
        ) from None
    return {name: float(weight) for name, weight in zip(names, weights, strict=True)}
