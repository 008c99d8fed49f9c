"""Files of a small map, and a way to run commands and see what they say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from nibabel import Nifti1Image

from ari_estimator.cli import main

AFFINE = np.diag([3.0, 3, 3, 1])


@pytest.fixture
def files(tmp_path):
    """Return the paths of a z map, its mask, an atlas and the names of its regions."""
    rng = np.random.default_rng(11)
    z = rng.standard_normal((10, 9, 8))
    z[2:5, 2:5, 2:5] += 5
    z[6:9, 4:7, 1:4] -= 5
    mask = np.ones(z.shape, dtype=np.uint8)
    mask[0] = 0
    atlas = np.ones(z.shape, dtype=np.int16)
    atlas[5:] = 2
    folder = tmp_path / "data"
    folder.mkdir()
    paths = {}
    for name, data in {"z": z, "mask": mask, "atlas": atlas}.items():
        paths[name] = folder / f"{name}.nii.gz"
        Nifti1Image(data, AFFINE).to_filename(paths[name])
    paths["lut"] = folder / "atlas.tsv"
    paths["lut"].write_text("index\tname\n1\tleft [b]half[/b]\n2\tright half\n")
    return SimpleNamespace(folder=folder, **paths)


@pytest.fixture
def run(capsys):
    """Return a function that runs a command: exit code, what it prints, and what it complains."""

    def run_command(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return run_command


@pytest.fixture
def refused(run):
    """Return a function that runs a command that must be refused, and gives the one line."""

    def run_refused(*arguments):
        result = run(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.count("\n") == 1, result.err
        assert "Traceback" not in result.err
        return result.err

    return run_refused
