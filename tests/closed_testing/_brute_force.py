"""Closed testing by its definition: all intersections, in exact rational arithmetic.

Nothing here knows of Hommel values, critical vectors or sorting tricks. A set of
elements is a bit mask: bit i stands for element i.
"""

from fractions import Fraction
from math import lcm


def simes_factor(size, local_test):
    """Return ``s_i``: i for Simes' test, i * (1 + 1/2 + ... + 1/i) for Hommel's of 1983."""
    if local_test == "simes":
        return Fraction(size)
    return size * sum(Fraction(1, j) for j in range(1, size + 1))


def members(mask):
    """Return the elements of a bit mask, in ascending order."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


class ClosedTest:
    """Closed testing of a few p-values, given as fractions.

    ``local[mask]`` is the p-value of the local test of an intersection, the smallest alpha
    at which ``s_n * p_(j) <= j * alpha`` for some j; ``adjusted[mask]`` is the largest
    local p-value of the set and its supersets, hence the smallest alpha at which closed
    testing rejects it. Both are integers in units of ``1 / scale``, which is quick.
    """

    def __init__(self, p_values, local_test):
        self.n_elements = m = len(p_values)
        self.everything = (1 << m) - 1
        common = lcm(*(p.denominator for p in p_values))
        steps = lcm(*range(1, m + 1))
        self.scale = common * steps * steps
        numerators = [int(p * common) for p in p_values]
        factors = [0] + [int(simes_factor(size, local_test) * steps) for size in range(1, m + 1)]

        self.sizes = [mask.bit_count() for mask in range(1 << m)]
        self.local = [0] * (1 << m)
        for mask in range(1, 1 << m):
            inside = sorted(numerators[i] for i in members(mask))
            smallest = min(p * (steps // j) for j, p in enumerate(inside, start=1))
            self.local[mask] = factors[len(inside)] * smallest

        self.adjusted = self.local.copy()
        for mask in range(self.everything - 1, 0, -1):
            for i in members(self.everything ^ mask):
                self.adjusted[mask] = max(self.adjusted[mask], self.adjusted[mask | 1 << i])

    def _as_p_value(self, value):
        return min(Fraction(value, self.scale), Fraction(1))

    def bounds(self, alpha):
        """Return ``d(S)`` of every mask S: its size less its largest unrejected subset."""
        level = alpha.numerator * self.scale
        largest_unrejected = [0] * len(self.adjusted)
        for mask in range(1, len(self.adjusted)):
            if self.adjusted[mask] * alpha.denominator > level:
                largest_unrejected[mask] = self.sizes[mask]
            else:
                largest_unrejected[mask] = max(
                    largest_unrejected[mask ^ 1 << i] for i in members(mask)
                )
        return [size - n for size, n in zip(self.sizes, largest_unrejected, strict=True)]

    def hommel_value(self, alpha):
        """Return the size of the largest set that the local test does not reject."""
        level = alpha.numerator * self.scale
        return max(
            size
            for size, local in zip(self.sizes, self.local, strict=True)
            if size == 0 or local * alpha.denominator > level
        )

    def jump(self, size):
        """Return the smallest alpha at which all sets of at least this size are rejected."""
        return self._as_p_value(
            max(p for n, p in zip(self.sizes, self.local, strict=True) if n >= size)
        )

    def adjusted_p_value(self, mask):
        """Return the smallest alpha at which closed testing rejects a set; at most 1."""
        return self._as_p_value(self.adjusted[mask])

    def set_p_value(self, mask, tdp):
        """Return the smallest alpha at which ``d(S) > tdp * |S|``; at most 1.

        That is the smallest alpha at which all subsets of at least
        ``|S| - floor(tdp * |S|)`` elements are rejected.
        """
        smallest_size = self.sizes[mask] - int(tdp * self.sizes[mask])
        if smallest_size == 0:
            return Fraction(1)
        largest, subset = 0, mask
        while subset:
            if self.sizes[subset] >= smallest_size:
                largest = max(largest, self.adjusted[subset])
            subset = (subset - 1) & mask
        return self._as_p_value(largest)
