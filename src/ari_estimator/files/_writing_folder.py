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

# Locks of other hosts are not always visible.
_OLD = 24 * 3600


class WritingFolder:
    """A temporary folder in a folder, with the name ``.writing-...``.

    A lock shows other runs that this run is still active. Each run that creates a temporary folder
    removes old ones in the same place without a lock, because their runs have ended. Folders of a
    similar name without the mark of this package stay.

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
        self._lock = -1
        try:
            self.new, self.old = path / "new", path / "old"
            self.new.mkdir()
            self.old.mkdir()
            self._lock = _make_lock(path)
        finally:
            # Remove it also if this object is forgotten or the program ends, but not in child
            # processes.
            self.remove = weakref.finalize(self, _remove, path, self._lock, os.getpid())
            if self._lock < 0:
                self.remove()

    def keep(self) -> None:
        """Let the folder stay for ever, because files in it are needed."""
        self.remove.detach()
        os.close(self._lock)
        (self.new.parent / _LOCK).unlink()


def _make_lock(path: Path) -> int:
    """Lock a folder, and return the descriptor that holds the lock."""
    beginning = path / f"{_LOCK}.new"
    lock = os.open(beginning, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try_lock(lock)
        os.write(lock, f"{_MARK}{platform.node()}\n".encode())
        # Other runs see the mark only from now on.
        beginning.rename(path / _LOCK)
    except BaseException:
        os.close(lock)
        raise
    return lock


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
                if host != platform.node() and time.time() - path.stat().st_mtime < _OLD:
                    continue
                if is_ours and try_lock(lock):
                    rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def _remove(path: Path, lock: int, maker: int) -> None:
    if os.getpid() != maker:
        return
    # Remove the mark last, so that a later run can remove the rest if this fails.
    with suppress(OSError):
        for inner in path.iterdir():
            if inner.name != _LOCK:
                rmtree(inner, ignore_errors=True)
    if lock >= 0:
        os.close(lock)
    rmtree(path, ignore_errors=True)
