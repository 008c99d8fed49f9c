"""
Three conditions: several contrasts as one family
=================================================

A study usually has more than one contrast. If you compute each one alone, each has
its own error level. With ten contrasts, one of them is often wrong.
``compute_contrasts`` tests them as one family: with a probability of at least 95 %,
all bounds of all clusters in all contrasts hold at once. The data are simulated, so
the truth is known.
"""

# %%
# The study
# ---------
# Twelve subjects see faces, houses and noise, which gives a map per subject and
# condition. A subject's three maps share an error. Faces raise the signal in one
# cube, faces and houses in another.

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(0)
n_subjects, conditions, shape = 12, ["face", "house", "noise"], (24, 24, 16)
by_faces, by_both = np.zeros(shape, bool), np.zeros(shape, bool)
by_faces[3:9, 3:9, 4:10] = True
by_both[14:21, 12:19, 5:12] = True


def smooth_noise() -> np.ndarray:
    """Return smooth noise with a standard deviation of 1."""
    noise = gaussian_filter(rng.standard_normal(shape), 1.0)
    return noise / noise.std()


maps, rows = [], []
for subject in range(n_subjects):
    of_subject = smooth_noise()
    for condition in conditions:
        values = of_subject + smooth_noise()
        values += 1.8 * by_faces * (condition == "face")
        values += 1.8 * by_both * (condition in ("face", "house"))
        maps.append(Nifti1Image(values.astype("float32"), np.diag([3.0, 3, 3, 1])))
        rows.append({"subject": f"sub-{subject:02}", "condition": condition})
mask_img = Nifti1Image(np.ones(shape, dtype="uint8"), np.diag([3.0, 3, 3, 1]))
table = pd.DataFrame(rows)

# %%
# The design has a column for each condition and one for each subject. The contrasts
# are all differences between conditions.

design = pd.get_dummies(table[["condition"]], prefix="", prefix_sep="", dtype=float)
design = design.join(pd.get_dummies(table["subject"], dtype=float).iloc[:, 1:])
contrasts = {
    "faces over houses": "face - house",
    "faces over noise": "face - noise",
    "houses over noise": "house - noise",
}

# %%
# One family
# ----------
# The rows of a subject are a block. Each permutation exchanges the conditions within
# subjects, in the same way for all three contrasts. So the calibration knows how the
# contrasts depend on each other.

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)

model = ARISecondLevelModel(
    mask_img=mask_img,
    transformer=ClusterTDPTransformer(threshold=3.1, cluster_threshold=20),
    calibration=PermutationCalibration(blocks=table["subject"], random_state=0),
)
model.fit(maps, design_matrix=design)
tdp_imgs = model.compute_contrasts(contrasts)
model.table_[["contrast", "cluster_id", "n_voxels", "true_discoveries", "tdp"]]

# %%
# ``transformers_`` has the fitted transformer of each contrast, and ``joint_test_``
# the test of all voxels in all contrasts.

joint = model.joint_test_
print(f"{joint.n_elements:,} voxels of {len(contrasts)} contrasts, {joint.scheme}")
in_all = joint.bounds(0.05).of_set()
print(f"true discoveries in all contrasts together: at least {in_all:,}")
for name, transformer in model.transformers_.items():
    print(f"  {name}: at least {transformer.true_discoveries_}")

# %%
# What does it cost?
# ------------------
# A split of the error level is the other way to make all bounds hold at once: each of
# the three contrasts then has a level of 0.05 / 3. The family usually loses less,
# because it spends the level where the signal is, and because the contrasts depend on
# each other.

found = {"one family": {n: t.true_discoveries_ for n, t in model.transformers_.items()}}
model.compute_contrasts(contrasts, error_budget="split")
found["level split"] = {n: t.true_discoveries_ for n, t in model.transformers_.items()}
found["each alone, 95 % each"] = {}
for name, contrast in contrasts.items():
    model.compute_contrast(contrast, output_type="tdp")
    found["each alone, 95 % each"][name] = model.true_discoveries_
truth = {
    "faces over houses": by_faces.sum(),
    "faces over noise": by_faces.sum() + by_both.sum(),
    "houses over noise": by_both.sum(),
}
pd.DataFrame({**found, "truth": truth})

# %%
# The picture shows the TDP of the clusters of each contrast.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 3, figsize=(8, 3), layout="constrained")
for axis, (name, image) in zip(axes, tdp_imgs.items(), strict=True):
    values = np.asarray(image.dataobj)[:, :, 7].T
    shown = axis.imshow(values, origin="lower", cmap="viridis", vmin=0, vmax=1)
    active = (by_faces | by_both)[:, :, 7].T
    axis.contour(active, [0.5], colors="white", linewidths=0.8)
    axis.set_title(name, fontsize="medium")
    axis.set_axis_off()
figure.colorbar(shown, ax=axes, label="TDP, at least")
plt.show()

# %%
# The white lines surround the voxels in which any condition has an effect.
#
# In the shell, repeat ``--contrast`` and add ``--joint``, see :doc:`the command line
# <../command_line>`.
