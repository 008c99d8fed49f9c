"""
Clusters that are at least 70 % active
======================================

The question may be turned around. In place of a threshold, one asks for a TDP: found are the largest
clusters with at least that, each at a height of its own.
"""

# %%
# A real z map that comes with nilearn, positive and negative.

from nilearn.datasets import load_sample_motor_activation_image

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer

z_img = load_sample_motor_activation_image()

# %%
# A fixed threshold, first
# ------------------------
# At \|z\| > 3.1 the clusters have this many true discoveries; the largest might be made larger or smaller.

columns = ["cluster_id", "direction", "threshold", "n_voxels", "true_discoveries", "tdp"]
fixed = ClusterTDPTransformer(3.1, two_sided=True, cluster_threshold=50)
fixed.fit_transform(z_img)
fixed.table_[columns].round(2)

# %%
# 70 % of each cluster
# --------------------
# ``threshold`` is now a result: it says at which height each cluster is formed.

adaptive = AdaptiveTDPTransformer(tdp_threshold=0.7, two_sided=True, cluster_threshold=50)
tdp_img = adaptive.fit_transform(z_img)
adaptive.table_[columns].round(2)

# %%

from nilearn.plotting import show

from ari_estimator.plotting import plot_clusters_by_tdp, plot_tdp

figure = plot_tdp(z_img, tdp_img, threshold=3.1, title="At least 70 % active")
show()

# %%
# All other TDPs
# --------------
# One fit answers for all of them: ``forest_`` holds the clusters of all thresholds with their bounds, and
# all bounds hold at once. So the TDP may be chosen by the picture below, with no price to pay.

figure = plot_clusters_by_tdp(adaptive)
show()

# %%

for tdp in (0.5, 0.7, 0.9, 0.99):
    clusters = adaptive.forest_.query(tdp)
    sizes = adaptive.forest_.sizes[clusters]
    print(f"TDP {tdp}: {(sizes >= 50).sum()} clusters of 50 voxels or more, {sizes.max()} the largest")

# %%
# The cluster around a voxel
# --------------------------
# Of the strongest voxel in the right motor cortex: the largest cluster that it is in, for a TDP of 0.9, and
# what that grows to when 0.7 will do.

import numpy as np
from nilearn.image import coord_transform, load_img

from ari_estimator import element_at

place = (42, -22, 58)  # mm
index = coord_transform(*place, np.linalg.inv(load_img(z_img).affine))
voxel = element_at(adaptive, np.round(index).astype(int))
forest = adaptive.forest_
cluster = forest.cluster_of(voxel, tdp=0.9)
assert cluster is not None
grown = forest.grow(cluster, tdp=0.7)
for name, which in (("largest with 0.9", cluster), ("grown", grown)):
    print(f"{name}: {forest.sizes[which]} voxels, TDP {forest.tdps[which]:.3f}")

# %%
# The threshold-free map
# ----------------------
# Without any TDP in mind: each voxel shows the highest TDP of all clusters that it is in.

everywhere = AdaptiveTDPTransformer(tdp_threshold=None, two_sided=True)
tdp_free_img = everywhere.fit_transform(z_img)
figure = plot_tdp(z_img, tdp_free_img, threshold=3.1, title="Threshold-free TDP map")
show()
