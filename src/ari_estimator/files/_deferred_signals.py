"""Defer signals until a block that must not be interrupted is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Signals that ask a program to end. Not all systems have all of them; only Windows has SIGBREAK.
ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Let requests to end (SIGINT, SIGTERM, SIGHUP) wait until the block is done.

    Signals that arrive in the block take effect right after it. Outside the main thread this does
    nothing, because signals do not interrupt other threads.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deferral = _Deferral()
    try:
        deferral.begin()
        yield
    finally:
        deferral.end()


class _Deferral:
    """A handler that keeps signals while it is active, and passes them on afterwards.

    If a signal arrives while handlers change, a handler that is still in place passes it on.
    """

    def __init__(self) -> None:
        self._is_on = True
        self._before: dict[int, Any] = {}
        self._arrived: list[int] = []

    def begin(self) -> None:
        for number in ENDING:
            before = signal.getsignal(number)
            # None means a handler outside Python. Ignored signals stay ignored, as with nohup.
            if before not in (None, signal.SIG_IGN):
                self._before[number] = before
                signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        before = self._before[number]
        if self._is_on:
            self._arrived.append(number)
        elif callable(before):
            before(number, frame)
        else:
            signal.signal(number, before)
            signal.raise_signal(signal.Signals(number))

    def end(self) -> None:
        self._is_on = False
        for number, before in self._before.items():
            if signal.getsignal(number) is self:
                signal.signal(number, before)
        for number in dict.fromkeys(self._arrived):
            signal.raise_signal(signal.Signals(number))
