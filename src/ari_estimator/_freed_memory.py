"""Give freed memory back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

# Arrays of maps with fewer elements leave little behind.
MANY_ELEMENTS = 2**20


def give_back_memory() -> None:
    """Give freed memory back to the system.

    The C library of Linux keeps freed arrays of up to 32 MiB for the next ones of their size. The
    image of a large map is larger, so it would need as much memory again.
    """
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Any:
    """Return the function of the C library that gives memory back; None if it has none."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
