"""XML of files: neither entities nor a depth that programs do not write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn
from xml.parsers import expat

_DEEPEST = 100


def check_xml(
    pieces: Iterable[bytes],
    start: Callable[[str, dict[str, str]], None] | None = None,
    text: Callable[[str], None] | None = None,
    end: Callable[[str], None] | None = None,
) -> None:
    """Parse XML, and refuse constructs that can harm a reader.

    A document type (``<!DOCTYPE ...>``) is harmless, and GIfTI files have one. It is not fetched.

    Parameters
    ----------
    pieces : iterable of bytes
        The XML.

    start, text, end : callable or None, default=None
        What is called for the elements and what is between them, as expat does.

    Raises
    ------
    ValueError
        If it declares entities, is not XML, or has elements nested more than 100 deep.
    """
    depth = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError(f"its XML has more than {_DEEPEST} elements within each other")
        if start is not None:
            start(name, attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name)

    def refuse(name: str, *_: Any) -> NoReturn:
        raise ValueError(
            f"its XML declares the entity {name[:40]!r}, which may stand for other files or for "
            "far more than the file holds; no program needs one"
        )

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.EntityDeclHandler = refuse
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(f"its XML is damaged: {error}") from error
