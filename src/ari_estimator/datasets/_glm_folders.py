"""The sample study as FreeSurfer's mri_glmfit and mri_glmfit-sim write their results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from nibabel import MGHImage
from nibabel.freesurfer.io import write_annot, write_geometry
from nilearn.datasets import load_fsaverage
from scipy import sparse, special, stats
from scipy.sparse.csgraph import connected_components
from sklearn.utils import Bunch

_SUBJECT = "fsaverage5"
_PREFIXES = {"left": "lh", "right": "rh"}

# What FreeSurfer calls the surfaces of nilearn.
_SURFACES = {"white": "white_matter", "inflated": "inflated"}

_CONTRAST = "osgm"
_DF = 23
_FWHM = 8.0
_ALPHA = 0.05

# mri_glmfit-sim --cache 3 abs
_THRESHOLD = 3.0
_CLUSTERS = "cache.th30.abs.sig"
_N_SIMULATIONS = 10_000

_COLOURS = ((25, 100, 40), (220, 20, 20), (125, 100, 160), (60, 20, 220), (180, 180, 60))

_STAMP = "created by ari_estimator"


def write_glm_folders(folder: Path, study: Bunch) -> None:
    """Write the subject, and a folder of mri_glmfit for each hemisphere.

    Parameters
    ----------
    folder : Path
        A new folder.

    study : Bunch
        The sample study.
    """
    for kind in ("surf", "label"):
        (folder / _SUBJECT / kind).mkdir(parents=True)
    meshes = load_fsaverage(_SUBJECT)
    to_voxels = np.linalg.inv(study.atlas_img.affine)
    for side, prefix in _PREFIXES.items():
        for name, called in _SURFACES.items():
            mesh = meshes[called].parts[side]
            path = folder / _SUBJECT / "surf" / f"{prefix}.{name}"
            write_geometry(path, mesh.coordinates, mesh.faces, create_stamp=_STAMP)
        white = meshes["white_matter"].parts[side]
        points = np.asarray(white.coordinates)
        regions = _regions(study, points @ to_voxels[:3, :3].T + to_voxels[:3, 3])
        named = _write_regions(regions, study, folder / _SUBJECT / "label", prefix)
        maps = np.stack([img.data.parts[side].ravel() for img in study.surface_maps])
        is_cortex = study.surface_mask_img.data.parts[side].ravel() == 1
        glm_dir = folder / f"{prefix}.glmdir"
        sig = _write_contrast(glm_dir, prefix, maps, is_cortex)
        areas = _areas(points, np.asarray(white.faces))
        _write_clusters(glm_dir, prefix, sig, is_cortex, white, areas, named[regions])


def _write_map(values: np.ndarray, path: Path) -> None:
    data = values.astype(np.float32)[:, np.newaxis, np.newaxis]
    MGHImage(data, np.eye(4)).to_filename(path)


def _write_contrast(
    glm_dir: Path, prefix: str, maps: np.ndarray, is_cortex: np.ndarray
) -> np.ndarray:
    """Write the one-sample group mean, and return the signed -log10 of its p-values."""
    (glm_dir / _CONTRAST).mkdir(parents=True)
    mean = maps.mean(axis=0, dtype=np.float64)
    deviation = maps.std(axis=0, ddof=1, dtype=np.float64)
    t_values = np.zeros(mean.size)
    t_values[is_cortex] = (mean / np.maximum(deviation, 1e-30))[is_cortex] * np.sqrt(len(maps))
    sig = -(np.log(2) + stats.t.logsf(np.abs(t_values), _DF)) / np.log(10)
    sig = np.copysign(np.where(is_cortex, sig, 0), t_values).astype(np.float32)
    (glm_dir / "surface").write_text(f"{_SUBJECT} {prefix}\n", encoding="ascii")
    (glm_dir / "dof.dat").write_text(f"{_DF}\n", encoding="ascii")
    (glm_dir / "fwhm.dat").write_text(f"{_FWHM:f}\n", encoding="ascii")
    (glm_dir / "Xg.dat").write_text(" 1.00000   \n" * len(maps), encoding="ascii")
    (glm_dir / _CONTRAST / "C.dat").write_text(" 1.000   \n", encoding="ascii")
    _write_map(is_cortex, glm_dir / "mask.mgh")
    _write_map(np.where(is_cortex, mean, 0), glm_dir / _CONTRAST / "gamma.mgh")
    _write_map(t_values**2, glm_dir / _CONTRAST / "F.mgh")
    _write_map(sig, glm_dir / _CONTRAST / "sig.mgh")
    return sig


def _regions(study: Bunch, voxels: np.ndarray) -> np.ndarray:
    """Return the label of the atlas at places in its grid, 0 in no region."""
    atlas = np.asarray(study.atlas_img.dataobj)
    # Boxes around the cerebellum reach the cortex.
    is_cortical = ~study.atlas_lut["name"].str.contains("cerebellum")
    atlas = np.where(np.isin(atlas, study.atlas_lut["index"][is_cortical]), atlas, 0)
    places = np.round(voxels).astype(int)
    is_inside = ((places >= 0) & (places < atlas.shape)).all(axis=1)
    labels = np.zeros(len(places), dtype=int)
    labels[is_inside] = atlas[tuple(places[is_inside].T)]
    return labels


def _write_regions(regions: np.ndarray, study: Bunch, folder: Path, prefix: str) -> np.ndarray:
    """Write an annotation and a label, and return the name of each label of the atlas."""
    names = np.array(["unknown"] * (study.atlas_lut["index"].max() + 1), dtype=object)
    for label, name in zip(study.atlas_lut["index"], study.atlas_lut["name"], strict=True):
        names[label] = name.removeprefix("left ").removeprefix("right ").replace(" ", "_")
    found = [label for label in np.unique(regions) if label]
    entries = np.searchsorted(found, regions) + 1
    entries[regions == 0] = 0
    colours = np.array([(*colour, 0) for colour in ((25, 5, 25), *_COLOURS[: len(found)])])
    table = ["unknown", *(names[label] for label in found)]
    path = folder / f"{prefix}.sample.annot"
    write_annot(path, entries, colours, [name.encode() for name in table], fill_ctab=True)
    vertices = np.flatnonzero(regions == found[0])
    rows = [f"{vertex} 0.000 0.000 0.000 0.0000000000" for vertex in vertices]
    header = f"#!ascii label  , from subject {_SUBJECT} vox2ras=TkReg"
    label_path = folder / f"{prefix}.{names[found[0]]}.label"
    text = "\n".join([header, str(len(rows)), *rows]) + "\n"
    label_path.write_text(text, encoding="ascii", newline="\n")
    return names


def _areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the area of each vertex: a third of each of its triangles."""
    a, b, c = (points[corner] for corner in faces.T)
    thirds = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    areas = [np.bincount(corner, weights=thirds, minlength=len(points)) for corner in faces.T]
    return np.sum(areas, axis=0)


