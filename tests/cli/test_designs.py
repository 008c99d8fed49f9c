"""The design of ``ari group``: what a table means, which row is of which map, what is told."""

from __future__ import annotations

import hashlib
import json
import shlex
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.surface.surface import data_to_gifti, mesh_to_gifti

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

N = 12
SEX = ["f", "m"] * (N // 2)
SITE = ["a", "b", "c"] * (N // 3)
AGE = [21.5, 34.25, 28.5, 40, 22, 31, 25.75, 37, 29, 33.5, 26, 24]


@pytest.fixture
def study(tmp_path, run):
    """Return maps of subjects 1 to 12, and a way to write a table and test a contrast of it."""
    rng = np.random.default_rng(7)
    folder = tmp_path / "study"
    folder.mkdir()
    maps = [folder / f"sub-{k + 1}_con.nii.gz" for k in range(N)]
    for k, path in enumerate(maps):
        data = rng.standard_normal((6, 5, 4))
        data[:2] += 0.2 * AGE[k] + 2 * (SEX[k] == "m") + 20 * (k == 1)
        Nifti1Image(data, np.diag([3.0, 3, 3, 1])).to_filename(path)
    mask = folder / "mask.nii.gz"
    Nifti1Image(np.ones((6, 5, 4), np.uint8), np.diag([3.0, 3, 3, 1])).to_filename(mask)

    def write(content, name="design.csv", encoding="utf-8"):
        path = folder / name
        if isinstance(content, pd.DataFrame):
            content = content.to_csv(index=False)
        path.write_bytes(content.encode(encoding))
        return path

    def test(design, *options, given=None, expect=0):
        result = run(
            "group", *(maps if given is None else given), "--design", design, "--mask", mask,
            "--threshold", "3", "--json", *options,
        )  # fmt: skip
        assert result.code == expect, result
        result.told = json.loads(result.out) if expect == 0 else None
        return result

    def refuse(design, *options, given=None):
        result = test(design, *options, given=given, expect=2)
        assert result.out == ""
        return result.err

    return SimpleNamespace(
        folder=folder, maps=maps, mask=mask, write=write, test=test, refuse=refuse
    )


def _table(**columns):
    ids = [f"sub-{k + 1}" for k in range(N)]
    return pd.DataFrame({"participant_id": ids, **columns})


def _found(study, design, contrast):
    """Return the table of the model that Python would fit."""
    model = ARISecondLevelModel(mask_img=study.mask, transformer=ClusterTDPTransformer(3))
    model.fit([str(path) for path in study.maps], design_matrix=pd.DataFrame(design))
    model.compute_contrast(contrast, output_type="tdp")
    return model.table_


def _assert_found(told, table):
    for name in ("n_voxels", "true_discoveries", "peak_stat"):
        assert [row[name] for row in told["table"]] == table[name].tolist()


ONES = [1.0] * N


# Where a separator, an encoding or a decimal comma is missed, the mean is tested in place of age.


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["design.csv", "design.tsv", "design.txt"])
def test_separators_are_recognised(study, separator, name):
    design = study.write(_table(age=AGE).to_csv(index=False, sep=separator), name)
    told = study.test(design, "--contrast", "age").told
    assert told["design"]["contrast_weights"] == {"age": 1, "intercept": 0}
    _assert_found(told, _found(study, {"age": AGE, "intercept": ONES}, "age"))


def test_a_separator_may_be_told_in_the_first_line(study):
    design = study.write("sep=;\n" + _table(age=AGE).to_csv(index=False, sep=";"))
    assert study.test(design, "--contrast", "age").told["design"]["rows"][0]["row"] == 3


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_are_recognised(study, separator):
    text = _table(age=AGE).to_csv(index=False, sep=separator, decimal=",")
    assert "21,5" in text
    told = study.test(study.write(text), "--contrast", "age").told
    _assert_found(told, _found(study, {"age": AGE, "intercept": ONES}, "age"))


def test_decimal_commas_in_quotes_between_commas(study):
    text = _table(age=[str(age).replace(".", ",") for age in AGE]).to_csv(index=False)
    assert '"21,5"' in text
    told = study.test(study.write(text), "--contrast", "age").told
    _assert_found(told, _found(study, {"age": AGE, "intercept": ONES}, "age"))


def test_three_digits_after_a_comma_are_decimals_between_semicolons_and_unclear_elsewhere(study):
    ages = [f"{k},125" for k in range(1, N + 1)]
    semicolons = study.write(_table(age=ages).to_csv(index=False, sep=";"))
    expected = {"age": [k + 0.125 for k in range(1, N + 1)], "intercept": ONES}
    told = study.test(semicolons, "--contrast", "age").told
    _assert_found(told, _found(study, expected, "age"))
    tabs = study.write(_table(age=ages).to_csv(index=False, sep="\t"))
    line = study.refuse(tabs, "--contrast", "age")
    assert "'1,125' in the column 'age' may be 1.125 or 1125" in line


def test_commas_and_points_do_not_mix(study):
    other = ["1,5"] * 6 + ["2,5"] * 6
    design = study.write(_table(age=AGE, other=other).to_csv(index=False, sep=";"))
    line = study.refuse(design, "--contrast", "age")
    assert "'1,5' in the column 'other' and '21.5' in the column 'age'" in line


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_recognised(study, encoding):
    design = study.write(_table(age=AGE).to_csv(index=False), encoding=encoding)
    assert study.test(design, "--contrast", "age").told["design"]["regressors"] == [
        "age", "intercept",
    ]  # fmt: skip


def test_another_encoding_is_said(study):
    table = _table(ort=["Köln", "Graz"] * 6)
    result = study.test(study.write(table, encoding="cp1252"), "--contrast", "ort[T.Köln]")
    assert "is not in UTF-8" in result.err


@pytest.mark.parametrize("separator", [" ", "|"])
def test_other_separators_are_refused(study, separator):
    design = study.write(_table(age=AGE).to_csv(index=False, sep=separator))
    assert "tabs, semicolons or commas" in study.refuse(design)


def test_rows_of_another_width_are_refused(study):
    text = _table(age=AGE).to_csv(index=False).replace("sub-3,28.5", "sub-3,28.5,9")
    line = study.refuse(study.write(text), "--contrast", "age")
    assert "has 3 in row 4, and 2 in the header" in line


@pytest.mark.parametrize("content", ["", "\n \n", "participant_id,age\n", "\0\1\2\3\4"])
def test_files_without_a_table_are_refused(study, content):
    assert "--design must" in study.refuse(study.write(content))


def test_spreadsheets(study):
    pytest.importorskip("openpyxl")
    table = _table(age=AGE, count=range(5, 5 + N))
    path = study.folder / "design.xlsx"
    blank = pd.DataFrame([[None] * 3], columns=table.columns).astype(object)
    # A blank row, which spreadsheets have below and between others.
    pd.concat([table.iloc[:4], blank, table.iloc[4:], blank]).to_excel(path, index=False)
    told = study.test(path, "--contrast", "age").told
    assert [row["row"] for row in told["design"]["rows"]] == [2, 3, 4, 5, *range(7, 15)]
    expected = {"age": AGE, "count": np.arange(5.0, 5 + N), "intercept": ONES}
    _assert_found(told, _found(study, expected, "age"))


def test_spreadsheets_with_several_sheets(study):
    pytest.importorskip("openpyxl")
    path = study.folder / "design.xlsx"
    with pd.ExcelWriter(path) as writer:
        _table(age=AGE).to_excel(writer, sheet_name="people", index=False)
        _table(age=AGE).to_excel(writer, sheet_name="old", index=False)
    result = study.test(path, "--contrast", "age")
    assert "has 2 sheets. The design is read from the first of them, 'people'" in result.err


def test_spreadsheets_that_pandas_cannot_read_are_refused_by_name(study, monkeypatch):
    def fail(*_, **__):
        raise ImportError("`Import openpyxl` failed.")

    path = study.folder / "design.xlsx"
    _table(age=AGE).to_excel(path, index=False)
    monkeypatch.setattr(pd, "read_excel", fail)
    line = study.refuse(path, "--contrast", "age")
    assert "design.xlsx" in line
    assert "openpyxl" in line
    assert "CSV or TSV" in line


def test_damaged_spreadsheets_are_refused(study):
    path = study.folder / "design.xlsx"
    path.write_bytes(b"PK\x03\x04 nothing")
    assert "must be a table" in study.refuse(path, "--contrast", "age")


def test_blank_rows_and_columns_are_none(study):
    lines = _table(age=AGE).to_csv(index=False).splitlines()
    lines = [",".join([*line.split(","), "", ""]) for line in lines]
    text = "\n".join([*lines[:3], ",,,", "", *lines[3:], ",,,", ",,,"])
    told = study.test(study.write(text), "--contrast", "age").told
    assert told["n_subjects"] == N
    assert told["design"]["regressors"] == ["age", "intercept"]
    assert [row["row"] for row in told["design"]["rows"]] == [2, 3, *range(6, 16)]


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_an_index_column_is_no_regressor(study, start, name):
    table = _table(age=AGE)
    table.insert(0, name, range(start, start + N))
    told = study.test(study.write(table), "--contrast", "age").told
    assert told["design"]["regressors"] == ["age", "intercept"]
    assert told["design"]["left_out"] == {name: "only counts the rows"}


def test_an_index_column_that_was_filtered_and_shuffled_is_no_regressor(study):
    table = _table(age=AGE)
    table.insert(0, "", [40, 3, 7, 1, 0, 12, 25, 9, 10, 2, 6, 5])
    told = study.test(study.write(table), "--contrast", "age").told
    assert told["design"]["regressors"] == ["age", "intercept"]


def test_row_names_of_r_are_no_regressor(study):
    table = _table(age=AGE)
    rows = [f"{k + 1}\t{i}\t{age}" for k, (i, age) in enumerate(table.itertuples(index=False))]
    design = study.write("\n".join(["participant_id\tage", *rows]), "design.txt")
    told = study.test(design, "--contrast", "age").told
    assert told["design"]["regressors"] == ["age", "intercept"]
    _assert_found(told, _found(study, {"age": AGE, "intercept": ONES}, "age"))


def test_other_columns_without_a_name_are_refused(study):
    table = _table(age=AGE)
    table.insert(2, "", [0.5, 1.5] * 6)
    line = study.refuse(study.write(table), "--contrast", "age")
    assert "The column with '0.5' in row 2" in line


def test_columns_of_one_name_are_refused(study):
    text = _table(age=AGE, weight=AGE).to_csv(index=False).replace("weight", "age")
    assert "'age' twice" in study.refuse(study.write(text), "--contrast", "age")


def test_a_column_that_counts_the_rows_is_said(study):
    table = _table(age=AGE, nr=range(1, N + 1))
    assert (
        "'nr' of --design counts the rows"
        in study.test(study.write(table), "--contrast", "age").err
    )
    result = study.test(study.write(table), "--contrast", "age", "--regressor", "age")
    assert "counts the rows" not in result.err


def test_numbers_that_may_be_categories_are_said(study):
    table = _table(age=AGE, site=[1, 2, 3] * 4, sex=[0, 1] * 6)
    result = study.test(study.write(table), "--contrast", "age")
    assert "'site' of --design holds the numbers 1, 2, 3" in result.err
    # A slope over two numbers is a difference of two groups.
    assert "'sex'" not in result.err


# Missing values.


@pytest.mark.parametrize("missing", ["n/a", "NA", "", "NaN", "null"])
def test_rows_without_a_value_are_named_and_may_be_left_out(study, missing):
    ages = [missing if k in (2, 9) else age for k, age in enumerate(AGE)]
    design = study.write(_table(age=ages, sex=SEX))
    line = study.refuse(design, "--contrast", "age")
    assert "row 4 (sub-3) in 'age', row 11 (sub-10) in 'age'" in line
    result = study.test(design, "--contrast", "age", "--drop-missing")
    assert "leaves out 2 of 12 rows" in result.err
    assert "row 4 (sub-3), row 11 (sub-10)" in result.err
    assert result.told["n_subjects"] == 10
    assert result.told["design"]["dropped"] == ["row 4 (sub-3)", "row 11 (sub-10)"]
    maps = [row["map"] for row in result.told["design"]["rows"]]
    assert maps == [[str(path)] for k, path in enumerate(study.maps) if k not in (2, 9)]


def test_values_that_are_not_used_may_be_missing(study):
    design = study.write(_table(age=AGE, weight=["n/a", *AGE[1:]]))
    told = study.test(design, "--contrast", "age", "--regressor", "age").told
    assert told["design"]["left_out"] == {"weight": "not named by --regressor"}
    told = study.test(design, "--contrast", "age", "--formula", "age").told
    assert told["n_subjects"] == N


def test_missing_blocks_are_named(study):
    design = study.write(_table(pair=["n/a", *[k // 2 for k in range(1, N)]]))
    assert "row 2 (sub-1) in 'pair'" in study.refuse(design, "--blocks", "pair")


def test_words_between_numbers_are_no_category(study):
    ages = [*map(str, AGE[:5]), "?", *map(str, AGE[6:])]
    line = study.refuse(study.write(_table(age=ages)), "--contrast", "age")
    assert "has 11 numbers, and '?' in row 7 (sub-6)" in line


@pytest.mark.parametrize("cell", ["1.234,5", "1'234", "1 234"])
def test_numbers_in_other_notations_are_no_categories(study, cell):
    income = [cell, cell.replace("2", "3")] * 6
    design = study.write(_table(income=income).to_csv(index=False, sep=";"))
    assert f"Got {cell!r}" in study.refuse(design, "--contrast", "intercept")


# Without --contrast.


def test_a_design_with_regressors_never_tests_the_mean_in_silence(study):
    assert "'age', 'intercept'. Got none" in study.refuse(study.write(_table(age=AGE)))
    line = study.refuse(study.write(_table(group=["old", "young"] * 6)))
    assert "'group[T.young]', 'intercept'. Got none" in line
    line = study.refuse(study.write(_table(note=[""] * N)))
    assert "'intercept'. Got none" in line


def test_a_design_of_labels_alone_tests_the_mean(study):
    table = _table(pair=[k // 2 for k in range(N)])
    table.insert(0, "", range(N))
    told = study.test(study.write(table), "--blocks", "pair", "--permutations", "40").told
    assert told["contrast"] == "intercept"
    told = study.test(study.write(_table(age=AGE)), "--formula", "1").told
    assert told["contrast"] == "intercept"
    _assert_found(told, _found(study, {"intercept": ONES}, "intercept"))


# Categories and formulas.


def test_words_are_categories(study):
    told = study.test(
        study.write(_table(age=AGE, sex=SEX, site=SITE)), "--contrast", "sex[T.m]"
    ).told
    expected = {
        "age": AGE,
        "sex[T.m]": [float(s == "m") for s in SEX],
        "site[T.b]": [float(s == "b") for s in SITE],
        "site[T.c]": [float(s == "c") for s in SITE],
        "intercept": ONES,
    }
    assert told["design"]["regressors"] == list(expected)
    _assert_found(told, _found(study, expected, "sex[T.m]"))


def test_categories_without_an_intercept_are_the_cells(study):
    design = study.write(_table(site=SITE))
    told = study.test(design, "--no-intercept", "--contrast", "`site[c]` - `site[a]`").told
    assert told["design"]["contrast_weights"] == {"site[a]": -1, "site[b]": 0, "site[c]": 1}


def test_words_and_numbers_that_add_up_to_the_mean(study):
    table = _table(first=[1, 0] * 6, second=[0, 1] * 6, site=SITE)
    told = study.test(study.write(table), "--contrast", "first - second").told
    assert told["design"]["regressors"] == ["first", "second", "site[T.b]", "site[T.c]"]
    assert told["design"]["df"] == N - 4


def test_only_terms_of_a_formula_enter_and_the_others_are_said(study, run):
    design = study.write(_table(age=AGE, sex=SEX, site=SITE, weight=AGE[::-1]))
    told = study.test(design, "--formula", "age + C(sex)", "--contrast", "C(sex)[T.m]").told
    expected = {"intercept": ONES, "age": AGE, "C(sex)[T.m]": [float(s == "m") for s in SEX]}
    assert told["design"]["regressors"] == list(expected)
    assert told["design"]["left_out"] == {"site": "not in --formula", "weight": "not in --formula"}
    _assert_found(told, _found(study, expected, "C(sex)[T.m]"))
    printed = run("group", *study.maps, "--design", design, "--formula", "age", "--contrast", "age")
    assert "columns left out: 'sex' (not in --formula), 'site' (not in" in printed.out


def test_functions_and_names_with_blanks_in_a_formula(study):
    design = study.write(_table(**{"age in years": AGE}, sex=SEX))
    told = study.test(design, "--formula", "center(`age in years`)", "--contrast", "intercept").told
    assert told["design"]["left_out"] == {"sex": "not in --formula"}
    expected = {"intercept": ONES, "age": np.array(AGE) - np.mean(AGE)}
    _assert_found(told, _found(study, expected, "intercept"))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--formula", "age + nothing"], "nothing"),
        (["--formula", "age +"], "--formula must be as"),
        (["--formula", "y ~ age"], "left side"),
        (["--formula", "age | sex"], "one sum of terms"),
        (["--formula", "age - 1 - age"], "must have a term"),
        (["--formula", "age", "--regressor", "age"], "Leave out --regressor"),
        (["--formula", "age", "--no-intercept"], "Leave out --no-intercept"),
        (["--regressor", "nothing"], "'nothing'"),
        (["--contrast", "nothing"], "The columns are 'age', 'sex[T.m]', 'intercept'"),
    ],
)
def test_formulas_and_contrasts_that_are_none(study, options, word):
    given = options if "--contrast" in options else [*options, "--contrast", "age"]
    assert word in study.refuse(study.write(_table(age=AGE, sex=SEX)), *given)


def test_words_that_only_name_the_rows_are_refused(study):
    notes = [f"note {letter}" for letter in "abcdefghijkl"]
    line = study.refuse(study.write(_table(age=AGE, notes=notes)), "--contrast", "age")
    assert "'notes' of --design has another word in each row" in line
    line = study.refuse(study.write(_table(age=AGE, site=["x"] * N)), "--contrast", "age")
    assert "'site' of --design is 'x' in all rows" in line


def test_categories_that_differ_in_capitals_are_said(study):
    sexes = ["F", "m", "f", "m"] * 3
    result = study.test(study.write(_table(age=AGE, sex=sexes)), "--contrast", "age")
    assert "the categories 'F' and 'f', which count as two" in result.err


def test_a_regressor_may_not_take_the_name_of_the_intercept(study):
    design = study.write(_table(intercept=AGE))
    assert "'intercept' twice" in study.refuse(design, "--contrast", "intercept")


def test_a_contrast_that_is_not_estimable_is_refused(study):
    table = _table(first=[1, 0] * 6, second=[0, 1] * 6, all=[1] * N)
    assert "is not estimable" in study.refuse(study.write(table), "--contrast", "first")


# Rows and maps.


def test_rows_meet_maps_by_their_labels(study):
    order = np.random.default_rng(0).permutation(N)
    table = _table(age=AGE).iloc[order]
    for name in ("participant_id", "Subject", "ID", "subject_id"):
        renamed = table.rename(columns={"participant_id": name})
        told = study.test(study.write(renamed), "--contrast", "age").told
        _assert_found(told, _found(study, {"age": AGE, "intercept": ONES}, "age"))
        for k, pair in enumerate(told["design"]["rows"]):
            assert pair == {
                "row": 2 + order.tolist().index(k),
                "subject": f"sub-{k + 1}",
                "map": [str(study.maps[k])],
            }


def test_a_label_is_not_the_number_of_a_run(study):
    table = _table(age=AGE)
    table["participant_id"] = [f"{k + 1:02}" for k in range(N)]
    maps = []
    for k, path in enumerate(study.maps):
        # Runs are numbered in another order than subjects.
        maps.append(study.folder / f"sub-{k + 1:02}_run_{N - k:02}.nii.gz")
        path.rename(maps[-1])
    told = study.test(study.write(table), "--contrast", "age", given=maps).told
    assert [row["subject"] for row in told["design"]["rows"]] == table["participant_id"].tolist()


def test_labels_and_maps_match_one_to_one_or_not_at_all(study):
    table = _table(age=AGE)
    line = study.refuse(study.write(table), "--contrast", "age", given=study.maps[1:])
    assert "There is none for row 2 (sub-1)" in line
    result = study.test(
        study.write(table), "--contrast", "age", "--drop-missing", given=study.maps[1:]
    )
    assert result.told["n_subjects"] == N - 1
    assert "leaves out 1 of 12 rows, which have no map: row 2 (sub-1)" in result.err
    line = study.refuse(study.write(table[1:]), "--contrast", "age")
    assert "the subject of" in line
    assert "sub-1_con" in line
    again = pd.concat([table, table[:1]])
    assert "'1' more than once" in study.refuse(study.write(again), "--contrast", "age")
    table.loc[3, "participant_id"] = "n/a"
    assert "There is none in row 5" in study.refuse(study.write(table), "--contrast", "age")


def test_rows_without_labels_meet_maps_in_natural_order(study, run):
    table = _table(age=AGE).drop(columns="participant_id")
    design = study.write(table)
    # As shells list the files.
    given = sorted(study.maps, key=str)
    assert given != study.maps
    for maps in (given, [study.folder / "sub-*_con.nii.gz"]):
        result = study.test(design, "--contrast", "age", given=maps)
        assert "No column of --design assigns maps to rows" in result.err
        _assert_found(result.told, _found(study, {"age": AGE, "intercept": ONES}, "age"))
        assert [row["map"] for row in result.told["design"]["rows"]] == [
            [str(path)] for path in study.maps
        ]
    printed = run("group", *given, "--design", design, "--contrast", "age").out
    for row, path in enumerate(study.maps, 2):
        assert f"row {row}: {path}" in printed


def test_groups_of_files_stay_in_the_order_that_is_given(study):
    maps = []
    for k, path in enumerate(study.maps):
        kind = "patient" if k < 6 else "control"
        maps.append(study.folder / f"{kind}{k % 6 + 5}.nii.gz")  # 5 to 10
        path.rename(maps[-1])
    design = study.write(_table(age=AGE).drop(columns="participant_id"))
    given = [*sorted(maps[:6], key=str), *sorted(maps[6:], key=str)]
    told = study.test(design, "--contrast", "age", given=given).told
    assert [row["map"] for row in told["design"]["rows"]] == [[str(path)] for path in maps]


def test_paths_in_the_table(study):
    paths = [path.name for path in study.maps]
    table = pd.DataFrame({"path": paths, "age": AGE})
    told = study.test(study.write(table), "--contrast", "age", given=[]).told
    _assert_found(told, _found(study, {"age": AGE, "intercept": ONES}, "age"))
    table.loc[4, "path"] = "n/a"
    assert "There is none in row 6" in study.refuse(
        study.write(table), "--contrast", "age", given=[]
    )
    told = study.test(study.write(table), "--contrast", "age", "--drop-missing", given=[]).told
    assert told["n_subjects"] == N - 1
    # One file under two names.
    table.loc[4, "path"] = f"./{paths[0]}"
    assert "more than once" in study.refuse(study.write(table), "--contrast", "age", given=[])


# What is told and written.


def test_design_and_contrast_are_printed(study, run):
    design = study.write(_table(age=AGE, sex=SEX))
    printed = run(
        "group", *study.maps, "--design", design, "--contrast", "age", "--mask", study.mask,
        "--permutations", "30", "--seed", "5",
    ).out  # fmt: skip
    assert "contrast age: 1 'age', 0 'sex[T.m]', 0 'intercept'" in printed
    words = " ".join(printed.split())
    assert "12 subjects · 9 degrees of freedom" in words
    assert f"Mask: {study.mask}." in words
    assert f"sha256 {hashlib.sha256(design.read_bytes()).hexdigest()}" in printed.replace("\n", "")
    assert f"row 2 sub-1: {study.maps[0]}" in printed
    assert "seed 5" in printed


def test_long_lists_of_rows_are_cut_where_they_are_printed(study, run):
    maps = []
    for k in range(30):
        maps.append(study.folder / f"p{k}.nii.gz")
        maps[-1].write_bytes(study.maps[k % N].read_bytes())
    table = pd.DataFrame({"id": [f"p{k}" for k in range(30)], "x": np.arange(30) ** 2})
    given = ("group", *maps, "--design", study.write(table), "--contrast", "x")
    printed = run(*given).out
    assert printed.count("row ") == 25
    assert "5 more rows" in printed
    assert len(json.loads(run(*given, "--json").out)["design"]["rows"]) == 30


@pytest.mark.parametrize("with_blocks", [False, True])
def test_the_analysis_can_be_made_again_from_what_is_written(study, run, tmp_path, with_blocks):
    design = study.write(_table(age=AGE, sex=SEX, pair=list("uvwxyz") * 2))
    out = tmp_path / "out"
    blocks: tuple[str, ...] = ("--regressor", "age", "--regressor", "sex")
    if with_blocks:
        blocks = ("--blocks", "pair", "--scheme", "sign_flip")
    told = study.test(
        design, "--contrast", "age", "--permutations", "50", *blocks, "--out", out
    ).told
    contrast = json.loads((out / "group_contrast-age_contrast.json").read_text())
    written = out / contrast["Design"]
    assert told["files"]["design"] == str(written)
    assert contrast["Weights"] == told["design"]["contrast_weights"]
    checksum = hashlib.sha256(written.read_bytes()).hexdigest()
    assert contrast["DesignSHA256"] == told["design"]["sha256"] == checksum
    sidecar = json.loads((out / "group_contrast-age_clusters.json").read_text())["Design"]
    assert sidecar["SHA256"] == checksum
    assert sidecar["FileSHA256"] == hashlib.sha256(design.read_bytes()).hexdigest()
    assert sidecar["Regressors"] == ["age", "sex[T.m]", "intercept"]
    assert sidecar["ContrastWeights"] == {"age": 1, "sex[T.m]": 0, "intercept": 0}
    assert sidecar["NumberOfSubjects"] == N
    assert sidecar["DegreesOfFreedom"] == N - 3
    assert sidecar["Mask"] == str(study.mask)
    assert sidecar["Rows"] == told["design"]["rows"]
    options = [
        str(written) if word == contrast["Design"] else word
        for word in shlex.split(contrast["Options"])
    ]
    again = run("group", *options, "--json")
    assert again.code == 0, again.err
    again = json.loads(again.out)
    for name in ("table", "lambda", "seed", "true_discoveries"):
        assert again[name] == told[name]
    assert again["design"]["sha256"] == checksum


def test_a_seed_is_drawn_and_recorded(study, run, tmp_path):
    given = ("group", *study.maps, "--mask", study.mask, "--permutations", "30", "--json")
    first = json.loads(run(*given, "--out", tmp_path / "out").out)
    other = json.loads(run(*given).out)
    assert isinstance(first["seed"], int)
    assert first["seed"] != other["seed"]
    sidecar = (tmp_path / "out" / "group_contrast-intercept_clusters.json").read_text()
    assert str(first["seed"]) in sidecar
    again = json.loads(run(*given, "--seed", first["seed"]).out)
    assert again["seed"] == first["seed"]
    assert again["lambda"] == first["lambda"]


def test_the_mean_of_maps_has_a_design_too(study, run):
    told = json.loads(run("group", *study.maps, "--json").out)["design"]
    assert told["contrast_weights"] == {"intercept": 1}
    assert told["df"] == N - 1
    assert told["mask"] == "computed from the maps"
    assert told["file"] is None


def test_options_of_a_table_need_one(refused, study):
    blocks, groups = ["--blocks", "pair"], ["--variance-groups", "pair"]
    for option in (["--formula", "1"], ["--drop-missing"], blocks, groups):
        assert f"{option[0]} needs a table: give --design" in refused("group", *study.maps, *option)
    assert "leaves no regressor" in refused("group", *study.maps, "--no-intercept")


def test_sizes_have_sensible_digits(study, run, tmp_path):
    # Voxels of 3.3 x 3.3 x 3.3 mm, whose volume no binary number is equal to.
    affine = np.diag([3.3, 3.3, 3.3, 1])
    for k, path in enumerate(study.maps):
        data = np.random.default_rng(k).normal(size=(6, 5, 4)).astype(np.float32)
        Nifti1Image(data, affine).to_filename(path)
    Nifti1Image(np.ones((6, 5, 4), np.uint8), affine).to_filename(study.mask)
    result = run("group", *study.maps, "--mask", study.mask, "--json", "--out", tmp_path / "out")
    sizes = [row["size_mm3"] for row in json.loads(result.out)["table"]]
    written = pd.read_csv(
        tmp_path / "out" / "group_contrast-intercept_clusters.tsv", sep="\t", dtype=str
    )
    assert written["size_mm3"].iloc[-1] == "4312.44"  # 120 voxels of 35.937 mm3
    assert sizes[-1] == 4312.44


def test_surfaces_of_a_table_are_written_with_both_hemispheres(run, tmp_path):
    corners = np.vstack([np.eye(3), -np.eye(3)]).astype(np.float32)  # an octahedron
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    mesh = []
    for side in ("left", "right"):
        mesh += ["--mesh", tmp_path / f"{side}.surf.gii"]
        mesh_to_gifti(corners, np.array(faces), mesh[-1])
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"age": AGE})
    for side in ("left", "right"):
        table[f"path_{side}"] = [f"{k}_{side}.func.gii" for k in range(N)]
        for name in table[f"path_{side}"]:
            data_to_gifti(rng.standard_normal(6).astype(np.float32), tmp_path / name)
    table.to_csv(tmp_path / "design.csv", index=False)
    given = (*mesh, "--contrast", "age", "--threshold", "1", "--json")
    out = tmp_path / "out"
    result = run("group", "--design", tmp_path / "design.csv", *given, "--out", out)
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["design"]["rows"][3]["map"] == [
        str(tmp_path / f"3_{side}.func.gii") for side in ("left", "right")
    ]
    again = run("group", "--design", told["files"]["design"], *given)
    assert json.loads(again.out)["table"] == told["table"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--variance-groups", "alone"],
            "--variance-groups must have residuals in each group, given the design. Got a group of "
            "1 row",
        ),
        (
            ["--blocks", "pair", "--exchange", "both", "--variance-groups", "sex"],
            "Use --scheme sign_flip and no exchange",
        ),
        (
            ["--blocks", "uneven", "--exchange", "whole"],
            "or use --scheme sign_flip, which flips blocks of any size",
        ),
        (["--blocks", "half,pair"], "must have one label throughout the first column"),
        (["--contrast", "0 * age; 0 * age"], "--contrast must have a weight other than 0"),
        (["--scheme", "permutation", "--contrast", "intercept"], "--scheme must be 'sign_flip'"),
        (["--scheme", "bootstrap", "--blocks", "pair"], "--blocks must be None for --scheme boot"),
        (["--alpha", "0.01"], "--alpha must be at least 1 / --permutations = 1 / 40"),
        (["--f-test", "--two-sided"], "--two-sided must be False for an F contrast"),
    ],
)
def test_what_a_study_cannot_have_is_refused_by_name(study, options, message):
    labels = {
        "alone": [1] + [2] * 11,
        "pair": np.repeat(range(1, 7), 2),
        "uneven": [1] * 5 + [2] * 7,
        "half": np.repeat([1, 2], 6),
    }
    design = study.write(_table(sex=SEX, age=np.subtract(AGE, np.mean(AGE)), **labels))
    given = ["--contrast", "age", *options] if "--contrast" not in options else options
    line = study.refuse(design, "--regressor", "age", "--permutations", "40", *given)
    assert message in line


def test_a_contrast_of_one_row_is_tested_by_f(study, run, tmp_path):
    design = study.write(_table(age=AGE))
    out = tmp_path / "out"
    told = study.test(
        design, "--contrast", "age", "--f-test", "--permutations", "40", "--out", out
    ).told
    assert told["statistic"] == "F"
    written = json.loads(next(out.glob("*_contrast.json")).read_text())["Options"]
    assert "--f-test" in shlex.split(written)
