"""Files that stand for content elsewhere: the message names the command that fetches it."""

import re

import pytest

from ari_estimator.files._absent_content import AbsentContentError
from ari_estimator.files._regular_file import existing_file, read_bytes
from ari_estimator.interfaces import describe_map, read_afni, read_feat, read_spm

KEY = "MD5E-s726059--aff7c1769cf4594fa36c115497c5fd39.nii.gz"
OBJECT = f"annex/objects/kW/5F/{KEY}/{KEY}"
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{7:064}\nsize 726059\n"


@pytest.fixture(params=["git", "datalad"])
def repository(tmp_path, request):
    root = tmp_path / "a study"
    (root / ".git").mkdir(parents=True)
    (root / "sub-01").mkdir()
    if request.param == "datalad":
        (root / ".datalad").mkdir()
    return root


def lfs(path):
    path.write_text(LFS)


def unlocked(path):
    path.write_text(f"/annex/objects/{KEY}\n")


def locked(path):
    path.symlink_to(f"../.git/{OBJECT}")


def link_to_link(path):
    locked(path.with_name("other.nii.gz"))
    path.symlink_to("other.nii.gz")


@pytest.mark.parametrize("make", [lfs, unlocked, locked, link_to_link])
def test_the_command_is_named(repository, make):
    path = repository / "sub-01" / "z map.nii.gz"
    make(path)
    for read in (existing_file, lambda path, what: read_bytes(path, what, 10)):
        with pytest.raises(AbsentContentError, match="MAP is not on this machine yet") as caught:
            read(path, "MAP")
    told = str(caught.value)
    assert str(path) in told
    target = path.with_name("other.nii.gz") if make is link_to_link else path
    if make is lfs:
        assert told.endswith(f"git -C '{repository}' lfs pull --include='sub-01/z map.nii.gz'")
    elif (repository / ".datalad").exists():
        assert re.search(rf"datalad get -d '{repository}' '?{re.escape(str(target))}'?$", told)
    else:
        assert re.search(rf"git -C '{repository}' annex get '?{re.escape(str(target))}'?$", told)


def test_without_a_repository(tmp_path):
    lfs(tmp_path / "map.nii")
    with pytest.raises(FileNotFoundError, match=r"git lfs pull --include=map\.nii"):
        describe_map(tmp_path / "map.nii")
    unlocked(tmp_path / "other.nii")
    with pytest.raises(FileNotFoundError, match=r"git annex get .*other\.nii"):
        describe_map(tmp_path / "other.nii")


def test_a_subdataset_that_is_not_installed(repository):
    (repository / "derivatives").mkdir()
    path = repository / "derivatives" / "sub-01" / "map.nii.gz"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        existing_file(path, "MAP")
    (repository / ".gitmodules").write_text('[submodule "d"]\n\tpath = derivatives\n\turl = x\n')
    with pytest.raises(AbsentContentError, match=r"subdataset that is not installed.*datalad get"):
        existing_file(path, "MAP")


def test_files_that_are_no_pointers(tmp_path):
    """A broken link elsewhere does not exist. A long file that begins like a pointer is a file."""
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("link", "loop"):
        led = r"does not exist: .*\. It is a link to '(nowhere|loop)', which is not there\.$"
        with pytest.raises(FileNotFoundError, match=led) as caught:
            existing_file(tmp_path / name, "MAP")
        assert not isinstance(caught.value, AbsentContentError)
    (tmp_path / "long").write_text(LFS + "x" * 40_000)
    assert existing_file(tmp_path / "long", "MAP").is_file()


def test_parts_of_results_are_not_passed_over(tmp_path):
    """An analysis whose SPM.mat was not fetched has one; so have FEAT and AFNI their files."""
    (tmp_path / "SPM.mat").symlink_to(f".git/{OBJECT}")
    (tmp_path / "stats").mkdir()
    (tmp_path / "stats" / "zstat1.nii.gz").symlink_to(f"../.git/{OBJECT}")
    (tmp_path / "mask.nii.gz").symlink_to(f".git/{OBJECT}")
    (tmp_path / "stats+tlrc.HEAD").write_text(LFS)
    for read in (
        lambda: read_spm(tmp_path, 1),
        lambda: read_feat(tmp_path, "zstat1"),
        lambda: read_afni(tmp_path / "stats+tlrc", 0),
    ):
        with pytest.raises(AbsentContentError, match=r"annex get|lfs pull"):
            read()
