"""References as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ari_estimator._version import __version__
from ari_estimator.reporting._latex import in_latex

# Authors (year). Title. Journal volume, pages.
_FORM = re.compile(r"(?P<authors>.+?) \((?P<year>\d{4})\)\. (?P<title>.+?)\. (?P<rest>.+)\.$")
_JOURNAL = re.compile(r"(?P<journal>.+?) (?P<volume>[\d()]+), (?P<pages>[\dA-Za-z-]+)$")

SOFTWARE = (
    f"The ari_estimator developers. ari_estimator: All-Resolutions Inference for brain imaging, "
    f"version {__version__} [software]."
)


def keys_of(references: Sequence[str]) -> list[str]:
    """Return a key for each reference, such as "Goeman2019".

    Parameters
    ----------
    references : sequence of str
        The references.

    Returns
    -------
    keys : list of str
        Different keys.
    """
    keys: list[str] = []
    for reference in references:
        match = _FORM.match(reference)
        if match is None:
            key = "ari_estimator" if reference == SOFTWARE else f"reference{len(keys) + 1}"
        else:
            key = re.sub(r"\W", "", match["authors"].split(" ")[0]) + match["year"]
        while key in keys:
            key += "a"
        keys.append(key)
    return keys


def as_bibtex(references: Sequence[str]) -> str:
    """Return references as entries of a BibTeX file.

    Parameters
    ----------
    references : sequence of str
        References in the form "Authors (year). Title. Journal volume, pages."

    Returns
    -------
    text : str
        An entry for each.
    """
    pairs = zip(keys_of(references), references, strict=True)
    return "\n".join(_entry(key, reference) for key, reference in pairs)


def _entry(key: str, reference: str) -> str:
    if reference == SOFTWARE:
        fields = {
            "author": "{The ari\\_estimator developers}",
            "title": "{ari\\_estimator: All-Resolutions Inference for brain imaging}",
            "version": __version__,
        }
        return _written("software", key, fields)
    match = _FORM.match(reference)
    if match is None:
        return _written("misc", key, {"note": in_latex(reference)})
    fields = {
        "author": " and ".join(_author(name) for name in match["authors"].split(", ")),
        "title": f"{{{in_latex(match['title'])}}}",
        "year": match["year"],
    }
    journal = _JOURNAL.match(match["rest"])
    if journal is not None:
        fields |= {
            "journal": in_latex(journal["journal"]),
            "volume": journal["volume"],
            "pages": journal["pages"].replace("-", "--"),
        }
        return _written("article", key, fields)
    if match["rest"].startswith("arXiv:"):
        fields |= {"eprint": match["rest"].removeprefix("arXiv:"), "archiveprefix": "arXiv"}
    else:
        fields["note"] = in_latex(match["rest"])
    return _written("misc", key, fields)


def _author(name: str) -> str:
    """Return "Goeman JJ" as "Goeman, J. J."."""
    family, _, initials = name.rpartition(" ")
    if not family or not initials.isupper():
        return in_latex(name)
    return f"{in_latex(family)}, {' '.join(f'{letter}.' for letter in initials)}"


def _written(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])
