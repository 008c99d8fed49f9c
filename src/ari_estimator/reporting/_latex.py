"""Text as LaTeX."""

from __future__ import annotations

_TABLE = str.maketrans(
    {
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
        "“": "``",
        "”": "''",
        "≥": r"$\geq$",
        "λ": r"$\lambda$",
        "³": r"$^3$",
        "²": r"$^2$",
        "\N{MINUS SIGN}": "$-$",
    }
)


def in_latex(text: str) -> str:
    """Return a text so that LaTeX sets it as it is.

    Parameters
    ----------
    text : str
        Plain text.

    Returns
    -------
    text : str
        The text with special characters escaped.
    """
    return text.translate(_TABLE)
