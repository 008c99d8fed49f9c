"""The input files of a command. No output may replace them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ari_estimator.files._input_files import input_files

_inputs: ContextVar[tuple[Path, ...]] = ContextVar("inputs", default=())


@contextmanager
def inputs_among(given: Mapping[str, Any]) -> Iterator[None]:
    """Register all files given to a command as inputs, except the output.

    Parameters
    ----------
    given : mapping
        Arguments, options and groups of options. The one called ``out``, and groups with it, are
        for outputs.
    """
    values = [v for name, v in given.items() if name != "out" and not hasattr(v, "out")]
    token = _inputs.set(tuple(input_files(*values)))
    try:
        yield
    finally:
        _inputs.reset(token)


def add_inputs(*values: Any) -> None:
    """Register more input files, found by the command itself."""
    _inputs.set((*_inputs.get(), *input_files(*values)))


def inputs_of_command() -> tuple[Path, ...]:
    """Return the input files of this command that are known so far."""
    return _inputs.get()
