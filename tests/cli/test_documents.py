"""Command lines in the documents are ones that the commands take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from ari_estimator.cli._app import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _lines():
    for document in DOCUMENTS:
        for block in re.findall(
            r"^```(?:shell|console)\n(.*?)^```", document.read_text(encoding="utf-8"), re.S | re.M
        ):
            for line in block.splitlines():
                words = (
                    shlex.split(line.removeprefix("$ "), comments=True) if "ari " in line else []
                )
                if words[:1] == ["ari"]:
                    yield pytest.param(words[1:], id=" ".join(words))


@pytest.mark.parametrize("arguments", list(_lines()))
def test_command_lines_are_understood(arguments):
    commands = get_command(app)
    name, *options = arguments
    context = commands.make_context("ari", [], resilient_parsing=True)
    command = commands.get_command(context, name)
    assert command is not None
    command.make_context(name, options)


def test_there_are_command_lines():
    assert len(list(_lines())) > 10
