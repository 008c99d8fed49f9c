"""
Regions, also those made of the data
====================================

Any set of voxels has a bound, and regions are sets like others. They may come from an
atlas, as in :ref:`sphx_glr_auto_gallery_plot_3_pipelines.py`; they may also be made of
the very data that are tested.
"""

# %%
# A group of twenty subjects, simulated from a real map: of these it is known what is
# active.

import pandas as pd
from ari_estimator import ARISecondLevelModel, RegionTDPTransformer, set_bound
from ari_estimator.datasets import load_simulated_group

group = load_simulated_group(n_subjects=20, effect_size=1.5)
print(group.description)

# %%
# Regions made of the data
# ------------------------
# nilearn parcellates the brain into 60 regions whose voxels go together in these
# subjects. With most methods it would be circular to test such regions on the same
# subjects. Here it is not: the bounds hold for all sets of voxels at once, also for
# those that are picked after looking at the data.

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
# What is true: no bound is above it.

parcels = parcels_img.get_fdata()
active = group.effect_img.get_fdata() > 0
found = model.table_[model.table_["region_id"] > 0]
truth = [active[parcels == region].mean() for region in found["region_id"]]
above = (found["tdp"] > truth).sum()
print(above, "of", len(found), "regions have a bound above the truth.")

# %%

import matplotlib.pyplot as plt
from nilearn.plotting import plot_roi

plot_roi(parcels_img, colorbar=False, display_mode="z", cut_coords=6)
plt.show()

# %%
# The image of regions
# --------------------
# Regions give an array; ``inverse_transform`` makes an image of it, in which a region
# shows its TDP.

from ari_estimator.plotting import plot_tdp

z_img = model.compute_contrast("intercept", output_type="z_score")
tdp_img = model.transformer_.inverse_transform(tdp)
plot_tdp(z_img, tdp_img, title="TDP of regions")
plt.show()

# %%
# Any other set
# -------------
# A sphere, a mask, a list of voxels: as many as one likes. Their bounds hold together
# with all those above.

for radius in (6, 12, 24):
    bound = set_bound(model, seed=(39, -22, 58), radius=radius)
    found, tested = bound.true_discoveries, bound.n_tested
    print(f"{radius} mm: {found} of {tested} voxels, TDP {bound.tdp:.2f}")

# %%
# Which regions is a cluster made of?
# -----------------------------------
# :func:`~ari_estimator.reporting.get_region_composition` cuts clusters along regions,
# with a bound for each piece.

from ari_estimator import ClusterTDPTransformer
from ari_estimator.reporting import get_region_composition

model.set_params(transformer=ClusterTDPTransformer(3.1, cluster_threshold=100))
model.compute_contrast("intercept", output_type="tdp")
pieces = get_region_composition(model, parcels_img)
pieces[(pieces["cluster_id"] == 1) & (pieces["share"] > 0.01)].round(2)
