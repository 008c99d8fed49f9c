"""``ari help``: the glossary in the shell, and the page that is made of the same file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ari_estimator.cli._glossary import find_entry, read_glossary

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = Path(__file__).parents[2] / "src" / "ari_estimator" / "cli" / "glossary.md"

# What readers look for, whether they read papers, pages or messages.
TERMS = """
    true discovery proportion; TDP; true discoveries; active; family; rest; closed testing;
    local test; Simes test; Hommel test; PRDS; Hommel value; concentration set; critical vector;
    template; calibration; lambda; step-down; delta; k_max; joint error rate; JER; permutation;
    sign-flipping;
    exchangeability block; variance group; supra-threshold cluster; cluster-forming threshold;
    adaptive cluster; threshold-free TDP map; forest; connectivity; region; grayordinate;
    simultaneous bound; FWE; FDR
"""


@pytest.mark.parametrize("term", [term.strip() for term in TERMS.split(";")])
def test_terms_are_explained(run, term):
    done = run("help", *term.split())
    assert (done.code, done.err) == (0, "")
    title, *lines = done.out.splitlines()
    assert term in title
    assert len(" ".join(lines)) > 30


@pytest.mark.parametrize(
    ("given", "term"),
    [
        ("tdp", "true discovery proportion"),
        ("Critical Vector", "critical vector"),
        ("sign flipping", "sign-flipping"),
        ("K-MAX", "k_max"),
        ("variance groups", "variance group"),
        ("threshold", "cluster-forming threshold"),
        ("by seed", "by seed"),
    ],
)
def test_terms_are_found_however_they_are_written(given, term):
    assert find_entry(given).terms[0] == term


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("labda", "lambda"), ("hommel", "hommel value"), ("simes", "simes test"), ("xyzzy", None)],
)
def test_unknown_terms_are_refused_with_the_nearest(refused, given, nearest):
    told = refused("help", given)
    assert f"TERM '{given}' is not in the glossary." in told
    assert ("Did you mean" in told) == (nearest is not None)
    assert nearest is None or nearest in told


def test_without_a_term_all_are_listed(run):
    done = run("help")
    assert done.code == 0
    assert [entry.title for entry in read_glossary()] == done.out.split("\n\n")[0].splitlines()


def test_a_command_shows_its_help(run, refused):
    done = run("help", "clusters")
    assert done.code == 0
    assert done.out.strip() == run("clusters", "--help").out.strip()
    assert "--json is for terms" in refused("help", "clusters", "--json")


def test_json(run):
    done = run("help", "TDP", "--json")
    told = json.loads(done.out)
    assert done.code == 0
    assert told["terms"] == ["true discovery proportion", "TDP"]


def test_the_file_is_in_order_and_refers_to_what_is_there():
    text = SOURCE.read_text(encoding="utf-8")
    entries = read_glossary()
    names = [name for entry in entries for name in entry.terms]
    assert len(set(map(str.casefold, names))) == len(names)
    first = [entry.terms[0].casefold() for entry in entries]
    assert first == sorted(first)
    for entry in entries:
        assert entry.definition.endswith((".", ")"))
        assert not re.search(r"[`{}]|\]\(", entry.definition)
    referred = re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`", text)
    assert set(referred) <= set(names)
    pages = re.findall(r"\]\((\w+\.md)\)", text)
    assert pages
    assert all((DOCS / page).exists() for page in pages)


def test_the_page_shows_the_file():
    page = DOCS / "glossary.md"
    (included,) = re.findall(r"```\{include\} (\S+)", page.read_text(encoding="utf-8"))
    assert (page.parent / included).resolve() == SOURCE
