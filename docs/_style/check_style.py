"""Check that pages, docstrings, help texts and messages are in plain English.

``python docs/_style/check_style.py [FILE ...]`` prints what ``prose_rules.py`` finds, and ends with
code 1 if it finds anything.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prose_rules import Finding, find_in_sentence
from sentences import sentences_of

ROOT = Path(__file__).parents[2]


def files_to_check() -> list[Path]:
    """Return all files that have text for people."""
    pages = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("paper/*.md"))]
    pages.remove(ROOT / "CHANGELOG.md")
    docs = [
        path
        for pattern in ("*.md", "*.rst", "*/*.md", "gallery/*")
        for path in sorted((ROOT / "docs").glob(pattern))
        if path.suffix in (".md", ".rst", ".py")
        and not {"api", "auto_gallery", "_build"} & set(path.parts)
    ]
    sources = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "src").rglob("*.md"))
    return [*pages, *docs, *sources]


def findings_in(files: Iterable[Path]) -> Iterator[tuple[Path, int, Finding]]:
    """Yield what the rules find, with its file and line."""
    for path in files:
        for line, sentence in sentences_of(path):
            for finding in find_in_sentence(sentence):
                yield path, line, finding


def main(names: list[str]) -> int:
    """Print what is found, and return the exit code."""
    files = [Path(name).resolve() for name in names] or files_to_check()
    found = list(findings_in(files))
    for path, line, finding in found:
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"{name}:{line}: {finding.rule}: {finding.text}  -> {finding.instead}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
