"""Finds public names that docstrings mention without the package they are in.

In Python ``TDPForest`` is clear wherever it is said; Sphinx only looks in the package of the
docstring. A name that means exactly one documented thing is linked to that. A method that
several classes have, such as ``fit_transform`` of "a fitted transformer", is left without a link.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

PACKAGE = "ari_estimator"


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].removeprefix(f"{PACKAGE}.")
    objects = env.domains["py"].objects
    found = {
        name for name in objects if name.startswith(f"{PACKAGE}.") and name.endswith(f".{target}")
    }
    # The top of the package goes before its parts, which may have the name as well.
    first = f"{PACKAGE}.{target}"
    name = first if first in found else found.pop() if len(found) == 1 else None
    if name is None:
        return content if found and node["reftype"] == "meth" else None
    entry = objects[name]
    return make_refnode(
        app.builder, node["refdoc"], entry.docname, entry.node_id, content, title=name
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
