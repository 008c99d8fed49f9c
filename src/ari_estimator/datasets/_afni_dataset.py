"""The sample study as ``3dttest++`` of AFNI writes its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

_DF = 23

# Codes of AFNI: single precision, and a t statistic.
_FLOAT, _T = 3, 3


def write_afni_dataset(folder: Path, study: Bunch) -> None:
    """Write the mean and the t values to ``stats+tlrc``, and the mask to ``mask+tlrc``.

    Parameters
    ----------
    folder : Path
        A new folder.

    study : Bunch
        The sample study.
    """
    folder.mkdir()
    mean = np.mean([img.get_fdata(dtype=np.float32) for img in study.maps], axis=0)
    t_values = study.t_img.get_fdata(dtype=np.float32)
    affine = study.t_img.affine
    _write(
        folder / "stats+tlrc",
        {"SetA_mean": mean, "SetA_Tstat": t_values},
        affine,
        # The number of the sub-brick, its statistic, and one parameter.
        BRICK_STATAUX=[1, _T, 1, _DF],
    )
    _write(folder / "mask+tlrc", {"mask": np.asarray(study.mask_img.dataobj)}, affine)


def _write(stem: Path, bricks: dict[str, np.ndarray], affine: np.ndarray, **more: Any) -> None:
    """Write a dataset of single precision: a header, and the values."""
    # AFNI counts mm to the left and to the back.
    to_dicom = np.diag([-1.0, -1.0, 1.0]) @ affine[:3]
    steps = np.diag(to_dicom)
    orient = [
        code if step > 0 else opposite
        for step, (code, opposite) in zip(steps, ((0, 1), (3, 2), (4, 5)), strict=True)
    ]
    shape = next(iter(bricks.values())).shape
    n_bricks = len(bricks)
    attributes: dict[str, Any] = {
        "TYPESTRING": "3DIM_HEAD_FUNC",
        "SCENE_DATA": [2, 11, 1, -999, -999, -999, -999, -999],
        "ORIENT_SPECIFIC": orient,
        "ORIGIN": to_dicom[:, 3].tolist(),
        "DELTA": steps.tolist(),
        "IJK_TO_DICOM_REAL": to_dicom.ravel().tolist(),
        "DATASET_RANK": [3, n_bricks, 0, 0, 0, 0, 0, 0],
        "DATASET_DIMENSIONS": [*shape, 0, 0],
        "BRICK_TYPES": [_FLOAT] * n_bricks,
        "BRICK_FLOAT_FACS": [0.0] * n_bricks,
        "BYTEORDER_STRING": "LSB_FIRST",
        "BRICK_LABS": "~".join(bricks),
        **more,
    }
    head = "\n".join(_attribute(name, value) for name, value in attributes.items())
    stem.with_name(f"{stem.name}.HEAD").write_text(f"\n{head}", encoding="ascii", newline="\n")
    content = b"".join(values.astype("<f4").tobytes(order="F") for values in bricks.values())
    stem.with_name(f"{stem.name}.BRIK").write_bytes(content)


_FLOATS = ("ORIGIN", "DELTA", "IJK_TO_DICOM_REAL", "BRICK_FLOAT_FACS", "BRICK_STATAUX")


def _attribute(name: str, value: str | Sequence[float]) -> str:
    """Return an attribute as a header has it."""
    if isinstance(value, str):
        return f"type = string-attribute\nname = {name}\ncount = {len(value) + 1}\n'{value}~\n"
    kind = "float" if name in _FLOATS else "integer"
    numbers = " ".join(f"{number:g}" for number in value)
    return f"type = {kind}-attribute\nname = {name}\ncount = {len(value)}\n {numbers}\n"
