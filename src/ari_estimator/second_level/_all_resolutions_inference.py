"""All-Resolutions Inference of arrays, with mne-ari's signature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from numbers import Real
from typing import Any, Literal

import numpy as np
from scipy import stats

from ari_estimator._masked_values import refuse_masked
from ari_estimator._unused_options import refuse_unused
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.estimators._adaptive_tdp import AdaptiveTDPTransformer
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.graphs import Graph
from ari_estimator.inference._thresholds import numbers_in
from ari_estimator.resampling import constant_elements, find_contrast
from ari_estimator.second_level._space_time_graph import space_time_graph

_TAILS = {
    1: 1, "greater": 1, 0: 0, "two-sided": 0, "two.sided": 0, -1: -1, "less": -1,
}  # fmt: skip

# The default number of permutations. Only the permutation type uses it.
_N_PERMUTATIONS = 10000


def all_resolutions_inference(
    X: Any,
    alpha: float = 0.05,
    tail: Literal[1, 0, -1, "greater", "two-sided", "less"] = 0,
    ari_type: Literal["parametric", "permutation"] = "parametric",
    adjacency: Any = None,
    n_permutations: int = _N_PERMUTATIONS,
    thresholds: float | Iterable[float] | None = None,
    seed: int | np.random.RandomState | None = None,
    statfun: Callable[[Any], np.ndarray] | None = None,
    shift: int = 0,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return p-values, true discovery proportions and clusters of arrays.

    Replaces ``mne_ari.all_resolutions_inference`` and takes its arguments.

    Parameters
    ----------
    X : array-like of shape (n_subjects, n_times, n_vertices), or list of two of these
        The data: one sample, or two independent samples.

    alpha : float, default=0.05
        Error level.

    tail : {0, 1, -1, "two-sided", "greater", "less"}, default=0
        The direction of the test.

    ari_type : {"parametric", "permutation"}, default="parametric"
        Whether t distributions give the critical vector, with Simes' test, or permutations.

    adjacency : sparse matrix, graph, False or None, default=None
        Neighbours of the vertices, or of all elements in C order. None makes elements neighbours
        along each axis.

    n_permutations : int, default=10000
        Number of permutations, including the data as observed.

    thresholds : float, iterable of float or None, default=None
        Cluster-forming p-values, one or several. None takes all of them.

    seed : int, numpy.random.RandomState or None, default=None
        Seed of the permutations.

    statfun : callable or None, default=None
        Returns the p-values of the elements from the data, flattened to (n_subjects, n_elements).
        It gets a list of two of these for two samples. Only with ``ari_type="parametric"``.

    shift : int, default=0
        The parameter ``delta`` of the template. Only with ``ari_type="permutation"``.

    Returns
    -------
    p_values : ndarray of shape (n_times, n_vertices)
        P-values of the elements; 1 for elements without residual variance.

    tdp : ndarray of shape (n_times, n_vertices)
        The largest TDP of all clusters that an element is in, over all thresholds.

    clusters : list of ndarray of bool of shape (n_times, n_vertices)
        The largest clusters with a TDP of at least ``1 - alpha``.

    Raises
    ------
    TypeError
        If ``X`` does not hold real numbers, or ``thresholds`` no numbers.
    ValueError
        If a parameter is out of range or would have no effect. If ``X`` is masked, empty or
        without residual variance in all elements.

    Warns
    -----
    UserWarning
        If elements have no residual variance, such as the same value in all subjects. They are
        never a discovery.

    See Also
    --------
    spatio_temporal_cluster_1samp_test : The function of MNE-Python.

    Notes
    -----
    mne-ari tries a few thresholds. Here all thresholds count, at no cost. **The permutation type
    of mne-ari 0.1.2 has nearly no power**, and this one does: where all 60 of 60 elements can be
    found, mne-ari found a TDP of 0.18.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import all_resolutions_inference
    >>> X = np.random.default_rng(0).standard_normal((15, 40, 8))
    >>> X[:, 10:25, 2:5] += 2
    >>> p_values, tdp, clusters = all_resolutions_inference(X, ari_type="permutation", seed=0)
    >>> [int(cluster.sum()) for cluster in clusters]
    [46]
    """
    check_alpha(alpha)
    side = _side_of(tail)
    if ari_type not in ("parametric", "permutation"):
        raise ValueError(f"ari_type must be 'parametric' or 'permutation'. Got {ari_type!r}.")
    if ari_type == "parametric":
        refuse_unused(
            "with ari_type='parametric'",
            {
                "n_permutations": (n_permutations, _N_PERMUTATIONS),
                "seed": (seed, None),
                "shift": (shift, 0),
            },
        )
    elif statfun is not None:
        raise ValueError(
            "statfun must be None with ari_type='permutation', which tests t. Got a function."
        )
    heights = _heights_in(thresholds)
    data, design, contrast, shape = _read(X)
    graph = space_time_graph(adjacency, shape)
    if statfun is not None:
        refuse_unused("with a statfun, which gives the p-values", {"tail": (side, 0)})
        given = [data[design[:, k] == 1] for k in range(2)] if design.shape[1] == 2 else data
        p_values = _p_values_of(statfun, given, shape)
        options: dict[str, Any] = {"stat_type": "p", "alpha": alpha, "adjacency": graph}
        tdp, clusters = _found(p_values[np.newaxis], options, None, heights)
        return p_values, tdp, clusters
    calibration = None
    contrast = -contrast if side < 0 else contrast
    df = len(data) - design.shape[1]
    if ari_type == "permutation":
        calibration = PermutationCalibration(
            n_permutations=n_permutations, random_state=seed, delta=shift, verbose=0
        ).fit(data, design, contrast, alpha=alpha, two_sided=side == 0)
        t, is_constant = calibration.statistic_, calibration.is_constant_
    else:
        t, is_constant = _t_of(data, design, contrast)
        warn_of_constant(is_constant)
    p_values = stats.t.sf(np.abs(t) if side == 0 else t, df) * (2 if side == 0 else 1)
    p_values[is_constant] = 1
    options = {
        "stat_type": "t",
        "df": df,
        "two_sided": side == 0,
        "alpha": alpha,
        "adjacency": graph,
    }
    tdp, clusters = _found(t.reshape(1, *shape), options, calibration, heights)
    return p_values.reshape(shape), tdp, clusters


