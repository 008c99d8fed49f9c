"""What a file declares that it holds: its header, its name and the file beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nibabel.nifti1 import Nifti1Header, intent_codes
from nibabel.spatialimages import SpatialImage

from ari_estimator.images._declared_names import kind_by_name

# What an intent code of NIfTI says, by nibabel's label.
_INTENTS = {
    "correlation": "correlation",
    "t test": "t",
    "f test": "F",
    "z score": "z",
    "chi2": "chi2",
    "p value": "p",
    "log10 p value": "-log10 p",
    "label": "labels",
}

# How many parameters of the intent are degrees of freedom.
_N_DF = {"t": 1, "F": 2, "chi2": 1, "correlation": 1}

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
_OF_BIDS = {
    "z": "z",
    "t": "t",
    "F": "F",
    "f": "F",
    "chi2": "chi2",
    "p": "p",
    "logp": "-log10 p",
    "effect": "effect",
    "variance": "variance",
    "tdp": "true discovery proportions",
}
_DF_KEYS = ("DegreesOfFreedom", "degrees_of_freedom", "df", "dof", "DOF")

_ENDINGS = (".gz", ".nii", ".img", ".hdr", ".mgh", ".mgz", ".gii", ".func", ".shape", ".dscalar")


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
    """

    holds: str
    said_by: str
    df: tuple[float, ...] = ()
    program: str = ""


def declarations_of(img: Any) -> list[Declaration]:
    """Return all that a file says about its values, the most trusted first.

    Parameters
    ----------
    img : image or path
        The image. Only its header is read.

    Returns
    -------
    declarations : list of Declaration
        What the text in the header says, then the name of the file, then the intent code, which
        programs often copy from another file.
    """
    return [*_by_description(img), *_by_bids(img), *_by_name(img), *_by_intent(img)]


def _header(img: Any) -> Nifti1Header | None:
    header = getattr(img, "header", None)
    return header if isinstance(header, Nifti1Header) else None


def _by_description(img: Any) -> Iterator[Declaration]:
    header = _header(img)
    if header is None:
        return
    text = header["descrip"].item().decode("latin-1")
    if match := _SPM.match(text):
        df = tuple(float(value) for value in (match["df"] or "").split(",") if value.strip())
        yield Declaration(match["kind"].lower().replace("f", "F"), _quoted(text), df, "SPM")
    elif _SPM_EFFECT.match(text):
        yield Declaration("effect", _quoted(text), program="SPM")
    elif _SPM_VARIANCE.match(text):
        yield Declaration("variance", _quoted(text), program="SPM")
    elif match := _NILEARN.match(text):
        yield Declaration(_OF_NILEARN[match["kind"]], _quoted(text), program="nilearn")


def _quoted(text: str) -> str:
    return f"the description in the header, {text!r}"


def _by_bids(img: Any) -> Iterator[Declaration]:
    path = path_of(img)
    match = None if path is None else _BIDS.search(stem_of(path))
    if path is None or match is None or match["stat"] not in _OF_BIDS:
        return
    yield Declaration(
        _OF_BIDS[match["stat"]], f"the name of the file, 'stat-{match['stat']}'", _df_beside(path)
    )


def _df_beside(path: Path) -> tuple[float, ...]:
    """Return the degrees of freedom in the JSON file beside a map; () if there are none."""
    sidecar = path.with_name(f"{stem_of(path)}.json")
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    if not isinstance(content, dict):
        return ()
    found: Any = next((content[key] for key in _DF_KEYS if key in content), [])
    values = found if isinstance(found, list) else [found]
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return tuple(numbers) if len(numbers) == len(values) else ()


def _by_name(img: Any) -> Iterator[Declaration]:
    path = path_of(img)
    if path is None:
        return
    kind = kind_by_name(stem_of(path))
    if kind is not None:
        yield Declaration(kind.holds, f"the name of the file, {path.name!r}", (), kind.program)


def _by_intent(img: Any) -> Iterator[Declaration]:
    header = _header(img)
    if header is None:
        return
    code = int(header["intent_code"])
    label = str(intent_codes.label[code]) if code in intent_codes.code else ""
    holds = _INTENTS.get(label)
    if holds is None:
        return
    parameters = [float(header[f"intent_p{k}"]) for k in (1, 2)][: _N_DF.get(holds, 0)]
    df = tuple(parameters) if parameters and all(value > 0 for value in parameters) else ()
    yield Declaration(holds, f"the intent code of the header, {label!r}", df)


def path_of(img: Any) -> Path | None:
    """Return the file of an image; None if it has none."""
    if isinstance(img, (str, Path)):
        return Path(img)
    if isinstance(img, SpatialImage):
        name = img.get_filename()
        return None if name is None else Path(name)
    return None


def stem_of(path: Path) -> str:
    """Return the name of a file without the endings of image formats."""
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
