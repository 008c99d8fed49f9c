"""The folder that FreeSurfer's mri_glmfit writes: its contrasts, its surface and its clusters."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ari_estimator.files._absent_content import is_named
from ari_estimator.images._hemispheres import Side, side_of
from ari_estimator.interfaces._reading import existing_folder, read_text

_WHAT = "The folder of mri_glmfit"

# The formats that mri_glmfit writes.
_ENDINGS = (".mgh", ".mgz", ".nii.gz", ".nii")

_SIDES: dict[str, Side] = {"lh": "left", "rh": "right"}

_SUMMARY = ".sig.cluster.summary"


@dataclass(frozen=True)
class GlmContrast:
    """A contrast in the folder of mri_glmfit.

    Attributes
    ----------
    folder : Path
        The folder of the contrast.

    sig : Path
        The map of -log10 p.

    mask : Path or None
        The mask of the analysis.

    subject : str or None
        The subject whose surface it is, mostly fsaverage; None for a volume, or if the folder does
        not tell.

    side : {"left", "right"} or None
        The hemisphere that the folder tells.

    n_rows : int
        Number of rows of the contrast matrix. With one, the map has the sign of the effect.
    """

    folder: Path
    sig: Path
    mask: Path | None
    subject: str | None
    side: Side | None
    n_rows: int

    @property
    def name(self) -> str:
        """Name of the contrast."""
        return self.folder.name

    @property
    def surface(self) -> Path:
        """The file that tells the subject and the hemisphere, if there is one."""
        return self.folder.parent / "surface"

    @property
    def cluster_sets(self) -> dict[str, Path]:
        """Tables of clusters by what their names begin with, such as ``cache.th30.abs``."""
        found = sorted(self.folder.glob(f"*{_SUMMARY}"))
        return {path.name.removesuffix(_SUMMARY): path for path in found}

    def clusters(self, name: str | None) -> tuple[Path, Path] | None:
        """Return the table and the map of clusters.

        Parameters
        ----------
        name : str or None
            What their names begin with; None for the only ones.

        Returns
        -------
        table, ocn : Path
            The files; None if there is not exactly one set of clusters and no name.

        Raises
        ------
        FileNotFoundError
            If there are no clusters with this name, or their map is missing.
        """
        sets = self.cluster_sets
        if name is None and len(sets) != 1:
            return None
        name = next(iter(sets)) if name is None else name.removesuffix(_SUMMARY)
        if name not in sets:
            raise FileNotFoundError(
                f"There are no clusters {name!r} in {str(self.folder)!r}. Found there: "
                f"{', '.join(sets) or 'none'}."
            )
        ocn = find_map(self.folder, f"{name}.sig.ocn")
        if ocn is None:
            raise FileNotFoundError(
                f"There is no {name}.sig.ocn.mgh in {str(self.folder)!r}, the map of the clusters "
                f"in {sets[name].name}."
            )
        return sets[name], ocn


def find_contrast(glm_dir: str | PathLike[str], contrast: str | None) -> GlmContrast:
    """Return a contrast in the folder of mri_glmfit.

    Parameters
    ----------
    glm_dir : path
        The folder, or the folder of a contrast in it.

    contrast : str or None
        Name of the contrast; None for the only one.

    Returns
    -------
    found : GlmContrast
        The contrast.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If a folder or a file does not exist.
    ValueError
        If there are several contrasts and no name, or a file is damaged.
    """
    folder = existing_folder(glm_dir, _WHAT)
    whole = folder.resolve()
    if contrast in (None, whole.name) and find_map(folder, "sig") is not None:
        folder, contrast = whole.parent, whole.name
    found = {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.is_dir() and find_map(path, "sig") is not None
    }
    if not found:
        raise FileNotFoundError(
            f"There is no contrast in {str(folder)!r}: mri_glmfit makes a folder with a file "
            "sig.mgh for each."
        )
    if contrast is None and len(found) > 1:
        raise ValueError(
            f"contrast must name one of the contrasts in {str(folder)!r}: {', '.join(found)}. "
            "Got None."
        )
    name = next(iter(found)) if contrast is None else contrast
    if name not in found:
        raise FileNotFoundError(
            f"There is no contrast {name!r} in {str(folder)!r}. Found there: {', '.join(found)}."
        )
    sig = find_map(found[name], "sig")
    assert sig is not None
    subject, side = _surface_of(folder)
    return GlmContrast(
        found[name], sig, find_map(folder, "mask"), subject, side, _n_rows(found[name])
    )


def find_map(folder: Path, stem: str) -> Path | None:
    """Return the map of a name in a folder of mri_glmfit, in any format; None if there is none."""
    paths = (folder / f"{stem}{ending}" for ending in _ENDINGS)
    return next((path for path in paths if is_named(path)), None)


def _surface_of(folder: Path) -> tuple[str | None, Side | None]:
    """Return the subject and the hemisphere, from the file that says them or from the name."""
    path = folder / "surface"
    if not is_named(path):
        told = side_of(folder.name)
        return None, told.side if told.is_sure else None
    words = read_text(path, "The file surface of mri_glmfit").split()
    if len(words) < 2 or words[1] not in _SIDES:
        raise ValueError(
            f"{str(path)!r} must hold a subject and lh or rh. Got {' '.join(words)[:40]!r}."
        )
    return words[0], _SIDES[words[1]]


def _n_rows(folder: Path) -> int:
    """Return the number of rows of the matrix of a contrast."""
    path = folder / "C.dat"
    text = read_text(path, "The matrix of the contrast")
    rows: list[Any] = [line.split() for line in text.splitlines()]
    rows = [row for row in rows if row]
    try:
        matrix = np.array(rows, dtype=float)
    except ValueError:
        matrix = np.zeros(0)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"{str(path)!r} must hold a matrix of numbers, the weights of a contrast.")
    return len(matrix)
