"""Write all files of a result, or none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from shutil import copy2, copyfile, copymode
from typing import Any, NamedTuple

from ari_estimator.files._deferred_signals import deferred_signals
from ari_estimator.files._output_path import file_to_write, real_target
from ari_estimator.files._writing_folder import WritingFolder, try_lock

# How long to wait for another program that moves its files into the same folder, in seconds.
_PATIENCE = 10.0

_recorded: ContextVar[list[Path] | None] = ContextVar("recorded", default=None)


@contextmanager
def whole_files(
    folder: Path,
    *,
    overwrite: bool = True,
    inputs: Iterable[Path] = (),
    shown: Path | None = None,
) -> Iterator[Path]:
    """Give a temporary folder whose files move to their place when all are written.

    The folder may contain folders.

    Parameters
    ----------
    folder : Path
        Final folder of the files. It is created if it does not exist.

    overwrite : bool, default=True
        Whether to replace existing files.

    inputs : iterable of Path, default=()
        Files that must stay, for any value of ``overwrite``.

    shown : Path or None, default=None
        Name in errors that the system raises without a file, such as a full disk. The folder if
        None.

    Yields
    ------
    temporary : Path
        Folder to write the files to.

    Raises
    ------
    OSError, ValueError
        If the folder is not a folder, or one of the files must not be written: see
        :func:`~ari_estimator.files._output_path.real_target`. All are checked before one moves.

    Notes
    -----
    After an error, everything is as before, even if the error happened while files moved and old
    files were replaced. Signals wait until all files have moved. Symbolic links stay, and their
    targets are replaced. Access rights are as if the files were opened and written: replaced files
    keep their rights, and new files follow the umask.
    """
    transaction = _Transaction(folder, overwrite, tuple(inputs))
    try:
        with deferred_signals():
            transaction.begin()
        yield transaction.temporary
        with _one_at_a_time(folder):
            moves = transaction.prepare()
            with deferred_signals():
                transaction.move(moves)
                transaction.end()
    except OSError as error:
        transaction.name_place(error, folder if shown is None else shown)
        raise
    finally:
        with deferred_signals():
            transaction.end()


@contextmanager
def whole_file(
    path: Any, what: str = "file_name", *, overwrite: bool = True, inputs: Iterable[Path] = ()
) -> Iterator[Path]:
    """Give a temporary name for a file, which moves to its place after it is written.

    Parameters
    ----------
    path : str or path-like
        Final path of the file. Its folder is created if it does not exist.

    what : str, default="file_name"
        Name of the argument or option in messages.

    overwrite, inputs
        As for :func:`whole_files`.

    Yields
    ------
    temporary : Path
        Path to write the file to.

    Raises
    ------
    TypeError, ValueError, OSError
        As :func:`~ari_estimator.files._output_path.file_to_write`.
    """
    inputs = tuple(inputs)
    path = file_to_write(path, what, overwrite=overwrite, inputs=inputs)
    writing = whole_files(path.parent, overwrite=overwrite, inputs=inputs, shown=path)
    with writing as temporary:
        yield temporary / path.name


@contextmanager
def recorded_files() -> Iterator[list[Path]]:
    """Give a list of the files that are written within the context, or within one around it."""
    outer = _recorded.get()
    if outer is not None:
        yield outer
        return
    written: list[Path] = []
    token = _recorded.set(written)
    try:
        yield written
    finally:
        _recorded.reset(token)


class _Move(NamedTuple):
    """A file to move, its given and its real final path, and the old file there, if any."""

    source: Path
    named: Path
    target: Path
    old: Path | None


class _Transaction:
    """Files on their way into a folder."""

    def __init__(self, folder: Path, overwrite: bool, inputs: Sequence[Path]) -> None:
        self._folder = folder
        self._overwrite = overwrite
        self._inputs = inputs
        self._made: list[Path] = []
        # By the folder of the files. Links may lead to several folders.
        self._writing: dict[Path, WritingFolder] = {}

    @property
    def temporary(self) -> Path:
        """Folder that new files are written to."""
        return self._writing_in(self._real_folder).new

    @property
    def _real_folder(self) -> Path:
        return Path(os.path.realpath(self._folder))

    def begin(self) -> None:
        """Make the folder and a temporary one in it."""
        self._make(self._folder)
        self._writing_in(self._real_folder)

    def _make(self, named: Path) -> None:
        """Make a folder and the folders above it, unless they exist."""
        folder = Path(os.path.realpath(named))
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        above = missing[-1].parent if missing else folder
        if not above.is_dir():
            raise NotADirectoryError(
                f"The output folder {str(named)!r} is a file, a device or a pipe, or lies in one."
            )
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            self._made.insert(0, path)

    def prepare(self) -> list[_Move]:
        """Check all final paths, and prepare new and old files so that moving is only renaming."""
        sources = sorted(path for path in self.temporary.rglob("*") if path.is_file())
        places = [self._folder / source.relative_to(self.temporary) for source in sources]
        targets = [
            real_target(place, overwrite=self._overwrite, inputs=self._inputs) for place in places
        ]
        for place, target in zip(places, targets, strict=True):
            if targets.count(target) > 1:
                raise OSError(
                    f"The output file {str(place)!r} is {str(target)!r}, and so is another output "
                    "file: one of them is a symbolic link."
                )
        for folder in sorted({place.parent for place in places}):
            self._make(folder)
        return [
            self._brought(number, *one)
            for number, one in enumerate(zip(sources, places, targets, strict=True))
        ]

    def _brought(self, number: int, source: Path, named: Path, target: Path) -> _Move:
        """Return a move within one folder, with everything needed to undo it."""
        writing = self._writing_in(target.parent)
        if source.parent != writing.new:  # a link leads elsewhere
            elsewhere = writing.new / str(number)
            copyfile(source, elsewhere)
            source = elsewhere
        if not target.exists():
            return _Move(source, named, target, None)
        copymode(target, source)
        old = writing.old / str(number)
        try:
            os.link(target, old)
        except OSError:  # some file systems have no links
            copy2(target, old)
        return _Move(source, named, target, old)

    def move(self, moves: Sequence[_Move]) -> None:
        """Move all files to their places, or leave everything unchanged."""
        try:
            for move in moves:
                move.source.replace(move.target)
        except BaseException as error:
            self._take_back(moves, error)
            raise
        self._made.clear()
        record = _recorded.get()
        if record is not None:
            record.extend(move.named for move in moves)

    def _take_back(self, moves: Sequence[_Move], error: BaseException) -> None:
        """Put old files back to their places, and remove new ones."""
        stuck = []
        for move in moves:
            if move.source.exists():  # it has not moved
                continue
            try:
                if move.old is None:
                    move.target.unlink()
                else:
                    move.old.replace(move.target)
            except OSError:
                stuck.append(move)
        if not stuck:
            return
        old = [str(move.old) for move in stuck if move.old is not None]
        for writing in self._writing.values():
            writing.keep()
        self._writing.clear()
        names = ", ".join(str(move.named) for move in stuck)
        raise OSError(
            f"Not all files could be written ({error}), and these new ones could not be "
            f"removed: {names}." + (f" The old ones are in {', '.join(old)}." if old else "")
        ) from error

    def end(self) -> None:
        """Remove temporary files, and the output folder if it was created but not used."""
        for writing in self._writing.values():
            writing.remove()
        self._writing.clear()
        with suppress(OSError):  # another program writes there by now
            for path in self._made:
                path.rmdir()
        self._made.clear()

    def name_place(self, error: OSError, shown: Path) -> None:
        """Make an error of the system name a path that users know."""
        if error.errno is None:  # an error of this package, which names the path
            return
        if not isinstance(error.filename, str):
            error.filename = str(shown)
            return
        place = Path(error.filename)
        for writing in self._writing.values():
            if place.is_relative_to(writing.new):
                error.filename = str(self._folder / place.relative_to(writing.new))

    def _writing_in(self, folder: Path) -> WritingFolder:
        if folder not in self._writing:
            self._writing[folder] = WritingFolder(folder)
        return self._writing[folder]


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Lock a folder, so that other programs of this package cannot move files into it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # not all systems open folders
        yield
        return
    try:
        end = time.monotonic() + _PATIENCE
        while try_lock(descriptor) is False:
            if time.monotonic() > end:
                raise OSError(
                    f"Another program has been writing to the output folder {str(folder)!r} for "
                    "too long. End it, or choose another folder."
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)
