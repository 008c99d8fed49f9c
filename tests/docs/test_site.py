"""What the site says and links to is there. Sphinx itself checks the rest, in .ci/run."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import ari_estimator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
MADE_BY_THE_BUILD = ("auto_gallery/", "api/")

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def _links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8")))


def _anchors(page: Path) -> set[str]:
    """Return the anchors of headings, as GitHub and MyST make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for link in _links(page):
        if re.match(r"\w+:", link):  # https:, mailto:
            continue
        path, _, anchor = link.partition("#")
        if path.startswith(MADE_BY_THE_BUILD):
            source = path.replace("auto_gallery/index.rst", "gallery/README.rst")
            path = re.sub(r"auto_gallery/(\w+)\.rst", r"gallery/\1.py", source)
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _public_packages() -> list[str]:
    return [
        module.name
        for module in pkgutil.iter_modules(ari_estimator.__path__)
        if module.ispkg and getattr(_package(module.name), "__all__", None)
    ]


def _package(name: str):
    return importlib.import_module(f"ari_estimator.{name}")


def test_the_reference_lists_all_public_names_and_packages():
    listed = re.findall(r"^   (\w+)$", (DOCS / "api.rst").read_text(encoding="utf-8"), re.M)
    assert len(listed) == len(set(listed))
    top = set(ari_estimator.__all__) - {"__version__"}
    assert top <= set(listed), "not in docs/api.rst"
    # What is in estimators is at the top as well, and cli is for a shell.
    packages = set(_public_packages()) - {"estimators", "cli"}
    assert packages <= set(listed), "not in docs/api.rst"
    assert set(listed) == top | packages


@pytest.mark.parametrize("inventory", sorted(DOCS.glob("_inventories/*.txt")), ids=lambda p: p.stem)
def test_names_of_other_projects_exist(inventory):
    lines = inventory.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Sphinx inventory version 1"
    assert len(lines) > 3
    for line in lines[3:]:
        name, _, page = line.split()
        assert page.endswith(".html")
        assert _find(name) is not None, name


def _find(name: str):
    """Import what a dotted name says, however much of it is a module."""
    parts = name.split(".")
    for n_modules in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n_modules]))
        except ImportError:
            continue
        for attribute in parts[n_modules:]:
            found = getattr(found, attribute, None)
        return found
    return getattr(importlib.import_module("builtins"), name, None)


def test_every_example_of_the_gallery_has_a_title_and_says_so_in_its_name():
    examples = sorted(DOCS.glob("gallery/*.py"))
    assert len(examples) >= 12
    for example in examples:
        assert example.name.startswith("plot_"), "is not run by the gallery"
        lines = example.read_text(encoding="utf-8").splitlines()
        assert lines[0] == '"""'
        assert set(lines[2]) == {"="}
        assert len(lines[1]) == len(lines[2])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("the 95 % interval", ["the", "95 %", "interval"]),
        ("1 / 9.9 to 1 / 25", ["1 / 9.9", "to", "1 / 25"]),
        ("27 ms, 600 MB and 2 mm", ["27 ms,", "600 MB", "and", "2 mm"]),
        ("TDP ≥ 0.7 at x = -18", ["TDP ≥ 0.7", "at", "x = -18"]),
        ("2 sessions", ["2", "sessions"]),
    ],
)
def test_numbers_of_pages_stay_on_one_line(monkeypatch, text, parts):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(DOCS / "_extensions")
    unbroken = importlib.import_module("unbroken").unbroken
    assert [part.replace("\N{NO-BREAK SPACE}", " ") for part in unbroken(text).split(" ")] == parts
