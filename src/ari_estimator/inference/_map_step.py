"""The step from the values of a map to its fitted map, in this process or in another one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ari_estimator._freed_memory import MANY_ELEMENTS, give_back_memory
from ari_estimator.images._frame import Frame
from ari_estimator.images._unread_images import Unread
from ari_estimator.inference._fitted_map import FittedMap
from ari_estimator.inference._form_family import check_computed_family, warn_of_untested_zeros
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._z_and_t import z_of_t


@dataclass(frozen=True)
class MapStep:
    """Check the values of a map and test it.

    Attributes
    ----------
    frame : Frame
        The mask.

    statistic : Statistic
        The statistic of the values.

    infer : callable
        Returns the fitted map of float64 values.

    df : ndarray of shape (n_elements,) or None
        Degrees of freedom of t values, if they differ between elements.

    warns_of_zeros : bool
        Whether to warn of many values of 0.

    mask_is_given : bool
        Whether the mask was given.

    checks_family : bool
        Whether to refuse a map that does not hold all tested elements.
    """

    frame: Frame
    statistic: Statistic
    infer: Callable[[np.ndarray], FittedMap]
    df: np.ndarray | None
    warns_of_zeros: bool
    mask_is_given: bool
    checks_family: bool

    def kept_values(self, values: np.ndarray) -> np.ndarray:
        """Return the values to keep for the map: z values in place of t values with many df."""
        return values if self.df is None else z_of_t(values.astype(np.float64, copy=False), self.df)

    def fitted_map(self, values: np.ndarray) -> FittedMap:
        """Return the fitted map of values that :meth:`kept_values` returned."""
        frame, statistic = self.frame, self.statistic
        values = values.astype(np.float64, copy=False)
        if self.warns_of_zeros:
            element_names = frame.space.element_name[1]
            warn_of_untested_zeros(
                values, statistic, element_names, frame.mask_called, self.mask_is_given
            )
        if self.checks_family:
            _check_family(values, frame, statistic)
        fitted_map = self.infer(values)
        if values.size >= MANY_ELEMENTS:
            give_back_memory()
        return fitted_map


@dataclass(frozen=True)
class MapsStep:
    """Test several maps in another process, and return only what is asked for.

    Attributes
    ----------
    step : MapStep
        The step of each map.

    names : tuple of str
        Attributes of the fitted map to return.

    returns_values : bool
        Whether to return the values of the map.
    """

    step: MapStep
    names: tuple[str, ...]
    returns_values: bool

    def __call__(
        self, sources: Sequence[np.ndarray | Unread]
    ) -> list[tuple[np.ndarray | None, Any, list[Warning | str]]]:
        """Return values, attributes and warnings of each map."""
        return [self._result_of(source) for source in sources]

    def _result_of(
        self, source: np.ndarray | Unread
    ) -> tuple[np.ndarray | None, Any, list[Warning | str]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            values = source.values(self.step.frame) if isinstance(source, Unread) else source
            values = self.step.kept_values(values)
            fitted_map = self.step.fitted_map(values)
            found = SimpleNamespace(**{name: getattr(fitted_map, name) for name in self.names})
        return values if self.returns_values else None, found, [one.message for one in caught]


def _check_family(values: np.ndarray, frame: Frame, statistic: Statistic) -> None:
    """Without a mask, refuse a map that does not hold all tested elements."""
    if frame.fills_grid:
        return
    # In a mask computed from several maps, a zero may be the result of thresholding.
    kept = ~np.isnan(values) & ((values != 0) | (not frame.is_computed))
    values = values if kept.all() else values[kept]
    statistic.check_values(values)
    z = statistic.one_sided_z(values)
    check_computed_family(z, frame.mask_called, frame.space.element_name[1])
