"""Requests to end a command: each interrupts it, so that nothing is left half done."""

from __future__ import annotations

import atexit
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ari_estimator.files._deferred_signals import ENDING

# How long an interrupt has to work before the next one is heard, in seconds. When a terminal is
# closed, several signals come at once.
_GRACE = 2.0


@contextmanager
def ending_by_interrupt(*, ends_process: bool = False) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP be a KeyboardInterrupt.

    Those that follow at once are the same request, and are not heard. Signals that are ignored,
    as of nohup, stay ignored. Only the main thread can hear signals.

    Parameters
    ----------
    ends_process : bool, default=False
        Whether the process ends after the block. Signals after the block are then ignored, so
        that the exit code reports the completed work.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last = -_GRACE

    def interrupt(*_: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _GRACE:
            last = now
            raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {}
    try:
        for number in ENDING:
            handler = signal.getsignal(number)
            if handler not in (None, signal.SIG_IGN):  # None is a handler that is not Python's
                before[number] = handler
                signal.signal(number, interrupt)
        yield
    finally:
        # Python ends by SIGINT, whatever the exit code is, if the last code that it has run from a
        # string was interrupted, as dataclasses and namedtuples run some. This is such code, too.
        exec("")
        if ends_process:
            _ignore(list(before))
        elif last == -_GRACE:
            for number, handler in before.items():
                signal.signal(number, handler)
        else:
            # The program is about to end, and the next signal must not change how. Python itself
            # gives signals back to the system while it ends, but for those that are ignored.
            atexit.register(_ignore, list(before))


def is_interrupt(error: BaseException | None) -> bool:
    """Tell whether an error is an interrupt, or is what other code has made of one.

    Parameters
    ----------
    error : BaseException or None
        The error. Python itself makes a RuntimeError of an interrupt of ``__set_name__``, and
        typer an error of its own.

    Returns
    -------
    is_interrupt : bool
        Whether a KeyboardInterrupt is among the errors that it comes from.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def left_by_interrupt(written: Sequence[Path]) -> str:
    """Return what an interrupt has left: everything or nothing."""
    whole = [path for path in written if path.exists()]  # files on their way are gone by now
    if not whole:
        return "interrupted; nothing was written"
    if len(whole) == 1:
        return f"interrupted after {whole[0]} was written as a whole"
    folders = ", ".join(dict.fromkeys(str(path.parent) for path in whole))
    return f"interrupted after all {len(whole)} files were written to {folders}"


def _ignore(numbers: list[signal.Signals]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
