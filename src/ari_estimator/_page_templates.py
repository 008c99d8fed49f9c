"""The template engine of all pages: reports and the explorer."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# In "95 %", "64 mm", "TDP ≥ 0.7" and "x = -18".
_IN_NUMBERS = re.compile(r"(?<=\d) (?=%|mm\b)|(?<=\w) (?=[=≥<>] -?\d)|(?<=[=≥<>]) (?=-?\d)")


def _unbroken(value: Any) -> Any:
    """Return a text in which no browser breaks a number across lines, and HTML as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _IN_NUMBERS.sub("\N{NO-BREAK SPACE}", value)


def templates_of(package: str, folder: str) -> Environment:
    """Return the templates in a folder of a package.

    Titles and names come from users. So a template escapes every text, unless it is marked as HTML.
    A number and its unit or sign stay on one line, unless the template escapes the text itself.

    Parameters
    ----------
    package : str
        Full name of the package.

    folder : str
        Name of the folder in it.

    Returns
    -------
    templates : jinja2.Environment
        The templates.
    """
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
