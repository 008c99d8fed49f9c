"""README and documents: their Python runs or compiles, and fits the types."""

from __future__ import annotations

import ast
import builtins
import doctest
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ari_estimator

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]

of_each_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
)


def _blocks(markdown: str) -> list[str]:
    """Return the Python of each code block of a document, prompts and output left out."""
    found = re.findall(r"^```(?:python|pycon)\n(.*?)^```$", markdown, re.M | re.S)
    return [_without_prompts(text) for text in found]


def _without_prompts(text: str) -> str:
    """Return the Python of a session; the text itself if it is none."""
    if ">>> " not in text:
        return text
    return "".join(example.source for example in doctest.DocTestParser().get_examples(text))


def _as_module(sources: list[str]) -> str:
    """Return one module of examples that follow each other.

    What they do not define themselves, maps and masks of the reader, may be anything.
    """
    trees = [ast.parse(source) for source in sources]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    defined = {node.id for node in nodes if isinstance(node, ast.Name) and _is_stored(node)}
    defined |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    defined |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    defined |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    given = sorted(used - defined - set(dir(builtins)))
    lines = ["from typing import Any", *(f"{name}: Any" for name in given)]
    return "\n".join([*lines, *sources]) + "\n"


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


@of_each_document
def test_sessions_run(path):
    failed, _ = doctest.testfile(
        str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


@of_each_document
def test_python_compiles(path):
    for source in _blocks(path.read_text(encoding="utf-8")):
        compile(source, str(path), "exec")


def _modules() -> dict[str, str]:
    """Return the examples of documents, and those of docstrings, as modules by name."""
    modules = {
        re.sub(r"\W", "_", path.relative_to(ROOT).with_suffix("").as_posix()): _blocks(
            path.read_text(encoding="utf-8")
        )
        for path in DOCUMENTS
    }
    for name in ari_estimator.__all__:
        documented = inspect.getdoc(getattr(ari_estimator, name)) or ""
        modules[f"of_{name}"] = [_without_prompts(documented)] if ">>> " in documented else []
    return {name: _as_module(sources) for name, sources in modules.items() if sources}


# What fitted attributes are depends on what was given, one map or several, a calibration or none.
# And each block of a document is an example of its own, which may say "design" anew.
NOT_CHECKED = ("union-attr", "has-type", "used-before-def")


@pytest.mark.skipif(not importlib.util.find_spec("mypy"), reason="needs mypy")
def test_examples_fit_the_types(tmp_path):
    modules = _modules()
    assert len(modules) > 15
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    options = ["--ignore-missing-imports", "--allow-redefinition", "--no-error-summary"]
    options += [f"--disable-error-code={code}" for code in NOT_CHECKED]
    command = [sys.executable, "-m", "mypy", "--config-file=", *options, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
