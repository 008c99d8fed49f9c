"""Fixtures of all tests (a real map, data outside of the repository), and the quick subset."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.image import load_img

# Files of ``pytest -m quick``: the core of each room, in less than a minute on one core.
QUICK = (
    "calibration/test_binned_pivots.py",
    "cli/test_documents.py",
    "cli/test_info.py",
    "cli/test_option_names.py",
    "closed_testing/test_critical_vector.py",
    "closed_testing/test_hommel_exact.py",
    "closed_testing/test_reference_hommel.py",
    "closed_testing/test_templates.py",
    "datasets/test_simulated_group.py",
    "estimators/test_cluster_level_inference.py",
    "explorer/test_explore.py",
    "files/test_whole_files.py",
    "graphs/test_cluster_forest.py",
    "graphs/test_mesh_graph.py",
    "graphs/test_voxel_grid.py",
    "images/test_masks.py",
    "inference/test_statistic.py",
    "inference/test_tdp_forest.py",
    "interfaces/test_fsl.py",
    "plotting/test_curves_and_dots.py",
    "reporting/test_storage_order.py",
    "resampling/test_contrast.py",
    "resampling/test_schemes.py",
    "resampling/test_tails.py",
)

# Graphics without a graphics card.
_ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
# The first is Chromium without its windows, which take half of the time.
_BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)

TESTS = Path(__file__).parent

# The same examples each time, so that a change fails for what it changes; new ones are looked for
# with --fuzz. On a busy machine, or before code is compiled, an example may take any time.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz",
        type=int,
        default=1,
        help="how many times as many cases fuzz tests try; above 1, examples differ each time",
    )


@pytest.fixture(scope="session")
def fuzz_cases(pytestconfig):
    """Return a function from the usual number of cases of a fuzz test to the one asked for."""
    return lambda usual: usual * pytestconfig.getoption("--fuzz")


def pytest_configure(config):
    if config.getoption("fuzz") > 1:
        settings.load_profile("new")
    if (
        config.getoption("markexpr") == "quick"
        and config.args_source == config.ArgsSource.TESTPATHS
    ):
        config.args = [str(TESTS)]  # docstrings of the sources are not in the quick subset
    # nilearn's checks of estimators come in a module with marks of its own.
    for name in ("ai_generated", "flaky", "slow", "thread_unsafe", "timeout"):
        config.addinivalue_line("markers", f"{name}: of nilearn's tests")


def pytest_ignore_collect(collection_path, config):
    """Do not import other tests for the quick subset: that takes as long as its tests."""
    if config.getoption("markexpr") != "quick" or collection_path.suffix != ".py":
        return None
    return True if collection_path.relative_to(TESTS).as_posix() not in QUICK else None


def pytest_collection_modifyitems(items):
    quick = {TESTS / name for name in QUICK}
    for item in items:
        if item.path in quick:
            item.add_marker("quick")


@pytest.fixture(scope="session")
def motor_img():
    """Return the z map that nilearn brings along: 45,448 voxels of 3 mm in a zero background."""
    return load_img(load_sample_motor_activation_image())


@pytest.fixture(scope="session")
def shared_path():
    """Return a function from names to a path in the shared data; it skips if there is none."""
    root = Path(__file__).parents[2] / "shared"

    def find(*names):
        path = root.joinpath(*names)
        if not path.exists():
            pytest.skip(f"needs {Path('..', 'shared', *names)}, which is not in the repository")
        return path

    return find


@pytest.fixture(scope="session")
def browser():
    """Return a browser without a window; skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        if path is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("needs Chromium: `playwright install chromium`, or CHROMIUM=path")
        browser = driver.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()
