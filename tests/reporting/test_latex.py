"""Methods and tables as LaTeX: LaTeX compiles them, whatever names of regions and files contain."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from nilearn.image import new_img_like

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.reporting import get_methods, get_tdp_table
from ari_estimator.reporting._latex import in_latex, needs_of

needs_tex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")

SPECIAL = r"50 % of a_b & $x^2$ {#1} ~\frac <i>|--,,''`? [x] “q” - β≥λ"
ACCENTS = "Hirnstamm über ą, ð, ş and e\N{COMBINING ACUTE ACCENT}"


@pytest.fixture(scope="module")
def regions(motor_img, tmp_path_factory):
    """Return a transformer with names of regions and files that LaTeX would trip over."""
    labels = np.ones(motor_img.shape, dtype=np.int32)
    labels[20:] = 2
    labels[30:] = 3
    path = tmp_path_factory.mktemp("a folder") / "50%_{#1}_$x^2$~&.nii"
    new_img_like(motor_img, (motor_img.get_fdata() != 0).astype("u1")).to_filename(path)
    names = [SPECIAL, ACCENTS, "two\nlines\tand tabs"]
    regions = RegionTDPTransformer(
        new_img_like(motor_img, labels), labels=names, mask_img=str(path)
    )
    return regions.fit(motor_img)


def compiled(folder, body, preamble=r"\usepackage[T1]{fontenc}", bibliography=None):
    """Return the log of LaTeX for a document, which must compile."""
    if bibliography is not None:
        (folder / "refs.bib").write_text(bibliography, encoding="utf-8")
    (folder / "body.tex").write_text(body, encoding="utf-8")
    lines = [r"\documentclass{article}", preamble, r"\begin{document}", r"\input{body.tex}"]
    (folder / "paper.tex").write_text("\n".join([*lines, r"\end{document}"]), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Missing character" not in log
    return log


@needs_tex
def test_methods_compile(regions, tmp_path):
    compiled(tmp_path, get_methods(regions, output_format="latex"))


@needs_tex
def test_methods_without_accents_need_no_package(motor_img, tmp_path):
    ari = ClusterTDPTransformer(4, two_sided=True).fit(motor_img)
    compiled(tmp_path, get_methods(ari, output_format="latex"), preamble="")


@needs_tex
def test_tables_compile(regions, motor_img, tmp_path):
    two_sided = ClusterTDPTransformer([4, 5], two_sided=True).fit(motor_img)
    for fitted in (regions, two_sided):
        table = get_tdp_table(fitted).rename(columns=in_latex)
        for column in table.select_dtypes(exclude="number"):
            table[column] = table[column].map(lambda one: in_latex(str(one)))
        packages = r"\usepackage[T1]{fontenc}\usepackage{booktabs}"
        compiled(tmp_path, table.to_latex(index=False), packages)


@needs_tex
@pytest.mark.skipif(shutil.which("bibtex") is None, reason="needs bibtex")
def test_references_compile(regions, tmp_path):
    references = get_methods(regions, output_format="bibtex")
    body = r"\nocite{*}\bibliographystyle{plain}\bibliography{refs}"
    compiled(tmp_path, body, bibliography=references)
    done = subprocess.run(["bibtex", "paper"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    compiled(tmp_path, body)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("x = -37, (-2) and 1-2", "x = $-$37, ($-$2) and 1-2"),
        ("a--b,,c''d", "a-{}-b,{},c'{}'d"),
        ("p/q", r"p/\allowbreak{}q"),
        ("λ, Γ and \N{GREEK CAPITAL LETTER ALPHA}", r"$\lambda$, $\Gamma$ and A"),
        ("two\nlines \t here", "two lines here"),
        ("a\x1bb\x00c", "a?b?c"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("脳", "脳"),
    ],
)
def test_text_is_escaped(text, code):
    assert in_latex(text) == code


@pytest.mark.parametrize(
    ("text", "said"), [("a", ""), ("é", r"\usepackage[T1]{fontenc}"), ("脳 é", "XeLaTeX")]
)
def test_what_letters_need_is_said(text, said):
    comment = needs_of(text)
    assert said in comment
    assert bool(comment) == bool(said)


def test_methods_say_what_their_letters_need(motor_img, regions):
    assert get_methods(regions, output_format="latex").startswith(r"% Put \usepackage[T1]{fontenc}")
    labels = new_img_like(motor_img, np.ones(motor_img.shape, dtype=np.int32))
    brain = RegionTDPTransformer(labels, labels=["脳"]).fit(motor_img)
    text = get_methods(brain, output_format="latex")
    assert text.startswith("% Compile this with XeLaTeX or LuaLaTeX")
    assert "Region 脳 (" in text


def test_html_is_the_same_in_any_encoding(regions):
    text = get_methods(regions, output_format="html")
    assert text.isascii()
    assert "&#946;&#8805;&#955;" in text
