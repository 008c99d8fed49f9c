"""``ari report``: a page with tables, figures and a methods text."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import name_of
from ari_estimator.cli._map_options import MapOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._pages import saved
from ari_estimator.cli._report_files import ReportOptions
from ari_estimator.cli._results import summary_of
from ari_estimator.cli._set_options import SetOptions


def report(
    source: MapOptions,
    sets: SetOptions,
    page: ReportOptions,
    talk: TalkOptions,
    max_sets: Annotated[
        int, Option(help="Maximum number of clusters or regions in the table and texts.")
    ] = 50,
) -> Outcome:
    """Write a report of a map: clusters or regions, figures, and a methods text for your paper.

    --save-figures writes the figures as files of their own, --methods the texts.

    MAP may also be a result of another command: a file ..._ari.npz, or its folder.
    """
    import matplotlib

    from ari_estimator.estimators._as_fitted_map import as_fitted_map
    from ari_estimator.interfaces import load
    from ari_estimator.reporting import make_report

    matplotlib.use("agg")
    archive = saved(source)
    name = source.name if archive is None else name_of(archive)
    out = page.check(name, "_report.html")
    page.check_files(out)
    if archive is None:
        stat_img, parameters = source.read()
        fitted = sets.transformer(parameters, source.mesh)
        fitted.fit_transform(stat_img)
    elif sets != SetOptions():
        raise ValueError(
            "Options of sets are only for maps. A saved result has its sets: leave them out."
        )
    else:
        fitted = load(archive)
    document = make_report(fitted, title=page.title or f"TDP of {name}", max_sets=max_sets)
    files = page.write_all(document, fitted, max_sets, out)
    if archive is None:
        tested = summary_of(as_fitted_map(fitted), source.mask)
        if (called := source.map_in_words(stat_img)) is not None:
            tested = f"{tested} {called}"
    else:
        tested = f"The mask and the statistic are as saved in {archive}."
    return Outcome(f"{tested}\nOpen the report in a browser.", files=files)
