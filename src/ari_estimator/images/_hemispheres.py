"""Which hemisphere a file of a surface is of, as the file itself tells."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from nibabel.gifti.gifti import GiftiImage
from nilearn.surface import PolyMesh

from ari_estimator.images._image_file import load_image

Side = Literal["left", "right"]

_STRUCTURES: dict[str, Side] = {"CortexLeft": "left", "CortexRight": "right"}

# FreeSurfer's names, in a file with the subject and the hemisphere.
_PREFIXES: dict[str, Side] = {"lh": "left", "rh": "right"}
_LARGEST_TOLD = 1000

# A hemisphere crosses the midline with a smaller share of its vertices.
_FEW = 0.05

# What tells the side in a name, the surest first: the entity of BIDS, FreeSurfer's prefix, the
# letter of the Human Connectome Project, the word.
_IN_NAMES = (
    re.compile(r"(?:^|_)hemi-(l|r|left|right|lh|rh)(?=[._]|$)", re.IGNORECASE),
    re.compile(r"(?:^|[._-])(lh|rh)(?=[._-]|$)", re.IGNORECASE),
    re.compile(r"(?:^|[._])([LR])(?=[._]|$)"),
    re.compile(r"(?:^|[._-])(left|right)(?=[._-]|$)", re.IGNORECASE),
)


class ToldSide(NamedTuple):
    """The side of a file, and what tells it.

    Attributes
    ----------
    side : {"left", "right"} or None
        The hemisphere; None if nothing tells it.

    said_by : str
        What tells it, for a sentence.

    is_sure : bool
        Whether it is more than a word in the name, which may mean a hand.
    """

    side: Side | None
    said_by: str
    is_sure: bool


_UNKNOWN = ToldSide(None, "nothing says its side", False)


def side_of(path: str | Path) -> ToldSide:
    """Return the hemisphere that a file is of.

    Parameters
    ----------
    path : str or Path
        A file of values on a surface, or of a mesh.

    Returns
    -------
    told : ToldSide
        What the file itself says (AnatomicalStructurePrimary of GIfTI), or else its name, or the
        folder of mri_glmfit that it is in.

    Raises
    ------
    ValueError
        If the file and its name say different sides.
    """
    path = Path(path)
    by_name = _side_of_name(path.name)
    inside = None
    if path.name.endswith((".gii", ".gii.gz")) and path.is_file():
        inside = _side_inside(str(path), path.stat().st_mtime_ns)
    if inside is None:
        return by_name if by_name.is_sure else _side_of_glmfit(path) or by_name
    if by_name.is_sure and inside != by_name.side:
        raise ValueError(
            f"The hemisphere of {str(path)!r} is not certain: its name says {by_name.side}, "
            f"AnatomicalStructurePrimary in it says {inside}. Correct one of them."
        )
    return ToldSide(inside, f"AnatomicalStructurePrimary says {inside}", True)


class SortedFiles(NamedTuple):
    """The files of both hemispheres.

    Attributes
    ----------
    left, right : str or Path
        The files.

    are_told : bool
        Whether the files themselves declare their hemisphere.

    warning : str
        Warning if the right hemisphere was given first; "" otherwise.
    """

    left: Any
    right: Any
    are_told: bool
    warning: str = ""

    def told(self) -> SortedFiles:
        """Say that the files were exchanged, if so, and return them."""
        if self.warning:
            warnings.warn(self.warning, UserWarning, stacklevel=2)
        return self


def sorted_files(paths: Sequence[str | Path], what: str) -> SortedFiles:
    """Return two files with the left hemisphere first, as the files tell.

    Parameters
    ----------
    paths : sequence of 2 paths
        The files of both hemispheres.

    what : str
        What they were given for, for messages: "--mesh".

    Returns
    -------
    files : SortedFiles
        The file of the left and of the right hemisphere. Files that say nothing keep their order.

    Raises
    ------
    ValueError
        If both are one file, or of one hemisphere; or if only one file says its side, and it
        is not where it was given.
    """
    first, second = paths
    if Path(first).resolve() == Path(second).resolve():
        raise ValueError(
            f"{what} must be a file of each hemisphere. Got {str(first)!r} for both of them."
        )
    told = _told(first, second)
    sides = (told[0].side, told[1].side)
    if sides == ("right", "left"):
        warning = (
            f"{what} has the right hemisphere first: {_said(first, told[0])}, "
            f"{_said(second, told[1])}. They are taken for what they say."
        )
        return SortedFiles(second, first, True, warning)
    if sides[0] == "right" or sides[1] == "left":
        raise ValueError(
            f"{what} must be a file of each hemisphere, left and right. Got {_said(first, told[0])}"
            f" and {_said(second, told[1])}."
        )
    return SortedFiles(first, second, sides != (None, None))


def the_side_of(paths: Sequence[str | Path], what: str) -> Side:
    """Return the one hemisphere that files are of.

    Parameters
    ----------
    paths : sequence of path
        Files that go together, such as a map and its mesh.

    what : str
        What they were given for, for messages.

    Returns
    -------
    side : {"left", "right"}
        The hemisphere.

    Raises
    ------
    ValueError
        If no file tells its side, or they tell different ones.
    """
    told = [side_of(path) for path in paths]
    sides = {one.side for one in told if one.side is not None}
    if len(sides) == 1:
        return sides.pop()
    named = " and ".join(_said(path, one) for path, one in zip(paths, told, strict=True))
    wanted = "be of one hemisphere" if sides else "tell the hemisphere, by a name such as lh.white"
    raise ValueError(f"{what} must {wanted}. Got {named}.")


def sorted_meshes(mesh: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return meshes of the hemispheres by the sides that their files tell.

    Parameters
    ----------
    mesh : dict
        Meshes or their files by "left" and "right", which go with no values yet.

    what : str
        The argument, for messages.

    Returns
    -------
    mesh : dict
        The same, exchanged where both files say so.

    Raises
    ------
    ValueError
        If files are of another hemisphere than they are given for.
    """
    paths = {side: path for side, part in mesh.items() if (path := _path_of(part)) is not None}
    if len(paths) < 2:
        _check_sides(paths, what)
        return dict(mesh)
    if sorted_files([paths["left"], paths["right"]], what).told().warning:
        return {"left": mesh["right"], "right": mesh["left"]}
    return dict(mesh)


