"""One clear error, whatever goes wrong while a file is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

from ari_estimator.files._absent_content import AbsentContentError

# Longest reason in an error. Some libraries put the whole file into their errors.
_LONGEST_REASON = 300


class ToldError(ValueError):
    """An error that already says what is wrong with a file and what to do."""


@contextmanager
def clear_errors(image: Any, what: str) -> Iterator[None]:
    """Turn whatever goes wrong within, while a file is read, into one ValueError that names it.

    Readers raise what they like of a damaged file: missing keys, failed assertions, lack of memory.

    Parameters
    ----------
    image : str, path-like, nibabel image, or None
        What is read.

    what : str
        What it should be, for messages.
    """
    try:
        yield
    except (AbsentContentError, ToldError):
        raise
    except MemoryError as error:
        raise ValueError(
            f"{what} cannot be read: {name_of_image(image)} needs more memory than there is."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, LookupError):
            reason = f"{type(error).__name__}: {reason}"
        raise ValueError(
            f"{what} cannot be read: {name_of_image(image)} is of another format, damaged or "
            f"incomplete ({reason[:_LONGEST_REASON]})."
        ) from error


def name_of_image(image: Any) -> str:
    """Return what an image is called in messages: its path, if it has one."""
    path = image if isinstance(image, (str, PathLike)) else _file_of(image)
    return "an image in memory" if path is None else repr(fspath(path))


def _file_of(image: Any) -> Any:
    get_filename = getattr(image, "get_filename", None)
    name = None if get_filename is None else get_filename()
    # An image that was made from the data of another one has lost its name.
    file_like = getattr(getattr(image, "dataobj", None), "file_like", None)
    return file_like if name is None and isinstance(file_like, (str, PathLike)) else name
