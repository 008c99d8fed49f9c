"""The ``ari`` command."""

from ari_estimator.cli._app import main

__all__ = ["main"]
