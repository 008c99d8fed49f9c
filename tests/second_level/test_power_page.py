"""The tables of the page on power have the rows and columns of the scripts that make them."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "power.md").read_text(encoding="utf-8")


@pytest.fixture
def script(monkeypatch):
    """Return a function that imports a script of the benchmarks."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == ROOT / "benchmarks":
            del sys.modules[name]


def _rows(name: str) -> list[list[str]]:
    """Return the cells of each row of the table in a block of the page, without the header."""
    block = re.search(f"<!-- begin {name} -->(.*?)<!-- end {name} -->", PAGE, re.S)[1]
    lines = [line for line in block.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_forecasts(script):
    forecast_error = script("forecast_error")
    rows, truths = _rows("forecast_error"), forecast_error.truths()
    assert len(rows) == len(truths) + 1
    assert rows[-1][2].endswith("permutations")
    for row, truth in zip(rows[:-1], truths, strict=True):
        assert row[0].startswith(f"{truth.effect:g}")
        assert row[1] == f"{truth.fwhm:g}"
        assert row[2].startswith(f"{truth.n_pilot} → {truth.n_later}")
    # What the page says of the table.
    for row in rows:
        realised, forecast, unshrunk = map(float, row[4:7])
        assert abs(forecast - realised) <= 0.15
        assert unshrunk > realised + 0.15


@pytest.mark.parametrize("name", ["ball", "cluster", "reported"])
def test_bounds(script, name):
    power = script("power")
    rows = _rows(f"power {name}")
    assert [row[:4] for row in rows] == [[f"{v:g}" for v in one] for one in power.settings()]
    if name == "reported":
        return
    assert len(rows[0]) >= 4 + 2 + len(power.CALIBRATED)
    for row in rows:
        simes, hommel = map(float, row[4:6])
        assert simes >= hommel
