"""
The cluster that voxels do not see
==================================

SPM and FSL call a cluster significant because it is large. Its TDP may still be 0,
because bounds from the p-values of voxels find nothing in a broad cluster of weak
activity. Bounds from the extent of clusters do: if noise hardly ever makes clusters of
more than k voxels, some voxels of a larger one must be active. This example shows
both, and the larger of both. The data are simulated, so the truth is known.
"""

# %%
# The study
# ---------
# Twenty subjects. A small region has a strong effect; a broad region has a weak one.

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(0)
shape, affine = (40, 40, 24), np.diag([3.0, 3, 3, 1])
effect = np.zeros(shape)
effect[5:9, 5:9, 8:12] = 2.5
effect[16:32, 16:32, 6:18] = 0.5


def subject_map() -> Nifti1Image:
    """Return the effect with smooth noise that has a standard deviation of 1."""
    noise = gaussian_filter(rng.standard_normal(shape), 1.0)
    return Nifti1Image((effect + noise / noise.std()).astype("float32"), affine)


maps = [subject_map() for _ in range(20)]
mask_img = Nifti1Image(np.ones(shape, dtype="uint8"), affine)

# %%
# Three calibrations
# ------------------
# All of them flip the signs of the subjects' maps 1,000 times. The first one calibrates
# thresholds for p-values. The second one calibrates the size of clusters of voxels with
# p < 0.001. The third one gives half of the error level to each.

from ari_estimator import (
    ARISecondLevelModel,
    ClusterExtentCalibration,
    ClusterTDPTransformer,
    JointCalibration,
    PermutationCalibration,
)

voxels = PermutationCalibration(random_state=0)
extents = ClusterExtentCalibration(height_threshold=0.001, random_state=0)
calibrations = {
    "voxels": voxels,
    "extents": extents,
    "joint": JointCalibration([voxels, extents]),
}
transformer = ClusterTDPTransformer(
    0.001, threshold_scale="p", connectivity=26, cluster_threshold=20, mask_img=mask_img
)
model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
model.fit(maps, design_matrix=pd.DataFrame({"intercept": np.ones(20)}))
tables, fitted = {}, {}
for name, calibration in calibrations.items():
    model.set_params(calibration=calibration)
    model.compute_contrast(output_type="tdp")
    tables[name] = model.table_.iloc[:-1].set_index("cluster_id")
    fitted[name] = model.calibration_

# %%
# Clusters of at least this many voxels are significant. Another seed would give another
# number: the interval says how much it may differ.

print(fitted["extents"].critical_extent_, fitted["extents"].critical_extent_interval_)

# %%
# The clusters
# ------------
# ``p_fwe_cluster`` is the p-value that SPM and FSL report for the size of a cluster.
# The last column counts the voxels that are truly active.

truth = np.asarray(effect > 0)
labels = model.labels_img_.get_fdata()
summary = tables["joint"][["n_voxels", "p_fwe_cluster", "bound_by"]].copy()
for name, table in tables.items():
    summary[name] = table["true_discoveries"]
summary["truly active"] = [int(truth[labels == i].sum()) for i in summary.index]
summary

# %%
# Voxels alone find the whole strong region. In the clusters of the broad region they
# find nothing, or next to nothing, although each of these is significant by its size.
# Extents find active voxels in all of them, but fewer in the strong region.

import matplotlib.pyplot as plt

x = np.arange(len(summary))
fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for i, name in enumerate(calibrations):
    tdp = summary[name] / summary["n_voxels"]
    ax.bar(x + (i - 1) * 0.25, tdp, width=0.25, label=name)
ax.set_xticks(x, [f"cluster {i}\n{n} voxels" for i, n in summary["n_voxels"].items()])
ax.set_ylabel("TDP, at least")
_ = ax.legend(title="bounds by")

# %%
# What to use
# -----------
# Choose before you look at the bounds. If you expect both kinds of activity, use
# :class:`~ari_estimator.JointCalibration`. Here it keeps the strong region and finds
# something in each cluster. Each of its parts has half of the error level, so it finds
# less in the broad region than extents alone.
#
# :doc:`Cluster extents </extents>` explains how the bounds work and what they assume.
