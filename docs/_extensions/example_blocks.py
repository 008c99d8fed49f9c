"""Drops the empty line at the end of interactive examples.

doctest needs it, to tell output from the fence that closes the block.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_LAST_LINE = re.compile(r"(^```pycon\n.*?)\n\n```$", re.MULTILINE | re.DOTALL)


def _tidy(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = _LAST_LINE.sub(r"\1\n```", source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("source-read", _tidy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
