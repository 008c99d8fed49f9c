"""The files among what a user gives to a function or command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any


def input_files(*values: Any) -> list[Path]:
    """Return the files that values name, which no output may replace.

    Parameters
    ----------
    *values : object
        Whatever was given: paths, images of files; lists, dicts and dataclasses with them; other
        things, which name no file.

    Returns
    -------
    files : list of Path
        Those that are there.
    """
    return list(_files(values))


def _files(value: Any) -> Iterator[Path]:
    if isinstance(value, (str, os.PathLike)):
        path = os.path.expanduser(os.fspath(value))
        if os.path.isfile(path):  # False for what is no path at all
            yield Path(os.fsdecode(path))
    elif hasattr(value, "get_filename"):  # an image of nibabel, whose data may still be there
        yield from _files(value.get_filename())
    elif isinstance(value, Mapping):
        yield from _files(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _files(item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _files([getattr(value, field.name) for field in fields(value)])
