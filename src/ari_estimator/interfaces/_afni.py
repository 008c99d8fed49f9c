"""Statistical maps of AFNI."""

from __future__ import annotations

import re
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.nifti1 import Nifti1Pair

from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._afni_header import (
    AFNI_STATISTICS,
    SubBrick,
    check_parameters,
    read_sub_bricks,
)
from ari_estimator.inference import STATISTICS
from ari_estimator.interfaces._reading import open_image, read_mask, read_volume
from ari_estimator.interfaces._statistical_map import StatisticalMap

_DATASET = re.compile(r"(?P<name>.+\+(?:orig|acpc|tlrc))(?:\.|\.HEAD|\.BRIK(?:\.gz|\.bz2|\.Z)?)?")

_SELECTED = re.compile(r"(?P<path>.+)\[(?P<sub_brick>[^\[\]]+)\]")

_CORRELATION = 2


def read_afni(
    path: str | PathLike[str],
    sub_brick: int | str | None = None,
    *,
    mask_img: Any = None,
    labels_img: Any = None,
    two_sided: TwoSided = False,
    connectivity: Connectivity = 6,
) -> StatisticalMap:
    """Read a statistic of AFNI with its degrees of freedom.

    Parameters
    ----------
    path : path
        The dataset: ``stats+tlrc``, with or without ``.HEAD`` or ``.BRIK``, or a NIfTI file. You
        can select a sub-brick as in AFNI: ``stats+tlrc[2]`` or ``stats+tlrc[faces#0_Tstat]``.

    sub_brick : int, str or None, default=None
        Index (from 0) or label of the statistic. None if there is only one.

    mask_img : path, image or None, default=None
        The mask dataset, which contains all voxels above 0. If None, nilearn's background mask is
        computed when the map is tested.

    labels_img : path, image or None, default=None
        Clusters: the map written by ``3dClusterize -pref_map``.

    two_sided : bool or "directional", default=False
        Whether to test negative values too, as with ``3dClusterize -bisided``.

    connectivity : {6, 18, 26}, default=6
        Number of neighbours of a voxel: 6 for ``-NN 1``, 18 for ``-NN 2``, 26 for ``-NN 3``.

    Returns
    -------
    stat_map : StatisticalMap
        The map with all parameters to test it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a file does not exist.
    ValueError
        If a file is damaged. If the sub-brick does not exist, must be chosen among several, or
        does not hold a statistic that can be tested. If ``two_sided`` is True for a statistic
        without a sign.

    Notes
    -----
    t, F, z and chi-squared values are used as they are. A correlation of N samples with f fitted
    and o other parameters is converted to t (one fitted parameter) or F with ``N - f - o`` residual
    degrees of freedom, which has the same p-values. Other statistics are refused.

    NIfTI files store the codes in AFNI's header extension or, if they have one volume, in the
    intent code.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator.interfaces import read_afni
    >>> img = Nifti1Image(np.random.default_rng(0).standard_normal((5, 5, 5)), np.eye(4))
    >>> img.header.set_intent("t test", (29,))
    >>> with TemporaryDirectory() as folder:
    ...     img.to_filename(f"{folder}/tstat.nii.gz")
    ...     stat_map = read_afni(f"{folder}/tstat.nii.gz")
    >>> stat_map.stat_type, stat_map.df
    ('t', 29.0)
    """
    path, sub_brick = _select(fspath(path), sub_brick)
    path = _data_path(path)
    img = open_image(path, "The AFNI dataset")
    name = repr(str(path))
    chosen = _choose(read_sub_bricks(img, name), sub_brick, name)
    parameters = check_parameters(chosen, name)
    volume = read_volume(img, "The statistic", chosen.index)
    if chosen.code == _CORRELATION:
        volume, stat_type, df = _of_correlation(volume, parameters, chosen, name)
    else:
        stat_type = AFNI_STATISTICS[chosen.code]
        df = parameters
    if two_sided and STATISTICS[stat_type].why_one_sided is not None:
        raise ValueError(
            f"two_sided must be False for sub-brick {chosen} of {name}, which has no sign. "
            f"Got {two_sided!r}."
        )
    known: Any = stat_type  # a member of the literal, which mypy cannot see
    return StatisticalMap(
        volume,
        known,
        (df[0], df[1]) if len(df) == 2 else df[0] if df else None,
        mask_img=None if mask_img is None else read_mask(_data_path(mask_img)),
        labels_img=(
            None if labels_img is None else read_volume(_data_path(labels_img), "The clusters")
        ),
        two_sided=two_sided,
        connectivity=connectivity,
        name=chosen.label,
        said_by=f"the header of {name}",
    )


def _select(path: str, sub_brick: int | str | None) -> tuple[str, int | str | None]:
    """Return the path and the sub-brick of AFNI's notation."""
    match = None if Path(path).exists() else _SELECTED.fullmatch(path)
    if match is None:
        return path, sub_brick
    if sub_brick is not None:
        raise ValueError(
            f"sub_brick must be None where the path selects one. Got {sub_brick!r} and {path!r}."
        )
    selected = match["sub_brick"]
    return match["path"], int(selected) if selected.isdecimal() else selected


def _data_path(image: Any) -> Any:
    """Return the header file of an AFNI dataset, for all forms of its name."""
    if not isinstance(image, (str, PathLike)):
        return image
    match = _DATASET.fullmatch(fspath(image))
    return Path(image) if match is None else Path(f"{match['name']}.HEAD")


def _choose(sub_bricks: list[SubBrick], sub_brick: int | str | None, name: str) -> SubBrick:
    """Return the selected sub-brick."""
    if sub_brick is None:
        found = [one for one in sub_bricks if one.code]
    elif isinstance(sub_brick, str):
        found = [one for one in sub_bricks if one.label == sub_brick]
    else:
        found = [one for one in sub_bricks if one.index == sub_brick]
    if len(found) == 1:
        return found[0]
    raise ValueError(
        f"sub_brick must be the index or the label of one of the sub-bricks of {name}. "
        f"Got {sub_brick!r}. These exist: {', '.join(map(str, sub_bricks))}."
    )


def _of_correlation(
    img: Nifti1Pair, parameters: tuple[float, ...], chosen: SubBrick, name: str
) -> tuple[Nifti1Pair, str, tuple[float, ...]]:
    """Return correlations as t or F values, which have the same p-values."""
    n_samples, n_fitted, n_others = parameters
    residual = n_samples - n_fitted - n_others
    r = np.asanyarray(img.dataobj).astype(float)
    if not (n_fitted >= 1 and residual > 0) or (np.abs(r) > 1).any():
        raise ValueError(
            f"Sub-brick {chosen} of {name} must hold correlations, from -1 to 1, with more samples "
            f"than parameters. Got values up to {np.abs(r).max():g}, from {n_samples:g} samples, "
            f"{n_fitted:g} fitted and {n_others:g} other parameters."
        )
    with np.errstate(divide="ignore"):
        if n_fitted == 1:
            values = r * np.sqrt(residual / (1 - r**2))
        else:
            values = r**2 / n_fitted * (residual / (1 - r**2))
    df = (residual,) if n_fitted == 1 else (n_fitted, residual)
    return nib.Nifti1Image(values, img.affine), "t" if n_fitted == 1 else "F", df
