"""Check the values of a map, and test it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ari_estimator._freed_memory import MANY_ELEMENTS, give_back_memory
from ari_estimator.images._frame import Frame
from ari_estimator.inference._fitted_map import FittedMap
from ari_estimator.inference._form_family import check_computed_family, warn_of_untested_zeros
from ari_estimator.inference._statistic import Statistic
from ari_estimator.inference._z_and_t import z_of_t


@dataclass(frozen=True)
class InferChecked:
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

    def __call__(self, values: np.ndarray) -> tuple[np.ndarray, FittedMap]:
        """Return the values to keep for the map, z if degrees of freedom vary, and its test.

        The fitted map owns its values: what a user does to an array later does not change it.
        """
        frame, statistic = self.frame, self.statistic
        if self.df is not None:
            values = z_of_t(values.astype(np.float64, copy=False), self.df)
        if values.base is not None:
            # A view of an array, of the user perhaps. All frames give new arrays or views.
            values = values.copy()
        kept = values
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
        return kept, fitted_map


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
