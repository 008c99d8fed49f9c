"""The subjects, the design and the contrast that a map comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

_MOST_COLUMNS = 12


class GroupModel(NamedTuple):
    """The subjects, the design and the contrast of a group model.

    Attributes
    ----------
    subjects : list of str
        Name of the map of each row of the design.

    design : pandas.DataFrame
        The design.

    contrast : str or None
        The contrast whose TDP was computed last; None if there is none.

    weights : ndarray of shape (n_rows, n_columns) or None
        Its weights.

    smoothing : str or None
        Smoothing of the maps, such as "4 mm FWHM"; None for no smoothing.

    mask : str
        Where the mask came from.

    variance_groups : str or None
        How variances differ; None for one common variance.

    blocks : str or None
        The exchangeability blocks of a calibration; None without a calibration.

    missing : str or None
        What happened to missing values of subjects; None for nothing special.
    """

    subjects: list[str]
    design: pd.DataFrame
    contrast: str | None
    weights: np.ndarray | None
    smoothing: str | None
    mask: str
    variance_groups: str | None
    blocks: str | None
    missing: str | None = None

    @property
    def columns_in_words(self) -> str:
        """The columns of the design in a sentence, such as "the columns group and age"."""
        names = [str(column) for column in self.design.columns]
        if len(names) > _MOST_COLUMNS:
            names = [*names[: _MOST_COLUMNS - 1], f"{len(names) - _MOST_COLUMNS + 1} more"]
        if len(names) == 1:
            return f"the column {names[0]}"
        return f"the columns {', '.join(names[:-1])} and {names[-1]}"

    @property
    def weights_in_words(self) -> str:
        """The weights of the contrast; empty if there is none."""
        if self.weights is None:
            return ""
        return "; ".join(", ".join(f"{weight:g}" for weight in row) for row in self.weights)

    @classmethod
    def of(
        cls, model: Any, contrast: str | None, weights: np.ndarray | None, calibration: Any
    ) -> GroupModel:
        """Return what is known about the subjects and the design of a model.

        Parameters
        ----------
        model : ARISecondLevelModel
            A fitted model.

        contrast : str or None
            The contrast in words; None for no contrast.

        weights : ndarray of shape (n_rows, n_columns) or None
            Its weights.

        calibration : PermutationCalibration or None
            The calibration of the contrast.

        Returns
        -------
        group : GroupModel
            The facts.
        """
        groups, fwhm = model.variance_groups, model.masker_.smoothing_fwhm
        mask = "given as mask_img"
        if model.masker_.mask_img is None:
            mask = getattr(model.masker_, "without_mask", "computed from the maps")
        file = _files_of([getattr(model.mask_img, "mask_img", model.mask_img)])[0]
        maps = model.second_level_input_
        if not isinstance(maps, (list, tuple, pd.Series, pd.DataFrame)):
            # One CIFTI image or array has a map for each row.
            maps = getattr(model, "_own_maps", None) or maps
        return cls(
            _names(maps, len(model.design_matrix_)),
            model.design_matrix_,
            contrast,
            weights,
            None if fwhm is None else f"{fwhm:g} mm FWHM",
            mask + (f" ({file})" if file else ""),
            None if groups is None else _groups_in_words(groups),
            None if calibration is None else _blocks_in_words(calibration.blocks),
            None if model.missing is None else "left out, element by element",
        )


def _names(given: Any, n_rows: int) -> list[str]:
    """Return a name for each map: its file, or its number."""
    if isinstance(given, pd.DataFrame) and "subject_label" in given:
        return [str(name) for name in given["subject_label"]]
    items = list(given) if isinstance(given, (list, tuple, pd.Series)) else []
    names = _files_of(items)
    if len(names) != n_rows:
        names = [""] * n_rows
    return [name or f"map {number}" for number, name in enumerate(names, start=1)]


def _files_of(images: list[Any]) -> list[str]:
    """Return the names of files of images; empty if there is none."""
    names = []
    for img in images:
        if isinstance(img, (str, Path)):
            names.append(str(img))
            continue
        name = getattr(img, "subject_label", None)  # of a first-level model
        get_filename = getattr(img, "get_filename", None)
        if name is None and callable(get_filename):
            name = get_filename()
        names.append(str(name or ""))
    return names


def _groups_in_words(groups: Any) -> str:
    if isinstance(groups, str):
        return "groups that the design defines"
    return f"{len(pd.unique(np.ravel(groups)))} groups"


def _blocks_in_words(blocks: Any) -> str:
    if blocks is None:
        return "none: all rows are one block"
    table = np.asarray(blocks)
    if table.ndim == 1:
        return f"{len(pd.unique(table)):,} blocks"
    counts = [len(pd.unique(column)) for column in table.T]
    return f"{len(counts)} nested levels with {', '.join(map(str, counts))} labels"
