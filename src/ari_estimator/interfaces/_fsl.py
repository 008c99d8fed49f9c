"""Statistical maps of FSL."""

from __future__ import annotations

import math
import re
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Pair

from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.files._absent_content import is_named
from ari_estimator.inference import DEFAULT_STAT_TYPE, STATISTICS, stat_type_called
from ari_estimator.interfaces._reading import (
    existing_folder,
    find_image,
    read_mask,
    read_text,
    read_volume,
    stem_of,
)
from ari_estimator.interfaces._statistical_map import StatisticalMap

# The default of FEAT and randomise.
FSL_CONNECTIVITY: Final = 26

_STAT = re.compile(r"(?P<kind>z|t|zf|f)stat(?P<number>[1-9]\d*)")


def read_fsl(
    stat_img: Any,
    *,
    stat_type: Literal["z", "t"] | None = None,
    df: Any = None,
    mask_img: Any = None,
    cluster_index: Any = None,
    two_sided: TwoSided = False,
) -> StatisticalMap:
    """Read a statistical map of FSL, its mask and its clusters, file by file.

    Parameters
    ----------
    stat_img : path or image
        The map, ``zstat1.nii.gz`` or ``tstat1.nii.gz``, before thresholding.

    stat_type : {"z", "t"} or None, default=None
        Statistic of the map. With None, the header and the name of the file decide, and z is
        assumed if they declare nothing.

    df : float, image, path or None, default=None
        Degrees of freedom of t values. A first-level analysis stores them in ``stats/dof``. A group
        analysis stores a number for each voxel in the image ``stats/tdof_t1``.

    mask_img : path, image or None, default=None
        The mask, which contains all voxels above 0, as in FSL. If None, nilearn's background mask
        is computed when the map is tested.

    cluster_index : path, image or None, default=None
        The cluster index image, as in ``cluster -o`` and ``cluster_mask_zstat1``.

    two_sided : bool or "directional", default=False
        Whether to test negative values too.

    Returns
    -------
    stat_map : StatisticalMap
        The map with all parameters to test it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a file does not exist.
    ValueError
        If a file is not an image, or ``df`` does not fit ``stat_type``.

    See Also
    --------
    read_feat : Reads a FEAT folder.
    write_fsl_tdp : Writes the TDP of FSL's clusters.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator.interfaces import read_fsl
    >>> stat_map = read_fsl(load_sample_motor_activation_image(), two_sided=True)
    >>> stat_map.stat_type, stat_map.two_sided, stat_map.connectivity
    ('z', True, 26)
    """
    return StatisticalMap(
        read_volume(stat_img, "The statistical map"),
        stat_type,
        df,
        mask_img=None if mask_img is None else read_mask(mask_img),
        labels_img=(
            None if cluster_index is None else read_volume(cluster_index, "The cluster index")
        ),
        two_sided=two_sided,
        connectivity=FSL_CONNECTIVITY,
        name=stem_of(stat_img) if isinstance(stat_img, (str, PathLike)) else "",
    )


def read_feat(
    folder: str | PathLike[str], stat: str = "zstat1", *, two_sided: TwoSided = False
) -> StatisticalMap:
    """Read a statistical map of FEAT with its mask and clusters.

    Parameters
    ----------
    folder : path
        A ``.feat`` folder, or ``.gfeat/cope1.feat`` for a higher-level analysis.

    stat : str, default="zstat1"
        The map: ``zstat`` or ``tstat`` with the number of a contrast, or ``zfstat`` with the number
        of an F test.

    two_sided : bool or "directional", default=False
        Whether to test negative values too. FEAT forms clusters of positive values, which fits
        one-sided tests. The R script ``get_tdp.R`` uses two-sided p-values for the same clusters.
        Set True to get its results.

    Returns
    -------
    stat_map : StatisticalMap
        The map, and how to test it; ``labels_img`` is FEAT's cluster index, or None if FEAT did not
        form clusters.

    Raises
    ------
    FileNotFoundError
        If the folder, the map, the mask or the degrees of freedom do not exist.
    NotADirectoryError
        If ``folder`` is a file.
    ValueError
        If ``stat`` is not a map of FEAT, if a file is damaged, if ``two_sided`` is True for an F
        test, or if the degrees of freedom of a t map vary between voxels.

    See Also
    --------
    find_feat_tables : Finds the tables of its clusters.
    write_fsl_tdp : Writes the TDP of its clusters.

    Notes
    -----
    The t and z maps of FEAT are equivalent, because a z value has the same p-value as its t value.
    FLAME estimates degrees of freedom for each voxel (``tdof_t1``); then only the z map can be
    tested.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from nilearn.image import load_img, math_img
    >>> from ari_estimator.interfaces import read_feat
    >>> z_img = load_img(load_sample_motor_activation_image())
    >>> with TemporaryDirectory() as name:  # a folder as FEAT leaves it, but for its clusters
    ...     feat = Path(name)
    ...     (feat / "stats").mkdir()
    ...     z_img.to_filename(feat / "stats" / "zstat1.nii.gz")
    ...     math_img("img != 0", img=z_img).to_filename(feat / "mask.nii.gz")
    ...     stat_map = read_feat(feat)
    >>> stat_map.name, stat_map.stat_type, stat_map.labels_img
    ('zstat1', 'z', None)
    """
    kind, number = _parse_stat(stat)
    feat = _feat_folder(folder)
    stat_path = find_image(feat / "stats", stat)
    if stat_path is None:
        found = sorted({stem_of(path) for path in (feat / "stats").glob("*stat*")})
        raise FileNotFoundError(
            f"There is no {stat} in {str(feat / 'stats')!r}. "
            f"Found there: {', '.join(found) or 'no statistical map'}."
        )
    mask_path = find_image(feat, "mask")
    if mask_path is None:
        raise FileNotFoundError(f"There is no mask in {str(feat)!r}, the mask.nii.gz of FEAT.")
    mask_img = read_mask(mask_path)
    cluster_path = find_image(feat, f"cluster_mask_{_clustered(stat)}")
    # For an F contrast, FEAT writes zfstat, the z map of its p-values.
    stat_type: Any = stat_type_called("fsl", f"{kind}stat") or DEFAULT_STAT_TYPE
    return StatisticalMap(
        read_volume(stat_path, "The statistical map"),
        stat_type,
        _df_of_t(feat, number, mask_img) if STATISTICS[stat_type].wanted_df else None,
        mask_img=mask_img,
        labels_img=(
            None if cluster_path is None else read_volume(cluster_path, "The cluster index")
        ),
        two_sided=_check_sides(kind, two_sided),
        connectivity=FSL_CONNECTIVITY,
        name=stat,
        said_by=f"the FEAT folder {str(feat)!r}",
    )


