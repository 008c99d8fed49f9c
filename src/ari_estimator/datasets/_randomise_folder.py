"""The sample study as input of FSL's randomise: a 4D image and the files of a design."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel import Nifti1Image
from sklearn.utils import Bunch


def write_randomise_folder(folder: Path, study: Bunch) -> None:
    """Write the maps of all subjects, the design, its contrasts and an F test.

    Parameters
    ----------
    folder : Path
        A new folder.

    study : Bunch
        The sample study.
    """
    folder.mkdir(parents=True)
    maps = np.stack([img.get_fdata(dtype=np.float32) for img in study.maps], axis=-1)
    Nifti1Image(maps, study.mask_img.affine).to_filename(folder / "all_copes.nii.gz")
    study.mask_img.to_filename(folder / "mask.nii.gz")
    participants = study.participants
    is_patient = (participants["group"] == "patient").to_numpy(dtype=float)
    age = participants["age"].to_numpy(dtype=float)
    design = np.column_stack([is_patient, 1 - is_patient, age - age.mean()])
    contrasts = {
        "patient > control": [1, -1, 0],
        "control > patient": [-1, 1, 0],
        "older": [0, 0, 1],
    }
    names = [f"/ContrastName{i}\t{name}" for i, name in enumerate(contrasts, start=1)]
    n_rows, n_columns = design.shape
    _write(folder / "design.mat", design, [f"/NumWaves\t{n_columns}", f"/NumPoints\t{n_rows}"])
    counts = [f"/NumWaves\t{n_columns}", f"/NumContrasts\t{len(contrasts)}"]
    _write(folder / "design.con", np.array(list(contrasts.values())), [*names, *counts])
    counts = [f"/NumWaves\t{len(contrasts)}", "/NumContrasts\t1"]
    _write(folder / "design.fts", np.array([[1, 0, 1]]), counts, digits=0)
    groups = 2 - is_patient[:, np.newaxis]
    _write(folder / "design.grp", groups, ["/NumWaves\t1", f"/NumPoints\t{n_rows}"], digits=0)


def _write(path: Path, matrix: np.ndarray, header: list[str], digits: int = 6) -> None:
    rows = [
        "\t".join(f"{value:.6e}" if digits else f"{value:.0f}" for value in row) for row in matrix
    ]
    text = "\n".join([*header, "", "/Matrix", *rows]) + "\n"
    path.write_text(text, encoding="ascii", newline="\n")
