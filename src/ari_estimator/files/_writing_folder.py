"""A temporary folder next to the results, which a later run removes if this one cannot."""

from __future__ import annotations

import os
import platform
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

_PREFIX = ".writing-"
_LOCK = "lock"
_MARK = "A folder of ari_estimator, on the host "

# Locks of other hosts are not always visible, and some systems have none. No run writes that long.
_OLD = 24 * 3600


class WritingFolder:
    """A temporary folder in a folder, with the name ``.writing-...``.

    A lock shows other runs that this run is still active. Each run that creates a temporary folder
    removes old ones in the same place without a lock, because their runs have ended. Folders of a
    similar name without the mark of this package stay. Where files have no locks, as on Windows,
    folders are removed if they are older than a day.

    Parameters
    ----------
    folder : Path
        The existing folder.

    Attributes
    ----------
    new : Path
        A folder in it, for new files.

    old : Path
        A folder in it, for copies of old files.
    """

    def __init__(self, folder: Path) -> None:
        _remove_left_over(folder)
        # The files in it have the usual access rights, unlike the folder.
        path = Path(mkdtemp(prefix=_PREFIX, dir=folder))
        self._lock: int | None = None
        is_whole = False
        try:
            self.new, self.old = path / "new", path / "old"
            self.new.mkdir()
            self.old.mkdir()
            self._lock = _make_lock(path)
            is_whole = True
        finally:
            # Remove it also if this object is forgotten or the program ends, but not in child
            # processes.
            self.remove = weakref.finalize(self, _remove, path, self._lock, os.getpid())
            if not is_whole:
                self.remove()

    def keep(self) -> None:
        """Let the folder stay for ever, because files in it are needed."""
        self.remove.detach()
        if self._lock is not None:
            os.close(self._lock)
        (self.new.parent / _LOCK).unlink()


def _make_lock(path: Path) -> int | None:
    """Mark a folder; return the descriptor that holds its lock, None without file locks."""
    beginning = path / f"{_LOCK}.new"
    lock = os.open(beginning, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    held: int | None = lock
    try:
        is_locked = try_lock(lock)
        os.write(lock, f"{_MARK}{platform.node()}\n".encode())
        if is_locked is None:  # a system without locks does not rename open files
            held = None
            os.close(lock)
        # Other runs see the mark only from now on.
        beginning.rename(path / _LOCK)
    except BaseException:
        if held is not None:
            os.close(held)
        raise
    return held


def try_lock(descriptor: int) -> bool | None:
    """Lock a file; return False if another program has locked it, None without file locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # not on this file system
        return None
    return True


def _remove_left_over(folder: Path) -> None:
    """Remove temporary folders of programs that have ended."""
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(path / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                mark = os.read(lock, 1000).decode(errors="replace")
                is_ours = mark.startswith(_MARK) and not path.is_symlink()
                host = mark.removeprefix(_MARK).rstrip("\n")
                is_old = time.time() - path.stat().st_mtime >= _OLD
                if not is_ours or (host != platform.node() and not is_old):
                    continue
                is_locked = try_lock(lock)
                if is_locked:
                    rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
            if is_locked is None and is_old:
                rmtree(path, ignore_errors=True)


def _remove(path: Path, lock: int | None, maker: int) -> None:
    if os.getpid() != maker:
        return
    # Remove the mark last, so that a later run can remove the rest if this fails.
    with suppress(OSError):
        for inner in path.iterdir():
            if inner.name != _LOCK:
                rmtree(inner, ignore_errors=True)
    if lock is not None:
        os.close(lock)
    rmtree(path, ignore_errors=True)
