"""Passes over permutations in other processes: of joblib, of a Dask cluster, and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest

from ari_estimator import PermutationCalibration, learn_template
from ari_estimator.resampling import LinearModelStatistics

SCRIPT = """
import numpy as np
from ari_estimator import PermutationCalibration

data = np.random.default_rng(0).standard_normal((30, 50_000))
print("ready", flush=True)
PermutationCalibration(n_permutations=200_000, n_jobs=2).fit(data)
"""


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((16, 3000))


@pytest.fixture(scope="module")
def dask_client():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def _pivots(data: np.ndarray, **params: object) -> np.ndarray:
    calibration = PermutationCalibration(n_permutations=300, random_state=0, **params)
    return calibration.fit(data, two_sided=True).pivotal_statistics_


def test_a_dask_cluster_gives_the_result_of_one_process(data, dask_client):
    alone = _pivots(data)
    with joblib.parallel_config(backend="dask"):
        spread = _pivots(data, n_jobs=-1, chunk_size=50)
    np.testing.assert_array_equal(spread, alone)


def test_the_workers_of_a_dask_cluster_did_the_work(data, dask_client):
    with joblib.parallel_config(backend="dask"):
        _pivots(data, n_jobs=-1, chunk_size=25)
    keys = dask_client.run(lambda dask_worker: len(dask_worker.state.log))
    assert len(keys) == 2
    assert sum(keys.values()) > 0  # on a busy machine, one may do all of it


def test_a_dask_cluster_gets_the_data_once_for_all_tasks(data, dask_client, monkeypatch):
    sent = []

    def counted(null: LinearModelStatistics) -> dict[str, object]:
        sent.append(null)
        return vars(null)

    monkeypatch.setattr(LinearModelStatistics, "__getstate__", counted, raising=False)
    with joblib.parallel_config(backend="dask"):
        _pivots(data, n_jobs=-1, chunk_size=50)
    n_tasks = 300 // 50
    assert 0 < len(sent) < n_tasks


def test_a_template_is_learned_on_a_dask_cluster(data, dask_client):
    def curves() -> np.ndarray:
        return learn_template(
            data, n_permutations=100, k_max=50, random_state=0, chunk_size=25, n_jobs=-1
        ).curves

    with joblib.parallel_config(backend="dask"):
        spread = curves()
    with joblib.parallel_config(backend="sequential"):
        np.testing.assert_array_equal(spread, curves())


def test_p_values_by_rank_are_those_of_one_process(data):
    alone = _pivots(data, p_values="rank")
    np.testing.assert_array_equal(_pivots(data, p_values="rank", n_jobs=2), alone)


def _processes_of_group(group: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [row[2] for row in rows if int(row[0]) == group and not row[1].startswith("Z")]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a group of processes")
@pytest.mark.parametrize("to_group", [True, False], ids=["terminal", "kill"])
def test_an_interrupt_leaves_no_processes(to_group):
    # A terminal sends it to the whole group; kill to the first process alone.
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline().strip() == "ready"
        deadline = time.monotonic() + 60
        while len(_processes_of_group(process.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(2)
        assert process.poll() is None, "the run was too short to be interrupted"
        (os.killpg if to_group else os.kill)(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        assert "KeyboardInterrupt" in errors
        deadline = time.monotonic() + 30
        while _processes_of_group(process.pid) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert _processes_of_group(process.pid) == []
    finally:
        if _processes_of_group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
