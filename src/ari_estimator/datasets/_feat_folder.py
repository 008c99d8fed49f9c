"""The sample study as FEAT, the analysis of FSL, writes its results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel import Nifti1Image
from scipy import ndimage, special, stats
from sklearn.utils import Bunch

_CLUSTER_FORMING_Z = 3.1
_ALPHA = 0.05
_FWHM = 8.0
_DF = 23


def write_feat_folder(folder: Path, study: Bunch) -> None:
    """Write maps, degrees of freedom, mask, clusters and cluster tables.

    Parameters
    ----------
    folder : Path
        A new folder.

    study : Bunch
        The sample study.
    """
    (folder / "stats").mkdir(parents=True)
    affine = study.z_img.affine
    z_values = study.z_img.get_fdata(dtype=np.float32)
    mean = np.mean([img.get_fdata(dtype=np.float32) for img in study.maps], axis=0)
    clusters, p_values = _clusters(z_values, study.mask_img)

    def write(values: np.ndarray, name: str) -> None:
        Nifti1Image(values, affine).to_filename(folder / f"{name}.nii.gz")

    write(mean.astype(np.float32), "stats/cope1")
    write(study.t_img.get_fdata(dtype=np.float32), "stats/tstat1")
    write(z_values, "stats/zstat1")
    (folder / "stats" / "dof").write_text(f"{_DF}\n", encoding="ascii")
    write(np.asarray(study.mask_img.dataobj, dtype=np.float32), "mask")
    write(np.where(clusters > 0, z_values, 0), "thresh_zstat1")
    write(clusters, "cluster_mask_zstat1")
    for space, unit in (("", "vox"), ("_std", "mm")):
        table = _table(z_values, clusters, p_values, unit, affine)
        (folder / f"cluster_zstat1{space}.txt").write_text(table, encoding="ascii", newline="\n")


def _clusters(z_values: np.ndarray, mask_img: Nifti1Image) -> tuple[np.ndarray, np.ndarray]:
    """Return the significant clusters, the largest with the highest label, and their p-values."""
    labels, n_found = ndimage.label(z_values > _CLUSTER_FORMING_Z, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    voxel_size = abs(np.linalg.det(mask_img.affine[:3, :3]))
    resels_per_voxel = voxel_size / _FWHM**3
    n_voxels = np.count_nonzero(np.asarray(mask_img.dataobj))
    p_values = _extent_p_values(sizes * resels_per_voxel, n_voxels * resels_per_voxel)
    order = np.argsort(sizes, kind="stable")
    kept = order[p_values[order] < _ALPHA]
    numbers = np.zeros(n_found + 1, dtype=np.int32)
    numbers[kept + 1] = np.arange(1, len(kept) + 1)
    return numbers[labels], p_values[kept]


def _extent_p_values(resels: np.ndarray, n_resels: float) -> np.ndarray:
    """Return corrected p-values of cluster extents (Friston et al. 1994, Hum Brain Mapp 1:210)."""
    u = _CLUSTER_FORMING_Z
    density = (4 * np.log(2)) ** 1.5 / (2 * np.pi) ** 2 * (u**2 - 1) * np.exp(-(u**2) / 2)
    n_clusters = n_resels * density
    mean_size = n_resels * stats.norm.sf(u) / n_clusters
    rate = (special.gamma(2.5) / mean_size) ** (2 / 3)
    return -np.expm1(-n_clusters * np.exp(-rate * resels ** (2 / 3)))


def _table(
    z_values: np.ndarray, clusters: np.ndarray, p_values: np.ndarray, unit: str, affine: np.ndarray
) -> str:
    """Return the table of clusters, the largest first."""
    names = ["Cluster Index", "Voxels", "P", "-log10(P)", "Z-MAX"]
    names += [f"Z-{what} {axis} ({unit})" for what in ("MAX", "COG") for axis in "XYZ"]
    rows = [names]
    for index in range(len(p_values), 0, -1):
        members = clusters == index
        heights = np.where(members, z_values, 0)
        places = np.array(
            [np.unravel_index(heights.argmax(), heights.shape), ndimage.center_of_mass(heights)]
        )
        if unit == "mm":
            places = places @ affine[:3, :3].T + affine[:3, 3]
        p_value = p_values[index - 1]
        numbers = [p_value, -np.log10(max(p_value, 1e-300)), heights.max(), *places.ravel()]
        rows.append([str(index), str(members.sum()), *(f"{number:.3g}" for number in numbers)])
    return "".join("\t".join(row) + "\n" for row in rows)
