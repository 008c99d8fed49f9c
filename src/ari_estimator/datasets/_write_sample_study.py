"""Write the sample study to files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel import Cifti2Image, GiftiImage
from nibabel.cifti2.cifti2_axes import ScalarAxis
from nibabel.gifti.gifti import GiftiDataArray, GiftiMetaData
from sklearn.utils import Bunch

from ari_estimator.datasets._afni_dataset import write_afni_dataset
from ari_estimator.datasets._feat_folder import write_feat_folder
from ari_estimator.datasets._glm_folders import write_glm_folders
from ari_estimator.datasets._hcp_folder import write_hcp_folder
from ari_estimator.datasets._randomise_folder import write_randomise_folder
from ari_estimator.datasets._sample_grayordinates import SampleGrayordinates
from ari_estimator.datasets._sample_study import load_sample_study
from ari_estimator.datasets._spm_folder import write_spm_folder
from ari_estimator.files._output_path import folder_to_write
from ari_estimator.files._whole_files import whole_files


def write_sample_study(
    folder: str | os.PathLike[str], *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> list[Path]:
    """Write the sample study to files: 24 subjects, statistics, an atlas and surfaces.

    Parameters
    ----------
    folder : path
        Folder to write to. The function makes it if it does not exist.

    overwrite : bool, default=False
        Whether the folder may already have files. If True, files of the same names are replaced,
        and all others stay.

    inputs : iterable of Path, default=()
        Files that must not be replaced.

    Returns
    -------
    files : list of Path
        All files written, sorted by name.

    Raises
    ------
    FileExistsError
        If the folder is not empty and ``overwrite`` is False.
    OSError
        If the folder cannot be written to. Then no file is written.

    See Also
    --------
    load_sample_study : The same study in memory.

    Notes
    -----
    The folder gets these files:

    - ``sub-01/sub-01_effect.nii.gz`` ... ``sub-24/sub-24_effect.nii.gz``: the map of each subject;
    - ``participants.tsv`` (``participant_id``, ``group``, ``age``), and ``design.tsv``, the same
      with a column ``path``;
    - ``mask.nii.gz``, ``zstat.nii.gz`` and ``tstat.nii.gz`` (23 degrees of freedom);
    - ``atlas.nii.gz`` with the names of its regions in ``atlas.tsv``;
    - ``truth.nii.gz``, ``truth_group.nii.gz`` and ``truth_age.nii.gz``: the true effects;
    - ``lh.surf.gii``, ``rh.surf.gii``: the mesh; ``lh.func.gii``, ``rh.func.gii``: z values on it;
      ``lh.mask.gii``, ``rh.mask.gii``: the cortex;
    - ``z.dscalar.nii``: z values of the cortex and, as voxels, of the cerebellum, as CIFTI;
      ``maps.dscalar.nii``: the maps of all subjects in the same places;
    - ``cope1.feat/``, ``spm/`` and ``afni/``: the z and t maps in the layout of FSL, SPM and AFNI;
    - ``randomise/``: the maps of all subjects as a 4D image, with ``design.mat``, ``design.con``,
      ``design.fts`` and ``design.grp`` of groups and age, as FSL's randomise takes them;
    - ``freesurfer/``: the subject ``fsaverage5`` with surfaces and regions, and ``lh.glmdir`` and
      ``rh.glmdir`` as FreeSurfer's mri_glmfit and mri_glmfit-sim write them;
    - ``hcp/``: surfaces, a parcellation and a task analysis as the pipelines of the Human
      Connectome Project write them, on fsaverage5.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from ari_estimator.datasets import write_sample_study
    >>> with TemporaryDirectory() as name:
    ...     files = write_sample_study(Path(name) / "study")
    >>> files[-1].name
    'zstat.nii.gz'
    """
    folder = folder_to_write(folder, "folder", inputs=inputs)
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(
            f"The output folder {str(folder)!r} is not empty. Give a new or an empty folder."
        )
    study = load_sample_study()
    with whole_files(folder, overwrite=overwrite, inputs=inputs) as temporary:
        _write(study, temporary)
        names = sorted(
            path.relative_to(temporary) for path in temporary.rglob("*") if path.is_file()
        )
    return [folder / name for name in names]


def _write(study: Bunch, folder: Path) -> None:
    """Write all files to an empty folder."""
    participants = study.participants
    paths = []
    for subject, img in zip(participants["participant_id"], study.maps, strict=True):
        (folder / subject).mkdir()
        paths.append(f"{subject}/{subject}_effect.nii.gz")
        img.to_filename(folder / paths[-1])
    _write_table(participants, folder / "participants.tsv")
    _write_table(participants.assign(path=paths), folder / "design.tsv")
    study.mask_img.to_filename(folder / "mask.nii.gz")
    study.z_img.to_filename(folder / "zstat.nii.gz")
    study.t_img.to_filename(folder / "tstat.nii.gz")
    study.atlas_img.to_filename(folder / "atlas.nii.gz")
    _write_table(study.atlas_lut, folder / "atlas.tsv")
    study.effect_img.to_filename(folder / "truth.nii.gz")
    study.group_effect_img.to_filename(folder / "truth_group.nii.gz")
    study.age_effect_img.to_filename(folder / "truth_age.nii.gz")
    _write_surface(study, folder)
    _write_cifti(study, folder)
    write_feat_folder(folder / "cope1.feat", study)
    write_spm_folder(folder / "spm", study)
    write_afni_dataset(folder / "afni", study)
    write_randomise_folder(folder / "randomise", study)
    write_glm_folders(folder / "freesurfer", study)
    write_hcp_folder(folder / "hcp", study)


def _write_table(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, lineterminator="\n")


def _write_surface(study: Bunch, folder: Path) -> None:
    """Write mesh, z values and mask as GIFTI."""
    z_img, mask_img = study.surface_img, study.surface_mask_img
    for side, prefix in (("left", "lh"), ("right", "rh")):
        mesh, z_values = z_img.mesh.parts[side], z_img.data.parts[side].ravel()
        is_cortex = mask_img.data.parts[side].ravel() == 1
        points = GiftiDataArray(
            np.asarray(mesh.coordinates, dtype=np.float32), "NIFTI_INTENT_POINTSET"
        )
        faces = GiftiDataArray(np.asarray(mesh.faces, dtype=np.int32), "NIFTI_INTENT_TRIANGLE")
        _write_gifti([points, faces], side, folder / f"{prefix}.surf.gii")
        z_array = GiftiDataArray(z_values.astype(np.float32), "NIFTI_INTENT_ZSCORE")
        _write_gifti([z_array], side, folder / f"{prefix}.func.gii")
        mask_array = GiftiDataArray(is_cortex.astype(np.int32), "NIFTI_INTENT_LABEL")
        _write_gifti([mask_array], side, folder / f"{prefix}.mask.gii")


def _write_cifti(study: Bunch, folder: Path) -> None:
    """Write z values and the maps of all subjects in cortex and cerebellum as CIFTI."""
    grayordinates = SampleGrayordinates.of(study)
    row = grayordinates.row
    for name, rows, names in (
        ("z", [row(study.surface_img, study.z_img)], ["z"]),
        (
            "maps",
            list(map(row, study.surface_maps, study.maps)),
            study.participants["participant_id"].tolist(),
        ),
    ):
        data = np.stack(rows).astype(np.float32)
        img = Cifti2Image(data, (ScalarAxis(names), grayordinates.axis))
        img.to_filename(folder / f"{name}.dscalar.nii")


def _write_gifti(arrays: list[GiftiDataArray], side: str, path: Path) -> None:
    meta = GiftiMetaData({"AnatomicalStructurePrimary": f"Cortex{side.capitalize()}"})
    GiftiImage(darrays=arrays, meta=meta).to_filename(path)
