"""From one masked map to the bounds of its sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.images._frame import Frame
from ari_estimator.inference._fitted_map import FittedMap
from ari_estimator.inference._map_family import MapFamily, form_family
from ari_estimator.inference._provenance import Provenance
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._statistic import Statistic

TestMaker = Callable[[MapFamily], SimultaneousTest]


def infer_map(
    values: np.ndarray,
    frame: Frame,
    statistic: Statistic,
    make_test: TestMaker,
    set_maker: SetMaker,
    *,
    alpha: float,
    asked_by: Provenance,
) -> FittedMap:
    """Test one map and bound the true discoveries of its sets.

    Parameters
    ----------
    values : ndarray of shape (n_elements,)
        Values in the mask; NaN where there is none.

    frame : Frame
        The mask.

    statistic : Statistic
        What the values are.

    make_test : callable
        Gives the test of the tested elements.

    set_maker : SetMaker
        Makes the sets.

    alpha : float
        Error level.

    asked_by : Provenance
        What asks for the map to be tested.

    Returns
    -------
    fitted_map : FittedMap
        All that is known of the map.
    """
    family = form_family(values, frame.space, statistic)
    test = make_test(family)
    bounds = test.bounds(alpha)
    partitions = set_maker.make(family, bounds)
    of_sets = [
        bounds.by_label(sets.labels, sets.n_sets + 1, subset=sets.subset) for sets in partitions
    ]
    return FittedMap(frame, family, test, alpha, bounds, set_maker, partitions, of_sets, asked_by)
