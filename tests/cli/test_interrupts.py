"""Commands that are interrupted at any moment have written everything or nothing."""

from __future__ import annotations

import os
import re
import signal
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


# The shortest of several, since another process may take the processor.
takes = float("inf")
for _ in range(3):
    started = time.monotonic()
    os.waitpid(start(), 0)
    takes = min(takes, time.monotonic() - started)
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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork, and other signals")
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


# Runs the command in a process that sends itself a signal at the n-th import of a module: Python
# tells of the import of each file. Only main installs the handlers.
AT_AN_IMPORT = """
import os, signal, sys
from ari_estimator.cli import main

number, module = int(sys.argv.pop(1)), sys.argv.pop(1)


def strike(event, arguments):
    global module
    if event == "import" and arguments[0] == module:
        module = None
        os.kill(os.getpid(), number)


sys.addaudithook(strike)
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("SIGINT", "ari_estimator.cli._app"),
        ("SIGTERM", "typer"),
        ("SIGHUP", "rich.console"),
        ("SIGINT", "pandas"),
        ("SIGTERM", "nilearn"),
    ],
)
def test_a_signal_during_an_import_ends_the_command_as_any_other(files, tmp_path, name, module):
    out = tmp_path / "out"
    given = ["clusters", files.z, "--threshold", "4", "--out", out]
    done = subprocess.run(
        [sys.executable, "-c", AT_AN_IMPORT, str(int(signal.Signals[name])), module, *given],
        capture_output=True,
        text=True,
        check=False,
        # Programs in the background may be started with SIGHUP ignored, and ignored it stays.
        preexec_fn=lambda: signal.signal(signal.Signals[name], signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert re.fullmatch(r"ari( clusters)?: interrupted; nothing was written\n", done.stderr)
    assert not out.exists()


# In code that Python runs from a string, and where Python makes another error of an interrupt.
IN_OTHER_CODE = {
    "string": "exec('strike()')",
    "set_name": "type('Made', (), {'name': type('Name', (), {'__set_name__': strike})()})",
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("code", IN_OTHER_CODE.values(), ids=IN_OTHER_CODE)
def test_an_interrupt_stays_one_wherever_it_strikes(code):
    program = f"""
import os, signal, sys
from ari_estimator.cli import _command, main


def strike(*_):
    os.kill(os.getpid(), signal.SIGINT)


def strikes(*_):
    {code}


_command._tell = strikes
sys.argv = ["ari", "help", "TDP"]
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("interrupted; nothing was written")) == (130, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_signal_after_the_work_does_not_change_the_exit_code():
    program = """
import atexit, os, signal, sys
from ari_estimator.cli import main

sys.argv = ["ari", "--version"]
atexit.register(os.kill, os.getpid(), signal.SIGTERM)
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_can_be_interrupted_before_it_is_imported():
    """What comes before the handlers are there takes next to no time."""
    program = "import sys, ari_estimator.cli; print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
