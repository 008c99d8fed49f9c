"""Keeps numbers with units, percentages, ratios, options and short code on one line of a page."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_SPACE = re.compile(
    r"(?<=\d) (?=%|(?:MB|GB|ns|ms|s|mm|cm)\b|/ \d)|(?<=\d /) (?=\d)"
    r"|(?<=\w) (?=[=≥≤<>] -?\d)|(?<=[=≥≤<>]) (?=-?\d)"
)
_SHORT = 16
_CODE = (nodes.literal, nodes.FixedTextElement, nodes.raw, nodes.math)


def unbroken(text: str) -> str:
    """Return a text with no-break spaces in its numbers."""
    return _SPACE.sub("\N{NO-BREAK SPACE}", text)


def _unbreak(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, _CODE) and unbroken(text) != text:
            text.parent.replace(text, nodes.Text(unbroken(text)))
    for code in doctree.findall(nodes.literal):  # site.css does the rest
        if "--" in code.astext():
            code["classes"].append("options")
        if len(code.astext()) <= _SHORT:
            code["classes"].append("short")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", _unbreak)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
