"""Side-by-side measurements: only ratios within one run mean anything."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable


def side_by_side(
    functions: dict[str, Callable[[], object]],
    n_rounds: int = 9,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median time of each function, in seconds.

    The functions take turns, so that a slow moment of the machine affects all of them. The first
    round is not counted: it compiles code and fills caches. ``time.process_time`` as the clock
    measures work in one process while the machine has other work, too.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(n_rounds + 1):
        for name, function in functions.items():
            start = clock()
            function()
            if i:
                times[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_memory(function: Callable[[], object]) -> int:
    """Return the peak memory that a function allocates, in bytes."""
    function()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = function()  # held, as a user would
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return peak - before


# Task and what it is compared with: the ratios that were reported for it, and their limit.
Row = tuple[str, str]
rows: dict[Row, tuple[list[float], float | None, bool]] = {}


def report(
    what: str,
    ratio: float,
    limit: float | None = None,
    *,
    at_least: bool = False,
    row: Row | None = None,
) -> None:
    """Print a ratio and, if there is one, its limit.

    Ratios with a row are gathered in that row of the page. With ``at_least``, a ratio says how
    many times as long the other takes.
    """
    line = f"  {what:<62} {ratio:7.2f}"
    if limit is not None:
        reached = ratio >= limit if at_least else ratio <= limit
        line += f"   {'>=' if at_least else '<='} {limit:<5g} {'yes' if reached else 'NO'}"
    print(line, flush=True)
    if row is not None:
        rows.setdefault(row, ([], limit, at_least))[0].append(ratio)


def page_rows() -> list[list[str]]:
    """Return the rows of the page for all reports so far: task, compared with, ratio, limit."""
    shown = []
    for (what, beside), (ratios, limit, at_least) in rows.items():
        ends = dict.fromkeys(_shown(ratio, at_least) for ratio in (min(ratios), max(ratios)))
        limit_shown = "" if limit is None else f"1 / {limit:g}" if at_least else f"{limit:g}"
        shown.append([what, beside, " to ".join(ends), limit_shown])
    return shown


def _shown(ratio: float, at_least: bool) -> str:
    digits = f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"
    return f"1 / {digits}" if at_least else digits
