"""Results are written as a whole or not at all."""

from __future__ import annotations

import pytest

from ari_estimator.interfaces._atomic import whole_files


def test_files_are_in_their_place_afterwards_and_only_then(tmp_path):
    folder = tmp_path / "new" / "folder"
    with whole_files(folder) as temporary:
        (temporary / "a.txt").write_text("a")
        assert not (folder / "a.txt").exists()
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert (folder / "a.txt").read_text() == "a"


def test_files_of_the_same_name_are_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "other.txt").write_text("other")
    with whole_files(tmp_path) as temporary:
        (temporary / "a.txt").write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert (tmp_path / "other.txt").read_text() == "other"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_nothing_behind(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")

    def write_half():
        with whole_files(tmp_path) as temporary:
            (temporary / "a.txt").write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="is a file"), whole_files(tmp_path / "file"):
        pass


def test_an_error_leaves_no_folder_that_was_made_for_nothing(tmp_path):
    def write_half():
        with whole_files(tmp_path / "new" / "folder") as temporary:
            (temporary / "a.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_replaced_unless_that_is_wanted(tmp_path):
    (tmp_path / "b.txt").write_text("old")

    def write():
        with whole_files(tmp_path, overwrite=False) as temporary:
            (temporary / "a.txt").write_text("new")
            (temporary / "b.txt").write_text("new")

    with pytest.raises(FileExistsError, match=r"b\.txt"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]
    assert (tmp_path / "b.txt").read_text() == "old"
