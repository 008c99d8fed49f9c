"""Spread passes over permutations over processes, and show their progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs

from ari_estimator._progress import progress
from ari_estimator.resampling._null_statistics import NullStatistics, draws_per_block
from ari_estimator.resampling._threads import one_thread

# Most permutations per task by default.
_LARGEST_CHUNK = 2500

# Permutations per step of the progress bar with a single process.
_STEP = 250


class _Shared:
    """A function with its data, which Dask sends once and not with each task.

    Dask does so with arguments that say that they are large.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __sizeof__(self) -> int:
        return 2**20


def _call(shared: _Shared, part: Sequence[Any]) -> Any:
    return shared.function(part)


class Workers:
    """How passes are spread over processes.

    Parameters
    ----------
    n_jobs : int or None
        Number of processes; None for the configuration of joblib.

    chunk_size : int or None
        Permutations per task, rounded up to whole blocks. None for half a share of each process,
        but no more than 2500.

    Examples
    --------
    >>> from ari_estimator.calibration import Workers
    >>> list(Workers(n_jobs=1).run("Numbers", sum, [range(3), range(3, 5)]))
    [3, 7]
    """

    def __init__(self, n_jobs: int | None = None, chunk_size: int | None = None) -> None:
        if n_jobs == 0:
            raise ValueError(
                "n_jobs must be the number of processes: 1 or more, -1 for one per processor, or "
                "None. Got 0."
            )
        self.n_jobs = n_jobs
        self.chunk_size = chunk_size

    def run(
        self, what: str, function: Callable[..., Any], ranges: Sequence[Sequence[Any]]
    ) -> Iterator[Any]:
        """Yield the results of a function for each range, or other part of the work, in order.

        Parameters
        ----------
        what : str
            What the ranges count, for the progress bar.

        function : callable
            The function. It takes a range.

        ranges : sequence of range, or of other sequences
            The ranges.

        Yields
        ------
        result : object
            The result for the next range.
        """
        # Limit threads here too. If the workers are threads, they cannot limit matrix products
        # themselves, and products on several threads may differ in the last bit.
        with one_thread(), progress(what, sum(map(len, ranges))) as task:
            for part, result in zip(ranges, self._run(function, ranges), strict=True):
                task.advance(len(part))
                yield result

    def _run(self, function: Callable[..., Any], ranges: Sequence[Sequence[Any]]) -> Iterator[Any]:
        # A process without work would only waste memory.
        n_jobs = min(effective_n_jobs(self.n_jobs), max(1, len(ranges)))
        parallel = Parallel(n_jobs=n_jobs)
        # Not all backends of joblib can give results one by one.
        if getattr(parallel._backend, "supports_return_generator", False):
            parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        shared = _Shared(function)
        yield from parallel(delayed(_call)(shared, part) for part in ranges)

    def ranges_of_draws(self, null: NullStatistics) -> list[range]:
        """Return the permutations of each task.

        Parameters
        ----------
        null : NullStatistics
            The statistics, whose permutations are spread over tasks.

        Returns
        -------
        ranges : list of range
            The permutations of each task, in whole blocks.
        """
        n_permutations, block = null.n_permutations, draws_per_block(null.n_elements)
        size = self.chunk_size
        if size is None:
            n_processes = effective_n_jobs(self.n_jobs)
            half = math.ceil(n_permutations / (2 * n_processes))
            size = _STEP if n_processes == 1 else min(_LARGEST_CHUNK, half)
        step = math.ceil(size / block) * block
        return [
            range(start, min(start + step, n_permutations))
            for start in range(0, n_permutations, step)
        ]
