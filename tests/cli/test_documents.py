"""Command lines in the documents are ones that the commands take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from ari_estimator.cli._app import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def _commands(script: str) -> Iterator[list[str]]:
    """Yield the words of each command in lines of shell."""
    for line in re.sub(r"\\\n(?:> )?", " ", script).splitlines():
        if "ari " not in line:
            continue
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        command: list[str] = []
        for word in lexer:
            if set(word) <= set("&|;<>"):
                yield command
                command = []
            else:
                command.append(word)
        yield command


def _lines():
    for document in DOCUMENTS:
        for block in re.findall(
            r"^ *```(?:shell|console)\n(.*?)^ *```",
            document.read_text(encoding="utf-8"),
            re.S | re.M,
        ):
            for words in _commands(block):
                # Help and the version end by themselves.
                if words[:1] == ["ari"] and len(words) > 1 and not {"--help", "-h"} & {*words}:
                    yield pytest.param(words[1:], id=" ".join(words))


def test_commands_are_told_apart():
    script = "ari sample study && cd study\n$ ari info z.nii \\\n> --json > out.json  # note\n"
    assert list(_commands(script)) == [
        ["ari", "sample", "study"],
        ["cd", "study"],
        ["ari", "info", "z.nii", "--json"],
        ["out.json"],
    ]


@pytest.mark.parametrize("arguments", list(_lines()))
def test_command_lines_are_understood(arguments):
    commands = get_command(app)
    name, *options = arguments
    context = commands.make_context("ari", [], resilient_parsing=True)
    if name.startswith("-"):
        commands.make_context("ari", arguments, resilient_parsing=True)
        return
    command = commands.get_command(context, name)
    assert command is not None
    command.make_context(name, options)


def test_there_are_command_lines():
    assert len(list(_lines())) > 10
