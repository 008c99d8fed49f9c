"""
Clusters that FSL has found
===========================

A FEAT folder has all that ARI needs: the z map, the mask, and the clusters. They keep
the numbers that FSL has given them.
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

# %%
# How much of each of them is active?
# -----------------------------------
# ``zstat1`` is the map *before* thresholding, and ``mask`` all voxels that were tested;
# ``thresh_zstat1`` would not do.

from ari_estimator import ClusterTDPTransformer

ari = ClusterTDPTransformer(
    labels_img=feat / "cluster_mask_zstat1.nii.gz", mask_img=feat / "mask.nii.gz"
)
tdp_img = ari.fit_transform(feat / "stats" / "zstat1.nii.gz")
ari.table_[["cluster_id", "n_voxels", "true_discoveries", "tdp", "peak_stat"]].round(2)

# %%

import matplotlib.pyplot as plt
from ari_estimator.plotting import plot_tdp

plot_tdp(z_img, tdp_img, threshold=3.1, title="TDP of FSL's clusters")
plt.show()

# %%
# And clusters of one's own
# -------------------------
# With the same map and mask at hand, one need not keep to FSL's clusters: here the
# largest ones that are at least 90 % active.

from ari_estimator import AdaptiveTDPTransformer

adaptive = AdaptiveTDPTransformer(
    0.9, mask_img=feat / "mask.nii.gz", connectivity=26, cluster_threshold=20
)
adaptive.fit_transform(feat / "stats" / "zstat1.nii.gz")
adaptive.table_[["threshold", "n_voxels", "true_discoveries", "tdp"]].round(2)
