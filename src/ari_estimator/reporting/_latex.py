"""Text as LaTeX."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Greek letters that have no command, because they look like Latin ones.
_AS_LATIN: Final = {
    "CAPITAL ALPHA": "A", "CAPITAL BETA": "B", "CAPITAL EPSILON": "E", "CAPITAL ZETA": "Z",
    "CAPITAL ETA": "H", "CAPITAL IOTA": "I", "CAPITAL KAPPA": "K", "CAPITAL MU": "M",
    "CAPITAL NU": "N", "CAPITAL OMICRON": "O", "CAPITAL RHO": "P", "CAPITAL TAU": "T",
    "CAPITAL UPSILON": "Y", "CAPITAL CHI": "X", "SMALL OMICRON": "o",
}  # fmt: skip

_SIGNS: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    # Paths may break here.
    "/": r"/\allowbreak{}",
    "“": "``",
    "”": "''",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{EN DASH}": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "±": r"$\pm$",
    "µ": r"$\mu$",
    "°": r"$^\circ$",
    "³": r"$^3$",
    "²": r"$^2$",
    "\N{MINUS SIGN}": "$-$",
}

# A minus before a number. LaTeX would set a hyphen.
_MINUS = re.compile(r"(?<![^\s(\[])-(?=\.?\d)")

# Two of these in a row become another sign.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)|(?<=')(?=')")


def in_latex(text: str) -> str:
    """Return a text so that LaTeX sets it as it is.

    Parameters
    ----------
    text : str
        Plain text.

    Returns
    -------
    text : str
        The text in one line, with special characters escaped. Letters of other alphabets than
        Latin and Greek stay as they are: see :func:`needs_of`.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    # A mark that no escape of this function can contain.
    text = _LIGATURE.sub("\0", _MINUS.sub("\N{MINUS SIGN}", text.replace("\0", "?")))
    return "".join(_character(one) for one in text)


def needs_of(text: str) -> str:
    """Return what LaTeX code needs, as a comment in a line of its own; empty for plain LaTeX.

    Parameters
    ----------
    text : str
        LaTeX code.

    Returns
    -------
    comment : str
        The comment.
    """
    if text.isascii():
        return ""
    # The last letter of Latin Extended-A, the end of what T1 fonts have.
    if max(text) <= "\u017f":
        return "% Put \\usepackage[T1]{fontenc} into the preamble, for letters with accents.\n"
    return "% Compile this with XeLaTeX or LuaLaTeX, and a font that has all letters.\n"


def _character(one: str) -> str:
    if one == "\0":
        return "{}"
    if one.isascii() or one in _SIGNS:
        return _SIGNS.get(one, one if one.isprintable() else "?")
    if not one.isprintable():
        return "?"
    name = unicodedata.name(one, "")
    match = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", name)
    if match is None:
        return one
    called = f"{match[1]} {match[2]}"
    if called in _AS_LATIN:
        return _AS_LATIN[called]
    letter = match[2].lower().replace("lamda", "lambda")  # codespell:ignore lamda
    return f"$\\{letter if match[1] == 'SMALL' else letter.capitalize()}$"
