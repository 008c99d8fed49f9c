"""The part of a report on a group model: its subjects, its design and its contrast."""

from __future__ import annotations

import numpy as np

from ari_estimator.inference._group_model import GroupModel
from ari_estimator.reporting._report_figure import ReportFigure
from ari_estimator.reporting._report_page import ModelPart
from ari_estimator.reporting._report_tables import PlainTable


def model_part(group: GroupModel) -> ModelPart:
    """Return the part of a report on a group model.

    Parameters
    ----------
    group : GroupModel
        The model.

    Returns
    -------
    part : ModelPart
        Facts, the design as a figure, and a table of subjects.
    """
    # Imported only for reports, because tables do not need matplotlib.
    from ari_estimator.reporting._design_figure import draw_design

    facts = [
        ("Maps of subjects", f"{len(group.design):,}"),
        ("Columns of the design", f"{len(group.design.columns):,}"),
        ("Mask", group.mask),
        ("Smoothing", group.smoothing or "none"),
        ("Variance", group.variance_groups or "one common variance"),
    ]
    caption = (
        "The design: a row for each map, a column for each regressor. Each column is scaled to its "
        "largest absolute value."
    )
    if group.weights is not None:
        facts.insert(2, ("Contrast", f"{group.contrast} (weights {group.weights_in_words})"))
        caption += f" Top: the weights of the contrast {group.contrast}."
    if group.missing is not None:
        facts.append(("Missing values of subjects", group.missing))
    if group.blocks is not None:
        facts.append(("Exchangeability blocks", group.blocks))
    values = group.design.to_numpy(dtype=np.float64)
    rows = [
        [name, *(f"{value:.4g}" for value in row)]
        for name, row in zip(group.subjects, values, strict=True)
    ]
    return ModelPart(
        facts,
        ReportFigure("design", lambda: draw_design(group.design, group.weights), caption),
        PlainTable(["Map", *(str(column) for column in group.design.columns)], rows),
    )
