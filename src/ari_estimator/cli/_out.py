"""The option --out: where a command writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer import BadParameter

from ari_estimator.files._given_path import given_path


def parse_out(given: Any) -> Path:
    """Return the path that --out gives. An empty one is refused, as of a variable without value."""
    try:
        return given_path(given, "it")
    except ValueError as error:
        raise BadParameter(str(error)) from None


@contextmanager
def naming_force() -> Iterator[None]:
    """Let errors about existing files say how to replace them."""
    try:
        yield
    except FileExistsError as error:
        raise FileExistsError(f"{error} --force replaces it.") from None
