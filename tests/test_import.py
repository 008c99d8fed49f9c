"""What importing the package does, and does not."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ari_estimator

# From the ground up: each may import those before it.
LAYERS = (
    "_version",
    "_report_hook",
    "_software",
    "datasets",
    "closed_testing",
    "resampling",
    "graphs",
    "images",
    "estimators",
    "plotting",
    "reporting",
    "interfaces",
    "explorer",
    "cli",
)


def test_numba_typer_and_matplotlib_are_left_for_when_they_are_needed():
    late = {"matplotlib", "numba", "typer"}
    code = f"import sys; from ari_estimator import *; print(sorted({late} & set(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_help_and_the_package_alone_do_not_wait_for_nilearn():
    code = (
        "import sys, ari_estimator.cli; ari_estimator.cli.main(['clusters', '--help']); "
        "print(sorted({'nilearn', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.splitlines()[-1] == "[]"


def test_names_and_packages_are_there_when_they_are_asked_for():
    code = (
        "import ari_estimator as a; "
        "assert a.plotting.plot_tdp and a.explorer.explore is a.explore; "
        "assert {'explore', 'plotting'} <= set(dir(a)); print(hasattr(a, 'nothing'))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout == "False\n"


def _imports() -> list[tuple[str, str]]:
    root = Path(ari_estimator.__file__).parent
    pairs = []
    for path in root.rglob("*.py"):
        importer = path.relative_to(root).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "ari_estimator."
            ):
                pairs.append((importer, node.module.split(".")[1]))
    return [pair for pair in pairs if pair[0] in LAYERS]


def test_imports_run_downward_only():
    pairs = _imports()
    assert len(pairs) > 20
    upward = {
        (importer, imported)
        for importer, imported in pairs
        if LAYERS.index(imported) > LAYERS.index(importer)
    }
    assert upward == set()


@pytest.mark.parametrize("importer", ["closed_testing", "resampling", "graphs"])
def test_the_ground_floor_knows_nothing_of_images(importer):
    root = Path(ari_estimator.__file__).parent / importer
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "nilearn" not in text, path
        assert "nibabel" not in text, path
