"""Design files of FSL and PALM."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.interfaces import read_fsl_design, read_fsl_labels

MAT = "/NumWaves\t2\n/NumPoints\t4\n/PPheights\t\t1.0\t1.0\n\n/Matrix\n1\t0\n1\t0\n0\t1\n0\t1\n"
CON = (
    "/ContrastName1\tgroup A > B\n/ContrastName2\n/NumWaves\t2\n/NumContrasts\t2\n"
    "/PPheights\t1 1\n/RequiredEffect\t1 1\n\n/Matrix\n1.000000e+00\t-1.000000e+00\t\n0 1 \n"
)
FTS = "/NumWaves 2\n/NumContrasts 2\n\n/Matrix\n1 1\n0 1\n"


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["Unix", "Windows"])
@pytest.mark.parametrize("indent", ["", "   \t"], ids=["plain", "indented"])
def test_matrix_contrasts_and_f_tests(write, end, indent):
    paths = [
        write(name, "".join(indent + line + end for line in text.splitlines()))
        for name, text in (("d.mat", MAT), ("d.con", CON), ("d.fts", FTS))
    ]
    read = read_fsl_design(*paths)
    assert list(read.matrix.columns) == ["EV1", "EV2"]
    assert_array_equal(read.matrix, [[1, 0], [1, 0], [0, 1], [0, 1]])
    assert list(read.contrasts) == ["C1 group A > B", "C2"]
    assert_array_equal(read.contrasts["C1 group A > B"], [1, -1])
    assert list(read.f_tests) == ["F1", "F2"]
    assert_array_equal(read.f_tests["F1"], [[1, -1], [0, 1]])
    # One row would be a t contrast.
    assert_array_equal(read.f_tests["F2"], [[0, 1], [0, 1]])


def test_csv_files_of_numbers(write):
    read = read_fsl_design(write("d.csv", "1,0\n1,0\n0,1\n"), write("c.csv", "1,-1\n"))
    assert_array_equal(read.matrix, [[1, 0], [1, 0], [0, 1]])
    assert_array_equal(read.contrasts["C1"], [1, -1])


@pytest.mark.parametrize("text", ["1;-1\n", "1 ; -1\n", "1 , -1\n", " 1\t -1 \n", "1e0,-1.0E+00\n"])
def test_separators(write, text):
    read = read_fsl_design(write("d.csv", "1,0\n1,0\n0,1\n"), write("c.csv", text))
    assert_array_equal(read.contrasts["C1"], [1, -1])


def test_names_that_are_not_utf_8_can_be_written(write, tmp_path):
    con = tmp_path / "d.con"
    con.write_bytes(b"/ContrastName1 \xe2ge\n/NumContrasts 1\n/Matrix\n1 -1\n")
    assert list(read_fsl_design(write("d.mat", MAT), con).contrasts) == ["C1 âge"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/NumWaves 1\n/NumPoints 3\n/Matrix\n1\n1\n2\n", [1, 1, 2]),
        ("-1,1\n-1,1\n-1,2\n", [[-1, 1], [-1, 1], [-1, 2]]),
    ],
    ids=["one column", "nested levels"],
)
def test_labels(write, text, expected):
    assert_array_equal(read_fsl_labels(write("design.grp", text), 3), expected)


@pytest.mark.parametrize(
    ("mat", "con", "fts", "match"),
    [
        (MAT.replace("NumPoints\t4", "NumPoints\t5"), CON, FTS, "/NumPoints 5 and 4 rows"),
        (MAT.replace("NumWaves\t2", "NumWaves\t3"), CON, FTS, "/NumWaves 3 and 2 columns"),
        (MAT.replace("/Matrix\n", ""), CON, FTS, "a line /Matrix"),
        (MAT.replace("0\t1\n", "0\t1\t2\n", 1), CON, FTS, "same number of columns"),
        (MAT.replace("0\t1", "0\tnan"), CON, FTS, "finite numbers only"),
        (MAT.replace("0\t1", "0\tx"), CON, FTS, r"Got the line '0\\tx'"),
        (MAT, CON.replace("0 1 ", "0 1 1").replace("-1.000000e+00", "0 1"), FTS, "NumWaves"),
        (MAT, "1,1,1\n", FTS, "contrasts must have 2 columns, as the design. Got 3"),
        (MAT, CON, "/Matrix\n1 2\n", "a 0 or 1 for each of the 2 contrasts"),
        (MAT, CON, "/Matrix\n1 0 1\n", "a 0 or 1 for each of the 2 contrasts. Got 3 columns"),
        (MAT, CON, "/Matrix\n0 0\n", "f_tests must have a contrast in each test"),
        ("/Matrix\n", CON, FTS, "design must have a row of numbers. Got none"),
        ("", CON, FTS, "design must have a row of numbers. Got none"),
        ("1,,2\n,3,4\n", CON, FTS, "finite numbers only, with a decimal point"),
        ("1,2,\n3,4,\n", CON, FTS, "finite numbers only, with a decimal point"),
        ("0,5;1\n0,25;1\n", CON, FTS, "finite numbers only, with a decimal point"),
        ("0,5\t1\n0,25\t1\n", CON, FTS, "finite numbers only, with a decimal point"),
        ("a\0b", CON, FTS, "must be a text file"),
    ],
)
def test_files_that_do_not_fit(write, mat, con, fts, match):
    paths = write("d.mat", mat), write("d.con", con), write("d.fts", fts)
    with pytest.raises(ValueError, match=match):
        read_fsl_design(*paths)


def test_missing_files_and_tests_without_contrasts(write, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_fsl_design(tmp_path / "no.mat")
    with pytest.raises(ValueError, match="f_tests needs contrasts"):
        read_fsl_design(write("d.mat", MAT), None, write("d.fts", FTS))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("1\n2\n", "a row for each of the 3 rows"),
        ("1\n2\n1.5\n", "whole numbers. Got 1.5"),
        ("1\n1e30\n2\n", r"at most 15 digits. Got 1e\+30"),
        ("1\n9007199254740993\n2\n", "at most 15 digits"),
    ],
)
def test_labels_that_do_not_fit(write, text, match):
    with pytest.raises(ValueError, match=match):
        read_fsl_labels(write("EB.csv", text), 3, "--blocks")
    assert np.ndim(read_fsl_labels(write("EB.csv", "1\n2\n2\n"), 3)) == 1