def find_feat_tables(folder: str | PathLike[str], stat: str = "zstat1") -> list[Path]:
    """Return the cluster tables of a map of FEAT.

    Parameters
    ----------
    folder : path
        As for :func:`read_feat`.

    stat : str, default="zstat1"
        As for :func:`read_feat`.

    Returns
    -------
    tables : list of Path
        The existing files among ``cluster_zstat1.txt``, ``cluster_zstat1_std.txt`` and their HTML
        versions.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, ValueError
        If the folder does not exist, or ``stat`` is not a map of FEAT.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.interfaces import find_feat_tables
    >>> with TemporaryDirectory() as name:
    ...     feat = Path(name)
    ...     (feat / "stats").mkdir()
    ...     (feat / "cluster_zstat1.txt").touch()
    ...     [path.name for path in find_feat_tables(feat)]
    ['cluster_zstat1.txt']
    """
    _parse_stat(stat)
    feat = _feat_folder(folder)
    names = [
        f"cluster_{_clustered(stat)}{space}.{extension}"
        for extension in ("txt", "html")
        for space in ("", "_std")
    ]
    return [feat / name for name in names if is_named(feat / name)]


def _parse_stat(stat: str) -> tuple[str, int]:
    """Return the statistic of a map of FEAT and its number."""
    match = _STAT.fullmatch(stat)
    if match is None:
        raise ValueError(
            "stat must be the name of one of FEAT's maps: zstat1, tstat1 or zfstat1, with the "
            f"number of its contrast. Got {stat!r}."
        )
    if match["kind"] == "f":
        raise ValueError(
            f"stat must be zfstat{match['number']} for an F test: FEAT does not write the degrees "
            f"of freedom of F, but the z values with the same p-values. Got {stat!r}."
        )
    return match["kind"], int(match["number"])


def _clustered(stat: str) -> str:
    """Return the map of z values, from which FEAT forms clusters."""
    return stat.replace("tstat", "zstat")


def _feat_folder(folder: str | PathLike[str]) -> Path:
    feat = existing_folder(folder, "The FEAT folder")
    if (feat / "stats").is_dir():
        return feat
    copes = sorted(path.name for path in feat.glob("cope*.feat"))
    if copes:
        raise FileNotFoundError(
            f"{str(feat)!r} has no stats folder, but several analyses. Pass one of its folders: "
            f"{', '.join(copes)}."
        )
    raise FileNotFoundError(f"There is no folder stats in {str(feat)!r}: it is not a FEAT folder.")


def _check_sides(kind: str, two_sided: TwoSided) -> TwoSided:
    if two_sided and kind == "zf":
        raise ValueError(
            f"two_sided must be False for zfstat: F tests have no sign. Got {two_sided!r}."
        )
    return two_sided


def _df_of_t(feat: Path, number: int, mask_img: Nifti1Pair) -> float | Path:
    """Return the degrees of freedom of a t map, or their file if they vary between voxels."""
    of_voxels = find_image(feat / "stats", f"tdof_t{number}")
    if of_voxels is not None:
        dof = np.asanyarray(read_volume(of_voxels, "The degrees of freedom").dataobj)
        mask = np.asanyarray(mask_img.dataobj) > 0
        if dof.shape != mask.shape:
            raise ValueError(
                f"{str(of_voxels)!r} must be on the grid of the mask, of shape {mask.shape}. "
                f"Got shape {dof.shape}."
            )
        low, high = float(dof[mask].min()), float(dof[mask].max())
        return _checked_df(low, of_voxels) if low == high else of_voxels
    path = feat / "stats" / "dof"
    words = read_text(path, "The degrees of freedom").split()
    try:
        (df,) = map(float, words)
    except ValueError:
        raise ValueError(
            f"{str(path)!r} must hold one number, the degrees of freedom. Got "
            f"{' '.join(words)[:40]!r}."
        ) from None
    return _checked_df(df, path)


def _checked_df(df: float, path: Path) -> float:
    if not 0 < df < math.inf:
        raise ValueError(
            f"{str(path)!r} must hold degrees of freedom, positive and finite. Got {df:g}."
        )
    return df
