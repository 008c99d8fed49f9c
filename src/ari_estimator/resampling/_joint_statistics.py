"""Statistics of several contrasts under the same draws, as one family."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from ari_estimator.resampling._common_scale import CommonScale, TailInRange
from ari_estimator.resampling._model_statistic import Observed
from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._tails import CorrelationTail, NormalTail, Tail


class JointStatistics(NullStatistics):
    """Statistics of several contrasts under the same draws, as one family.

    The elements of all contrasts follow each other. Contrasts whose statistics have the same tail
    keep their scale. Otherwise, one kind of statistics keeps its scale, and the others become
    statistics of this kind with the same p-values.

    Parameters
    ----------
    parts : sequence of NullStatistics
        The statistics of each contrast. Draw b of each of them must be the same permutation or
        sign-flip of the same subjects: otherwise their dependence would be lost.

    Raises
    ------
    ValueError
        If there are no parts, or they differ in the number of draws.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import JointStatistics, SubjectSums, sign_statistics
    >>> rng = np.random.default_rng(0)
    >>> data = rng.standard_normal((2, 12, 500))  # two measures of twelve subjects
    >>> parts = [
    ...     sign_statistics(SubjectSums.of(part, 256), 100, np.random.default_rng(1), False)
    ...     for part in data
    ... ]
    >>> joint = JointStatistics(parts)
    >>> joint.n_permutations, joint.n_elements
    (100, 1000)
    """

    def __init__(self, parts: Sequence[NullStatistics]) -> None:
        if not parts or len({part.n_permutations for part in parts}) > 1:
            given = [part.n_permutations for part in parts]
            raise ValueError(f"parts must be at least one, with the same draws. Got {given} draws.")
        self.parts = list(parts)
        self.n_permutations = parts[0].n_permutations
        self._starts = np.cumsum([0, *(part.n_elements for part in parts)])
        self.n_elements = int(self._starts[-1])
        reference = _reference_of(parts)
        own = [part for part in parts if part.tail == reference]
        self.tail: Tail = reference
        self.error = max(part.error for part in own)
        self.relative_error = max(part.relative_error for part in own)
        of_reference = self.error
        made = {
            part.tail: CommonScale(
                part.tail, reference, part.error, part.relative_error, of_reference
            )
            for part in parts
            if part.tail != reference
        }
        self._scales = [made.get(part.tail) for part in parts]
        if made:
            top = min(reference.highest, *(scale.highest for scale in made.values()))
            bottom = max(reference.lowest, *(scale.lowest for scale in made.values()))
            self.tail = TailInRange(reference, top, bottom)
            self.error = max(of_reference, *(scale.error for scale in made.values()))
        self.is_constant = np.concatenate([part.is_constant for part in parts])

    # An attribute elsewhere. Here it may never be needed, and nobody sets it.
    @cached_property
    def observed(self) -> Observed:  # type: ignore[override]
        """The data as observed, in an array for all contrasts that is made when it is needed."""
        return Observed(
            np.concatenate([part.observed.values for part in self.parts]),
            np.concatenate([np.broadcast_to(p.observed.df, p.n_elements) for p in self.parts]),
            self.is_constant,
        )

    @property
    def slices(self) -> list[slice]:
        """The elements of each part."""
        return [slice(int(start), int(stop)) for start, stop in pairwise(self._starts)]

    def block(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws, see the base class."""
        if out is None:
            out = np.empty((stop - start, self.n_elements), dtype=np.float32)
        for part, scale, elements in zip(self.parts, self._scales, self.slices, strict=True):
            statistics = part.block(start, stop, out[:, elements])
            if scale is not None:
                scale.in_place(statistics)
        return out[: stop - start]

    def exact(self, draws: np.ndarray, lowest: np.ndarray | None = None) -> np.ndarray:
        """Return statistics of some draws in double precision, see the base class."""
        statistics = np.empty((len(draws), self.n_elements))
        for part, scale, elements in zip(self.parts, self._scales, self.slices, strict=True):
            if scale is None or lowest is None:
                found = part.exact(draws, lowest)
                statistics[:, elements] = found if scale is None else scale.exact(found)
                continue
            if np.isposinf(lowest).all():
                statistics[:, elements] = scale.about(part.exact(draws, lowest))
                continue
            least = scale.statistic_below(lowest - 2 * self.error)
            found = part.exact(draws, least)
            values = scale.about(found)
            sizes = np.abs(found) if part.tail.is_absolute else found
            may_count = sizes >= least[:, np.newaxis]
            values[may_count] = scale.exact(found[may_count])
            statistics[:, elements] = values
        return statistics

    def exact_where(self, draws: np.ndarray, single: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Return statistics of some draws, some in double precision, see the base class."""
        statistics = single.astype(float)
        for part, scale, own in zip(self.parts, self._scales, self.slices, strict=True):
            chosen = where[:, own]
            if scale is None:
                statistics[:, own] = part.exact_where(draws, single[:, own], chosen)
            elif chosen.any():
                # The others keep their value on the common scale.
                least = scale.statistic_below(single[:, own][chosen] - 2 * self.error)
                on_own_scale = np.full(chosen.shape, np.inf)
                on_own_scale[chosen] = np.maximum(least, 0) if part.tail.is_absolute else least
                found = part.exact_where(draws, on_own_scale, chosen)
                statistics[:, own][chosen] = scale.exact(found[chosen])
        return statistics

    def of_elements(self, elements: slice) -> np.ndarray:
        """Return statistics of some elements, see the base class."""
        numbers = range(self.n_elements)[elements]
        found = []
        for part, scale, own in zip(self.parts, self._scales, self.slices, strict=True):
            first, last = max(numbers.start, own.start), min(numbers.stop, own.stop)
            if first < last:
                statistics = part.of_elements(slice(first - own.start, last - own.start))
                found.append(statistics if scale is None else scale.exact(statistics))
        return np.concatenate(found, axis=1)

    def select(self, keep: np.ndarray) -> JointStatistics:
        """Return the statistics of some elements, see the base class."""
        kept = [
            part.select(keep[own])
            for part, own in zip(self.parts, self.slices, strict=True)
            if keep[own].any()
        ]
        return JointStatistics(kept)

    @property
    def observed_p_values(self) -> np.ndarray:
        """P-values of the data as observed, of shape (n_elements,)."""
        return np.concatenate([part.observed_p_values for part in self.parts])


def _reference_of(parts: Sequence[NullStatistics]) -> Tail:
    """Return the tail of the parts that keep their scale: those with most elements.

    Normal values do so only if there are no correlations, because they are steep functions of
    correlations. Among the others, two-sided t statistics come first, because they are flat
    functions of F statistics.
    """
    n_elements: dict[Tail, int] = {}
    for part in parts:
        n_elements[part.tail] = n_elements.get(part.tail, 0) + part.n_elements

    def order(tail: Tail) -> tuple[bool, int, bool]:
        is_two_sided_t = isinstance(tail, CorrelationTail) and tail.two_sided
        return not isinstance(tail, NormalTail), n_elements[tail], is_two_sided_t

    return max(n_elements, key=order)
