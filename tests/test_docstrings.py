"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import ari_estimator


def _modules() -> list[str]:
    packages = pkgutil.walk_packages(ari_estimator.__path__, "ari_estimator.")
    return ["ari_estimator", *(module.name for module in packages)]


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[1].glob("docs/*.md")), ids=str)
def test_examples_in_documents_run(path):
    failed, _ = doctest.testfile(
        str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    examples = [
        test
        for name in _modules()
        for test in finder.find(importlib.import_module(name))
        if test.examples
    ]
    assert len(examples) >= 6
