"""Formulas, contrasts and tables from elsewhere: no code runs, and nothing takes its time."""

import io
import os
import zipfile

import numpy as np
import pandas as pd
import pytest

N = 12
AGE = [21.5, 34.25, 28.5, 40, 22, 31, 27.75, 38, 29, 33.5, 26, 24]


@pytest.fixture
def refuse(tmp_path, run, monkeypatch):
    """Return a function that gives a design to ``ari group``, and returns the one line of error."""
    monkeypatch.chdir(tmp_path)
    for number in range(N):
        (tmp_path / f"sub-{number + 1}.nii").touch()
    files = [f"sub-{number + 1}.nii" for number in range(N)]

    def check(path, *options):
        result = run("group", *files, "--design", path, "--out", tmp_path / "out", *options)
        assert result.code == 2, result.err
        (line,) = [text for text in result.err.splitlines() if text.startswith("ari group: ")]
        assert not (tmp_path / "out").exists()
        return line

    return check


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "design.tsv"
    table = pd.DataFrame({"participant_id": [f"sub-{k + 1}" for k in range(N)], "age": AGE})
    table.assign(sex=list("fm") * (N // 2)).to_csv(path, sep="\t", index=False)
    return path


@pytest.mark.parametrize(
    ("formula", "word"),
    [
        ("__import__('os').system('touch written')", "not an allowed function"),
        ("{__import__('os').system('touch written')}", "there is '{' in it"),
        ("I(age.to_csv('written'))", "not an allowed function"),
        ("np.save('written', age)", "not an allowed function"),
        ("C(sex, __import__('os').system('touch written'))", "not an allowed function"),
        ("C.__globals__", "is not a term"),
        ("I((lambda: 1)())", "not a sum of terms"),
        ("[x for x in age]", "is not a term"),
        ("age # + sex", "there is '#' in it"),
        ("age**9**9**9", "powers of terms"),
        ("I(9**9**9**9)", "is not a term"),
        ("I('a'*10**10)", "is not a term"),
        ("(age + sex)**10", "more than 1,000 terms"),
        ("*".join(["age", "sex"] * 20), "more than 1,000 terms"),
        ("+".join(["age"] * 2000), "too many terms"),
        ("age" + "+age" * 30_000, "at most 10,000 are read"),
        ("(" * 5000 + "age", "brackets are nested"),
        ("-" * 9000 + "age", "many signs in a row"),
        ("poly(age, 100000000)", "numbers up to 100"),
        ("bs(age, df=99999999)", "numbers up to 100"),
        ("I(0/0)", "division by zero"),
        ("age + `nothing`", "no column 'nothing'"),
        ("C(sex, **age)", "is not a term"),
        ("age + C(sex, '`age`')", "a text has backquotes in it"),
        ("age + C(sex, contr.treatment('`age`'))", "a text has backquotes in it"),
    ],
)
def test_formulas_that_are_more_than_terms(refuse, design, tmp_path, formula, word):
    line = refuse(design, "--formula", formula, "--contrast", "age")
    assert word in line
    assert len(line) < 1500
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("contrast", ["age**9**9**9", "age.to_csv('written')", "(" * 9999])
def test_contrasts_that_are_more_than_sums(refuse, design, tmp_path, contrast):
    assert "--contrast must be the name of a column" in refuse(design, "--contrast", contrast)
    assert not (tmp_path / "written").exists()


def test_names_of_columns_that_would_end_a_text_are_refused(refuse, tmp_path):
    name = "', __import__('os').system('touch written'), '"
    table = pd.DataFrame({"participant_id": [f"sub-{k + 1}" for k in range(N)], "age": AGE})
    table[name] = list("fm") * (N // 2)
    table.to_csv(tmp_path / "design.tsv", sep="\t", index=False)
    for formula in (f"age + C(age, '`{name}`')", f"age + C(`{name}`)"):
        line = refuse(tmp_path / "design.tsv", "--formula", formula, "--contrast", "age")
        assert "Rename the column" in line or "backquotes" in line
        assert not (tmp_path / "written").exists()


def test_columns_that_are_called_like_functions_are_refused(refuse, tmp_path):
    table = pd.DataFrame({"participant_id": [f"sub-{k + 1}" for k in range(N)], "np": AGE})
    table.assign(age=AGE).to_csv(tmp_path / "design.tsv", sep="\t", index=False)
    line = refuse(tmp_path / "design.tsv", "--formula", "np.log(age)", "--contrast", "age")
    assert "a column has the name 'np'" in line


def test_names_of_columns_are_no_code(refuse, tmp_path):
    name = "x` + {__import__('os').system('touch written')} + `y"
    table = pd.DataFrame({"participant_id": [f"sub-{k + 1}" for k in range(N)]})
    table[name] = list("fm") * (N // 2)
    table.to_csv(tmp_path / "design.csv", index=False)
    # The maps are empty: the design is done before they are read.
    assert "sub-1.nii" in refuse(tmp_path / "design.csv", "--contrast", "intercept")
    assert not (tmp_path / "written").exists()


def sheet(cells="", dimension="A1:B3", head=""):
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return (
        f'<?xml version="1.0"?>{head}<worksheet xmlns="{namespace}"><dimension ref="{dimension}"/>'
        f"<sheetData>{cells}</sheetData></worksheet>"
    ).encode()


def workbook(path, content):
    """Write a spreadsheet whose only sheet is what is given."""
    buffer = io.BytesIO()
    pd.DataFrame({"participant_id": ["sub-1"], "age": [1.5]}).to_excel(buffer, index=False)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml"
            new.writestr(name, content if is_sheet else old.read(name))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "1,048,576 rows"),
        (sheet('<row><c r="XFD1"><v>1</v></c></row>' + "<row/>" * 2000), "16,384 columns"),
        (sheet(head='<!DOCTYPE a [<!ENTITY b "c">]>'), "declares the entity"),
        (sheet("<row>" * 1000), "more than 100 elements"),
        (sheet(" " * 300 * 2**20), "it expands to"),
        (b"\xff" * 1000, "XML is damaged"),
    ],
    ids=["last cell", "many rows", "entity", "deep", "bomb", "no XML"],
)
def test_spreadsheets_that_are_small_in_their_file_alone(refuse, tmp_path, content, word):
    workbook(tmp_path / "design.xlsx", content)
    assert word in refuse(tmp_path / "design.xlsx", "--contrast", "age")


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0" + b"\0" * 999, b"PK\x03\x04ods"])
def test_spreadsheets_of_other_formats(refuse, tmp_path, content):
    path = tmp_path / "design.xls"
    if content.startswith(b"PK"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("content.xml", "<a/>")
    else:
        path.write_bytes(content)
    assert "save it as .xlsx, CSV or TSV" in refuse(path, "--contrast", "age")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a,b\n1,\0\n", "holds no text"),
        (b"a" * 60_000_000, "field larger than field limit"),
        (b"a" * 100_000_000, "at most 67,108,864 bytes"),
        (b"a,a\n1,2\n", "Got 'a' twice"),
        (b",".join(b"%d" % k for k in range(20_000)) + b"\n" + b"1," * 19_999 + b"1\n", "16,384"),
        (b"a b\n1" + b" " * 120_000 + b"2\n", "blanks"),
        (b"index,age\n" + b"9" * 6000 + b",1\n", "a row for each of the 12 maps"),
        (np.random.default_rng(0).bytes(5000), "must be a table"),
    ],
    ids=["NUL", "one line", "large", "twice", "columns", "blanks", "digits", "noise"],
)
def test_tables_that_are_none(refuse, tmp_path, content, word):
    path = tmp_path / "design.csv"
    path.write_bytes(content)
    assert word in refuse(path, "--contrast", "age")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("option", ["--design", "--mask"])
def test_pipes_are_refused_and_not_waited_for(run, tmp_path, design, option):
    os.mkfifo(tmp_path / "pipe.nii")
    files = [tmp_path / f"sub-{k + 1}.nii" for k in range(N)]
    for file in files:
        file.touch()
    given = {"--design": design, option: tmp_path / "pipe.nii"}
    arguments = [text for pair in given.items() for text in pair]
    result = run("group", *files, *arguments, "--contrast", "age", "--out", tmp_path / "out")
    assert result.code == 2
    assert f"{option} must be a file on a disk" in result.err or "cannot be read" in result.err
