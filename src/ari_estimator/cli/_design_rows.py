"""The pairs of rows of a design and maps."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from ari_estimator.cli._design_table import PATH, SUBJECT, DesignTable

# Why maps of one file are not assigned to rows by a column.
_NAMELESS = "the names of the maps in the file tell no subject of its rows"


def natural_order(text: str) -> tuple[Any, ...]:
    """Return the key that sorts sub-2 before sub-10."""
    parts = re.split(r"(\d+)", text)
    return tuple((int(part), part) if part.isdecimal() else (-1, part) for part in parts)


def rows_of_maps(
    table: DesignTable,
    files: list[str],
    *,
    drop_missing: bool,
    called: dict[str, str] | None = None,
) -> tuple[DesignTable, list[tuple[str, ...]]]:
    """Return the rows that have a map, and the map of each.

    Parameters
    ----------
    table : DesignTable
        The table.

    files : list of str
        Maps that were named on the command line.

    drop_missing : bool
        Whether rows without a map are left out.

    called : dict of str to str or None, default=None
        For maps of one file: the name of each map in it, which may tell the subject.

    Returns
    -------
    table : DesignTable
        The rows, in the order of the maps.

    maps : list of tuple of str
        The map of each row: one file, or the files of both hemispheres.

    Raises
    ------
    ValueError
        If rows and maps do not match one to one.

    Warns
    -----
    UserWarning
        If rows are left out, or if nothing but their order says whose the maps are.
    """
    if table.paths:
        if files:
            raise ValueError(
                f"IMG must be left out where --design has a column {table.paths[0]!r}."
            )
        return _by_path(table, drop_missing=drop_missing)
    if not files:
        raise ValueError("IMG must name the maps, or --design have a column path. Got neither.")
    texts = [(called or {}).get(file, file) for file in files]
    if table.subject is not None and not (called and _tell_nothing(table, texts)):
        return _by_subject(table, files, texts, drop_missing=drop_missing)
    if len(files) != len(table.cells):
        why = f"no column {', '.join((PATH, *SUBJECT))} that names the maps"
        raise ValueError(
            f"--design must have a row for each of the {len(files)} maps. Got {len(table.cells)} "
            f"rows, and {_NAMELESS if called else why}."
        )
    why = "there is no column path or participant_id"
    in_order = "" if called else ", with sub-2 before sub-10"
    warnings.warn(
        f"No column of --design assigns maps to rows: {_NAMELESS if called else why}. The first "
        f"row is assigned to the first map, and so on{in_order}. Check the list of rows and maps.",
        UserWarning,
        stacklevel=2,
    )
    return table, [(file,) for file in (files if called else _naturally_ordered(files))]


def _tell_nothing(table: DesignTable, texts: list[str]) -> bool:
    """Return whether no map is called after a subject of the table."""
    labels = {label.removeprefix("sub-") for label in table.column(str(table.subject))}
    return not any(_labels_in(text, only_sub=False) & labels for text in texts)


def _by_path(
    table: DesignTable, *, drop_missing: bool
) -> tuple[DesignTable, list[tuple[str, ...]]]:
    names = list(table.paths)
    if len(names) != 1 + (names[0].casefold() != PATH):
        raise ValueError(
            "--design must have the column path; or path_left and path_right for surfaces. Got "
            f"{' and '.join(names)}."
        )
    lacking = table.lacks(names)
    if lacking and not drop_missing:
        raise ValueError(
            f"The column {names[0]!r} of --design must have a path in each row. There is none in "
            f"{listed([table.row(place) for place in lacking])}."
        )
    if lacking:
        warn_of_dropped(table, list(lacking), "have no path")
    table = table.take([place for place in range(len(table.cells)) if place not in lacking])
    # Paths in a table are mostly relative to it.
    columns = [[str(table.folder / cell) for cell in table.column(name)] for name in names]
    return table, list(zip(*columns, strict=True))


def _by_subject(
    table: DesignTable, files: list[str], texts: list[str], *, drop_missing: bool
) -> tuple[DesignTable, list[tuple[str, ...]]]:
    name = str(table.subject)
    lacking = table.lacks([name])
    if lacking:
        raise ValueError(
            f"The column {name!r} of --design must name a subject in each row. There is none in "
            f"{listed([f'row {table.cells.index[place]}' for place in lacking])}."
        )
    labels = [label.removeprefix("sub-") for label in table.column(name)]
    repeated = sorted(label for label, count in Counter(labels).items() if count > 1)
    if repeated:
        raise ValueError(
            f"The column {name!r} of --design must name each subject once, or a column path "
            f"say which map is meant. Got {repeated[0]!r} more than once. To average runs, give a "
            "column path and --combine-runs."
        )
    known = set(labels)
    by_sub = [_labels_in(text, only_sub=True) & known for text in texts]
    # A label such as 01 may be the number of a run, too.
    only_sub = any(by_sub)
    places = [_place_of(text, _labels_in(text, only_sub=only_sub), labels, name) for text in texts]
    counts = Counter(places)
    twice = [file for file, place in zip(files, places, strict=True) if counts[place] > 1]
    if twice:
        raise ValueError(
            f"IMG must be one map of each subject. Got {' and '.join(twice[:2])}. To average runs, "
            "give --combine-runs and a --design with a row and a path for each run."
        )
    without = [place for place in range(len(labels)) if place not in counts]
    if without and not drop_missing:
        raise ValueError(
            f"IMG must have a map of each row of --design. There is none for "
            f"{listed([table.row(place) for place in without])}. Remove these rows from the table, "
            "or give --drop-missing."
        )
    if without:
        warn_of_dropped(table, without, "have no map")
    return table.take(places), [(file,) for file in files]


def _labels_in(file: str, *, only_sub: bool) -> set[str]:
    """Return the labels that a subject may have by the name and the folders of a file."""
    parts = {
        part
        for name in Path(file).parts
        for part in (name, *name.split("_"), name.split(".")[0], *name.split(".")[0].split("_"))
    }
    if only_sub:
        parts = {part for part in parts if part.startswith("sub-")}
    return {part.removeprefix("sub-") for part in parts}


def _place_of(file: str, found: set[str], labels: list[str], column: str) -> int:
    """Return the row of the subject that a file is of."""
    places = [place for place, label in enumerate(labels) if label in found]
    if len(places) != 1:
        told = "none" if not places else " and ".join(labels[place] for place in places)
        raise ValueError(
            f"The column {column!r} of --design must have the subject of {file!r}, by the label "
            f"sub-... in its path. Got {told}."
        )
    return places[0]


def _naturally_ordered(files: list[str]) -> list[str]:
    """Return files with sub-2 before sub-10.

    Files that differ in more than numbers stay where they are: patients that were named before
    controls come before them.
    """
    ordered: list[str] = []
    kind, group = None, list[str]()
    for file in [*files, None]:
        kind_of_file = None if file is None else re.sub(r"\d+", "0", file)
        if kind_of_file != kind:
            ordered += sorted(group, key=natural_order)
            kind, group = kind_of_file, []
        if file is not None:
            group.append(file)
    return ordered


def listed(items: list[str], most: int = 10) -> str:
    """Return items in words, the first of many."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def warn_of_dropped(table: DesignTable, places: list[int], why: str) -> None:
    """Say which rows are left out, and why."""
    rows = listed([table.row(place) for place in places], most=50)
    warnings.warn(
        f"--drop-missing leaves out {len(places)} of {len(table.cells)} rows, which {why}: {rows}.",
        UserWarning,
        stacklevel=2,
    )
