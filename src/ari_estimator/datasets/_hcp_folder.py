"""The sample study as the pipelines of the Human Connectome Project write their results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from nibabel import Cifti2Image, GiftiImage
from nibabel.cifti2.cifti2_axes import LabelAxis, ScalarAxis, SeriesAxis
from nibabel.gifti.gifti import GiftiDataArray, GiftiMetaData
from nilearn.datasets import load_fsaverage
from sklearn.utils import Bunch

from ari_estimator.datasets._sample_grayordinates import SampleGrayordinates

_SUBJECT = "sample"
_TASK = "tfMRI_BUTTONS"
_SMOOTHED = "hp200_s8"

# The one mesh that nilearn brings along; the project has 32k_fs_LR in its place.
_MESH = "fsaverage5"

# Contrasts, and the sign of each.
_CONTRASTS = {"LEFT-RIGHT": 1, "neg_LEFT-RIGHT": -1}

_LOBES = ("anterior", "middle", "posterior")
_COLOURS = ((220, 20, 20), (20, 180, 60), (60, 20, 220))
_CUTS = (-45.0, 5.0)  # mm


def write_hcp_folder(folder: Path, study: Bunch) -> None:
    """Write surfaces, a parcellation and the results of a task analysis.

    Parameters
    ----------
    folder : Path
        A new folder.

    study : Bunch
        The sample study.
    """
    grayordinates = SampleGrayordinates.of(study)
    structural = folder / "MNINonLinear" / _MESH
    structural.mkdir(parents=True)
    _write_surfaces(structural)
    _write_parcellation(structural, grayordinates)
    name = f"{_TASK}_{_SMOOTHED}_level2"
    analysis = folder / "MNINonLinear" / "Results" / _TASK / f"{name}.feat"
    analysis.mkdir(parents=True)
    z_values = grayordinates.row(study.surface_img, study.z_img)
    maps = list(map(grayordinates.row, study.surface_maps, study.maps))
    _write_analysis(analysis, grayordinates, z_values, np.mean(maps, axis=0))


def _write_surfaces(folder: Path) -> None:
    meshes = load_fsaverage(_MESH)
    for side, letter in (("left", "L"), ("right", "R")):
        white, pial = (meshes[name].parts[side] for name in ("white_matter", "pial"))
        middle = (np.asarray(white.coordinates) + np.asarray(pial.coordinates)) / 2
        inflated = np.asarray(meshes["inflated"].parts[side].coordinates)
        faces = np.asarray(white.faces, dtype=np.int32)
        meta = GiftiMetaData({"AnatomicalStructurePrimary": f"Cortex{side.capitalize()}"})
        for name, points in (("midthickness", middle), ("inflated", inflated)):
            arrays = [
                GiftiDataArray(points.astype(np.float32), "NIFTI_INTENT_POINTSET", meta=meta),
                GiftiDataArray(faces, "NIFTI_INTENT_TRIANGLE"),
            ]
            path = folder / f"{_SUBJECT}.{letter}.{name}.{_MESH}.surf.gii"
            GiftiImage(darrays=arrays, meta=GiftiMetaData()).to_filename(path)


def _write_parcellation(folder: Path, grayordinates: SampleGrayordinates) -> None:
    """Write three parcels of each hemisphere, which have names. There are none of voxels."""
    axis = grayordinates.axis
    axis = axis[np.flatnonzero(axis.surface_mask)]
    meshes = load_fsaverage(_MESH)["pial"].parts
    table: dict[int, tuple[str, Any]] = {0: ("???", (0.0, 0.0, 0.0, 0.0))}
    labels = []
    for number, (side, letter) in enumerate((("left", "L"), ("right", "R"))):
        y = np.asarray(meshes[side].coordinates)[grayordinates.cortex[side], 1]
        labels.append(1 + number * len(_LOBES) + len(_CUTS) - np.digitize(y, _CUTS))
        for k, (lobe, colour) in enumerate(zip(_LOBES, _COLOURS, strict=True)):
            rgba = (*(value / 255 for value in colour), 1.0)
            table[1 + number * len(_LOBES) + k] = (f"{letter}_{lobe}", rgba)
    data = np.concatenate(labels).astype(np.int32)[np.newaxis]
    path = folder / f"{_SUBJECT}.lobes.{_MESH}.dlabel.nii"
    Cifti2Image(data, (LabelAxis([f"{_SUBJECT}.lobes"], table), axis)).to_filename(path)


def _write_analysis(
    folder: Path, grayordinates: SampleGrayordinates, z_values: np.ndarray, effects: np.ndarray
) -> None:
    """Write the z values and the effects of each contrast, and all of them together."""
    axis = grayordinates.axis
    (folder / "Contrasts.txt").write_text("\n".join(_CONTRASTS) + "\n", encoding="ascii")
    names = [f"{_SUBJECT}_{_TASK}_level2_{contrast}_{_SMOOTHED}" for contrast in _CONTRASTS]
    for what, file, values in (("zstat", "zstat1", z_values), ("cope", "cope1", effects)):
        rows = np.stack([sign * values for sign in _CONTRASTS.values()]).astype(np.float32)
        for number, row in enumerate(rows, 1):
            of_cope = folder / "GrayordinatesStats" / f"cope{number}.feat"
            of_cope.mkdir(parents=True, exist_ok=True)
            series = Cifti2Image(row[np.newaxis], (SeriesAxis(1, 1, 1), axis))
            series.to_filename(of_cope / f"{file}.dtseries.nii")
        path = folder / f"{_SUBJECT}_{_TASK}_level2_{what}_{_SMOOTHED}.dscalar.nii"
        Cifti2Image(rows, (ScalarAxis(names), axis)).to_filename(path)