def _write_clusters(
    glm_dir: Path,
    prefix: str,
    sig: np.ndarray,
    is_cortex: np.ndarray,
    white: Any,
    areas: np.ndarray,
    names: np.ndarray,
) -> None:
    """Write the map and the table of the significant clusters."""
    points, faces = np.asarray(white.coordinates), np.asarray(white.faces)
    clusters = []
    for sign in (1, -1):
        is_above = is_cortex & (sign * sig >= _THRESHOLD)
        pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        pairs = pairs[is_above[pairs].all(axis=1)]
        ones = np.ones(len(pairs))
        graph = sparse.coo_matrix((ones, pairs.T), shape=(sig.size, sig.size))
        _, labels = connected_components(graph, directed=False)
        clusters += [
            np.flatnonzero(is_above & (labels == label)) for label in np.unique(labels[is_above])
        ]
    sizes = np.array([areas[members].sum() for members in clusters])
    p_values = _extent_p_values(sizes / _FWHM**2, areas[is_cortex].sum() / _FWHM**2)
    order = [k for k in np.lexsort((-sizes, p_values)) if p_values[k] < _ALPHA]
    ocn = np.zeros(sig.size)
    rows = []
    for number, k in enumerate(order, start=1):
        members, p_value = clusters[k], p_values[k]
        ocn[members] = number
        peak = members[np.argmax(np.abs(sig[members]))]
        margin = stats.norm.isf(0.05) * np.sqrt(p_value * (1 - p_value) / _N_SIMULATIONS)
        x, y, z = points[peak]
        rows.append(
            f"{number:4d}     {sig[peak]:9.4f}  {peak:6d}  {sizes[k]:8.2f}   "
            f"{x:6.1f} {y:6.1f} {z:6.1f}"
            f"  {p_value:7.5f}  {max(p_value - margin, 0):7.5f}  {p_value + margin:7.5f}"
            f"  {members.size:5d}  {np.abs(sig[members]).sum():10.2f}  {names[peak]}\n"
        )
    folder = glm_dir / _CONTRAST
    _write_map(ocn, folder / f"{_CLUSTERS}.ocn.mgh")
    header = "".join(f"{line}\n" for line in _HEADER).format(
        prefix=prefix,
        subject=_SUBJECT,
        area=areas[is_cortex].sum(),
        n_vertices=np.count_nonzero(is_cortex),
        threshold=_THRESHOLD,
        n_simulations=_N_SIMULATIONS,
        high=sig.max(),
        at_high=sig.argmax(),
        low=sig.min(),
        at_low=sig.argmin(),
        n_clusters=len(rows),
    )
    text = header + "".join(rows)
    (folder / f"{_CLUSTERS}.cluster.summary").write_text(text, encoding="ascii", newline="\n")


