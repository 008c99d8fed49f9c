"""Statistical maps of FreeSurfer's mri_glmfit."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

import nibabel as nib
import numpy as np
from nilearn.surface import SurfaceImage

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._declared import remember_file
from ari_estimator.images._volume_formats import is_row_of_vertices
from ari_estimator.interfaces._cluster_summary import ClusterSummary
from ari_estimator.interfaces._glm_folder import GlmContrast, find_contrast
from ari_estimator.interfaces._glm_images import images_of_surfaces, images_of_volume
from ari_estimator.interfaces._reading import open_image
from ari_estimator.interfaces._statistical_map import StatisticalMap

Sign = Literal["abs", "pos", "neg", "directional"]

_SIGNS: Final = ("abs", "pos", "neg", "directional")

_MAP: Final = "The statistical map"

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
    ocn: str | PathLike[str] | Mapping[str, str | PathLike[str]] | None = None,
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
        ``cache.th30.abs.sig.ocn.mgh``. With None, the clusters are read if there is only one set,
        with the same name in both hemispheres.

    ocn : path, dict of str to path, or None, default=None
        Instead of ``clusters``: the map of clusters of ``mri_surfcluster --ocn``, for both
        hemispheres by "left" and "right".

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
        without ``--surf``. ``labels_img`` has the clusters. The labels of the right hemisphere
        continue after the largest label of the left one.

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

    The tested vertices are the vertices of ``mask.mgh``.

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
    if ocn is None:
        sets = {key: pair for key, one in found.items() if (pair := one.clusters(clusters))}
        is_one_set = len({table.name for table, _ in sets.values()}) == 1
        sets = sets if is_one_set and len(sets) == len(found) else {}
        signs = {ClusterSummary.read(table).sign for table, _ in sets.values()}
        ocns = {key: of_set for key, (_, of_set) in sets.items()}
    else:
        refuse_unused("with ocn, the map of the clusters", {"clusters": (clusters, None)})
        signs, ocns = set(), _given_ocns(ocn, found)
    sign = _sign_of(first, sign, signs)
    is_volume = not is_row_of_vertices(_shape_of_map(first.sig))
    if is_volume:
        images = images_of_volume(list(found.values()), ocns)
    else:
        by_side = {_side_of(one, key): (one, ocns.get(key)) for key, one in found.items()}
        if mesh is None:
            mesh = _meshes(list(found.values()), list(by_side), surface, subjects_dir)
        images = images_of_surfaces(by_side, mesh)
    stat_img = _as_tested(images.stat_img, sign)
    remember_file(stat_img, first.sig)
    return StatisticalMap(
        stat_img,
        "neg_log10_p",
        mask_img=images.mask_img,
        labels_img=images.labels_img,
        two_sided=_two_sided(first, sign),
        connectivity=_CONNECTIVITY if is_volume else None,
        name=first.name if sign in ("abs", "directional") else f"{first.name} ({sign})",
        said_by="the folder of mri_glmfit "
        + " and ".join(repr(str(one.folder.parent)) for one in found.values()),
    )


def find_freesurfer_tables(
    glm_dir: str | PathLike[str],
    contrast: str | None = None,
    clusters: str | None = None,
) -> list[Path]:
    """Return the tables of clusters of a contrast of mri_glmfit.

    Parameters
    ----------
    glm_dir : path
        The folder of one hemisphere or of a volume, as for :func:`read_freesurfer`.

    contrast : str or None, default=None
        Name of the contrast. None if there is only one.

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
    >>> from ari_estimator.interfaces import find_freesurfer_tables
    >>> with TemporaryDirectory() as name:  # a folder as mri_glmfit-sim leaves it, but for its maps
    ...     contrast = Path(name) / "age"
    ...     contrast.mkdir()
    ...     text = (contrast / "C.dat").write_text("0 1")
    ...     for file in ("sig.mgh", "cache.th30.abs.sig.cluster.summary"):
    ...         (contrast / file).touch()
    ...     [path.name for path in find_freesurfer_tables(name)]
    ['cache.th30.abs.sig.cluster.summary']
    """
    found = find_contrast(glm_dir, contrast)
    if clusters is None:
        return list(found.cluster_sets.values())
    pair = found.clusters(clusters)
    return [] if pair is None else [pair[0]]


def contrasts_of(
    glm_dir: str | PathLike[str] | None,
    lh: str | PathLike[str] | None,
    rh: str | PathLike[str] | None,
    contrast: str | None,
) -> list[GlmContrast]:
    """Return the contrast of each folder, as :func:`read_freesurfer` finds them."""
    return list(_contrasts(glm_dir, lh, rh, contrast).values())


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
    of_both = {(one.name, one.n_rows) for one in found.values()}
    if len(of_both) > 1:
        got = " and ".join(f"{name!r} with {n} rows" for name, n in sorted(of_both))
        raise ValueError(f"contrast must name the same contrast of both hemispheres. Got {got}.")
    subjects = {one.subject for one in found.values() if one.subject is not None}
    if len(subjects) > 1:
        got = " and ".join(f"{one.subject!r} in {str(one.surface)!r}" for one in found.values())
        raise ValueError(f"rh must be on a surface of the same subject as lh. Got {got}.")
    return found


def _shape_of_map(path: Path) -> tuple[int, ...]:
    """Return the shape of a map. Refuse several maps in one file, which mri_glmfit never writes."""
    shape = open_image(path, _MAP).shape
    if (n_maps := math.prod(shape[3:])) != 1:
        raise ValueError(f"{str(path)!r} must hold one map. Got {n_maps}.")
    return shape


def _given_ocns(ocn: Any, found: Mapping[str, GlmContrast]) -> dict[str, Path]:
    """Return the maps of clusters that a user gives, by the key of each analysis."""
    files = dict(ocn) if isinstance(ocn, Mapping) else dict.fromkeys(list(found)[:1], ocn)
    if set(files) != set(found):
        raise ValueError(
            "ocn must be given for each hemisphere: a file for one, a dictionary of files for "
            f"'left' and 'right' for lh and rh. Got {len(files)} for {len(found)}."
        )
    return {key: existing_file(files[key], "ocn") for key in found}


def _sign_of(contrast: GlmContrast, sign: Sign | None, of_clusters: set[str]) -> Sign:
    """Return the sign to test: as given, as of the clusters, or both."""
    if contrast.n_rows > 1:
        if sign not in (None, "abs"):
            raise ValueError(
                f"sign must be None or 'abs' for {contrast.name!r}, a contrast of "
                f"{contrast.n_rows} rows, which has no sign. Got {sign!r}."
            )
        return "abs"
    if sign is not None or not of_clusters:
        return sign or "abs"
    if "" in of_clusters:
        raise ValueError(
            "sign must be given, since a table of clusters has no line Threshold Sign. Got None."
        )
    if len(of_clusters) > 1:
        raise ValueError(
            "sign must be given, since the clusters of both hemispheres have different ones: "
            f"{', '.join(sorted(of_clusters))}. Got None."
        )
    known: Any = next(iter(of_clusters))
    return known


def _two_sided(contrast: GlmContrast, sign: Sign) -> TwoSided:
    """Return a sign as the parameter ``two_sided``. Contrasts of several rows have none."""
    if sign == "directional":
        return "directional"
    return sign == "abs" and contrast.n_rows == 1


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
    found: Sequence[GlmContrast],
    sides: list[str],
    surface: str,
    subjects_dir: str | PathLike[str] | None,
) -> dict[str, Path]:
    """Return the files of a surface of the subject."""
    folder = os.environ.get("SUBJECTS_DIR") if subjects_dir is None else subjects_dir
    subject = next((one.subject for one in found if one.subject is not None), None)
    if subject is None or not folder:
        missing = (
            "a file surface in the folder of mri_glmfit, which tells the subject"
            if subject is None
            else "subjects_dir, or the environment variable SUBJECTS_DIR"
        )
        raise ValueError(f"mesh must be given, or {missing}. Got neither.")
    surf = Path(folder) / subject / "surf"
    return {side: existing_file(surf / f"{_PREFIXES[side]}.{surface}", "mesh") for side in sides}


def _as_tested(img: Any, sign: Sign) -> Any:
    """Return -log10 of the p-values of a sign, from two-sided ones that have a sign."""
    if sign in ("abs", "directional"):
        return img
    factor = 1 if sign == "pos" else -1
    if isinstance(img, SurfaceImage):
        parts = {side: _one_sided(factor * part) for side, part in img.data.parts.items()}
        return SurfaceImage(img.mesh, parts)
    return nib.Nifti1Image(_one_sided(factor * np.asanyarray(img.dataobj)), img.affine)


def _one_sided(signed: np.ndarray) -> np.ndarray:
    """Return -log10 of one-sided p-values of positive effects.

    They are half of the two-sided ones where the effect is positive, and one minus half elsewhere.
    """
    signed = signed.astype(np.float64)
    half = np.power(10.0, -np.abs(signed)) / 2
    return np.where(signed > 0, signed + math.log10(2), -np.log1p(-half) / math.log(10))
