"""A way to run programs beside the tests."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def process():
    """Return a function that starts a program, waits for its first line, and gives the process."""
    started = []

    def start(code, *arguments):
        program = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        program.first = program.stdout.readline().rstrip("\n")
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()
