"""The template engine of all pages: reports and the explorer."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates_of(package: str, folder: str) -> Environment:
    """Return the templates in a folder of a package.

    Titles and names come from users. So a template escapes every text, unless it is marked as HTML.

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
        trim_blocks=True,
        lstrip_blocks=True,
    )
