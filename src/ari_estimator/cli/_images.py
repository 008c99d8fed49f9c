"""Read images from files named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ari_estimator.files._regular_file import existing_file

if TYPE_CHECKING:
    from nilearn.surface import PolyMesh

    from ari_estimator.images._hemispheres import SortedFiles

_SURFACE = (".gii", ".mgh", ".mgz")


def read_image(
    paths: Sequence[Path],
    mesh: Sequence[Path] | PolyMesh | None,
    option: str,
    *,
    later: bool = False,
) -> Any:
    """Return an image of one file, or of the two files of a surface.

    Parameters
    ----------
    paths : sequence of Path
        A volume or a CIFTI file; or the files of both hemispheres. The files tell their sides,
        by AnatomicalStructurePrimary or their names; files that do not are left before right.

    mesh : sequence of Path, PolyMesh or None
        Meshes of these, or their files.

    option : str
        What the files were given for, for messages.

    later : bool, default=False
        Whether the data of one file stay there until someone needs them, as of many files.

    Returns
    -------
    image : nibabel image or SurfaceImage
        In memory, unless its data are read later.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If a file is not an image, or is damaged. If there are more than two files, two files
        without a mesh, or a single surface file. If two files do not belong to the two
        hemispheres.
    """
    # Imported when it is needed: the help text should not wait for nilearn.
    from nilearn.surface import PolyMesh, SurfaceImage

    from ari_estimator.images._declared import remember_file
    from ari_estimator.images._hemispheres import sorted_files
    from ari_estimator.images._image_file import check_image_file
    from ari_estimator.images._reading_errors import clear_errors
    from ari_estimator.interfaces._reading import read_later, read_whole

    files = [existing_file(path, option) for path in paths]
    are_surfaces = [file.name.endswith(_SURFACE) for file in files]
    if len(files) == 1 and not files[0].name.endswith(".gii"):
        return (read_later if later else read_whole)(files[0], option)
    if len(files) != 2 or not all(are_surfaces):
        raise ValueError(
            f"{option} must be one volume or CIFTI file, or two files of a surface (.gii, .mgh or "
            f".mgz), left and right. Got {', '.join(map(str, files))}."
        )
    maps = sorted_files(files, option)
    meshes: Any = mesh
    if mesh and not isinstance(mesh, PolyMesh):
        of_mesh = _sorted_meshes(mesh, "--mesh")
        meshes = {"left": str(of_mesh.left), "right": str(of_mesh.right)}
        if (maps.warning or of_mesh.warning) and not (maps.are_told and of_mesh.are_told):
            silent = "--mesh" if maps.are_told else option
            raise ValueError(
                f"{option} and --mesh must both have left first, or tell their sides by names such "
                f"as hemi-L, lh or left. Got right first, and no sides in the names of {silent}."
            )
        of_mesh.told()
    if not meshes:
        raise ValueError("--mesh must be given twice for a surface, left and right. Got none.")
    maps.told()
    for file in files:
        check_image_file(file, option)
    with clear_errors(f"{files[0]}, {files[1]}", option):
        img = SurfaceImage(meshes, {"left": str(maps.left), "right": str(maps.right)})
    remember_file(img, files[0])
    return img


def mesh_files(paths: Sequence[Path] | None, option: str = "--mesh") -> dict[str, str] | None:
    """Return the files of meshes by hemisphere, as the files tell it; None if none are given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there are not two, or not one of each hemisphere.
    """
    if not paths:
        return None
    files = _sorted_meshes(paths, option).told()
    return {"left": str(files.left), "right": str(files.right)}


def _sorted_meshes(paths: Sequence[Path], option: str) -> SortedFiles:
    """Return the files of both meshes."""
    from ari_estimator.images._hemispheres import sorted_files
    from ari_estimator.images._image_file import check_mesh_file

    if len(paths) != 2:
        raise ValueError(f"{option} must be given twice, left and right. Got {len(paths)}.")
    files = [existing_file(path, option) for path in paths]
    for file in files:
        check_mesh_file(file, option)
    return sorted_files(files, option)


def name_of(path: Path) -> str:
    """Return what names of files of results start with: the name of the map, or as saved."""
    from ari_estimator.interfaces import output_stem
    from ari_estimator.interfaces._result_names import ARCHIVE

    if path.name.endswith(ARCHIVE):
        return path.name.removesuffix(ARCHIVE)
    return output_stem(path)
