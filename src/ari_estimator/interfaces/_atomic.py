"""Results are written as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole_files(folder: Path) -> Iterator[Path]:
    """Give a temporary folder whose files move to their place when all are written.

    Parameters
    ----------
    folder : Path
        Where the files shall be in the end; made if it is not there.

    Yields
    ------
    temporary : Path
        Where to write them. After an error nothing of it is left.

    Raises
    ------
    NotADirectoryError
        If the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"The output folder {str(folder)!r} is a file.")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".writing-", dir=folder) as temporary:
        yield Path(temporary)
        for path in sorted(Path(temporary).iterdir()):
            path.replace(folder / path.name)
