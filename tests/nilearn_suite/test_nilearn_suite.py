"""nilearn's own tests, run on what takes the place of nilearn's classes and functions.

They run in a process of their own, by the plugin ``nilearn_drop_in``. It lists the tests that
must fail, with the reasons, and sees to it that they do.
"""

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import ari_estimator

HERE = Path(__file__).parent

# nilearn's settings of pytest do not come with it, and ours must not be found.
SETTINGS = """\
[pytest]
markers =
    thread_unsafe
    slow
    flaky
    timeout
"""


@pytest.fixture
def run_nilearns_tests(tmp_path):
    """Return a function that runs a test module of nilearn and returns the counts."""
    for name in ("polars", "numpydoc"):
        pytest.importorskip(name, reason=f"nilearn's tests need {name}")

    def run(module, drop_in):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"this version of nilearn comes without {module}")
        (tmp_path / "pytest.ini").write_text(SETTINGS)
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
        }
        # The process starts elsewhere, so that relative paths must not stay so.
        given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        paths = [str(HERE), *(str(Path(path).resolve()) for path in given if path)]
        package_root = str(Path(ari_estimator.__file__).resolve().parents[1])
        if package_root not in (*paths, sysconfig.get_path("purelib")):
            paths.append(package_root)
        environment |= {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "MPLBACKEND": "agg",
        }
        command = [sys.executable, "-m", "pytest", "--pyargs", module]
        command += ["-p", "nilearn_drop_in", "--drop-in", drop_in]
        command += ["-c", str(tmp_path / "pytest.ini"), "--rootdir", str(tmp_path)]
        command += ["-p", "no:cacheprovider", "-rfEX", "--disable-warnings", "--tb=short"]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        output = result.stdout + result.stderr
        assert result.returncode == 0, output[-8000:]
        summary = output.strip().splitlines()[-1]
        return {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", summary)}

    return run


def test_second_level_model_passes_nilearns_tests(run_nilearns_tests):
    counts = run_nilearns_tests("nilearn.glm.tests.test_second_level", "SecondLevelModel")
    assert counts["passed"] >= 100


def test_cluster_level_inference_passes_nilearns_tests(run_nilearns_tests):
    counts = run_nilearns_tests("nilearn.glm.tests.test_thresholding", "cluster_level_inference")
    assert counts["passed"] >= 18
    assert counts["xfailed"] >= 5
