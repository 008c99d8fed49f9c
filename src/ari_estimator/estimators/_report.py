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
    # The one import that runs upward, and only when a report is asked for.
    from ari_estimator.reporting import make_report

    return make_report(fitted, **options)
