"""Several rows of a subject in the table of a design."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ari_estimator.cli._design_record import DesignRecord
from ari_estimator.cli._design_rows import listed
from ari_estimator.cli._design_table import SUBJECT, DesignTable, which_lack_a_value

# The subject in the path of a file, by its entity of BIDS.
_SUB = re.compile(r"(?<![A-Za-z0-9])sub-([A-Za-z0-9]+)")


def subjects_of_rows(table: DesignTable, used: Sequence[str]) -> list[int]:
    """Return the number of the subject of each row, in the order in which subjects come.

    Parameters
    ----------
    table : DesignTable
        The table, with a row for each map.

    used : sequence of str
        Columns that must be the same in all rows of a subject.

    Returns
    -------
    numbers : list of int
        The number of the subject of each row, from 0.

    Raises
    ------
    ValueError
        If a row does not name a subject, each subject has one row, or the rows of a subject differ
        in a column that is used.
    """
    name = table.subject
    if name is None:
        raise ValueError(
            f"--combine-runs needs a column of --design that names the subject, such as "
            f"{SUBJECT[1]}. Got {', '.join(table.columns)}."
        )
    lacking = table.lacks([name])
    if lacking:
        raise ValueError(
            f"--combine-runs needs a subject in each row of --design. There is none in the column "
            f"{name!r} in {listed([f'row {table.cells.index[place]}' for place in lacking])}."
        )
    labels = _labels(table, name)
    subjects = list(dict.fromkeys(labels))
    if len(subjects) == len(labels):
        raise ValueError(
            f"--combine-runs needs several rows of a subject. The column {name!r} of --design "
            "names each subject once."
        )
    places = [subjects.index(label) for label in labels]
    for column in used:
        cells = table.column(column).tolist()
        for row, place in enumerate(places):
            first = places.index(place)
            if cells[row] != cells[first]:
                raise ValueError(
                    f"With --combine-runs, the column {column!r} of --design must be the same in "
                    f"all rows of a subject. Got {cells[first]!r} in {table.row(first)} and "
                    f"{cells[row]!r} in {table.row(row)}. Leave it out: choose "
                    "columns with --regressor, or --formula 1 for none. To test what varies within "
                    "subjects, use --blocks."
                )
    return places


def warn_of_repeats(record: DesignRecord) -> None:
    """Warn if several rows are of one subject, unless the design has an effect of each subject.

    Parameters
    ----------
    record : DesignRecord
        The design and its maps, whose files may name subjects: ``sub-01_run-1_effect.nii.gz``.
    """
    labels = record.subjects
    if not labels:
        found = [set(_SUB.findall(files[0])) for files in record.maps]
        labels = [min(of) for of in found] if all(len(of) == 1 for of in found) else []
        # The name of one folder or file for all says nothing.
        labels = labels if len(set(labels)) > 1 else []
    labels = [label.removeprefix("sub-") for label in labels]
    if len(labels) == len(set(labels)) or any(which_lack_a_value(labels)):
        return
    from ari_estimator.resampling._repeated_subjects import warn_of_repeated_subjects

    warn_of_repeated_subjects(
        labels,
        record.design,
        "Average the maps of each subject: give --combine-runs and a --design with the columns "
        f"path and {SUBJECT[1]}. Or name the column of subjects by --blocks, with --permutations.",
    )


def mean_of_each_subject(maps: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Return the mean map of each subject.

    Parameters
    ----------
    maps : sequence of images
        The map of each row.

    places : sequence of int
        From :func:`subjects_of_rows`.

    Returns
    -------
    means : list of images
        One map for each subject.
    """
    from ari_estimator.second_level._combine_runs_by_subject import mean_of_runs

    of_subject: dict[int, list[Any]] = {}
    for img, place in zip(maps, places, strict=True):
        of_subject.setdefault(place, []).append(img)
    return [runs[0] if len(runs) == 1 else mean_of_runs(runs) for runs in of_subject.values()]


def _labels(table: DesignTable, name: str) -> list[str]:
    return [label.removeprefix("sub-") for label in table.column(name)]
