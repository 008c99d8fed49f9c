"""A path as users give it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def given_path(path: Any, what: str) -> Path:
    """Return a path that a user has given, to read from or to write to.

    Parameters
    ----------
    path : str or path-like
        The path. A ``~`` at its start is the home folder, as in a shell: also where no shell has
        replaced it, such as in ``--out=~/x`` and in Python.

    what : str
        What was given, for messages: the name of an argument or option.

    Returns
    -------
    path : Path
        The path.

    Raises
    ------
    TypeError
        If it is no path.
    ValueError
        If it is empty, or has a null character.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{what} must be a path. Got {type(path).__name__}.")
    text = os.fsdecode(path)
    if not text:
        raise ValueError(f"{what} must be a path. Got an empty text. '.' is the current folder.")
    if "\0" in text:
        raise ValueError(f"{what} must be a path. Got a null character in {text!r}.")
    return Path(os.path.expanduser(text))  # it leaves unknown users as they are
