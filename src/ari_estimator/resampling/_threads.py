"""Threads of the library behind matrix products."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _libraries() -> ThreadpoolController:
    # Once in a process: it looks at all libraries that are loaded.
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which matrix products take one thread.

    Products here are so thin that several are no faster, and would be in the way of other
    processes.
    """
    return _libraries().limit(limits=1, user_api="blas")
