"""Small files of each kind that the package writes, and how to write them with other content."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    TDPForest,
)
from ari_estimator.closed_testing import Calibration, LearnedTemplate, calibrate
from ari_estimator.closed_testing._archive import save_arrays
from ari_estimator.graphs import AdjacencyGraph, edges_of, product

AFFINE = np.diag([3.0, 3, 3, 1])
SHAPE = (4, 5, 4)

# What each file has beside its arrays.
HEAD = ("ari_estimator", "format", "version", "sha256")


@dataclass
class Archive:
    """A file, what reads it, and what is in it."""

    path: Path
    load: object
    kind: str

    def arrays(self):
        """Return the arrays, without what says which they are."""
        with np.load(self.path) as stored:
            return {name: stored[name] for name in stored.files if name not in HEAD}

    def write(self, path, arrays):
        """Write other arrays as such a file, with the checksum that they have."""
        save_arrays(path, self.kind, arrays)
        return path


def make_archives(folder):
    """Return a small file of each kind, by name."""
    rng = np.random.default_rng(5)
    z = rng.standard_normal(SHAPE)
    z[1:3, 1:4, 1:3] += 4
    z[0, 0, 0] = np.nan
    z_img = Nifti1Image(z, AFFINE)
    mask = np.ones(SHAPE, dtype=np.uint8)
    mask[3, 0, 0] = 0
    mask_img = Nifti1Image(mask, AFFINE)
    halves = np.ones(SHAPE, dtype=np.int32)
    halves[2:] = 2
    maps_of_regions = np.stack([halves > 0, halves == 2], axis=-1).astype(np.uint8)
    overlapping = Nifti1Image(maps_of_regions, AFFINE)
    data = rng.standard_normal((9, 40))
    data[:, :8] += 2
    calibration = PermutationCalibration(n_permutations=30, random_state=0).fit(data, alpha=0.1)
    t_img = Nifti1Image(calibration.statistic_.reshape(2, 5, 4), AFFINE)
    template = LearnedTemplate.from_p_values(rng.random((9, 40)) ** 2, k_max=7)
    learned = PermutationCalibration(template, n_permutations=20, random_state=0).fit(
        data, alpha=0.1
    )
    maps = {
        "clusters": (ClusterTDPTransformer([1, 2.5], mask_img=mask_img), z_img, {}),
        "given clusters": (
            ClusterTDPTransformer(labels_img=Nifti1Image(halves, AFFINE), mask_img=mask_img),
            z_img,
            {},
        ),
        "adaptive clusters": (AdaptiveTDPTransformer(0.5, mask_img=mask_img), z_img, {}),
        "overlapping regions": (RegionTDPTransformer(overlapping, mask_img=mask_img), z_img, {}),
        "a calibrated map": (
            ClusterTDPTransformer(
                1,
                alpha=0.1,
                stat_type="t",
                df=calibration.df_,
                mask_img=Nifti1Image(np.ones((2, 5, 4), dtype=np.uint8), AFFINE),
            ),
            t_img,
            {"calibration": calibration},
        ),
        "a surface": (ClusterTDPTransformer(1.5), _surface(rng), {}),
        "grayordinates": (ClusterTDPTransformer(1.5, mesh={"left": _mesh()}), _cifti(rng), {}),
        "sensors and times": (_of_sensors(), z.reshape(1, 8, 10), {}),
        "a network": (
            AdaptiveTDPTransformer(0.5, adjacency=edges_of(9)),
            z.reshape(-1)[:36][np.newaxis],
            {},
        ),
    }
    archives = {}
    tested = {name: ari.fit(img, **options) for name, (ari, img, options) in maps.items()}
    tested["a group"] = _group(rng, mask_img)
    for name, fitted in tested.items():
        files = ari_estimator.save(fitted, folder / name)
        archives[name] = Archive(files["archive"], ari_estimator.load, "tested map")
    for name, fitted in {"a calibration": calibration, "a learned calibration": learned}.items():
        files = ari_estimator.save(fitted, folder / name)
        archives[name] = Archive(files["archive"], ari_estimator.load, "permutation calibration")
    p_values = rng.random((20, 30))
    p_values[0, :5] = 1e-6
    stored = {
        "a stepped calibration": (calibrate(p_values, 0.2, step_down=True), "calibration"),
        "a learned template": (template, "learned template"),
        "a forest": (
            AdaptiveTDPTransformer(0.5, mask_img=mask_img).fit(z_img).forest_,
            "forest of clusters",
        ),
    }
    for name, (made, kind) in stored.items():
        made.save(folder / f"{name}.npz")
        archives[name] = Archive(folder / f"{name}.npz", type(made).load, kind)
    return archives


NAMES = (
    "clusters", "given clusters", "adaptive clusters", "overlapping regions", "a calibrated map",
    "a surface", "grayordinates", "sensors and times", "a network", "a group", "a calibration",
    "a learned calibration", "a stepped calibration", "a learned template", "a forest",
)  # fmt: skip
MAPS = NAMES[:10]


def _group(rng, mask_img):
    """Return a model whose contrast was tested."""
    calibration = PermutationCalibration(n_permutations=30, random_state=0)
    model = ARISecondLevelModel(
        mask_img, transformer=ClusterTDPTransformer(1, alpha=0.1), calibration=calibration
    )
    maps = [Nifti1Image(rng.standard_normal(SHAPE) + 1, AFFINE) for _ in range(9)]
    design = pd.DataFrame({"intercept": np.ones(9), "age": np.arange(9) - 4.0})
    model.fit(maps, design_matrix=design).compute_contrast("intercept", output_type="tdp")
    return model


def _of_sensors():
    """Return a transformer of eight sensors in a row and ten times, with their names."""
    row = np.eye(8, k=1) + np.eye(8, k=-1)
    places = {"channel": [f"E{k}" for k in range(8)], "time": np.arange(10) / 100}
    graph = product(AdjacencyGraph(row), 10)
    return ClusterTDPTransformer(1.5, adjacency=graph, coordinates=places)


def _mesh():
    """Return an octahedron, whose edges are halved: 18 vertices."""
    points = [[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]
    faces = [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4], [1, 0, 5], [2, 1, 5], [3, 2, 5], [0, 3, 5]]
    halves = {}
    finer = []
    for face in faces:
        middle = []
        for a, b in zip(face, np.roll(face, -1), strict=True):
            edge = (min(a, b), max(a, b))
            if edge not in halves:
                halves[edge] = len(points)
                points.append(np.add(points[a], points[b]) / 2)
            middle.append(halves[edge])
        finer += [[face[k], middle[k], middle[k - 1]] for k in range(3)] + [middle]
    # A hemisphere lies on its side of the midline.
    return InMemoryMesh(10.0 * np.array(points) - [20, 0, 0], np.array(finer))


def _surface(rng):
    values = rng.standard_normal(18)
    values[:6] += 3
    return SurfaceImage(PolyMesh(left=_mesh()), {"left": values})


def _cifti(rng):
    voxels = np.array(list(np.ndindex(2, 2, 3)))
    axis = BrainModelAxis.from_surface(np.arange(18), 18, name="CortexLeft") + BrainModelAxis(
        np.full(12, "CIFTI_STRUCTURE_THALAMUS_LEFT"),
        voxel=voxels,
        affine=AFFINE,
        volume_shape=(3, 3, 4),
    )
    values = rng.standard_normal(30)
    values[8:20] += 3
    return Cifti2Image(values[np.newaxis], (ScalarAxis(["z"]), axis))


def summary(made):
    """Return all that was loaded, to be compared."""
    if isinstance(made, PermutationCalibration):
        made = {
            "calibration": summary(made.calibration_),
            **{k: v for k, v in made.get_params().items() if k not in ("template", "memory")},
            **{k: v for k, v in vars(made).items() if k.endswith("_") and k != "calibration_"},
        }
        made["critical_vector_"] = made["critical_vector_"].thresholds
    elif isinstance(made, Calibration):
        made = {**vars(made), "template": summary(made.template)}
        made.pop("critical_vector", None)
    elif isinstance(made, LearnedTemplate):
        made = vars(made)
    elif isinstance(made, TDPForest):
        made = {k: v for k, v in vars(made).items() if isinstance(v, np.ndarray)}
    elif hasattr(made, "table_"):
        described = made.maps_.describe()
        made = {
            "described": json.dumps(described, sort_keys=True),
            "table": made.table_.to_csv(),
            "frame": [
                (name, np.asarray(array).tolist())
                for name, array in made.maps_.frame.to_arrays().items()
            ],
            "p_values": made.maps_.test.p_values,
            "tdp": made.maps_.tdp,
        }
    return {
        name: (value.dtype.str, value.shape, value.tobytes())
        if isinstance(value, np.ndarray)
        else repr(value)
        for name, value in (made if isinstance(made, dict) else vars(made)).items()
    }


def rezipped(path, new_path, change):
    """Write the members of a file again, each as a function of its name and bytes says."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new_path, "w") as new:
        for info in old.infolist():
            change(new, info.filename, old.read(info))
    return new_path
