"""What importing the package does, and does not."""

from __future__ import annotations

import os
import subprocess
import sys


def test_numba_typer_and_matplotlib_are_left_for_when_they_are_needed():
    late = {"matplotlib", "numba", "typer"}
    code = f"import sys; from ari_estimator import *; print(sorted({late} & set(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_tables_and_texts_do_not_need_matplotlib():
    code = (
        "import sys; from ari_estimator.reporting import get_methods, get_tdp_table, make_report; "
        "print('matplotlib' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "False"


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


def test_all_is_imported_at_once_if_the_environment_says_so():
    code = "import ari_estimator as a; print({*a.__all__, 'plotting', 'explorer'} <= set(vars(a)))"
    output = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"EAGER_IMPORT": "1"},
    )
    assert output.stdout == "True\n"
