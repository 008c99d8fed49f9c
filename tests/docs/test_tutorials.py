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
MINUTES_TO_START = 1.5
WORDS_PER_MINUTE = 140
LINES_PER_MINUTE = 8
MINUTES_PER_BLOCK = 0.75

# How long a newcomer took for eight pages: words, lines of code, blocks, minutes.
TIMED = (
    (219, 20, 5, 8.5),
    (306, 36, 3, 9.5),
    (318, 23, 5, 10),
    (390, 33, 4, 9),
    (459, 27, 4, 11),
    (483, 4, 4, 8),
    (548, 4, 4, 8),
    (561, 5, 5, 9),
)

_FENCED = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPED = {
    "python": re.compile(r".*\S"),
    "shell": re.compile(r".*\S"),
    "pycon": re.compile(r"(?:>>>|\.\.\.) .*"),
    "console": re.compile(r"[$>] .*"),
}
_WORD = re.compile(r"\S*\w\S*")


def minutes_for(n_words: int, n_lines: int, n_blocks: int) -> float:
    """Return how long it takes to start, read words and lines of code, and run blocks."""
    reading = n_words / WORDS_PER_MINUTE + n_lines / LINES_PER_MINUTE
    return MINUTES_TO_START + reading + n_blocks * MINUTES_PER_BLOCK


def counts_of(markdown: str) -> tuple[int, int, int]:
    """Count words (of text and of output), lines of code to run, and blocks to run."""
    to_read, n_lines, n_blocks = [_FENCED.sub("", markdown)], 0, 0
    for language, block in _FENCED.findall(markdown):
        lines = block.splitlines()
        typed = _TYPED.get(language)
        if typed is None:
            to_read += lines
            continue
        n_blocks += 1
        n_lines += sum(bool(typed.fullmatch(line)) for line in lines)
        to_read += [line for line in lines if not typed.fullmatch(line)]
    return len(_WORD.findall("\n".join(to_read))), n_lines, n_blocks


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_takes_ten_minutes_at_most(page):
    assert minutes_for(*counts_of(page.read_text(encoding="utf-8"))) <= MINUTES


@pytest.mark.parametrize(("n_words", "n_lines", "n_blocks", "minutes"), TIMED)
def test_no_page_is_counted_as_quicker_than_a_newcomer_was(n_words, n_lines, n_blocks, minutes):
    assert minutes_for(n_words, n_lines, n_blocks) >= minutes


@pytest.mark.parametrize(
    ("page", "counts"),
    [
        ("", (0, 0, 0)),
        ("word " * 1000, (1000, 0, 0)),
        ("| a | - |\n", (1, 0, 0)),
        ("Read:\n\n```text\nnot run\n```\n", (3, 0, 0)),
        ("```python\nx = 1\n\ny = 2\n```\n\nword\n" * 2, (2, 4, 2)),
        ("```pycon\n>>> for x in y:\n...     x\n1\n2\n\n```\n", (2, 2, 1)),
        ("```console\n$ ls \\\n> -l\nsome files\n...\n```\n", (2, 2, 1)),
        ("```shell\nls && cd x\n```\n", (0, 1, 1)),
    ],
)
def test_words_lines_and_blocks_are_counted(page, counts):
    assert counts_of(page) == counts


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