def _read(X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, ...]]:
    """Return flat data, a design, a contrast, and the shape of a map."""
    refuse_masked(X, "X", "Leave their elements out for all subjects.")
    samples = [np.asarray(one) for one in (X if isinstance(X, (list, tuple)) else [X])]
    if len(samples) not in (1, 2) or any(one.ndim < 2 for one in samples):
        raise ValueError(
            "X must be an array of shape (n_subjects, n_times, n_vertices), or a list of two of "
            f"these. Got {[one.shape for one in samples[:3]]}."
        )
    if sum(map(len, samples)) <= len(samples):
        raise ValueError(
            "X must have more subjects than samples, for a variance. Got "
            f"{[one.shape for one in samples]}."
        )
    for one in samples:
        if one.dtype.kind not in "biuf":
            raise TypeError(f"X must hold real numbers. Got an array of {one.dtype}.")
        if one.size == 0:
            raise ValueError(
                f"X must have subjects and elements in each sample. Got shape {one.shape}."
            )
    shapes = {one.shape[1:] for one in samples}
    if len(shapes) > 1:
        raise ValueError(f"Both samples of X must have maps of one shape. Got {sorted(shapes)}.")
    (shape,) = shapes
    data = np.concatenate([one.reshape(len(one), -1) for one in samples])
    number = np.repeat(np.arange(len(samples)), [len(one) for one in samples])
    design = (number[:, np.newaxis] == np.arange(len(samples))).astype(float)
    return data, design, np.array([1.0, -1.0])[: len(samples)], shape


