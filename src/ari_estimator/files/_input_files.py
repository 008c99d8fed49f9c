"""Find the files among the arguments of a function or command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any


def input_files(*values: Any) -> list[Path]:
    """Return the files that values refer to. No output may replace them.

    Parameters
    ----------
    *values : object
        The arguments: paths; images with a file; lists, dicts and dataclasses of these; other
        objects, which are ignored.

    Returns
    -------
    files : list of Path
        The existing files.
    """
    return list(_files(values))


def _files(value: Any) -> Iterator[Path]:
    if isinstance(value, (str, os.PathLike)):
        path = os.path.expanduser(os.fspath(value))
        if os.path.isfile(path):  # False for anything that is not a path
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
