"""A figure of a design matrix and of the weights of a contrast."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

# Names of more columns would cover each other.
_MOST_NAMES = 40


def draw_design(design: pd.DataFrame, weights: np.ndarray | None) -> Figure:
    """Draw a design and, above it, the weights of a contrast.

    Parameters
    ----------
    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    weights : ndarray of shape (n_rows, n_columns) or None
        The contrast; None for the design alone.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    """
    values = design.to_numpy(dtype=np.float64)
    n_rows, n_columns = values.shape
    n_weights = 0 if weights is None else len(weights)
    width = float(np.clip(0.55 * n_columns + 2.2, 3.6, 9))
    figure, panels = plt.subplots(
        1 if weights is None else 2,
        1,
        figsize=(width, 3.9 + 0.25 * min(n_weights, 6)),
        height_ratios=None if weights is None else [0.4 * min(n_weights, 6), 3.0],
        layout="constrained",
        squeeze=False,
    )
    design_axes = panels[-1, 0]
    largest = np.abs(values).max(axis=0)
    scaled = values / np.where(largest > 0, largest, 1)
    look = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1, "aspect": "auto", "interpolation": "nearest"}
    picture = design_axes.imshow(scaled, **look)
    bar = figure.colorbar(picture, ax=design_axes, shrink=0.8)
    bar.set_label("scaled value")
    design_axes.set_ylabel("Map")
    design_axes.set_xticks([])
    if n_rows <= 30:
        design_axes.set_yticks(range(n_rows), [str(k + 1) for k in range(n_rows)], fontsize=7)
    top = panels[0, 0]
    if weights is not None:
        scale = np.abs(weights).max() or 1
        top.imshow(weights / scale, **look)
        if n_columns * n_weights <= 120:
            for (row, column), weight in np.ndenumerate(weights):
                dark = abs(weight) > 0.6 * scale
                top.text(
                    column, row, f"{weight:.3g}", ha="center", va="center",
                    color="white" if dark else "black", fontsize=8,
                )  # fmt: skip
        top.set_yticks([])
        top.set_ylabel("Contrast", rotation=0, ha="right", va="center")
    top.set_xticks([])
    if n_columns <= _MOST_NAMES:
        top.xaxis.tick_top()
        top.set_xticks(range(n_columns))
        for label, name in zip(
            top.set_xticklabels([""] * n_columns, rotation=40, ha="left"),
            design.columns,
            strict=True,
        ):
            label.set_parse_math(False)
            label.set_text(_shortened(str(name)))
        # Texts of ticks are set again when they are drawn, from the formatter.
        top.set_xticklabels(
            [_shortened(str(name)) for name in design.columns],
            rotation=40, ha="left", fontsize=8, parse_math=False,
        )  # fmt: skip
    return figure


def _shortened(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
