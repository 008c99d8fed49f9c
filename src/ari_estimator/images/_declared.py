"""What a file declares that it holds: its header, its name and the file beside it."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from nibabel.brikhead import AFNIImage
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import ScalarAxis
from nibabel.filebasedimages import FileBasedImage
from nibabel.gifti.gifti import GiftiImage
from nibabel.nifti1 import Nifti1Header, intent_codes
from nilearn.surface import SurfaceImage

from ari_estimator.files._regular_file import read_bytes
from ari_estimator.images._afni_header import (
    AFNI_STATISTICS,
    afni_attributes,
    read_sub_bricks,
)
from ari_estimator.images._declared_names import ENDINGS, name_patterns
from ari_estimator.images._image_file import load_image
from ari_estimator.images._mne_objects import is_mne, size_in_words
from ari_estimator.images._own_descriptions import OWN, OWN_DESCRIPTION, OWN_HOLDS

# What an intent code of NIfTI says, by nibabel's label.
_INTENTS = {
    "correlation": "correlation",
    "t test": "t",
    "f test": "F",
    "z score": "z",
    "chi2": "chi2",
    "p value": "p",
    "log p value": "natural logarithms of p",
    "log10 p value": "-log10 p",
    "label": "labels",
}

# How many parameters of the intent are degrees of freedom.
_N_DF = {"t": 1, "F": 2, "chi2": 1, "correlation": 1}

_NUMBER = re.compile(r"\s*\d+(\.\d*)?([eE][-+]?\d+)?\s*")

_OF_AFNI = (".HEAD", ".BRIK", ".BRIK.gz")

_SPM = re.compile(r"SPM\{(?P<kind>[TFZ])(?:_\[(?P<df>[0-9.]+(?:,\s*[0-9.]+)?)\])?\}")
_SPM_EFFECT = re.compile(r"(?:SPM contrast - |ESS )?[Cc]ontrast \d+:|spm_spm:beta")
_SPM_VARIANCE = re.compile(r"spm_spm:(?:ResMS|Residual)")
_NILEARN = re.compile(r"(?P<kind>z_score|stat|p_value|effect_size|effect_variance|tdp) of contrast")
_OF_NILEARN = {
    "z_score": "z",
    "stat": "t or F",
    "p_value": "p",
    "effect_size": "effect",
    "effect_variance": "variance",
    "tdp": "true discovery proportions",
}

# The entity of BIDS derivatives.
_BIDS = re.compile(r"(?:^|_)stat-(?P<stat>[A-Za-z0-9]+)(?:_|$)")
_BIDS_THRESHOLDED = re.compile(r"(?:^|_)desc-thresh(?:ed|olded)?(?:_|$)")
_OF_BIDS = {
    "z": "z",
    "t": "t",
    "f": "F",
    "chi2": "chi2",
    "p": "p",
    "logp": "-log10 p",
    "effect": "effect",
    "variance": "variance",
    "tdp": "true discovery proportions",
}
# Sidecars have some kilobytes.
_LARGEST_SIDECAR = 2**20
_MOST_DF = 2
_DF_KEYS = ("DegreesOfFreedom", "degrees_of_freedom", "df", "dof", "DOF")


@dataclass(frozen=True)
class Declaration:
    """One thing that a file says about the values in it.

    Attributes
    ----------
    holds : str
        What the values are: "z", "t", "F", "chi2", "p", "-log10 p", "1 - p",
        "-log10 p with a sign", "correlation", "effect", "variance", "t or F", ...

    said_by : str
        What says so, for a sentence: "the intent code of the header".

    df : tuple of float
        Degrees of freedom, where they are declared.

    program : str
        The program whose word it is, "" if it is not known.

    is_weak : bool
        Whether programs often copy it from another file, so that it contradicts nothing.

    is_source : bool
        Whether it only says where a reader has found the statistic that it passes on.
    """

    holds: str
    said_by: str
    df: tuple[float, ...] = ()
    program: str = ""
    is_weak: bool = False
    is_source: bool = False


# Files of images in memory that forget them: surfaces of nilearn, and what readers copy.
_FILES: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()


def remember_file(img: Any, path: Path) -> None:
    """Remember which file an image is from, the first of two hemispheres."""
    _FILES[img] = path


def file_of(img: Any) -> Path | None:
    """Return the file that an image is from; None if that is not known."""
    name = img.get_filename() if isinstance(img, FileBasedImage) else None
    return _FILES.get(img) if name is None else Path(name)


# What the files of a surface say, whose image keeps none of their headers.
_SAID: WeakKeyDictionary[Any, list[Declaration]] = WeakKeyDictionary()


def remember_declarations(img: SurfaceImage, declarations: list[Declaration]) -> None:
    """Remember what the files of a surface say about its values."""
    _SAID[img] = declarations


# Where readers have found the statistic of images.
_SOURCES: WeakKeyDictionary[Any, Declaration] = WeakKeyDictionary()


def remember_source(img: Any, stat_type: str, df: tuple[float, ...], said_by: str) -> None:
    """Remember where a reader has found the statistic of an image, for reports.

    Parameters
    ----------
    img : image or path
        The image. Nothing is remembered for a path.

    stat_type : str
        The statistic, as the parameter ``stat_type``.

    df : tuple of float
        Degrees of freedom; empty if there are none, or if they differ between voxels.

    said_by : str
        What says so, for a sentence: "the file 'SPM.mat'".
    """
    if isinstance(img, (FileBasedImage, SurfaceImage)):
        _SOURCES[img] = Declaration(stat_type, said_by, df, is_source=True)


def declarations_of(img: Any, file: Any = None) -> list[Declaration]:
    """Return all that a file says about its values, the most trusted first.

    Parameters
    ----------
    img : image or path
        The image. Only its header is read.

    file : image or path, default=None
        What the image was read from, if that knows the file better than the image.

    Returns
    -------
    declarations : list of Declaration
        First what AFNI's attributes or the text in the header say, then the name of the file,
        and the intent code, which programs often copy from another file. Last, where a reader has
        found the statistic.
    """
    # CIFTI images keep the header of the NIfTI file apart.
    header = getattr(img, "nifti_header", getattr(img, "header", None))
    header = header if isinstance(header, Nifti1Header) else None
    if header is None and is_mne(img):
        size = size_in_words(img)
        return [] if size is None else [Declaration("physical values", size, is_weak=True)]
    source = img if file is None else file
    said = _SAID.get(source, []) if isinstance(source, SurfaceImage) else []
    if isinstance(source, (FileBasedImage, SurfaceImage)):
        source = None if said else file_of(source)
    path = Path(source) if isinstance(source, (str, Path)) else None
    afni = img if file is None or isinstance(file, (str, Path)) else file
    if isinstance(file, (str, Path)) and str(file).endswith(_OF_AFNI):
        afni = load_image(file, "The map")
    declarations: list[Declaration] = [*said]
    if isinstance(afni, AFNIImage) or (header is not None and header.extensions):
        declarations += _by_afni(afni)
    if header is not None:
        declarations += _by_description(header["descrip"].item().decode("latin-1"))
    if isinstance(img, Cifti2Image):
        declarations += _by_map_names(img)
    if path is not None:
        declarations += _by_name(path)
    if header is not None and header["intent_code"]:
        declarations += _by_intent(header)
    if isinstance(file, (FileBasedImage, SurfaceImage)) and file in _SOURCES:
        declarations.append(_SOURCES[file])
    return declarations


def _by_afni(img: Any) -> Iterator[Declaration]:
    """Yield the declaration of AFNI's header, if it is the same for all sub-bricks."""
    attributes = afni_attributes(img)
    # The header of one volume out of several still describes all of them.
    n_described = len(str(attributes.get("BRICK_LABS", "")).rstrip("~").split("~"))
    if "BRICK_STATAUX" not in attributes or n_described != int(np.prod(img.shape[3:])):
        return
    sub_bricks = read_sub_bricks(img, "the map")
    if len({(one.code, one.parameters) for one in sub_bricks}) > 1:
        yield Declaration("different sub-bricks", "the header of AFNI", program="AFNI")
        return
    code, parameters = sub_bricks[0].code, sub_bricks[0].parameters
    holds = AFNI_STATISTICS.get(code, "effect")
    if code and holds not in _INTENTS.values():
        holds = "another distribution"
    said_by = f"the statistic code of AFNI, {code},"
    yield Declaration(holds, said_by, parameters[: _N_DF.get(holds, 0)], "AFNI")


