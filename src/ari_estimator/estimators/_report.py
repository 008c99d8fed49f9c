"""Make the report of an estimator, with the room `reporting` above."""

from __future__ import annotations

from typing import Any

from nilearn.reporting import HTMLReport


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
    # This import and the one below are the only imports that run upward, and only for a report.
    from ari_estimator.reporting import make_report

    return make_report(fitted, **options)


def as_page(report: HTMLReport) -> HTMLReport:
    """Return a report of nilearn as a self-contained page.

    Parameters
    ----------
    report : nilearn.reporting.HTMLReport
        The report.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The same report, without files from other servers.
    """
    from ari_estimator.reporting._own_styles import with_own_styles

    return with_own_styles(report)
