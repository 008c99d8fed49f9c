"""The glossary: the terms of ``glossary.md``, which the site shows too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files

# Roles and links of MyST, and what a terminal shows in their place.
_TERM = re.compile(r"\{term\}`([^`<]+?)(?: <[^`]+>)?`")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


@dataclass(frozen=True)
class GlossaryEntry:
    """A definition, and the terms that have it.

    Attributes
    ----------
    terms : tuple of str
        The term, and other names of it.

    definition : str
        What it means, as plain text.
    """

    terms: tuple[str, ...]
    definition: str

    @property
    def title(self) -> str:
        """The term, with its other names in parentheses."""
        first, *others = self.terms
        return f"{first} ({', '.join(others)})" if others else first


def read_glossary() -> list[GlossaryEntry]:
    """Return the entries of the glossary, in alphabetical order."""
    text = files(__package__).joinpath("glossary.md").read_text(encoding="utf-8")
    entries = []
    for block in "\n".join(text.strip().splitlines()[1:-1]).split("\n\n"):
        lines = block.strip("\n").splitlines()
        terms = tuple(line for line in lines if not line.startswith(" "))
        definition = " ".join(line.strip() for line in lines if line.startswith(" "))
        entries.append(GlossaryEntry(terms, _as_plain_text(definition)))
    return entries


def find_entry(term: str) -> GlossaryEntry:
    """Return the entry of a term, whatever its case, hyphens and plural.

    Parameters
    ----------
    term : str
        The term.

    Returns
    -------
    entry : GlossaryEntry
        Its entry.

    Raises
    ------
    ValueError
        If the glossary does not have it. The message names the nearest terms.
    """
    names = {_folded(name): entry for entry in read_glossary() for name in entry.terms}
    wanted = _folded(term)
    found = names.get(wanted) or names.get(wanted.removesuffix("s"))
    if found is not None:
        return found
    parts = [name for name in names if wanted and wanted in name]
    near = dict.fromkeys([*parts, *get_close_matches(wanted, names)])
    hint = f"Did you mean {' or '.join(list(near)[:3])}? " if near else ""
    raise ValueError(f"TERM {term!r} is not in the glossary. {hint}'ari help' lists all terms.")


def _folded(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.strip().casefold()))


def _as_plain_text(definition: str) -> str:
    return _LINK.sub(r"\1 (docs/\2)", _TERM.sub(r"\1", definition)).replace("`", "")
