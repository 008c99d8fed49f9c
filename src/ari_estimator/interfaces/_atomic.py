"""Results are written as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole_files(folder: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary folder whose files move to their place when all are written.

    Parameters
    ----------
    folder : Path
        Where the files shall be in the end; made if it is not there.

    overwrite : bool, default=True
        Whether files that are there already are replaced.

    Yields
    ------
    temporary : Path
        Where to write them. After an error nothing of it is left.

    Raises
    ------
    NotADirectoryError
        If the folder is a file.
    FileExistsError
        If a file is there already that must not be replaced.
    """
    made = _make_folder(folder)
    try:
        with TemporaryDirectory(prefix=".writing-", dir=folder) as temporary:
            yield Path(temporary)
            written = sorted(Path(temporary).iterdir())
            if not overwrite:
                refuse_existing(folder / path.name for path in written)
            for path in written:
                path.replace(folder / path.name)
    except BaseException:
        with suppress(OSError):  # not empty, if moving was interrupted
            for empty in made:
                empty.rmdir()
        raise


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raise a FileExistsError if there is one of some files, before work is done in vain."""
    for path in paths:
        if path.exists():
            raise FileExistsError(f"The output file {str(path)!r} is there already.")


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder, and return all that had to be made, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    above = missing[-1].parent if missing else folder
    if not above.is_dir():
        raise NotADirectoryError(f"The output folder {str(folder)!r} is a file, or lies in one.")
    folder.mkdir(parents=True, exist_ok=True)
    return missing
