"""The page of a report, from what it says and shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ari_estimator._page_policy import with_policy
from ari_estimator._page_templates import templates_of
from ari_estimator._software import package_versions
from ari_estimator._version import __version__
from ari_estimator.reporting._methods import Methods
from ari_estimator.reporting._methods_formats import as_latex, as_markdown
from ari_estimator.reporting._page_report import PageReport
from ari_estimator.reporting._references import as_bibtex
from ari_estimator.reporting._report_figure import ReportFigure
from ari_estimator.reporting._report_tables import PlainTable, SetRows

_TEMPLATES = templates_of("ari_estimator.reporting", "templates")


@dataclass(frozen=True)
class ModelPart:
    """The part of a report on a group model.

    Attributes
    ----------
    facts : list of (str, str)
        Names and values.

    figure : ReportFigure
        The design and the contrast.

    subjects : PlainTable
        A row for each map.
    """

    facts: list[tuple[str, str]]
    figure: ReportFigure
    subjects: PlainTable


@dataclass(frozen=True)
class ContrastPart:
    """The part of a report on the map of one contrast.

    Attributes
    ----------
    name : str
        The contrast.

    says : str
        How the map was thresholded.

    figure : ReportFigure or None
        The map; None if no value exceeds the threshold.

    table : PlainTable or None
        Its clusters; None if there are none.
    """

    name: str
    says: str
    figure: ReportFigure | None
    table: PlainTable | None


@dataclass(frozen=True)
class TestedContrast:
    """The part of a report on one of several contrasts that were tested together.

    Attributes
    ----------
    name : str
        The contrast.

    says : str
        Its bound.

    table : SetRows
        Clusters or regions.

    figures : list of ReportFigure
        The figures.
    """

    name: str
    says: str
    table: SetRows
    figures: list[ReportFigure]


@dataclass(frozen=True)
class ReportContent:
    """What a report says and shows.

    Attributes
    ----------
    reading : str
        How to read it.

    key_figures : list of (str, str)
        The most important numbers.

    methods : Methods
        Methods, results and references.

    groups : list of (str, list of (str, str))
        Parameters.

    table : SetRows or None
        Clusters or regions.

    figures : list of ReportFigure
        The figures.

    model : ModelPart or None
        The group model.

    contrasts : list of ContrastPart
        Maps of contrasts.

    tested : list of TestedContrast
        Contrasts that were tested together; empty for a single map.
    """

    reading: str
    key_figures: list[tuple[str, str]]
    methods: Methods
    groups: list[tuple[str, list[tuple[str, str]]]]
    table: SetRows | None = None
    figures: list[ReportFigure] = field(default_factory=list)
    model: ModelPart | None = None
    contrasts: list[ContrastPart] = field(default_factory=list)
    tested: list[TestedContrast] = field(default_factory=list)


def report_page(content: ReportContent, title: str) -> PageReport:
    """Return the page of a report.

    Parameters
    ----------
    content : ReportContent
        What it says and shows.

    title : str
        Its title.

    Returns
    -------
    report : PageReport
        The page, which needs no other file and asks for none.
    """
    body = _TEMPLATES.get_template("body.jinja").render(
        title=title,
        date=datetime.now().replace(microsecond=0).isoformat(sep=" "),
        versions=package_versions(),
        content=content,
        formats=[
            ("Markdown", as_markdown(content.methods)),
            ("LaTeX", as_latex(content.methods)),
            ("BibTeX", as_bibtex(content.methods.references)),
        ],
    )
    page = _TEMPLATES.get_template("page.jinja")
    html = page.render(body=body, title=title, version=__version__)
    figures = [*content.figures]
    if content.model is not None:
        figures.append(content.model.figure)
    figures += [figure for part in content.tested for figure in part.figures]
    figures += [part.figure for part in content.contrasts if part.figure is not None]
    return PageReport(with_policy(html), body, figures)
