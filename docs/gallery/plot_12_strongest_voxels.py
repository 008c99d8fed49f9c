"""
The strongest voxels: how many may you trust?
=============================================

How many of the k strongest voxels are active, for every k at once? A confidence curve
answers this without clusters and without a threshold. You may read it at any k, also
after you have seen it.
"""

# %%
# The curve
# ---------
# The sample study is simulated, so the active voxels are known.

from ari_estimator import ClusterTDPTransformer, confidence_curve
from ari_estimator.datasets import load_sample_study

study = load_sample_study()
ari = ClusterTDPTransformer(mask_img=study.mask_img).fit(study.z_img)
curve = confidence_curve(ari)
curve.iloc[[99, 999, 1999, 4999]].round(3)

# %%
# The longest list with a TDP of 90 %
# -----------------------------------

longest = int(curve.loc[curve["tdp"] >= 0.9, "n_selected"].max())
print(f"At least 90 % of the {longest} strongest voxels are active.")

# %%
# Against the truth
# -----------------
# The shaded area is below the bound. For every k, at least this many voxels are active.
# The dashed line is the true number.

import matplotlib.pyplot as plt
import numpy as np
from nilearn.masking import apply_mask

z = apply_mask(study.z_img, study.mask_img)
is_active = apply_mask(study.effect_img, study.mask_img) > 0
truth = np.cumsum(is_active[np.argsort(-z)])
shown = slice(0, 5000)

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
k, found = curve["n_selected"][shown], curve["true_discoveries"][shown]
axes.fill_between(k, found, color="tab:green", alpha=0.3)
axes.plot(k, found, color="tab:green", label="active, at least")
axes.plot(k, truth[shown], color="black", linestyle="dashed", label="truly active")
axes.axvline(longest, color="gray", linewidth=0.8)
axes.annotate("TDP 90 %", (longest, 100), xytext=(6, 0), textcoords="offset points")
axes.set_xlabel("k, the number of strongest voxels")
axes.set_ylabel("voxels")
axes.legend()
plt.show()

# %%
# One region
# ----------
# A curve of a region starts with the strongest voxel of this region.

in_sphere = confidence_curve(ari, seed=(39, -25, 58), radius=15)
all_active = (in_sphere["tdp"] == 1).sum()
print(f"All of the {all_active} strongest voxels in the sphere are active.")
