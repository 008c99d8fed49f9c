"""Methods and results as Markdown, HTML, LaTeX or BibTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Final, Literal

from ari_estimator.reporting._latex import in_latex, needs_of
from ari_estimator.reporting._methods import Methods
from ari_estimator.reporting._references import as_bibtex, keys_of

MethodsFormat = Literal["markdown", "html", "latex", "bibtex"]


def as_markdown(methods: Methods) -> str:
    """Return methods and results as Markdown."""
    text = _as_text(methods, "## {}", _in_markdown, "- {}", "\n")
    if methods.checklist:
        rows = [f"| {_in_markdown(k)} | {_in_markdown(v)} |" for k, v in methods.checklist]
        text += "\n".join(["\n## Checklist\n", "| item | reported |", "| --- | --- |", *rows, ""])
    return text + _as_text_of_references(methods, "\n## References\n\n", "- {}", _in_markdown)


def as_html(methods: Methods) -> str:
    """Return methods and results as a part of a page."""
    parts = ["<h2>Methods</h2>", *(f"<p>{escape(text)}</p>" for text in methods.paragraphs)]
    if methods.results:
        parts += ["<h2>Results</h2>", _list_in_html(methods.results)]
    if methods.checklist:
        rows = [
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in methods.checklist
        ]
        parts += ["<h2>Checklist</h2>", "<table>", *rows, "</table>"]
    parts += ["<h2>References</h2>", _list_in_html(methods.references)]
    text = "\n".join(parts) + "\n"
    # The same in any encoding, since a part of a page cannot say its own.
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def as_latex(methods: Methods) -> str:
    """Return methods and results as sections of a LaTeX document, which needs no packages."""
    parts = ["\\section*{Methods}", "\n\n".join(map(in_latex, methods.paragraphs))]
    if methods.results:
        items = [f"  \\item {in_latex(text)}" for text in methods.results]
        parts += ["\\section*{Results}", "\\begin{itemize}", *items, "\\end{itemize}"]
    if methods.checklist:
        rows = [f"  {in_latex(k)} & {in_latex(v)} \\\\" for k, v in methods.checklist]
        parts += [
            "\\begin{table}[htbp]",
            "\\caption{Checklist after the COBIDAS guidelines.}",
            "\\begin{tabular}{p{0.22\\linewidth}p{0.7\\linewidth}}",
            *rows,
            "\\end{tabular}",
            "\\end{table}",
        ]
    keys = keys_of(methods.references)
    items = [
        f"  \\bibitem{{{key}}} {in_latex(text)}"
        for key, text in zip(keys, methods.references, strict=True)
    ]
    parts += [f"\\begin{{thebibliography}}{{{len(keys)}}}", *items, "\\end{thebibliography}"]
    text = "\n".join(parts) + "\n"
    return needs_of(text) + text


def bibtex_of(methods: Methods) -> str:
    """Return the references as BibTeX."""
    return as_bibtex(methods.references)


WRITERS: Final[dict[str, Callable[[Methods], str]]] = {
    "markdown": as_markdown,
    "html": as_html,
    "latex": as_latex,
    "bibtex": bibtex_of,
}


def _as_text(
    methods: Methods, heading: str, escaped: Callable[[str], str], item: str, end: str
) -> str:
    parts = [heading.format("Methods"), "", "\n\n".join(map(escaped, methods.paragraphs)), ""]
    if methods.results:
        parts += [heading.format("Results"), ""]
        parts += [item.format(escaped(text)) for text in methods.results]
    return "\n".join(parts).rstrip("\n") + end


def _as_text_of_references(
    methods: Methods, heading: str, item: str, escaped: Callable[[str], str]
) -> str:
    return heading + "".join(item.format(escaped(one)) + "\n" for one in methods.references)


def _in_markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", text)


def _list_in_html(items: list[str]) -> str:
    return "\n".join(["<ul>", *(f"<li>{escape(item)}</li>" for item in items), "</ul>"])
