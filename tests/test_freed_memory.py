"""Freed memory goes back to the system."""

import os
import subprocess
import sys

import pytest

from ari_estimator._freed_memory import _trim, give_back_memory

# In a process of its own, whose heap nothing else has used. The arrays that stay keep the C library
# from giving the others back when they are freed.
_CODE = """
import resource
from pathlib import Path
import numpy as np
from ari_estimator._freed_memory import give_back_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

arrays = [np.ones(2**20)]
arrays.clear()
arrays = [np.ones(2**20) for _ in range(20)]
del arrays[::2]
before = resident()
give_back_memory()
print(before - resident())
"""


@pytest.mark.skipif(_trim() is None, reason="this C library keeps no freed memory to give back")
def test_memory_of_freed_arrays_is_given_back():
    # Dask sets such variables, under which the C library keeps no memory.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    run = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=True, env=env
    )
    assert int(run.stdout) > 5 * 2**23


def test_a_system_without_such_a_function_does_nothing(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    _trim.cache_clear()
    try:
        give_back_memory()
        assert _trim() is None
    finally:
        _trim.cache_clear()
