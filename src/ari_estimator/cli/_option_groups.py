"""Options that several commands share, declared once: as the fields of a dataclass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


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
        made = {
            name: group(**{field: given.pop(field) for field in names})
            for name, (group, names) in groups.items()
        }
        return function(**given, **made)

    # typer asks for both.
    vars(flat)["__signature__"] = Signature(options)
    flat.__annotations__ = {option.name: option.annotation for option in options}
    return flat


def _option(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
