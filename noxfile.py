"""Tests on every supported Python and the oldest dependencies; the linters; the site."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "oldest", "lint", "docs"]

# The lower bounds of pyproject.toml.
OLDEST = [
    "distributed==2024.5.0",
    "hypothesis==6.100.0",
    "jinja2==3.1.6",
    "joblib==1.4.0",
    "matplotlib==3.8.4",
    "nibabel==5.2.0",
    "nilearn==0.14.1",
    "numba==0.60.0",
    "numpy==1.26.0",
    "numpydoc==1.7.0",
    "pandas==2.3.0",
    "playwright==1.44.0",
    "polars==1.0.0",
    "pytest==8.2.0",
    "rich==13.7.0",
    "scikit-learn==1.6.0",
    "scipy==1.12.0",
    "tabulate==0.9.0",
    "threadpoolctl==3.1.0",
    "typer==0.16.0",
]


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the tests with current dependencies."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python="3.10")
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest supported dependencies."""
    session.install(".[test]", *OLDEST)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Check code style, types, spelling and plain English."""
    session.install(".", "codespell", "mypy", "ruff")
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
