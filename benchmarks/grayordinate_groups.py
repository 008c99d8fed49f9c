"""A group of CIFTI and GIFTI files, compared with a group of volumes of as many elements.

Both read the maps of 30 subjects from uncompressed files, fit the model, and compute the TDP of the
clusters of a contrast, with closed testing and with a calibration. The CIFTI files have the size of
the Human Connectome Project: 91,282 grayordinates, a third of them voxels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _measure import report, side_by_side
from _surface_maps import icosphere
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.surface import PolyMesh
from nilearn.surface.surface import data_to_gifti, mesh_to_gifti

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration
from ari_estimator.cli._subject_files import read_maps

N_SUBJECTS = 30
N_CORTEX, N_VOXELS = 29_706, 31_870
SHAPE = (91, 109, 91)
AFFINE = np.diag([2.0, 2, 2, 1])
DESIGN = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})


def some_voxels(n_voxels: int) -> np.ndarray:
    """Return the indices of voxels in the middle of a grid, of shape (n_voxels, 3)."""
    indices = np.argwhere(np.ones(SHAPE))
    distances = np.linalg.norm(indices - np.array(SHAPE) / 2, axis=1)
    return indices[np.sort(np.argsort(distances)[:n_voxels])]


def grayordinates(n_vertices: int) -> BrainModelAxis:
    """Return two cortices without a medial wall, and a subcortical structure."""
    vertices = np.sort(np.random.default_rng(1).permutation(n_vertices)[:N_CORTEX])
    axis = BrainModelAxis.from_surface(vertices, n_vertices, name="CortexLeft")
    axis += BrainModelAxis.from_surface(vertices, n_vertices, name="CortexRight")
    return axis + BrainModelAxis(
        "CIFTI_STRUCTURE_BRAIN_STEM",
        voxel=some_voxels(N_VOXELS),
        affine=AFFINE,
        volume_shape=SHAPE,
    )


def write_volumes(data: np.ndarray, folder: Path) -> tuple[list[str], Nifti1Image]:
    """Write rows as volumes, and return their files and their mask."""
    indices = tuple(some_voxels(data.shape[1]).T)
    files = []
    for number, row in enumerate(data):
        volume = np.zeros(SHAPE, dtype=np.float32)
        volume[indices] = row
        files.append(str(folder / f"{data.shape[1]}-{number:02}.nii"))
        Nifti1Image(volume, AFFINE).to_filename(files[-1])
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[indices] = 1
    return files, Nifti1Image(mask, AFFINE)


def job(
    read: Callable[[], list[Any]], mask_img: Any, mesh: Any, n_permutations: int
) -> Callable[[], object]:
    """Return a function from files to the TDP of clusters."""

    def run() -> object:
        calibration = None
        if n_permutations:
            calibration = PermutationCalibration(
                n_permutations=n_permutations, random_state=0, verbose=0
            )
        transformer = ClusterTDPTransformer(3.1, mesh=mesh, verbose=0)
        model = ARISecondLevelModel(mask_img, transformer=transformer, calibration=calibration)
        model.fit(read(), design_matrix=DESIGN)
        return model.compute_contrast(output_type="tdp")

    return run


def main() -> None:
    rng = np.random.default_rng(0)
    hemisphere = icosphere(6)
    mesh = PolyMesh(left=hemisphere, right=hemisphere)
    axis = grayordinates(hemisphere.n_vertices)
    n_vertices = 2 * hemisphere.n_vertices
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        meshes = [folder / "lh.surf.gii", folder / "rh.surf.gii"]
        for shift, path in zip((-110, 110), meshes, strict=True):
            points = hemisphere.coordinates + np.array([shift, 0, 0])
            mesh_to_gifti(points, hemisphere.faces, path)
        data = rng.standard_normal((N_SUBJECTS, max(len(axis), n_vertices))).astype(np.float32)
        data[:, :2000] += 1
        cifti, surfaces = [], []
        for number, row in enumerate(data):
            cifti.append(str(folder / f"{number:02}.dscalar.nii"))
            img = Cifti2Image(row[None, : len(axis)], (ScalarAxis([f"sub-{number}"]), axis))
            img.to_filename(cifti[-1])
            files = tuple(str(folder / f"{number:02}.{side}.func.gii") for side in ("lh", "rh"))
            surfaces.append(files)
            for values, path in zip(np.split(row[:n_vertices], 2), files, strict=True):
                data_to_gifti(values, path)
        for n, what, read, of_kind in (
            (len(axis), "CIFTI files", lambda: cifti, mesh),
            (n_vertices, "GIFTI files", lambda: read_maps(surfaces, meshes, None, "IMG"), None),
        ):
            volumes, mask_img = write_volumes(data[:, :n], folder)
            for n_permutations, test in ((0, "closed testing"), (1000, "1,000 sign flips")):
                functions = {
                    "files": job(read, None, of_kind, n_permutations),
                    "volumes": job(lambda files=volumes: files, mask_img, None, n_permutations),
                }
                times = side_by_side(functions, n_rounds=7)
                report(
                    f"{what}, {n:,} elements, {test} / volumes",
                    times["files"] / times["volumes"],
                    1.1,
                    row=(f"group of {N_SUBJECTS} {what}, {n:,} elements, {test}", "volumes"),
                )


if __name__ == "__main__":
    main()