def check_mesh(mesh: PolyMesh, what: str) -> None:
    """Refuse the mesh of an image if its files are of other hemispheres.

    Where the meshes of an image are exchanged, nothing tells whether its values are, too. Meshes
    whose files nilearn has forgotten are told by where they lie, with a warning alone: there are
    programs whose first axis points to the left.

    Parameters
    ----------
    mesh : PolyMesh
        The mesh.

    what : str
        What it is of, for messages: "the map".

    Raises
    ------
    ValueError
        If a file is of another hemisphere than the mesh has it for, or both are one mesh.
    """
    parts = mesh.parts
    paths = {side: path for side, part in parts.items() if (path := _path_of(part)) is not None}
    _check_sides(paths, f"The mesh of {what}")
    if paths or len(parts) < 2:
        return
    left, right = (np.asarray(parts[side].coordinates) for side in ("left", "right"))
    if np.array_equal(left, right) and not _is_sphere(left):
        raise ValueError(
            f"The mesh of {what} must have a mesh for each hemisphere. Got the same one for both."
        )
    if _are_nearly_all(left[:, 0] > 0) and _are_nearly_all(right[:, 0] < 0):
        warnings.warn(
            f"The mesh of {what} has its left hemisphere on the right (x > 0), and its right one "
            "on the left. If the files were exchanged, so are the hemispheres of all results.",
            UserWarning,
            stacklevel=2,
        )


