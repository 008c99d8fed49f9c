"""Several rows of a subject in the table of a design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ari_estimator.cli._design_rows import listed
from ari_estimator.cli._design_table import SUBJECT, DesignTable


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


def warn_of_repeats(table: DesignTable, design: Any) -> None:
    """Warn if several rows are of one subject, unless the design has an effect of each subject.

    Parameters
    ----------
    table : DesignTable
        The table, with a row for each map.

    design : pandas.DataFrame
        The design, with the same rows.
    """
    name = table.subject
    if name is None or table.lacks([name]):
        return
    from ari_estimator.resampling._repeated_subjects import warn_of_repeated_subjects

    warn_of_repeated_subjects(
        _labels(table, name),
        design,
        f"Average the maps of each subject with --combine-runs, or give --blocks {name} with "
        "--permutations.",
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
    from ari_estimator.estimators._combine_runs_by_subject import mean_of_runs

    of_subject: dict[int, list[Any]] = {}
    for img, place in zip(maps, places, strict=True):
        of_subject.setdefault(place, []).append(img)
    return [runs[0] if len(runs) == 1 else mean_of_runs(runs) for runs in of_subject.values()]


def _labels(table: DesignTable, name: str) -> list[str]:
    return [label.removeprefix("sub-") for label in table.column(name)]
