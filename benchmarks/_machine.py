"""The machine and the packages that a benchmark was run with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PEERS = ("numpy", "scipy", "nilearn", "higra", "sanssouci")


def machine() -> str:
    """Return what was measured, and on what."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    on = f"{len(models)} x {models[0]}" if models else platform.processor()
    versions = []
    for name in PEERS:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"On {on}; Python {platform.python_version()}, {', '.join(versions)}."
