"""The test of a part of a larger family: the bounds of all parts hold together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ari_estimator.closed_testing._checks import check_p_values
from ari_estimator.closed_testing._critical_vector_test import CriticalVectorTest
from ari_estimator.closed_testing._derived_test import DerivedTest
from ari_estimator.closed_testing._stored_test import arrays_of, restored_test
from ari_estimator.files._stored_array import stored_array


class FamilyPart(DerivedTest):
    """The test of some elements of a larger family.

    The bounds of all sets of the larger family hold at once. The sets of a part are some of them,
    so they keep their bounds. For example, the voxels of each of several contrasts are parts of
    one family.

    Parameters
    ----------
    whole : CriticalVectorTest
        The test of the larger family.

    elements : slice
        The elements of the part.

    sizes : mapping of str to int
        Number of elements of each part of the larger family, by name.

    Attributes
    ----------
    p_values : ndarray of shape (n_elements,)
        P-values of the part.

    whole : CriticalVectorTest
        The test of the larger family.

    elements : slice
        The elements of the part.

    sizes : dict of str to int
        The parts of the larger family.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import FamilyPart, Hommel
    >>> whole = Hommel(np.array([0.001, 0.3, 0.01, 0.6]))
    >>> part = FamilyPart(whole, slice(2, 4), {"first": 2, "second": 2})
    >>> part.bounds(0.05).of_set(), whole.bounds(0.05).of_set([2, 3])
    (1, 1)
    """

    kind = "part"

    def __init__(
        self, whole: CriticalVectorTest, elements: slice, sizes: Mapping[str, int]
    ) -> None:
        super().__init__(whole, whole.p_values[elements])
        self.whole = whole
        self.elements = elements
        self.sizes = dict(sizes)

    def __repr__(self) -> str:
        return f"FamilyPart({self.whole!r}, n_elements={self.n_elements})"

    def _level(self, alpha: float) -> float:
        return alpha

    def describe(self, alpha: float = 0.05) -> dict[str, Any]:
        """Return what the test is, see :meth:`SimultaneousTest.describe`."""
        described = self.whole.describe(alpha)
        names = ", ".join(f"“{name}”" for name in self.sizes)
        total = self.whole.n_elements
        described["sentence"] = (
            f"The family was the {total:,} elements of {len(self.sizes)} contrasts together "
            f"({names}): the bounds of all sets in all contrasts hold at once. "
            f"{described['sentence']}"
        )
        described["values"] = {
            **described["values"],
            "FamilySizes": self.sizes,
            "FamilyTrueDiscoveries": self.whole.bounds(alpha).of_set(),
        }
        return described

    def to_arrays(self) -> dict[str, Any]:
        """Return the test of the larger family and the part, as arrays."""
        return {
            **arrays_of(self.whole, "whole"),
            "whole_p_values": self.whole.p_values,
            "start": self.elements.start,
            "part_names": np.array(list(self.sizes)),
            "part_sizes": np.array(list(self.sizes.values()), dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], p_values: np.ndarray) -> FamilyPart:
        """Restore the test, see :meth:`SimultaneousTest.from_arrays`."""
        of_family = check_p_values(stored_array(arrays, "whole_p_values", "f", (None,)))
        whole = restored_test(arrays, "whole", of_family)
        names = stored_array(arrays, "part_names", "U", (None,)).tolist()
        sizes = stored_array(arrays, "part_sizes", "iu", (len(names),)).tolist()
        start = stored_array(arrays, "start", "iu").item()
        starts = np.cumsum([0, *sizes])
        if min(sizes, default=0) < 1 or starts[-1] != whole.n_elements or start not in starts[:-1]:
            raise ValueError("the parts of the family do not fit its elements")
        return cls(whole, slice(start, start + p_values.size), dict(zip(names, sizes, strict=True)))
