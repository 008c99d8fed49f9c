"""Names from files: they stay what they are, and a terminal obeys none of them."""

from __future__ import annotations

import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

import ari_estimator
from ari_estimator import RegionTDPTransformer
from ari_estimator.reporting import get_tdp_table

HOSTILE = {
    "escape": "\x1b]0;title\x07",
    "colour": "\x1b[31mred",
    "return": "a\rb",
    "c1": "\x9b2J",
    "direction": "abc\u202edef",
    "line": "one\u2028two",
    "markup": "[red]x[/red] :brain:",
}

NAMES = [
    "NA", "nan", "None", "null", "n/a", "N/A", " before", "behind  ", 'a "quoted" name', "it's",
    "tab\there", "line\nend", "carriage\rreturn", "réchts", "右", "=1+1", "+a", "-b", "@c", "'=d",
    "-1", "+2.5e3", "'quoted'", "=HYPERLINK(\"http://x\")",
]  # fmt: skip


@pytest.fixture
def many_regions(tmp_path, files):
    """Return an atlas of as many regions as there are names, and its look-up table."""
    atlas = (np.arange(720) % len(NAMES) + 1).reshape(10, 9, 8).astype(np.int16)
    path = tmp_path / "many.nii.gz"
    Nifti1Image(atlas, np.diag([3.0, 3, 3, 1])).to_filename(path)
    lut = tmp_path / "many.tsv"
    table = pd.DataFrame({"index": np.arange(1, len(NAMES) + 1), "name": NAMES})
    with lut.open("w", newline="", encoding="utf-8") as file:
        # All in quotation marks, as not all Pythons put them around a carriage return.
        table.to_csv(file, sep="\t", index=False, quoting=2)
    return path, lut


def test_names_are_the_same_in_python_in_json_and_in_archives(run, files, many_regions, tmp_path):
    atlas, lut = many_regions
    regions = RegionTDPTransformer(atlas, lut=lut, mask_img=files.mask)
    regions.fit_transform(files.z)
    assert regions.table_["region"].tolist() == [*NAMES, "rest"]
    assert get_tdp_table(regions, max_peaks=1)["region"].tolist() == [*NAMES, "rest"]
    by_frame = RegionTDPTransformer(
        atlas, lut=pd.DataFrame({"index": range(1, len(NAMES) + 1), "name": NAMES})
    )
    assert by_frame.fit(files.z).table_["region"].tolist() == [*NAMES, "rest"]
    given = ("regions", files.z, "--mask", files.mask, "--atlas", atlas, "--lut", lut)
    told = json.loads(run(*given, "--json", "--out", tmp_path / "out").out)
    assert [row["region"] for row in told["table"]] == [*NAMES, "rest"]
    again = ari_estimator.load(tmp_path / "out")
    assert again.table_["region"].tolist() == [*NAMES, "rest"]


def test_written_tables_are_read_as_documented(files, many_regions, tmp_path):
    atlas, lut = many_regions
    regions = RegionTDPTransformer(atlas, lut=lut, mask_img=files.mask)
    regions.fit_transform(files.z)
    path = ari_estimator.save(regions, tmp_path / "out")["table"]
    table = pd.read_csv(
        path, sep="\t", na_values="n/a", keep_default_na=False, dtype={"region": str}
    )
    kept = pd.read_csv(path, sep="\t", keep_default_na=False, dtype=str)["region"]
    names = kept.str.replace(r"^'(?='*[=+\-@\t\r\n])", "", regex=True)
    assert names.tolist() == [*NAMES, "rest"]
    numbers = table.drop(columns="region")
    pd.testing.assert_frame_equal(numbers, regions.table_.drop(columns="region"), check_exact=True)
    for name, cell in zip(NAMES, kept, strict=False):
        is_formula = name.startswith(("=", "+", "@", "-b", "'="))
        assert cell == ("'" + name if is_formula and name != "+2.5e3" else name)


