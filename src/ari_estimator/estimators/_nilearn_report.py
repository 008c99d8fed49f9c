"""What nilearn's report of a second-level model needs, so that text in it stays text."""

from __future__ import annotations

from html import escape
from typing import Any


def escape_names(content: dict[str, Any]) -> None:
    """Escape names of contrasts and columns, of which nilearn's templates make HTML.

    Parameters
    ----------
    content : dict
        What nilearn fills its templates with; changed in place.
    """
    if content.get("contrasts"):
        content["contrasts"] = [escape(name) for name in content["contrasts"]]
    for run in (content.get("run_wise_dict") or {}).values():
        if run.get("all_contrasts"):
            run["all_contrasts"] = {
                escape(str(name)): figure for name, figure in run["all_contrasts"].items()
            }
