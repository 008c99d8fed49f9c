"""Paths as given by users."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def given_path(path: Any, what: str) -> Path:
    """Return a path given by a user, to read from or to write to.

    Parameters
    ----------
    path : str or path-like
        The path. A ``~`` at its start means the home folder, as in a shell. This also holds where
        no shell replaces it, as in ``--out=~/x`` and in Python.

    what : str
        Name of the argument or option in messages.

    Returns
    -------
    path : Path
        The path.

    Raises
    ------
    TypeError
        If it is not a path.
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
    return Path(os.path.expanduser(text))  # leaves unknown users unchanged
