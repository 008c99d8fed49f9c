"""The options of a command that were given, as words that give them again."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints


def options_again(group: Any) -> list[str]:
    """Return the options of a group that are not at their defaults.

    Parameters
    ----------
    group : dataclass
        Values of the options, whose annotations define them.

    Returns
    -------
    words : list of str
        Such as ``["--two-sided", "--alpha=0.1"]``. Paths are absolute, since the words may be used
        in another folder.
    """
    hints = get_type_hints(type(group), include_extras=True)
    words = []
    for field in fields(group):
        value = getattr(group, field.name)
        if value == field.default:
            continue
        option = _name_of(field.name, hints[field.name])
        for one in value if isinstance(value, (list, tuple)) else [value]:
            shown = one.absolute() if isinstance(one, Path) else one
            words.append(option if one is True else f"{option}={shown}")
    return words


def _name_of(name: str, hint: Any) -> str:
    """Return the name of an option: its own, or the one that follows from its field."""
    declared = [
        text for one in hint.__metadata__ for text in getattr(one, "param_decls", None) or ()
    ]
    return str(declared[0]) if declared else f"--{name.replace('_', '-')}"
