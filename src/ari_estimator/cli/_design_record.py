"""The record of a group test: printed, as JSON, and as files that repeat the test."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.cli._more_rows import more_rows

# Rows on a screen.
_MOST_ROWS = 25


@dataclass(frozen=True)
class DesignRecord:
    """What a group study has tested.

    Attributes
    ----------
    design : pandas.DataFrame
        The design, a row for each map, or for each subject whose maps are averaged.

    contrast : str
        The contrast.

    weights : list of dict of str to float
        Weight of each regressor in each row of the contrast; several rows are an F contrast.

    df : int
        Degrees of freedom of the residuals.

    maps : list of tuple of str
        The map of each row, or the files of both hemispheres.

    rows : list of int
        The row of each map in the file of the design; empty without a file.

    subjects : list of str
        The subject of each map, as far as the table says.

    beside : dict of str to list of str
        Cells of the columns of blocks and variance groups, by name.

    options : list of str
        The options that name them.

    file : Path or None
        The file of the design.

    file_sha256 : str or None
        Its checksum.

    left_out : dict of str to str
        Columns of the file that are not regressors, with the reason.

    formula : str or None
        Terms of the design, as the user wrote them.

    dropped : list of str
        Rows that were left out.

    name : str or None, default=None
        Name of the contrast in a file of contrasts; None if the expression is its name.

    subject_of_map : list of int or None, default=None
        The row of the design of each map; None if they are the same rows.
    """

    design: pd.DataFrame
    contrast: str
    weights: list[dict[str, float]]
    df: int
    maps: list[tuple[str, ...]]
    rows: list[int]
    subjects: list[str]
    beside: dict[str, list[str]]
    options: list[str]
    file: Path | None
    file_sha256: str | None
    left_out: dict[str, str]
    formula: str | None
    dropped: list[str]
    name: str | None = None
    subject_of_map: list[int] | None = None

    @property
    def called(self) -> str:
        """The name of the contrast."""
        return self.contrast if self.name is None else self.name

    @property
    def n_subjects(self) -> int:
        """The number of subjects, which may have several rows of the design."""
        is_named = self.subject_of_map is None and bool(self.subjects)
        return len(set(self.subjects)) if is_named else len(self.design)

    @property
    def tested(self) -> str | list[list[float]]:
        """The contrast as a model takes it: an expression, or the rows of an F contrast."""
        if len(self.weights) == 1:
            return self.contrast
        return [list(row.values()) for row in self.weights]

    def facts(self, mask: str) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "file": None if self.file is None else str(self.file),
            "file_sha256": self.file_sha256,
            "sha256": self._sha256,
            "formula": self.formula,
            "regressors": list(self.weights[0]),
            "contrast_weights": self._weights,
            "n_subjects": self.n_subjects,
            "n_rows": len(self.design),
            "df": self.df,
            "options": self.options,
            "mask": mask,
            "rows": self._pairs(),
            "left_out": self.left_out,
            "dropped": self.dropped,
        }

    def sidecar(self, mask: str) -> dict[str, Any]:
        """Return it in the notation of BIDS."""
        facts = self.facts(mask)
        return {
            "Design": {
                "File": facts["file"],
                "FileSHA256": facts["file_sha256"],
                "SHA256": facts["sha256"],
                "Formula": facts["formula"],
                "Regressors": facts["regressors"],
                "ContrastWeights": facts["contrast_weights"],
                "NumberOfSubjects": facts["n_subjects"],
                "NumberOfRows": facts["n_rows"],
                "DegreesOfFreedom": facts["df"],
                "Options": facts["options"],
                "Mask": facts["mask"],
                "Rows": facts["rows"],
                "LeftOut": facts["left_out"],
                "Dropped": facts["dropped"],
            }
        }

    def text(self, written: Path | None = None) -> str:
        """Return it in words, for people."""
        rows = [
            ", ".join(f"{weight:g} {name!r}" for name, weight in row.items())
            for row in self.weights
        ]
        lines = [
            f"contrast {self.called}: {'; '.join(rows)}",
            f"{self._numbers} · {self.df} degrees of freedom",
        ]
        if self.left_out:
            told = ", ".join(
                f"{repr(name) if name else 'one without a name'} ({why})"
                for name, why in self.left_out.items()
            )
            lines.append(f"columns left out: {told}")
        if self.file is not None:
            lines.append(f"design {self.file} · sha256 {self.file_sha256}")
            pairs = [
                " ".join(filter(None, (f"row {pair['row']}", pair["subject"])))
                + f": {', '.join(pair['map'])}"
                for pair in self._pairs()
            ]
            lines += pairs[:_MOST_ROWS]
            if len(pairs) > _MOST_ROWS:
                lines.append(more_rows(len(pairs) - _MOST_ROWS, written, "more rows"))
        return "\n".join(lines)

    @property
    def _numbers(self) -> str:
        """How many subjects and maps there are, in words."""
        n_subjects, n_maps = self.n_subjects, len(self.maps)
        if self.subject_of_map is not None:
            return f"{n_subjects} subjects with the mean of their maps, {n_maps} in all"
        return f"{'' if n_subjects == n_maps else f'{n_maps} maps of '}{n_subjects} subjects"

    def write(self, folder: Path, prefix: str, options: list[str]) -> dict[str, str]:
        """Write the design and the contrast, and return the names of the files.

        Parameters
        ----------
        folder : Path
            The folder.

        prefix : str
            How names of files start.

        options : list of str
            Further options of the same analysis.

        Returns
        -------
        names : dict of str to str
            Names of the files, by what they are.
        """
        names = {"design": f"{prefix}_design.tsv", "contrast": f"{prefix}_contrast.json"}
        (folder / names["design"]).write_bytes(self._written)
        given = ["--design", names["design"]]
        given += [f"--regressor={name}" for name in self.weights[0]]
        given += ["--no-intercept", f"--contrast={self.contrast}", *self.options]
        told = {
            "Name": self.called,
            "Contrast": self.contrast,
            "Weights": self._weights,
            "Design": names["design"],
            "DesignSHA256": self._sha256,
            "Options": shlex.join([*given, *options]),
        }
        text = json.dumps(told, indent=2, ensure_ascii=False)
        path = folder / names["contrast"]
        path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
        return names

    @property
    def _weights(self) -> dict[str, float] | list[dict[str, float]]:
        return self.weights[0] if len(self.weights) == 1 else self.weights

    def _pairs(self) -> list[dict[str, Any]]:
        n = len(self.maps)
        rows: list[Any] = self.rows or [None] * n
        subjects: list[Any] = self.subjects or [None] * n
        return [
            {"row": row, "subject": subject, "map": list(files)}
            for row, subject, files in zip(rows, subjects, self.maps, strict=True)
        ]

    @property
    def _written(self) -> bytes:
        """The design as it is written: a table that ``ari group`` reads."""
        columns = ("path",) if len(self.maps[0]) == 1 else ("path_left", "path_right")
        # Absolute paths, since the table is in another folder than the command ran in.
        files = np.array([[str(Path(file).absolute()) for file in row] for row in self.maps])
        table = pd.DataFrame(files, columns=list(columns))
        if self.subjects:
            table["participant_id"] = self.subjects
        for name, cells in self.beside.items():
            if name not in (*table, *self.design):
                table[name] = cells
        rows = range(len(self.maps)) if self.subject_of_map is None else self.subject_of_map
        for name in self.design:
            values = self.design[name].to_numpy()[list(rows)]
            # The shortest text that is read as the same number.
            table[name] = [repr(float(value)) for value in values]
        text = table.to_csv(sep="\t", index=False, lineterminator="\n")
        return text.encode("utf-8", errors="backslashreplace")

    @property
    def _sha256(self) -> str:
        """Checksum of the design as it is written."""
        return sha256(self._written).hexdigest()
