"""Threads of the library behind matrix products."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _libraries() -> ThreadpoolController:
    # Once in a process, since it inspects all loaded libraries.
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which matrix products take one thread.

    The products are so thin that several threads are no faster, and would slow down other
    processes.
    """
    return _libraries().limit(limits=1, user_api="blas")
