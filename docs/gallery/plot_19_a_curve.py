"""
A curve
=======

Angles of a joint over a gait cycle, pupil sizes over a trial, spectra: one value at
each of many points along one dimension. This example tests the difference of two
conditions in 18 subjects, finds the parts of the curve that differ, and bounds how
much of each part is active. The data are simulated.
"""

# %%
# The curves
# ----------

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter1d

rng = np.random.default_rng(1)
percent = np.arange(101)
effect = 1.1 * np.exp(-0.5 * ((percent - 62) / 9) ** 2)
effect[effect < 0.05] = 0
noise = gaussian_filter1d(rng.standard_normal((18, 141)), 3, axis=1)[:, 20:121]
differences = effect + noise / noise.std()

# %%
# Parts of the curve
# ------------------
# ``adjacency="lattice"`` makes each point a neighbour of the next one. The threshold
# of random field theory or of a permutation test controls the maximum of the curve.
# ARI needs no such threshold: every threshold is allowed, also several.

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)
from ari_estimator.plotting import plot_tdp_array

model = ARISecondLevelModel(
    transformer=ClusterTDPTransformer(
        [2, 3], adjacency="lattice", coordinates={"percent": percent}
    ),
    calibration=PermutationCalibration(random_state=0),
).fit(differences)
tdp = model.compute_contrast(output_type="tdp")
columns = ["threshold", "n_elements", "true_discoveries", "tdp", "peak_percent"]
model.table_[columns].round(2)

# %%

plot_tdp_array(model, title="Difference of two conditions")
plt.show()

# %%
# At least so many of the points in each part are active. The truth is known here:

labels = model.labels_img_.astype(int)
for number in np.unique(labels[labels > 0]):
    inside = labels == number
    print(
        f"points {percent[inside].min()} to {percent[inside].max()}: "
        f"at least {tdp[inside].max():.2f}, truly {(effect[inside] > 0).mean():.2f}"
    )
