"""Progress of long work, on a terminal or in a notebook.

Code that may run for long wraps its work in :func:`progress` and reports each finished part. If all
of the work takes more than two seconds, a bar with the time left appears, and goes when the work
ends. Nothing appears in files, pipes, continuous integration, other processes or other threads.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from typing import Any, NamedTuple, Protocol

# Shorter work shows nothing. In seconds, as the time from one drawing to the next.
_DELAY = 2.0
_PERIOD = 0.25

_WIDEST_BAR = 40


class _Clock:
    """The time, and a way to wait; tests put another clock in its place."""

    now = staticmethod(time.monotonic)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event; return whether it came within the time."""
        return event.wait(seconds)


class Task:
    """Work whose progress can be shown.

    Parameters
    ----------
    what : str
        The name of the work, or of the things that are counted.

    total : int or None
        Number of parts; None if it is not known.

    shown : bool
        Whether this task and the tasks within it may be shown.
    """

    def __init__(self, what: str, total: int | None, shown: bool) -> None:
        self.what = what
        self.total = total
        self.shown = shown
        self.done = 0
        self.started = _display.clock.now()

    def advance(self, n_parts: int = 1) -> None:
        """Report that parts of the work are finished.

        Parameters
        ----------
        n_parts : int, default=1
            How many.
        """
        self.done += n_parts


class _Row(NamedTuple):
    """A line of the display."""

    what: str
    done: int
    total: int | None
    seconds_left: float | None

    @property
    def amount(self) -> str:
        if self.total is None:
            return f"{self.done:,}" if self.done else ""
        return f"{self.done:,}/{self.total:,}"

    @property
    def time_left(self) -> str:
        if self.seconds_left is None:
            return ""
        minutes, seconds = divmod(round(self.seconds_left), 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return f"{clock} left"


class _Screen(Protocol):
    """Where rows are drawn."""

    def draw(self, rows: list[_Row]) -> None: ...

    def close(self) -> None: ...


class _Terminal:
    """Rows on the terminal of standard error; standard output stays as it is."""

    def __init__(self) -> None:
        from rich.console import Console  # for which there is time now
        from rich.live import Live

        console = Console(stderr=True)
        self._bar_width = max(5, min(_WIDEST_BAR, console.width - 45))
        # Text that is printed meanwhile goes above the bar, unless standard output is elsewhere.
        is_same = sys.stdout is not None and sys.stdout.isatty()
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=is_same
        )
        self._live.start()

    def draw(self, rows: list[_Row]) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table.grid(padding=(0, 1, 0, 0))
        for _ in range(4):
            table.add_column(no_wrap=True)
        for row in rows:
            bar = ProgressBar(row.total, row.done, width=self._bar_width)
            table.add_row(row.what, bar, row.amount, row.time_left)
        self._live.update(table, refresh=True)

    def close(self) -> None:
        self._live.stop()


class _Notebook:
    """Rows below the cell of a notebook, as HTML, which needs no widgets."""

    def __init__(self) -> None:
        from IPython.display import display

        self._handle: Any = display(self._bundle([]), raw=True, display_id=True)

    def draw(self, rows: list[_Row]) -> None:
        self._handle.update(self._bundle(rows), raw=True)

    def close(self) -> None:
        self._handle.update(self._bundle([]), raw=True)

    def _bundle(self, rows: list[_Row]) -> dict[str, str]:
        html, text = [], []
        for row in rows:
            value = "" if row.total is None else f' value="{row.done}" max="{row.total}"'
            words = " ".join(filter(None, (row.amount, row.time_left)))
            html.append(f"<div>{escape(row.what)} <progress{value}></progress> {words}</div>")
            text.append(f"{row.what} {words}")
        return {"text/html": "".join(html), "text/plain": "\n".join(text)}


