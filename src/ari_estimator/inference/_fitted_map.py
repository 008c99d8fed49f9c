"""One tested map: its family, test, sets and bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ari_estimator._nesting import refuse_nested
from ari_estimator.closed_testing import SimultaneousBounds, SimultaneousTest
from ari_estimator.images._frame import Frame
from ari_estimator.images._mask_array import put
from ari_estimator.images._painted_values import PaintedValues, Values
from ari_estimator.images._selection import select_element, select_elements
from ari_estimator.inference._form_family import form_family
from ari_estimator.inference._local_tests import LOCAL_TESTS, TestMaker
from ari_estimator.inference._map_clusters import MapClusters
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._provenance import Provenance
from ari_estimator.inference._set_bound import DirectionalSetBound, SetBound
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._set_table import set_table
from ari_estimator.inference._sets import Sets
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._statistics import sentence_of
from ari_estimator.inference._tdp_forest import TDPForest


@dataclass(frozen=True, eq=False, repr=False)
class FittedMap(MapClusters):
    """One tested map: its family, its sets, their bounds, and bounds of any other set.

    Transformers and models keep one for each map, as ``maps_``. Tables, figures, reports,
    :func:`~ari_estimator.explore`, :func:`~ari_estimator.save` and :func:`~ari_estimator.set_bound`
    accept it instead of the estimator.

    Attributes
    ----------
    frame : Frame
        The mask. It turns values into images.

    family : MapFamily
        The tested elements (voxels or vertices) with their values.

    test : SimultaneousTest
        The test of all sets of these elements.

    alpha : float
        Error level.

    bounds : SimultaneousBounds
        The bounds of all sets at that level.

    made_by : SetMaker
        The object that made the sets.

    partitions : list of Sets
        The sets, with one partition for each threshold, from the most lenient to the strictest.

    true_discoveries_of_sets : list of ndarray of int of shape (n_sets + 1,)
        True discoveries of the rest and of the sets of each partition.

    asked_by : Provenance
        The estimator that tested the map, with its parameters.

    See Also
    --------
    ClusterTDPTransformer : Makes a fitted map from an image.
    set_bound : The bound of any set, from an estimator or a fitted map.

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
            Values in the mask; NaN for missing values.

        frame : Frame
            The mask.

        statistic : Statistic
            The statistic of the values.

        make_test : callable or str
            Makes the test from the tested elements (a MapFamily). Or the name of a local test.

        set_maker : SetMaker
            Makes the sets.

        alpha : float, default=0.05
            Error level.

        asked_by : Provenance or None, default=None
            The estimator that tests the map, for reports.

        Returns
        -------
        fitted_map : FittedMap
            The fitted map.
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

    @property
    def true_discoveries_by_sign(self) -> dict[str, int] | None:
        """Bounds on positive and negative effects among all tested elements.

        None unless ``two_sided="directional"``.
        """
        sides = self.bounds.sides
        return {side: bounds.of_set() for side, bounds in sides.items()} if sides else None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each set and one for the rest."""
        between = self._monte_carlo_bounds
        ends = None if between is None else [self._of_sets(bounds) for bounds in between]
        sides = {side: self._of_sets(bounds) for side, bounds in self.bounds.sides.items()}
        parts = {name: self._of_sets(bounds) for name, bounds in self.bounds.parts.items()}
        p_values = None
        if self.test.has_familywise_p_values:
            p_values = [
                self.test.familywise_p_values(sets.labels, sets.ids.size + 1, subset=sets.elements)
                for sets in self.partitions
            ]
        return set_table(
            self.family,
            self.partitions,
            self.true_discoveries_of_sets,
            ends,
            sides,
            parts,
            p_values,
        )

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
        """All clusters of the map with their bounds; None unless the clusters are adaptive."""
        return self.partitions[0].forest

    @property
    def labels(self) -> np.ndarray:
        """Id of the set shown at each element of the mask, int32 of shape (n_elements,)."""
        return np.asarray(self.painted_labels)

    @property
    def tdp(self) -> np.ndarray:
        """TDP of the set shown at each element of the mask, of shape (n_elements,)."""
        return np.asarray(self.painted_tdp)

    @property
    def painted_labels(self) -> PaintedValues:
        """The same as ``labels``, in less memory. :meth:`to_image` takes either."""
        return self._painted([np.r_[0, sets.ids].astype(np.int32) for sets in self.partitions])

    @property
    def painted_tdp(self) -> Values:
        """The same as ``tdp``, in less memory where possible. :meth:`to_image` takes either."""
        regions = None if self.made_by.has_labels else self.made_by.regions
        if regions is not None:
            return regions.paint(self.tdps_of_sets[0], self.frame.space.n_elements)
        given = self.partitions[-1].shown_tdp
        if given is not None:
            return self._in_mask(given)
        return self._painted([np.r_[0.0, proportions] for proportions in self.tdps_of_sets])

    @cached_property
    def tdps_of_sets(self) -> list[np.ndarray]:
        """TDP of the sets of each partition; NaN for empty sets."""
        tdps = []
        for sets, found in zip(self.partitions, self.true_discoveries_of_sets, strict=True):
            sizes = sets.sizes[1:]
            tdps.append(np.where(sizes, found[1:] / np.maximum(sizes, 1), np.nan))
        return tdps

    def _painted(self, by_label: list[np.ndarray]) -> PaintedValues:
        """Return the value shown at each element of the mask, 0 if it is not tested.

        It is the value of the element's set in the last partition that has a set there.
        """
        labels = [self._in_mask(sets.labels) for sets in self.partitions]
        return PaintedValues(list(zip(labels, by_label, strict=True)))

    def _in_mask(self, values: np.ndarray) -> np.ndarray:
        """Return values of the tested elements for all elements of the mask, 0 for the others."""
        is_tested = self.family.is_tested
        return values if values.size == is_tested.size else put(values, is_tested)

    def to_image(self, values: Values, description: str) -> Any:
        """Return values of the elements of the mask as an image.

        Parameters
        ----------
        values : ndarray or PaintedValues of shape (n_elements,)
            The values, such as ``labels`` or ``tdp``.

        description : str
            Description of the values, for the header.

        Returns
        -------
        image : image
            Image of the same kind and on the same grid or mesh as the mask; 0 outside the mask.
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
            If the set is not given in exactly one way, or it has no tested elements.
        """
        members = self._members(mask_img=mask_img, seed=seed, radius=radius, indices=indices)
        found = self.bounds.of_set(members)
        bound = members.size, found, found / members.size, self.test.set_p_value(members)
        if not self.bounds.sides:
            return SetBound(*bound)
        sides = {side: bounds.of_set(members) for side, bounds in self.bounds.sides.items()}
        return DirectionalSetBound(SetBound(*bound), **sides)

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
            A set, as for :func:`~ari_estimator.set_bound`. The default is all tested elements.

        Returns
        -------
        curve : pandas.DataFrame
            Row ``k - 1`` describes the k elements with the smallest p-values. Columns:
            ``n_selected``, ``p_value``, ``true_discoveries`` and ``tdp``. If
            ``two_sided="directional"``, also ``true_discoveries_positive`` and
            ``true_discoveries_negative``.

        Raises
        ------
        ValueError
            If the set is malformed or has no tested elements.
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
        curve = {
            "n_selected": n_selected,
            "p_value": p_values[order],
            "true_discoveries": true_discoveries,
            "tdp": true_discoveries / n_selected,
        }
        for side, bounds in self.bounds.sides.items():
            curve[f"true_discoveries_{side}"] = bounds.along(order)
        return pd.DataFrame(curve)

    def element_at(self, *, seed: Sequence[float] | None = None, index: Any = None) -> int:
        """Return the number of a voxel or vertex among the tested elements.

        Parameters
        ----------
        seed, index : optional
            The place, as for :func:`~ari_estimator.element_at`: a point in mm, or an index.

        Returns
        -------
        element : int
            Number from 0 to ``n_tested - 1``.

        Raises
        ------
        ValueError
            If the place is not given in exactly one way, or is malformed, or if it is not in the
            mask or not tested.
        """
        selected = select_element(self.frame, seed=seed, index=index)
        is_tested = self.family.is_tested
        if not is_tested[selected].all():
            name, value = ("index", index) if seed is None else ("seed", seed)
            element = self.frame.space.element_name[0]
            raise ValueError(
                f"{name} must name a tested {element}. Got {value!r}, a {element} without a value."
            )
        return int(np.flatnonzero(selected[is_tested])[0])

    def describe(self) -> dict[str, Any]:
        """Return what was tested and how, in plain data.

        Reports, sidecars, archives and pages are written from this description.

        Returns
        -------
        description : dict
            All values can be written as JSON:

            - ``"estimator"``, ``"parameters"`` and ``"contrast"``: the estimator that tested the
              map;
            - ``"statistic"``: ``stat_type``, ``df``, ``two_sided``, ``name``, ``said_by`` (the
              source of this information), ``direction`` and ``sentence``;
            - ``"family"``: ``elements`` (their name), ``n_tested``, ``true_discoveries``,
              ``true_discoveries_interval`` (the bounds at the ends of the Monte Carlo interval,
              None if nothing is random), ``true_discoveries_by_sign`` (None unless
              ``two_sided="directional"``) and ``alpha``;
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
                "true_discoveries_by_sign": self.true_discoveries_by_sign,
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
        refuse_nested(**given)
        selected = select_elements(self.frame, **given)
        members = np.flatnonzero(selected[self.family.is_tested])
        if members.size == 0:
            raise ValueError(
                f"The set has no tested {self.frame.space.element_name[0]}, so it has no bound."
            )
        return members
