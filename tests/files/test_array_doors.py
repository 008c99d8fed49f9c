"""Files of one array or of a sparse matrix that are damaged, or made to do harm."""

import io
import re
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array, save_npz

from ari_estimator.files._npy_file import read_npy
from ari_estimator.files._sparse_file import read_sparse

ROW = np.eye(6, k=1) + np.eye(6, k=-1)


def header(shape):
    """Return the header of an array of doubles, without its values."""
    made = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        made, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    return made.getvalue()


def as_npy(array):
    """Return an array as the bytes of a file."""
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def write_npz(path, **members):
    """Write arrays, or bytes, as the members of a compressed file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, member in members.items():
            content = member if isinstance(member, bytes) else as_npy(member)
            packed.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_read_as_it_is(tmp_path, order):
    array = np.asarray(np.arange(12.0).reshape(3, 4), order=order)
    np.save(tmp_path / "a.npy", array)
    found = read_npy(tmp_path / "a.npy", "MAP")
    assert type(found) is np.ndarray
    assert_array_equal(found, array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc" * 50,
        header((10**9, 8)) + bytes(64),
        header((2**62, 2**62)),
        header((4,)) + bytes(24),
        as_npy(np.ones(3))[:20],
    ],
    ids=["empty", "text", "huge", "too large to count", "short", "cut"],
)
def test_a_file_that_is_no_array(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"MAP must be an array of numpy.*{re.escape('a.npy')}"):
        read_npy(path, "MAP")


def test_python_objects(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="objects"):
        read_npy(tmp_path / "a.npy", "MAP")


@pytest.mark.parametrize("form", ["coo", "csr", "csc", "bsr", "dia"])
def test_all_formats_of_scipy(tmp_path, form):
    save_npz(tmp_path / "a.npz", coo_array(ROW).asformat(form))
    assert_array_equal(read_sparse(tmp_path / "a.npz", "--adjacency", 6).toarray(), ROW)


OF_CSR = {
    "format": np.array(b"csr"),
    "shape": np.array([6, 6]),
    "data": np.ones(1),
    "indices": np.array([1], dtype=np.int32),
    "indptr": np.array([0, 1, 1, 1, 1, 1, 1], dtype=np.int32),
}
OF_COO = {
    "format": np.array(b"coo"),
    "shape": np.array([6, 6]),
    "data": np.ones(1),
    "row": np.array([1]),
    "col": np.array([2]),
}


@pytest.mark.parametrize(
    ("members", "match"),
    [
        # scipy would read, or write, outside of the arrays.
        (OF_CSR | {"indices": np.array([10**8])}, "indices"),
        (OF_CSR | {"indptr": np.array([0, 10**7, 1, 1, 1, 1, 1])}, "indptr|index"),
        (OF_CSR | {"indptr": np.array([0, 1])}, "index pointer"),
        (OF_CSR | {"shape": np.array([2**40, 2**40])}, "shape"),
        (OF_CSR | {"shape": np.array([6, 6, 6])}, "shape"),
        (OF_CSR | {"format": np.array(b"new")}, "unknown"),
        (OF_CSR | {"data": np.array([{}], dtype=object)}, "data"),
        (OF_CSR | {"data": np.ones(1, dtype=complex)}, "data"),
        (OF_COO | {"shape": np.array([2**30, 2**30])}, "shape"),
        (OF_COO | {"shape": np.array([-6, 6])}, "shape"),
        (OF_COO | {"col": np.array([6])}, "index"),
        (OF_COO | {"col": np.array([1.5])}, "col"),
        (OF_COO | {"row": header((10**9,))}, "instead of"),
        ({name: a for name, a in OF_COO.items() if name != "row"}, "row"),
        ({"arr_0": ROW}, "no sparse matrix"),
    ],
)
def test_a_matrix_that_lies(tmp_path, members, match):
    path = write_npz(tmp_path / "a.npz", **members)
    with pytest.raises(ValueError, match=rf"--adjacency must be.*a\.npz.*({match})"):
        read_sparse(path, "--adjacency", 6)


def test_a_matrix_that_unpacks_to_too_much(tmp_path):
    many = np.zeros(3 * 2**20)
    path = write_npz(tmp_path / "a.npz", **OF_COO | {"data": many, "row": many, "col": many})
    with pytest.raises(ValueError, match="would unpack to"):
        read_sparse(path, "--adjacency", 6)


def test_a_large_map_may_have_many_neighbours(tmp_path):
    ring = np.arange(2**18)
    neighbours = coo_array((np.ones(ring.size), (ring, np.roll(ring, 8))), shape=(ring.size,) * 2)
    # Regular indices shrink to very little.
    wide = sum((neighbours for _ in range(3)), neighbours)
    save_npz(tmp_path / "a.npz", wide)
    assert read_sparse(tmp_path / "a.npz", "--adjacency", ring.size).nnz == ring.size


@pytest.mark.parametrize("content", [b"", b"abc" * 50])
def test_files_that_are_no_zip(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"--adjacency must be.*a\.npz"):
        read_sparse(tmp_path / "a.npz", "--adjacency", 6)