def _by_description(text: str) -> Iterator[Declaration]:
    if not text:
        return
    said_by = f"the description {text!r} in the header"
    if match := _SPM.match(text):
        df = tuple(float(value) for value in (match["df"] or "").split(",") if value.strip())
        yield Declaration({"T": "t", "F": "F", "Z": "z"}[match["kind"]], said_by, df, "SPM")
    elif _SPM_EFFECT.match(text):
        yield Declaration("effect", said_by, program="SPM")
    elif _SPM_VARIANCE.match(text):
        yield Declaration("variance", said_by, program="SPM")
    elif match := _NILEARN.match(text):
        yield Declaration(_OF_NILEARN[match["kind"]], said_by, program="nilearn")
    elif match := OWN_DESCRIPTION.fullmatch(text):
        yield Declaration(OWN_HOLDS[match[1]], said_by, program=OWN)


def _by_map_names(img: Cifti2Image) -> Iterator[Declaration]:
    """Yield what the names of the maps in a CIFTI image say, if they do not differ."""
    axis = img.header.get_axis(0)
    if not isinstance(axis, ScalarAxis):
        return
    said = [next(_told_by(str(name)), None) for name in axis.name]
    holds = {one[0] for one in said if one is not None}
    if len(holds) > 1:
        yield Declaration("different maps", "the names of the maps")
    elif holds and None not in said:
        what = "name" if len(said) == 1 else "names"
        of = "map" if len(said) == 1 else "maps"
        named = ", ".join(repr(str(name)) for name in axis.name[:2])
        program = next(one[1] for one in said if one is not None)
        yield Declaration(holds.pop(), f"the {what} {named} of the {of}", (), program)


