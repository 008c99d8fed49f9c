"""The style check finds what it is for, in every kind of text that people read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLE = ROOT / "docs" / "_style"
sys.path.insert(0, str(STYLE))

from prose_rules import LONGEST_SENTENCE, RULES, find_in_sentence  # noqa: E402
from sentences import sentences_of, split_sentences  # noqa: E402


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rules_catch_their_sentence_and_accept_a_plain_one(rule):
    assert rule.name in {found.rule for found in find_in_sentence(rule.caught)}
    assert [found.rule for found in find_in_sentence(rule.accepted)] == []


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("Find the largest clusters of which a given part is active.", "of-which"),
        ("Of one sample, signs are flipped, which assumes symmetric errors.", "starts-with-of"),
        ("It takes what masking takes, at the most half as much again.", "at-the-most"),
        ("Here is what is not known of it.", "known-of"),
        ("It is known of it that errors are small.", "known-of"),
        ("A map that is there already, and one that is not.", "there-already"),
        ("In place of a threshold, one asks for a TDP.", "impersonal-one"),
        (" ".join(["word"] + ["other", "word"] * LONGEST_SENTENCE), "long-sentence"),
    ],
)
def test_sentences_that_must_be_caught(sentence, rule):
    assert rule in {found.rule for found in find_in_sentence(sentence)}


def test_sentences_end_where_they_end():
    text = "Use `a.b`. It works, e.g. with F (see [a page](x.md)). **Then** stop. 0.05 is it."
    assert split_sentences(text) == [
        "Use X.",
        "It works, eg with F (see a page).",
        "Then stop.",
        "0.05 is it.",
    ]


PYTHON = '''"""Of modules one is shown."""

from typer import Option

# Of comments,
# both lines are one text.
FLAG = Option("--flag", help="Of options this is one.")


def function(a):
    """Return it.

    Parameters
    ----------
    a : int
        Of numbers the largest.

    Raises
    ------
    ValueError
        Of errors the worst.

    References
    ----------
    Of papers nothing is checked.

    Examples
    --------
    >>> function(1)
    Of output nothing is checked.
    """
    name = "Of other texts nothing is checked."
    raise ValueError(f"Of {name} nothing is known.")
'''
MARKDOWN = """# Of headings

Of paragraphs, *this* is
one. The next is fine.

- Of items,
  one.

| Of cells | fine |
| --- | --- |

```python
"Of code nothing is checked."
```

Use `Of code` too.

```{glossary}
Of terms
  Of definitions, one.
```

:::{grid-item-card} Title
Of cards this is one.
:::
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("module.py", PYTHON, [1, 5, 7, 16, 21, 33]),
        ("page.md", MARKDOWN, [1, 3, 6, 9, 20, 24]),
    ],
)
def test_all_that_people_read_is_checked_and_nothing_else(tmp_path, name, text, lines):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = sorted(
        line
        for line, sentence in sentences_of(path)
        if any(one.rule == "starts-with-of" for one in find_in_sentence(sentence))
    )
    assert found == lines


@pytest.mark.parametrize(("text", "code"), [("The map is fine.", 0), ("Of maps, one is.", 1)])
def test_the_script_fails_where_it_finds_something(tmp_path, text, code):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    command = [sys.executable, str(STYLE / "check_style.py"), str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("page.md:1: starts-with-of" in done.stdout) == bool(code)
