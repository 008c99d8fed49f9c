"""Maps of permutation p-values: FSL randomise, PALM and SnPM."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np

from ari_estimator.files._absent_content import is_named
from ari_estimator.files._regular_file import existing_file
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.inference import STATISTICS, StatType
from ari_estimator.interfaces._fsl import FSL_CONNECTIVITY
from ari_estimator.interfaces._reading import (
    finite_voxels,
    read_mask,
    read_text,
    read_volume,
    stem_of,
)
from ari_estimator.interfaces._spm import SPM_CONNECTIVITY
from ari_estimator.interfaces._statistical_map import StatisticalMap

# The default of PALM's spatial statistics.
_PALM_CONNECTIVITY: Final = 26

_OF_SETS: Final = ("tfce", "clustere", "clusterm")

_RANDOMISE = re.compile(
    r"(?P<prefix>.+)_(?P<unit>vox|tfce|clustere|clusterm)_(?P<p>p|corrp)_[tf]stat\d+"
)
_RANDOMISE_STATISTIC = re.compile(r".+_[tf]stat\d+")
_PALM = re.compile(
    r"(?P<prefix>.+)_(?P<unit>vox|vtx|fac|dpx|dpv|dpf|dat|tfce|clustere|clusterm)"
    r"_(?P<statistic>[a-z0-9_]+?)_(?P<p>uncp|uncparap|[cm]*fwep|[cm]*fdrp|[cm]*fdrparap)"
    r"(?P<numbers>(?:_[mdc]\d+)*)"
)
_PALM_STATISTIC = re.compile(r".+_vox_z?[a-z]+stat(?:_[mdc]\d+)*")
_SNPM = re.compile(r"lP(?P<corrected>_FWE|_FDR)?(?P<sign>[+-])")
_SNPM_STATISTIC = re.compile(r"snpm[TF][+-]?")


@dataclass(frozen=True)
class _PMap:
    """Information on a map from the name of its file.

    Attributes
    ----------
    program : str
        The program that wrote the map.

    connectivity : {6, 18, 26}
        Number of neighbours of a voxel in this program.

    stat_type : StatType, callable or None
        Statistic of the map, or a function that finds it from the path; None if the map cannot be
        tested.

    reason : str
        Reason why it cannot be tested.
    """

    program: str
    connectivity: Connectivity = 6
    stat_type: StatType | Callable[[Path], StatType] | None = None
    reason: str = ""


def read_p_map(
    path: str | PathLike[str],
    *,
    mask_img: Any = None,
    stat_type: StatType | None = None,
) -> StatisticalMap:
    """Read a map of uncorrected permutation p-values.

    Parameters
    ----------
    path : path
        A voxelwise map of FSL randomise (``*_vox_p_tstat1``, 1 - p), PALM (``*_vox_tstat_uncp_c1``:
        p, 1 - p or -log10 p) or SnPM (``lP+``, -log10 p). The name identifies the kind of map.

    mask_img : path, image or None, default=None
        The mask given to the program, which contains all voxels above 0. None only for maps that
        are NaN outside the mask, such as the maps of SnPM.

    stat_type : {"p", "one_minus_p", "neg_log10_p"} or None, default=None
        Kind of p-values in the map. With None, the name decides and, for PALM, the options in
        ``*_palmconfig.txt`` in the same folder.

    Returns
    -------
    stat_map : StatisticalMap
        The map with all parameters to test it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a file does not exist.
    ValueError
        If a file is damaged; if the name is unknown and ``stat_type`` is None; if the map holds
        corrected p-values, p-values of TFCE or of clusters, or statistics; or if a required mask is
        missing.

    See Also
    --------
    ari_estimator.PermutationCalibration : Permutations in this package, which give larger bounds.

    Notes
    -----
    Corrected p-values (FWE, FDR) are refused, because All-Resolutions Inference corrects for
    multiple testing itself.

    Uncorrected p-values of TFCE and of clusters are refused too. The TFCE score of a voxel sums
    over surrounding voxels, so an inactive voxel next to active voxels has a small p-value. Its
    null hypothesis is that nothing around the voxel is active. The bounds need p-values that are
    valid for each inactive voxel, even if other voxels are active.

    With B permutations, no p-value is below 1 / B. A bound on m voxels with a Hommel value h near m
    needs some p-values below ``alpha / h``, or many slightly above. With B = 5000 and 200,000
    voxels, a cluster needs 800 voxels with the smallest p-value for its first true discovery.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator.interfaces import read_p_map
    >>> p = np.random.default_rng(0).integers(1, 5001, (5, 5, 5)) / 5000
    >>> with TemporaryDirectory() as folder:
    ...     Nifti1Image(1 - p, np.eye(4)).to_filename(f"{folder}/my_vox_p_tstat1.nii.gz")
    ...     mask_img = Nifti1Image(np.ones(p.shape, dtype=np.uint8), np.eye(4))
    ...     stat_map = read_p_map(f"{folder}/my_vox_p_tstat1.nii.gz", mask_img=mask_img)
    >>> stat_map.stat_type
    'one_minus_p'
    """
    path = existing_file(path, "The p-value map")
    found = _recognise(stem_of(path))
    if found is not None and found.reason:
        raise ValueError(f"{path.name!r} of {found.program} cannot be tested: {found.reason}.")
    img = read_volume(path, "The p-value map")
    held = stat_type if stat_type is not None else _held(found, path)
    if held not in STATISTICS or not STATISTICS[held].is_p:
        raise ValueError(
            f"stat_type must be 'p', 'one_minus_p' or 'neg_log10_p'. Got {stat_type!r}."
        )
    mask = finite_voxels(img) if mask_img is None else read_mask(mask_img)
    if mask is None:
        raise ValueError(
            f"mask_img must be given for {path.name!r}, which is not NaN in untested voxels: pass "
            "the mask that you gave to the program. Got None."
        )
    return StatisticalMap(
        img,
        held,
        mask_img=mask,
        connectivity=6 if found is None else found.connectivity,
        name=stem_of(path),
        said_by="" if stat_type or found is None else f"the file names of {found.program}",
    )


def is_named_p_map(path: str | PathLike[str]) -> bool:
    """Return whether a name follows randomise, PALM or SnPM, so that it identifies the map."""
    return _recognise(stem_of(path)) is not None


def _held(found: _PMap | None, path: Path) -> StatType:
    """Return the kind of a map from its name."""
    if found is None or found.stat_type is None:
        raise ValueError(
            f"stat_type must be given for {path.name!r}, since its name is not the name of a map "
            "of uncorrected p-values: '*_vox_p_tstat1' of randomise, '*_vox_tstat_uncp' of PALM, "
            "'lP+' of SnPM. Got None."
        )
    return found.stat_type(path) if callable(found.stat_type) else found.stat_type


def _recognise(stem: str) -> _PMap | None:
    """Return the information in the name of a file; None for unknown names."""
    if match := _RANDOMISE.fullmatch(stem):
        reason = _reason(match["unit"], match["p"] == "corrp", "-x --uncorrp", "*_vox_p_*")
        return _PMap("FSL randomise", FSL_CONNECTIVITY, "one_minus_p", reason)
    if match := _PALM.fullmatch(stem):
        is_corrected = not match["p"].startswith("unc")
        reason = _reason(match["unit"], is_corrected, "no -nouncorrected", "*_vox_*_uncp")
        return _PMap("PALM", _PALM_CONNECTIVITY, _held_by_palm, reason)
    if match := _SNPM.fullmatch(stem):
        reason = _reason("vox", match["corrected"] is not None, "the default", "lP+ and lP-")
        return _PMap("SnPM", SPM_CONNECTIVITY, "neg_log10_p", reason)
    if _PALM_STATISTIC.fullmatch(stem) or _RANDOMISE_STATISTIC.fullmatch(stem):
        program, uncorrected = "FSL randomise or PALM", "'*_vox_p_*' or '*_vox_*_uncp'"
    elif _SNPM_STATISTIC.fullmatch(stem):
        program, uncorrected = "SnPM", "'lP+'"
    else:
        return None
    return _PMap(
        program,
        reason=(
            f"it holds the statistic. Use the p-values, {uncorrected}; or, if the statistic is a t "
            "or F with known degrees of freedom, a transformer with stat_type and df"
        ),
    )


def _reason(unit: str, is_corrected: bool, option: str, uncorrected: str) -> str:
    """Return the reason why a map cannot be tested; empty if it can."""
    instead = f"use the uncorrected p-values of voxels, {uncorrected!r} (option: {option})"
    if is_corrected:
        return (
            "its p-values are corrected for multiple testing, which All-Resolutions Inference "
            f"does itself; {instead}"
        )
    if unit in _OF_SETS:
        return (
            "a p-value of TFCE or of a cluster shows activity around a voxel, but not in the voxel "
            f"itself; {instead}"
        )
    return ""


def _held_by_palm(path: Path) -> StatType:
    """Return the kind of a map of PALM, from PALM's options or from the values."""
    match = _PALM.fullmatch(stem_of(path))
    prefix = "" if match is None else match["prefix"]
    configuration = path.with_name(f"{prefix}_palmconfig.txt")
    if is_named(configuration):
        options = read_text(configuration, "The configuration of PALM").lower().split()
        is_log, is_complement = "-logp" in options, "-save1-p" in options
        if is_log and is_complement:
            raise ValueError(
                f"{path.name!r} of PALM cannot be tested: it holds -log10(1 - p), since PALM was "
                "called with both -logp and -save1-p. Run it with -logp only."
            )
        return "neg_log10_p" if is_log else "one_minus_p" if is_complement else "p"
    values = np.asanyarray(read_volume(path, "The p-value map").dataobj)
    if np.nanmax(values) > 1:
        return "neg_log10_p"
    raise ValueError(
        f"stat_type must be given for {path.name!r}, since there is no {configuration.name!r} with "
        "the options of PALM: 'p' by default, 'one_minus_p' with -save1-p, 'neg_log10_p' with "
        "-logp. Got None."
    )
