"""
Sources on the cortex
=====================

Source estimates of MNE-Python have a value for each vertex and time. This example
finds clusters in space and time, and bounds how much of each one is active. The
source space is an icosahedron of fsaverage, whose neighbours MNE-Python knows. The
data are simulated. You need the extra ``mne``.
"""

# %%
# Estimates of twelve subjects
# ----------------------------
# 324 vertices and 30 times. For your own source space, pass
# ``adjacency=mne.spatial_src_adjacency(src)`` to the transformer.

import matplotlib.pyplot as plt
import mne
import numpy as np

mne.set_log_level("ERROR")
rng = np.random.default_rng(0)
vertices = [np.arange(162), np.arange(162)]
neighbours = mne.spatial_tris_adjacency(mne.grade_to_tris(2)).toarray() > 0
spread = neighbours / neighbours.sum(axis=1, keepdims=True)

# A patch of the left hemisphere: vertex 20 and all that are at most two steps away.
patch = np.linalg.matrix_power(neighbours.astype(int), 2)[20] > 0
effect = np.zeros((324, 30))
effect[patch, 8:18] = 2.0
subjects = []
for _ in range(12):
    noise = spread @ rng.standard_normal(effect.shape)
    values = 1e-11 * (effect + noise / noise.std())
    stc = mne.SourceEstimate(
        values, vertices, tmin=0.0, tstep=0.02, subject="fsaverage"
    )
    subjects.append(stc)

# %%
# Clusters
# --------

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)

model = ARISecondLevelModel(
    transformer=ClusterTDPTransformer(3.1),
    calibration=PermutationCalibration(random_state=0),
).fit(subjects)
tdp = model.compute_contrast(output_type="tdp")
columns = [
    "n_elements",
    "true_discoveries",
    "tdp",
    "peak_hemisphere",
    "peak_vertex",
    "peak_time",
]
model.table_[columns].head(3).round(2)

# %%
# The result is a source estimate: ``tdp.plot(subject="fsaverage")`` shows it on the
# brain. Here is the number of active vertices over time, with a bound for each time.
# All of these bounds hold at once.

from ari_estimator import set_bound

bounds = []
for time in range(30):
    inside = np.column_stack([np.arange(324), np.full(324, time)])
    bounds.append(set_bound(model, indices=inside).true_discoveries)
fig, axes = plt.subplots(figsize=(6.4, 3), layout="constrained")
axes.step(tdp.times, bounds, where="mid", label="at least")
axes.step(tdp.times, (effect > 0).sum(axis=0), where="mid", ls=":", label="truth")
axes.set(xlabel="time (s)", ylabel="active vertices")
axes.legend()
plt.show()
