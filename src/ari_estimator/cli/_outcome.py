"""The result of a command, for people and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Outcome:
    """The result of a command.

    Attributes
    ----------
    text : str
        The result in words.

    table : pandas.DataFrame or None
        Clusters or regions, with the rest in the last row.

    files : dict of str to Path
        The written files, by what they hold.

    facts : dict
        Further values for JSON, by name.

    cards : dict of str to dict of str to str
        Further lines for people, by heading and by name.
    """

    text: str
    table: pd.DataFrame | None = None
    files: dict[str, Path] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, dict[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return JSON in ASCII, which pipes of all systems pass on."""
        told = dict(self.facts)
        if self.table is not None:
            from ari_estimator.interfaces._results import rounded_sizes

            told["table"] = rounded_sizes(self.table).to_dict("records")
        told["files"] = {what: str(path) for what, path in self.files.items()}
        return json.dumps(_plain(told), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: null for NaN."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
