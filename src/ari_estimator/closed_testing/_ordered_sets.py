"""Sorted p-values of sets, one set after another. The p-values of sets follow from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._checks import check_labels, check_subset
from ari_estimator.closed_testing._rational import simplest_fraction


def one_set(p_values: np.ndarray, subset: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-values of one set in ascending order, and the size of the set.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values.

    subset : array-like of int or bool
        Indices, or a mask of shape (n_elements,); not empty.

    Returns
    -------
    q : ndarray of shape (n,)
        P-values of the set.

    sizes : ndarray of int of shape (1,)
        ``n``.
    """
    q = np.sort(p_values[check_subset(subset, p_values.size, name="subset")])
    if q.size == 0:
        raise ValueError("subset is empty: it has no p-value.")
    return q, np.array([q.size])


def sets_by_label(
    p_values: np.ndarray,
    order: np.ndarray,
    labels: ArrayLike,
    n_labels: int | None,
    subset: ArrayLike | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-values of all sets of a labelling, and the sizes of the sets.

    Parameters
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values.

    order : ndarray of int of shape (n_elements,)
        Indices that sort them.

    labels : array-like of int of shape (n,)
        The set of each element, or of each entry of the subset.

    n_labels : int or None
        Number of sets; None stands for one more than the largest label.

    subset : array-like of int or bool, or None
        Indices. An index may be repeated with other labels, so that sets may overlap. None
        stands for every element.

    Returns
    -------
    q : ndarray of shape (n,)
        P-values of the first set in ascending order, then of the second set, and so on.

    sizes : ndarray of int of shape (n_labels,)
        Number of p-values of each set.
    """
    m = p_values.size
    ranks = np.empty(m, dtype=np.intp)
    ranks[order] = np.arange(m)
    if subset is not None:
        ranks = ranks[check_subset(subset, m, name="subset", repeated=True)]
    labels, n_labels = check_labels(
        labels, ranks.size, n_labels, each="element" if subset is None else "entry of subset"
    )
    # One number for label and rank sorts several times as fast as a pair.
    labels = labels.astype(np.intp, copy=False)
    key = np.sort(labels * m + ranks)
    if (key[1:] == key[:-1]).any():
        raise ValueError("subset must not name an element twice with the same label.")
    sizes = np.bincount(labels, minlength=n_labels)
    key -= np.repeat(np.arange(n_labels) * m, sizes)
    return p_values[order[key]], sizes


def passed_over(sizes: np.ndarray, tdp: float) -> np.ndarray:
    """Return the number of elements of each set that a true discovery proportion stands for.

    Parameters
    ----------
    sizes : ndarray of int of shape (n_sets,)
        Sizes of the sets.

    tdp : float
        The proportion, in [0, 1].

    Returns
    -------
    numbers : ndarray of int of shape (n_sets,)
        ``floor(tdp * n)`` for a set of ``n`` elements, in exact arithmetic.

    Raises
    ------
    ValueError
        If the proportion is not in [0, 1].
    """
    if not 0 <= tdp <= 1:
        raise ValueError(f"tdp must be in [0, 1]. Got {tdp!r}.")
    allowed = simplest_fraction(float(tdp))
    # Python integers do not overflow: an odd tdp has a large denominator.
    return (sizes.astype(object) * allowed.numerator // allowed.denominator).astype(np.intp)


def smallest_beyond(
    q: np.ndarray,
    sizes: np.ndarray,
    n_allowed: np.ndarray,
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest statistic of each set, after passing over some of its p-values.

    Parameters
    ----------
    q : ndarray of shape (n,)
        P-values of sets that follow each other, each ascending.

    sizes : ndarray of int of shape (n_sets,)
        Their sizes.

    n_allowed : ndarray of int of shape (n_sets,)
        How many of the smallest p-values of each set are passed over, ``k``; at most its size.

    statistic : callable
        Called with numbers ``u = 1, 2, ...`` and p-values ``q_(k+u)``.

    Returns
    -------
    asked : ndarray of int of shape (n_asked,)
        The sets with a remaining p-value.

    statistics : ndarray of shape (n_asked,)
        Their smallest statistics.
    """
    n_beyond = sizes - n_allowed
    # Numbers 1, 2, ..., n_beyond at the end of each set, and 0 or less before them.
    u = np.arange(1, q.size + 1) - np.repeat(np.cumsum(sizes) - n_beyond, sizes)
    beyond = u >= 1
    asked = np.flatnonzero(n_beyond)
    starts = (np.cumsum(n_beyond) - n_beyond)[asked]
    return asked, np.minimum.reduceat(statistic(u[beyond], q[beyond]), starts)
