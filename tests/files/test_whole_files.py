"""Results are written as a whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from ari_estimator.files._whole_files import recorded_files, whole_file, whole_files

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="systems with links and signals")


def write(folder, *names, text="new", **options):
    with whole_files(folder, **options) as temporary:
        for name in names:
            (temporary / name).write_text(text)


def content(folder):
    """Return the texts of all files below a folder, hidden ones too, and the folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_files_are_in_their_place_afterwards_and_only_then(tmp_path):
    folder = tmp_path / "new" / "folder"
    with whole_files(folder) as temporary:
        (temporary / "a.txt").write_text("a")
        assert not (folder / "a.txt").exists()
    assert content(folder) == {"a.txt": "a"}


def test_files_of_the_same_name_are_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "other.txt").write_text("other")
    write(tmp_path, "a.txt")
    assert content(tmp_path) == {"a.txt": "new", "other.txt": "other"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_nothing_behind(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")

    def write_half():
        with whole_files(tmp_path) as temporary:
            (temporary / "a.txt").write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert content(tmp_path) == {"a.txt": "old"}


def test_an_error_leaves_no_folder_that_was_made_for_nothing(tmp_path):
    def write_half():
        with whole_files(tmp_path / "new" / "folder") as temporary:
            (temporary / "a.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="is a file"), whole_files(tmp_path / "file"):
        pass


def test_files_are_not_replaced_unless_that_is_wanted(tmp_path):
    (tmp_path / "b.txt").write_text("old")
    with pytest.raises(FileExistsError, match=r"b\.txt"):
        write(tmp_path, "a.txt", "b.txt", overwrite=False)
    assert content(tmp_path) == {"b.txt": "old"}


def test_all_places_are_looked_at_before_a_file_moves(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(IsADirectoryError, match=r"b\.txt"):
        write(tmp_path, "a.txt", "b.txt", "c.txt")
    assert content(tmp_path) == {"a.txt": "old", "b.txt": None}


class Moves:
    """Fail, or send a signal, at one of the moves to their places."""

    def __init__(self, monkeypatch, folder, at, action, *, once=True):
        self._n_moves = 0
        original = Path.replace

        def replace(path, target):
            if path.parent.name in ("new", "old") and Path(target).parent == folder:
                self._n_moves += 1
                if self._n_moves == at or (not once and self._n_moves > at):
                    action()
            return original(path, target)

        monkeypatch.setattr(Path, "replace", replace)


def fail():
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("at", [1, 2, 3])
def test_files_that_have_moved_are_taken_back_after_an_error(tmp_path, monkeypatch, at):
    for name in ("a.txt", "c.txt"):
        (tmp_path / name).write_text("old")
    before = (tmp_path / "a.txt").stat()
    Moves(monkeypatch, tmp_path, at, fail)
    with pytest.raises(PermissionError, match="Permission denied"):
        write(tmp_path, "a.txt", "b.txt", "c.txt")
    assert content(tmp_path) == {"a.txt": "old", "c.txt": "old"}
    # The old file itself, not a copy.
    assert os.path.samestat((tmp_path / "a.txt").stat(), before)


@on_posix
def test_old_files_come_back_where_there_are_no_hard_links(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")
    monkeypatch.setattr(os, "link", lambda *_: fail())
    Moves(monkeypatch, tmp_path, 2, fail)
    with pytest.raises(PermissionError):
        write(tmp_path, "a.txt", "b.txt")
    assert content(tmp_path) == {"a.txt": "old"}
    write(tmp_path, "a.txt", "b.txt")
    assert content(tmp_path) == {"a.txt": "new", "b.txt": "new"}


def test_what_cannot_be_taken_back_is_told_and_old_files_stay(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")
    with monkeypatch.context() as patch:
        Moves(patch, tmp_path, 2, fail, once=False)
        with pytest.raises(OSError, match=r"could not be removed: .*a\.txt.* old ones are in"):
            write(tmp_path, "a.txt", "b.txt")
    write(tmp_path, "other.txt")
    assert "old" in content(tmp_path).values()


@on_posix
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_between_moves_comes_after_them(tmp_path, monkeypatch, sent, at):
    number = getattr(signal, sent)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        Moves(monkeypatch, tmp_path, at, lambda: signal.raise_signal(number))
        with recorded_files() as written, pytest.raises(KeyboardInterrupt):
            write(tmp_path, "a.txt", "b.txt", "c.txt")
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)
    assert content(tmp_path) == dict.fromkeys(("a.txt", "b.txt", "c.txt"), "new")
    assert written == [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]


@on_posix
def test_a_signal_that_is_ignored_stays_ignored(tmp_path, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        Moves(monkeypatch, tmp_path, 1, lambda: signal.raise_signal(signal.SIGHUP))
        write(tmp_path, "a.txt")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert content(tmp_path) == {"a.txt": "new"}


@on_posix
def test_links_stay_and_what_they_lead_to_is_replaced(tmp_path):
    folder, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    folder.mkdir(), elsewhere.mkdir()
    (elsewhere / "real.txt").write_text("old")
    (folder / "a.txt").symlink_to(elsewhere / "real.txt")
    (folder / "b.txt").symlink_to(Path("..", "elsewhere", "not_yet.txt"))
    with pytest.raises(FileExistsError, match=r"a\.txt"):
        write(folder, "a.txt", "b.txt", overwrite=False)
    write(folder, "a.txt", "b.txt", "c.txt")
    assert (folder / "a.txt").is_symlink()
    assert (folder / "b.txt").is_symlink()
    assert content(elsewhere) == {"real.txt": "new", "not_yet.txt": "new"}
    assert content(folder) == dict.fromkeys(("a.txt", "b.txt", "c.txt"), "new")


@on_posix
def test_what_links_lead_to_is_taken_back(tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    folder.mkdir(), elsewhere.mkdir()
    (elsewhere / "real.txt").write_text("old")
    (folder / "a.txt").symlink_to(elsewhere / "real.txt")
    Moves(monkeypatch, folder, 1, fail)
    with pytest.raises(PermissionError):
        write(folder, "a.txt", "b.txt")
    assert content(elsewhere) == {"real.txt": "old"}
    assert content(folder) == {"a.txt": "old"}


@on_posix
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.symlink_to("nowhere/at/all"), "whose folder does not exist"),
        (lambda path: path.symlink_to(path.name), "in a circle"),
        (lambda path: path.symlink_to("b.txt"), "and so is another output file"),
        (lambda path: path.symlink_to("/dev/null"), "is a device"),
        (lambda path: os.mkfifo(path), "a pipe"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.touch(0o444), "write-protected"),
    ],
)
def test_what_is_no_file_to_write_is_refused_and_stays(tmp_path, make, message):
    make(tmp_path / "a.txt")
    before = os.lstat(tmp_path / "a.txt")
    with pytest.raises(OSError, match=message):
        write(tmp_path, "a.txt", "b.txt")
    assert os.path.samestat(os.lstat(tmp_path / "a.txt"), before)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@on_posix
def test_inputs_stay_under_whatever_name(tmp_path):
    (tmp_path / "input.txt").write_text("mine")
    os.link(tmp_path / "input.txt", tmp_path / "hard.txt")
    (tmp_path / "soft.txt").symlink_to("input.txt")
    for name in ("input.txt", "hard.txt", "soft.txt"):
        with pytest.raises(ValueError, match=r"is the input file .*input\.txt"):
            write(tmp_path, "a.txt", name, inputs=[tmp_path / "input.txt"])
    assert set(content(tmp_path).values()) == {"mine"}


@on_posix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_access_is_as_of_files_that_are_opened(tmp_path, umask):
    (tmp_path / "old.txt").touch()
    (tmp_path / "old.txt").chmod(0o640)
    before = os.umask(umask)
    try:
        write(tmp_path / "new", "a.txt")
        write(tmp_path, "old.txt")
    finally:
        os.umask(before)
    modes = [
        stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "new/a.txt", "old.txt")
    ]
    assert modes == [0o777 & ~umask, 0o666 & ~umask, 0o640]


_DIE = """
import os, sys
from pathlib import Path
from ari_estimator.files._whole_files import whole_files

with whole_files(Path(sys.argv[1])) as temporary:
    (temporary / "a.txt").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
    os._exit(1)
"""


@on_posix
def test_what_a_dead_program_has_left_is_removed_by_the_next_one(tmp_path, process):
    """But not the folder of a living program, nor one that only has such a name."""
    mine = tmp_path / ".writing-mine"
    mine.mkdir()
    (mine / "lock").write_text("mine")
    living, dead = (process(_DIE, tmp_path) for _ in range(2))
    dead.kill()
    dead.wait()
    assert len(list(tmp_path.glob(".writing-*"))) == 3
    write(tmp_path, "b.txt")
    left = [path for path in tmp_path.glob(".writing-*") if path != mine]
    assert len(left) == 1
    assert [path.read_text() for path in left[0].rglob("a.txt")] == ["half"]
    living.communicate("")
    write(tmp_path, "b.txt")
    assert content(tmp_path) == {
        ".writing-mine": None,
        ".writing-mine/lock": "mine",
        "b.txt": "new",
    }


@on_posix
def test_programs_move_their_files_one_after_the_other(tmp_path, monkeypatch):
    import fcntl

    from ari_estimator.files import _whole_files

    monkeypatch.setattr(_whole_files, "_PATIENCE", 0.1)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(OSError, match="Another program has been writing to"):
        write(tmp_path, "a.txt")
    os.close(descriptor)
    write(tmp_path, "a.txt")
    assert content(tmp_path) == {"a.txt": "new"}


_FULL = """
import resource, sys
from pathlib import Path
from ari_estimator.files._whole_files import whole_files

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    with whole_files(Path(sys.argv[1])) as temporary:
        (temporary / "a.txt").write_bytes(b"0")
        (temporary / "b.txt").write_bytes(bytes(10_000))
except OSError as error:
    print(error, flush=True)
"""


@on_posix
def test_a_full_disk_leaves_all_as_it_was_and_the_error_names_the_folder(tmp_path, process):
    (tmp_path / "a.txt").write_text("old")
    told = process(_FULL, tmp_path).first
    assert told == f"[Errno 27] File too large: {str(tmp_path)!r}"
    assert content(tmp_path) == {"a.txt": "old"}


def test_a_single_file_is_written_like_several(tmp_path):
    with whole_file(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("a")
    assert content(tmp_path) == {"new": None, "new/a.txt": "a"}
    with pytest.raises(IsADirectoryError, match="is a folder"), whole_file(tmp_path / "new"):
        pass


def test_folders_within_are_made_and_kept(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.txt").write_text("old")
    (tmp_path / "old" / "b.txt").write_text("b")
    with whole_files(tmp_path) as temporary:
        for name in ("old", "new/inner"):
            (temporary / name).mkdir(parents=True)
            (temporary / name / "a.txt").write_text("a")
    assert content(tmp_path) == {
        "old": None,
        "old/a.txt": "a",
        "old/b.txt": "b",
        "new": None,
        "new/inner": None,
        "new/inner/a.txt": "a",
    }


def test_a_refused_file_within_leaves_no_new_folder(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.txt").write_text("old")

    def write_all():
        with whole_files(tmp_path, overwrite=False) as temporary:
            for name in ("old", "new"):
                (temporary / name).mkdir()
                (temporary / name / "a.txt").write_text("a")

    with pytest.raises(FileExistsError, match=r"old/a\.txt"):
        write_all()
    assert content(tmp_path) == {"old": None, "old/a.txt": "old"}
