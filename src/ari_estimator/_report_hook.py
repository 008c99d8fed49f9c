"""Where the package puts in what makes reports.

Every estimator can report on itself, as in nilearn, while reports are made of tables and figures,
which lie above the estimators and know them. So the estimators know no more than that there is a
function, and the package, which knows all its parts, says which. It does so whenever any part of it
is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nilearn.reporting import HTMLReport

ReportMaker = Callable[..., "HTMLReport"]

_makers: list[ReportMaker] = []


def set_report_maker(maker: ReportMaker) -> None:
    """Say what makes reports.

    Parameters
    ----------
    maker : callable
        Takes a fitted estimator and options by name, and returns a report; see
        :func:`ari_estimator.reporting.make_report`.
    """
    _makers[:] = [maker]


def report_on(fitted: Any, **options: Any) -> HTMLReport:
    """Return a report on a fitted estimator.

    Parameters
    ----------
    fitted : estimator
        The estimator.

    **options : dict
        As for :func:`ari_estimator.reporting.make_report`.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The report.
    """
    return _makers[0](fitted, **options)
