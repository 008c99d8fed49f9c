"""Tests on every Python, with old and new dependencies; linters; the site; files of a release.

``nox --list`` shows all sessions. pytest gets what follows ``--``: ``nox -s oldest -- -m quick``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["tests", "oldest", "lint", "docs", "package"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)

# Wheels of tomorrow's numpy, scipy, pandas, matplotlib and scikit-learn.
NIGHTLY = "https://pypi.anaconda.org/scientific-python-nightly-wheels/simple"
NILEARN_MAIN = "nilearn @ git+https://github.com/nilearn/nilearn"

TOOLS = ["codespell", "mypy", "ruff"]


def lower_bounds(*extras: str) -> list[str]:
    """Return the oldest supported versions, as pyproject.toml states them."""
    texts = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        texts += PROJECT["project"]["optional-dependencies"][extra]
    return [
        f"{requirement.name}=={bound.version}"
        for requirement in map(Requirement, texts)
        for bound in requirement.specifier
        if bound.operator == ">="
    ]


def run_tests(session: nox.Session, *options: str) -> None:
    """Show the versions, and run pytest."""
    session.run("python", "-m", "pip", "list")
    session.run("python", "-m", "pytest", *options, *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests with current dependencies."""
    session.install(".[test]")
    run_tests(session)


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest supported dependencies."""
    session.install(".[test]", *lower_bounds("test"))
    # Old packages call newer ones in ways that are deprecated by now.
    run_tests(session, "-W", "default")


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    """Run the tests with pre-releases, and nightly wheels where their index can be reached."""
    session.install(".[test]")
    index = os.environ.get("NIGHTLY_INDEX", NIGHTLY)
    more = ["--extra-index-url", index] if index else []
    names = ["matplotlib", "numpy", "pandas", "scikit-learn", "scipy"]
    session.install("--pre", "--upgrade", "--upgrade-strategy=eager", *more, *names, ".[test]")
    run_tests(session)


@nox.session(python=PYTHONS[-1])
def nilearn_main(session: nox.Session) -> None:
    """Run the tests with nilearn's development version: NILEARN is its address, or a folder."""
    session.install(".[test]")
    session.install("--upgrade", os.environ.get("NILEARN", NILEARN_MAIN))
    run_tests(session)


@nox.session(python="3.11")
def random_order(session: nox.Session) -> None:
    """Run the tests in random order; ``-- -p randomly -p "randomly_seed=1"`` repeats an order."""
    session.install(".[test]", "pytest-randomly")
    run_tests(session)


@nox.session(python="3.11")
def fuzz(session: nox.Session) -> None:
    """Run the tests with new examples, and with five times as many cases in fuzz tests."""
    session.install(".[test]")
    run_tests(session, "--fuzz=5")


@nox.session(python="3.11")
def coverage(session: nox.Session) -> None:
    """Run the tests, and list the lines that none of them runs."""
    session.install("-e", ".[test]", "pytest-cov")
    report = ["--cov=ari_estimator", "--cov-report=term-missing:skip-covered", "--cov-report=xml"]
    session.run("python", "-m", "pytest", *report, *session.posargs)


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Check code style, types, spelling and plain English."""
    session.install(".", *TOOLS)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("codespell")
    session.run("python", "docs/_style/check_style.py")


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """Build the site, and run its gallery."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "docs", "docs/_build")


@nox.session(python="3.11")
def package(session: nox.Session) -> None:
    """Build the files of a release, check them, and run the tests of the sdist without the rest."""
    session.install("build", "check-manifest", "twine")
    folder = Path(session.create_tmp()).resolve() / "release"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("check-manifest")
    session.run("python", "-m", "build", "--outdir", str(folder))
    wheel, sdist = next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("python", "-m", "tarfile", "-e", str(sdist), str(folder))
    session.install(f"{wheel}[test]")
    session.cd(folder / sdist.name.removesuffix(".tar.gz"))
    session.run("python", "-m", "pytest", *(session.posargs or ["-m", "quick"]))
