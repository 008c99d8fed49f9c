"""
Clusters that FSL has found
===========================

A FEAT folder has all that ARI needs: the z map, the mask, the clusters with their
numbers, and the tables to add the TDP to.
"""

# %%
# A FEAT folder
# -------------
# Its files are made here, from the real map that comes with nilearn: what FEAT would
# have found in it, clusters of z > 3.1 of at least 20 voxels, numbered by size.

from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.image import load_img, new_img_like
from scipy.ndimage import generate_binary_structure, label

z_img = load_img(load_sample_motor_activation_image())
z = z_img.get_fdata()
labels, _ = label(z > 3.1, structure=generate_binary_structure(3, 3))
sizes = np.bincount(labels.ravel())
large = [number for number in np.argsort(sizes) if number > 0 and sizes[number] >= 20]
cluster_index = np.zeros(z.shape, dtype=np.int16)
for index, number in enumerate(large, start=1):
    cluster_index[labels == number] = index

feat = Path(mkdtemp()) / "study.feat"
(feat / "stats").mkdir(parents=True)
z_img.to_filename(feat / "stats" / "zstat1.nii.gz")
new_img_like(z_img, (z != 0).astype(np.uint8)).to_filename(feat / "mask.nii.gz")
new_img_like(z_img, cluster_index).to_filename(feat / "cluster_mask_zstat1.nii.gz")
rows = ["Cluster Index\tVoxels\tP\t-log10(P)\tZ-MAX"]
for index in range(len(large), 0, -1):
    inside = cluster_index == index
    rows.append(f"{index}\t{inside.sum()}\t0.001\t3\t{z[inside].max():.2f}")
(feat / "cluster_zstat1.txt").write_text("\n".join(rows) + "\n")

# %%
# How much of each of them is active?
# -----------------------------------
# :func:`~ari_estimator.interfaces.read_feat` finds the map as it was before
# thresholding, the mask of all voxels that were tested, and the clusters.

from ari_estimator import ClusterTDPTransformer
from ari_estimator.interfaces import find_feat_tables, read_feat, write_fsl_tdp

stat_map = read_feat(feat)
ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
tdp_img = ari.fit_transform(stat_map.stat_img)
ari.table_[["cluster_id", "n_voxels", "true_discoveries", "tdp", "peak_stat"]].round(2)

# %%

import matplotlib.pyplot as plt
from ari_estimator.plotting import plot_tdp

plot_tdp(z_img, tdp_img, threshold=3.1, title="TDP of FSL's clusters")
plt.show()

# %%
# The tables of FSL, with two columns more
# ----------------------------------------
# What FEAT has written stays as it is. Beside a TDP image and more, there is a
# copy of each table.

tables = find_feat_tables(feat)
_, files = write_fsl_tdp(stat_map, feat.parent / "tdp", tables=tables)
for what, path in files.items():
    print(f"{what}: {path.name}")
print()
print(files["copy of cluster_zstat1.txt"].read_text())

# %%
# From a shell, ``ari fsl study.feat --out tdp`` does the same.

# %%
# And clusters of one's own
# -------------------------
# With the same map and mask at hand, one need not keep to FSL's clusters: here the
# largest ones that are at least 90 % active.

from ari_estimator import AdaptiveTDPTransformer

adaptive = AdaptiveTDPTransformer(0.9, cluster_threshold=20, **stat_map.parameters())
adaptive.fit_transform(stat_map.stat_img)
adaptive.table_[["threshold", "n_voxels", "true_discoveries", "tdp"]].round(2)
