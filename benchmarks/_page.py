"""Put the output of a benchmark into a document.

A document has a block for each benchmark, between two comments with its name. The block holds the
printed output, so that each number has the command that made it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path


def add_page_argument(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--page``."""
    parser.add_argument(
        "--page", type=Path, help="document to put the output into, in the block of that name"
    )


def publish(name: str, text: str, page: Path | None = None) -> None:
    """Print a text. If there is a page, put the text into its block of that name."""
    print(text)
    if page is None:
        return
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    document = page.read_text(encoding="utf-8")
    if document.count(begin) != 1 or document.count(end) != 1:
        raise SystemExit(f"{page} must have {begin} and {end} once each.")
    before, _, rest = document.partition(begin)
    after = rest.partition(end)[2]
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table in Markdown."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
