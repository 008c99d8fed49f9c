"""
Templates together, and both signs at once
==========================================

A calibration by permutations needs a template, and no template is best for all
clusters. Some find small, strong clusters; others find weak activity that spreads
over many voxels. You must not compare templates on your data and keep the best one.
But you can calibrate several of them together. This example also bounds positive
and negative effects at the same time. The data are simulated, so the truth is known.
"""

# %%
# The study
# ---------
# Twenty subjects. A small region has a strong positive effect. A large region has a
# weaker one. A third region has a negative effect.

from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(0)
shape, affine = (30, 30, 20), np.diag([3.0, 3, 3, 1])
regions = np.zeros(shape, dtype="int16")
regions[3:7, 3:7, 8:12] = 1
regions[12:26, 4:16, 5:15] = 2
regions[6:16, 19:28, 6:14] = 3
effect = np.array([0.0, 2.0, 0.8, -1.2])[regions]


def subject_map() -> Nifti1Image:
    """Return the effect with smooth noise that has a standard deviation of 1."""
    noise = gaussian_filter(rng.standard_normal(shape), 1.0)
    return Nifti1Image((effect + noise / noise.std()).astype("float32"), affine)


maps = [subject_map() for _ in range(20)]
mask_img = Nifti1Image(np.ones(shape, dtype="uint8"), affine)
names = {0: "rest", 1: "small, strong", 2: "large, weaker", 3: "negative"}

# %%
# One template at a time
# ----------------------
# The bounds of the three regions with each of four calibrations. ``"joint"`` is a
# fixed pair of templates, ``["simes", "beta"]`` is a list of your choice.

from ari_estimator import (
    ARISecondLevelModel,
    PermutationCalibration,
    RegionTDPTransformer,
)

design = pd.DataFrame({"intercept": np.ones(20)})
regions_img = Nifti1Image(regions, affine)


def bounds_of(template: Any, two_sided: Any = False) -> pd.DataFrame:
    """Return the table of the regions."""
    model = ARISecondLevelModel(
        mask_img=mask_img,
        transformer=RegionTDPTransformer(regions_img, two_sided=two_sided),
        calibration=PermutationCalibration(template, random_state=0),
    )
    model.fit(maps, design_matrix=design)
    model.compute_contrast(output_type="tdp")
    return model.table_.assign(region=model.table_["region_id"].map(names)).set_index(
        "region"
    )


templates = {
    "simes": "simes",
    "beta": "beta",
    "joint": "joint",
    "both": ["simes", "beta"],
}
tables = {name: bounds_of(template) for name, template in templates.items()}
found = pd.DataFrame(
    {name: table["true_discoveries"] for name, table in tables.items()}
)
found.insert(0, "voxels", tables["simes"]["n_voxels"])
found

# %%
# Each column holds with 95 % confidence on its own. So choose one **before** you see
# the table. ``"joint"`` is a safe choice if you do not know what to expect.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
shares = found.drop(columns="voxels").div(found["voxels"], axis=0)
shares.iloc[:2].plot.bar(ax=axes, rot=0, width=0.75)
axes.set(ylabel="TDP, at least", xlabel="", ylim=(0, 1))
axes.spines[["top", "right"]].set_visible(False)
axes.legend(title="template", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# Which sign?
# -----------
# A one-sided test bounds positive effects only, so the third region has no true
# discoveries. A two-sided test counts effects of either sign, but a bound does not
# say how many of them are negative. ``two_sided="directional"`` bounds each sign, and
# all bounds hold at once.

both_signs = bounds_of("joint", two_sided="directional")
both_signs[
    [
        "n_voxels",
        "true_discoveries",
        "true_discoveries_positive",
        "true_discoveries_negative",
    ]
]

# %%
# .. seealso::
#
#    :doc:`Permutations </permutations>` explains the templates, and the page on
#    :doc:`power </power>` compares them over effect sizes, smoothness and subjects.
