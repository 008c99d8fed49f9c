"""The files of subjects' maps: pairs of hemispheres, and CIFTI files with several maps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ari_estimator.cli._images import is_surface, read_image
from ari_estimator.cli._patterns import without_braces
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._given_path import given_path

# A map of a file with a map for each subject, as in AFNI.
_SELECTED = re.compile(r"(?P<file>.+)\[(?P<number>\d+)\]")

_WAYS = (
    "Choose one with --map, counted from 0: it is the same number in each file. Or give one file "
    "alone that has a map for each subject."
)


def maps_in_files(
    files: list[str], *, n_meshes: int, map_: str | None
) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Return the maps in files that were named on the command line.

    Parameters
    ----------
    files : list of str
        The files.

    n_meshes : int
        Number of meshes. With one, each file is a map of this hemisphere. Without any, .mgh and
        .mgz files are volumes.

    map_ : str or None
        The map of each file.

    Returns
    -------
    maps : list of str
        One text for each map: its file; the file of its left hemisphere; or the number of the map
        in brackets after its file.

    partners : dict of str to str
        The file of the right hemisphere of each map that has one.

    called : dict of str to str
        The name of each map within its file, which may tell the subject.

    Raises
    ------
    ValueError
        If a file of a hemisphere has no partner.
    """
    if files and all(is_surface(given_path(f, "IMG"), has_mesh=n_meshes > 0) for f in files):
        if n_meshes == 1:
            return files, {}, {}
        pairs = _pairs(files)
        return [left for left, _ in pairs], dict(pairs), {}
    if len(files) == 1 and map_ is None and _is_cifti(files[0]):
        names = _names_in(files[0])
        if len(names) > 1:
            maps = [f"{files[0]}[{number}]" for number in range(len(names))]
            return maps, {}, dict(zip(maps, names, strict=True))
    is_volume = len(files) == 1 and not _is_cifti(files[0])
    if is_volume and map_ is None:
        from ari_estimator.images._file_volumes import n_volumes

        maps = [f"{files[0]}[{number}]" for number in range(n_volumes(files[0], "IMG"))]
        if len(maps) > 1:
            return maps, {}, dict.fromkeys(maps, "")
    return files, {}, {}


def with_hemispheres(
    rows: Sequence[tuple[str, ...]], partners: dict[str, str]
) -> list[tuple[str, ...]]:
    """Return the files of each map: one, or one for each hemisphere of a surface.

    Parameters
    ----------
    rows : sequence of tuple of str
        The file of each map, which may have braces: ``{lh,rh}.func.gii``.

    partners : dict of str to str
        From :func:`maps_in_files`.

    Returns
    -------
    rows : list of tuple of str
        The files.
    """
    found = []
    for row in rows:
        if len(row) == 1:
            row = (row[0], partners[row[0]]) if row[0] in partners else tuple(without_braces(*row))
        found.append(row)
    return found


def file_of(text: str) -> str:
    """Return the file of a map, without the number of the map in it."""
    match = _SELECTED.fullmatch(text)
    return text if match is None or Path(text).exists() else match["file"]


def read_maps(
    rows: Sequence[tuple[str, ...]], mesh: Sequence[Path] | None, map_: str | None, named_by: str
) -> list[Any]:
    """Return the maps of subjects, whose data are read later.

    Parameters
    ----------
    rows : sequence of tuple of str
        The file of each map, or the files of both hemispheres.

    mesh : sequence of Path or None
        Meshes of surfaces.

    map_ : str or None
        The name or the number of the map in each file.

    named_by : str
        What the files were given for, for messages.

    Returns
    -------
    maps : list of images
        The maps.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError, ValueError
        If there is no such file, or it is not an image of the same kind as the others.
    """
    if not all(len(row) == 1 and _is_cifti(file_of(row[0])) for row in rows):
        return _read_images(rows, mesh, map_, named_by)

    from ari_estimator.images._grayordinate_maps import open_maps

    opened: dict[str, list[Any]] = {}
    images: list[Any] = []
    for (text,) in rows:
        file = file_of(text)
        if file == text:
            images.append(given_path(file, named_by))
            continue
        if file not in opened:
            opened[file] = open_maps(given_path(file, named_by))
        images.append(_numbered(opened[file], text, file, named_by))
    refuse_options(
        "a CIFTI file of each subject. Got maps of one file",
        map=map_ is not None and bool(opened),
    )
    return open_maps(images, _number_or_name(map_, images))


