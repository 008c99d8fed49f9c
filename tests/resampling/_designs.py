"""Designs of eight rows, as columns."""

import numpy as np

from ari_estimator.resampling import find_contrast

MEAN = [8 * [1]]
TWO_GROUPS = [[1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1, 1]]
SLOPE = [8 * [1], [3, 1, 4, 1, 5, 9, 2, 6]]
CENTRED = [8 * [1], [-7, -5, -3, -1, 1, 3, 5, 7]]
PAIRS = [[0, 1, 0, 1, 0, 1, 0, 1], *np.kron(np.eye(4, dtype=int), [1, 1]).tolist()]

# Eight rows: four subjects with two rows each, in two groups of subjects.
SUBJECTS = [0, 0, 1, 1, 2, 2, 3, 3]
BETWEEN = [[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]]
UNEQUAL = [0, 0, 0, 1, 1, 2, 2, 2]
UNEQUAL_SUBJECTS = [0, 0, 0, 1, 2, 2, 3, 3]
IN_SUBJECT = PAIRS[0]
SITES = np.transpose([8 * [-1], 4 * [1] + 4 * [2], [-1, -1, -2, -2] * 2])
KEPT = np.transpose([8 * [-1], 4 * [-1] + 4 * [-2]])


def contrast_of(columns, weights):
    return find_contrast(np.transpose(columns), weights)
