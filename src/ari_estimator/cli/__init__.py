"""The ``ari`` command."""

from ari_estimator.cli._main import main

__all__ = ["main"]
