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


def model_report_on(model: Any, **options: Any) -> HTMLReport:
    """Return a report on a fitted group model.

    Parameters
    ----------
    model : ARISecondLevelModel
        The model.

    **options : dict
        The parameters of nilearn's ``generate_report``, without the size in notebooks.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The report.
    """
    from ari_estimator.reporting._model_report import make_model_report

    return make_model_report(model, **options)
