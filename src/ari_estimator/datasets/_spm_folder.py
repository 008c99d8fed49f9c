"""The sample study as SPM writes its results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel import Nifti1Image
from scipy.io import savemat
from sklearn.utils import Bunch

_DF = 23.0
_HEADER = b"MATLAB 5.0 MAT-file, sample study"


def write_spm_folder(folder: Path, study: Bunch) -> None:
    """Write ``SPM.mat``, the t maps of two contrasts, and the mask.

    Parameters
    ----------
    folder : Path
        A new folder.

    study : Bunch
        The sample study.
    """
    folder.mkdir()
    mask = np.asarray(study.mask_img.dataobj) > 0
    t_values = np.where(mask, study.t_img.get_fdata(dtype=np.float32), np.nan)
    contrasts = (("motor", t_values), ("motor, negative", -t_values))
    x_con = np.zeros(
        len(contrasts), dtype=[(name, object) for name in ("name", "STAT", "c", "eidf", "Vspm")]
    )
    for k, (name, values) in enumerate(contrasts):
        file = f"spmT_{k + 1:04d}.nii"
        img = Nifti1Image(values.astype(np.float32), study.t_img.affine)
        img.header["descrip"] = f"SPM{{T_[{_DF:.1f}]}} - contrast {k + 1}: {name}".encode()
        img.to_filename(folder / file)
        weight = np.array([[1.0 if k == 0 else -1.0]])
        x_con[k] = (name, "T", weight, 1.0, {"fname": file, "mat": study.t_img.affine})
    Nifti1Image(mask.astype(np.uint8), study.mask_img.affine).to_filename(folder / "mask.nii")
    spm = {
        "xX": {"X": np.ones((len(study.maps), 1)), "erdf": _DF},
        "xCon": x_con,
        "VM": {"fname": "mask.nii"},
        "swd": "spm",
    }
    path = folder / "SPM.mat"
    savemat(path, {"SPM": spm})
    with path.open("r+b") as mat:  # scipy writes the time of day here
        mat.write(_HEADER.ljust(116))
