"""Calibration of a template by the p-values of permutations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._lambda import (
    check_lambda,
    lambda_at,
    lambda_interval,
    lambda_rank,
)
from ari_estimator.closed_testing._learned_template import refuse_shared
from ari_estimator.closed_testing._p_value_matrix import check_p_value_matrix, smallest_in_rows
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._template import Template
from ari_estimator.closed_testing._templates import make_template, template_class
from ari_estimator.files._stored_array import stored_array

_KIND = "calibration"

# Of the names of what a template is made of, among arrays.
_PREFIX = "template_"

_MEMBERS = (
    "alpha", "lambda_", "pivotal_statistics", "single_step_statistics", "n_steps", "is_exhaustive",
    f"{_PREFIX}*",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """A template at the largest parameter whose thresholds hold on all but a few permutations.

    Attributes
    ----------
    template : Template
        The template.

    alpha : float
        Error level.

    lambda_ : float
        Parameter of the template.

    pivotal_statistics : ndarray of shape (n_permutations,)
        For each permutation the largest parameter at which no p-value is below its threshold;
        with step-down of the elements that are left. The first is of the data as observed.

    single_step_statistics : ndarray of shape (n_permutations,)
        The same of all elements.

    n_steps : int
        How often statistics were computed; 1 without step-down.

    is_exhaustive : bool
        Whether the permutations are all that there are, so that the parameter has no Monte Carlo
        error.

    See Also
    --------
    calibrate : From a matrix of p-values.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import calibrate
    >>> p_values = np.random.default_rng(0).random((100, 50))  # a row for each permutation
    >>> calibration = calibrate(p_values, alpha=0.1)
    >>> calibration.n_permutations, round(calibration.lambda_, 3)
    (100, 0.07)
    >>> calibration.joint_error_rate() <= 0.1
    True
    >>> calibration.at(0.2).lambda_ > calibration.lambda_
    True
    """

    template: Template
    alpha: float
    lambda_: float
    pivotal_statistics: np.ndarray
    single_step_statistics: np.ndarray
    n_steps: int = 1
    is_exhaustive: bool = False

    def __repr__(self) -> str:
        steps = f", n_steps={self.n_steps}" if self.n_steps > 1 else ""
        return (
            f"Calibration(template={self.template!r}, alpha={self.alpha:g}, "
            f"lambda_={self.lambda_:.6g}, n_permutations={self.n_permutations}{steps})"
        )

    @property
    def n_permutations(self) -> int:
        """Number of permutations, including the data as observed."""
        return self.pivotal_statistics.size

    @cached_property
    def critical_vector(self) -> CriticalVector:
        """The critical vector that the bounds of all sets are computed from."""
        return CriticalVector._of_checked(self.template.critical_thresholds(self.lambda_))

    def lambda_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return an interval for the parameter that all permutations would give.

        Another seed gives other permutations and another parameter. The interval says by how much
        it may differ. After step-down it is of the last step, given the elements that were left
        out.

        Parameters
        ----------
        confidence : float, default=0.95
            Probability that the interval holds the parameter, at least.

        Returns
        -------
        low, high : float
            The ends; both are ``lambda_`` if all permutations were taken. The lower end is minus
            infinity if there are too few permutations for one.

        Raises
        ------
        ValueError
            If ``confidence`` is not between 0 and 1.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence must be between 0 and 1. Got {confidence!r}.")
        if self.is_exhaustive:
            return self.lambda_, self.lambda_
        return lambda_interval(self.pivotal_statistics, self.alpha, confidence)

    def at_lambda(self, lambda_: float) -> CriticalVector:
        """Return the critical vector at another parameter, such as an end of the interval.

        Parameters
        ----------
        lambda_ : float
            The parameter; minus infinity for thresholds of 0.

        Returns
        -------
        critical_vector : CriticalVector
            The critical vector.
        """
        if lambda_ == -math.inf:
            return CriticalVector._of_checked(np.zeros(self.template.k_max))
        return CriticalVector._of_checked(self.template.critical_thresholds(lambda_))

    def joint_error_rate(self) -> float:
        """Return the share of permutations that have p-values below their threshold.

        Returns
        -------
        joint_error_rate : float
            At most alpha.
        """
        return float((self.pivotal_statistics < self.lambda_).mean())

    def at(self, alpha: float) -> Calibration:
        """Return the calibration at another level, from the same permutations.

        Parameters
        ----------
        alpha : float
            Error level, at least ``1 / n_permutations``.

        Returns
        -------
        calibration : Calibration
            This one if it is of that level.

        Raises
        ------
        ValueError
            After step-down, which leaves other elements at other levels; or if alpha is
            below ``1 / n_permutations``.
        """
        check_alpha(alpha)
        if alpha == self.alpha:
            return self
        if self.n_steps > 1:
            raise ValueError(
                f"alpha must be {self.alpha!r}, at which step-down left some elements out; at "
                f"other levels it leaves out others. Got {alpha!r}: calibrate at that level."
            )
        statistics = self.single_step_statistics
        return Calibration(
            self.template,
            float(alpha),
            lambda_at(statistics, alpha),
            statistics,
            statistics,
            is_exhaustive=self.is_exhaustive,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the calibration to a file.

        Parameters
        ----------
        path : str or PathLike
            Name of the file, as a rule with the ending ``.npz``; replaced if it is there.
        """
        save_arrays(path, _KIND, self.to_arrays())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Calibration:
        """Read a calibration from a file.

        Parameters
        ----------
        path : str or PathLike
            Name of a file that :meth:`save` has written.

        Returns
        -------
        calibration : Calibration
            The calibration.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is another file, or a damaged one. It is named.
        """
        return load_archive(path, _KIND, cls.from_arrays, members=_MEMBERS)

    def to_arrays(self) -> dict[str, object]:
        """Return what the calibration can be made from again.

        Returns
        -------
        arrays : dict
            Arrays, numbers and strings.
        """
        own = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name != "template"
        }
        template = {"name": self.template.name, **self.template.to_arrays()}
        return own | {_PREFIX + name: value for name, value in template.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Calibration:
        """Return the calibration that was made into arrays.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            What :meth:`to_arrays` gave; others may be among them.

        Returns
        -------
        calibration : Calibration
            The calibration.

        Raises
        ------
        ValueError
            If they are no such arrays, or contradict each other.
        """
        of_template = {
            name.removeprefix(_PREFIX): array
            for name, array in arrays.items()
            if name.startswith(_PREFIX)
        }
        name = stored_array(of_template, "name", "U").item()
        last = stored_array(arrays, "pivotal_statistics", "f", (None,))
        first = stored_array(arrays, "single_step_statistics", "f", last.shape)
        calibration = cls(
            template_class(name).from_arrays(of_template),
            stored_array(arrays, "alpha", "f").item(),
            stored_array(arrays, "lambda_", "f").item(),
            last,
            first,
            stored_array(arrays, "n_steps", "i").item(),
            stored_array(arrays, "is_exhaustive", "b").item(),
        )
        check_lambda(calibration.lambda_, first, last, calibration.alpha, calibration.n_steps)
        return calibration


def step_down(
    pivots_of: Callable[[np.ndarray | None], np.ndarray],
    p_values: np.ndarray,
    template: Template,
    alpha: float,
    *,
    enabled: bool = True,
    is_exhaustive: bool = False,
) -> Calibration:
    """Calibrate a template, and again on the elements that are left.

    Parameters
    ----------
    pivots_of : callable
        Returns the pivotal statistics, an array of shape (n_permutations,), of the elements
        that a mask of shape (n_elements,) keeps, by the unchanged template; of all for None.

    p_values : ndarray of shape (n_elements,)
        P-values of the data as observed.

    template : Template
        The template.

    alpha : float
        Error level, at least ``1 / n_permutations``.

    enabled : bool, default=True
        Whether to go on after the first step.

    is_exhaustive : bool, default=False
        Whether the permutations are all that there are.

    Returns
    -------
    calibration : Calibration
        The calibration.

    Notes
    -----
    If the thresholds hold, no true null has a p-value below the first threshold. So the elements
    with such p-values are all false, and calibration can do without them. The elements that are
    left allow for larger thresholds, which may leave out more elements, until nothing changes
    [1]_ [2]_. The thresholds of each step are no larger than thresholds that are calibrated on the
    true nulls alone. If these hold, all steps hold. So the steps together have the error rate of a
    single one.

    References
    ----------
    .. [1] Romano JP, Wolf M (2005). Exact and approximate stepdown methods for multiple
       hypothesis testing. Journal of the American Statistical Association 100, 94-108.
    .. [2] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    """
    single_step = statistics = pivots_of(None)
    lambda_ = lambda_at(statistics, alpha)
    n_steps = 1
    keep = np.ones(p_values.size, dtype=bool)
    while enabled:
        still = keep & (p_values > template.critical_thresholds(lambda_)[0])
        if still.sum() in (0, keep.sum()):
            break
        keep = still
        statistics = pivots_of(keep)
        # Fewer elements have larger p-values at each rank. Only rounding could lower it.
        lambda_ = max(lambda_, lambda_at(statistics, alpha))
        n_steps += 1
    return Calibration(
        template, float(alpha), lambda_, statistics, single_step, n_steps, is_exhaustive
    )


def calibrate(
    p_values: ArrayLike,
    alpha: float = 0.05,
    *,
    template: str | Template = "simes",
    k_max: int | None = None,
    delta: int = 0,
    step_down: bool = False,
    allow_shared_data: bool = False,
) -> Calibration:
    """Calibrate a template by the p-values of permutations.

    Parameters
    ----------
    p_values : array-like of shape (n_permutations, n_elements)
        P-values of each permutation. The first row is the data as observed.

    alpha : float, default=0.05
        Error level, at least ``1 / n_permutations``.

    template : {"simes", "aorc", "beta", "higher_criticism", "power"} or Template, \
default="simes"
        Shape of the thresholds.

    k_max : int, optional
        Number of thresholds; by default as many as the template has.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets. The others are larger: sets
        with few discoveries are given up for sets with many.

    step_down : bool, default=False
        Whether elements below the first threshold are left out and the others calibrated
        again, until there are no more of them.

    allow_shared_data : bool, default=False
        Whether a learned template may be calibrated on permutations that it was learned from.

    Returns
    -------
    calibration : Calibration
        The calibration.

    Raises
    ------
    TypeError
        If ``k_max`` or ``delta`` is no integer, or the template is none.
    ValueError
        If the p-values are not such a matrix, if alpha is below ``1 / n_permutations``, if the
        template does not go with them, or was learned from them.

    Notes
    -----
    The pivotal statistic of permutation ``b`` is the largest lambda at which none of its sorted
    p-values is below its threshold, the minimum over ranks of the template's inverse. Lambda is
    the ``floor(alpha B) + 1``-th smallest of them, so that at most ``alpha B`` permutations
    have a p-value below its threshold. If the joint distribution of the p-values of true nulls
    is the same under permutation, then with probability at least ``1 - alpha`` none of these
    is below its threshold in the data as observed, which are one of the permutations
    [1]_ [2]_ [3]_.

    References
    ----------
    .. [1] Hemerik J, Solari A, Goeman JJ (2019). Permutation-based simultaneous confidence
       bounds for the false discovery proportion. Biometrika 106, 635-649.
    .. [2] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    .. [3] Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true
       discovery proportions for functional magnetic resonance imaging cluster analysis.
       Statistics in Medicine 42, 2311-2340.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import calibrate
    >>> p_values = np.random.default_rng(0).random((100, 500))
    >>> p_values[0, :50] *= 1e-5
    >>> calibration = calibrate(p_values, alpha=0.05)
    >>> calibration.critical_vector.true_discoveries(p_values[0, :60])
    50
    """
    p_values = check_p_value_matrix(p_values, n_rows=2)
    lambda_rank(len(p_values), alpha)  # an alpha that is too small is refused before the work
    template = make_template(template, p_values.shape[1], k_max=k_max, delta=delta)
    if not allow_shared_data:
        refuse_shared(template, p_values)
    return _of_matrix(p_values, template, alpha, step_down)


def _of_matrix(
    p_values: np.ndarray, template: Template, alpha: float, is_step_down: bool
) -> Calibration:
    def pivots_of(keep: np.ndarray | None) -> np.ndarray:
        return pivotal_statistics(p_values, template, keep)

    observed = p_values[0].astype(np.float64)
    return step_down(pivots_of, observed, template, alpha, enabled=is_step_down)


def pivotal_statistics(
    p_values: np.ndarray, template: Template, keep: np.ndarray | None = None
) -> np.ndarray:
    """Return the pivotal statistics of permutations.

    Parameters
    ----------
    p_values : ndarray of shape (n_permutations, n_elements)
        P-values.

    template : Template
        The template.

    keep : ndarray of bool of shape (n_elements,), optional
        Which elements are left; by default all. At least one.

    Returns
    -------
    statistics : ndarray of shape (n_permutations,)
        For each permutation the largest parameter at which no p-value is below its threshold.
    """
    ranks = np.arange(1, template.k_max + 1)
    blocks = [
        template.inverse(ranks[: smallest.shape[1]], smallest).min(axis=1)
        for smallest in smallest_in_rows(p_values, template.k_max, keep)
    ]
    return np.concatenate(blocks)
