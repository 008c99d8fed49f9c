"""The scripts behind docs/validity.md: they run, and the page has what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "validity.md").read_text(encoding="utf-8")


def _block(name: str) -> str:
    return re.search(f"<!-- begin {name} -->(.*?)<!-- end {name} -->", PAGE, re.S)[1]


def _tables(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables in a text."""
    return [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")]


def _run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", str(ROOT / "benchmarks" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("exactness", ["--families", "8"]),
        ("parametric_error", ["--runs", "2"]),
        ("assumption_error", ["--studies", "1"]),
        ("calibration_error", ["--studies", "1", "--jobs", "1"]),
        ("joint_templates_error", ["--studies", "1"]),
    ],
)
def test_a_short_run_prints_the_rows_of_the_page(name, arguments):
    printed, on_page = _tables(_run(f"{name}.py", *arguments)), _tables(_block(name))
    assert [row[0] for row in printed] == [row[0] for row in on_page]
    assert printed[0] == on_page[0]
    if name == "exactness":
        for table in (printed, on_page):
            assert len(table) > 10
            for row in table[2:]:
                assert (row[2], row[4]) == ("0", "0")


def test_what_is_shown_of_peers_is_what_their_script_prints():
    printed = _run("peer_faults.py")
    for name in ("peer_faults setup", "peer_faults nilearn"):
        code = re.findall(r"```python\n.*?```", _block(name), re.S)
        assert code
        for lines in code:
            assert lines in printed
    ours = {tuple(row[1:]) for row in _tables(printed) if len(row) == 3}
    for row in _tables(_block("peer_faults nilearn")):
        assert tuple(row[1:]) in ours