def _check_sides(paths: Mapping[str, Any], what: str) -> None:
    files = list(paths.values())
    if len(files) == 2 and Path(files[0]).resolve() == Path(files[1]).resolve():
        raise ValueError(
            f"{what} must have a file for each hemisphere. Got {str(files[0])!r} for both of them."
        )
    for (side, path), told in zip(paths.items(), _told(*files), strict=True):
        if told.side not in (None, side):
            raise ValueError(
                f"{what} must have the {side} hemisphere as {side!r}. Got {_said(path, told)}. "
                "Give each hemisphere with its own mesh and its own values."
            )


def _told(*paths: str | Path) -> list[ToldSide]:
    """Return the sides of files that go together."""
    told = [side_of(path) for path in paths]
    if len(told) == 2 and told[0].side == told[1].side and not any(one.is_sure for one in told):
        # A word in both names means something else: right_hand_1.gii and right_hand_2.gii.
        return [_UNKNOWN, _UNKNOWN]
    return told


def _are_nearly_all(are_so: np.ndarray) -> bool:
    return int(np.count_nonzero(are_so)) > (1 - _FEW) * are_so.size


def _is_sphere(points: np.ndarray) -> bool:
    """Tell whether points lie on a sphere, which may be the same for both hemispheres."""
    # Ten times faster than np.linalg.norm on rows.
    x, y, z = points.T
    radii = np.sqrt(x * x + y * y + z * z)
    return bool(np.ptp(radii) <= _FEW * radii.mean())


def _path_of(mesh: Any) -> Any:
    return mesh if isinstance(mesh, (str, Path)) else getattr(mesh, "file_path", None)


def without_side(name: str) -> tuple[Side | None, str]:
    """Return the hemisphere that the name of a file tells, and the name without it.

    Parameters
    ----------
    name : str
        The name of a file, without its folder.

    Returns
    -------
    side : {"left", "right"} or None
        The hemisphere; None if the name does not tell it.

    rest : str
        The name with ``?`` in the place of the hemisphere. The files of both hemispheres of a
        subject have the same.
    """
    told = _side_of_name(name)
    if told.side is None:
        return None, name
    pattern = next(pattern for pattern in _IN_NAMES if pattern.search(name))
    return told.side, pattern.sub(lambda match: match[0].replace(match[1], "?"), name)


def _side_of_name(name: str) -> ToldSide:
    for pattern in _IN_NAMES:
        found = {match[0].lower() for match in pattern.findall(name)}
        if len(found) > 1:  # such as left_vs_right
            return _UNKNOWN
        if found:
            side: Side = "left" if found == {"l"} else "right"
            return ToldSide(side, f"named {side}", pattern is not _IN_NAMES[-1])
    return _UNKNOWN


@lru_cache(maxsize=256)
def _side_inside(path: str, _modified: int) -> Side | None:
    """Return the side that a GIfTI file says in its metadata."""
    try:
        img = load_image(path, "The file of a hemisphere")
    except Exception:  # who reads the values says what is wrong with the file
        return None
    if not isinstance(img, GiftiImage):
        return None
    for meta in (img.meta, *(array.meta for array in img.darrays)):
        side = _STRUCTURES.get(meta.get("AnatomicalStructurePrimary", ""))
        if side is not None:
            return side
    return None


def _side_of_glmfit(path: Path) -> ToldSide | None:
    """Return the side of a map in a folder of FreeSurfer's mri_glmfit, whose names tell none."""
    for folder in (path.parent, path.parent.parent):
        told = folder / "surface"
        if not told.is_file() or told.stat().st_size > _LARGEST_TOLD:
            continue
        words = told.read_text(encoding="utf-8", errors="replace").split()
        if len(words) in (2, 3) and words[1] in _PREFIXES:
            side = _PREFIXES[words[1]]
            return ToldSide(side, f"the file surface in its folder says {side}", True)
    return None


def _said(path: str | Path, told: ToldSide) -> str:
    return f"{str(path)!r} ({told.said_by})"
