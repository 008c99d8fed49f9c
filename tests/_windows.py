"""The rules of Windows for files, on any system with ``/proc``: a simulation for tests.

It shows what fails there and not here. It does not show that all works there.
"""

from __future__ import annotations

import builtins
import io
import os
import pathlib
import shutil
from pathlib import Path

_NO_NAME_HAS = set('<>:"|?*') | set(map(chr, range(32)))
_DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in "123456789"),
}
_OF_USE = "The process cannot access the file because it is being used by another process"


def _open_paths() -> set[str]:
    """Return the real paths of all files that this process has open, or has mapped to memory."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:  # the one that lists the folder
            continue
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    return found | {line.split(maxsplit=5)[5] for line in maps if line.count("/")}


def _looked_up_late(module, name):
    """Return a function that calls whatever a module has under a name at the time of the call."""
    return lambda *args, **named: getattr(module, name)(*args, **named)


class Windows:
    """Let calls in one folder fail as Windows would.

    - A file that is open or mapped cannot be renamed, replaced or removed, and neither can a folder
      around it.
    - A folder cannot be opened.
    - Some characters and some names cannot be in a file name.
    - The case of a name does not count.
    - Text is written with CR LF, and in the code page 1252, unless the program says otherwise.
    """

    def __init__(self, monkeypatch, folder: Path) -> None:
        self._patch = monkeypatch
        self._folder = os.path.realpath(folder)
        self.refused: list[str] = []
        self._real = {name: getattr(os, name) for name in ("open", "mkdir")}
        for name in ("rename", "replace", "unlink", "remove", "rmdir"):
            self._guard(name)
        self._patch.setattr(os, "open", self._open_descriptor)
        self._patch.setattr(os, "mkdir", self._mkdir)
        opened = io.open

        def open_text(
            file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *more
        ):
            if self._is_here(file) and set(mode) & set("wxa"):
                self._check_name(file)
            if self._is_here(file) and "b" not in mode:
                encoding = "cp1252" if encoding in (None, "locale") else encoding
                if newline is None and set(mode) & set("wxa"):
                    newline = "\r\n"
            return opened(file, mode, buffering, encoding, errors, newline, *more)

        self._patch.setattr(io, "open", open_text)
        self._patch.setattr(builtins, "open", open_text)
        # rmtree by descriptors of folders is not for Windows.
        self._patch.setattr(shutil, "_use_fd_functions", False)
        self._patch.setattr(shutil.rmtree, "avoids_symlink_attacks", False)
        if hasattr(shutil, "_rmtree_impl"):  # Python 3.14 chooses when it is imported
            self._patch.setattr(shutil, "_rmtree_impl", shutil._rmtree_unsafe)
        if hasattr(pathlib, "_NormalAccessor"):  # Python 3.10 keeps functions of its own
            for name in ("rename", "replace", "unlink", "rmdir", "mkdir", "open"):
                late = _looked_up_late(io if name == "open" else os, name)
                self._patch.setattr(pathlib._NormalAccessor, name, staticmethod(late))

    def _is_here(self, path) -> bool:
        if isinstance(path, int):
            return False
        return os.path.realpath(os.fspath(path)).startswith(self._folder + os.sep)

    def _guard(self, name: str) -> None:
        real = getattr(os, name)

        def call(*paths, **options):
            for path in paths:
                if self._is_here(path):
                    self._check_free(path)
            if len(paths) == 2 and self._is_here(paths[1]):
                self._check_name(paths[1])
                if name == "rename" and os.path.exists(paths[1]):
                    raise FileExistsError(17, "Cannot create a file when it exists", str(paths[1]))
            return real(*paths, **options)

        self._patch.setattr(os, name, call)

    def _check_free(self, path) -> None:
        whole = os.path.realpath(os.fspath(path))
        for used in _open_paths():
            if used == whole or used.startswith(whole + os.sep):
                self.refused.append(str(path))
                raise PermissionError(13, _OF_USE, str(path))

    def _check_name(self, path) -> None:
        path = Path(os.fspath(path))
        name = path.name
        is_device = name.split(".")[0].rstrip().upper() in _DEVICES
        if set(name) & _NO_NAME_HAS or name.endswith((".", " ")) or is_device:
            self.refused.append(str(path))
            raise OSError(22, "Invalid argument", str(path))
        if not os.path.lexists(path) and path.parent.is_dir():
            for other in os.listdir(path.parent):
                assert other.lower() != name.lower(), f"{name} would replace {other}"

    def _open_descriptor(self, path, flags, *more, **options):
        if self._is_here(path) or os.path.realpath(os.fspath(path)) == self._folder:
            if os.path.isdir(path):
                raise PermissionError(13, "Permission denied", str(path))
            if flags & os.O_CREAT:
                self._check_name(path)
        return self._real["open"](path, flags, *more, **options)

    def _mkdir(self, path, *more, **options):
        if self._is_here(path):
            self._check_name(path)
        return self._real["mkdir"](path, *more, **options)
