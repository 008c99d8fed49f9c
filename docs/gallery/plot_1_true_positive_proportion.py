"""
From subject maps to the TDP of clusters
========================================

How much of each cluster of a group study is active? This is nilearn's example
`"Second-level fMRI model: true positive proportion in clusters"
<https://nilearn.github.io/stable/auto_examples/05_glm_second_level/plot_proportion_activated_voxels.html>`_
with one import changed. It compares left with right button presses in 16 subjects.
The second part does the same in one step, with tables and a report.
"""

# %%
# The maps of the subjects
# ------------------------
# With a network, nilearn downloads its localizer data. Without one, this example
# simulates a group from the motor map that comes with nilearn.

from ari_estimator.datasets import load_simulated_group
from nilearn.datasets import fetch_localizer_contrasts

try:
    contrast = "left vs right button press"
    group = fetch_localizer_contrasts([contrast], n_subjects=16, verbose=0)
    print("Localizer data of", len(group["cmaps"]), "subjects.")
except OSError:  # no network
    group = load_simulated_group(n_subjects=16, effect_size=1.5)
    print("The localizer data cannot be reached. In their place:")
    print(group["description"])

# %%
# The group map
# -------------
# nilearn fits the model and gives a z map.

import pandas as pd
from nilearn.glm.second_level import SecondLevelModel

maps = group["cmaps"]
design = pd.DataFrame({"intercept": [1] * len(maps)})
model = SecondLevelModel(smoothing_fwhm=8.0).fit(maps, design_matrix=design)
z_img = model.compute_contrast("intercept", output_type="z_score")

# %%
# The proportion of active voxels in its clusters
# -----------------------------------------------
# Only this import changes: ``ari_estimator`` instead of ``nilearn.glm``.

from ari_estimator import cluster_level_inference

tdp_img = cluster_level_inference(z_img, threshold=[3, 4, 5], alpha=0.05)

# %%
# A voxel shows the TDP of its cluster, at the highest threshold that it passes. The TDP
# is a lower bound. With a probability of 95 %, *all* clusters in the picture have at
# least this proportion of active voxels.

import matplotlib.pyplot as plt
from ari_estimator.plotting import plot_tdp
from scipy.stats import norm

p_001 = norm.isf(0.001)
plot_tdp(z_img, tdp_img, threshold=p_001, cut_coords=3, title="Left against right")
plt.show()

# %%
# In one step, with tables
# ------------------------
# :class:`~ari_estimator.ARISecondLevelModel` is nilearn's ``SecondLevelModel`` with one
# more type of output, ``"tdp"``.

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

ari_model = ARISecondLevelModel(
    smoothing_fwhm=8.0, transformer=ClusterTDPTransformer(3.1, cluster_threshold=10)
)
ari_model.fit(maps, design_matrix=design)
tdp_img = ari_model.compute_contrast("intercept", output_type="tdp")
found, tested = ari_model.true_discoveries_, ari_model.n_tested_
print(f"At least {found} of {tested} voxels are active.")

# %%
# :func:`~ari_estimator.reporting.get_tdp_table` rounds the numbers for reading. Cluster
# 0 is the rest of the brain.

from ari_estimator.reporting import get_tdp_table

table = get_tdp_table(ari_model, max_peaks=1)
table[["cluster_id", "n_voxels", "true_discoveries", "tdp", "p_value"]]

# %%
# A report
# --------
# The report is one file. It has the guarantee, tables, figures, and a paragraph on
# methods that you can paste into a paper.

report = ari_model.transformer_.generate_report(title="Left against right button press")
