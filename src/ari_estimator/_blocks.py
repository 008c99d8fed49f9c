"""Blocks of long arrays, for steps that would otherwise need more arrays of the same length."""

from __future__ import annotations

from collections.abc import Iterator

# A block of doubles has one MiB, and stays in the cache of a processor.
_LENGTH = 2**17


def blocks(n: int) -> Iterator[slice]:
    """Yield ranges that follow each other, from 0 to ``n``.

    Parameters
    ----------
    n : int
        Length of an array.

    Yields
    ------
    block : slice
        A part of the array; an empty one if the array is empty.
    """
    for start in range(0, max(n, 1), _LENGTH):
        yield slice(start, min(start + _LENGTH, n))
