"""
Which test: Simes, Hommel or permutations?
==========================================

How much do the bounds depend on the test? Simes' test assumes positive dependence
between voxels. Hommel's test assumes nothing, and pays for it. Permutations adapt to
the data, and need the maps of all subjects. This example compares them on one study.
"""

# %%
# The study
# ---------
# The sample study has 24 simulated subjects with one mean effect.

import pandas as pd
from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)
from ari_estimator.datasets import load_sample_study

study = load_sample_study()
design = pd.DataFrame({"intercept": [1] * len(study.maps)})

# %%
# Three tests
# -----------
# The clusters are the same for all tests. Only the bounds differ. **Choose the test
# before you look at the bounds**: the best of three bounds does not hold.

hommel = ClusterTDPTransformer(3.1, local_test="hommel", cluster_threshold=100)
simes = ClusterTDPTransformer(3.1, cluster_threshold=100)
permutations = PermutationCalibration(n_permutations=1000, random_state=0)
tests = {
    "Hommel": (hommel, None),
    "Simes": (simes, None),
    "permutations": (simes, permutations),
}
model = ARISecondLevelModel(mask_img=study.mask_img)
model.fit(study.maps, design_matrix=design)
tdps = {}
for name, (transformer, calibration) in tests.items():
    model.set_params(transformer=transformer, calibration=calibration)
    model.compute_contrast("intercept", output_type="tdp")
    tdps[name] = model.table_["tdp"][:-1]
    print(f"{name}: at least {model.true_discoveries_} voxels in the whole brain")

# %%
# The truth
# ---------
# No bound is above the true proportion.

active = study.effect_img.get_fdata() > 0
labels = model.labels_img_.get_fdata()
clusters = model.table_["cluster_id"][:-1]
tdps["truth"] = pd.Series([active[labels == cluster].mean() for cluster in clusters])
table = pd.DataFrame(tdps).set_index(clusters)
table.round(2)

# %%

import matplotlib.pyplot as plt

colors = ["tab:purple", "tab:blue", "tab:orange", "lightgray"]
axes = table.plot.bar(color=colors, figsize=(6.5, 4), width=0.8, rot=0)
axes.set_xlabel("cluster")
axes.set_ylabel("TDP, at least")
axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=4, frameon=False)
plt.show()

# %%
# :ref:`sphx_glr_auto_gallery_plot_4_permutations.py` shows when permutations gain most.
