"""From names of Python's parameters, in messages, to options of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Options whose name differs from the parameter in Python. If there are several, messages name the
# one that was given, or else the first one that the command has.
_OPTIONS = {
    "bg_img": ("background",),
    "contrasts": ("contrast",),
    "design_matrix": ("design",),
    "f_tests": ("ftests",),
    "first_level_contrast": ("contrast",),
    "labels_img": ("labels", "atlas", "clusters", "ocn"),
    "mask_img": ("mask",),
    "n_permutations": ("permutations",),
    "n_simulations": ("simulations",),
    "output_file": ("out",),
    "random_state": ("seed",),
    "second_level_contrast": ("contrast",),
    "stat_img": ("maps",),
    "tdp_threshold": ("tdp",),
    "two_sided": ("two_sided", "directional"),
}

# What commands find on their own, unless one of the options of the parameter was given, by the
# parameter. The option is one that only these commands have.
_FOUND = {"labels_img": ("clusters", "the clusters of the program")}

# What stands on the command line without an option.
_ARGUMENTS = {"maps": "MAP", "images": "IMG", "files": "FILE"}

# Options that take one of several words, which messages advise as ``scheme='sign_flip'``.
_OF_WORDS = (
    "exchange", "local_test", "missing", "scheme", "stat_type", "template", "threshold_scale",
    "variance_groups",
)  # fmt: skip

# A name in quotation marks; one before its verb, at the start of a sentence; one with an
# underscore, which is not an English word. A word before an equals sign may be an entity of a file,
# unless it is an option that takes one of several words. Calls in Python stay as they are.
_NAMED = re.compile(
    rf"""
    (?P<code>\bnilearn\.image\.\w+\([^()]*\))
    | (?:^The\ )?'(?P<quoted>[a-z_]+)'(?:\ parameter\ of\ \w+)?(?=\ (?:must|should|cannot|is|has)\b)
    | (?:^|(?<=[.:;]\ ))(?P<subject>[a-z]+)
      (?=\ (?:must|should|cannot|needs|is\ for|does\ not\ exist)\b)
    | (?<![\w.`'"/\\-])(?P<assigned>{"|".join(_OF_WORDS)})='(?P<value>\w+)'
    | (?<![\w.`'"/\\-])(?:the\ parameter\ )?(?P<name>[a-z]+(?:__?[a-z]+)+)
      (?:=True\b)?(?![\w.`'"/\\-]*[\w`'"/\\])
    """,
    re.VERBOSE,
)

# The shell has no None for an option that was not given.
_NOT_GIVEN = re.compile(r"\bGot None\b")

# The shell has no objects and no None, so its messages do not offer them beside words.
_OBJECTS = re.compile(
    r"(?:,? or|,) an instance of '[^']*'|(?<=['\d]) or (?:an? [A-Z]\w+|None)(?=\.)"
)


class ParameterNames:
    """What the parameters of Python are called on the command line.

    Parameters
    ----------
    options : iterable of str
        Names of the options of a command, with underscores.

    given : iterable of str, default=()
        Names of those that were given.
    """

    def __init__(self, options: Iterable[str], given: Iterable[str] = ()) -> None:
        self._options = list(options)
        self._given = set(given)

    def as_options(self, message: str) -> str:
        """Return a message with the options in place of Python's parameters.

        Parameters
        ----------
        message : str
            What Python says.

        Returns
        -------
        message : str
            The same. A parameter that the command has no option for stays as it is.
        """
        if "directional" in self._options:
            message = message.replace("two_sided='directional'", "--directional")
        message = _NOT_GIVEN.sub("Got none", _OBJECTS.sub("", message))
        return _NAMED.sub(self._replaced, message)

    def _replaced(self, match: re.Match[str]) -> str:
        if match["code"] is not None:
            return f"{match[0]} in Python"
        # Parts of a model have parameters with a prefix, such as transformer__mask_img.
        group = "assigned" if match["assigned"] else str(match.lastgroup)
        option = self._option_of(match[group].rpartition("__")[2])
        if option is None:
            return match[0]
        return option if match["value"] is None else f"{option} {match['value']}"

    def _option_of(self, name: str) -> str | None:
        there = [option for option in _OPTIONS.get(name, (name,)) if option in self._options]
        if not there:
            return None
        option = next((option for option in there if option in self._given), None)
        if option is None:
            of_finders, found = _FOUND.get(name, (None, ""))
            if of_finders in there:
                return found
            option = there[0]
        return _ARGUMENTS.get(option, f"--{option.replace('_', '-')}")
