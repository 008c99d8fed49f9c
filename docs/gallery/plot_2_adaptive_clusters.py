"""
Clusters that are at least 70 % active
======================================

Where is at least 70 % of the voxels active? Ask for a TDP instead of a threshold. ARI
then finds the largest clusters with at least this TDP, and each gets its own threshold.
"""

# %%
# The map
# -------
# This z map of a motor task comes with nilearn. It has positive and negative effects.

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer
from nilearn.datasets import load_sample_motor_activation_image

z_img = load_sample_motor_activation_image()

# %%
# First, a fixed threshold
# ------------------------
# These are the true discoveries of the clusters at \|z\| > 3.1.

columns = ["direction", "threshold", "n_voxels", "true_discoveries", "tdp"]
fixed = ClusterTDPTransformer(3.1, two_sided=True, cluster_threshold=50)
fixed.fit_transform(z_img)
fixed.table_[columns].round(2)

# %%
# At least 70 % of each cluster
# -----------------------------
# The threshold is now a result. The column ``threshold`` shows where each cluster was
# cut.

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
# One fit answers the question for every TDP. ``forest_`` holds the clusters of all
# thresholds with their bounds, and all bounds hold at once. So you may choose the TDP
# from the picture below, at no cost.

plot_clusters_by_tdp(adaptive)
plt.show()
# sphinx_gallery_thumbnail_number = 2

# %%

from ari_estimator import TDPForest

forest = adaptive.forest_
assert isinstance(forest, TDPForest)  # for several maps it is a list
for tdp in (0.5, 0.7, 0.9, 0.99):
    sizes = forest.sizes[forest.query(tdp)]
    large = sizes[sizes >= 50]
    print(f"TDP {tdp}: {len(large)} clusters of 50 voxels or more, up to {max(large)}")

# %%
# The cluster around a voxel
# --------------------------
# Take a voxel in the right motor cortex. The code finds the largest cluster around it
# with a TDP of 0.9, and then lets this cluster grow until its TDP is 0.7.

from ari_estimator import element_at

voxel = element_at(adaptive, seed=(42, -22, 58))  # mm
cluster = forest.cluster_of(voxel, tdp=0.9)
assert cluster is not None
grown = forest.grow(cluster, tdp=0.7)
for name, which in (("largest with 0.9", cluster), ("grown", grown)):
    print(f"{name}: {forest.sizes[which]} voxels, TDP {forest.tdps[which]:.3f}")

# %%
# The threshold-free map
# ----------------------
# If you have no TDP in mind, use this map. Each voxel shows the highest TDP of all
# clusters that contain the voxel.

everywhere = AdaptiveTDPTransformer(tdp_threshold=None, two_sided=True)
tdp_free_img = everywhere.fit_transform(z_img)
plot_tdp(z_img, tdp_free_img, threshold=3.1, title="Threshold-free TDP map")
plt.show()
