r"""What is printed for people: as it is written, and as nothing but text.

Names of regions, columns and files come from files, and a terminal obeys some characters: they move
the cursor, change the title of the window or turn the direction of letters. All that commands print
goes through here, where such characters become visible escapes, such as ``\x1b``. JSON does so
by itself.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

from ari_estimator._progress import progress_hidden

# Columns of what is not a terminal.
_WIDE = 160

# Controls, line and paragraph separators, and halves of characters that stand for bytes.
_OBEYED = ("Cc", "Zl", "Zp", "Cs")

# Two formatting characters are kept, because they join letters or keep them apart.
_JOINERS = "\u200c\u200d"


def visible(text: str, *, lines: bool = False) -> str:
    """Return a text in which all is visible that a terminal would obey.

    Parameters
    ----------
    text : str
        The text.

    lines : bool, default=False
        Whether line ends stay.

    Returns
    -------
    text : str
        With an escape in place of each control character, as Python writes it.
    """
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if _is_obeyed(character) and not (lines and character == "\n")
        else character
        for character in text
    )


def plain(text: str, *, lines: bool = False) -> Text:
    """Return a text for a console: no markup, no emoji, no control characters."""
    return Text(visible(text, lines=lines))


def print_plain(console: Console, text: str, **how: Any) -> None:
    """Print a text of one or more lines on a console, whatever it holds."""
    console.print(plain(text, lines=True), **how)


def output_console() -> Console:
    """Return the console of standard output. In a file, wide tables are not shortened."""
    return Console(width=None if sys.stdout.isatty() else _WIDE)


def print_error_line(text: str, style: str) -> None:
    """Print one line on standard error, if that is open."""
    with progress_hidden():
        Console(stderr=True).print(plain(text), style=style, soft_wrap=True)


def _is_obeyed(character: str) -> bool:
    category = unicodedata.category(character)
    return category in _OBEYED or (category == "Cf" and character not in _JOINERS)
