"""Files that were damaged, or made to do harm, by chance: refused, or read as they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ._archives import NAMES, make_archives, summary


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Return a small file of each kind."""
    return make_archives(tmp_path_factory.mktemp("archives"))


def _damaged(content, rng):
    """Return the bytes of a file after one accident."""
    changed = bytearray(content)
    start, stop = sorted(rng.integers(0, len(content), 2))
    accident = rng.integers(6)
    if accident <= 1:
        changed[start] ^= 1 << rng.integers(8)
    elif accident == 2:
        changed[start : start + 20] = rng.bytes(20)
    elif accident == 3:
        del changed[start:]
    elif accident == 4:
        del changed[start:stop]
    else:
        changed[start:start] = content[start:stop]
    return bytes(changed)


def _loaded_or_refused(archive, path):
    """Return what was loaded, None if the file was refused by an error that names it."""
    try:
        return summary(archive.load(path))
    except ValueError as error:
        refusal = str(error)
    assert str(path) in refusal
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_refused_or_read_as_they_were(archives, name, tmp_path, fuzz_cases):
    archive = archives[name]
    content, expected = archive.path.read_bytes(), summary(archive.load(archive.path))
    path = tmp_path / "damaged_ari.npz"
    n_refused = 0
    for seed in range(fuzz_cases(200)):
        path.write_bytes(_damaged(content, np.random.default_rng(seed)))
        found = _loaded_or_refused(archive, path)
        assert found in (None, expected), seed
        n_refused += found is None
    assert n_refused > 0


# Numbers that programs stumble over, as scalars and as arrays.
_NUMBERS = st.sampled_from([0, 1, -1, 2, 7, 255, 2**31 - 1, 2**31, -(2**63), 2**63 - 1])
_FLOATS = st.sampled_from([0.0, -0.0, 0.05, 1.0, -1.0, 1.5, 1e308, np.inf, -np.inf, np.nan])
_TEXTS = st.sampled_from(
    [
        "",
        "simes",
        "z",
        "t",
        "{}",
        "[" * 5000,
        "null",
        "volume",
        "../x",
        "http://x",
        "\udcff",
        "x" * 99,
    ]
)
_SHAPES = st.lists(st.integers(0, 5), max_size=3).map(tuple)


@st.composite
def _arrays(draw, old):
    """Draw what takes the place of an array."""
    way = draw(st.sampled_from(["numbers", "floats", "text", "entry", "type", "shape", "cut"]))
    if way == "numbers":
        return np.full(draw(_SHAPES), draw(_NUMBERS))
    if way == "floats":
        return np.full(draw(_SHAPES), draw(_FLOATS))
    if way == "text":
        return np.full(draw(_SHAPES), draw(_TEXTS))
    if way == "entry" and old.size and old.dtype.kind != "U":
        new = old.copy()
        value = draw(_FLOATS if old.dtype.kind == "f" else _NUMBERS)
        with np.errstate(all="ignore"):
            new.flat[draw(st.integers(0, old.size - 1))] = np.array(value).astype(old.dtype)
        return new
    if way == "type":
        kind = draw(st.sampled_from(["?", "<u1", "<i2", ">i8", "<f4", ">f8", "<U3"]))
        with np.errstate(all="ignore"):
            return old.astype(kind) if old.dtype.kind != "U" else np.zeros(old.shape, dtype=kind)
    if way == "shape":
        return old.reshape(draw(st.sampled_from([(-1,), (1, -1), (-1, 1), (1, 1, -1)])))
    return old.ravel()[: draw(st.integers(0, max(0, old.size - 1)))]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_files_with_other_arrays_are_refused_by_one_kind_of_error(
    archives, name, tmp_path, fuzz_cases
):
    archive = archives[name]
    stored = archive.arrays()
    path = tmp_path / "made_ari.npz"

    @settings(
        max_examples=fuzz_cases(60),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def load(data):
        arrays = dict(stored)
        for member in data.draw(st.lists(st.sampled_from(sorted(stored)), min_size=1, max_size=2)):
            if data.draw(st.integers(0, 5)) == 0:
                arrays.pop(member, None)
            else:
                arrays[member] = data.draw(_arrays(stored[member]))
        archive.write(path, arrays)
        _loaded_or_refused(archive, path)

    load()
