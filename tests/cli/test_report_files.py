"""``ari report`` writes figures and texts for a paper, beside the page."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import pytest

import ari_estimator
from ari_estimator.reporting import get_methods

TEXTS = {"m.md": "markdown", "m.html": "html", "m.tex": "latex", "m.bib": "bibtex"}


@pytest.fixture
def report(run, files, tmp_path):
    """Return a function that runs ``ari report`` on a map."""

    def run_report(*options):
        out = ("--out", tmp_path / "report.html")
        return run("report", files.z, "--mask", files.mask, "--threshold", "2.5", *out, *options)

    return run_report


def test_texts_are_those_of_python(run, report, files, tmp_path):
    options = [option for name in TEXTS for option in ("--methods", tmp_path / "texts" / name)]
    assert report(*options).code == 0
    ari = ari_estimator.ClusterTDPTransformer(2.5, mask_img=str(files.mask)).fit(str(files.z))
    for name, output_format in TEXTS.items():
        text = (tmp_path / "texts" / name).read_text(encoding="utf-8")
        assert text == get_methods(ari, output_format=output_format)


def _assert_figures(folder, file_format, start):
    names = {f"{name}.{file_format}" for name in ("slices", "clusters", "strongest")}
    assert {path.name for path in folder.iterdir()} == names
    assert all(path.read_bytes().startswith(start) for path in folder.iterdir())


# png: below, with its resolutions.
@pytest.mark.parametrize(("file_format", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_figures_are_those_of_the_page(report, tmp_path, file_format, start):
    folder = tmp_path / "figures"
    assert report("--save-figures", folder, "--file-format", file_format).code == 0
    _assert_figures(folder, file_format, start)


def test_resolution(report, tmp_path):
    for dpi in (50, 100):
        options = ("--file-format", "png", "--dpi", dpi, "--force")
        assert report("--save-figures", tmp_path / str(dpi), *options).code == 0
        _assert_figures(tmp_path / str(dpi), "png", b"\x89PNG")
    low, high = (plt.imread(tmp_path / dpi / "clusters.png").shape for dpi in ("50", "100"))
    assert high[:2] == (2 * low[0], 2 * low[1])


def test_files_are_named_in_json(report, tmp_path):
    methods = tmp_path / "m.tex"
    told = json.loads(report("--json", "--methods", methods, "--save-figures", tmp_path / "f").out)
    assert told["files"]["methods m.tex"] == str(methods)
    assert told["files"]["figure slices.svg"] == str(tmp_path / "f" / "slices.svg")


def test_saved_results_have_figures_and_texts_too(run, files, tmp_path):
    run("adaptive", files.z, "--mask", files.mask, "--tdp", "0.5", "--out", tmp_path / "saved")
    options = ("--save-figures", tmp_path / "f", "--methods", tmp_path / "m.md")
    assert run("report", tmp_path / "saved", "--out", tmp_path / "r.html", *options).code == 0
    assert (tmp_path / "f" / "clusters_by_tdp.svg").exists()
    methods = (tmp_path / "m.md").read_text(encoding="utf-8")
    assert methods == get_methods(ari_estimator.load(tmp_path / "saved"))
    assert str(files.mask).replace("_", r"\_") in methods


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--dpi", "100"), "--dpi is for figures of --save-figures. Got none"),
        (("--file-format", "png"), "--file-format is for figures of --save-figures. Got none"),
        (("--save-figures", "{f}", "--file-format", "gif"), "--file-format must be one of"),
        *(
            (("--save-figures", "{f}", "--dpi", dpi), "--dpi must be a number of dots per inch")
            for dpi in ("0", "-1", "nan", "inf", "1e6")
        ),
        (("--methods", "{f}.txt"), "--methods must name a file that ends in .md, .html"),
        (("--methods", "{f}"), "--methods must name a file that ends in .md, .html"),
        (("--methods", "{folder}/report.html"), "which --out names, too"),
        (("--methods", "{f}.md", "--methods", "{f}.md"), "which --methods names, too"),
        (("--save-figures", "{z}"), "--save-figures must be a folder"),
    ],
    ids=str,
)
def test_what_has_no_effect_or_cannot_be_is_refused_before_work(
    refused, files, tmp_path, options, said
):
    given = {"f": tmp_path / "f", "folder": tmp_path, "z": files.z}
    arguments = ("--mask", files.mask, "--out", tmp_path / "report.html")
    options = [option.format(**given) for option in options]
    assert said in refused("report", files.z, *arguments, *options)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("existing", ["m.md", "f/strongest.svg"])
def test_existing_files_stay_without_force(report, tmp_path, existing):
    path = tmp_path / existing
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    options = ("--methods", tmp_path / "m.md", "--save-figures", tmp_path / "f")
    result = report(*options)
    assert result.code == 2
    assert "--force replaces it" in result.err
    assert path.read_text() == "mine"
    assert not (tmp_path / "report.html").exists()
    assert report(*options, "--force").code == 0
    assert path.read_text() != "mine"


def test_inputs_are_never_replaced(run, files, tmp_path):
    svg = files.folder / "slices.svg"
    svg.write_bytes(files.mask.read_bytes())
    result = run(
        "report", files.z, "--lut", svg, "--atlas", files.atlas, "--out", tmp_path / "r.html",
        "--save-figures", files.folder, "--force",
    )  # fmt: skip
    assert result.code == 2
    assert "which must stay" in result.err


def test_all_files_are_written_or_none(run, report, tmp_path, monkeypatch):
    from ari_estimator.reporting._report_figure import ReportFigure

    write = ReportFigure.write

    def failing(self, file, *args, **kwargs):
        if str(file).endswith("strongest.svg"):
            raise OSError("the disk is full")
        write(self, file, *args, **kwargs)

    monkeypatch.setattr(ReportFigure, "write", failing)
    options = ("--methods", tmp_path / "m.md", "--save-figures", tmp_path / "f")
    result = report(*options)
    assert result.code == 2
    assert "the disk is full" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