def _side_of(tail: Any) -> int:
    """Return the direction of the test: 1, 0 for both, or -1."""
    is_named = isinstance(tail, (int, str, float, np.generic)) and not isinstance(tail, bool)
    if not is_named or tail not in _TAILS:
        raise ValueError(f"tail must be one of {list(_TAILS)}. Got {tail!r}.")
    return _TAILS[tail]


def _heights_in(thresholds: Any) -> tuple[float, ...] | None:
    """Return the cluster-forming p-values; None for all of them."""
    if thresholds is None:
        return None
    given = list(thresholds) if isinstance(thresholds, Iterator) else thresholds
    heights = numbers_in(given, "thresholds", " in (0, 1], or None for all p-values")
    are_numbers = all(isinstance(p, Real) and not isinstance(p, bool) for p in heights)
    if not are_numbers or not all(0 < float(p) <= 1 for p in heights):
        raise ValueError(f"thresholds must hold p-values in (0, 1]. Got {thresholds!r}.")
    return tuple(map(float, heights))


def _p_values_of(
    statfun: Callable[[Any], np.ndarray], given: Any, shape: tuple[int, ...]
) -> np.ndarray:
    """Return the p-values that a function of the user computes, in the shape of a map."""
    p_values = statfun(given)
    refuse_masked(p_values, "The p-values of statfun", "NaN leaves an element out.")
    p_values = np.asarray(p_values)
    n_elements = math.prod(shape)
    if p_values.size != n_elements:
        raise ValueError(
            f"statfun must return a p-value for each of the {n_elements} elements. Got shape "
            f"{p_values.shape}."
        )
    return p_values.reshape(shape)


def _t_of(
    data: np.ndarray, design: np.ndarray, contrast: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return t values, and which elements have no residual variance: their t value is 0.

    The columns of the design are indicators of the samples.
    """
    data = data.astype(np.float64, copy=False)
    is_constant = constant_elements(data, find_contrast(design, contrast))
    if is_constant.all():
        raise ValueError(
            f"X must vary. Got no residual variance in any of the {is_constant.size} elements."
        )
    sizes = design.sum(axis=0)
    means = design.T @ data / sizes[:, np.newaxis]
    residuals = data - design @ means
    df = len(data) - sizes.size
    variance = (residuals**2).sum(axis=0) / df * (contrast**2 / sizes).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (contrast @ means) / np.sqrt(variance)
    return np.where(is_constant, 0, t), is_constant


def _found(
    maps: np.ndarray,
    options: dict[str, Any],
    calibration: PermutationCalibration | None,
    heights: tuple[float, ...] | None,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the largest TDP at each element, and the largest clusters with a high TDP."""
    options = {**options, "verbose": 0}

    def fitted(transformer: Any) -> np.ndarray:
        return np.asarray(transformer.fit_transform(maps, calibration=calibration))[0]

    if heights is None:
        tdp = fitted(AdaptiveTDPTransformer(None, **options))
    else:
        own = [
            fitted(ClusterTDPTransformer(height, threshold_scale="p", **options))
            for height in heights
        ]
        tdp = np.max(own, axis=0)
    is_found = tdp >= 1 - options["alpha"]
    sides = [is_found]
    if options.get("two_sided"):
        sides = [is_found & (maps[0] > 0), is_found & (maps[0] < 0)]
    clusters = [one for side in sides for one in _components(side, options["adjacency"])]
    return tdp, sorted(clusters, key=np.count_nonzero, reverse=True)


def _components(is_found: np.ndarray, graph: Graph) -> list[np.ndarray]:
    """Return the clusters of elements of one sign with a high TDP.

    Two clusters of one sign, each at its own threshold, are nested or do not touch. So the largest
    clusters with a high TDP are connected components.
    """
    labels, n_clusters = graph.components(is_found.ravel())
    return [(labels == number).reshape(is_found.shape) for number in range(1, n_clusters + 1)]
