"""What results are computed by."""

from __future__ import annotations

from importlib.metadata import version
from platform import python_version

from ari_estimator._version import __version__

_PACKAGES = (
    "nilearn", "nibabel", "numpy", "scipy", "pandas", "scikit-learn", "numba", "matplotlib",
)  # fmt: skip


def package_versions() -> list[tuple[str, str]]:
    """Return names and versions of what results are computed by."""
    others = [(name, version(name)) for name in _PACKAGES]
    return [("ari_estimator", __version__), *others, ("Python", python_version())]
