"""The report of an estimator: one page with texts, tables and figures."""

from __future__ import annotations

from typing import Any

from nilearn.reporting import HTMLReport

from ari_estimator.estimators import PermutationCalibration
from ari_estimator.inference import FittedMap
from ari_estimator.reporting._methods import calibration_methods, map_methods
from ari_estimator.reporting._model_part import model_part
from ari_estimator.reporting._report_page import ReportContent, report_page
from ari_estimator.reporting._report_tables import set_rows, shown_rows
from ari_estimator.reporting._report_texts import calibration_reading, key_figures, tdp_reading
from ari_estimator.reporting._reported import MAX_SETS, reported

# Parameters that change no result, and that archives do not hold.
_OF_MACHINE = ("memory", "n_jobs", "verbose")


def make_report(
    fitted: Any,
    *,
    title: str | None = None,
    map_index: int | None = None,
    max_sets: int = MAX_SETS,
) -> HTMLReport:
    """Return a report: a page with texts, tables and figures, as from ``generate_report``.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel, FittedMap or PermutationCalibration
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, a
        fitted map, or a fitted calibration.

    title : str or None, default=None
        Title of the report.

    map_index : int or None, default=None
        Number of the map, if there are several.

    max_sets : int, default=50
        Maximum number of clusters or regions in the table.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The report. ``save_as_html`` writes it to a file, ``open_in_browser`` shows it, and
        ``save_figures`` writes its figures as SVG, PDF or PNG.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If ``fitted`` has another type, or ``title`` is not a string.
    ValueError
        If ``map_index`` is not the number of a map, or ``max_sets`` is not an integer of at least
        1.

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
    check_title(title)
    on = reported(fitted, map_index, max_sets)
    content = map_content(on, int(max_sets)) if isinstance(on, FittedMap) else _of_calibration(on)
    return report_page(content, title or type(fitted).__name__)


def check_title(title: Any) -> None:
    """Raise a TypeError if a title is not a text or None."""
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None. Got {type(title).__name__}.")


def map_content(fitted_map: FittedMap, max_sets: int) -> ReportContent:
    """Return what a report on a map says and shows.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    max_sets : int
        Maximum number of clusters or regions in tables and texts.

    Returns
    -------
    content : ReportContent
        The content.
    """
    # Imported only for reports, because tables do not need matplotlib.
    from ari_estimator.reporting._report_figures import map_figures

    description, group = fitted_map.describe(), fitted_map.asked_by.group
    first = [("Contrast", description["contrast"])] if description["contrast"] else []
    if group is not None:
        first.append(("Maps of subjects", f"{len(group.design):,}"))
    return ReportContent(
        reading=tdp_reading(fitted_map),
        key_figures=first + key_figures(fitted_map),
        table=set_rows(fitted_map, max_sets),
        figures=map_figures(fitted_map),
        methods=map_methods(fitted_map, max_sets),
        groups=[
            (description["estimator"], shown_rows(description["parameters"])),
            ("the test", shown_rows(description["test"]["values"])),
        ],
        model=None if group is None else model_part(group),
    )


def _of_calibration(calibration: PermutationCalibration) -> ReportContent:
    """Return what a report on a calibration says and shows."""
    from ari_estimator.reporting._report_figures import calibration_figures

    p_values, vector_at = calibration.p_values_, calibration.calibration_.at_lambda
    bound = calibration.critical_vector_.true_discoveries(p_values)
    low, high = calibration.lambda_interval_
    least, most = (vector_at(end).true_discoveries(p_values) for end in (low, high))
    is_sure = calibration.calibration_.is_exhaustive
    parts = calibration.calibration_.parts
    ends = [part.lambda_interval() for part in parts]
    interval = "exact: all permutations were used"
    if not is_sure:
        interval = " and ".join(f"{from_:.4g} to {to:.4g}" for from_, to in ends)
    parameters = calibration.get_params(deep=False)
    parameters = {name: one for name, one in parameters.items() if name not in _OF_MACHINE}
    by_seed = (
        [] if is_sure else [("Active, at the ends of this interval", f"{least:,} to {most:,}")]
    )
    return ReportContent(
        reading=calibration_reading(calibration),
        key_figures=[
            ("Elements tested", f"{calibration.p_values_.size:,}"),
            ("Active, at least", f"{bound:,}"),
            ("Permutations", f"{calibration.n_permutations_:,}, {calibration.scheme_}"),
            *(
                ("Level of each template", " and ".join(f"{part.alpha:.4g}" for part in parts))
                for _ in parts[1:2]
            ),
            ("λ", " and ".join(f"{part.lambda_:.4g}" for part in parts)),
            ("λ, 95 % Monte Carlo interval", interval),
            *by_seed,
            ("alpha", f"{calibration.calibration_.alpha:g}"),
        ],
        figures=calibration_figures(calibration),
        methods=calibration_methods(calibration),
        groups=[(type(calibration).__name__, shown_rows(parameters))],
    )
