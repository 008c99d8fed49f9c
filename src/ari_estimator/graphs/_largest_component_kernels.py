"""Compiled loop behind :class:`ari_estimator.graphs._largest_component.LargestComponent`.

It relies on the checks of the class. This module imports numba, which takes noticeable time, so it
is imported only when needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Values that are compared with the cutoff at once.
_CHUNK = 64


@njit(cache=True)
def largest_of_rows(
    values: np.ndarray,
    cutoff: float,
    is_absolute: bool,
    by_sign: bool,
    bases: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    offsets: np.ndarray,
    node_of_slot: np.ndarray,
    largest: np.ndarray,
) -> None:
    """Raise the size of each row to the size of its largest component beyond the cutoff."""
    n_nodes = values.shape[1]
    # 0: not selected, or its component is done. 1 and 2: selected, with one of the signs.
    side = np.zeros(n_nodes, dtype=np.int8)
    selected = np.empty(n_nodes, dtype=np.int32)
    waiting = np.empty(n_nodes, dtype=np.int32)
    for row in range(values.shape[0]):
        of_row = values[row]
        n_selected = 0
        for first in range(0, n_nodes, _CHUNK):
            chunk = of_row[first : first + _CHUNK]
            # Most chunks have no such value. A sum, unlike a condition, is vector code.
            n_beyond = 0
            for i in range(chunk.size):
                n_beyond += (abs(chunk[i]) if is_absolute else chunk[i]) >= cutoff
            if n_beyond == 0:
                continue
            for i in range(chunk.size):
                if (abs(chunk[i]) if is_absolute else chunk[i]) >= cutoff:
                    side[first + i] = 2 if by_sign and chunk[i] < 0 else 1
                    selected[n_selected] = first + i
                    n_selected += 1
        for place in range(n_selected):
            start = selected[place]
            own = side[start]
            if own == 0:
                continue
            side[start] = 0
            waiting[0] = start
            n_found, n_done = 1, 0
            while n_done < n_found:
                node = waiting[n_done]
                n_done += 1
                base = bases[node]
                for i in range(starts[node], stops[node]):
                    neighbour = node_of_slot[base + offsets[i]]
                    if neighbour >= 0 and side[neighbour] == own:
                        side[neighbour] = 0
                        waiting[n_found] = neighbour
                        n_found += 1
            largest[row] = max(largest[row], n_found)
