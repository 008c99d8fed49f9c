"""The report of an estimator: one page with texts, tables and figures."""

from __future__ import annotations

from datetime import datetime
from numbers import Integral
from typing import Any

from nilearn.reporting import HTMLReport
from sklearn.utils.validation import check_is_fitted

from ari_estimator._page_policy import with_policy
from ari_estimator._page_templates import templates_of
from ari_estimator._software import package_versions
from ari_estimator._unused_options import refuse_unused
from ari_estimator._version import __version__
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.inference import FittedMap
from ari_estimator.reporting._own_styles import with_own_styles
from ari_estimator.reporting._page_report import PageReport
from ari_estimator.reporting._report_methods import Methods, calibration_methods, tdp_methods
from ari_estimator.reporting._report_tables import set_rows, shown_rows
from ari_estimator.reporting._report_texts import calibration_reading, key_figures, tdp_reading

_TEMPLATES = templates_of("ari_estimator.reporting", "templates")


def make_report(
    fitted: Any,
    *,
    title: str | None = None,
    map_index: int | None = None,
    max_sets: int = 50,
    append_to: HTMLReport | None = None,
) -> HTMLReport:
    """Return the report of an estimator, as its ``generate_report`` does.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel, FittedMap or PermutationCalibration
        A transformer that was fitted to a map, a model after
        ``compute_contrast(output_type="tdp")``, what either keeps of a map, or a fitted
        calibration.

    title : str or None, default=None
        Title of the report.

    map_index : int or None, default=None
        Which of the maps is meant, if there are several.

    max_sets : int, default=50
        Number of clusters or regions in the table, at most.

    append_to : nilearn.reporting.HTMLReport or None, default=None
        A report to add this one to, at its end; it is changed.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The report.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If there is nothing to report yet.
    TypeError
        If ``fitted`` is none of these, or ``title`` is no text.
    ValueError
        If ``map_index`` names no map, or ``max_sets`` is no integer of at least 1.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> ari = ClusterTDPTransformer(threshold=4)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> report = ari.generate_report(title="Button press")
    >>> "Button press" in str(report)
    True
    """
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None. Got {type(title).__name__}.")
    if not isinstance(max_sets, Integral) or max_sets < 1:
        raise ValueError(f"max_sets must be an integer, at least 1. Got {max_sets!r}.")
    if isinstance(fitted, PermutationCalibration):
        check_is_fitted(fitted)
        refuse_unused(
            "for a calibration, which has no maps and no table",
            {"map_index": (map_index, None), "max_sets": (max_sets, 50)},
        )
        content = _of_calibration(fitted)
    else:
        content = _of_map(as_fitted_map(fitted, map_index), int(max_sets))
    default = type(fitted).__name__
    if append_to is not None:
        default = "True discovery proportions"
    shared = {
        "title": title or default,
        "date": datetime.now().replace(microsecond=0).isoformat(sep=" "),
        "versions": package_versions(),
    }
    body = _TEMPLATES.get_template("body.jinja").render(**shared, **content)
    if append_to is not None:
        return with_own_styles(append_to, body)
    page = _TEMPLATES.get_template("page.jinja")
    html = page.render(body=body, title=shared["title"], version=__version__)
    return PageReport(with_policy(html), body)


def _of_map(fitted_map: FittedMap, max_sets: int) -> dict[str, Any]:
    """Return what the template is filled with, for a map."""
    # Imported when a report is made: tables do without matplotlib.
    from ari_estimator.reporting._report_figures import map_figures

    description = fitted_map.describe()
    contrast = description["contrast"]
    groups = [(description["estimator"], shown_rows(description["parameters"]))]
    groups.append(("the test", shown_rows(description["test"]["values"])))
    return _content(
        reading=tdp_reading(fitted_map),
        key_figures=([("Contrast", contrast)] if contrast else []) + key_figures(fitted_map),
        table=set_rows(fitted_map, max_sets),
        figures=map_figures(fitted_map),
        methods=tdp_methods(description),
        groups=groups,
    )


def _of_calibration(calibration: PermutationCalibration) -> dict[str, Any]:
    """Return what the template is filled with, for a calibration."""
    from ari_estimator.reporting._report_figures import calibration_figures

    p_values, vector_at = calibration.p_values_, calibration.calibration_.at_lambda
    bound = calibration.critical_vector_.true_discoveries(p_values)
    low, high = calibration.lambda_interval_
    least, most = (vector_at(end).true_discoveries(p_values) for end in (low, high))
    is_sure = calibration.calibration_.is_exhaustive
    interval = "exact: all permutations were taken" if is_sure else f"{low:.6g} to {high:.6g}"
    by_seed = [] if is_sure else [("Active at the ends of it", f"{least:,} to {most:,}")]
    return _content(
        reading=calibration_reading(calibration),
        key_figures=[
            ("Elements tested", f"{calibration.p_values_.size:,}"),
            ("Active, at least", f"{bound:,}"),
            ("Permutations", f"{calibration.n_permutations_:,}, {calibration.scheme_}"),
            ("λ", f"{calibration.lambda_:.6g}"),
            ("λ, 95 % Monte Carlo interval", interval),
            *by_seed,
            ("alpha", f"{calibration.calibration_.alpha:g}"),
        ],
        table=None,
        figures=calibration_figures(calibration),
        methods=calibration_methods(calibration),
        groups=[(type(calibration).__name__, shown_rows(calibration.get_params(deep=False)))],
    )


def _content(*, methods: Methods, **content: Any) -> dict[str, Any]:
    return {"methods": methods.text, "references": methods.references, **content}
