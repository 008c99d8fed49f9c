"""Templates by name, from lists of names, and from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from ari_estimator.closed_testing._joint_template import JointTemplate
from ari_estimator.closed_testing._template import Template
from ari_estimator.closed_testing._templates import TEMPLATES, template_class
from ari_estimator.files._stored_array import stored_array

# Number of thresholds for templates that lose power with many. Notip uses the same number (Blain
# et al. 2022).
K_MAX = 1000

# The template "joint": Simes' and Simes' with this shift, which was chosen on simulations together
# with the default rank at which they cross, see benchmarks/joint_templates.py.
_JOINT_SHIFT = 9

NAMES = (*TEMPLATES, JointTemplate.name)

# A name, a template, or several of these that are calibrated together.
TemplateLike = str | Template | Sequence[str | Template]


def _joint(n_elements: int, k_max: int | None, delta: int) -> Template:
    if delta != 0:
        raise ValueError(
            f"delta must be 0 for template 'joint', which has a shift of its own. Got {delta!r}. "
            "Make a JointTemplate to choose other shifts."
        )
    simes = TEMPLATES["simes"]
    first = simes(n_elements, k_max=k_max)
    shift = min(_JOINT_SHIFT, first.k_max // 20)
    if shift == 0:
        return first  # with so few thresholds, a shift gains nothing
    return JointTemplate([first, simes(n_elements, k_max=k_max, delta=shift)])


def each_template(
    template: TemplateLike,
    n_elements: int,
    *,
    k_max: Any = None,
    delta: int = 0,
) -> list[Template]:
    """Return the templates that a name, a template or a list of these stands for.

    Parameters
    ----------
    template : str, Template or sequence of str or Template
        The template or templates.

    n_elements : int
        Number of elements, ``m``.

    k_max : int, None or "auto", default=None
        Number of thresholds of each. None for all; "auto" for all, except of templates by name
        that lose power with many, which get at most 1000.

    delta : int, default=0
        The shift. It must be 0 for several templates.

    Returns
    -------
    templates : list of Template
        The templates.

    Raises
    ------
    TypeError
        If an entry is neither a name nor a template, or a number is not an integer.
    ValueError
        If a name is unknown, a number is out of range, or a template has another number of
        elements.
    """
    if isinstance(template, str) or not isinstance(template, Sequence):
        return [single_template(template, n_elements, k_max, delta)]
    entries = list(template)
    if not entries:
        raise ValueError(
            "template must be a template, its name, or a list of at least one. Got an empty list."
        )
    if len(entries) > 1 and not (isinstance(delta, Integral) and delta == 0):
        raise ValueError(
            f"delta must be 0 for several templates, which have shifts of their own. Got {delta!r}."
            " Put a template with a shift in the list, such as make_template('simes', n_elements, "
            "delta=27)."
        )
    return [single_template(one, n_elements, k_max, delta, in_list=True) for one in entries]


def single_template(
    template: Any, n_elements: int, k_max: Any, delta: int, *, in_list: bool = False
) -> Template:
    """Return the template that a name or a template stands for, see :func:`each_template`."""
    is_auto = isinstance(k_max, str) and k_max == "auto"
    number = None if is_auto else k_max
    if isinstance(template, Template):
        if template.n_elements != n_elements:
            raise ValueError(
                f"template must have {n_elements} elements. Got one with {template.n_elements}."
            )
        if delta not in (0, template.delta):
            raise ValueError(
                f"delta must be 0 for an existing template, which keeps its own "
                f"delta={template.delta}. Got {delta!r}."
            )
        return template if number is None else template.cut(number)
    names = list(TEMPLATES if in_list else NAMES)
    what = "each entry of template" if in_list else "template"
    wanted = f"{what} must be one of {names} or a template"
    if not isinstance(template, str):
        raise TypeError(f"{wanted}. Got {template!r} of type {type(template).__name__}.")
    if template not in names:
        hint = " It is made of templates: use it alone." if template in NAMES else ""
        raise ValueError(f"{wanted}. Got {template!r}.{hint}")
    if template == JointTemplate.name:
        return _joint(n_elements, number, delta)
    made = TEMPLATES[template](n_elements, k_max=number, delta=delta)
    if is_auto and not made.keeps_all_thresholds:
        return made.cut(max(min(made.k_max, K_MAX), delta + 1))
    return made


def template_from_arrays(arrays: Mapping[str, np.ndarray]) -> Template:
    """Restore a template from arrays.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The result of ``to_arrays``, and the name of the template as ``name``.

    Returns
    -------
    template : Template
        The template.

    Raises
    ------
    ValueError
        If arrays are missing, malformed or contradict each other.
    """
    name = stored_array(arrays, "name", "U").item()
    made: type[Template] = JointTemplate if name == JointTemplate.name else template_class(name)
    return made.from_arrays(arrays)


def make_template(
    template: TemplateLike,
    n_elements: int,
    *,
    k_max: int | None = None,
    delta: int = 0,
) -> Template:
    """Return a template for a number of elements.

    Parameters
    ----------
    template : {"simes", "aorc", "beta", "higher_criticism", "power", "joint"}, Template or list
        Name of a template, or an existing template, such as a learned one. A list of these gives
        the template that is made of them, see :class:`JointTemplate`. "joint" is Simes' template
        with a shifted one.

    n_elements : int
        Number of elements, ``m``.

    k_max : int, optional
        Number of thresholds of each template; by default as many as it has.

    delta : int, default=0
        Number of thresholds at the start that no p-value meets. An existing template keeps
        its own. It must be 0 for several templates.

    Returns
    -------
    template : Template
        The template.

    Raises
    ------
    TypeError
        If the template is neither a name nor a template, or a number is not an integer.
    ValueError
        If the name is unknown, a number is out of range, or the template has another number of
        elements. If a list is empty or holds a template twice.

    Examples
    --------
    >>> from ari_estimator.closed_testing import make_template
    >>> make_template("simes", 1000, delta=8).thresholds(0.1)[7:10]
    array([0.        , 0.00010081, 0.00020161])
    >>> make_template(["simes", "beta"], 1000).crossings
    (100,)
    """
    templates = each_template(template, n_elements, k_max=k_max, delta=delta)
    return templates[0] if len(templates) == 1 else JointTemplate(templates)