def _told_by(stem: str) -> Iterator[tuple[str, str]]:
    """Yield what a name says that values are, with the program; the first counts."""
    if match := OWN_DESCRIPTION.fullmatch(stem):
        yield OWN_HOLDS[match[1]], OWN
    for pattern, holds, program in name_patterns():
        if pattern.fullmatch(stem):
            yield holds, program


def _by_name(path: Path) -> Iterator[Declaration]:
    stem = ENDINGS.sub("", path.name)
    said_by = f"the name {path.name!r} of the file"
    if _BIDS_THRESHOLDED.search(stem):
        yield Declaration("thresholded map", said_by)
        return
    match = _BIDS.search(stem)
    if match is not None and match["stat"].lower() in _OF_BIDS:
        yield Declaration(_OF_BIDS[match["stat"].lower()], said_by, _df_beside(path))
        return
    if (told := next(_told_by(stem), None)) is not None:
        df = _df_of_glmfit(path) if told == ("F", "FreeSurfer") else ()
        yield Declaration(told[0], said_by, df, told[1])


def _by_intent(header: Nifti1Header) -> Iterator[Declaration]:
    code = int(header["intent_code"])
    label = str(intent_codes.label[code]) if code in intent_codes.code else ""
    holds = _INTENTS.get(label)
    if holds is None:
        return
    parameters = [float(header[f"intent_p{k}"]) for k in (1, 2)][: _N_DF.get(holds, 0)]
    df = tuple(parameters) if parameters and all(value > 0 for value in parameters) else ()
    yield Declaration(holds, f"the intent code {label!r} of the header", df, is_weak=True)


def _df_of_glmfit(path: Path) -> tuple[float, ...]:
    """Return the degrees of freedom of an F map in the folder of mri_glmfit; () if not known."""
    contrast, residual = path.with_name("C.dat"), path.parent.parent / "dof.dat"
    if not (contrast.is_file() and residual.is_file()):
        return ()
    try:
        texts = [
            read_bytes(file, "A file of mri_glmfit", _LARGEST_SIDECAR)
            for file in (contrast, residual)
        ]
        (df,) = map(float, texts[1].split())
    except (OSError, ValueError):
        return ()
    n_rows = sum(bool(line.strip()) for line in texts[0].splitlines())
    return (float(n_rows), df) if n_rows and df > 0 else ()


def gifti_declarations(img: GiftiImage) -> list[Declaration]:
    """Return what the arrays of a GIfTI image say, by name or intent; nothing if they differ."""
    names = {str(array.meta.get("Name", "")) for array in img.darrays}
    own = {match and OWN_HOLDS[match[1]] for match in map(OWN_DESCRIPTION.fullmatch, names)}
    if len(own) == 1 and (held := own.pop()) is not None:
        said_by = f"the name {min(names)!r} of the arrays"
        return [Declaration(held, said_by, program=OWN)]
    said = {(int(array.intent), _parameters_of(array)) for array in img.darrays}
    code, parameters = said.pop() if len(said) == 1 else (0, ())
    label = str(intent_codes.label[code])
    holds = _INTENTS.get(label)
    if holds is None:
        return []
    n_df = _N_DF.get(holds, 0)
    df = parameters[:n_df] if len(parameters) >= n_df else ()
    return [Declaration(holds, f"the intent code {label!r} of the arrays", df, is_weak=not df)]


def _parameters_of(array: Any) -> tuple[float, ...]:
    """Return the parameters of the intent of an array, which GIfTI has in its metadata."""
    found = {str(name).lower(): str(value) for name, value in array.meta.items()}
    given = [found.get(f"intent_p{number}", "") for number in (1, 2, 3)]
    known = list(takewhile(_NUMBER.fullmatch, given))
    return tuple(map(float, known))


def _df_beside(path: Path) -> tuple[float, ...]:
    """Return the degrees of freedom in the JSON file beside a map; () if there are none."""
    sidecar = path.with_name(ENDINGS.sub("", path.name) + ".json")
    if not os.path.lexists(sidecar):
        return ()
    try:
        content = json.loads(read_bytes(sidecar, "The JSON file beside a map", _LARGEST_SIDECAR))
        if not isinstance(content, dict):
            raise ValueError("it holds no object")
        found: Any = next((content[key] for key in _DF_KEYS if key in content), [])
        values = found if isinstance(found, list) else [found]
        numbers = tuple(float(value) for value in values if type(value) in (int, float))
    # So deep or large that Python gives up; or no JSON.
    except (OSError, OverflowError, RecursionError, ValueError) as error:
        warnings.warn(
            f"{str(sidecar)!r} is not read: {error}. Degrees of freedom in it count for nothing.",
            UserWarning,
            stacklevel=2,
        )
        return ()
    return numbers if len(numbers) == len(values) <= _MOST_DF else ()
