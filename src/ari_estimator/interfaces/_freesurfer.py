"""Statistical maps of FreeSurfer's mri_glmfit."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

import nibabel as nib
import numpy as np
from nilearn.surface import SurfaceImage

from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._declared import remember_file
from ari_estimator.images._surface_files import surface_of_files
from ari_estimator.images._volume_formats import is_row_of_vertices
from ari_estimator.interfaces._cluster_summary import ClusterSummary
from ari_estimator.interfaces._glm_folder import GlmContrast, find_contrast
from ari_estimator.interfaces._reading import open_image, read_mask, read_volume
from ari_estimator.interfaces._statistical_map import StatisticalMap

Sign = Literal["abs", "pos", "neg", "directional"]

_SIGNS: Final = ("abs", "pos", "neg", "directional")

_PREFIXES: Final = {"left": "lh", "right": "rh"}

# mri_volcluster's default: voxels that share a face.
_CONNECTIVITY: Final = 6


def read_freesurfer(
    glm_dir: str | PathLike[str] | None = None,
    contrast: str | None = None,
    *,
    lh: str | PathLike[str] | None = None,
    rh: str | PathLike[str] | None = None,
    clusters: str | None = None,
    sign: Sign | None = None,
    mesh: Any = None,
    surface: str = "white",
    subjects_dir: str | PathLike[str] | None = None,
) -> StatisticalMap:
    """Read a contrast of mri_glmfit: a hemisphere, both hemispheres as one family, or a volume.

    Parameters
    ----------
    glm_dir : path or None, default=None
        The folder of ``mri_glmfit --glmdir``, or the folder of a contrast in it.

    contrast : str or None, default=None
        Name of the contrast, which is the name of its folder. None if there is only one.

    lh, rh : path or None, default=None
        Instead of ``glm_dir``: the folders of the left and the right hemisphere, for one family of
        both. Their contrasts must have the same name.

    clusters : str or None, default=None
        Clusters of ``mri_glmfit-sim`` or ``mri_surfcluster``, by what the names of their files
        begin with: ``"cache.th30.abs"`` for ``cache.th30.abs.sig.cluster.summary`` and
        ``cache.th30.abs.sig.ocn.mgh``. With None, the clusters are read if there is only one set.

    sign : {"abs", "pos", "neg", "directional"} or None, default=None
        Which effects to test. ``"abs"``, both signs with two-sided p-values; ``"pos"`` or
        ``"neg"``, one sign with one-sided p-values; ``"directional"``, each sign with its own
        bounds. With None, the sign of the clusters, or ``"abs"``. Contrasts of several rows (F
        tests) have no sign and need None or ``"abs"``.

    mesh : PolyMesh, dict or None, default=None
        Meshes of the hemispheres, or a dictionary of meshes or their files by "left" and "right".
        With None, the surface of the subject is taken.

    surface : str, default="white"
        Name of this surface: ``"white"``, ``"inflated"``, ``"pial"``. Areas, coordinates and
        figures are of this surface. mri_surfcluster takes white.

    subjects_dir : path or None, default=None
        Folder with the subjects. With None, the environment variable SUBJECTS_DIR.

    Returns
    -------
    stat_map : StatisticalMap
        The map with all parameters to test it: a SurfaceImage, or a volume if mri_glmfit ran
        without ``--surf``. ``labels_img`` has the clusters. Clusters of the right hemisphere
        follow those of the left one: their labels are larger by the largest label there.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If a folder or a file does not exist.
    ValueError
        If the contrast or the hemisphere is not clear; if files are damaged or do not go together;
        if ``sign`` does not fit the contrast.

    See Also
    --------
    freesurfer_tables_with_tdp : Adds TDPs to the tables of clusters.
    read_surface : Reads any other map of a surface.
    read_surface_atlas : Reads annotations and labels.

    Notes
    -----
    ``sig.mgh`` holds -log10 of the p-value of the F test of a contrast. For a contrast of one row,
    this is a two-sided t test, and mri_glmfit gives the value the sign of the effect. One-sided
    p-values are half of these in the direction of the effect, as mri_surfcluster has them with
    ``--sign pos``.

    Tested are the vertices of ``mask.mgh``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.datasets import write_sample_study
    >>> from ari_estimator.interfaces import read_freesurfer
    >>> with TemporaryDirectory() as name:
    ...     files = write_sample_study(Path(name) / "study")
    ...     folder = Path(name) / "study" / "freesurfer"
    ...     stat_map = read_freesurfer(
    ...         lh=folder / "lh.glmdir", rh=folder / "rh.glmdir", contrast="osgm",
    ...         subjects_dir=folder,
    ...     )
    >>> stat_map.stat_type, stat_map.two_sided, stat_map.name
    ('neg_log10_p', True, 'osgm')
    """
    if sign is not None and sign not in _SIGNS:
        raise ValueError(f"sign must be one of {', '.join(map(repr, _SIGNS))}. Got {sign!r}.")
    found = _contrasts(glm_dir, lh, rh, contrast)
    first = next(iter(found.values()))
    if (several := {one.n_rows for one in found.values()}) != {first.n_rows}:
        raise ValueError(
            f"lh and rh must have the same contrast. Got {first.name!r} with {sorted(several)} rows."
        )
    sets = {key: one.clusters(clusters) for key, one in found.items()}
    tables = {key: ClusterSummary.read(pair[0]) for key, pair in sets.items() if pair is not None}
    if len(tables) < len(found):
        tables = {}
    sign = _sign_of(first, sign, tables)
    maps = {key: one.sig for key, one in found.items()}
    masks = {key: one.mask for key, one in found.items() if one.mask is not None}
    ocns = {key: sets[key][1] for key in tables}  # type: ignore[index]
    stat_img: Any
    mask_img: Any
    labels_img: Any = None
    if _is_volume(first.sig):
        if len(found) > 1:
            raise ValueError("lh and rh must be analyses of surfaces. Got volumes.")
        stat_img = read_volume(first.sig, "The statistical map")
        mask_img = None if first.mask is None else read_mask(first.mask)
        values = {None: np.asanyarray(stat_img.dataobj)}
        signed = nib.Nifti1Image(_as_tested(values, sign)[None], stat_img.affine)
        labels_img = read_volume(ocns[next(iter(ocns))], "The clusters") if ocns else None
    else:
        sides = {_side_of(one, key): key for key, one in found.items()}
        meshes = _meshes(first, list(sides), mesh, surface, subjects_dir)
        stat_img, mask_img, labels_img = (
            surface_of_files({side: files[key] for side, key in sides.items()}, meshes, what)
            if len(files) == len(sides)
            else None
            for files, what in (
                (maps, "The statistical map"),
                (masks, "The mask"),
                (ocns, "The clusters"),
            )
        )
        if mask_img is not None:
            mask_img = _above_zero(mask_img, next(iter(masks.values())))
        labels_img = None if labels_img is None else _one_after_the_other(labels_img)
        signed = SurfaceImage(stat_img.mesh, _as_tested(stat_img.data.parts, sign))
    remember_file(signed, first.sig)
    said_by = f"the folder of mri_glmfit {str(first.folder.parent)!r}"
    return StatisticalMap(
        signed,
        "neg_log10_p",
        mask_img=mask_img,
        labels_img=labels_img,
        two_sided={"abs": first.n_rows == 1, "directional": "directional"}.get(sign, False),  # type: ignore[arg-type]
        connectivity=_CONNECTIVITY if _is_volume(first.sig) else None,
        name=first.name if sign in ("abs", "directional") else f"{first.name} ({sign})",
        said_by=said_by,
    )


def find_freesurfer_tables(
    glm_dir: str | PathLike[str],
    contrast: str | None = None,
    clusters: str | None = None,
) -> list[Path]:
    """Return the tables of clusters of a contrast of mri_glmfit.

    Parameters
    ----------
    glm_dir, contrast
        As for :func:`read_freesurfer`, of one hemisphere.

    clusters : str or None, default=None
        What their names begin with, such as ``"cache.th30.abs"``. None for all.

    Returns
    -------
    tables : list of Path
        The files ``*.sig.cluster.summary``.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, ValueError
        As for :func:`read_freesurfer`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.datasets import write_sample_study
    >>> from ari_estimator.interfaces import find_freesurfer_tables
    >>> with TemporaryDirectory() as name:
    ...     files = write_sample_study(Path(name) / "study")
    ...     folder = Path(name) / "study" / "freesurfer" / "lh.glmdir"
    ...     [path.name for path in find_freesurfer_tables(folder, "osgm")]
    ['cache.th30.abs.sig.cluster.summary']
    """
    found = find_contrast(glm_dir, contrast)
    if clusters is None:
        return list(found.cluster_sets.values())
    pair = found.clusters(clusters)
    return [] if pair is None else [pair[0]]


def _contrasts(
    glm_dir: str | PathLike[str] | None,
    lh: str | PathLike[str] | None,
    rh: str | PathLike[str] | None,
    contrast: str | None,
) -> dict[str, GlmContrast]:
    """Return the contrast of each folder, by "left", "right", or "" if no one has said the side."""
    given = {"": glm_dir, "left": lh, "right": rh}
    folders = {key: folder for key, folder in given.items() if folder is not None}
    if not folders or (glm_dir is not None and len(folders) > 1):
        raise ValueError(
            "glm_dir must be a folder of mri_glmfit; or lh, rh or both of them. Got "
            f"{'none' if not folders else 'both kinds'}."
        )
    found = {key: find_contrast(folder, contrast) for key, folder in folders.items()}
    names = {one.name for one in found.values()}
    if len(names) > 1:
        raise ValueError(
            f"contrast must name a contrast of both hemispheres. Got {' and '.join(sorted(names))}."
        )
    return found


def _sign_of(
    contrast: GlmContrast, sign: Sign | None, tables: Mapping[str, ClusterSummary]
) -> Sign:
    """Return the sign to test: as given, as of the clusters, or both."""
    if contrast.n_rows > 1:
        if sign not in (None, "abs"):
            raise ValueError(
                f"sign must be None or 'abs' for {contrast.name!r}, a contrast of "
                f"{contrast.n_rows} rows, which has no sign. Got {sign!r}."
            )
        return "abs"
    signs = {table.sign for table in tables.values()}
    if sign is not None or not signs:
        return sign or "abs"
    if len(signs) > 1:
        raise ValueError(
            "sign must be given, since the clusters of both hemispheres have different ones: "
            f"{', '.join(sorted(signs))}. Got None."
        )
    of_clusters: Any = signs.pop()
    return of_clusters


def _is_volume(path: Path) -> bool:
    return not is_row_of_vertices(open_image(path, "The statistical map").shape)


def _side_of(contrast: GlmContrast, given: str) -> str:
    """Return the hemisphere of a contrast."""
    told = contrast.side
    if given and told not in (None, given):
        raise ValueError(
            f"{_PREFIXES[given]} must be of the {given} hemisphere. Got "
            f"{str(contrast.folder.parent)!r}, whose file surface says {told}."
        )
    side = given or told
    if side is None:
        raise ValueError(
            f"The hemisphere of {str(contrast.folder.parent)!r} must be told: give the folder as "
            "lh or rh. It has no file surface."
        )
    return side


def _meshes(
    contrast: GlmContrast,
    sides: list[str],
    mesh: Any,
    surface: str,
    subjects_dir: str | PathLike[str] | None,
) -> Any:
    """Return the meshes: as given, or the files of the surface of the subject."""
    if mesh is not None:
        return mesh
    folder = os.environ.get("SUBJECTS_DIR") if subjects_dir is None else subjects_dir
    if contrast.subject is None or not folder:
        missing = (
            "a file surface in the folder of mri_glmfit, which tells the subject"
            if contrast.subject is None
            else "subjects_dir, or the environment variable SUBJECTS_DIR"
        )
        raise ValueError(f"mesh must be given, or {missing}. Got neither.")
    surf = Path(folder) / contrast.subject / "surf"
    return {side: existing_file(surf / f"{_PREFIXES[side]}.{surface}", "mesh") for side in sides}


def _as_tested(values: Mapping[Any, np.ndarray], sign: Sign) -> dict[Any, np.ndarray]:
    """Return -log10 of the p-values of a sign, from two-sided ones that have a sign."""
    if sign in ("abs", "directional"):
        return dict(values)
    return {key: _one_sided(part if sign == "pos" else -part) for key, part in values.items()}


def _one_sided(signed: np.ndarray) -> np.ndarray:
    """Return -log10 of one-sided p-values of positive effects.

    They are half of the two-sided ones where the effect is positive, and one minus half elsewhere.
    """
    signed = signed.astype(np.float64)
    half = np.power(10.0, -np.abs(signed)) / 2
    return np.where(signed > 0, signed + math.log10(2), -np.log1p(-half) / math.log(10))


def _above_zero(mask_img: SurfaceImage, file: Path) -> SurfaceImage:
    """Return a mask of 0 and 1."""
    parts = {side: (part > 0).astype(np.uint8) for side, part in mask_img.data.parts.items()}
    mask = SurfaceImage(mask_img.mesh, parts)
    remember_file(mask, file)
    return mask


def _one_after_the_other(labels_img: SurfaceImage) -> SurfaceImage:
    """Return clusters whose labels are different in both hemispheres."""
    parts = {side: part.astype(np.int32) for side, part in labels_img.data.parts.items()}
    if len(parts) > 1:
        parts["right"] = np.where(parts["right"] > 0, parts["right"] + parts["left"].max(), 0)
    return SurfaceImage(labels_img.mesh, parts)
