"""
A real design: groups, a covariate, repeated measures
=====================================================

Few studies have one sample. Here are the three designs that most of them
have, on simulated data, so that the truth is known: two groups of unequal size and
variance, three groups at once, and subjects who are measured twice.
"""

# %%
# The data
# --------
# There are 12 patients and 36 controls. The difference between them is in 300 of
# 2,000 voxels. Patients differ more from each other than controls do, as patients
# often do.

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
# The usual statistic takes one variance for all subjects. With a small group of large
# variance the bounds do not hold then. A warning says so.

import warnings

from ari_estimator import PermutationCalibration

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    PermutationCalibration(random_state=0).fit(data, design, difference, two_sided=True)
print(caught[0].message)

# %%
# With variance groups each group has a variance of its own, and the statistic is
# Welch's. Errors of unequal variance cannot change places, so signs of the residuals
# are flipped.

calibration = PermutationCalibration(variance_groups="auto", random_state=0)
calibration.fit(data, design, difference, two_sided=True)
print(calibration.stat_type_, "by", calibration.scheme_)

found = calibration.critical_vector_.true_discoveries(calibration.p_values_[active])
print(f"at least {found} of {active.sum()} voxels with a difference are found")
found = calibration.critical_vector_.true_discoveries(calibration.p_values_[~active])
print(f"at least {found} of {(~active).sum()} without one are found: right is 0")

# %%
# How sure is lambda
# ------------------
# Another seed gives other permutations, and so another scale of the critical vector.
# Its Monte Carlo interval says how much that matters; more permutations make it
# shorter.

low, high = calibration.lambda_interval_
print(f"lambda {calibration.lambda_:.4f}, 95 % interval {low:.4f} to {high:.4f}")
for end in (low, high):
    vector = calibration.calibration_.at_lambda(end)
    print(f"  at {end:.4f}: {vector.true_discoveries(calibration.p_values_)} voxels")

# %%
# Three groups: an F contrast
# ---------------------------
# Do three groups differ, in whatever way? Several rows are an F contrast. It has no
# sign.

groups = np.repeat([0, 1, 2], 10)
three = rng.standard_normal((groups.size, n_voxels))
three[:, active] += 2.0 * (groups == 1)[:, np.newaxis]
rows = [[1, -1, 0], [0, 1, -1]]

by_f = PermutationCalibration(random_state=0).fit(three, np.eye(3)[groups], rows)
found = by_f.critical_vector_.true_discoveries(by_f.p_values_[active])
print(f"{by_f.stat_type_} of rank {by_f.rank_}: at least {found} of {active.sum()}")

# %%
# Repeated measures
# -----------------
# Sixteen subjects are measured twice. Rows of one subject depend on each other: they
# are a block. The difference between *sessions* is within subjects, so rows change
# places within blocks. The difference between *groups* is between subjects, so whole
# subjects change places. Which of them is meant follows from the contrast.

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

# %%
# Without ``blocks`` the groups would seem to differ: each subject would count twice.
#
# A model of images takes the same options:
# ``ARISecondLevelModel(variance_groups="auto",
# calibration=PermutationCalibration(blocks=...))``. From the shell they are
# ``--variance-groups`` and ``--blocks``, see :doc:`the command line
# <../command_line>`.