def _extent_p_values(resels: np.ndarray, n_resels: float) -> np.ndarray:
    """Return corrected p-values of the areas of clusters of both signs, by random fields.

    Friston et al. 1994, Hum Brain Mapp 1:210, in two dimensions; mri_glmfit-sim looks them up in
    simulations.
    """
    u = stats.norm.isf(10**-_THRESHOLD / 2)
    density = 4 * np.log(2) / (2 * np.pi) ** 1.5 * u * np.exp(-(u**2) / 2)
    n_clusters = n_resels * density
    mean_size = n_resels * stats.norm.sf(u) / n_clusters
    rate = special.gamma(2) / mean_size
    return -np.expm1(-2 * n_clusters * np.exp(-rate * resels))


_HEADER = (
    "# Cluster Growing Summary (mri_surfcluster)",
    "# CreationTime 2024/01/01-00:00:00-GMT",
    "# cmdline mri_surfcluster --in {prefix}.glmdir/osgm/sig.mgh --mask {prefix}.glmdir/mask.mgh",
    "# FixVertexAreaFlag 1",
    "# FixSurfClusterArea 1",
    "#",
    "# Input      {prefix}.glmdir/osgm/sig.mgh",
    "# Frame Number      0",
    "# srcsubj {subject}",
    "# hemi {prefix}",
    "# surface white",
    "# group_avg_surface_area 0",
    "# group_avg_vtxarea_loaded 0",
    "# annot sample",
    "# SearchSpace_mm2 {area:g}",
    "# SearchSpace_vtx {n_vertices}",
    "# Bonferroni 0",
    "# Minimum Threshold {threshold:g}",
    "# Maximum Threshold infinity",
    "# Threshold Sign    abs",
    "# AdjustThreshWhenOneTail 1",
    "# CW PValue Threshold: 0.05",
    "# Area Threshold    0 mm^2",
    "# CSD thresh  {threshold:f}",
    "# CSD nreps    {n_simulations}",
    "# CSD simtype  null-z",
    "# CSD confint  90.000000",
    "# Overall max {high:g} at vertex {at_high}",
    "# Overall min {low:g} at vertex {at_low}",
    "# NClusters          {n_clusters}",
    "# FixMNI = 0",
    "#",
    "# ClusterNo  Max   VtxMax   Size(mm^2)  MNIX   MNIY   MNIZ    CWP    C"
    "WPLow    CWPHi   NVtxs    WghtVtx   Annot",
)
