"""The template that is learned from the p-values of permutations."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._p_value_matrix import check_p_value_matrix, smallest_in_rows
from ari_estimator.closed_testing._sketches import n_shared, sketches
from ari_estimator.closed_testing._template import Template, check_count
from ari_estimator.files._stored_array import stored_array

_KIND = "learned template"


class LearnedTemplate(Template):
    """Nested curves of sorted p-values, learned from permutations of other data.

    Parameters
    ----------
    curves : array-like of shape (n_curves, k_max)
        Numbers from 0 to 1 that decrease neither along a curve nor from one curve to the next.

    n_elements : int
        Number of elements, ``m``, at least ``k_max``.

    subjects : array-like of shape (n_subjects, n_numbers), optional
        Sketches of the data that the curves were learned from. They identify these data later.

    Attributes
    ----------
    curves : ndarray of shape (n_curves, k_max)
        The curves, from low to high.

    n_curves : int
        Number of curves.

    subjects : ndarray of float32 of shape (n_subjects, n_numbers)
        Sketches of the data that the curves were learned from; no rows if they are not known.

    Raises
    ------
    ValueError
        If the curves hold other numbers, decrease, or have more ranks than elements.

    Notes
    -----
    The p-values of each training permutation are sorted. Then the p-values of each rank are sorted
    across permutations. At every rank, curve ``j`` is about the quantile of the p-value at level
    ``j / n_curves``. The thresholds at lambda = j are this curve [1]_. At lambda = 0 they are 0.

    Learn the curves from other data than you calibrate them on. Otherwise they follow the p-values
    that they must bound, and the joint error rate is not controlled.

    References
    ----------
    .. [1] Blain A, Thirion B, Neuvial P (2022). Notip: Non-parametric true discovery proportion
       control for brain imaging. NeuroImage 260, 119492.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import LearnedTemplate
    >>> p_values = np.random.default_rng(0).random((100, 500))  # of permutations
    >>> LearnedTemplate.from_p_values(p_values, k_max=50)
    LearnedTemplate(n_elements=500, k_max=50, n_curves=100)
    """

    name = "learned"
    is_learned = True
    cited = "Blanchard et al., 2020; Blain et al., 2022; Andreella et al., 2023"
    references = (
        *Template.references,
        "Blain A, Thirion B, Neuvial P (2022). Notip: Non-parametric true discovery proportion "
        "control for brain imaging. NeuroImage 260, 119492.",
    )

    def __init__(
        self, curves: ArrayLike, n_elements: int, *, subjects: ArrayLike | None = None
    ) -> None:
        self.curves = check_p_value_matrix(curves, name="curves", each="curve", of="rank").astype(
            np.float64
        )
        if (np.diff(self.curves, axis=0) < 0).any() or (np.diff(self.curves, axis=1) < 0).any():
            raise ValueError(
                "curves must decrease neither along a curve nor from one curve to the next."
            )
        self.k_max = self.curves.shape[1]
        self.n_elements = check_count(
            n_elements,
            name="n_elements",
            smallest=self.k_max,
            largest=2**31 - 1,
            why=f", as curves have {self.k_max} ranks",
        )
        self.delta = 0
        self.subjects = np.zeros((0, 0) if subjects is None else np.shape(subjects), np.float32)
        if subjects is not None:
            self.subjects[:] = subjects

    def __repr__(self) -> str:
        return (
            f"LearnedTemplate(n_elements={self.n_elements}, k_max={self.k_max}, "
            f"n_curves={self.n_curves})"
        )

    @classmethod
    def from_p_values(cls, p_values: ArrayLike, k_max: int = 1000) -> LearnedTemplate:
        """Learn the template from p-values of permutations.

        Parameters
        ----------
        p_values : array-like of shape (n_permutations, n_elements)
            P-values of training data.

        k_max : int, default=1000
            Number of ranks, limited to the number of elements.

        Returns
        -------
        template : LearnedTemplate
            The template. It stores sketches of the rows of the matrix.

        Raises
        ------
        ValueError
            If the p-values are not a matrix of numbers from 0 to 1.
        """
        p_values = check_p_value_matrix(p_values)
        k_max = check_count(k_max, name="k_max", smallest=1, largest=2**31 - 1)
        smallest = np.concatenate(list(smallest_in_rows(p_values, k_max)))
        return cls.from_smallest(smallest, p_values.shape[1], subjects=sketches(p_values))

    @classmethod
    def from_smallest(
        cls, smallest: ArrayLike, n_elements: int, *, subjects: ArrayLike | None = None
    ) -> LearnedTemplate:
        """Learn the template from the smallest p-values of permutations.

        Parameters
        ----------
        smallest : array-like of shape (n_permutations, k_max)
            The smallest p-values of each permutation, in ascending order.

        n_elements : int
            Number of elements, ``m``.

        subjects : array-like of shape (n_subjects, n_numbers), optional
            Sketches of the data that the p-values come from.

        Returns
        -------
        template : LearnedTemplate
            The template.

        Raises
        ------
        ValueError
            If a row is not in ascending order.
        """
        smallest = check_p_value_matrix(smallest, name="smallest", of="rank")
        if (np.diff(smallest, axis=1) < 0).any():
            raise ValueError("smallest must be in ascending order in each row.")
        return cls(np.sort(smallest, axis=0), n_elements, subjects=subjects)

    @property
    def n_curves(self) -> int:
        """Number of curves."""
        return len(self.curves)

    @property
    def learned_from(self) -> list[np.ndarray]:
        """Sketches of the data that the curves were learned from, where they are known."""
        return [self.subjects] if len(self.subjects) else []

    def _curve_points(self, rank: int, p_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # A parameter above j takes curve j + 1. At the last curve, the template sets no limit.
        thresholds = np.append(self.curves[:, rank - 1], 1.0)
        return np.arange(self.n_curves + 1.0), thresholds

    def cut(self, k_max: int) -> LearnedTemplate:
        k_max = check_count(k_max, name="k_max", smallest=1, largest=self.k_max)
        return LearnedTemplate(self.curves[:, :k_max], self.n_elements, subjects=self.subjects)

    def thresholds(self, lambda_: float) -> np.ndarray:
        if not 0 <= lambda_ <= self.n_curves:
            raise ValueError(f"lambda_ must be from 0 to n_curves={self.n_curves}. Got {lambda_}.")
        # A lambda between two integers counts as the higher one.
        number = int(np.ceil(lambda_))
        return self.curves[number - 1].copy() if number else np.zeros(self.k_max)

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        ranks, p_values = np.broadcast_arrays(ranks, p_values)
        column = ranks - 1
        # Bisection in the columns of all ranks at once. The first `low` curves are known to be
        # at most p, and all beyond `high` to be above p.
        low = np.zeros(ranks.shape, dtype=np.intp)
        high = np.full(ranks.shape, self.n_curves, dtype=np.intp)
        for _ in range(self.n_curves.bit_length()):
            middle = (low + high + 1) // 2
            is_below = (self.curves[middle - 1, column] <= p_values) & (low < high)
            low = np.where(is_below, middle, low)
            high = np.where(is_below, high, np.maximum(middle - 1, low))
        return low.astype(float)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the template to a file.

        Parameters
        ----------
        path : str or PathLike
            Name of the file, usually ending in ``.npz``. An existing file is replaced.
        """
        save_arrays(path, _KIND, self.to_arrays())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> LearnedTemplate:
        """Read a template from a file.

        Parameters
        ----------
        path : str or PathLike
            Name of a file that :meth:`save` has written.

        Returns
        -------
        template : LearnedTemplate
            The template.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is another kind of file, or damaged. The message names it.
        """
        members = ("curves", "n_elements", "subjects")
        return load_archive(path, _KIND, cls.from_arrays, members=members)

    def to_arrays(self) -> dict[str, Any]:
        """Return the template as arrays. It can be restored from them.

        Returns
        -------
        arrays : dict of ndarray
            By name.
        """
        return {"curves": self.curves, "n_elements": self.n_elements, "subjects": self.subjects}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> LearnedTemplate:
        """Restore a template from arrays.

        Parameters
        ----------
        arrays : dict of ndarray
            The result of :meth:`to_arrays`.

        Returns
        -------
        template : LearnedTemplate
            The template.

        Raises
        ------
        ValueError
            If arrays are missing, malformed or contradict each other.
        """
        return cls(
            stored_array(arrays, "curves", "f", (None, None)),
            stored_array(arrays, "n_elements", "i").item(),
            subjects=stored_array(arrays, "subjects", "f", (None, None)),
        )


def refuse_shared(template: Template, data: ArrayLike) -> None:
    """Refuse to calibrate a template on data that it was learned from.

    Parameters
    ----------
    template : Template
        The template; only one that knows what it was learned from is refused.

    data : array-like of shape (n_rows, n_elements)
        The data to calibrate it on.

    Raises
    ------
    ValueError
        If they share rows, in any order and with any scale and sign.
    """
    if not template.learned_from:
        return
    rows = sketches(data)
    for subjects in template.learned_from:
        shared = n_shared(subjects, rows, template.n_elements)
        if shared:
            raise ValueError(
                "template was learned from data that it is to be calibrated on: "
                f"{shared} of the {len(subjects)} rows that it was learned from are among them, "
                "up to their scale and sign. It would follow the very p-values that it shall "
                "bound, and the joint error rate would not be controlled. Learn it from other "
                "subjects, or set allow_shared_data=True."
            )
