"""Fixtures of all tests: a real map, and data that lie outside of the repository."""

from pathlib import Path

import pytest
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.image import load_img


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz", type=int, default=1, help="how many times as many cases fuzz tests try"
    )


@pytest.fixture(scope="session")
def fuzz_cases(pytestconfig):
    """Return a function from the usual number of cases of a fuzz test to the one asked for."""
    return lambda usual: usual * pytestconfig.getoption("--fuzz")


def pytest_configure(config):
    # nilearn's checks of estimators come in a module with marks of its own.
    for name in ("ai_generated", "flaky", "slow", "thread_unsafe", "timeout"):
        config.addinivalue_line("markers", f"{name}: of nilearn's tests")


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
