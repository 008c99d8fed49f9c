"""The maps of subjects and their design, from the command line."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._design_files import is_in_files, study_in_files
from ari_estimator.cli._design_matrix import INTERCEPT, Regressors, find_regressors
from ari_estimator.cli._design_record import DesignRecord
from ari_estimator.cli._design_rows import listed, rows_of_maps, warn_of_dropped
from ari_estimator.cli._design_table import HEMISPHERES, DesignTable, read_design_table
from ari_estimator.cli._inputs import add_inputs
from ari_estimator.cli._patterns import files_named
from ari_estimator.cli._run_rows import mean_of_each_subject, subjects_of_rows, warn_of_repeats
from ari_estimator.cli._subject_files import file_of, maps_in_files, read_maps, with_hemispheres
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._given_path import given_path

# Options that need the table of a design.
_OF_TABLES = (
    "regressor", "formula", "blocks", "variance_groups", "drop_missing", "combine_runs",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """A group study.

    Attributes
    ----------
    images : list
        Map of each subject.

    records : list of DesignRecord
        What is tested: design, contrast, and the pairs of rows and maps. One for each contrast.

    resampling : dict of str to object
        Arguments of a calibration: the blocks of the maps, and how blocks are exchanged.

    variance_groups : ndarray, "auto" or None
        Group of each map that has a variance of its own.

    is_surface : bool
        Whether maps are surfaces, which bring their meshes along.

    has_mesh : bool
        Whether maps are surfaces or CIFTI images.

    mask_img : nibabel.Nifti1Image or None
        What is in the brain masks of all subjects, where there are some.

    folder_of_masks : Path or None
        Where the user says that the brain masks are; None for the folder of the maps.
    """

    images: list[Any]
    records: list[DesignRecord]
    resampling: dict[str, Any]
    variance_groups: Any
    is_surface: bool
    has_mesh: bool
    mask_img: Any
    folder_of_masks: Path | None


def read_study(
    images: Sequence[str],
    options: DesignOptions,
    *,
    mesh: Sequence[Path] | None,
    mask: Sequence[Path] | None,
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

    mask : sequence of Path or None
        What --mask names. A folder is one of the brain masks of the subjects.

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
    from nilearn.surface import SurfaceImage

    from ari_estimator.images._grayordinate_maps import are_grayordinates

    folder_of_masks = mask[0] if mask is not None and mask[0].is_dir() else None
    files, mask_img = _files(images, options.select or [], folder_of_masks)
    files, partners, called = maps_in_files(files, n_meshes=len(mesh or ()), map_=options.map)
    records, blocks, groups = _records(files, called, options)
    maps_of_rows = with_hemispheres(records[0].maps, partners)
    records = [replace(record, maps=maps_of_rows) for record in records]
    record = records[0]
    all_files = [file for row in record.maps for file in row]
    add_inputs([file_of(file) for file in all_files])
    places = [os.path.realpath(file) for file in all_files]
    counts = Counter(places)
    twice = next(
        (file for file, place in zip(all_files, places, strict=True) if counts[place] > 1), None
    )
    if twice is not None:
        raise ValueError(f"Each subject must have a map of its own. Got {twice!r} more than once.")
    if len(record.design) < 2:
        raise ValueError(f"IMG must be maps of at least 2 subjects. Got {len(record.design)}.")
    are_pairs = len(record.maps[0]) == len(HEMISPHERES)
    named_by = "--design" if are_pairs and not images else "IMG"
    maps = read_maps(record.maps, mesh, options.map, named_by)
    is_surface = isinstance(maps[0], SurfaceImage)
    if blocks is None and record.subject_of_map is None:
        warn_of_repeats(record)
    if record.subject_of_map is not None:
        maps = mean_of_each_subject(maps, record.subject_of_map)
    resampling = {"blocks": blocks, "exchange": options.exchange}
    has_mesh = is_surface or are_grayordinates(maps)
    return Study(maps, records, resampling, groups, is_surface, has_mesh, mask_img, folder_of_masks)


def _records(
    files: list[str], called: dict[str, str], options: DesignOptions
) -> tuple[list[DesignRecord], np.ndarray | None, Any]:
    """Return what is tested, and the block and the variance group of each map."""
    if is_in_files(options):
        refuse_options("a table as --design. Got a matrix", combine_runs=options.combine_runs)
        return study_in_files(files, options)
    refuse_options(
        "files of FSL or PALM, such as --design a.mat --contrast a.con",
        ftests=options.ftests is not None,
        demean=options.demean,
    )
    _check_number_of_contrasts(options)
    if options.design is None:
        record, blocks, groups = _record_of_mean(files, options), None, None
    else:
        table = read_design_table(options.design)
        record, blocks, groups = _record_of_table(table, files, called, options)
    records = [record]
    for contrast in (options.contrast or [])[1:]:
        weights = _weights(contrast, record.design)
        records.append(replace(record, contrast=contrast, weights=weights))
    return records, blocks, groups


def _check_number_of_contrasts(options: DesignOptions) -> None:
    """Refuse several contrasts that are not tested together, and one that would be."""
    given = options.contrast or []
    if len(given) > 1 and not options.joint:
        raise ValueError(
            "--contrast must be given once, or together with --joint, which tests several as one "
            f"family. Got {listed(given)}."
        )
    if len(given) < 2 and options.joint:
        raise ValueError(
            f"--joint needs at least two --contrast. Got {listed(given) if given else 'none'}."
        )
    if len(set(given)) < len(given):
        raise ValueError(f"--contrast must differ each time. Got {listed(given)}.")


def _files(
    images: Sequence[str], select: Sequence[str], folder_of_masks: Path | None
) -> tuple[list[str], Any]:
    """Return the files that are named, in natural order for each pattern; and a mask."""
    folder = given_path(images[0], "IMG") if len(images) == 1 else None
    if folder is not None and folder.is_dir():
        return _files_of_folder(folder, select, folder_of_masks)
    if select:
        raise ValueError("--select needs IMG to be a folder of BIDS derivatives. Got files.")
    if folder_of_masks is not None:
        raise ValueError(
            "--mask may be a folder of brain masks only where the maps are in a folder of BIDS "
            f"derivatives. Got the folder {str(folder_of_masks)!r} and files."
        )
    return [file for pattern in images for file in files_named(pattern, "IMG")], None


def _files_of_folder(
    folder: Path, select: Sequence[str], folder_of_masks: Path | None
) -> tuple[list[str], Any]:
    """Return one map of each subject of a folder of BIDS derivatives; a mask if there are some."""
    from ari_estimator.images._grayordinate_maps import are_grayordinates
    from ari_estimator.interfaces import find_group_mask, find_subject_maps

    wanted = {}
    for text in select:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ValueError(f"--select must look like contrast=faces. Got {text!r}.")
        wanted[name] = value
    maps = find_subject_maps(folder, **wanted)
    paths = maps["path"].tolist()
    # CIFTI files hold their grayordinates, so the masks in their folder are of other maps.
    needs_mask = folder_of_masks is not None or not are_grayordinates(paths)
    return paths, find_group_mask(folder_of_masks or folder, maps) if needs_mask else None


def _record_of_mean(files: list[str], options: DesignOptions) -> DesignRecord:
    """Return what is tested without a table: the mean of all maps."""
    for name in _OF_TABLES:
        if getattr(options, name):
            raise ValueError(
                f"--{name.replace('_', '-')} needs a table: give --design. Got no --design."
            )
    if not files:
        raise ValueError("IMG must name the maps, or --design have a column path. Got neither.")
    if not options.intercept:
        raise ValueError("--no-intercept leaves no regressor. Give --design, or leave it out.")
    design = pd.DataFrame({INTERCEPT: np.ones(len(files))})
    contrast = options.contrast[0] if options.contrast else INTERCEPT
    return DesignRecord(
        design,
        contrast,
        _weights(contrast, design),
        df=len(files) - 1,
        maps=[(file,) for file in files],
        rows=[],
        subjects=[],
        beside={},
        options=_options_of_rows(options),
        file=None,
        file_sha256=None,
        left_out={},
        formula=None,
        dropped=[],
    )


def _record_of_table(
    table: DesignTable, files: list[str], called: dict[str, str], options: DesignOptions
) -> tuple[DesignRecord, np.ndarray | None, Any]:
    """Return what is tested with a table, and the block and the variance group of each map."""
    from ari_estimator.resampling._design_space import DesignSpace

    whole = table
    regressors = find_regressors(table, options)
    table, maps = rows_of_maps(table, files, drop_missing=options.drop_missing, called=called)
    levels, groups = table.columns_in(options.blocks), _column_of_groups(table, options)
    beside = [*levels, *groups]
    used = list(dict.fromkeys([*regressors.names, *beside]))
    table, maps = _complete(table, maps, used, options)
    of_subjects, subject_of_map = table, None
    if options.combine_runs:
        subject_of_map = subjects_of_rows(table, used)
        firsts = [subject_of_map.index(number) for number in range(max(subject_of_map) + 1)]
        of_subjects = table.take(firsts)
    if len(of_subjects.cells) < 2:
        raise ValueError(f"IMG must be maps of at least 2 subjects. Got {len(of_subjects.cells)}.")
    design = regressors.matrix(of_subjects, intercept=options.intercept)
    contrast = options.contrast[0] if options.contrast else _only_contrast(design, regressors)
    values = of_subjects.values(list(dict.fromkeys(beside)))
    # Labels are one column, nested levels several.
    blocks = values[levels].to_numpy().squeeze(axis=1) if len(levels) == 1 else None
    if len(levels) > 1:
        blocks = values[levels].to_numpy()
    variance_groups = values[groups[0]].to_numpy() if groups else options.variance_groups
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
        beside={name: table.column(name).tolist() for name in beside},
        options=_options_of_rows(options),
        file=options.design,
        file_sha256=table.sha256,
        left_out=regressors.left_out,
        formula=regressors.formula,
        dropped=[
            whole.row(place) for place, row in enumerate(whole.cells.index) if row not in kept
        ],
        subject_of_map=subject_of_map,
    )
    return record, blocks, variance_groups


def _column_of_groups(table: DesignTable, options: DesignOptions) -> list[str]:
    """Return the column of variance groups, if one is named."""
    name = options.variance_groups
    if name is None or (name == "auto" and name not in table.cells):
        return []
    if name == "auto":
        raise ValueError(
            "--variance-groups auto may mean the column 'auto' of --design, or the groups that the "
            "regressors define. Rename the column."
        )
    return [str(table.column(name).name)]


def _options_of_rows(options: DesignOptions) -> list[str]:
    """Return the options that say how rows depend on each other and how they are tested."""
    given = {name: getattr(options, name) for name in ("blocks", "exchange", "variance_groups")}
    named = [
        f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None
    ]
    named += [] if options.map is None else [f"--map={options.map}"]
    named += ["--combine-runs"] if options.combine_runs else []
    return [*named, "--f-test"] if options.f_test else named


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
            f"--design must have a value in each used column. There is none in "
            f"{listed(rows)}. Empty cells, n/a, NA, NaN and null count as missing. Drop these "
            "subjects with --drop-missing, or choose other columns with --regressor or --formula."
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
        f"--contrast must name what to test, from the regressors "
        f"{', '.join(map(repr, design.columns))}. Got none."
    )


def _weights(contrast: str, design: pd.DataFrame) -> list[dict[str, float]]:
    """Return the weight of each regressor in each row of a contrast."""
    from ari_estimator.resampling._contrast_expression import contrast_rows

    names = [str(name) for name in design.columns]
    try:
        rows = contrast_rows(contrast, names)
    except ValueError as error:
        raise ValueError(str(error).replace("A contrast", "--contrast", 1)) from None
    return [dict(zip(names, map(float, weights), strict=True)) for weights in rows]
