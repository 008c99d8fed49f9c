"""
Clusters that are at least 70 % active
======================================

The question may be turned around. In place of a threshold, one asks for a TDP: found
are the largest clusters with at least that, each at a height of its own.
"""

# %%
# A real z map that comes with nilearn, positive and negative.

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer
from nilearn.datasets import load_sample_motor_activation_image

z_img = load_sample_motor_activation_image()

# %%
# A fixed threshold, first
# ------------------------
# At \|z\| > 3.1 the clusters have this many true discoveries; the largest might be made
# larger or smaller.

columns = ["direction", "threshold", "n_voxels", "true_discoveries", "tdp"]
fixed = ClusterTDPTransformer(3.1, two_sided=True, cluster_threshold=50)
fixed.fit_transform(z_img)
fixed.table_[columns].round(2)

# %%
# 70 % of each cluster
# --------------------
# ``threshold`` is now a result: it says at which height each cluster is formed.

adaptive = AdaptiveTDPTransformer(0.7, two_sided=True, cluster_threshold=50)
tdp_img = adaptive.fit_transform(z_img)
adaptive.table_[columns].round(2)

# %%

import matplotlib.pyplot as plt
from ari_estimator.plotting import plot_clusters_by_tdp, plot_tdp

plot_tdp(z_img, tdp_img, threshold=3.1, title="At least 70 % active")
plt.show()

# %%
# All other TDPs
# --------------
# One fit answers for all of them: ``forest_`` holds the clusters of all thresholds with
# their bounds, and all bounds hold at once. So the TDP may be chosen by the picture
# below, with no price to pay.

plot_clusters_by_tdp(adaptive)
plt.show()

# %%

from ari_estimator import TDPForest

forest = adaptive.forest_
assert isinstance(forest, TDPForest)  # of several maps it is a list
for tdp in (0.5, 0.7, 0.9, 0.99):
    sizes = forest.sizes[forest.query(tdp)]
    large = sizes[sizes >= 50]
    print(f"TDP {tdp}: {len(large)} clusters of 50 voxels or more, up to {max(large)}")

# %%
# The cluster around a voxel
# --------------------------
# Of the strongest voxel in the right motor cortex: the largest cluster that it is in,
# for a TDP of 0.9, and what that grows to when 0.7 will do.

import numpy as np
from ari_estimator import element_at
from nilearn.image import coord_transform, load_img

place = (42, -22, 58)  # mm
index = coord_transform(*place, np.linalg.inv(load_img(z_img).affine))
voxel = element_at(adaptive, np.round(index).astype(int))
cluster = forest.cluster_of(voxel, tdp=0.9)
assert cluster is not None
grown = forest.grow(cluster, tdp=0.7)
for name, which in (("largest with 0.9", cluster), ("grown", grown)):
    print(f"{name}: {forest.sizes[which]} voxels, TDP {forest.tdps[which]:.3f}")

# %%
# The threshold-free map
# ----------------------
# Without any TDP in mind: each voxel shows the highest TDP of all clusters that it is
# in.

everywhere = AdaptiveTDPTransformer(tdp_threshold=None, two_sided=True)
tdp_free_img = everywhere.fit_transform(z_img)
plot_tdp(z_img, tdp_free_img, threshold=3.1, title="Threshold-free TDP map")
plt.show()
