"""Leaves out of the reference what classes inherit from other packages."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def _skip(
    app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: dict[str, Any]
) -> bool | None:
    """Skip members that are not made in ari_estimator; None leaves it to others."""
    function = getattr(obj, "fget", getattr(obj, "func", obj))  # of properties, cached ones
    module = getattr(function, "__module__", None)
    if callable(function) and module is not None and not module.startswith("ari_estimator"):
        return True
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
