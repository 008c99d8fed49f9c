"""All that is known of one tested map."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.closed_testing import SimultaneousBounds, SimultaneousTest
from ari_estimator.images._frame import Frame
from ari_estimator.images._selection import select_elements
from ari_estimator.images._space import put
from ari_estimator.inference._form_family import form_family
from ari_estimator.inference._local_tests import LOCAL_TESTS
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._provenance import Provenance
from ari_estimator.inference._set_bound import SetBound
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._set_table import set_table
from ari_estimator.inference._sets import Sets
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._statistics import sentence_of
from ari_estimator.inference._tdp_forest import TDPForest

# What makes the test of the tested elements.
TestMaker = Callable[[MapFamily], SimultaneousTest]


@dataclass(frozen=True, eq=False, repr=False)
class FittedMap:
    """All that is known of one tested map, and can be asked of it.

    Transformers and models keep one for each map, as ``maps_``. Tables, figures, reports,
    :func:`~ari_estimator.explore`, :func:`~ari_estimator.save` and
    :func:`~ari_estimator.set_bound` take it in place of the estimator.

    Attributes
    ----------
    frame : Frame
        The mask, and how values become an image.

    family : MapFamily
        The elements (voxels or vertices) that are tested, with their values.

    test : SimultaneousTest
        The test of all sets of these elements.

    alpha : float
        Error level.

    bounds : SimultaneousBounds
        The bounds of all sets at that level.

    made_by : SetMaker
        What made the sets.

    partitions : list of Sets
        The sets, one partition for each threshold, from the most lenient one.

    true_discoveries_of_sets : list of ndarray of int of shape (n_sets + 1,)
        True discoveries of the rest and of the sets of each partition.

    asked_by : Provenance
        What asked for the map to be tested.

    See Also
    --------
    ClusterTDPTransformer : Makes one from an image.
    set_bound : The bound of any set, from an estimator or from a fitted map.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> ari = ClusterTDPTransformer(threshold=4).fit(load_sample_motor_activation_image())
    >>> fitted_map = ari.maps_
    >>> fitted_map.n_tested, fitted_map.true_discoveries
    (45448, 2044)
    >>> fitted_map.bound(seed=(39, -22, 58), radius=9).true_discoveries
    95
    >>> fitted_map.describe()["test"]["name"]
    'Simes tests'
    """

    frame: Frame
    family: MapFamily
    test: SimultaneousTest
    alpha: float
    bounds: SimultaneousBounds
    made_by: SetMaker
    partitions: list[Sets]
    true_discoveries_of_sets: list[np.ndarray]
    asked_by: Provenance

    @classmethod
    def infer(
        cls,
        values: np.ndarray,
        frame: Frame,
        statistic: Statistic,
        make_test: TestMaker | str,
        set_maker: SetMaker,
        *,
        alpha: float = 0.05,
        asked_by: Provenance | None = None,
    ) -> FittedMap:
        """Test one map, and bound the true discoveries of its sets.

        Parameters
        ----------
        values : ndarray of shape (n_elements,)
            Values in the mask; NaN where there is none.

        frame : Frame
            The mask.

        statistic : Statistic
            What the values are.

        make_test : callable or str
            Gives the test of the tested elements, a MapFamily; or the name of a local test.

        set_maker : SetMaker
            Makes the sets.

        alpha : float, default=0.05
            Error level.

        asked_by : Provenance or None, default=None
            What asks for the map to be tested.

        Returns
        -------
        fitted_map : FittedMap
            All that is known of the map.
        """
        family = form_family(values, frame.space, statistic, frame.mask_called)
        test = (LOCAL_TESTS[make_test] if isinstance(make_test, str) else make_test)(family)
        bounds = test.bounds(alpha)
        partitions = set_maker.make(family, bounds)
        of_sets = [
            bounds.by_label(sets.labels, sets.ids.size + 1, subset=sets.elements)
            for sets in partitions
        ]
        asked_by = Provenance() if asked_by is None else asked_by
        return cls(frame, family, test, alpha, bounds, set_maker, partitions, of_sets, asked_by)

    def __repr__(self) -> str:
        elements = self.frame.space.element_name[1]
        return (
            f"FittedMap({self.n_tested} {elements} tested, at least {self.true_discoveries} true "
            f"discoveries, {self.n_sets} {self.made_by.called})"
        )

    @property
    def n_tested(self) -> int:
        """Number of elements tested."""
        return self.family.stat.size

    @cached_property
    def true_discoveries(self) -> int:
        """Lower bound on the true discoveries among all tested elements."""
        return self.bounds.of_set()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each set and one for the rest."""
        between = self._monte_carlo_bounds
        ends = None if between is None else [self._of_sets(bounds) for bounds in between]
        return set_table(self.family, self.partitions, self.true_discoveries_of_sets, ends)

    @property
    def true_discoveries_interval(self) -> tuple[int, int] | None:
        """Bounds at the ends of the 95 % Monte Carlo interval; None if nothing is random."""
        between = self._monte_carlo_bounds
        return None if between is None else (between[0].of_set(), between[1].of_set())

    @cached_property
    def _monte_carlo_bounds(self) -> tuple[SimultaneousBounds, SimultaneousBounds] | None:
        return self.test.monte_carlo_bounds(self.alpha)

    def _of_sets(self, bounds: SimultaneousBounds) -> list[np.ndarray]:
        return [
            bounds.by_label(sets.labels, sets.ids.size + 1, subset=sets.elements)
            for sets in self.partitions
        ]

    @property
    def n_sets(self) -> int:
        """Number of sets, without the rest."""
        return sum(sets.ids.size for sets in self.partitions)

    @property
    def forest(self) -> TDPForest | None:
        """All clusters of the map with their bounds; None unless clusters are adaptive."""
        return self.partitions[0].forest

    @property
    def labels(self) -> np.ndarray:
        """Id of the set that each element of the mask shows, of int32, shape (n_elements,)."""
        return self._shown([np.r_[0, sets.ids].astype(np.int32) for sets in self.partitions])

    @property
    def tdp(self) -> np.ndarray:
        """TDP of the set that each element of the mask shows, an array of shape (n_elements,)."""
        regions = None if self.made_by.has_labels else self.made_by.regions
        if regions is not None:
            return regions.paint(self.tdps_of_sets[0], self.frame.space.n_elements)
        given = self.partitions[-1].shown_tdp
        return self._shown([np.r_[0.0, proportions] for proportions in self.tdps_of_sets], given)

    @cached_property
    def tdps_of_sets(self) -> list[np.ndarray]:
        """TDP of the sets of each partition, NaN for those that are empty."""
        tdps = []
        for sets, found in zip(self.partitions, self.true_discoveries_of_sets, strict=True):
            sizes = np.bincount(sets.labels, minlength=sets.ids.size + 1)[1:]
            tdps.append(np.where(sizes, found[1:] / np.maximum(sizes, 1), np.nan))
        return tdps

    def _shown(self, by_label: list[np.ndarray], given: np.ndarray | None = None) -> np.ndarray:
        """Return what each element of the mask shows, 0 if it is not tested.

        It is what is given for the tested elements, or their set in the last partition that has
        them in one.
        """
        shown = by_label[0][self.partitions[0].labels] if given is None else given
        for sets, values in zip(self.partitions[1:], by_label[1:], strict=True):
            if given is None:
                inside = sets.labels > 0
                shown[inside] = values[sets.labels[inside]]
        is_tested = self.family.is_tested
        return shown if shown.size == is_tested.size else put(shown, is_tested)

    def to_image(self, values: np.ndarray, description: str) -> Any:
        """Return values of the elements of the mask as an image.

        Parameters
        ----------
        values : ndarray of shape (n_elements,)
            The values, such as ``labels`` or ``tdp``.

        description : str
            What they are, for the header.

        Returns
        -------
        image : image
            Of the kind and on the grid or mesh of the mask, 0 outside of it.
        """
        return self.frame.image([values], None, description)

    def bound(
        self,
        *,
        mask_img: Any = None,
        seed: Sequence[float] | None = None,
        radius: float | None = None,
        indices: Any = None,
    ) -> SetBound:
        """Return the bound of any set, see :func:`~ari_estimator.set_bound`.

        Parameters
        ----------
        mask_img, seed, radius, indices : optional
            The set, as for :func:`~ari_estimator.set_bound`.

        Returns
        -------
        bound : SetBound
            Size of the set, true discoveries, TDP and adjusted p-value.

        Raises
        ------
        TypeError
            If the mask is an image of another kind.
        ValueError
            If the set is not given in exactly one way, or none of its elements is tested.
        """
        members = self._members(mask_img=mask_img, seed=seed, radius=radius, indices=indices)
        found = self.bounds.of_set(members)
        return SetBound(members.size, found, found / members.size, self.test.set_p_value(members))

    def confidence_curve(
        self,
        *,
        mask_img: Any = None,
        seed: Sequence[float] | None = None,
        radius: float | None = None,
        indices: Any = None,
    ) -> pd.DataFrame:
        """Return the bounds of the strongest elements, see ``ari_estimator.confidence_curve``.

        Parameters
        ----------
        mask_img, seed, radius, indices : optional
            A set, as for :func:`~ari_estimator.set_bound`; by default all tested elements.

        Returns
        -------
        curve : pandas.DataFrame
            Row ``k - 1`` is of the k elements with the smallest p-values: ``n_selected``,
            ``p_value``, ``true_discoveries`` and ``tdp``.

        Raises
        ------
        ValueError
            If the set is malformed, or none of its elements is tested.
        """
        given = {"mask_img": mask_img, "seed": seed, "radius": radius, "indices": indices}
        p_values = self.test.p_values
        if any(value is not None for value in given.values()):
            members = self._members(**given)
            order = members[np.argsort(p_values[members], kind="stable")]
        else:
            order = np.argsort(p_values, kind="stable")
        n_selected = np.arange(1, order.size + 1)
        true_discoveries = self.bounds.along(order)
        return pd.DataFrame(
            {
                "n_selected": n_selected,
                "p_value": p_values[order],
                "true_discoveries": true_discoveries,
                "tdp": true_discoveries / n_selected,
            }
        )

    def element_at(self, index: Any) -> int:
        """Return the number of a voxel or vertex among the tested elements.

        Parameters
        ----------
        index : sequence of 3 int, dict or int
            The voxel; for surfaces a vertex, as ``{"left": 107}``; for CIFTI images a column.

        Returns
        -------
        element : int
            From 0 to ``n_tested - 1``.

        Raises
        ------
        ValueError
            If the index is malformed, or names what is not in the mask, or not tested.
        """
        if isinstance(index, dict):
            indices: Any = {name: np.atleast_1d(number) for name, number in index.items()}
        else:
            indices = np.asarray(index)[np.newaxis]
        selected = self.frame.at(indices)
        is_tested = self.family.is_tested
        if selected.sum() != 1 or not is_tested[selected].all():
            raise ValueError(
                f"index must name one tested {self.frame.space.element_name[0]}. Got {index!r}."
            )
        return int(np.flatnonzero(selected[is_tested])[0])

    def describe(self) -> dict[str, Any]:
        """Return what was tested and how, in plain data.

        Reports, sidecars, archives and pages are written from it.

        Returns
        -------
        description : dict
            JSON can hold all of it:

            - ``"estimator"``, ``"parameters"`` and ``"contrast"``: what asked for the test;
            - ``"statistic"``: ``stat_type``, ``df``, ``two_sided``, ``name``, ``said_by`` (what
              says that the map holds it), ``direction`` and ``sentence``;
            - ``"family"``: ``elements`` (their name), ``n_tested``, ``true_discoveries``,
              ``true_discoveries_interval`` (the bounds at the ends of the Monte Carlo interval,
              None if nothing is random) and ``alpha``;
            - ``"test"``: see :meth:`~ari_estimator.closed_testing.SimultaneousTest.describe`;
            - ``"sets"``: ``kind``, ``called``, ``n_sets``, ``sentence`` and ``references``.
        """
        statistic, ends = self.family.statistic, self.true_discoveries_interval
        return {
            "estimator": self.asked_by.estimator,
            "parameters": self.asked_by.plain_parameters(),
            "contrast": self.asked_by.contrast,
            "statistic": {
                "stat_type": statistic.stat_type,
                # JSON has no infinity.
                "df": [value if math.isfinite(value) else "inf" for value in statistic.df],
                "two_sided": statistic.two_sided,
                "name": statistic.name,
                "said_by": self.asked_by.said_by,
                "direction": statistic.direction,
                "sentence": sentence_of(statistic, self.asked_by.said_by),
            },
            "family": {
                "elements": self.frame.space.element_name[1],
                "n_tested": self.n_tested,
                "true_discoveries": self.true_discoveries,
                "true_discoveries_interval": None if ends is None else list(ends),
                "alpha": float(self.alpha),
            },
            "test": self.test.describe(self.alpha),
            "sets": {
                "called": self.made_by.called,
                "n_sets": self.n_sets,
                **self.made_by.describe(self.family, self.partitions),
            },
        }

    def _members(self, **given: Any) -> np.ndarray:
        """Return the tested elements of a set, at least one."""
        selected = select_elements(self.frame, **given)
        members = np.flatnonzero(selected[self.family.is_tested])
        if members.size == 0:
            raise ValueError(
                f"The set has no tested {self.frame.space.element_name[0]}: nothing can be said "
                "of it."
            )
        return members
