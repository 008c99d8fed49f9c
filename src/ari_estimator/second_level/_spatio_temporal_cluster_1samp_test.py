"""A one-sample test of clusters in space and time, with MNE-Python's signature."""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from ari_estimator._masked_values import refuse_masked
from ari_estimator._unused_options import refuse_unused
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.inference import FittedMap
from ari_estimator.second_level._space_time_graph import space_time_graph

# MNE-Python's default threshold belongs to p < 0.05, in two tails or in one.
_P_OF_THRESHOLD = 0.05


class ClusterTest(tuple[Any, ...]):
    """The result of MNE-Python's function, ``(t_obs, clusters, cluster_pv, H0)``, with TDPs.

    Attributes
    ----------
    tdp : ndarray of shape (n_times, n_vertices)
        Lower bound on the proportion of active elements in the cluster of each element; 0 outside
        clusters.

    cluster_tdp : ndarray of shape (n_clusters,)
        The bound of each cluster.

    table : pandas.DataFrame
        The table of clusters, as ``table_`` of :class:`ClusterTDPTransformer`. It has the signs of
        ``t_obs``: with ``tail=-1``, directions are negative and thresholds are at most 0.

    map : FittedMap
        The fitted map, which bounds any other set. With ``tail=-1`` it is the map of ``-t_obs``,
        because a one-sided test is a test of positive values: its own table, values and description
        say positive, and mean a decrease.

    calibration : PermutationCalibration
        The fitted calibration; with ``tail=-1`` of ``-X``.
    """

    tdp: np.ndarray
    cluster_tdp: np.ndarray
    table: pd.DataFrame
    map: FittedMap
    calibration: PermutationCalibration


