"""A template made of several templates, whose parameters move together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.closed_testing._parameter_scale import ParameterScale
from ari_estimator.closed_testing._template import Template, check_count
from ari_estimator.closed_testing._templates import template_class
from ari_estimator.files._stored_array import stored_array

# Without shifts, two curves meet at this rank or before: see :func:`default_crossing`.
_CROSSING = 100


class JointTemplate(Template):
    """Several templates that are calibrated together: the maximum of their thresholds.

    The thresholds of the first template and of each other one meet at a given rank, for each
    parameter. So one parameter moves all templates, and permutations calibrate it as they
    calibrate any parameter. The bounds are exact, whatever the ranks are, if the ranks do not
    depend on the data.

    Parameters
    ----------
    templates : sequence of Template
        At least two different templates of the same number of elements. Lambda is the parameter
        of the first one.

    crossings : sequence of int, optional
        The rank at which each other template has the same threshold as the first. By default a
        third beyond the larger shift; without shifts a tenth of the thresholds that both have, at
        most 100.

    subjects : array-like of shape (n_subjects, n_numbers), optional
        Sketches of the data that the ranks were learned from. They identify these data later.

    Attributes
    ----------
    templates : tuple of Template
        The templates.

    crossings : tuple of int
        The ranks.

    subjects : ndarray of float32 of shape (n_subjects, n_numbers)
        Sketches of the data; no rows if the ranks were not learned.

    Raises
    ------
    TypeError
        If templates are not templates, or ranks not integers.
    ValueError
        If there are fewer than two templates, two are the same, they differ in their number of
        elements, or a rank is not one of both templates or within a shift.

    See Also
    --------
    make_template : Makes one from a list of names.
    ari_estimator.learn_template : Learns the ranks from other subjects.

    Notes
    -----
    Let ``f_j(k, lambda)`` be the thresholds of template j and ``r_j`` its rank. Let
    ``g_j(lambda)`` be the parameter with ``f_j(r_j, g_j(lambda)) = f_1(r_j, lambda)``. The
    thresholds ``t_k(lambda) = max_j f_j(k, g_j(lambda))`` grow with k and lambda. So they are a
    template, and their inverse is the minimum over j of ``g_j^-1(f_j^-1(k, p))``, because p is
    below the maximum exactly if it is below one of the thresholds. The error rate of a calibrated
    template follows for any template that is fixed before the data are seen [1]_. The relation
    ``g_j`` is computed as a piecewise linear function between points 2 % apart.

    A template beyond its last threshold keeps that threshold: with fewer than K true nulls below
    ``t_K``, there are fewer than k for each k > K.

    References
    ----------
    .. [1] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.

    Examples
    --------
    >>> from ari_estimator.closed_testing import JointTemplate, SimesTemplate
    >>> both = JointTemplate([SimesTemplate(1000), SimesTemplate(1000, delta=8)], [16])
    >>> both.thresholds(0.1)[[0, 15, 99]].round(6)
    array([0.0001, 0.0016, 0.0184])
    """

    name = "joint"

    def __init__(
        self,
        templates: Sequence[Template],
        crossings: Sequence[int] | None = None,
        *,
        subjects: ArrayLike | None = None,
    ) -> None:
        self.templates = check_templates(templates)
        first, *others = self.templates
        self.n_elements = first.n_elements
        self.k_max = max(template.k_max for template in self.templates)
        self.delta = min(template.delta for template in self.templates)
        if crossings is None:
            crossings = [default_crossing(first, other) for other in others]
        if isinstance(crossings, (str, bytes)) or not np.iterable(crossings):
            raise TypeError(
                f"crossings must be {len(others)} ranks, one for each template after the first. "
                f"Got {crossings!r}."
            )
        crossings = list(crossings)
        if len(crossings) != len(others):
            raise ValueError(
                f"crossings must be {len(others)} ranks, one for each template after the first. "
                f"Got {len(crossings)}."
            )
        self.crossings = tuple(
            _check_crossing(rank, first, other)
            for rank, other in zip(crossings, others, strict=True)
        )
        self._scales = [
            ParameterScale.of_crossing(first, other, rank)
            for rank, other in zip(self.crossings, others, strict=True)
        ]
        self.subjects = np.zeros((0, 0) if subjects is None else np.shape(subjects), np.float32)
        if subjects is not None:
            self.subjects[:] = subjects

    @classmethod
    def from_lambdas(
        cls,
        templates: Sequence[Template],
        lambdas: Sequence[float],
        *,
        subjects: ArrayLike | None = None,
    ) -> JointTemplate:
        """Return the template whose curves cross where they do at given parameters.

        Parameters
        ----------
        templates : sequence of Template
            The templates.

        lambdas : sequence of float
            A parameter for each, such as those that other subjects gave at the same level.

        subjects : array-like of shape (n_subjects, n_numbers), optional
            Sketches of the data of these subjects.

        Returns
        -------
        template : JointTemplate
            A template crosses the first one at its first rank with a threshold that is at least as
            large. If there is no such rank, it is the rank with the largest ratio of the two.
        """
        first, *others = check_templates(templates)
        lowest, *higher = lambdas
        curve = first.thresholds(lowest)
        crossings = []
        for other, lambda_ in zip(others, higher, strict=True):
            _check_overlap(first, other)
            start, stop = max(first.delta, other.delta), min(first.k_max, other.k_max)
            ours, theirs = curve[start:stop], other.thresholds(lambda_)[start:stop]
            reached = theirs >= ours
            ratios = theirs / np.maximum(ours, np.finfo(float).tiny)
            place = np.argmax(reached) if reached.any() else np.argmax(ratios)
            crossings.append(start + 1 + int(place))
        return cls(templates, crossings, subjects=subjects)

    def __repr__(self) -> str:
        templates = ", ".join(map(repr, self.templates))
        return f"JointTemplate([{templates}], crossings={list(self.crossings)})"

    # Other templates have the next four as attributes of the class, which mypy expects here too. A
    # joint template derives them from its parts, and nobody sets them.
    @property
    def keeps_all_thresholds(self) -> bool:  # type: ignore[override]
        """Whether a template stays useful with very many thresholds: each has its own number."""
        return True

    @property
    def cited(self) -> str:  # type: ignore[override]
        """References of all templates, in short."""
        cited = [one for template in self.templates for one in template.cited.split("; ")]
        return "; ".join(dict.fromkeys(cited))

    @property
    def references(self) -> tuple[str, ...]:  # type: ignore[override]
        """References of all templates, in full."""
        return tuple(dict.fromkeys(one for t in self.templates for one in t.references))

    @property
    def learned_from(self) -> list[np.ndarray]:
        """Sketches of the data that the ranks and the templates were learned from."""
        own = [self.subjects] if len(self.subjects) else []
        return own + [one for template in self.templates for one in template.learned_from]

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        """Whether the ranks or a template were learned from data."""
        return len(self.subjects) > 0 or any(one.is_learned for one in self.templates)

    @property
    def in_words(self) -> str:
        """The template in a few words, for reports."""
        first, *others = (template.in_words for template in self.templates)
        parts = [
            f"{words} (crossing at rank {rank})"
            for words, rank in zip(others, self.crossings, strict=True)
        ]
        return " + ".join([first, *parts])

    def cut(self, k_max: int) -> Template:
        k_max = check_count(k_max, name="k_max", smallest=1, largest=self.k_max)
        least = max(*self.crossings, *(template.delta + 1 for template in self.templates))
        if k_max < least:
            raise ValueError(
                f"k_max must be at least {least} for templates that cross at ranks "
                f"{list(self.crossings)}. Got {k_max}. Give each template its own k_max instead."
            )
        templates = [template.cut(min(k_max, template.k_max)) for template in self.templates]
        return JointTemplate(templates, self.crossings, subjects=self.subjects)

    def parameters(self, lambda_: float) -> list[float]:
        """Return the parameter of each template at a parameter of the joint one.

        Parameters
        ----------
        lambda_ : float
            The parameter, which is also the one of the first template.

        Returns
        -------
        parameters : list of float
            In the order of the templates. A p-value is below a threshold of template j exactly
            if its inverse by template j is below the j-th number.
        """
        return [lambda_, *(scale.own(lambda_) for scale in self._scales)]

    def _curves(self, lambda_: float, *, critical: bool) -> Iterator[np.ndarray]:
        """Yield the thresholds of each template, its last one repeated up to ``k_max``."""
        for template, parameter in zip(self.templates, self.parameters(lambda_), strict=True):
            curve = template.critical_thresholds if critical else template.thresholds
            yield np.pad(curve(parameter), (0, self.k_max - template.k_max), mode="edge")

    def thresholds(self, lambda_: float) -> np.ndarray:
        thresholds = np.zeros(self.k_max)
        for curve in self._curves(lambda_, critical=False):
            np.maximum(thresholds, curve, out=thresholds)
        return thresholds

    def critical_thresholds(self, lambda_: float) -> np.ndarray:
        # Each template allows for its own rounding, on its own scale.
        thresholds = np.full(self.k_max, -1.0)
        for curve in self._curves(lambda_, critical=True):
            np.maximum(thresholds, curve, out=thresholds)
        return thresholds

    def inverse(self, ranks: np.ndarray, p_values: np.ndarray) -> np.ndarray:
        first, *others = self.templates
        ranks, p_values = np.broadcast_arrays(np.asarray(ranks), np.asarray(p_values, dtype=float))
        inverse = np.array(first.inverse(_up_to(ranks, first, self.k_max), p_values))
        for template, scale in zip(others, self._scales, strict=True):
            # Some inverses take long. They are computed where they may be the smallest.
            asked = scale.may_be_below(p_values, inverse)
            own_ranks = _up_to(ranks[asked], template, self.k_max)
            own = scale.common(template.inverse(own_ranks, p_values[asked]))
            inverse[asked] = np.minimum(inverse[asked], own)
        return inverse

    def to_arrays(self) -> dict[str, Any]:
        arrays: dict[str, Any] = {
            "crossings": np.array(self.crossings, dtype=np.int64),
            "subjects": self.subjects,
        }
        for i, template in enumerate(self.templates):
            own = {"name": template.name, **template.to_arrays()}
            arrays |= {f"{i}_{name}": value for name, value in own.items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> JointTemplate:
        """Restore a template from arrays, see :meth:`Template.from_arrays`."""
        crossings = stored_array(arrays, "crossings", "i", (None,)).tolist()
        templates = []
        for i in range(len(crossings) + 1):
            own = {
                name.removeprefix(f"{i}_"): value
                for name, value in arrays.items()
                if name.startswith(f"{i}_")
            }
            name = stored_array(own, "name", "U").item()
            templates.append(template_class(name).from_arrays(own))
        subjects = stored_array(arrays, "subjects", "f", (None, None))
        return cls(templates, crossings, subjects=subjects)


def _up_to(ranks: np.ndarray, template: Template, k_max: int) -> np.ndarray:
    """Return ranks, the last one of a template for all beyond it."""
    return ranks if template.k_max == k_max else np.minimum(ranks, template.k_max)


def check_templates(templates: Sequence[Template]) -> tuple[Template, ...]:
    """Return different templates of the same number of elements, or raise an error.

    Parameters
    ----------
    templates : sequence of Template
        The templates.

    Returns
    -------
    templates : tuple of Template
        The templates.

    Raises
    ------
    TypeError
        If one is not a template, or itself made of templates.
    ValueError
        If there are fewer than two, two are the same, or they differ in their number of elements.
    """
    templates = tuple(templates)
    for i, template in enumerate(templates):
        if not isinstance(template, Template) or isinstance(template, JointTemplate):
            raise TypeError(
                f"templates[{i}] must be a template that is not itself made of templates. "
                f"Got {template!r} of type {type(template).__name__}."
            )
    if len(templates) < 2:
        raise ValueError(
            f"templates must be at least two templates. Got {len(templates)}. Use a single "
            "template as it is."
        )
    sizes = [template.n_elements for template in templates]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"templates must have the same number of elements. Got {sizes}. Make all of them for "
            "the same elements."
        )
    for i, template in enumerate(templates):
        for j, earlier in enumerate(templates[:i]):
            if _is_same(template, earlier):
                raise ValueError(
                    f"templates must differ. Got {template!r} at places {j} and {i}. Leave one "
                    "out: a template adds nothing to itself."
                )
    return templates


def _is_same(one: Template, other: Template) -> bool:
    if type(one) is not type(other):
        return False
    ours, theirs = one.to_arrays(), other.to_arrays()
    return ours.keys() == theirs.keys() and all(
        np.array_equal(value, theirs[name]) for name, value in ours.items()
    )


def default_crossing(first: Template, other: Template) -> int:
    """Return the rank at which two templates cross, unless it is given.

    Parameters
    ----------
    first, other : Template
        The templates.

    Returns
    -------
    rank : int
        A third beyond the larger shift; without shifts a tenth of the thresholds that both have,
        at most 100.

    Raises
    ------
    ValueError
        If no rank has a threshold in both templates.
    """
    n_shared, shift = min(first.k_max, other.k_max), max(first.delta, other.delta)
    _check_overlap(first, other)
    usual = shift + math.ceil(shift / 3) if shift else min(math.ceil(n_shared / 10), _CROSSING)
    return min(usual, n_shared)


def _check_overlap(first: Template, other: Template) -> None:
    n_shared, shift = min(first.k_max, other.k_max), max(first.delta, other.delta)
    if shift >= n_shared:
        raise ValueError(
            f"templates must share a rank with thresholds above 0. Got {first!r} and {other!r}: "
            f"one has {n_shared} thresholds, the other ignores the first {shift}. Use a smaller "
            "delta or a larger k_max."
        )


def _check_crossing(rank: int, first: Template, other: Template) -> int:
    _check_overlap(first, other)
    return check_count(
        rank,
        name="a rank of crossings",
        smallest=max(first.delta, other.delta) + 1,
        largest=min(first.k_max, other.k_max),
        why=f" for templates {first.name!r} and {other.name!r}, where both have thresholds",
    )
