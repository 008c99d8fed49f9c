"""Print the version, or set the version of the next release in every file that states it.

``python release/set_version.py 0.2.0`` writes ``_version.py``, from which all else takes the
version, and the files that other programs read without Python: ``CITATION.cff``,
``codemeta.json`` and the recipe of conda. It dates them and the heading of ``CHANGELOG.md``.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:rc\d+)?")


def _replaced(path: Path, pattern: str, new: str) -> str:
    """Return the text of a file with something else in the one place that has a pattern."""
    text = path.read_text(encoding="utf-8")
    text, n_found = re.subn(pattern, lambda _: new, text, flags=re.MULTILINE)
    if n_found != 1:
        raise ValueError(f"{path} must have {pattern!r} once; it has it {n_found} times.")
    return text


def set_version(version: str, root: Path = ROOT) -> None:
    """Write the version and today's date; no file changes if one of them is not as expected."""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"The version must be like 0.2.0 or 0.2.0rc1; got {version!r}.")
    today = datetime.now(timezone.utc).date().isoformat()
    changes = {
        "src/ari_estimator/_version.py": (r'"[^"]+"$', f'"{version}"'),
        "CITATION.cff": (
            r"^version: .*\n(?:date-released: .*\n)?",
            f"version: {version}\ndate-released: {today}\n",
        ),
        "codemeta.json": (
            r'^  "version": .*\n(?:  "dateModified": .*\n)?',
            f'  "version": "{version}",\n  "dateModified": "{today}",\n',
        ),
        "release/conda/meta.yaml": (
            r'^{% set version = "[^"]+" %}$',
            f'{{% set version = "{version}" %}}',
        ),
        "CHANGELOG.md": (rf"^## {re.escape(version)} \(.*\)$", f"## {version} ({today})"),
    }
    texts = {name: _replaced(root / name, *change) for name, change in changes.items()}
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8", newline="\n")


def version_in(root: Path = ROOT) -> str:
    """Return the version that ``_version.py`` states."""
    text = (root / "src/ari_estimator/_version.py").read_text(encoding="utf-8")
    return text.split('"')[-2]


def main(arguments: list[str]) -> str | None:
    """Return an error message, or None."""
    if len(arguments) > 1:
        return "Usage: python release/set_version.py [VERSION]"
    if not arguments:
        print(version_in())
        return None
    try:
        set_version(arguments[0])
    except ValueError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
