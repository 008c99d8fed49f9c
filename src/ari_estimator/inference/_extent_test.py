"""Base of local tests by the size of clusters."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any

import numpy as np

from ari_estimator.closed_testing import ClusterExtentTest, CriticalExtent
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._supra_threshold_part import supra_threshold_part


class ExtentTest(ABC):
    """A local test by the size of clusters: it makes the test of the tested elements.

    Attributes
    ----------
    height_threshold : float
        Cluster-forming threshold as a p-value.

    connectivity : {6, 18, 26} or None
        Number of neighbours of a voxel; None is 26.
    """

    height_threshold: float
    connectivity: Connectivity | None

    def _check(self, **settled: Any) -> None:
        """Check the common parameters, and keep plain numbers of others."""
        height = check_height(self.height_threshold)
        if self.connectivity is not None and self.connectivity not in CONNECTIVITIES:
            raise ValueError(f"connectivity must be 6, 18, 26 or None. Got {self.connectivity!r}.")
        for name, value in {"height_threshold": height, **settled}.items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def _critical_extent(self, family: MapFamily) -> CriticalExtent:
        """Return the critical extent of a map."""

    def check_statistic(self, statistic: Statistic) -> None:
        """Refuse a statistic that the test cannot be used with.

        Parameters
        ----------
        statistic : Statistic
            The statistic of the map.

        Raises
        ------
        ValueError
            If bounds for each sign are asked for.
        """
        if statistic.two_sided == DIRECTIONAL:
            raise ValueError(
                "two_sided must be True or False with cluster extents, which make no statement on "
                f"the sign of single voxels. Got {DIRECTIONAL!r}."
            )

    def __call__(self, family: MapFamily) -> ClusterExtentTest:
        """Return the test of the tested elements of a map.

        Parameters
        ----------
        family : MapFamily
            The tested elements.

        Returns
        -------
        test : ClusterExtentTest
            The test.

        Raises
        ------
        ValueError
            If a connectivity is given and there is no grid.

        Warns
        -----
        UserWarning
            If no element passes the height threshold.
        """
        extent = self._critical_extent(family)
        graph = supra_threshold_part(family, self.height_threshold, self.connectivity)
        if graph.n_above == 0:
            name = family.space.element_name[0]
            warnings.warn(
                f"No {name} passes the height threshold p < {self.height_threshold:g}: the "
                f"smallest p-value is {family.p_values.min():.3g}. So all bounds are 0.",
                UserWarning,
                stacklevel=2,
            )
        return ClusterExtentTest(family.p_values, graph, extent)


def check_height(height_threshold: Any) -> float:
    """Return a height threshold, checked.

    Parameters
    ----------
    height_threshold : float
        Cluster-forming threshold as a p-value.

    Returns
    -------
    height_threshold : float
        Strictly between 0 and 0.5.

    Raises
    ------
    TypeError
        If it is not one number.
    ValueError
        If it is out of range.
    """
    if isinstance(height_threshold, (list, tuple, set, np.ndarray)):
        raise TypeError(
            "height_threshold must be one p-value: the error level holds for one height, fixed in "
            f"advance. Got {height_threshold!r}."
        )
    if not isinstance(height_threshold, Real) or isinstance(height_threshold, (bool, np.bool_)):
        raise TypeError(
            "height_threshold must be a p-value, as one number. "
            f"Got {height_threshold!r} of type {type(height_threshold).__name__}."
        )
    height = float(height_threshold)
    if not 0 < height < 0.5:
        raise ValueError(
            "height_threshold must be a p-value between 0 and 0.5 (both excluded), such as 0.001 "
            f"for z > 3.09. Got {height_threshold!r}."
        )
    return height
