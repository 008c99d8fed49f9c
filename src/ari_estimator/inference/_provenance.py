"""What asked for a map to be tested, in plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Provenance:
    """What asked for a map to be tested, in plain data that JSON can hold.

    Attributes
    ----------
    estimator : str
        Name of the class that asked.

    parameters : mapping of str to object
        Its parameters: numbers, texts and lists. Images are there as a short text.

    contrast : str or None
        The contrast that the map was computed for, if the same analysis computed the map.
    """

    estimator: str = "FittedMap"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    contrast: str | None = None
