"""From files that are named on the command line to images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nilearn.surface import PolyMesh

_SURFACE = (".gii", ".mgh", ".mgz")


def read_image(paths: Sequence[Path], mesh: Sequence[Path] | PolyMesh | None, option: str) -> Any:
    """Return an image of one file, or of the two files of a surface.

    Parameters
    ----------
    paths : sequence of Path
        A volume or a CIFTI file; or the files of the left and the right hemisphere.

    mesh : sequence of Path, PolyMesh or None
        Meshes of these, or their files.

    option : str
        What the files were given for, for messages.

    Returns
    -------
    image : nibabel image or SurfaceImage
        In memory.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If a file is no image, or damaged; if there are more than two files, two and no mesh for
        them, or a single one of a surface.
    """
    # Imported when it is needed: the help text should not wait for nilearn.
    from nilearn.surface import PolyMesh, SurfaceImage

    from ari_estimator.interfaces._reading import clear_errors, existing_file, read_whole

    files = [existing_file(path, option) for path in paths]
    are_surfaces = [file.name.endswith(_SURFACE) for file in files]
    if len(files) == 1 and not files[0].name.endswith(".gii"):
        return read_whole(files[0], option)
    if len(files) != 2 or not all(are_surfaces):
        raise ValueError(
            f"{option} must be one volume or CIFTI file, or two files of a surface, left and "
            f"right. Got {', '.join(map(str, files))}."
        )
    meshes: Any = mesh if isinstance(mesh, PolyMesh) else mesh_files(mesh)
    if meshes is None:
        raise ValueError("--mesh must be given for a surface: twice, left and right. Got none.")
    with clear_errors(f"{files[0]}, {files[1]}", option):
        data = {"left": str(files[0]), "right": str(files[1])}
        return SurfaceImage(meshes, data)


def mesh_files(paths: Sequence[Path] | None, option: str = "--mesh") -> dict[str, str] | None:
    """Return the files of meshes by hemisphere; None if none are given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there are not two.
    """
    from ari_estimator.interfaces._reading import existing_file

    if not paths:
        return None
    if len(paths) != 2:
        raise ValueError(f"{option} must be given twice, left and right. Got {len(paths)}.")
    left, right = (str(existing_file(path, option)) for path in paths)
    return {"left": left, "right": right}


def name_of(path: Path) -> str:
    """Return what names of files of results start with: the name of the map, or as saved."""
    from ari_estimator.interfaces import output_stem
    from ari_estimator.interfaces._results import ARCHIVE

    if path.name.endswith(ARCHIVE):
        return path.name.removesuffix(ARCHIVE)
    return output_stem(path)
