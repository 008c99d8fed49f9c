"""Bars of progress: when they appear, what they say, and that they go."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
from joblib import Parallel, delayed
from nibabel import Nifti1Image

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    _progress,
    cluster_level_inference,
    learn_template,
)
from ari_estimator._progress import progress, progress_hidden


class FakeClock:
    """A clock that a test moves; who waits wakes when the time has come."""

    def __init__(self):
        self.time = 100.0
        self._changed = threading.Condition()
        self._until = None
        self._n_waits = 0

    def now(self):
        return self.time

    def wait(self, event, seconds):
        with self._changed:
            self._until = self.time + seconds
            self._n_waits += 1
            self._changed.notify_all()
            while self.time < self._until and not event.is_set():
                self._changed.wait(0.01)
        return event.is_set()

    def move(self, seconds):
        """Let time pass, and wait until the display has seen it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._until is not None, 10)
            n_waits = self._n_waits
            self.time += seconds
            self._changed.notify_all()
            if self.time >= self._until:
                assert self._changed.wait_for(lambda: self._n_waits > n_waits, 10)


class Screen:
    """What was drawn, in place of a terminal."""

    drawn: list
    n_open = 0

    def __init__(self):
        type(self).n_open += 1

    def draw(self, rows):
        self.drawn.append([(row.what, row.amount, row.time_left) for row in rows])

    def close(self):
        type(self).n_open -= 1


@pytest.fixture
def clock(monkeypatch):
    clock = FakeClock()
    monkeypatch.setattr(_progress, "_display", _progress._Display(clock))
    return clock


@pytest.fixture
def screen(monkeypatch):
    Screen.drawn, Screen.n_open = [], 0
    monkeypatch.setattr(_progress, "_screen_here", lambda: Screen)
    return Screen


def test_short_work_shows_nothing(clock, screen):
    with progress("Maps", 3) as task:
        clock.move(1.99)
        task.advance()
    assert screen.drawn == []


def test_long_work_shows_how_much_is_done_and_the_time_left(clock, screen):
    with progress("Permutations", 1000) as task:
        clock.move(1)
        task.advance(250)
        clock.move(2)
        assert screen.drawn[-1] == [("Permutations", "250/1,000", "0:09 left")]
        task.advance(250)
        clock.move(3)
        assert screen.drawn[-1] == [("Permutations", "500/1,000", "0:06 left")]
        clock.move(2 * 3600)
        assert screen.drawn[-1] == [("Permutations", "500/1,000", "2:00:06 left")]
        assert screen.n_open == 1
    assert screen.n_open == 0


def test_work_of_unknown_size_shows_what_is_done(clock, screen):
    with progress("Fit"):
        clock.move(2)
        assert screen.drawn[-1] == [("Fit", "", "")]
        with progress("Subjects") as task:
            task.advance(1200)
            clock.move(0.25)
            assert screen.drawn[-1] == [("Subjects", "1,200", "")]
        clock.move(0.25)
        assert screen.drawn[-1] == [("Fit", "", "")]


def test_short_work_within_long_work_does_not_flicker(clock, screen):
    with progress("Fit"), progress("Maps", 4) as maps:
        clock.move(2)
        maps.advance()
        with progress("Permutations", 10) as draws:
            clock.move(0.25)
            assert [what for what, *_ in screen.drawn[-1]] == ["Maps"]
            draws.advance(5)
            clock.move(2)
            assert [what for what, *_ in screen.drawn[-1]] == ["Maps", "Permutations"]
        clock.move(0.25)
        assert [what for what, *_ in screen.drawn[-1]] == ["Maps"]


