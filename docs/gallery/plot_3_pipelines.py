"""
Regions as features: pipelines and decoding
===========================================

Can the TDP of regions tell groups apart? Transformers work in scikit-learn pipelines,
before or after nilearn's maskers. In this example, a classifier learns from the TDPs of
regions.
"""

# %%
# Maps of forty subjects
# ----------------------
# The subjects are simulated. Both groups have the same effect with different strength.
# Where nothing is active, each map has noise with a standard deviation of 1. So each
# map is the z map of one subject.

import numpy as np
from ari_estimator.datasets import load_simulated_group

weak = load_simulated_group(n_subjects=20, effect_size=5.0, random_state=0)
strong = load_simulated_group(n_subjects=20, effect_size=5.4, random_state=1)
maps = weak.cmaps + strong.cmaps
group = np.repeat(["weak", "strong"], 20)
mask_img = weak.mask_img

# %%
# Regions
# -------
# The regions are spheres of 6 mm around the coordinates of Dosenbach et al. (2010),
# which come with nilearn. Each sphere has the label of its network.

from nilearn.datasets import fetch_coords_dosenbach_2010
from nilearn.image import coord_transform, new_img_like

spheres = fetch_coords_dosenbach_2010()
networks = sorted(set(spheres.networks))
grid = np.indices(mask_img.shape).reshape(3, -1)
places = np.stack(coord_transform(*grid, mask_img.affine), axis=-1)
atlas = np.zeros(mask_img.shape, dtype=np.int32)
for centre, network in zip(spheres.rois.to_numpy(), spheres.networks, strict=True):
    inside = ((places - centre) ** 2).sum(axis=1) <= 6**2
    atlas[inside.reshape(atlas.shape)] = 1 + networks.index(network)
atlas_img = new_img_like(mask_img, atlas)

# %%
# A row for each map, a column for each region
# --------------------------------------------

from ari_estimator import RegionTDPTransformer

regions = RegionTDPTransformer(
    atlas_img, labels=networks, mask_img=mask_img, two_sided=True
)
regions.set_output(transform="pandas")
features = regions.fit_transform(maps)
features.groupby(group).mean().round(3)

# %%
# The picture shows the features of each subject. The weak group is above the line.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
image = axes.imshow(features, aspect="auto", vmin=0, vmax=0.3, interpolation="nearest")
axes.axhline(19.5, color="white")
axes.set_xticks(range(len(networks)), networks, rotation=30, ha="right")
axes.set_ylabel("subject")
figure.colorbar(image, label="TDP of the region")
plt.show()

# %%
# After a masker
# --------------
# The transformer also accepts the arrays of a masker. Both must have the same mask. The
# masker must neither smooth nor standardize, because its output would not be z values.

from nilearn.maskers import NiftiMasker
from sklearn.pipeline import make_pipeline

masker = NiftiMasker(mask_img, standardize=None)
after_masker = make_pipeline(
    masker, RegionTDPTransformer(atlas_img, mask_img=mask_img, two_sided=True)
)
same = bool((after_masker.fit_transform(maps[:3]) == features[:3].to_numpy()).all())
print("The same numbers after a masker:", same)

# %%
# Before a masker
# ---------------
# Any masker accepts TDP images. This one computes the mean TDP in each region. This
# mean is a summary, and it has no guarantee.

from ari_estimator import ClusterTDPTransformer
from nilearn.maskers import NiftiLabelsMasker

mean_tdp = make_pipeline(
    ClusterTDPTransformer(3.1, mask_img=mask_img),
    NiftiLabelsMasker(atlas_img, standardize=None),
)
print(mean_tdp.fit_transform(maps[-1:]).round(2))

# %%
# Decoding
# --------
# Which group does a subject belong to? The bounds of a subject come only from the map
# of this subject, so no information leaks from the test set.

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

decoder = make_pipeline(
    RegionTDPTransformer(atlas_img, mask_img=mask_img, two_sided=True),
    LogisticRegression(C=100),
)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
accuracy = cross_val_score(decoder, maps, group, cv=folds)
print("Accuracy in five folds:", accuracy, "mean", accuracy.mean().round(3))

# %%
# The classifier has these weights:

decoder.fit(maps, group)
weights = pd.Series(decoder[-1].coef_[0], index=networks, name="weight of 'weak'")
weights.round(2).to_frame()
