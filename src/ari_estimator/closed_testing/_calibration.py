"""A calibrated template: its parameter, its critical vector, and how it is stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._joint_template import JointTemplate
from ari_estimator.closed_testing._lambda import (
    check_lambda,
    lambda_at,
    lambda_interval,
)
from ari_estimator.closed_testing._make_template import template_from_arrays
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._template import Template
from ari_estimator.files._stored_array import stored_array

_KIND = "calibration"

# Prefix of the names of a template's arrays.
_PREFIX = "template_"

_MEMBERS = (
    "alpha", "lambda_", "pivotal_statistics", "single_step_statistics", "raised_statistics",
    "n_steps", "is_exhaustive", f"{_PREFIX}*",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """A calibrated template: the largest parameter whose thresholds hold at a level.

    Attributes
    ----------
    template : Template
        The template.

    alpha : float
        Error level.

    lambda_ : float
        Parameter of the template.

    pivotal_statistics : ndarray of shape (n_permutations,)
        The largest parameter at which no p-value of a permutation is below its threshold, for each
        permutation. With step-down, only remaining elements count. The first one is of the data
        as observed.

    single_step_statistics : ndarray of shape (n_permutations,)
        The same for all elements.

    raised_statistics : ndarray of shape (n_permutations,)
        The pivotal statistics after p-values are raised by one part in ten billion, which is more
        than rounding. A permutation has a p-value at or below one of the thresholds of
        ``critical_vector`` if this number is below ``template.limit(lambda_)``, which is lambda
        or, where rounding can disturb the order of inverses, a little less.

    n_steps : int
        Number of steps; 1 without step-down.

    is_exhaustive : bool
        Whether all possible permutations were taken. The parameter then has no Monte Carlo error.

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
    raised_statistics: np.ndarray
    n_steps: int = 1
    is_exhaustive: bool = False

    def __repr__(self) -> str:
        steps = f", n_steps={self.n_steps}" if self.n_steps > 1 else ""
        return (
            f"Calibration(template={self.template!r}, alpha={self.alpha:g}, "
            f"lambda_={self.lambda_:.6g}, n_permutations={self.n_permutations}{steps})"
        )

    @property
    def parts(self) -> tuple[Calibration, ...]:
        """The calibrations of all templates: this one only."""
        return (self,)

    @property
    def n_elements(self) -> int:
        """Number of elements."""
        return self.template.n_elements

    @property
    def n_permutations(self) -> int:
        """Number of permutations, including the data as observed."""
        return self.pivotal_statistics.size

    @cached_property
    def critical_vector(self) -> CriticalVector:
        """The critical vector, which gives the bounds of all sets."""
        return CriticalVector._of_checked(self.template.thresholds_of_data(self.lambda_))

    def lambda_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return an interval for the parameter that all permutations would give.

        Another seed gives other permutations and another parameter; the interval shows how much it
        may differ. After step-down, the interval refers to the last step, given the excluded
        elements.

        Parameters
        ----------
        confidence : float, default=0.95
            Minimum probability that the interval contains the parameter.

        Returns
        -------
        low, high : float
            The ends; both are ``lambda_`` if all permutations were taken. The lower end is minus
            infinity if there are too few permutations.

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

    def at_lambda(self, lambda_: float | np.ndarray) -> CriticalVector:
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
        lambda_ = float(lambda_)
        if lambda_ == -math.inf:
            return CriticalVector._of_checked(np.zeros(self.template.k_max))
        return CriticalVector._of_checked(self.template.thresholds_of_data(lambda_))

    def joint_error_rate(self) -> float:
        """Return the proportion of permutations with a p-value below its threshold.

        Returns
        -------
        joint_error_rate : float
            At most alpha. A p-value that equals its threshold, except for rounding, is not below.
        """
        return float(self._is_beyond.mean())

    @property
    def _is_beyond(self) -> np.ndarray:
        """Whether each permutation has a p-value at or below a threshold of the critical vector."""
        # Several permutations may have the statistic lambda, and rounding may put some of them
        # below it. The thresholds leave room for that, and so must this comparison.
        return np.asarray(self.raised_statistics < self.template.limit(self.lambda_))

    def at(self, alpha: float) -> Calibration:
        """Return the calibration at another level, from the same permutations.

        Parameters
        ----------
        alpha : float
            Error level, at least ``1 / n_permutations``.

        Returns
        -------
        calibration : Calibration
            This calibration itself if it already has that level.

        Raises
        ------
        ValueError
            After step-down, which excludes other elements at other levels; or if alpha is below
            ``1 / n_permutations``.
        """
        check_alpha(alpha)
        if alpha == self.alpha:
            return self
        if self.n_steps > 1:
            raise ValueError(
                f"alpha must be {self.alpha!r} after step-down, which excludes other elements at "
                f"other levels. Got {alpha!r}. Calibrate again at that level."
            )
        statistics = self.single_step_statistics
        return Calibration(
            self.template,
            float(alpha),
            lambda_at(statistics, alpha),
            statistics,
            statistics,
            self.raised_statistics,
            is_exhaustive=self.is_exhaustive,
        )

    @cached_property
    def _sorted_statistics(self) -> np.ndarray:
        return np.sort(self.single_step_statistics)

    def _significance(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        """Return the template's inverse; inf where it has no threshold."""
        inverse = np.full(p_values.size, np.inf)
        has_threshold = ranks <= self.template.k_max
        inverse[has_threshold] = self.template.raised_inverse(
            ranks[has_threshold], p_values[has_threshold]
        )
        return inverse

    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        """Return the smallest level at which each significance is below the parameter."""
        n_smaller = np.searchsorted(self._sorted_statistics, significances, side="right")
        # The data as observed must be among them, even after rounding.
        return np.asarray(np.maximum(n_smaller, 1) / self.n_permutations)

    def _described(self) -> tuple[dict[str, Any], str, list[str]]:
        """Return values, a sentence and references for a description."""
        template = self.template
        values: dict[str, Any] = {
            "Template": template.in_words,
            "Delta": template.delta,
            "KMax": template.k_max,
            "NumberOfSteps": self.n_steps,
            "Lambda": self.lambda_,
            "LambdaInterval": list(self.lambda_interval()),
        }
        if isinstance(template, JointTemplate):
            values["LambdaOfEach"] = template.parameters(self.lambda_)
        sentence = (
            f"The critical vector follows the template “{template.in_words}” ({template.cited})."
        )
        return values, sentence, list(template.references)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the calibration to a file.

        Parameters
        ----------
        path : str or PathLike
            Name of the file, usually ending in ``.npz``. An existing file is replaced.
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
            If it is another kind of file, or damaged. The message names it.
        """
        return load_archive(path, _KIND, cls.from_arrays, members=_MEMBERS)

    def to_arrays(self) -> dict[str, object]:
        """Return the calibration as arrays. It can be restored from them.

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
        """Restore a calibration from arrays.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The result of :meth:`to_arrays`; other arrays are ignored.

        Returns
        -------
        calibration : Calibration
            The calibration.

        Raises
        ------
        ValueError
            If arrays are missing, malformed or contradict each other.
        """
        of_template = {
            name.removeprefix(_PREFIX): array
            for name, array in arrays.items()
            if name.startswith(_PREFIX)
        }
        last = stored_array(arrays, "pivotal_statistics", "f", (None,))
        first = stored_array(arrays, "single_step_statistics", "f", last.shape)
        raised = stored_array(arrays, "raised_statistics", "f", last.shape)
        calibration = cls(
            template_from_arrays(of_template),
            stored_array(arrays, "alpha", "f").item(),
            stored_array(arrays, "lambda_", "f").item(),
            last,
            first,
            raised,
            stored_array(arrays, "n_steps", "i").item(),
            stored_array(arrays, "is_exhaustive", "b").item(),
        )
        check_lambda(calibration.lambda_, first, last, calibration.alpha, calibration.n_steps)
        if not (raised >= last).all():
            raise ValueError("raised_statistics must be at least as large as pivotal_statistics.")
        return calibration
