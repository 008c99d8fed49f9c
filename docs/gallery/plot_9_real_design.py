"""
A real design: groups, a covariate, repeated measures
=====================================================

Which options do you need for groups, covariates and repeated measures? This example has
three common designs: two groups of unequal size and variance, three groups, and
subjects who are measured twice. The data are simulated, so the truth is known.
"""

# %%
# The data
# --------
# There are 12 patients and 36 controls. They differ in 300 of 2,000 voxels. As in many
# studies, patients vary more than controls.

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n_patients, n_controls, n_voxels = 12, 36, 2000
is_patient = np.repeat([1.0, 0.0], [n_patients, n_controls])
age = rng.uniform(20, 70, is_patient.size)
active = np.arange(n_voxels) < 300

data = rng.standard_normal((is_patient.size, n_voxels))
data *= np.where(is_patient, 2, 1)[:, np.newaxis]
data += 0.02 * (age - age.mean())[:, np.newaxis]
data[:, active] += 3.0 * is_patient[:, np.newaxis]

columns = {"patient": is_patient, "age": age - age.mean(), "intercept": 1.0}
design = pd.DataFrame(columns)
difference = [1, 0, 0]

# %%
# Groups of unequal variance
# --------------------------
# The usual statistic assumes one variance for all subjects. **If a small group has a
# large variance, the bounds do not hold.** A warning says so.

import warnings

from ari_estimator import PermutationCalibration

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    PermutationCalibration(random_state=0).fit(data, design, difference, two_sided=True)
print(caught[0].message)

# %%
# With variance groups, each group has its own variance, and the statistic is Welch's.
# Subjects with unequal variances cannot be exchanged, so the package flips the signs of
# the residuals.

calibration = PermutationCalibration(variance_groups="auto", random_state=0)
calibration.fit(data, design, difference, two_sided=True)
print(calibration.stat_type_, "by", calibration.scheme_)

found = calibration.critical_vector_.true_discoveries(calibration.p_values_[active])
print(f"at least {found} of {active.sum()} voxels with a difference are found")
found_by = {"patients against controls": found}
found = calibration.critical_vector_.true_discoveries(calibration.p_values_[~active])
print(f"at least {found} of {(~active).sum()} without one are found: the truth is 0")

# %%
# Does the seed matter?
# ---------------------
# Another seed gives other permutations, and another scale lambda of the critical
# vector. The Monte Carlo interval shows how much this matters. More permutations make
# the interval shorter.

low, high = calibration.lambda_interval_
print(f"lambda {calibration.lambda_:.4f}, 95 % interval {low:.4f} to {high:.4f}")
for end in (low, high):
    vector = calibration.calibration_.at_lambda(end)
    print(f"  at {end:.4f}: {vector.true_discoveries(calibration.p_values_)} voxels")

# %%
# Three groups: an F contrast
# ---------------------------
# Do three groups differ in any way? A contrast with several rows is an F contrast. It
# has no sign.

groups = np.repeat([0, 1, 2], 10)
three = rng.standard_normal((groups.size, n_voxels))
three[:, active] += 2.0 * (groups == 1)[:, np.newaxis]
rows = [[1, -1, 0], [0, 1, -1]]

by_f = PermutationCalibration(random_state=0).fit(three, np.eye(3)[groups], rows)
found = by_f.critical_vector_.true_discoveries(by_f.p_values_[active])
print(f"{by_f.stat_type_} of rank {by_f.rank_}: at least {found} of {active.sum()}")
found_by["three groups (F)"] = found

# %%
# Repeated measures
# -----------------
# Sixteen subjects are measured twice. The rows of one subject depend on each other, so
# they form a block. The difference between *sessions* lies within subjects, so the
# permutations exchange rows within blocks. The difference between *groups* lies between
# subjects, so they exchange whole subjects. The package derives this from the contrast.

subjects = np.repeat(np.arange(16), 2)
session = np.tile([0.0, 1.0], 16)
is_first_group = subjects < 8
repeated = rng.standard_normal((16, n_voxels))[subjects]
repeated += rng.standard_normal((32, n_voxels))
repeated[:, active] += 1.5 * session[:, np.newaxis]

of_rows = np.column_stack([is_first_group, ~is_first_group, session])
for what, contrast in (("sessions", [0, 0, 1]), ("groups", [1, -1, 0])):
    blocked = PermutationCalibration(blocks=subjects, random_state=0)
    blocked.fit(repeated, of_rows.astype(float), contrast, two_sided=True)
    found = blocked.critical_vector_.true_discoveries(blocked.p_values_[active])
    print(f"{what}: {blocked.scheme_}; at least {found} of {active.sum()}")
    found_by[f"{what}, repeated measures"] = found

# %%
# **Without blocks, the groups would seem to differ**, because each subject would count
# twice.
#
# The picture shows what each analysis found. There is a difference between groups and
# between sessions in 300 voxels, except between the two groups of the last design.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
bars = axes.barh(list(found_by), list(found_by.values()), color="tab:orange")
axes.bar_label(bars, padding=4)
axes.axvline(active.sum(), color="gray", linestyle="dashed")
axes.set_xlabel("voxels found, at least; dashed: truly different")
axes.set_xlim(0, 330)
axes.invert_yaxis()
plt.show()

# %%
# A model of images takes the same options:
# ``ARISecondLevelModel(variance_groups="auto",
# calibration=PermutationCalibration(blocks=...))``. In the shell, use
# ``--variance-groups`` and ``--blocks``, see :doc:`the command line
# <../command_line>`.
