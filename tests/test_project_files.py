"""Files that other programs read: they state one version, and the same requirements."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest

import ari_estimator

ROOT = Path(__file__).parents[1]
STATE_VERSION = ("CITATION.cff", "codemeta.json", "release/conda/meta.yaml")
_RELEASE = runpy.run_path(str(ROOT / "release" / "set_version.py"))

if sys.version_info >= (3, 11):
    import tomllib

    PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
else:
    PROJECT = None

reads_toml = pytest.mark.skipif(PROJECT is None, reason="Python 3.10 does not read TOML")


def _text(name: str) -> str:
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"{name} is in the repository only")
    return path.read_text(encoding="utf-8")


def _stated(text: str) -> list[str]:
    return re.findall(r'^(?:version: |  "version": "|{% set version = ")([\w.]+)', text, re.M)


def test_all_files_state_the_version_of_the_package():
    assert _RELEASE["version_in"]() == ari_estimator.__version__
    for name in STATE_VERSION:
        assert _stated(_text(name)) == [ari_estimator.__version__], name


@pytest.fixture
def copy(tmp_path):
    """Return a folder with a copy of the files that state the version."""
    for name in (*STATE_VERSION, "CHANGELOG.md", "src/ari_estimator/_version.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_one_command_sets_the_version_everywhere(copy):
    changelog = copy / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    new = re.sub(r"^## .*", "## 12.3.0 (unreleased)", text, count=1, flags=re.M)
    changelog.write_text(new, encoding="utf-8")
    for _ in range(2):  # a date may be set again
        _RELEASE["set_version"]("12.3.0", copy)
    assert _RELEASE["version_in"](copy) == "12.3.0"
    for name in STATE_VERSION:
        assert _stated((copy / name).read_text(encoding="utf-8")) == ["12.3.0"], name
    assert re.search(
        r"^## 12\.3\.0 \(\d{4}-\d\d-\d\d\)$", changelog.read_text(encoding="utf-8"), re.M
    )
    json.loads((copy / "codemeta.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "99.0.0", ""])
def test_a_version_that_cannot_be_or_has_no_changelog_changes_nothing(copy, version):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"must (be like|have)"):
        _RELEASE["set_version"](version, copy)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


@reads_toml
def test_the_recipe_of_conda_has_the_requirements_of_the_package():
    run = _text("release/conda/meta.yaml").split("  run:\n")[1].split("\ntest:")[0]
    stated = [re.sub(r" (?=[<>])", "", line).strip("- ") for line in run.strip().splitlines()]
    wanted = [f"python{PROJECT['requires-python']}", *PROJECT["dependencies"]]
    assert [one.replace("matplotlib-base", "matplotlib") for one in stated] == wanted


@reads_toml
def test_pythons_are_the_same_everywhere():
    classified = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert classified[0] == PROJECT["requires-python"].removeprefix(">=")
    span = f"Python {classified[0]} to {classified[-1]}"
    for name in ("README.md", "CONTRIBUTING.md", "docs/index.md"):
        assert span in _text(name), name
    matrix = re.search(r"python: (\[.*\])", _text(".github/workflows/tests.yml"))[1]
    assert json.loads(matrix) == classified


@reads_toml
def test_citations_agree():
    citation, meta = _text("CITATION.cff"), json.loads(_text("codemeta.json"))
    zenodo = json.loads(_text(".zenodo.json"))
    assert f'title: "{zenodo["title"]}"' in citation
    assert meta["name"] == PROJECT["name"]
    assert PROJECT["license"] == zenodo["license"] == meta["license"].rpartition("/")[2]
    assert f"license: {PROJECT['license']}" in citation
    assert meta["keywords"] == zenodo["keywords"]
    dois = re.findall(r"doi: (\S+)", citation)
    assert [one["identifier"] for one in zenodo["related_identifiers"]] == dois
    assert [
        one["sameAs"].removeprefix("https://doi.org/") for one in meta["referencePublication"]
    ] == dois
    names = [author["name"] for author in PROJECT["authors"]]
    assert [one["name"] for one in zenodo["creators"]] == names
    assert [one["name"] for one in meta["author"]] == names


def test_the_paper_has_the_numbers_of_the_documentation():
    """If it has not: ``python paper/make_paper.py``."""
    _text("paper/paper.md")
    assert runpy.run_path(str(ROOT / "paper" / "make_paper.py"))["main"](["--check"]) == 0


def test_the_paper_cites_what_its_bibliography_has():
    cited = set(re.findall(r"@(\w+\d{4})", _text("paper/paper.md")))
    assert cited == set(re.findall(r"^@\w+\{(\w+),", _text("paper/paper.bib"), re.M))
