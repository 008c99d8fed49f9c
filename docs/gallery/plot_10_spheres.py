"""
Small volumes: spheres and masks
================================

How much of a region that you care about is active? Ask for a sphere, a mask or a list
of voxels. You may ask as often as you like, and change the radius after you have seen
the answer. All bounds hold at once, so there is no small-volume correction to choose.
"""

# %%
# The map
# -------
# The sample study is simulated, so the active voxels are known.

from ari_estimator import ClusterTDPTransformer, set_bound
from ari_estimator.datasets import load_sample_study

study = load_sample_study()
ari = ClusterTDPTransformer(3.1, mask_img=study.mask_img).fit(study.z_img)

# %%
# One sphere
# ----------
# The centre is in mm. The p-value is adjusted for all sets of voxels.

place = (39, -25, 58)
bound = set_bound(ari, seed=place, radius=12)
print(f"{bound.true_discoveries} of {bound.n_tested} voxels, TDP {bound.tdp:.2f}")
print(f"adjusted p-value {bound.p_value:.1e}")

# %%
# Spheres that grow
# -----------------
# The larger the sphere, the more inactive voxels it contains. The bound stays below the
# truth, at every radius.

import matplotlib.pyplot as plt
import numpy as np
from nilearn.image import coord_transform

grid = np.indices(study.mask_img.shape).reshape(3, -1)
xyz = np.stack(coord_transform(*grid, study.mask_img.affine), axis=-1)
distance = np.sqrt(((xyz - place) ** 2).sum(axis=1)).reshape(study.mask_img.shape)
tested = study.mask_img.get_fdata() > 0
active = study.effect_img.get_fdata() > 0

radii = np.arange(3, 37, 3)
bounds = [set_bound(ari, seed=place, radius=float(radius)).tdp for radius in radii]
truth = [active[tested & (distance <= radius)].mean() for radius in radii]

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.plot(radii, truth, color="gray", linestyle="dashed", label="truth")
axes.plot(radii, bounds, color="tab:blue", marker="o", label="bound")
axes.fill_between(radii, bounds, truth, color="tab:blue", alpha=0.15)
axes.set_xlabel("radius of the sphere (mm)")
axes.set_ylabel("TDP")
axes.set_ylim(0, 1.05)
axes.legend()
plt.show()

# %%
# A mask
# ------
# A region of an atlas is a mask. This is the cerebellum, left and right.

from nilearn.image import math_img

cerebellum = math_img("(img == 4) | (img == 5)", img=study.atlas_img)
bound = set_bound(ari, mask_img=cerebellum)
print(f"{bound.true_discoveries} of {bound.n_tested} voxels, TDP {bound.tdp:.2f}")

# %%
# To bound all regions of an atlas, use
# :class:`~ari_estimator.RegionTDPTransformer`.
