"""Files as FreeSurfer writes them, of a small sphere."""

from __future__ import annotations

import struct

import numpy as np
from nibabel import MGHImage, Nifti1Image
from nibabel.freesurfer.io import write_annot, write_geometry, write_morph_data
from scipy.spatial import ConvexHull


def sphere(n_vertices=162, seed=0):
    """Return vertices on a sphere, and its triangles."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n_vertices, 3))
    points = (50 * points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    return points, ConvexHull(points).simplices.astype(np.int32)


def write_surface(path, points, faces, cras=None):
    volume = None
    if cras is not None:
        volume = {
            "head": np.array([2, 0, 20], dtype=np.int32), "valid": "1  # volume info valid",
            "filename": "orig.mgz", "volume": np.array([256, 256, 256]),
            "voxelsize": np.ones(3), "xras": np.array([-1.0, 0, 0]),
            "yras": np.array([0, 0, -1.0]), "zras": np.array([0, 1.0, 0]),
            "cras": np.asarray(cras, dtype=float),
        }  # fmt: skip
    write_geometry(path, points, faces, create_stamp="a test", volume_info=volume)


def write_values(path, values):
    """Write values of vertices in one row, in the format of the name."""
    values = np.asarray(values, dtype=np.float32)
    data = values.reshape(len(values), 1, 1, *values.shape[1:])
    name = str(path)
    if name.endswith((".mgh", ".mgz")):
        MGHImage(data, np.eye(4)).to_filename(path)
    elif name.endswith((".nii", ".nii.gz")):
        Nifti1Image(data, np.eye(4)).to_filename(path)
    else:
        write_morph_data(path, values)


def write_label(path, vertices):
    rows = [f"{vertex}  1.000  2.000  3.000 0.0000000000" for vertex in vertices]
    lines = ["#!ascii label  , from subject fsaverage vox2ras=TkReg", str(len(rows)), *rows]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_annotation(path, entries, names, colours=None):
    """Write an annotation; entry -1 is no label."""
    if colours is None:
        colours = [(10 * k + 5, 20 * k + 1, 200 - k) for k in range(len(names))]
    table = np.array([(*colour, 0) for colour in colours])
    named = [name.encode() for name in names]
    write_annot(path, np.asarray(entries), table, named, fill_ctab=True)


def annotation_bytes(labels, entries, *, max_entry=None, n_vertices=None, n_entries=None):
    """Return an annotation, with a table of (entry, name, red, green, blue) that may have gaps."""
    parts = [struct.pack(">i", len(labels) if n_vertices is None else n_vertices)]
    parts += [struct.pack(">ii", vertex, label) for vertex, label in enumerate(labels)]
    last = max(entry for entry, *_ in entries) + 1 if max_entry is None else max_entry
    parts += [struct.pack(">iii", 1, -2, last), struct.pack(">i", 5), b"ctab\0"]
    parts.append(struct.pack(">i", len(entries) if n_entries is None else n_entries))
    for entry, name, *colour in entries:
        written = name.encode() + b"\0"
        parts += [struct.pack(">ii", entry, len(written)), written]
        parts.append(struct.pack(">4i", *colour, 0))
    return b"".join(parts)
