"""The report of a group model: its subjects, design, contrasts and TDPs on one page."""

from __future__ import annotations

from typing import Any

from nilearn.reporting import HTMLReport

from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.inference._group_model import GroupModel
from ari_estimator.reporting._contrast_maps import ContrastMaps
from ari_estimator.reporting._joint_report import fitted_maps_of, joint_content
from ari_estimator.reporting._methods import model_methods
from ari_estimator.reporting._model_part import model_part
from ari_estimator.reporting._report import check_title, map_content
from ari_estimator.reporting._report_page import ReportContent, report_page
from ari_estimator.reporting._report_tables import shown_rows
from ari_estimator.reporting._reported import MAX_SETS


def make_model_report(model: Any, *, title: str | None, **options: Any) -> HTMLReport:
    """Return the report of a group model.

    Parameters
    ----------
    model : ARISecondLevelModel
        A fitted model.

    title : str or None
        Title of the report.

    **options : dict
        The attributes of :class:`ContrastMaps`.

    Returns
    -------
    report : nilearn.reporting.HTMLReport
        The report.

    Raises
    ------
    TypeError
        If the title is not a string.
    ValueError
        If an option is unknown, out of range or without effect.
    """
    check_title(title)
    maps = ContrastMaps(**options)
    maps.check()
    # The maps come first, so that the model keeps the TDPs of its last contrast.
    parts = maps.parts(model)
    if together := fitted_maps_of(model):
        content = joint_content(together, model.joint_test_, MAX_SETS)
    elif getattr(model, "transformer_", None) is not None:
        content = map_content(as_fitted_map(model), MAX_SETS)
    else:
        group = GroupModel.of(model, None, None, None)
        content = ReportContent(
            reading=(
                "This report shows the model. For true discovery proportions (TDPs), call "
                'compute_contrast(output_type="tdp") before generate_report.'
            ),
            key_figures=[("Maps of subjects", f"{len(group.design):,}")],
            methods=model_methods(group),
            groups=[(type(model).__name__, shown_rows(model.get_params(deep=False)))],
            model=model_part(group),
        )
    content.contrasts.extend(parts)
    return report_page(content, title or type(model).__name__)
