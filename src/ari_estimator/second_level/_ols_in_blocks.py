"""Compute nilearn's regression of many elements in blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from nilearn.glm.first_level import run_glm
from nilearn.glm.regression import RegressionResults

# Minimum number of values in a block. For smaller matrices, linear algebra libraries add in another
# order, which changes the last bit.
_LEAST_NUMBERS = 2_000_000

# Blocks start at multiples of this, so that block edges do not change the last bit of an element.
_ALIGNMENT = 4096


def ols_in_blocks(
    Y: np.ndarray, X: np.ndarray, n_jobs: int = 1, noise_model: str = "ols"
) -> tuple[np.ndarray, dict[float, Any]]:
    """Fit a linear model to each element, as :func:`nilearn.glm.first_level.run_glm` does.

    nilearn computes all residuals at once in double precision, which takes several times the memory
    of the data. The results here are the same to the last bit on one thread. On several threads,
    linear algebra libraries split the elements differently, and a few results may differ in the
    last bit.

    Parameters
    ----------
    Y : ndarray of shape (n_subjects, n_elements)
        The data.

    X : ndarray of shape (n_subjects, n_columns)
        The design.

    n_jobs : int, default=1
        For nilearn.

    noise_model : str, default="ols"
        For nilearn; it must be "ols".

    Returns
    -------
    labels : ndarray of shape (n_elements,)
        Zeros, because there is one model.

    results : dict of float to RegressionResults
        The model, without residuals.
    """
    n_subjects, n_elements = Y.shape
    size = -(-_LEAST_NUMBERS // (n_subjects * _ALIGNMENT)) * _ALIGNMENT
    starts = [*range(0, max(n_elements // size, 1) * size, size), n_elements]
    found = []
    for start, stop in pairwise(starts):
        block = run_glm(Y[:, start:stop], X, noise_model=noise_model, n_jobs=n_jobs)[1][0.0]
        found.append((block.theta, block.dispersion))
        model, cov = block.model, block.cov
        del block
    theta, dispersion = (np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))
    joined = RegressionResults(theta, Y, model, Y, None, cov=cov, dispersion=dispersion)
    return np.zeros(n_elements), {0.0: joined}
