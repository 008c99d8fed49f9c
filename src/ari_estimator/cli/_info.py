"""``ari info``: versions, and what the machine has."""

from __future__ import annotations

import os
import platform
from importlib import import_module

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._outcome import Outcome


def info(talk: TalkOptions) -> Outcome:
    """Print versions of packages, and what computations run on: for questions and reports."""
    from threadpoolctl import threadpool_info

    from ari_estimator._software import package_versions

    import_module("scipy.linalg")  # what is loaded tells which libraries there are
    config = import_module("numba").config
    versions = dict(package_versions())
    libraries = [
        f"{library['internal_api']} {library.get('version') or ''}".strip()
        for library in threadpool_info()
    ]
    facts = {
        "versions": versions,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "numba_threads": config.NUMBA_NUM_THREADS,
        "numba_jit": not config.DISABLE_JIT,
        "libraries": libraries,
    }
    width = max(map(len, versions)) + 1
    lines = [f"{name:{width}} {number}" for name, number in versions.items()]
    lines += [
        f"{'platform':{width}} {facts['platform']}, {facts['processors']} processors",
        f"{'compiler':{width}} numba, {'on' if facts['numba_jit'] else 'off'}, "
        f"{facts['numba_threads']} threads",
        f"{'libraries':{width}} {', '.join(libraries)}",
    ]
    return Outcome("\n".join(lines), facts=facts)
