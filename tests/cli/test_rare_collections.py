"""Searches for reference cycles: rarer in a process of the command, unchanged in others."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from ari_estimator.cli import main


def test_the_process_of_a_caller_keeps_its_searches():
    before = gc.get_threshold(), gc.get_freeze_count()
    assert main(["--version"]) == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


@pytest.mark.parametrize(("option", "code"), [("--version", 0), ("--no-such-option", 2)])
def test_a_process_that_ends_skips_the_last_search(option, code):
    program = (
        "import atexit, gc, sys; from ari_estimator.cli import main; "
        "before = gc.get_threshold()[0]; atexit.register(print, 'the end'); code = main(); "
        "print(code, gc.get_threshold()[0] > before, gc.get_freeze_count() > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, option], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == [f"{code} True True", "the end"]
