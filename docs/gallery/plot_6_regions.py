"""
Regions, even if made from the data
===================================

How much of each region is active, and may you make the regions from the same data? Yes:
any set of voxels has a bound. Regions may come from an atlas, as in
:ref:`sphx_glr_auto_gallery_plot_3_pipelines.py`, or from the data that you test.
"""

# %%
# The data
# --------
# The twenty subjects are simulated from a real map, so the active voxels are known.

import pandas as pd
from ari_estimator import ARISecondLevelModel, RegionTDPTransformer, set_bound
from ari_estimator.datasets import load_simulated_group

group = load_simulated_group(n_subjects=20, effect_size=1.5)
print(group.description)

# %%
# Regions made from the data
# --------------------------
# nilearn divides the brain into 60 regions of voxels that vary together in these
# subjects. With most methods, a test of these regions on the same subjects is circular.
# With ARI it is not. The bounds hold for all sets of voxels at once, including sets
# that you choose after you have seen the data.

from nilearn.regions import Parcellations

parcellation = Parcellations(
    "ward", n_parcels=60, mask=group.mask_img, standardize=False, smoothing_fwhm=None
)
parcels_img = parcellation.fit(group.cmaps).labels_img_

# %%

design = pd.DataFrame({"intercept": [1] * len(group.cmaps)})
model = ARISecondLevelModel(
    mask_img=group.mask_img, transformer=RegionTDPTransformer(parcels_img)
)
model.fit(group.cmaps, design_matrix=design)
tdp = model.compute_contrast("intercept", output_type="tdp")
table = model.table_.sort_values("tdp", ascending=False)
table[["region_id", "n_voxels", "true_discoveries", "tdp"]].head(6).round(3)

# %%
# The truth is known, and no bound is above it.

parcels = parcels_img.get_fdata()
active = group.effect_img.get_fdata() > 0
found = model.table_[model.table_["region_id"] > 0]
truth = [active[parcels == region].mean() for region in found["region_id"]]
above = (found["tdp"] > truth).sum()
print(above, "of", len(found), "regions have a bound above the truth.")

# %%

import matplotlib.pyplot as plt
from nilearn.plotting import plot_roi

plot_roi(parcels_img, colorbar=False, display_mode="z", cut_coords=3)
plt.show()

# %%
# The image of regions
# --------------------
# Regions give an array. ``inverse_transform`` turns it into an image in which each
# region shows its TDP.

from ari_estimator.plotting import plot_tdp

z_img = model.compute_contrast("intercept", output_type="z_score")
tdp_img = model.transformer_.inverse_transform(tdp)
plot_tdp(z_img, tdp_img, title="TDP of regions")
plt.show()

# %%
# Any other set
# -------------
# You may also ask about spheres, masks and lists of voxels, as many as you like. Their
# bounds hold together with all bounds above.

for radius in (6, 12, 24):
    bound = set_bound(model, seed=(39, -22, 58), radius=radius)
    found, tested = bound.true_discoveries, bound.n_tested
    print(f"{radius} mm: {found} of {tested} voxels, TDP {bound.tdp:.2f}")

# %%
# Which regions does a cluster cover?
# -----------------------------------
# :func:`~ari_estimator.reporting.get_region_composition` cuts clusters along the
# borders of regions, and gives a bound for each piece.

from ari_estimator import ClusterTDPTransformer
from ari_estimator.reporting import get_region_composition

model.set_params(transformer=ClusterTDPTransformer(3.1, cluster_threshold=100))
model.compute_contrast("intercept", output_type="tdp")
pieces = get_region_composition(model, parcels_img)
pieces[(pieces["cluster_id"] == 1) & (pieces["share"] > 0.01)].round(2)