def _numbered(maps: Sequence[Any], text: str, file: str, named_by: str) -> Any:
    """Return the map whose number is in brackets after its file."""
    number = int(text[len(file) + 1 : -1])
    if number >= len(maps):
        raise ValueError(
            f"{named_by} must name a map that is in the file, counted from 0. Got {text!r}, "
            f"which has {len(maps)} maps."
        )
    return maps[number]


def _read_images(
    rows: Sequence[tuple[str, ...]], mesh: Sequence[Path] | None, map_: str | None, named_by: str
) -> list[Any]:
    """Return volumes or surfaces. The meshes of surfaces are read once."""
    from nilearn.surface import SurfaceImage

    from ari_estimator.images._file_volumes import volumes_of_file
    from ari_estimator.images._several_maps import check_number, chosen_map

    number = check_number(int(map_) if map_ is not None and map_.isdecimal() else map_)
    images: list[Any] = []
    shared: Any = mesh
    series: dict[str, list[Any]] = {}
    for row in rows:
        if (file := file_of(row[0])) != row[0]:
            refuse_options("a file of each subject. Got maps of one file", map=map_ is not None)
            if file not in series:
                series[file] = volumes_of_file(given_path(file, named_by), named_by)
            images.append(_numbered(series[file], row[0], file, named_by))
            continue
        img = read_image([Path(file) for file in row], shared, named_by, later=True)
        images.append(chosen_map(img, img, number, named_by, ways=_WAYS, called=" and ".join(row)))
        if isinstance(img, SurfaceImage):
            shared = img.mesh
    return images


def _pairs(files: list[str]) -> list[tuple[str, str]]:
    """Return the files of the left and right hemisphere of each subject."""
    from ari_estimator.images._hemispheres import side_of, without_side

    found: dict[Path, dict[str, str]] = {}
    for file in files:
        rest = Path(file).with_name(without_side(Path(file).name)[1])
        # A file may declare its side where its name tells none.
        side = side_of(file).side
        sides = found.setdefault(rest, {})
        if side is None or side in sides:
            raise ValueError(
                "IMG must be a file of each hemisphere for each subject, with names that tell the "
                f"side, such as lh, rh, hemi-L and hemi-R. Got {file!r}"
                + (", whose side is unknown" if side is None else f" and {sides[side]!r}")
                + ". Or give --design with the columns path_left and path_right."
            )
        sides[side] = file
    for sides in found.values():
        if len(sides) == 1:
            ((only, file),) = sides.items()
            other = "right" if only == "left" else "left"
            raise ValueError(
                f"IMG must be a file of each hemisphere for each subject. There is no {other} "
                f"hemisphere for {file!r}."
            )
    return [(sides["left"], sides["right"]) for sides in found.values()]


def _is_cifti(file: str) -> bool:
    from ari_estimator.images._cifti_header import is_cifti

    return is_cifti(file)


def _names_in(file: str) -> list[str]:
    """Return the names of the maps in a CIFTI file."""
    from ari_estimator.images._cifti_files import CiftiFiles

    axis = CiftiFiles().open(file, "IMG").axis
    names = getattr(axis, "name", None)
    return [""] * len(axis) if names is None else [str(name) for name in names]


def _number_or_name(map_: str | None, images: list[Any]) -> int | str | None:
    """Return a map as Python takes it: text that is a number is one, unless a map has this name."""
    if map_ is None or not map_.isdecimal():
        return map_
    file = next(image for image in images if isinstance(image, Path))
    return map_ if map_ in _names_in(str(file)) else int(map_)
