"""The one rule for arguments that are nested too deeply: they are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# No argument needs more than three levels.
_DEEPEST = 20

_CONTAINERS = (list, tuple, set, frozenset, Mapping)


def refuse_nested(**arguments: Any) -> None:
    """Refuse arguments that hold lists in lists in lists, and so on.

    numpy, nilearn, scikit-learn and messages would go from level to level until Python gives up
    with a RecursionError.

    Parameters
    ----------
    **arguments : object
        The value of each argument, by name.

    Raises
    ------
    TypeError
        If lists, tuples, sets or mappings are nested more than 20 deep. The message names the
        argument.
    """
    for name, value in arguments.items():
        if not isinstance(value, _CONTAINERS):
            continue
        level = [value]
        for _ in range(_DEEPEST):
            # The same list may be in there many times.
            containers = {id(item): item for item in level if isinstance(item, _CONTAINERS)}
            level = [inner for item in containers.values() for inner in _contents(item)]
            if not level:
                break
        else:
            raise TypeError(
                f"{name} must not be nested more than {_DEEPEST} deep. Got a "
                f"{type(value).__name__} that is. Take its contents out of the outer ones."
            )


def _contents(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, Mapping) else list(item)