def spatio_temporal_cluster_1samp_test(
    X: ArrayLike,
    threshold: float | None = None,
    n_permutations: int = 1024,
    tail: Literal[-1, 0, 1] = 0,
    stat_fun: None = None,
    adjacency: Any = None,
    n_jobs: int | None = None,
    max_step: int = 1,
    spatial_exclude: ArrayLike | None = None,
    step_down_p: float = 0,
    t_power: float = 1,
    out_type: Literal["indices", "mask"] = "indices",
    check_disjoint: bool = False,
    buffer_size: int | None = 1000,
    verbose: Any = None,
    *,
    seed: int | np.random.RandomState | None = None,
    alpha: float = 0.05,
) -> ClusterTest:
    """Test the mean of subjects by sign-flipping, with the TDP of each cluster.

    Replaces ``mne.stats.spatio_temporal_cluster_1samp_test`` and takes its arguments. MNE-Python's
    p-value of a cluster says that the cluster has an active element, not how many. This function
    adds how many: a lower bound on the true discovery proportion (TDP) of each cluster. All bounds
    hold at once, for every threshold.

    Parameters
    ----------
    X : array-like of shape (n_subjects, n_times, n_vertices) or (n_subjects, n_times, n_freqs, \
n_vertices)
        The data, or differences of two conditions.

    threshold : float or None, default=None
        Cluster-forming t threshold, which is negative with ``tail=-1``. None is p < 0.05, in both
        tails together or in one.

    n_permutations : int, default=1024
        Number of sign-flips, including the data as observed. All are taken if there are fewer.

    tail : {0, 1, -1}, default=0
        0 tests both directions, 1 positive effects, and -1 negative effects.

    stat_fun : None, default=None
        Must be None: the statistic is t.

    adjacency : sparse matrix, graph, False or None, default=None
        Neighbours of the vertices, or of all elements in C order. None makes elements neighbours
        along each axis. False makes each element a cluster of its own.

    n_jobs : int or None, default=None
        Number of processes.

    max_step : int, default=1
        Largest distance of neighbours in time, if ``adjacency`` has a row for each vertex.

    spatial_exclude : array-like of int or None, default=None
        Vertices to leave out. They belong neither to clusters nor to the family.

    step_down_p : float, default=0
        Must be 0. ``PermutationCalibration(step_down=True)`` has a step-down.

    t_power : float, default=1
        Must be 1. The bounds count elements and do not sum t values.

    out_type : {"indices", "mask"}, default="indices"
        Whether clusters are indices or boolean arrays.

    check_disjoint : bool, default=False
        Ignored: it only saves time in MNE-Python.

    buffer_size : int or None, default=1000
        Ignored: it only saves memory in MNE-Python.

    verbose : bool, str, int or None, default=None
        False shows no progress.

    seed : int, numpy.random.RandomState or None, default=None
        Seed of the sign-flips.

    alpha : float, default=0.05
        Error level of the TDPs and of ``cluster_pv``.

    Returns
    -------
    result : ClusterTest
        A tuple of four items, as MNE-Python's, with more attributes:

        - ``t_obs``, the t values, of shape (n_times, n_vertices);
        - ``clusters``, a list of indices or masks, from the largest cluster to the smallest;
        - ``cluster_pv``, the p-value of each cluster: the smallest error level at which its TDP is
          above 0. It is adjusted for all sets of elements. MNE-Python's is adjusted for clusters
          at this threshold only, and compares sums of t values;
        - ``H0``, the pivotal statistics of the sign-flips. MNE-Python returns the largest cluster
          of each one.

        Attributes: ``tdp``, ``cluster_tdp``, ``table``, ``map`` and ``calibration``. With
        ``tail=-1``, ``table`` has the signs of ``t_obs``; ``map`` and ``calibration`` belong to
        ``-X``.

    Raises
    ------
    TypeError
        If ``X`` does not hold real numbers.
    ValueError
        If ``X`` is masked. If a parameter is out of range, has no effect, or asks for a feature of
        MNE-Python's function that this one does not have.

    See Also
    --------
    ARISecondLevelModel : Designs, other sets, objects of MNE-Python.
    all_resolutions_inference : The function of mne-ari.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import spatio_temporal_cluster_1samp_test
    >>> X = np.random.default_rng(0).standard_normal((15, 40, 8))
    >>> X[:, 10:25, 2:5] += 1.5
    >>> result = spatio_temporal_cluster_1samp_test(X, threshold=3, seed=0, n_permutations=1000)
    >>> t_obs, clusters, cluster_pv, H0 = result
    >>> len(clusters[0][0]), float(result.cluster_tdp[0].round(2))
    (45, 0.78)
    """
    refuse_masked(X, "X", "Leave their elements out for all subjects.")
    data = np.asarray(X)
    if data.ndim < 3:
        raise ValueError(
            "X must have shape (n_subjects, n_times, n_vertices), or with n_freqs between them. "
            f"Got shape {data.shape}."
        )
    if data.size == 0:
        raise ValueError(f"X must have subjects and elements. Got shape {data.shape}.")
    _refuse_unknown(stat_fun)
    refuse_unused(
        "here: PermutationCalibration has a step-down, and bounds count elements",
        {"step_down_p": (step_down_p, 0), "t_power": (t_power, 1)},
    )
    is_number = isinstance(tail, (int, float, np.number)) and not isinstance(tail, bool)
    if not is_number or tail not in (-1, 0, 1):
        raise ValueError(f"tail must be 0, 1 or -1. Got {tail!r}.")
    _check_threshold(threshold, tail)
    if out_type not in ("indices", "mask"):
        raise ValueError(f"out_type must be 'indices' or 'mask'. Got {out_type!r}.")
    n_subjects, *shape = data.shape
    graph = space_time_graph(adjacency, tuple(shape), max_step)
    mask = _mask_of(spatial_exclude, tuple(shape))
    sign = -1 if tail == -1 else 1
    calibration = PermutationCalibration(
        n_permutations=n_permutations,
        random_state=seed,
        n_jobs=n_jobs,
        verbose=0 if verbose is False else 1,
    ).fit(sign * data[:, mask], alpha=alpha, two_sided=tail == 0)
    df = n_subjects - 1
    if threshold is None:
        threshold = float(stats.t.isf(_P_OF_THRESHOLD / (2 if tail == 0 else 1), df))
    t_obs = np.zeros(shape)
    t_obs[mask] = calibration.statistic_
    ari = ClusterTDPTransformer(
        abs(threshold),
        alpha=alpha,
        stat_type="t",
        df=df,
        two_sided=tail == 0,
        mask_img=mask,
        adjacency=graph,
        verbose=0,
    )
    tdp = ari.fit_transform(t_obs[np.newaxis], calibration=calibration)[0]
    fitted_map: FittedMap = ari.maps_[0]
    (sets,) = fitted_map.partitions
    labels = np.zeros(shape, dtype=np.intp)
    labels[mask] = sets.labels
    n_sets = sets.ids.size
    p_values = fitted_map.test.set_p_values_by_label(sets.labels, n_sets + 1)[1:]
    found: list[Any]
    if out_type == "mask":
        found = [labels == number for number in range(1, n_sets + 1)]
    else:
        found = [np.unravel_index(one, labels.shape) for one in _members_of(labels, n_sets)]
    test = ClusterTest((sign * t_obs, found, p_values, calibration.pivotal_statistics_))
    test.tdp, test.map = tdp, fitted_map
    test.table = _of_negative_effects(fitted_map.table) if sign < 0 else fitted_map.table
    test.cluster_tdp = fitted_map.table["tdp"].to_numpy()[:-1]
    test.calibration = calibration
    return test