def test_short_steps_of_long_work_are_shown(clock, screen):
    with progress("Fit"):
        for step in range(4):
            with progress(f"Pass {step}", 10):
                clock.move(1)
    assert [rows[0][0] for rows in screen.drawn] == ["Pass 1", "Pass 2", "Pass 3"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_takes_the_bar_away(clock, screen, error):
    def count():
        with progress("Maps", 3):
            yield

    left_behind = count()

    def fail():
        with progress("Fit"):
            next(left_behind)
            clock.move(2)
            assert screen.n_open == 1
            raise error

    with pytest.raises(error):
        fail()
    assert screen.n_open == 0
    assert _progress._display.tasks == []
    with progress("Next"):
        left_behind.close()
        assert [task.what for task in _progress._display.tasks] == ["Next"]


def test_a_screen_that_fails_does_not_stop_the_work(clock, monkeypatch):
    class Closed(Screen):
        def draw(self, rows):
            raise OSError("closed")

    Screen.n_open = 0
    monkeypatch.setattr(_progress, "_screen_here", lambda: Closed)
    with progress("Maps", 3):
        clock.time += 5
    assert Closed.n_open == 0


def test_the_bar_is_away_while_something_is_printed(clock, screen):
    with progress("Maps", 3):
        clock.move(2)
        assert screen.n_open == 1
        with progress_hidden():
            assert screen.n_open == 0
        clock.move(0.25)
        assert screen.n_open == 1


def test_work_that_is_not_shown_silences_all_within_it(clock, screen):
    with progress("Fit", shown=False), progress("Maps", 3):
        clock.time += 10
        assert _progress._display.rows() == []
    assert screen.drawn == []


def test_other_threads_show_nothing(clock, screen):
    seen = []

    def work():
        with progress("Maps", 3) as task:
            task.advance()
            seen.append(list(_progress._display.tasks))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [[]]


def screen_here(is_terminal=True):
    class Stream(io.StringIO):
        def isatty(self):
            return is_terminal

    sys.stderr, before = Stream(), sys.stderr
    try:
        found = _progress._screen_here()
    finally:
        sys.stderr = before
    return None if found is None else found.__name__


def test_where_progress_is_shown(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert screen_here() == "_Terminal"
    assert screen_here(is_terminal=False) is None
    monkeypatch.setenv("TERM", "dumb")
    assert screen_here() is None
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("CI", "false")
    assert screen_here() == "_Terminal"
    monkeypatch.setenv("CI", "true")
    assert screen_here() is None


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_other_processes_show_nothing(backend, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert Parallel(2, backend=backend)(delayed(screen_here)() for _ in range(2)) == [None, None]


def test_a_notebook_shows_a_bar_that_goes(monkeypatch):
    shown = []

    class Handle:
        def update(self, bundle, raw):
            assert raw
            shown.append(bundle["text/html"])

    def display(bundle, *, raw, display_id):
        assert raw
        assert display_id
        shown.append(bundle["text/html"])
        return Handle()

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    of_display = types.ModuleType("IPython.display")
    of_display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", of_display)
    monkeypatch.delenv("CI", raising=False)
    assert screen_here(is_terminal=False) == "_Notebook"
    notebook = _progress._Notebook()
    notebook.draw([_progress._Row("A & B", 1, 4, 63.0), _progress._Row("Fit", 0, None, None)])
    notebook.close()
    bar = '<div>A &amp; B <progress value="1" max="4"></progress> 1/4 1:03 left</div>'
    assert shown == ["", bar + "<div>Fit <progress></progress> </div>", ""]
    ipython.get_ipython = lambda: types.SimpleNamespace()  # IPython in a pipe
    assert screen_here(is_terminal=False) is None


_WORK = """
import sys, time
from ari_estimator import _progress
_progress._DELAY, _progress._PERIOD = 0.1, 0.02
with _progress.progress("Permutations", 8) as task:
    for step in range(8):
        time.sleep(0.1)
        task.advance()
        if step == 6 and sys.argv[1:]:
            raise KeyboardInterrupt
print("the result")
"""


def in_terminal(arguments, stdout, **variables):
    """Run Python with standard error on a terminal of 60 columns; return what that shows."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "TERM")}
    environment |= {"TERM": "xterm", "COLUMNS": "60", **variables}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=stdout, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 1000)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    process.wait()
    return shown.decode()


@pytest.mark.parametrize("ends", [(), ("interrupted",)], ids=["done", "interrupted"])
def test_a_terminal_shows_a_bar_that_goes(tmp_path, ends):
    with (tmp_path / "out").open("wb") as out:
        shown = in_terminal(["-c", _WORK, *ends], out)
    assert "Permutations" in shown
    assert "/8" in shown
    assert "0:00 left" in shown
    assert "\n" not in shown[: shown.index("0:00 left")]  # one line, also when it is narrow
    assert (
        shown.index("\x1b[?25l")
        < shown.rindex("\x1b[2K")
        < shown.rindex("Keyboard" if ends else "")
    )
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "Permutations" not in shown[shown.rindex("\x1b[2K") :]
    assert (tmp_path / "out").read_text() == ("" if ends else "the result\n")


def test_continuous_integration_shows_nothing(tmp_path):
    with (tmp_path / "out").open("wb") as out:
        assert in_terminal(["-c", _WORK], out, CI="true") == ""


def test_files_and_pipes_get_nothing():
    result = subprocess.run([sys.executable, "-c", _WORK], capture_output=True, check=True)
    assert (result.stdout, result.stderr) == (b"the result\n", b"")


@pytest.fixture
def spied(monkeypatch):
    """Tasks that may be shown, by what they are."""
    tasks = []
    begin = _progress._Display.begin

    def note(self, task):
        begin(self, task)
        if all(each.shown for each in self.tasks):
            tasks.append(task)

    monkeypatch.setattr(_progress._Display, "begin", note)
    return tasks


DATA = np.random.default_rng(0).standard_normal((12, 60))
MASK = Nifti1Image(np.ones((6, 5, 4), dtype="uint8"), np.eye(4))
MAPS = [
    Nifti1Image(np.random.default_rng(seed).standard_normal((6, 5, 4)), np.eye(4))
    for seed in range(3)
]
WORK = {
    "clusters": lambda **verbose: ClusterTDPTransformer(mask_img=MASK, **verbose).fit(MAPS),
    "adaptive": lambda **verbose: AdaptiveTDPTransformer(mask_img=MASK, **verbose).fit(MAPS),
    "regions": lambda **verbose: RegionTDPTransformer(MASK, mask_img=MASK, **verbose).fit(MAPS),
    "nilearn": lambda **verbose: cluster_level_inference(MAPS[0], MASK, **verbose),
    "calibration": lambda **verbose: PermutationCalibration(
        n_permutations=100, random_state=0, **verbose
    ).fit(DATA),
    "template": lambda **verbose: learn_template(
        DATA, n_permutations=100, k_max=5, random_state=0, **verbose
    ),
}
COUNTED = {
    "clusters": [("Maps", 3)],
    "adaptive": [("Maps", 3)],
    "regions": [("Maps", 3)],
    "nilearn": [],
    "calibration": [("Permutations", 100)],
    "template": [("Permutations", 100)],
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("work", WORK)
def test_long_work_is_counted_by_default_and_verbose_0_silences(work, spied, capfd):
    WORK[work]()
    assert spied
    counted = [task for task in spied if task.total]
    assert [(task.what, task.done) for task in counted] == COUNTED[work]
    assert all(task.done == task.total for task in counted)
    spied.clear()
    WORK[work](verbose=0)
    assert spied == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("given", [np.stack([DATA[0]] * 4), None], ids=["array", "iterator"])
def test_maps_are_counted_in_transform(given, spied):
    transformer = ClusterTDPTransformer(mask_img=MASK).fit()
    spied.clear()
    if given is None:
        transformer.transform(iter(MAPS))
    else:
        transformer.transform(np.hstack([given] * 2))
    (task,) = [task for task in spied if task.what == "Maps"]
    assert (task.done, task.total) == ((3, None) if given is None else (4, 4))


def test_maps_of_one_image_are_counted(spied):
    several = Nifti1Image(np.stack([img.get_fdata() for img in MAPS], axis=-1), np.eye(4))
    ClusterTDPTransformer(mask_img=MASK).fit(several)
    (task,) = [task for task in spied if task.what == "Maps"]
    assert (task.done, task.total) == (3, 3)


def test_streamed_subjects_are_counted(spied):
    PermutationCalibration(n_permutations=1000).fit(iter(DATA))
    (task,) = [task for task in spied if task.what == "Subjects"]
    assert task.done == 12


@pytest.mark.parametrize(
    ("options", "is_shown"), [([], True), (["-q"], False), (["--json"], False)]
)
def test_commands_show_progress_unless_they_are_quiet(options, is_shown, spied, tmp_path):
    from ari_estimator.cli import main

    MAPS[0].to_filename(tmp_path / "z.nii")
    MASK.to_filename(tmp_path / "mask.nii")
    arguments = ["clusters", str(tmp_path / "z.nii"), "--mask", str(tmp_path / "mask.nii")]
    assert main([*arguments, *options]) == 0
    assert bool(spied) == is_shown
    if is_shown:
        assert spied[0].what == "ari clusters"
