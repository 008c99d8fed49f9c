"""The rooms of the package: who imports whom, and how far one call goes through them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ari_estimator

ROOT = Path(ari_estimator.__file__).parent
PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")

# Files of the root that every room may import.
FOR_ALL = {
    "_version", "_software", "_unused_options", "_nesting", "_progress", "_page_policy",
    "_page_templates", "_blocks", "_freed_memory", "_masked_values",
}  # fmt: skip

# The one import that runs upward, inside of a function.
UPWARD = ("estimators/_report.py", "reporting")


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading whose first row starts like that."""
    lines = PAGE[PAGE.index(heading) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


ROOMS = {
    _names(room)[0]: (int(floor), set(_names(allowed)))
    for floor, room, _, allowed in _table("| floor | room |")
}
STRANGERS = {_names(room)[0]: set(_names(others)) for room, others in _table("| room | must not")}


def _imports(room: str) -> list[tuple[str, str]]:
    """Return the file and the full name of each module that a room imports, late ones too."""
    found = []
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} has a relative import"
                modules = [node.module]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            found += [(path.relative_to(ROOT).as_posix(), module) for module in modules]
    return found


def test_the_table_has_all_rooms():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(ROOMS) == rooms
    root_files = {path.stem for path in ROOT.glob("_[a-z]*.py")}
    assert root_files == FOR_ALL


def test_the_table_leads_downward_only():
    for room, (floor, allowed) in ROOMS.items():
        assert all(ROOMS[other][0] < floor for other in allowed), room


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_the_table_says_and_no_more(room):
    imported = {
        (file, module.split(".")[1])
        for file, module in _imports(room)
        if module.startswith("ari_estimator.")
    }
    imported = {(file, other) for file, other in imported if other not in {room, *FOR_ALL}}
    imported.discard(UPWARD)
    assert {other for _, other in imported} == ROOMS[room][1], sorted(imported)


@pytest.mark.parametrize("room", STRANGERS)
def test_a_room_does_not_import_what_it_must_not_know(room):
    strangers = STRANGERS[room]
    assert strangers
    met = {(file, m) for file, m in _imports(room) if m.split(".")[0] in strangers}
    assert met == set()


def test_only_one_file_imports_upward():
    assert UPWARD in {
        (file, module.split(".")[1])
        for file, module in _imports("estimators")
        if module.startswith("ari_estimator.")
    }


def test_estimators_are_few_files():
    # One class in each, or one convention; more would be formulas or formats.
    assert len(list((ROOT / "estimators").glob("*.py"))) <= 16


@pytest.mark.parametrize("word", ["Hommel", "CalibratedTest", "SimultaneousTest"])
def test_no_one_asks_which_test_it_is(word):
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(rf"isinstance\([^)]*\b{word}\b", text), path


def test_names_of_statistics_are_compared_in_their_table_only():
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        compared = re.findall(r"\bstat_type (?:==|!=|in|not in) (?!STATISTICS\b|DEFAULT_)", text)
        if path.name != "_statistic.py":
            assert compared == [], path
    for path in (ROOT / "explorer" / "assets").glob("*.js"):
        assert "stat_type" not in path.read_text(encoding="utf-8"), path


_COUNT = """
import os
import sys
import warnings

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.image import load_img

import ari_estimator
from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration

ROOT = os.path.dirname(ari_estimator.__file__)
GENERATOR = 0x20
calls, files = [], set()


def profile(frame, event, argument):
    code = frame.f_code
    if event != "call" or not code.co_filename.startswith(ROOT):
        return
    if code.co_name.startswith("<") or code.co_flags & GENERATOR:
        return
    calls.append(code.co_name)
    files.add(code.co_filename)


def count(function):
    calls.clear(), files.clear()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return len(calls), len(files)


warnings.simplefilter("ignore")
img = load_img(load_sample_motor_activation_image())
ClusterTDPTransformer().fit_transform(img)
print(*count(lambda: ClusterTDPTransformer().fit_transform(img)))
rng = np.random.default_rng(0)
maps = [Nifti1Image(rng.standard_normal((12, 12, 12)) + 0.3, np.eye(4)) for _ in range(16)]
mask_img = Nifti1Image(np.ones((12, 12, 12), dtype="uint8"), np.eye(4))
model = ARISecondLevelModel(
    mask_img=mask_img,
    calibration=PermutationCalibration(n_permutations=200, random_state=0),
)
for _ in range(2):
    model.fit(maps, design_matrix=pd.DataFrame({"intercept": [1] * 16}))
    counted = count(lambda: model.compute_contrast("intercept", output_type="tdp"))
print(*counted)
"""


OTHER_PYTHON = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="other versions count other calls"
)


@pytest.fixture(scope="module")
def counted():
    """Return calls and files of a transform, and of a calibrated contrast."""
    output = subprocess.run(
        [sys.executable, "-c", _COUNT], capture_output=True, text=True, check=True
    ).stdout
    return [tuple(map(int, line.split())) for line in output.splitlines()]


@OTHER_PYTHON
def test_one_call_goes_a_short_way(counted):
    """A map is masked once, and each check runs once: calls of functions of this package."""
    of_transform, files = counted[0]
    assert of_transform <= 169
    assert files <= 35


@OTHER_PYTHON
def test_one_contrast_goes_a_short_way(counted):
    of_contrast, _ = counted[1]
    assert of_contrast <= 590