def test_table_of_clusters_is_as_pandas_writes_it(files, tmp_path):
    ari = ari_estimator.ClusterTDPTransformer([2.5, 3, 30], mask_img=files.mask, two_sided=True)
    ari.fit_transform(files.z)
    path = ari_estimator.save(ari, tmp_path)["table"]
    expected = ari.table_.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    assert path.read_bytes() == expected.encode()


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_tables_of_names_with_other_separators(run, files, separator, mark):
    rows = [("index", "name", "colour"), ("2", "NA", "red, dark"), ("1", "one; two", "b")]
    text = "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    files.lut.write_text(mark + text + "\n", encoding="utf-8")
    told = run(
        "regions",
        files.z,
        "--mask",
        files.mask,
        "--atlas",
        files.atlas,
        "--lut",
        files.lut,
        "--json",
    )
    assert [row["region"] for row in json.loads(told.out)["table"]] == ["one; two", "NA", "rest"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "--lut must be a table with columns index and name"),
        ("index\tname\n1\tone\n2\t\n", "must name all of its regions. Got no name for [2]"),
        ("index\tname\n1\tone\n2\t  \n", "must name all of its regions. Got no name for [2]"),
        ("index\tname\n1\tone\n", "must name all of its regions. Got no name for [2]"),
        ("index\tname\none\t1\n", "--lut must have a number in each row of the column index"),
        ("label\tname\n1\tone\n", "--lut must have columns"),
        ("index\tname\n1\t\0\n", "--lut must be a table, a text in UTF-8"),
        (b"index\tname\n1\t\xe9\n", "--lut must be a table, a text in UTF-8"),
    ],
)
def test_tables_of_names_that_are_refused(refused, files, text, words):
    content = text if isinstance(text, bytes) else text.encode()
    files.lut.write_bytes(content)
    given = ("--mask", files.mask, "--atlas", files.atlas, "--lut", files.lut)
    assert words in refused("regions", files.z, *given)


@pytest.mark.parametrize("labels", [["a", None], ["a", ""], ["a", float("nan")], ["a", " "]])
def test_names_in_python_that_are_none(files, labels):
    regions = RegionTDPTransformer(files.atlas, labels=labels, mask_img=files.mask)
    with pytest.raises(ValueError, match=r"labels must name all .* Got no name for \[2\]"):
        regions.fit_transform(files.z)


def _is_plain(text):
    return not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text
    )


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_names_of_regions_are_printed_visibly(run, files, name):
    files.lut.write_bytes(f'index\tname\n1\t"{name}"\n2\tb\n'.encode())
    given = ("regions", files.z, "--mask", files.mask, "--atlas", files.atlas, "--lut", files.lut)
    printed = run(*given)
    assert printed.code == 0, printed.err
    assert _is_plain(printed.out)
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    assert escaped in printed.out
    told = json.loads(run(*given, "--json").out)
    assert told["table"][0]["region"] == name


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_errors_and_warnings_are_printed_visibly(run, files, name):
    path = files.folder / f"{name.replace('/', '')}.nii.gz"
    missing = run("clusters", path)
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    assert _is_plain(missing.err)
    assert _is_plain(run("clusters", path, "--debug").err)
    usage = run("clusters", files.z, "--alpha", name)
    assert (usage.code, _is_plain(usage.err)) == (2, True)
    path.write_bytes(files.z.read_bytes())
    described = run("info", path)
    assert described.code == 0, described.err
    assert _is_plain(described.out)
    table = files.folder / "design.tsv"
    table.write_text(f'path\t"{name}"\nz.nii.gz\tA\nmask.nii.gz\ta\n', encoding="utf-8")
    # The categories A and a give a warning that names the column.
    with warnings.catch_warnings():
        warned = run("group", "--design", table, "--mask", files.mask)
    assert _is_plain(warned.err + warned.out)


def test_category_na_of_a_design_counts_as_missing_with_a_word(run, refused, files):
    z = np.random.default_rng(0).standard_normal((6, 10, 9, 8))
    for i, data in enumerate(z):
        Nifti1Image(data, np.diag([3.0, 3, 3, 1])).to_filename(files.folder / f"sub-{i}.nii.gz")
    table = files.folder / "participants.tsv"
    groups = ["NA", "EU", "EU", "NA", "EU", "AS"]
    rows = "".join(f"{i}\t{group}\n" for i, group in enumerate(groups))
    table.write_text(f"participant_id\torigin\n{rows}")
    maps = [files.folder / f"sub-{i}.nii.gz" for i in range(6)]
    given = ("group", *maps, "--mask", files.mask, "--design", table, "--contrast", "intercept")
    line = refused(*given)
    assert "row 2 (0) in 'origin'" in line
    assert "NA" in line
    table.write_text(table.read_text().replace("NA", "None"))
    told = json.loads(run(*given, "--json").out)
    assert "origin[T.None]" in told["design"]["regressors"]
