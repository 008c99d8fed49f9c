"""Statistical maps of SPM."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
from nibabel.nifti1 import Nifti1Header

from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.files._absent_content import check_content, is_named
from ari_estimator.files._regular_file import existing_file
from ari_estimator.images._mat_file import read_mat_struct
from ari_estimator.images._reading_errors import clear_errors
from ari_estimator.inference import STATISTICS, stat_type_called
from ari_estimator.interfaces._reading import (
    existing_folder,
    find_image,
    finite_voxels,
    open_image,
    read_mask,
    read_volume,
)
from ari_estimator.interfaces._statistical_map import StatisticalMap

# SPM connects voxels that share a face or an edge.
SPM_CONNECTIVITY: Final = 18

_MAP_NAME = re.compile(r"spm(?P<kind>[TF])_(?P<number>\d{4,})")

# "SPM{T_[29.0]} - contrast 1: name", in at most 80 characters.
_DESCRIPTION = re.compile(
    r"SPM\{(?P<kind>[TF])_\[(?P<df>[0-9.]+(?:,\s*[0-9.]+)?)\]\}"
    r"(?:\s*-\s*contrast\s+(?P<number>\d+)(?::\s*(?P<name>.*))?)?"
)

# Fields read from SPM.mat.
_WANTED: Final = {
    "xX": {"erdf": None},
    "xCon": {"name": None, "STAT": None, "eidf": None, "Vspm": {"fname": None}},
}

# The header has one decimal.
_ROUNDING = 0.0501


@dataclass(frozen=True)
class _Contrast:
    """A contrast as described by SPM.mat or by the header of its map."""

    number: int
    name: str
    kind: str
    df: tuple[float, ...]
    file: str = ""


def read_spm(
    path: str | PathLike[str],
    contrast: int | str | None = None,
    *,
    labels_img: Any = None,
    two_sided: TwoSided = False,
) -> StatisticalMap:
    """Read a t or F map of SPM with its degrees of freedom and mask.

    Parameters
    ----------
    path : path
        The folder of an analysis (with ``SPM.mat``, ``spmT_0001.nii`` and ``mask.nii``), its
        ``SPM.mat``, or one map.

    contrast : int, str or None, default=None
        Number or name of the contrast. None means the first contrast, or the contrast of the map.

    labels_img : path, image or None, default=None
        Clusters saved by SPM ("all clusters (n-ary)").

    two_sided : bool or "directional", default=False
        Whether to test negative values too. A t contrast of SPM is one-sided.

    Returns
    -------
    stat_map : StatisticalMap
        The map with all parameters to test it.

    Raises
    ------
    FileNotFoundError
        If the folder or the map does not exist, or the degrees of freedom are not found.
    ValueError
        If a file is damaged, if the contrast does not exist, if the header and ``SPM.mat``
        contradict each other, or if ``two_sided`` is True for an F map.

    Notes
    -----
    Degrees of freedom come from ``SPM.mat``, which has all digits, or else from the header of the
    map ("SPM{T_[29.0]}"). ``SPM.mat`` files of MATLAB version 7.3 are not read; the headers of the
    maps are sufficient.

    SPM sets untested voxels to NaN. They are not in the family. The mask is ``mask.nii`` or, if
    that file is missing, all voxels that are not NaN.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import nibabel as nib, numpy as np
    >>> from ari_estimator.interfaces import read_spm
    >>> img = nib.Nifti1Image(np.random.default_rng(0).standard_t(29, (9, 9, 9)), np.eye(4))
    >>> img.header["descrip"] = b"SPM{T_[29.0]} - contrast 1: faces"
    >>> with TemporaryDirectory() as folder:
    ...     img.to_filename(Path(folder) / "spmT_0001.nii")
    ...     stat_map = read_spm(folder)
    >>> stat_map.stat_type, stat_map.df, stat_map.connectivity
    ('t', 29.0, 18)
    """
    folder, map_name = _places(Path(path))
    # If a map does not name its contrast, only its header is available.
    is_known = map_name is None or contrast is not None or _MAP_NAME.match(map_name)
    of_analysis = _contrasts_in_mat(folder / "SPM.mat") if is_known else None
    number = _number(contrast, map_name, folder, of_analysis)
    known = None if of_analysis is None else _numbered(of_analysis, number, folder)
    stat_path = _map_path(folder, number, map_name, known)
    img = read_volume(stat_path, "The statistical map")
    declared = _declared(img, number)
    _check_agreement(declared, known, stat_path)
    described = known or declared
    if described is None:
        raise ValueError(
            f"The degrees of freedom of {str(stat_path)!r} are unknown: its header does not begin "
            f"with 'SPM{{T_[...]}}', and {_why_no_mat(folder)}. Or pass stat_type and df to a "
            "transformer."
        )
    kind, df = described.kind, described.df
    stat_type: Any = stat_type_called("spm", kind)  # a member of the literal
    if two_sided and STATISTICS[stat_type].why_one_sided is not None:
        raise ValueError(
            f"two_sided must be False for an F contrast, which has no sign. Got {two_sided!r}."
        )
    mask_path = find_image(folder, "mask")
    return StatisticalMap(
        img,
        stat_type,
        df[0] if len(df) == 1 else (df[0], df[1]),
        mask_img=finite_voxels(img) if mask_path is None else read_mask(mask_path),
        labels_img=None if labels_img is None else read_volume(labels_img, "The clusters"),
        two_sided=two_sided,
        connectivity=SPM_CONNECTIVITY,
        name=described.name or stat_path.stem,
        said_by=f"the header of {str(stat_path)!r}" if known is None else str(folder / "SPM.mat"),
    )


def _places(path: Path) -> tuple[Path, str | None]:
    """Return the folder of an analysis and the selected map in it."""
    if path.is_dir():
        return path, None
    existing_file(path, "The SPM analysis or map")
    return (path.parent, None) if path.suffix == ".mat" else (path.parent, path.name)


def _contrasts_in_mat(path: Path) -> list[_Contrast] | None:
    """Return the contrasts of an analysis; None without a readable SPM.mat."""
    if not is_named(path) or _is_hdf5(path):
        return None
    with clear_errors(path, "The SPM.mat"):
        spm = read_mat_struct(path, "SPM", _WANTED)
    if not spm:
        raise ValueError(f"{str(path)!r} must hold a struct SPM, as SPM writes it. Got none.")
    try:
        contrasts = spm[0].get("xCon") or []
        residual = _number_in(spm[0]["xX"][0]["erdf"]) if contrasts else 0.0
        return [_contrast(k, described, residual) for k, described in enumerate(contrasts, 1)]
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} must hold the contrasts (SPM.xCon) and degrees of freedom "
            f"(SPM.xX.erdf) of an estimated model. Got neither ({error!r})."
        ) from error


def _contrast(number: int, described: dict[str, Any], residual: float) -> _Contrast:
    kind = _text_in(described["STAT"])
    df = (residual,) if kind == "T" else (_number_in(described["eidf"]), residual)
    # Empty until the contrast is estimated.
    volume = described.get("Vspm")
    file = _text_in(volume[0].get("fname")) if volume else ""
    return _Contrast(number, _text_in(described["name"]), kind, df, file)


def _text_in(value: Any) -> str:
    """Return a text. It may be empty."""
    if not (value is None or isinstance(value, str)):
        raise TypeError("a number in place of a name")
    return value or ""


def _number_in(values: Any) -> float:
    """Return the degrees of freedom in an array of one number."""
    if not isinstance(values, np.ndarray):
        raise TypeError("no number")
    (value,) = values.tolist()
    if not 0 < value < math.inf:
        raise ValueError(f"degrees of freedom of {value:g}")
    return float(value)


def _number(
    contrast: int | str | None,
    map_name: str | None,
    folder: Path,
    of_analysis: list[_Contrast] | None,
) -> int:
    """Return the number of the selected contrast."""
    match = None if map_name is None else _MAP_NAME.match(map_name)
    if contrast is None or isinstance(contrast, Integral):
        of_map = int(match["number"]) if match else None
        if contrast is not None and of_map not in (None, contrast):
            raise ValueError(
                f"contrast must be {of_map}, or None, for {map_name!r}. Got {contrast!r}."
            )
        if of_map is not None:
            return of_map
        return 1 if contrast is None else int(contrast)
    if of_analysis is None:
        of_analysis = _contrasts_of_headers(folder)
    numbers = [c.number for c in of_analysis if c.name == contrast]
    if len(numbers) != 1:
        names = ", ".join(f"{c.number}: {c.name!r}" for c in of_analysis) or "none"
        raise ValueError(
            f"contrast must be the name or the number of one contrast. Got {contrast!r}. These "
            f"exist in {str(folder)!r}: {names}."
        )
    if match and int(match["number"]) != numbers[0]:
        raise ValueError(
            f"contrast must be the contrast of {map_name!r}, or None. Got {contrast!r}, which is "
            f"contrast {numbers[0]}."
        )
    return numbers[0]


def _contrasts_of_headers(folder: Path) -> list[_Contrast]:
    """Return the contrasts named in the headers of the maps in a folder."""
    found = []
    for path in sorted(folder.glob("spm[TF]_*")):
        match = _MAP_NAME.match(path.name)
        if match and path.suffix != ".img":
            declared = _declared(open_image(path, "The statistical map"), int(match["number"]))
            found += [] if declared is None else [declared]
    return sorted(found, key=lambda contrast: contrast.number)


def _numbered(contrasts: list[_Contrast], number: int, folder: Path) -> _Contrast:
    if not 1 <= number <= len(contrasts):
        raise ValueError(
            f"contrast must be from 1 to {len(contrasts)}, the number of contrasts in "
            f"{str(folder / 'SPM.mat')!r}. Got {number}."
        )
    contrast = contrasts[number - 1]
    if contrast.kind not in ("T", "F"):
        raise ValueError(
            f"contrast must be a t or F contrast. Got contrast {number}, {contrast.name!r}, with "
            f"statistic {contrast.kind!r}, which has no p-values."
        )
    return contrast


def _map_path(folder: Path, number: int, map_name: str | None, contrast: _Contrast | None) -> Path:
    """Return the map of a contrast."""
    if map_name is not None:
        return folder / map_name
    existing_folder(folder, "The SPM folder")
    stems = [f"spm{kind}_{number:04d}" for kind in "TF"]
    if contrast is not None:
        stems = [Path(contrast.file).stem or f"spm{contrast.kind}_{number:04d}"]
    for stem in stems:
        path = find_image(folder, stem)
        if path is not None:
            return path
    raise FileNotFoundError(
        f"There is no map of contrast {number} in {str(folder)!r}: no {' or '.join(stems)}. "
        "SPM writes it when the contrast is estimated."
    )


def _declared(img: Any, number: int) -> _Contrast | None:
    """Return the contrast described in the header of a map."""
    if not isinstance(img.header, Nifti1Header):
        return None
    description = img.header["descrip"].item().decode("latin-1")
    match = _DESCRIPTION.match(description)
    if match is None:
        return None
    df = tuple(float(value) for value in match["df"].split(","))
    if len(df) != (1 if match["kind"] == "T" else 2):
        return None
    return _Contrast(number, (match["name"] or "").strip(), match["kind"], df)


def _check_agreement(declared: _Contrast | None, known: _Contrast | None, stat_path: Path) -> None:
    """Refuse a map that does not belong to the analysis of the SPM.mat in its folder."""
    if declared is None or known is None:
        return
    if declared.kind == known.kind and np.allclose(declared.df, known.df, rtol=0, atol=_ROUNDING):
        return
    raise ValueError(
        f"SPM.mat and {str(stat_path)!r} must belong to one analysis. Got {known.kind} with "
        f"{', '.join(f'{df:g}' for df in known.df)} degrees of freedom in SPM.mat, "
        f"{declared.kind} with {', '.join(f'{df:g}' for df in declared.df)} in the header."
    )


def _is_hdf5(path: Path) -> bool:
    """Return whether a MATLAB file has version 7.3, which is HDF5."""
    check_content(path, "The SPM.mat")
    with path.open("rb") as file:
        head = file.read(520)
    return head.startswith(b"MATLAB 7.3") or b"\x89HDF\r\n\x1a\n" in (head[:8], head[512:520])


def _why_no_mat(folder: Path) -> str:
    path = folder / "SPM.mat"
    if not is_named(path):
        return f"there is no {str(path)!r}"
    if not _is_hdf5(path):
        return f"its name does not show its contrast in {str(path)!r}"
    return (
        f"{str(path)!r} has MATLAB's version 7.3, which cannot be read. Convert it in MATLAB: "
        "load('SPM.mat'); save('SPM.mat', 'SPM', '-v7')"
    )
