"""Sentences that people read: of pages, docstrings, help texts and messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple


class Sentence(NamedTuple):
    """A sentence and the line where its paragraph starts."""

    line: int
    text: str


# Abbreviations whose full stop ends no sentence.
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|et al|vs|cf|Fig|approx|etc)\.")
_END = re.compile(r"(?<=[.!?])[\"')\]*_]*\s+(?=[\"'(*_\[]*[A-Z0-9`])")
_FENCE = re.compile(r"^ *(`{3,}|:{3,}|~{3,})")
_GLOSSARY = "{glossary}"
# Keywords whose text users see.
_SHOWN = {"help", "epilog", "short_help"}
_RAISED = re.compile(r"(?:Error|Warning|warn|refuse\w*|Exit)$")


def sentences_of(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a Markdown, reStructuredText or Python file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _of_python(text)
    else:
        yield from _of_markup(text)


def _of_markup(text: str, first: int = 1) -> Iterator[Sentence]:
    """Yield the sentences of paragraphs, list items, headings and cells, code left out."""
    fence = ""
    paragraph: list[str] = []
    start = first

    def end() -> Iterator[Sentence]:
        joined = " ".join(paragraph)
        paragraph.clear()
        for sentence in split_sentences(joined):
            yield Sentence(start, sentence)

    for number, line in enumerate(text.splitlines(), start=first):
        found = _FENCE.match(line)
        if found:
            mark = found.group(1)[0]
            yield from end()
            # Text between colons is text. Code is skipped.
            if mark == ":":
                continue
            if not fence:
                fence = _GLOSSARY if _GLOSSARY in line else mark
            elif fence in (mark, _GLOSSARY):
                fence = ""
            continue
        if fence and fence != _GLOSSARY:
            continue
        if fence and line[:1].strip():  # a term
            yield from end()
            continue
        stripped = line.strip()
        if stripped.startswith("|"):
            yield from end()
            for cell in stripped.strip("|").split("|"):
                yield from (Sentence(number, s) for s in split_sentences(cell))
            continue
        new = re.match(r"[-*+] |\d+\. |#+ |> ?|:\w|\.\. ", stripped)
        if (
            not stripped
            or new
            or stripped.startswith((">>>", "..."))
            or set(stripped) <= set("-=~^")
        ):
            yield from end()
            start = number
            if stripped.startswith((">>>", "...")) or re.match(r"\.\. (?!\[)\w+::", stripped):
                continue
            if new:
                stripped = stripped[new.end() :] if not stripped.startswith(":") else ""
            elif set(stripped) <= set("-=~^"):
                continue
        if stripped:
            if not paragraph:
                start = number
            paragraph.append(stripped)
    yield from end()


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without its markup."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[:{]\w+(?::\w+)?[:}]`([^`<]*)(?:<[^`]*>)?`", r"\1", text)
    text = re.sub(r"``?[^`]+``?_?", "X", text)
    text = re.sub(r"<[^>]+>|\*\*|\[\d+\]_", "", text)
    text = _ABBREVIATION.sub(lambda found: found.group().replace(".", ""), text)
    parts = _END.split(re.sub(r"\s+", " ", text).strip())
    return [part.strip("*_ ") for part in parts if re.search(r"[a-z]{2}", part)]


def _of_python(text: str) -> Iterator[Sentence]:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _of_docstring(node)
        elif isinstance(node, ast.keyword) and node.arg in _SHOWN:
            yield from _of_string(node.value)
        elif isinstance(node, ast.Call) and _RAISED.search(_name(node.func)):
            for argument in node.args:
                yield from _of_string(argument)
    yield from _of_comments(text)


def _of_comments(text: str) -> Iterator[Sentence]:
    """Yield the sentences of lines that are comments; lines that follow each other are one text."""
    lines = [
        re.match(r"\s*#(?: (?!noqa|type:|fmt:|sphinx_gallery)(.*)|$)", line)
        for line in text.splitlines()
    ]
    rows = [(found.group(1) or "") if found else None for found in lines]
    number = 0
    while number < len(rows):
        block = list(takewhile(lambda row: row is not None, rows[number:]))
        kept = ["" if row.startswith("%%") else row for row in block if row is not None]
        yield from _of_markup("\n".join(kept), number + 1)
        number += len(block) + 1


def _of_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[Sentence]:
    docstring = ast.get_docstring(node)
    if not docstring:
        return
    line = node.body[0].lineno
    docstring = re.split(r"^References\n-+$", docstring, flags=re.M)[0]
    # Examples, and lines that name a parameter or an error, are not prose.
    kept, in_example = [], False
    for row in docstring.splitlines():
        in_example = bool(row.strip()) and (in_example or row.lstrip().startswith(">>>"))
        is_name = re.match(r"^[\w, *.]+ : |^(?:\w+\.)*\w*(?:Error|Warning|Exit)$", row)
        kept.append("" if in_example or is_name else row)
    yield from _of_markup("\n".join(kept), line)


def _of_string(node: ast.expr) -> Iterator[Sentence]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values
        )
    else:
        return
    yield from (Sentence(node.lineno, sentence) for sentence in split_sentences(text))


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", None) or getattr(function, "id", "")
