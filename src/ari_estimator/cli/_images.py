"""Read images from files named on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ari_estimator.cli._array_files import is_array_file, read_mask_of_array
from ari_estimator.cli._inputs import add_inputs
from ari_estimator.files._regular_file import existing_file

if TYPE_CHECKING:
    from nilearn.surface import PolyMesh

# One map of a file, as AFNI writes it.
_SELECTED = re.compile(r"(?P<file>.+\.nii(?:\.gz)?)\[(?P<map>[^\[\]]+)\]")

# Files that hold nothing but vertices.
_VERTICES_ONLY = (".gii", ".gii.gz", ".label")
_MGH = (".mgh", ".mgz")
_NIFTI = (".nii", ".nii.gz")


def read_image(
    paths: Sequence[Path],
    mesh: Sequence[Path] | PolyMesh | None,
    option: str,
    *,
    later: bool = False,
) -> Any:
    """Return an image of one file, or of the files of a surface.

    Parameters
    ----------
    paths : sequence of Path
        A volume or a CIFTI file, perhaps with the number or the name of one of its maps in
        brackets after it; or a file of each hemisphere of a surface. The files tell their
        sides, by AnatomicalStructurePrimary or their names; two files that do not are left before
        right.

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
        If a file is not an image, or is damaged. If there are more than two files, or a surface
        without a mesh. If two files do not belong to the two hemispheres, or nothing tells the
        hemisphere of a single one.
    """
    # Imported when it is needed: the help text should not wait for nilearn.
    from ari_estimator.images._surface_files import surface_of_files
    from ari_estimator.interfaces._reading import read_later, read_whole

    if len(paths) == 1 and (selected := _selected(paths[0])) is not None:
        return _read_selected(*selected, option)
    files = [existing_file(path, option) for path in paths]
    if len(files) == 1 and is_array_file(files[0]):
        return read_mask_of_array(files[0], option)
    has_mesh = bool(mesh)
    if len(files) == 1 and not is_surface(files[0], has_mesh=has_mesh):
        return (read_later if later else read_whole)(files[0], option)
    is_pair = len(files) == 2
    if len(files) > 2 or not all(is_surface(file, has_mesh=has_mesh or is_pair) for file in files):
        raise ValueError(
            f"{option} must be one volume or CIFTI file, or a file of each hemisphere of a surface "
            "(.gii, .mgh, .mgz, or .nii.gz with the vertices in one row). Got "
            f"{', '.join(map(str, files))}."
        )
    return surface_of_files(*hemispheres_of(files, mesh, option), option, "--mesh")


def _selected(path: Path) -> tuple[Path, str] | None:
    """Return the file and the map in brackets after it, as in ``maps.dscalar.nii[3]``."""
    match = None if path.exists() else _SELECTED.fullmatch(str(path))
    return None if match is None else (Path(match["file"]), match["map"])


def _read_selected(path: Path, map_: str, option: str) -> Any:
    """Return one map of a volume or CIFTI file."""
    from ari_estimator.images._selected_map import as_map_choice, names_of_maps, selected_map
    from ari_estimator.interfaces._reading import read_later

    img = read_later(existing_file(path, option), option)
    add_inputs(path)
    return selected_map(img, as_map_choice(map_, names_of_maps(img).names))


def is_surface(file: Path, *, has_mesh: bool) -> bool:
    """Return whether a file holds vertices. Without a mesh, only GIfTI certainly does."""
    from ari_estimator.images._cifti_header import is_cifti
    from ari_estimator.images._image_file import load_image
    from ari_estimator.images._surface_values import is_morphometry
    from ari_estimator.images._volume_formats import is_row_of_vertices

    if file.name.endswith(_VERTICES_ONLY) or not has_mesh:
        return file.name.endswith(_VERTICES_ONLY)
    if not file.is_file():
        return False  # who reads it says so
    if file.name.endswith(_NIFTI):
        return not is_cifti(file) and is_row_of_vertices(load_image(file, "An image").shape)
    return file.name.endswith(_MGH) or is_morphometry(file)


def read_atlas(
    paths: Sequence[Path], mesh: Sequence[Path] | PolyMesh | None, option: str
) -> tuple[Any, Any]:
    """Return an image of regions and the table of their names, None if the image needs one.

    Parameters
    ----------
    paths : sequence of Path
        As for :func:`read_image`; or an ``.annot`` file of each hemisphere; or ``.label`` files,
        one for each region.

    mesh : sequence of Path, PolyMesh or None
        Meshes of these, or their files.

    option : str
        What the files were given for, for messages.

    Returns
    -------
    image, lut : image, pandas.DataFrame or None
        The regions.
    """
    from ari_estimator.images._annotation import is_regions_file
    from ari_estimator.images._gifti_labels import lut_of_gifti
    from ari_estimator.images._hemispheres import the_side_of
    from ari_estimator.images._surface_atlas import atlas_of_files

    if len(paths) == 1 and _selected(paths[0]) is not None:
        return read_image(paths, mesh, option), None
    files = [existing_file(path, option) for path in paths]
    if not any(map(is_regions_file, files)):
        are_labels = all(file.name.endswith(".label.gii") for file in files)
        lut = lut_of_gifti(files, option) if are_labels else None
        return read_image(files, mesh, option), lut
    by_side: dict[str, list[Path]] = {}
    for file in files:
        by_side.setdefault(the_side_of([file], option), []).append(file)
    first = [of_side[0] for of_side in by_side.values()]
    _, meshes = hemispheres_of(first, mesh, option)
    return atlas_of_files(by_side, meshes, option, "--mesh")


def hemispheres_of(
    files: Sequence[Path], mesh: Sequence[Path] | PolyMesh | None, option: str
) -> tuple[dict[str, Path], Any]:
    """Return the files of one or both hemispheres and their meshes, by hemisphere.

    Raises
    ------
    ValueError
        If there is no mesh for each file, or the files do not tell their sides where they must.
    """
    from nilearn.surface import PolyMesh

    from ari_estimator.images._hemispheres import sorted_files

    n_meshes = 0 if mesh is None else len(mesh.parts if isinstance(mesh, PolyMesh) else mesh)
    if n_meshes != len(files):
        raise ValueError(
            "--mesh must be given once for each hemisphere of a surface. Got "
            f"{n_meshes or 'none'} for {option} {' and '.join(repr(str(file)) for file in files)}."
        )
    if len(files) == 1:
        return _one_hemisphere(files[0], mesh, option)
    maps = sorted_files(files, option)
    meshes: Any = mesh
    if not isinstance(mesh, PolyMesh):
        of_mesh = sorted_files([existing_file(path, "--mesh") for path in mesh or ()], "--mesh")
        meshes = {"left": of_mesh.left, "right": of_mesh.right}
        if (maps.warning or of_mesh.warning) and not (maps.are_told and of_mesh.are_told):
            silent = "--mesh" if maps.are_told else option
            raise ValueError(
                f"{option} and --mesh must both have left first, or tell their sides by names such "
                f"as hemi-L, lh or left. Got right first, and no sides in the names of {silent}."
            )
        of_mesh.told()
    maps.told()
    return {"left": maps.left, "right": maps.right}, meshes


def _one_hemisphere(file: Path, mesh: Any, option: str) -> tuple[dict[str, Path], Any]:
    """Return the file and the mesh of a single hemisphere, by hemisphere."""
    from nilearn.surface import PolyMesh

    from ari_estimator.images._hemispheres import the_side_of

    if isinstance(mesh, PolyMesh):
        (side,) = mesh.parts
        return {side: file}, mesh
    of_mesh = existing_file(mesh[0], "--mesh")
    side = the_side_of([file, of_mesh], f"{option} and --mesh")
    return {side: file}, {side: of_mesh}


def mesh_files(paths: Sequence[Path] | None, option: str = "--mesh") -> dict[str, str] | None:
    """Return the files of meshes by hemisphere, as the files tell it; None if none are given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there are more than two, not one of each hemisphere, or nothing tells the hemisphere of a
        single one.
    """
    from ari_estimator.images._hemispheres import sorted_files, the_side_of

    if not paths:
        return None
    files = [existing_file(path, option) for path in paths]
    if len(files) == 1:
        return {the_side_of(files, option): str(files[0])}
    if len(files) > 2:
        raise ValueError(f"{option} must be given once for each hemisphere. Got {len(files)}.")
    pair = sorted_files(files, option).told()
    return {"left": str(pair.left), "right": str(pair.right)}


def name_of(path: Path) -> str:
    """Return what names of files of results start with: the name of the map, or as saved."""
    from ari_estimator.interfaces import output_stem
    from ari_estimator.interfaces._result_names import ARCHIVE

    if path.name.endswith(ARCHIVE):
        return path.name.removesuffix(ARCHIVE)
    file, map_ = _selected(path) or (path, "")
    return output_stem(file) + of_map(map_)


def of_map(map_: str | None) -> str:
    """Return the end of the name of files of results of one map out of several."""
    letters = "".join(filter(str.isalnum, map_ or ""))
    return f"_map-{letters}" if letters else ""
