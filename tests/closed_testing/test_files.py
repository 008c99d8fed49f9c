"""Calibrations and learned templates in files."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import Calibration, LearnedTemplate, calibrate
from ari_estimator.closed_testing._templates import TEMPLATES

P_VALUES = np.random.default_rng(0).random((50, 30))
P_VALUES[0, 0] = 0

STORED = {
    "a calibration": calibrate(P_VALUES),
    "a learned template": LearnedTemplate([[0.0, 0.1], [0.1, 0.3]], 5, subjects=[[0.5, 2.0]]),
}


@pytest.fixture(params=STORED)
def kind(request):
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stored.npz"


@pytest.mark.parametrize("name", [*TEMPLATES, "learned"])
@pytest.mark.parametrize("step_down", [False, True])
def test_a_file_gives_the_calibration_back(path, name, step_down):
    template = LearnedTemplate.from_p_values(P_VALUES[1:] ** 2) if name == "learned" else name
    calibration = calibrate(P_VALUES, 0.1, template=template, k_max=9, step_down=step_down)
    calibration.save(path)
    again = Calibration.load(path)
    assert repr(again) == repr(calibration)
    assert (again.lambda_, again.alpha) == (calibration.lambda_, 0.1)
    assert again.n_steps == calibration.n_steps
    assert_array_equal(again.pivotal_statistics, calibration.pivotal_statistics)
    assert_array_equal(again.single_step_statistics, calibration.single_step_statistics)
    assert_array_equal(again.raised_statistics, calibration.raised_statistics)
    assert_array_equal(again.critical_vector.thresholds, calibration.critical_vector.thresholds)
    assert (again.template.k_max, again.template.delta) == (9, 0)
    if name == "learned":
        assert_array_equal(again.template.subjects, template.subjects)


def test_a_file_gives_the_template_back(path):
    template = STORED["a learned template"]
    template.save(path)
    again = LearnedTemplate.load(str(path))
    assert_array_equal(again.curves, template.curves)
    assert_array_equal(again.subjects, template.subjects)
    assert again.n_elements == 5
    LearnedTemplate(template.curves, 6).save(path)
    assert len(LearnedTemplate.load(path).subjects) == 0


def test_a_file_is_written_as_a_whole_or_not_at_all(path, monkeypatch, kind):
    STORED[kind].save(path)
    assert list(path.parent.iterdir()) == [path]
    before = path.read_bytes()

    def breaks(path, **arrays):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", breaks)
    with pytest.raises(OSError, match="No space left"):
        STORED[kind].save(path)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"no such file", b"PK\x03\x04", "pickle", "npy", "npz", "other"]
)
def test_a_file_of_something_else_is_refused(path, kind, content):
    if content == "pickle":
        path.write_bytes(pickle.dumps({"alpha": 0.05}))
    elif content == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif content == "npz":
        np.savez(path, curves=[[0.1]])
    elif content == "other":
        next(stored for name, stored in STORED.items() if name != kind).save(path)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"stored\.npz' is not a file of {kind}"):
        type(STORED[kind]).load(path)


def test_a_file_that_is_not_there_is_not_found(path, kind):
    with pytest.raises(FileNotFoundError):
        type(STORED[kind]).load(path)
