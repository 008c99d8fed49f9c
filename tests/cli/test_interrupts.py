"""Commands that are interrupted at any moment have written everything or nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Interrupts a command many times: each run is a fork of one program, so that none has to start
# anew. Prints a line for each run that has gone wrong, and how many were interrupted.
FUZZ = """
import os, random, signal, sys, time, warnings
from pathlib import Path

z, out, n_runs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
from ari_estimator.cli import main

warnings.simplefilter("ignore")
said = out.parent / "said.txt"
given = ["clusters", str(z), "--threshold", "4", "--out", str(out), "--force", "--quiet"]
main(given)
whole = sorted(os.listdir(out))
assert len(whole) == 5


def start():
    child = os.fork()
    if child:
        return child
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, handler)
    errors = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(errors, 2)
    os._exit(main(given))


def files():
    return {path.name: path.stat().st_ino for path in out.glob("[!.]*")} if out.exists() else {}


def clear():
    for path in out.glob("[!.]*"):
        path.unlink()


started = time.monotonic()
os.waitpid(start(), 0)
takes = time.monotonic() - started
rng = random.Random(0)
codes = []
for run in range(n_runs):
    if run % 2:  # otherwise results of before are there
        clear()
    before = files()
    child = start()
    # Files are written and moved in the last part.
    time.sleep(takes * rng.choice([rng.random(), rng.uniform(0.5, 1.1)]))
    sent = rng.choices([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], k=rng.choice([1, 2]))
    for number in sent:
        os.kill(child, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after = files()
    codes.append(code)
    is_new = sorted(after) == whole and not set(after.values()) & set(before.values())
    words = said.read_text().strip()
    faults = []
    if not is_new and after != before:
        faults.append("half of the files")
    if code == 0 and not is_new:
        faults.append("no new files")
    if is_new != ("all 5 files were written" in words) and "files were" in words:
        faults.append("wrong words")
    if is_new and "nothing was written" in words:
        faults.append("wrong words")
    if code not in (0, 130, *(-number for number in sent)):
        faults.append("wrong code")
    for fault in faults:
        print(fault, code, sent, before, after, repr(words))
main(given)
left = [name for name in os.listdir(out) if name not in whole]
if left:
    print("left behind", left)
print(sum(code == 130 for code in codes), codes)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals and forks of other systems")
def test_a_signal_at_any_moment_leaves_all_or_nothing(files, tmp_path, fuzz_cases):
    """New files or none; over old results, all new ones or all old ones."""
    n_runs = fuzz_cases(24)
    # Forks have no threads of others.
    threads = {f"{name}_NUM_THREADS": "1" for name in ("NUMBA", "OMP", "OPENBLAS", "MKL")}
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, files.z, tmp_path / "out", str(n_runs)],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=True,
    )
    *faults, last = done.stdout.splitlines()
    assert faults == []
    assert int(last.split()[0]) > n_runs / 4, last