def _of_negative_effects(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a map of -t with the signs of t."""
    negated = {name: 0 - table[name] for name in ("threshold", "peak_stat")}
    return table.assign(**negated, direction=table["direction"].replace("positive", "negative"))


def _members_of(labels: np.ndarray, n_sets: int) -> list[np.ndarray]:
    """Return the elements of each set, in C order, in memory for the elements and not for sets."""
    flat = labels.ravel()
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.searchsorted(flat[order], np.arange(1, n_sets + 1)))[1:]


def _refuse_unknown(stat_fun: Any) -> None:
    """Refuse other statistics than t."""
    if stat_fun is not None:
        _refuse("stat_fun must be None: the statistic is t", stat_fun)


def _check_threshold(threshold: Any, tail: int) -> None:
    """Refuse threshold-free cluster enhancement, and thresholds of another sign than the tail."""
    if isinstance(threshold, dict):
        _refuse(
            "threshold must be a t value or None: cluster enhancement has no TDP. "
            "AdaptiveTDPTransformer needs no threshold",
            threshold,
        )
    if threshold is None:
        return
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.number)):
        _refuse("threshold must be a t value or None", threshold)
    if threshold * (tail or 1) < 0:
        sign = "at most 0 with tail=-1" if tail == -1 else f"at least 0 with tail={tail}"
        _refuse(f"threshold must be {sign}", threshold)


def _refuse(what: str, got: Any) -> NoReturn:
    raise ValueError(f"{what}. Got {got!r}.")


def _mask_of(spatial_exclude: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return which elements are tested."""
    mask = np.ones(shape, dtype=bool)
    if spatial_exclude is None:
        return mask
    refuse_masked(spatial_exclude, "spatial_exclude", "Give the numbers without a mask.")
    excluded = np.atleast_1d(np.asarray(spatial_exclude))
    is_index = excluded.dtype.kind in "iu" and excluded.ndim == 1
    if excluded.size and (not is_index or excluded.min() < 0 or excluded.max() >= shape[-1]):
        raise ValueError(
            f"spatial_exclude must be numbers of vertices, from 0 to {shape[-1] - 1}. Got "
            f"{spatial_exclude!r}."
        )
    mask[..., excluded.astype(np.intp)] = False
    if not mask.any():
        raise ValueError("spatial_exclude must leave vertices. Got all of them.")
    return mask
