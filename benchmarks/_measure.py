"""Side-by-side measurements: only ratios within one run mean anything."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable


def side_by_side(functions: dict[str, Callable[[], object]], n_rounds: int = 9) -> dict[str, float]:
    """Return the median time of each function, in seconds.

    The functions take turns, so that a slow moment of the machine meets all of them. One
    round before is not counted: it compiles, and fills caches.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(n_rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if i:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_memory(function: Callable[[], object]) -> int:
    """Return the largest memory that a function allocates on top of what is there, in bytes."""
    function()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = function()  # held, as a user would
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return peak - before


def report(what: str, ratio: float, limit: float | None = None, *, at_least: bool = False) -> None:
    """Print a ratio, beside what it is to reach if there is such a limit."""
    line = f"  {what:<62} {ratio:7.2f}"
    if limit is not None:
        reached = ratio >= limit if at_least else ratio <= limit
        line += f"   {'>=' if at_least else '<='} {limit:<5g} {'yes' if reached else 'NO'}"
    print(line)
