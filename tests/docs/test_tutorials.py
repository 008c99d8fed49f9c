"""A new user gets through each tutorial in ten minutes; CONTRIBUTING has the rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted(
    path for path in (ROOT / "docs" / "tutorials").glob("*.md") if path.name != "index.md"
)

MINUTES = 10
WORDS_PER_MINUTE = 200
MINUTES_PER_BLOCK = 0.25
MINUTES_OF_THE_COMPUTER = 3

_BLOCK = re.compile(r"^```(?:python|pycon|shell|console)$", re.MULTILINE)
_WORD = re.compile(r"\S*\w\S*")


def minutes_of(markdown: str) -> float:
    """Return how long a page takes: all its words, code and output too, and its blocks."""
    n_words, n_blocks = len(_WORD.findall(markdown)), len(_BLOCK.findall(markdown))
    return n_words / WORDS_PER_MINUTE + n_blocks * MINUTES_PER_BLOCK + MINUTES_OF_THE_COMPUTER


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_takes_ten_minutes_at_most(page):
    assert minutes_of(page.read_text(encoding="utf-8")) <= MINUTES


@pytest.mark.parametrize(
    ("page", "minutes"),
    [
        ("", 3),
        ("word " * 1000, 8),
        ("| a | - |\n", 3 + 1 / 200),
        ("```python\nx = 1\n```\n\n```text\n\n```\n" * 2, 3.5 + 8 / 200),
    ],
)
def test_words_and_blocks_take_minutes(page, minutes):
    assert minutes_of(page) == pytest.approx(minutes)


def test_every_tutorial_is_in_the_table_and_in_the_menu():
    index = (ROOT / "docs" / "tutorials" / "index.md").read_text(encoding="utf-8")
    menu = index[index.index("```{toctree}") :]
    assert TUTORIALS
    for page in TUTORIALS:
        assert f"]({page.name})" in index
        assert re.search(rf"^{page.stem}$", menu, re.MULTILINE)


def test_the_line_to_break_on_purpose_is_in_the_code():
    tutorial = (ROOT / "docs" / "tutorials" / "contributor.md").read_text(encoding="utf-8")
    section = tutorial.split("## Break the code on purpose")[1]
    (path,) = re.findall(r"`(src/[\w/]+\.py)`", section)
    line = section.split("```text\n")[1].split("\n```")[0]
    assert (ROOT / path).read_text(encoding="utf-8").count(line) == 1
