"""How estimators reach what makes reports, which lies above them."""

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
    # With the one below the only imports that run upward, and only when a report is asked for.
    from ari_estimator.reporting import make_report

    return make_report(fitted, **options)


def as_page(report: HTMLReport) -> HTMLReport:
    """Return a report of nilearn as a page that needs nothing but itself.

    Parameters
    ----------
    report : nilearn.reporting.HTMLReport
        The report.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The same, without what nilearn takes from other servers.
    """
    from ari_estimator.reporting._own_styles import with_own_styles

    return with_own_styles(report)
