"""The bound of one set."""

from __future__ import annotations

from typing import NamedTuple


class SetBound(NamedTuple):
    """Bound on the true discoveries of one set of voxels or vertices.

    Attributes
    ----------
    n_tested : int
        Number of tested voxels in the set.

    true_discoveries : int
        Lower bound on the number of active voxels among the tested voxels of the set.

    tdp : float
        Lower bound on the proportion of active voxels among the tested voxels of the set.

    p_value : float
        P-value of the hypothesis that no voxel of the set is active, adjusted for all sets at once.
        With a calibration, it is a multiple of one divided by the number of permutations.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer, set_bound
    >>> ari = ClusterTDPTransformer().fit(load_sample_motor_activation_image())
    >>> bound = set_bound(ari, seed=(39, -22, 58), radius=9)
    >>> bound.n_tested, bound.true_discoveries, round(bound.tdp, 2)
    (95, 95, 1.0)
    """

    n_tested: int
    true_discoveries: int
    tdp: float
    p_value: float
