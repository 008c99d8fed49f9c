"""Options that several commands share, declared once: as the fields of a dataclass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any, get_type_hints

from ari_estimator.files._given_path import given_path


def with_option_groups(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes the fields of dataclasses in place of the dataclasses.

    Parameters
    ----------
    function : callable
        It takes dataclasses. Their fields are annotated as typer wants options to be.

    Returns
    -------
    flat : callable
        It takes each field by its name, makes the dataclasses, and calls the function.
    """
    groups: dict[str, tuple[type, list[str]]] = {}
    options: list[Parameter] = []
    # Unlike get_type_hints of Python 3.10, this puts no Optional around what has None as default.
    for parameter in signature(function, eval_str=True).parameters.values():
        hint = parameter.annotation
        if not (isinstance(hint, type) and is_dataclass(hint)):
            options.append(_option(parameter.name, hint, parameter.default))
            continue
        field_hints = get_type_hints(hint, include_extras=True)
        of_group = [field for field in fields(hint) if field.init]
        groups[parameter.name] = hint, [field.name for field in of_group]
        for field in of_group:
            default = Parameter.empty if field.default is MISSING else field.default
            options.append(_option(field.name, field_hints[field.name], default))

    @wraps(function)
    def flat(**given: Any) -> Any:
        given = {name: _expanded(value) for name, value in given.items()}
        made = {
            name: group(**{field: given.pop(field) for field in names})
            for name, (group, names) in groups.items()
        }
        return function(**given, **made)

    # typer asks for both.
    vars(flat)["__signature__"] = Signature(options)
    flat.__annotations__ = {option.name: option.annotation for option in options}
    return flat


def flat_options(given: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the names of all options of a command, and of those that were given.

    Parameters
    ----------
    given : mapping
        What :func:`with_option_groups` gives to a function.

    Returns
    -------
    options, are_given : list of str
        The names.
    """
    values: dict[str, tuple[Any, Any]] = {}
    for name, value in given.items():
        if is_dataclass(value):
            of_group = [field for field in fields(value) if field.init]
            values |= {
                field.name: (getattr(value, field.name), field.default) for field in of_group
            }
        else:
            values[name] = value, None
    are_given = [
        name for name, (value, default) in values.items() if value and value is not default
    ]
    return list(values), are_given


def _expanded(value: Any) -> Any:
    """Return paths with the home folder in place of ~, which no shell replaces after a =."""
    if isinstance(value, Path):
        return given_path(value, "A path")
    return [_expanded(item) for item in value] if isinstance(value, list) else value


def _option(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
