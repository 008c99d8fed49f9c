"""AFNI's description of the sub-bricks of a dataset: labels, statistics and parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from nibabel.brikhead import AFNIImage
from nibabel.nifti1 import Nifti1Pair

from ari_estimator.images._safe_xml import check_xml

# The code of AFNI's extension of NIfTI headers.
_NIFTI_EXTENSION: Final = 4

# Codes of BRICK_STATAUX; NIfTI took them over (nifti1.h).
AFNI_STATISTICS: Final = {
    2: "correlation",
    3: "t",
    4: "F",
    5: "z",
    6: "chi2",
    7: "beta",
    8: "binomial",
    9: "gamma",
    10: "Poisson",
}

# A list may have thousands of entries.
_LONGEST_SHOWN: Final = 200

# How many parameters each of those has that can be tested.
_N_PARAMETERS: Final = {2: 3, 3: 1, 4: 2, 5: 0, 6: 1}


@dataclass(frozen=True)
class SubBrick:
    """AFNI's description of one sub-brick.

    Attributes
    ----------
    index : int
        Its place, from 0 on.

    label : str
        Its label.

    code : int
        The code of its statistic; 0 if it holds none.

    parameters : tuple of float
        The parameters of the statistic.
    """

    index: int
    label: str
    code: int = 0
    parameters: tuple[float, ...] = ()

    def __str__(self) -> str:
        held = AFNI_STATISTICS.get(self.code, f"code {self.code}") if self.code else "no statistic"
        return f"{self.index} {self.label!r} ({held})"


def read_sub_bricks(img: Any, name: str) -> list[SubBrick]:
    """Return AFNI's description of the sub-bricks of an image.

    Parameters
    ----------
    img : nibabel image
        A BRIK/HEAD dataset; or a NIfTI image with AFNI's extension, or with an intent code.

    name : str
        What the image is called in messages.

    Returns
    -------
    sub_bricks : list of SubBrick
        In their order.

    Raises
    ------
    ValueError
        If the list of statistics is damaged.
    """
    n_volumes = int(np.prod(img.shape[3:]))
    attributes = afni_attributes(img)
    labels = str(attributes.get("BRICK_LABS", "")).rstrip("~").split("~")
    labels += [f"#{k}" for k in range(len(labels), n_volumes)]
    aux = np.atleast_1d(attributes.get("BRICK_STATAUX", ())).tolist()
    statistics = _statistics(aux, n_volumes, name)
    # One code for all volumes: of several, not all need be of it.
    if not aux and isinstance(img, Nifti1Pair) and n_volumes == 1:
        statistics = {0: _intent(img)}
    return [
        SubBrick(k, label or f"#{k}", *statistics.get(k, (0, ())))
        for k, label in enumerate(labels[:n_volumes])
    ]


def check_parameters(sub_brick: SubBrick, name: str) -> tuple[float, ...]:
    """Return the parameters of a statistic that can be tested.

    Raises
    ------
    ValueError
        If it has no p-values here, or not the parameters that it needs.
    """
    if sub_brick.code not in _N_PARAMETERS:
        raise ValueError(
            f"Sub-brick {sub_brick} of {name} cannot be tested. It must hold t, F, z, chi2 or "
            "correlation values, with their code in the header; 3drefit -substatpar writes it."
        )
    wanted = _N_PARAMETERS[sub_brick.code]
    if len(sub_brick.parameters) != wanted:
        raise ValueError(
            f"Sub-brick {sub_brick} of {name} must have {wanted} parameters in the header. Got "
            f"{len(sub_brick.parameters)}: {list(sub_brick.parameters)}."
        )
    return sub_brick.parameters


def afni_attributes(img: Any) -> dict[str, Any]:
    """Return AFNI's attributes of an image: empty where there are none."""
    if isinstance(img, AFNIImage):
        return img.header.info
    for extension in getattr(img.header, "extensions", ()):
        if extension.get_code() == _NIFTI_EXTENSION:
            return _from_xml(extension.get_content())
    return {}


def _from_xml(content: bytes | str) -> dict[str, Any]:
    """Return the attributes in an extension of a NIfTI header."""
    text = content if isinstance(content, bytes) else content.encode()
    text = text.strip(b"\0 \n")
    check_xml([text])
    root = ElementTree.fromstring(text)
    attributes: dict[str, Any] = {}
    for element in root.iter("AFNI_atr"):
        words = (element.text or "").strip()
        if element.get("ni_type", "").lower() == "string":
            attributes[element.get("atr_name", "")] = words.strip('"')
        else:
            attributes[element.get("atr_name", "")] = _numbers(words)
    return attributes


def _numbers(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split()]
    except ValueError:
        return []


def _statistics(
    aux: list[Any], n_volumes: int, name: str
) -> dict[int, tuple[int, tuple[float, ...]]]:
    """Return code and parameters by index; an entry is index, code, number of parameters, these."""
    damaged = ValueError(
        f"The statistics in the header of {name} are damaged: {str(aux)[:_LONGEST_SHOWN]}."
    )
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in aux):
        raise damaged
    statistics: dict[int, tuple[int, tuple[float, ...]]] = {}
    start = 0
    while start < len(aux):
        index, code, n_parameters = (int(value) for value in (*aux[start : start + 3], -1, -1)[:3])
        end = start + 3 + n_parameters
        is_new = 0 <= index < n_volumes and index not in statistics
        if not is_new or n_parameters < 0 or end > len(aux):
            raise damaged
        statistics[index] = code, tuple(float(value) for value in aux[start + 3 : end])
        start = end
    return statistics


def _intent(img: Nifti1Pair) -> tuple[int, tuple[float, ...]]:
    """Return what the intent of a NIfTI header says, in AFNI's way."""
    code = int(img.header["intent_code"])
    if code not in AFNI_STATISTICS:
        return 0, ()
    parameters = tuple(float(img.header[f"intent_p{k}"]) for k in (1, 2, 3))
    if code == 2:
        # NIfTI has the residual degrees of freedom, AFNI what they come from.
        return code, (parameters[0] + 1, 1.0, 0.0)
    return code, parameters[: _N_PARAMETERS.get(code, 3)]
