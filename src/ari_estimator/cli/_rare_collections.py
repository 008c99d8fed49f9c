"""Search for reference cycles less often in a process that runs one command."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects until the next search. Python's own number suits small programs: imports alone make
# hundreds of thousands of objects that stay, and each search looks at many of them again.
_NEW_OBJECTS = 10_000


@contextmanager
def rare_collections(*, ends_process: bool) -> Iterator[None]:
    """Let Python search for reference cycles less often, and not at its end.

    Parameters
    ----------
    ends_process : bool
        Whether the process ends after the block. If not, the process belongs to the caller, and
        nothing changes.
    """
    if not ends_process:
        yield
        return
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    try:
        yield
    finally:
        # The system frees the memory of a process that ends. Python would otherwise look at all
        # objects several times before. Functions of atexit and finalizers of files still run.
        gc.freeze()
