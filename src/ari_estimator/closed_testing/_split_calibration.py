"""Templates that share an error level: each is calibrated at its own part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._archive import load_archive, save_arrays
from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._joint_template import check_templates
from ari_estimator.closed_testing._level_weights import (
    check_level_weights,
    check_levels,
    weighted_levels,
    whole_p_values,
)
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.files._stored_array import stored_array

_KIND = "split calibration"

_MEMBERS = ("alpha", "weights", "part_*")


class SplitCalibration:
    """Several templates, each calibrated at its share of the error level.

    The critical vector is the pointwise maximum of the vectors of all templates.

    Parameters
    ----------
    parts : sequence of Calibration
        The calibration of each template, from the same permutations and after the same steps.

    weights : sequence of float
        The share of each template, positive numbers with sum 1.

    alpha : float
        Error level of all templates together.

    Attributes
    ----------
    parts : tuple of Calibration
        The calibrations. ``parts[j].alpha`` is the level that template j got.

    weights : tuple of float
        The shares.

    alpha : float
        Error level of all templates together.

    Raises
    ------
    TypeError
        If weights are not numbers.
    ValueError
        If weights do not fit the templates, or the calibrations do not fit each other.

    See Also
    --------
    JointTemplate : Templates with one common parameter, which need not share the level.

    Notes
    -----
    Template j fails with probability at most ``w_j alpha``. So all hold at once with probability
    at least ``1 - alpha``, and with them the largest of their thresholds at each rank.

    Step-down excludes the same elements for all templates: those below the first threshold of any
    of them. Let N be the true nulls, and assume that each template, calibrated on N alone, holds.
    Then no step excludes an element of N, by induction. While N is among the remaining elements,
    thresholds are at most as large as thresholds calibrated on N. So all steps hold with the
    probability of one step.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import calibrate
    >>> p_values = np.random.default_rng(0).random((100, 500))
    >>> p_values[0, :50] *= 1e-5
    >>> split = calibrate(p_values, template=["simes", "beta"], level_weights=[0.6, 0.4])
    >>> [part.alpha for part in split.parts]
    [0.03, 0.02]
    >>> split.critical_vector.true_discoveries(p_values[0, :60])
    50
    """

    def __init__(
        self, parts: Sequence[Calibration], weights: Sequence[float], alpha: float
    ) -> None:
        self.parts = tuple(parts)
        self.weights = check_level_weights(weights, len(self.parts))
        self.alpha = float(alpha)
        check_templates([part.template for part in self.parts])
        levels = weighted_levels(alpha, self.weights)
        for part, level in zip(self.parts, levels, strict=True):
            if part.alpha != level:
                raise ValueError(f"alpha of a part must be {level}. Got {part.alpha}.")
        for name in ("n_permutations", "n_steps", "is_exhaustive"):
            found = [getattr(part, name) for part in self.parts]
            if len(set(found)) > 1:
                raise ValueError(f"{name} must be the same in all parts. Got {found}.")

    def __repr__(self) -> str:
        return f"SplitCalibration({list(self.parts)!r}, weights={list(self.weights)})"

    @property
    def n_elements(self) -> int:
        """Number of elements."""
        return self.parts[0].n_elements

    @property
    def n_permutations(self) -> int:
        """Number of permutations, including the data as observed."""
        return self.parts[0].n_permutations

    @property
    def n_steps(self) -> int:
        """Number of steps; 1 without step-down."""
        return self.parts[0].n_steps

    @property
    def is_exhaustive(self) -> bool:
        """Whether all possible permutations were taken."""
        return self.parts[0].is_exhaustive

    @property
    def lambda_(self) -> np.ndarray:
        """The parameter of each template, of shape (n_templates,)."""
        return np.array([part.lambda_ for part in self.parts])

    @property
    def pivotal_statistics(self) -> np.ndarray:
        """Pivotal statistics of each template, of shape (n_templates, n_permutations)."""
        return np.stack([part.pivotal_statistics for part in self.parts])

    @cached_property
    def critical_vector(self) -> CriticalVector:
        """The critical vector, which gives the bounds of all sets."""
        return _largest(part.critical_vector for part in self.parts)

    def lambda_interval(self, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return an interval for each parameter, see :meth:`Calibration.lambda_interval`.

        Parameters
        ----------
        confidence : float, default=0.95
            Minimum probability that an interval contains its parameter.

        Returns
        -------
        low, high : ndarray of shape (n_templates,)
            The ends.

        Raises
        ------
        ValueError
            If ``confidence`` is not between 0 and 1.
        """
        low, high = np.transpose([part.lambda_interval(confidence) for part in self.parts])
        return low, high

    def at_lambda(self, lambda_: ArrayLike) -> CriticalVector:
        """Return the critical vector at other parameters.

        Parameters
        ----------
        lambda_ : array-like of shape (n_templates,)
            The parameter of each template.

        Returns
        -------
        critical_vector : CriticalVector
            The critical vector.
        """
        pairs = zip(self.parts, np.atleast_1d(np.asarray(lambda_)), strict=True)
        return _largest(part.at_lambda(float(value)) for part, value in pairs)

    def joint_error_rate(self) -> float:
        """Return the proportion of permutations with a p-value below its threshold.

        Returns
        -------
        joint_error_rate : float
            At most alpha. A p-value that equals its threshold, except for rounding, is not below.
        """
        return float(np.any([part._is_beyond for part in self.parts], axis=0).mean())

    def at(self, alpha: float) -> SplitCalibration:
        """Return the calibration at another level with the same weights.

        Parameters
        ----------
        alpha : float
            Error level of all templates together.

        Returns
        -------
        calibration : SplitCalibration
            This calibration itself if it already has that level.

        Raises
        ------
        ValueError
            After step-down, or if the share of a template is below ``1 / n_permutations``.
        """
        check_alpha(alpha)
        if alpha == self.alpha:
            return self
        levels = weighted_levels(alpha, self.weights)
        if self.n_steps == 1:
            check_levels(levels, alpha, self.n_permutations)
        parts = [part.at(level) for part, level in zip(self.parts, levels, strict=True)]
        return SplitCalibration(parts, self.weights, alpha)

    def _significance(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        """Return the smallest level at which each p-value is below its threshold."""
        of_parts = [
            whole_p_values(part._p_values_of(part._significance(ranks, p_values)), self.weights, i)
            for i, part in enumerate(self.parts)
        ]
        return np.asarray(np.min(of_parts, axis=0))

    def _p_values_of(self, significances: np.ndarray) -> np.ndarray:
        return np.minimum(significances, 1.0)

    def _described(self) -> tuple[dict[str, Any], str, list[str]]:
        """Return values, a sentence and references for a description."""
        described = [part._described() for part in self.parts]
        values: dict[str, Any] = {
            name: [of_part[name] for of_part, _, _ in described] for name in described[0][0]
        }
        values["NumberOfSteps"] = self.n_steps
        values["Levels"] = [part.alpha for part in self.parts]
        names = [f"“{part.template.in_words}” at {part.alpha:.3g}" for part in self.parts]
        cited = dict.fromkeys(one for part in self.parts for one in part.template.cited.split("; "))
        sentence = (
            f"The critical vector is the maximum of {len(names)} templates, each calibrated at its "
            f"share of the error level: {' and '.join(names)} ({'; '.join(cited)})."
        )
        references = dict.fromkeys(one for _, _, of_part in described for one in of_part)
        return values, sentence, list(references)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the calibration to a file.

        Parameters
        ----------
        path : str or PathLike
            Name of the file, usually ending in ``.npz``. An existing file is replaced.
        """
        save_arrays(path, _KIND, self.to_arrays())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> SplitCalibration:
        """Read a calibration from a file.

        Parameters
        ----------
        path : str or PathLike
            Name of a file that :meth:`save` has written.

        Returns
        -------
        calibration : SplitCalibration
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
        arrays: dict[str, object] = {"alpha": self.alpha, "weights": np.array(self.weights)}
        for i, part in enumerate(self.parts):
            arrays |= {f"part_{i}_{name}": value for name, value in part.to_arrays().items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> SplitCalibration:
        """Restore a calibration from arrays.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The result of :meth:`to_arrays`; other arrays are ignored.

        Returns
        -------
        calibration : SplitCalibration
            The calibration.

        Raises
        ------
        ValueError
            If arrays are missing, malformed or contradict each other.
        """
        weights = stored_array(arrays, "weights", "f", (None,)).tolist()
        parts = []
        for i in range(len(weights)):
            prefix = f"part_{i}_"
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            parts.append(Calibration.from_arrays(own))
        return cls(parts, weights, stored_array(arrays, "alpha", "f").item())


def _largest(vectors: Iterable[CriticalVector]) -> CriticalVector:
    """Return the pointwise maximum of critical vectors, each with its last threshold repeated."""
    each = [vector.thresholds for vector in vectors]
    longest = max(one.size for one in each)
    padded = [np.pad(one, (0, longest - one.size), mode="edge") for one in each]
    return CriticalVector._of_checked(np.maximum.reduce(padded))


def calibration_from_arrays(arrays: Mapping[str, np.ndarray]) -> Calibration | SplitCalibration:
    """Restore a calibration of either kind from arrays.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The result of ``to_arrays``.

    Returns
    -------
    calibration : Calibration or SplitCalibration
        The calibration.

    Raises
    ------
    ValueError
        If arrays are missing, malformed or contradict each other.
    """
    kind = SplitCalibration if "weights" in arrays else Calibration
    return kind.from_arrays(arrays)
