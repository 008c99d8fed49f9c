"""A pair of one-sided tests, which bounds positive and negative effects at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._masked_values import refuse_masked
from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._checks import check_labels, check_subset
from ari_estimator.closed_testing._critical_vector_test import CriticalVectorTest
from ari_estimator.closed_testing._directional_bounds import DirectionalBounds, bounds_of_side
from ari_estimator.closed_testing._hommel import Hommel
from ari_estimator.closed_testing._level_share import level_share
from ari_estimator.closed_testing._ordered_sets import passed_over
from ari_estimator.closed_testing._side_levels import SideLevels
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.closed_testing._split_calibration import SplitCalibration
from ari_estimator.closed_testing._stored_test import arrays_of, restored_test
from ari_estimator.files._stored_array import stored_array

_SIDES = {"positive": 1, "negative": -1}


class DirectionalTest(SimultaneousTest):
    """Bounds on positive and on negative effects, at once.

    Each side has its own one-sided test of all elements, at half of the error level. With
    probability at least ``1 - alpha``, for all sets at once, at least ``d+`` elements of a set have
    a positive effect, and at least ``d-`` a negative one.

    Parameters
    ----------
    positive : CriticalVectorTest
        The test of the null hypotheses "the effect is 0 or negative", of all elements.

    negative : CriticalVectorTest
        The test of the null hypotheses "the effect is 0 or positive", of the same elements.

    signs : array-like of int of shape (n_elements,), or None, default=None
        1 where the observed effect is positive, -1 where it is negative, and 0 elsewhere. An
        element contributes to the bound of its own side only. None takes the side with the smaller
        p-value.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        Twice the p-value of an element on its own side, at most 1.

    positive, negative : CriticalVectorTest
        The tests.

    signs : ndarray of int8 of shape (n_elements,)
        The signs.

    Raises
    ------
    ValueError
        If the tests differ in the number of elements, or ``signs`` has other values or another
        shape.

    See Also
    --------
    Hommel : The usual test of each side.

    Notes
    -----
    The bounds of the positive side hold for all sets with probability at least ``1 - alpha / 2``,
    and so do the bounds of the other side. By the union bound, both hold with probability at least
    ``1 - alpha``, for any dependence between the sides. No effect has both signs. So the sum of
    both bounds is a lower bound on the number of effects that are not 0.

    The bound of a set on the positive side is the bound of its elements with a positive sign. It
    is valid for the whole set, since a bound of a subset is. So the sum of both sides never exceeds
    the size of the set. Nothing is lost where thresholds are below one half, as they are for closed
    testing.

    For independent p-values, sharper bounds exist [1]_. They are not implemented, because p-values
    of brain maps depend on each other.

    References
    ----------
    .. [1] Heller R, Solari A (2024). Simultaneous directional inference. Journal of the Royal
       Statistical Society Series B 86, 650-670.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import DirectionalTest, Hommel
    >>> z = np.array([4.0, 3.0, -3.5, 0.2])
    >>> test = DirectionalTest.of_two_sided(np.array([6e-5, 0.003, 5e-4, 0.84]), np.sign(z))
    >>> bounds = test.bounds(alpha=0.05)
    >>> {side: one.of_set() for side, one in bounds.sides.items()}
    {'positive': 2, 'negative': 1}
    >>> test.set_p_value([0, 2], tdp=0.5)  # both have an effect
    0.002
    """

    kind = "directional"

    def __init__(
        self,
        positive: CriticalVectorTest,
        negative: CriticalVectorTest,
        signs: ArrayLike | None = None,
    ) -> None:
        if positive.n_elements != negative.n_elements:
            raise ValueError(
                f"negative must have {positive.n_elements} elements, as positive. "
                f"Got {negative.n_elements}."
            )
        self.positive = positive
        self.negative = negative
        if signs is None:
            signs = np.sign(negative.p_values - positive.p_values)
        self.signs = _check_signs(signs, positive.n_elements)
        own = np.where(self.signs > 0, positive.p_values, negative.p_values)
        # Without a sign, an element belongs to no side.
        own = np.where(self.signs == 0, 1.0, own)
        self.p_values = np.minimum(2 * own, 1.0)

    @classmethod
    def of_two_sided(
        cls,
        p_values: np.ndarray,
        signs: ArrayLike,
        make_test: Callable[[np.ndarray], CriticalVectorTest] = Hommel.of_valid,
    ) -> DirectionalTest:
        """Return the test of two-sided p-values, which are twice the smaller one-sided ones.

        Parameters
        ----------
        p_values : ndarray of float64 of shape (n_elements,)
            Two-sided p-values in [0, 1], at least one.

        signs : array-like of shape (n_elements,)
            Their signs: -1, 0 or 1.

        make_test : callable, optional
            Makes the test of one side from its one-sided p-values. By default closed testing with
            Simes' test.

        Returns
        -------
        test : DirectionalTest
            The test.
        """
        signs = _check_signs(signs, p_values.size)
        tests = {
            side: make_test(_one_sided(p_values, signs, sign)) for side, sign in _SIDES.items()
        }
        return cls(**tests, signs=signs)

    def __repr__(self) -> str:
        return f"DirectionalTest({self.positive!r}, {self.negative!r})"

    @property
    def _tests(self) -> dict[str, CriticalVectorTest]:
        return {"positive": self.positive, "negative": self.negative}

    @property
    def calibrations(self) -> dict[str, Calibration | SplitCalibration]:
        """The calibration of each sign; none for closed testing."""
        return {
            side: test.calibration
            for side, test in self._tests.items()
            if test.calibration is not None
        }

    def bounds(self, alpha: float = 0.05) -> DirectionalBounds:
        """Return the bounds of all sets at one error level.

        Parameters
        ----------
        alpha : float, default=0.05
            Error level of both sides together, strictly between 0 and 1.

        Returns
        -------
        bounds : DirectionalBounds
            The bounds, with each side in ``sides``.
        """
        share = level_share(alpha, 2)
        sides = {
            side: bounds_of_side(
                test.p_values, self.signs == _SIDES[side], test.critical_vector(share)
            )
            for side, test in self._tests.items()
        }
        return DirectionalBounds(self.p_values, **sides)

    def monte_carlo_bounds(
        self, alpha: float = 0.05
    ) -> tuple[DirectionalBounds, DirectionalBounds] | None:
        """Return the bounds at the ends of the intervals of both sides, see the base class."""
        share = level_share(alpha, 2)
        ends = {side: test.monte_carlo_bounds(share) for side, test in self._tests.items()}
        if ends["positive"] is None or ends["negative"] is None:
            return None
        low, high = (
            DirectionalBounds(
                self.p_values,
                *(
                    bounds_of_side(
                        self._tests[side].p_values,
                        self.signs == sign,
                        of_side[end].critical_vector,
                    )
                    for (side, sign), of_side in zip(
                        _SIDES.items(), (ends["positive"], ends["negative"]), strict=True
                    )
                ),
            )
            for end in (0, 1)
        )
        return low, high

    def set_p_values_by_label(
        self,
        labels: ArrayLike,
        n_labels: int | None = None,
        *,
        subset: ArrayLike | None = None,
        tdp: float = 0.0,
    ) -> np.ndarray:
        """Return the p-values of all sets of a labelling.

        See :meth:`SimultaneousTest.set_p_values_by_label`.
        """
        m = self.n_elements
        each = "element" if subset is None else "entry of subset"
        indices = np.arange(m)
        if subset is not None:
            indices = check_subset(subset, m, name="subset", repeated=True)
        labels, n_labels = check_labels(labels, indices.size, n_labels, each=each)
        keys = np.sort(labels.astype(np.intp) * m + indices)
        if (keys[1:] == keys[:-1]).any():
            raise ValueError("subset must not name an element twice with the same label.")
        sizes = np.bincount(labels, minlength=n_labels)
        asked = passed_over(sizes, tdp) + 1
        positive, negative = (
            SideLevels(test, labels, n_labels, indices, self.signs[indices] == _SIDES[side])
            for side, test in self._tests.items()
        )
        # Some of the elements asked for are positive, and the others are negative. With more
        # positive ones, the level of the positive side rises, and the negative level falls. The
        # best split is where the two levels cross.
        low = np.maximum(asked - negative.sizes, 0)
        high = np.minimum(asked, positive.sizes)
        is_possible = low <= high
        first, last = low, np.where(is_possible, high, low)
        while (first < last).any():
            middle = (first + last) // 2
            is_beyond = positive.at_least(middle) >= negative.at_least(asked - middle)
            last = np.where(is_beyond, middle, last)
            first = np.where(is_beyond, first, np.minimum(middle + 1, last))
        levels = np.minimum(
            *(
                np.maximum(positive.at_least(split), negative.at_least(asked - split))
                for split in (first, np.maximum(first - 1, low))
            )
        )
        p_values = np.minimum(np.where(is_possible, 2 * levels, 1.0), 1.0)
        return np.where(sizes > 0, p_values, np.nan)

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        share = level_share(alpha, 2)
        described = {side: test.describe(share) for side, test in self._tests.items()}
        positive, negative = described.values()
        values = {
            side: {
                name: value
                for name, value in one["values"].items()
                if positive["values"].get(name) != negative["values"].get(name)
            }
            for side, one in described.items()
        }
        common = {
            name: value
            for name, value in positive["values"].items()
            if name not in values["positive"]
        }
        found = {side: one.of_set() for side, one in self.bounds(alpha).sides.items()}
        sentences = positive["sentence"]
        if sentences != negative["sentence"]:
            sentences = f"Positive effects: {sentences} Negative effects: {negative['sentence']}"
        return {
            "kind": positive["kind"],
            "name": f"{positive['name']}, one-sided for each sign",
            "sentence": (
                f"Positive and negative effects were tested by one-sided tests, each at half of "
                f"the error level ({share:.3g}). The bounds of both signs hold at once: a bound "
                "counts elements whose effect has the sign that is stated. The bound of a set "
                f"with both signs is the sum of both. {sentences}"
            ),
            "assumption": " ".join(dict.fromkeys(one["assumption"] for one in described.values())),
            "references": list(
                dict.fromkeys(ref for one in described.values() for ref in one["references"])
            ),
            "values": {
                **common,
                "LevelOfEachSign": share,
                "TrueDiscoveriesBySign": found,
                "BySign": values,
            },
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return both tests and the signs as arrays."""
        arrays: dict[str, Any] = {"signs": self.signs}
        for side, test in self._tests.items():
            arrays |= arrays_of(test, side)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray) -> DirectionalTest:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        signs = _check_signs(stored_array(arrays, "signs", "i", p_values.shape), p_values.size)
        tests = {
            side: restored_test(arrays, side, _one_sided(p_values, signs, sign))
            for side, sign in _SIDES.items()
        }
        return cls(**tests, signs=signs)


def _one_sided(p_values: np.ndarray, signs: np.ndarray, side: int) -> np.ndarray:
    """Return the p-values of one side from two-sided ones."""
    half = p_values / 2
    return np.where(signs == side, half, 1 - half)


def _check_signs(signs: ArrayLike, n_elements: int) -> np.ndarray:
    """Return signs as small integers, checked."""
    refuse_masked(signs, "signs", "Give each element a sign, or 0.")
    given = np.asarray(signs)
    if given.shape != (n_elements,) or not np.isin(given, (-1, 0, 1)).all():
        raise ValueError(
            f"signs must be {n_elements} numbers, each -1, 0 or 1. Got shape {given.shape} of "
            f"{given.dtype}."
        )
    return given.astype(np.int8)
