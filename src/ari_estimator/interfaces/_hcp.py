"""Read task analyses of the pipelines of the Human Connectome Project."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Any

from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.files._absent_content import is_named
from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._cifti_header import axis_of, brain_models_of
from ari_estimator.images._mesh_file import read_mesh
from ari_estimator.interfaces._reading import existing_folder, read_text, read_whole
from ari_estimator.interfaces._statistical_map import StatisticalMap

_STATS = "GrayordinatesStats"
_ENDINGS = ("dtseries.nii", "dscalar.nii")

# Where contrasts are: of the first level, and of the second and third level.
_FIRST = re.compile(r"zstat(?P<number>\d+)\.(?:dtseries|dscalar)\.nii")
_HIGHER = re.compile(r"cope(?P<number>\d+)\.feat")


def read_hcp(
    folder: str | PathLike[str],
    contrast: int | str | None = None,
    *,
    mesh: Any = None,
    two_sided: TwoSided = False,
) -> StatisticalMap:
    """Read the z map of a contrast from a task analysis of the HCP pipelines.

    Parameters
    ----------
    folder : path
        The folder of an analysis, such as
        ``MNINonLinear/Results/tfMRI_MOTOR/tfMRI_MOTOR_hp200_s2_level2.feat``.

    contrast : int, str or None, default=None
        The number of the contrast, from 1, as in ``cope1.feat``; or its name in ``Contrasts.txt``.
        None if there is only one.

    mesh : PolyMesh, dict or None, default=None
        Meshes of the cortex, as for :class:`~ari_estimator.ClusterTDPTransformer`. None takes the
        midthickness surfaces in ``MNINonLinear/fsaverage*``, with MSMAll in their name if the name
        of the analysis has it.

    two_sided : bool or "directional", default=False
        Whether to test negative values too.

    Returns
    -------
    stat_map : StatisticalMap
        The map, with its meshes. Its mask is ``mask.dtseries.nii`` beside the map, if there is one.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder, or it has no z maps of grayordinates.
    ValueError
        If there is no such contrast, or several and ``contrast`` is None. The error names them. If
        several meshes fit the map.

    See Also
    --------
    select_map : One map of a file that has several.
    find_fs_lr : Standard meshes on this machine.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.datasets import write_sample_study
    >>> from ari_estimator.interfaces import read_hcp
    >>> with TemporaryDirectory() as name:
    ...     files = write_sample_study(Path(name) / "study")
    ...     (feat,) = Path(name).rglob("tfMRI_BUTTONS*.feat")
    ...     stat_map = read_hcp(feat, "LEFT-RIGHT")
    >>> stat_map.name, stat_map.stat_type, sorted(stat_map.mesh)
    ('LEFT-RIGHT', 'z', ['left', 'right'])
    """
    folder = existing_folder(folder, "The HCP analysis")
    files = _z_maps_in(folder)
    names = _names_in(folder)
    number = _chosen(contrast, files, names, folder)
    img = CiftiFrame.read(read_whole(files[number], "The z map"), single=True)
    mask = next((p for p in _beside(files[number], "mask") if is_named(p)), None)
    return StatisticalMap(
        img,
        mask_img=None if mask is None else read_whole(mask, "The mask"),
        two_sided=two_sided,
        # Workbench's voxels are neighbours along a face. Vertices have the edges of the mesh.
        connectivity=6 if axis_of(brain_models_of(img)).volume_mask.any() else None,
        name=names.get(number, f"contrast {number}"),
        mesh=_mesh_of(folder, img) if mesh is None else mesh,
    )


def _beside(path: Path, stem: str) -> list[Path]:
    return [path.with_name(f"{stem}.{ending}") for ending in _ENDINGS]


def _z_maps_in(folder: Path) -> dict[int, Path]:
    """Return the file of the z map of each contrast."""
    stats = folder / _STATS if (folder / _STATS).is_dir() else folder
    files: dict[int, Path] = {}
    for path in sorted(stats.iterdir()):
        if (match := _FIRST.fullmatch(path.name)) is not None:
            files.setdefault(int(match["number"]), path)
        elif (match := _HIGHER.fullmatch(path.name)) is not None:
            found = [p for p in _beside(path / "zstat1", "zstat1") if is_named(p)]
            files |= {int(match["number"]): found[0]} if found else {}
    if not files:
        raise FileNotFoundError(
            f"The HCP analysis must have z maps of grayordinates: {_STATS}/cope1.feat/"
            f"zstat1.dtseries.nii, or {_STATS}/zstat1.dtseries.nii. Got none in {str(folder)!r}."
        )
    return files


def _names_in(folder: Path) -> dict[int, str]:
    """Return the names of contrasts by their numbers, as far as the pipelines have written them."""
    parents = (folder, folder.parent) if folder.name == _STATS else (folder,)
    path = next((p / "Contrasts.txt" for p in parents if is_named(p / "Contrasts.txt")), None)
    lines = [] if path is None else read_text(path, "The names of contrasts").splitlines()
    return {number: name for number, line in enumerate(lines, 1) if (name := line.strip())}


def _chosen(
    contrast: int | str | None, files: dict[int, Path], names: dict[int, str], folder: Path
) -> int:
    """Return the number of a contrast."""
    there = ", ".join(f"{n} {names[n]!r}" if n in names else str(n) for n in sorted(files))
    if contrast is None and len(files) == 1:
        return next(iter(files))
    by_name = [number for number, name in names.items() if name == contrast and number in files]
    if len(by_name) == 1:
        return by_name[0]
    if isinstance(contrast, int) and contrast in files:
        return contrast
    got = "None" if contrast is None else repr(contrast)
    raise ValueError(
        f"contrast must be the number or the name of a contrast. Got {got}: there are {there} in "
        f"{str(folder)!r}."
    )


def _mesh_of(folder: Path, img: Any) -> dict[str, str] | None:
    """Return the files of the midthickness surfaces that belong to an analysis; None if none do."""
    sizes = set(axis_of(brain_models_of(img)).nvertices.values())
    is_msmall = "MSMAll" in folder.resolve().name
    for parent in folder.resolve().parents:
        pairs = [
            (left, left.with_name(left.name.replace(".L.", ".R.", 1)))
            for left in sorted(parent.glob("fsaverage*/*.L.midthickness*.surf.gii"))
            if ("MSMAll" in left.name) == is_msmall
        ]
        found = [
            pair
            for pair in pairs
            if is_named(pair[1]) and {read_mesh(pair[0], "The mesh").n_vertices} == sizes
        ]
        if len(found) > 1:
            raise ValueError(
                "mesh must name the surfaces, because several fit the map: "
                f"{', '.join(str(left) for left, _ in found)}. Got None."
            )
        if found:
            return {"left": str(found[0][0]), "right": str(found[0][1])}
    return None