class _Display:
    """The tasks that are under way in the main thread, and the thread that draws them."""

    def __init__(self, clock: _Clock | None = None) -> None:
        self.clock = clock or _Clock()
        self._reset()

    def _reset(self) -> None:
        self.tasks: list[Task] = []
        self._lock = threading.RLock()  # of the screen
        self._screen: _Screen | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def begin(self, task: Task) -> None:
        self.tasks.append(task)
        if len(self.tasks) == 1 and task.shown:
            screen = _screen_here()
            if screen is not None:
                self._ended = threading.Event()
                self._thread = threading.Thread(
                    target=self._draw_until, args=(self._ended, screen), daemon=True
                )
                self._thread.start()

    def end(self, task: Task) -> None:
        """Take a task away, and those within it that an error has left behind."""
        if task not in self.tasks:
            return
        del self.tasks[self.tasks.index(task) :]
        if not self.tasks and self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._thread = None

    def rows(self) -> list[_Row]:
        """Return the task to show: one that is counted, or else the last one."""
        now = self.clock.now()
        tasks = []
        for task in list(self.tasks):
            if not task.shown:
                break
            tasks.append(task)
        counted = [task for task in tasks if task.total]
        # The first gives the rate. Those within it, if they are short, would only flicker.
        shown = [task for task in counted if task is counted[0] or now - task.started >= _DELAY]
        return [self._row(task, now) for task in shown or tasks[-1:]]

    def _row(self, task: Task, now: float) -> _Row:
        left = None
        if task.total and task.done:
            left = (now - task.started) / task.done * max(0, task.total - task.done)
        return _Row(task.what, task.done, task.total, left)

    def _draw_until(self, ended: threading.Event, screen: type[_Screen]) -> None:
        if self.clock.wait(ended, _DELAY):
            return
        # A terminal that is closed, or lacks a character, must not stop the work.
        with suppress(OSError, ValueError):
            try:
                while not ended.is_set():
                    with self._lock:
                        if self._screen is None:
                            self._screen = screen()
                        self._screen.draw(self.rows())
                    self.clock.wait(ended, _PERIOD)
            finally:
                self._close()

    def _close(self) -> None:
        with self._lock:
            screen, self._screen = self._screen, None
            if screen is not None:
                screen.close()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        with self._lock:
            self._close()
            yield

    def forget(self) -> None:
        """In a forked process: leave the terminal to the process that it came from."""
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            setattr(sys, name, getattr(stream, "rich_proxied_file", stream))
        self._reset()


_display = _Display()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _display.forget())


@contextmanager
def progress(what: str, total: int | None = None, *, shown: bool = True) -> Iterator[Task]:
    """Show the progress of a block of code if all of the work takes more than two seconds.

    Parameters
    ----------
    what : str
        The name of the work ("Reading the mask"), or of the things counted ("Permutations").

    total : int or None, default=None
        Number of parts; None if it is not known or not counted.

    shown : bool, default=True
        Whether this work, and the work within it, may be shown.

    Yields
    ------
    task : Task
        Report finished parts with its method ``advance``.

    Notes
    -----
    Use it where a block of code begins and ends, and not in a generator: an error in the code that
    takes the items would leave the bar behind. If a generator cannot avoid it, the function that
    asks for the items needs a ``progress`` of its own, whose end takes the bar away.
    """
    task = Task(what, total, shown)
    if threading.current_thread() is not threading.main_thread():
        yield task
        return
    try:
        _display.begin(task)
        yield task
    finally:
        _display.end(task)


def progress_hidden() -> Any:
    """Return a context manager that takes the bar away while something is printed.

    Returns
    -------
    context : context manager
        The bar comes back after it.
    """
    return _display.hidden()


def _screen_here() -> type[_Screen] | None:
    """Return where progress can be shown; None if nowhere."""
    is_ci = os.environ.get("CI", "").lower() not in ("", "0", "false", "no")
    if is_ci or multiprocessing.current_process().name != "MainProcess":
        return None
    if sys.stderr is not None and sys.stderr.isatty():
        return None if os.environ.get("TERM", "") in ("dumb", "unknown") else _Terminal
    get_ipython: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return None if getattr(get_ipython(), "kernel", None) is None else _Notebook
