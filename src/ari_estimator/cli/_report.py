"""``ari report``: a page with tables, figures and methods."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import name_of
from ari_estimator.cli._options import MapOptions, SetOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._pages import PageOptions, saved


def report(
    source: MapOptions,
    sets: SetOptions,
    page: PageOptions,
    talk: TalkOptions,
    max_sets: Annotated[int, Option(help="Rows of the table, at most.")] = 50,
) -> Outcome:
    """Write a report of a map: its clusters or regions with figures, and methods to paste.

    MAP may also be what --out of another command has written, a file ..._ari.npz or its folder.
    """
    import matplotlib

    from ari_estimator.interfaces import load
    from ari_estimator.reporting import make_report

    matplotlib.use("agg")
    archive = saved(source)
    out = page.check(name_of(archive or source.maps[0]), "_report.html")
    if archive is None:
        stat_img, parameters = source.read()
        fitted = sets.transformer(parameters, source.mesh)
        fitted.fit_transform(stat_img)
    elif sets != SetOptions():
        raise ValueError("Options of sets are for maps: what was saved before has its sets.")
    else:
        fitted = load(archive)
    document = make_report(fitted, title=page.title, max_sets=max_sets)
    page.write(document.html, out)
    return Outcome("Open it in a browser.", files={"report": out})
