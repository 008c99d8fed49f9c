"""
Clusters of sensors and times
=============================

A cluster permutation test says that a cluster has an effect somewhere. It does not
say where, when, or how much of the cluster is active. The true discovery proportion
(TDP) says how much. This example uses simulated averages of an EEG study, so the
truth is known. You need `MNE-Python <https://mne.tools>`__ (the extra ``mne``).
"""

# %%
# The study
# ---------
# Sixteen subjects, 64 channels and 121 times. Each subject has the difference of two
# conditions. MNE-Python keeps it in an ``Evoked`` object.

import matplotlib.pyplot as plt
import mne
import numpy as np
from ari_estimator.datasets import load_sample_sensors

mne.set_log_level("ERROR")
study = load_sample_sensors()
info = mne.create_info(study.channels, 200.0, "eeg")
info.set_montage(mne.channels.make_dig_montage(study.positions, coord_frame="head"))
subjects = [
    mne.EvokedArray(one, info, tmin=study.times[0], comment=f"sub-{number:02d}")
    for number, one in enumerate(study.differences, start=1)
]

# %%
# From subjects to TDPs
# ---------------------
# The model takes a list of ``Evoked`` objects and tests their mean. Neighbours of
# channels come from MNE-Python. Times that follow each other are neighbours too.
# The adaptive transformer needs no threshold: it finds the largest clusters with a TDP
# of at least 0.7.

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    PermutationCalibration,
)

model = ARISecondLevelModel(
    transformer=AdaptiveTDPTransformer(0.7, two_sided=True),
    calibration=PermutationCalibration(random_state=0),
)
model.fit(subjects)
tdp = model.compute_contrast(output_type="tdp")
columns = [
    "direction",
    "n_elements",
    "true_discoveries",
    "tdp",
    "peak_channel",
    "peak_time",
]
model.table_.head(4)[columns].round(2)

# %%
# An element is one channel at one time. The result is an ``Evoked`` object with TDPs
# as its data.

from ari_estimator.plotting import plot_tdp_array

plot_tdp_array(model, title="Both conditions differ")
plt.show()

# %%
# Where and when
# --------------
# MNE-Python draws the result as it draws any ``Evoked`` object. These topographies
# show the TDP of the cluster of each channel, at four times.

tdp.plot_topomap(
    times=[0.1, 0.14, 0.3, 0.38],
    scalings=1,
    units="TDP",
    vlim=(0, 1),
    cmap="viridis",
    time_unit="s",
    show=False,
)
plt.show()

# %%
# The truth
# ---------
# The bounds hold for all sets at once. They are never above the truth, except with a
# probability of 5 % in a study.

is_active = study.effect != 0
labels = model.labels_img_.data.astype(int)
for row in model.table_[:-1].head(4).itertuples():
    inside = labels == row.cluster_id
    print(
        f"cluster {row.cluster_id}: at least {row.tdp:.2f}, "
        f"truly {is_active[inside].mean():.2f}"
    )

# %%
# Any other set
# -------------
# You may ask about any channels and times, also after you have seen the results. The
# window of a component, for example: the channels at the back, from 80 to 160 ms.

from ari_estimator import set_bound

at_the_back = np.array([place[1] < -0.05 for place in study.positions.values()])
in_time = (study.times >= 0.08) & (study.times <= 0.16)
bound = set_bound(model, indices=np.argwhere(np.outer(at_the_back, in_time)))
print(f"{bound.true_discoveries} of {bound.n_tested} elements, TDP {bound.tdp:.2f}")
