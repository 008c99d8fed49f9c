"""Units of rows that stay together, and exchanges within them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

# The structure of a unit, without its rows. Only units of the same structure change places.
_Shape = tuple[object, ...]


class Unit:
    """Rows that stay together: a block, or a block of blocks.

    Parameters
    ----------
    rows : ndarray of int of shape (n_rows,)
        The rows of the data that the unit holds.

    exchanges : bool
        Whether its parts may change places with each other, and change their sign one by one.

    parts : sequence of Unit, default=()
        The units it consists of. Without any, its parts are its rows.
    """

    def __init__(self, rows: np.ndarray, exchanges: bool, parts: Sequence[Unit] = ()) -> None:
        self.rows = rows
        self.exchanges = exchanges
        self.parts = parts
        self.shape: _Shape = (exchanges, tuple(part.shape for part in parts) or rows.size)
        # In the order of its parts, so that units of the same structure correspond.
        self.order: np.ndarray = np.concatenate([p.order for p in parts]) if parts else rows

    def permuted(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Return random orders of the rows, of shape (n_permutations, n_rows)."""
        if not self.parts:
            orders = np.tile(self.rows, (n_permutations, 1))
            return rng.permuted(orders, axis=1) if self.exchanges else orders
        of_parts = [part.permuted(n_permutations, rng) for part in self.parts]
        if not self.exchanges:
            return np.concatenate(of_parts, axis=1)
        stacked = np.stack(of_parts, axis=1)
        places = rng.permuted(np.tile(np.arange(len(of_parts)), (n_permutations, 1)), axis=1)
        moved = np.take_along_axis(stacked, places[:, :, np.newaxis], axis=1)
        return moved.reshape(n_permutations, self.rows.size)

    def arrangements(self, kinds: np.ndarray) -> Iterator[np.ndarray]:
        """Yield all orders of the rows that differ in kind, starting with the current order."""
        alike = self._alike(kinds)
        orders = distinct_orders(alike) if self.exchanges else iter([np.arange(alike.size)])
        for order in orders:
            if not self.parts:
                yield self.rows[order]
                continue
            of_parts = [list(self.parts[int(i)].arrangements(kinds)) for i in order]
            yield from map(np.concatenate, product(*of_parts))

    def n_arrangements(self, kinds: np.ndarray) -> int:
        """Return the number of orders that differ in kind."""
        within = math.prod(part.n_arrangements(kinds) for part in self.parts)
        if not self.exchanges:
            return within
        alike = np.bincount(self._alike(kinds)).tolist()
        return within * math.factorial(sum(alike)) // math.prod(map(math.factorial, alike))

    def _alike(self, kinds: np.ndarray) -> np.ndarray:
        """Return a number for each part, equal for parts that can change into each other."""
        if not self.parts:
            return np.unique(kinds[self.rows], return_inverse=True)[1].reshape(-1)
        seen: dict[object, int] = {}
        return np.array([seen.setdefault(part._form(kinds), len(seen)) for part in self.parts])

    def _form(self, kinds: np.ndarray) -> object:
        """Return the kinds of the rows, the same for all orders that exchanges can reach."""
        forms: list[object] = [part._form(kinds) for part in self.parts]
        forms = forms or kinds[self.rows].tolist()
        return tuple(sorted(forms, key=repr)) if self.exchanges else tuple(forms)

    def mark_orbits(self, orbits: np.ndarray) -> None:
        """Give the same number to rows that can change places. Changes the array in place."""
        for part in self.parts:
            part.mark_orbits(orbits)
        if self.exchanges:
            places = [part.order for part in self.parts] if self.parts else self.rows[:, np.newaxis]
            for column in np.transpose(places):
                orbits[np.isin(orbits, orbits[column])] = orbits[column].min()

    def mark_signs(self, units: np.ndarray, numbers: Iterator[int]) -> None:
        """Give the same number to rows that change sign together. Changes the array in place."""
        if not self.parts and self.exchanges:
            units[self.rows] = [next(numbers) for _ in self.rows]
        for part in self.parts:
            if self.exchanges:
                units[part.rows] = next(numbers)
            # Smaller units replace the larger one, whose sign then has no effect.
            part.mark_signs(units, numbers)

    def mark_fixed(self, units: np.ndarray, numbers: Iterator[int]) -> None:
        """Give the same number to rows of the largest fixed units. Changes the array in place."""
        if self.exchanges:
            units[self.rows] = next(numbers)
        elif not self.parts:
            units[self.rows] = [next(numbers) for _ in self.rows]
        else:
            for part in self.parts:
                part.mark_fixed(units, numbers)

    def unlike(self) -> tuple[Unit, Unit] | None:
        """Return two units that should change places but differ in size or structure."""
        if self.exchanges:
            for other in self.parts:
                if other.shape != self.parts[0].shape:
                    return self.parts[0], other
        found = (part.unlike() for part in self.parts)
        return next((pair for pair in found if pair is not None), None)


def distinct_orders(kinds: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the ways to order kinds, as orders of members, starting with the current order."""
    members = np.argsort(kinds, kind="stable")
    yield np.arange(kinds.size)
    # From the first to the last in lexicographic order.
    wanted = np.sort(kinds)
    while True:
        if not np.array_equal(wanted, kinds):
            order = np.empty(kinds.size, dtype=np.intp)
            order[np.argsort(wanted, kind="stable")] = members
            yield order
        rises = np.flatnonzero(wanted[:-1] < wanted[1:])
        if rises.size == 0:
            return
        at = rises[-1]
        larger = np.flatnonzero(wanted > wanted[at])[-1]
        wanted[[at, larger]] = wanted[[larger, at]]
        wanted[at + 1 :] = wanted[at + 1 :][::-1].copy()
