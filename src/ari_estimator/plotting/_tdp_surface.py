"""Draw the TDP of clusters on surfaces together with the statistic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from nilearn.surface import SurfaceImage

from ari_estimator.images._mesh_curvature import folds
from ari_estimator.plotting._colour_bar import draw_colour_bar
from ari_estimator.plotting._figure import (
    ONE_SIDED_CMAP,
    TDP_CMAP,
    check_size,
    figure_file,
    figure_of,
    in_plain_text,
    written,
)
from ari_estimator.plotting._mesh_raster import MeshRaster, angles_of, rasterise
from ari_estimator.plotting._shown_map import NOT_ZERO, shown_or_given

_STAT_CMAP = "RdBu_r"

# Lightness of the darkest and the lightest part of a given background.
_DARKEST, _LIGHTEST = 0.35, 0.85


@in_plain_text
def plot_tdp_surface(
    stat_img: Any,
    tdp_img: SurfaceImage | None = None,
    *,
    bg_map: SurfaceImage | None = None,
    views: Sequence[str | tuple[float, float]] = ("lateral", "medial"),
    threshold: float | None = None,
    two_sided: bool | None = None,
    map_index: int | None = None,
    axes: Any = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> np.ndarray:
    """Draw a map on surfaces and, below it, the true discovery proportion of its clusters.

    Parameters
    ----------
    stat_img : SurfaceImage, transformer, ARISecondLevelModel or FittedMap
        The statistical map, of one or both hemispheres. Or a fitted transformer, model or map,
        which also has the TDPs, the threshold and the side of the test. For a CIFTI map, the
        cortex is drawn.

    tdp_img : SurfaceImage or None, default=None
        True discovery proportions, as from
        :class:`~ari_estimator.ClusterTDPTransformer`, on the same meshes. None if ``stat_img`` is
        fitted.

    bg_map : SurfaceImage or None, default=None
        Background of the maps, such as sulcal depth. None for the curvature of the mesh, which an
        inflated mesh does not show.

    views : sequence of str or (float, float), default=("lateral", "medial")
        Views of each hemisphere: "lateral", "medial", "dorsal", "ventral", "anterior",
        "posterior", or the elevation and the azimuth in degrees.

    threshold : float or None, default=None
        The statistic is drawn where its absolute value exceeds this threshold. None for the
        lowest threshold of the clusters if ``stat_img`` is fitted, and everywhere otherwise.

    two_sided : bool or None, default=None
        Whether to draw negative values of the statistic. Set it to False for the images of a
        one-sided test. None for the side of the test if ``stat_img`` is fitted, and for both
        sides otherwise.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    axes : array-like of matplotlib axes of shape (2, n_panels), or None, default=None
        Axes for the statistic (first row) and the TDP (second row). There is one panel for each
        view of the left hemisphere, followed by the views of the right hemisphere in reverse order.
        None for a new figure.

    title : str, default=""
        Title of the figure.

    figsize : (float, float) or None, default=None
        Width and height of a new figure, in inches; None for a size that suits the content.

    output_file : str, Path or None, default=None
        File for the figure, which is written completely or not at all. Its extension chooses the
        format: ``.png``, or ``.svg`` and ``.pdf`` for vector graphics. The figure is closed
        afterwards. A ``~`` at the start means the home folder.

    dpi : float or None, default=None
        Resolution of the file, in dots per inch; None for 300.

    Returns
    -------
    axes : ndarray of matplotlib.axes.Axes of shape (2, n_panels)
        The panels, each with one picture. The colour scale of the TDPs is always 0 to 1.

    Raises
    ------
    TypeError
        If an image is not a surface or missing, or ``axes`` are other axes.
    ValueError
        If ``figsize`` or ``dpi`` is not positive or has no effect; if the images have
        different hemispheres or several maps, or a hemisphere other than left and right; or
        if ``views`` is empty or has an unknown view.
    OSError
        If ``output_file`` cannot be written, for example because it is a folder.

    See Also
    --------
    plot_tdp : For volumes.

    Notes
    -----
    Each pixel shows the value of the nearest vertex, so each colour is a value of the map. The
    panels are pictures of about 600 pixels, in vector graphics too.

    Examples
    --------
    >>> import numpy as np
    >>> from nilearn.datasets import load_fsaverage
    >>> from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.plotting import plot_tdp_surface
    >>> mesh = load_fsaverage("fsaverage5")["inflated"]
    >>> rng = np.random.default_rng(0)
    >>> z_img = SurfaceImage(
    ...     mesh, {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
    ... )
    >>> tdp_img = ClusterTDPTransformer(2).fit_transform(z_img)
    >>> axes = plot_tdp_surface(z_img, tdp_img, views=["lateral"])
    >>> axes.shape
    (2, 2)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file, stat_img, tdp_img)
    stat_img, tdp_img, threshold, two_sided = shown_or_given(
        stat_img,
        tdp_img,
        kind="surfaces",
        threshold=threshold,
        two_sided=two_sided,
        map_index=map_index,
    )
    stat, tdp = _values(stat_img, "stat_img"), _values(tdp_img, "tdp_img")
    sizes = [{hemi: data.size for hemi, data in parts.items()} for parts in (stat, tdp)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "stat_img and tdp_img must lie on the same meshes. "
            f"Got vertices {sizes[0]} and {sizes[1]}."
        )
    if isinstance(views, str) or not len(views):
        raise ValueError(f"views must be a sequence of at least one view. Got {views!r}.")
    # Lateral views at both ends, medial views in between.
    panels = [("left", view) for view in views] + [("right", view) for view in reversed(views)]
    panels = [panel for panel in panels if panel[0] in stat]
    if not two_sided:
        stat = {hemi: np.where(data > 0, data, 0) for hemi, data in stat.items()}
    largest = float(max(np.nanmax(np.abs(data), initial=0) for data in stat.values())) or 1.0
    of_stat = (_STAT_CMAP, -largest) if two_sided else (ONE_SIDED_CMAP, 0.0)
    rows = (
        ("Statistic", stat, *of_stat, largest, threshold or NOT_ZERO),
        ("True discovery proportion, at least", tdp, TDP_CMAP, 0.0, 1.0, NOT_ZERO),
    )
    greys = _greys(bg_map, stat_img, sizes[0])
    rasters = [
        rasterise(part.coordinates, part.faces, *angles_of(view, hemi))
        for hemi, view in panels
        for part in [stat_img.mesh.parts[hemi]]
    ]
    drawn_on = (
        _new_panels(len(panels), figsize, bool(title))
        if axes is None
        else _given_panels(axes, len(panels))
    )
    figure = figure_of(drawn_on[0, 0])
    for row_axes, (name, values, cmap, vmin, vmax, above) in zip(drawn_on, rows, strict=True):
        colours = ScalarMappable(Normalize(vmin, vmax), cmap)
        for one, (hemi, view), raster in zip(row_axes, panels, rasters, strict=True):
            _draw_panel(one, raster, values[hemi], greys[hemi], colours, above)
            one.set_title(f"{hemi}, {_in_words(view)}", fontsize=9)
        if axes is None:
            place = row_axes[-1].get_position()
            bar_axes = figure.add_axes((0.93, place.y0, 0.015, place.height))
            figure.text(0.012, place.y1 + 0.075, name, fontsize=12)
            draw_colour_bar(figure, colours, above, cax=bar_axes)
        else:
            bar = draw_colour_bar(figure, colours, above, ax=list(row_axes))
            bar.set_label(name)
    figure.suptitle(title, parse_math=False)
    written(figure, figure_path, dpi)
    return drawn_on


def plot_stat_surface(
    stat_img: SurfaceImage, *, bg_map: SurfaceImage | None, threshold: float, two_sided: bool
) -> None:
    """Draw a thresholded map on surfaces, in a new figure with one row of panels.

    Parameters
    ----------
    stat_img : SurfaceImage
        The map, of one or both hemispheres.

    bg_map : SurfaceImage or None
        Background; None for the curvature of the mesh.

    threshold : float
        The map is drawn where its absolute value is at least this threshold.

    two_sided : bool
        Whether to draw negative values.
    """
    stat = _values(stat_img, "stat_img")
    panels = [
        (hemi, view)
        for hemi, views in (("left", ("lateral", "medial")), ("right", ("medial", "lateral")))
        for view in views
        if hemi in stat
    ]
    if not two_sided:
        stat = {hemi: np.where(data > 0, data, 0) for hemi, data in stat.items()}
    largest = float(max(np.nanmax(np.abs(data), initial=0) for data in stat.values())) or 1.0
    colours = ScalarMappable(
        Normalize(-largest if two_sided else 0.0, largest),
        _STAT_CMAP if two_sided else ONE_SIDED_CMAP,
    )
    greys = _greys(bg_map, stat_img, {hemi: data.size for hemi, data in stat.items()})
    figure, row = plt.subplots(
        1, len(panels), figsize=(2.6 * len(panels) + 1, 2.4), squeeze=False, layout="constrained"
    )
    for one, (hemi, view) in zip(row[0], panels, strict=True):
        part = stat_img.mesh.parts[hemi]
        raster = rasterise(part.coordinates, part.faces, *angles_of(view, hemi))
        _draw_panel(one, raster, stat[hemi], greys[hemi], colours, np.nextafter(threshold, 0))
        one.set_title(f"{hemi}, {view}", fontsize=9)
    draw_colour_bar(figure, colours, threshold, ax=list(row[0]))


def _draw_panel(
    axes: Axes,
    raster: MeshRaster,
    values: np.ndarray,
    greys: np.ndarray,
    colours: ScalarMappable,
    threshold: float,
) -> None:
    """Draw one view of a hemisphere."""
    is_mesh = raster.vertices >= 0
    vertices = raster.vertices[is_mesh]
    picture = np.zeros((*raster.vertices.shape, 4))
    # The background is shaded, for depth. The colours of values come from the colour bar.
    shaded = greys[vertices] * (0.6 + 0.4 * raster.light[is_mesh])
    of_pixels = np.column_stack([shaded, shaded, shaded, np.ones(shaded.size)])
    is_drawn = np.abs(np.nan_to_num(values[vertices])) > threshold
    of_pixels[is_drawn] = colours.to_rgba(values[vertices[is_drawn]])
    picture[is_mesh] = of_pixels
    axes.imshow(picture, interpolation="nearest")
    axes.axis("off")


def _greys(
    bg_map: SurfaceImage | None, stat_img: SurfaceImage, sizes: dict[str, int]
) -> dict[str, np.ndarray]:
    """Return the lightness of the background at each vertex."""
    if bg_map is None:
        # Shades are from 0, white, to 1, black.
        return {hemi: 1 - np.asarray(data) for hemi, data in folds(stat_img).data.parts.items()}
    given = _values(bg_map, "bg_map")
    if {hemi: data.size for hemi, data in given.items()} != sizes:
        raise ValueError(
            f"bg_map must lie on the same meshes as stat_img, with vertices {sizes}. "
            f"Got { ({hemi: data.size for hemi, data in given.items()}) }."
        )
    low = min(np.nanmin(data) for data in given.values())
    high = max(np.nanmax(data) for data in given.values())
    share = {
        hemi: (np.nan_to_num(data) - low) / ((high - low) or 1) for hemi, data in given.items()
    }
    return {hemi: _LIGHTEST - (_LIGHTEST - _DARKEST) * part for hemi, part in share.items()}


def _in_words(view: str | tuple[float, float]) -> str:
    return view if isinstance(view, str) else f"from {view[0]:g}°, {view[1]:g}°"


def _new_panels(n_panels: int, figsize: tuple[float, float] | None, has_title: bool) -> np.ndarray:
    """Return the axes of a new figure, of shape (2, n_panels)."""
    top = 0.80 if has_title else 0.88
    _, panels = plt.subplots(
        2,
        n_panels,
        figsize=figsize or (2.6 * n_panels + 1.0, 5.4),
        gridspec_kw={
            "left": 0.01, "right": 0.915, "top": top, "bottom": 0.03, "wspace": 0.06, "hspace": 0.4
        },
        squeeze=False,
    )  # fmt: skip
    return panels


def _given_panels(axes: Any, n_panels: int) -> np.ndarray:
    """Return the given axes.

    Raises
    ------
    TypeError
        If they are not axes of the required shape.
    """
    panels = np.asarray(axes, dtype=object)
    if panels.shape != (2, n_panels) or not all(
        isinstance(one, Axes) and one.name != "3d" for one in panels.flat
    ):
        raise TypeError(
            f"axes must be matplotlib axes, not 3D, of shape (2, {n_panels}), a row for the "
            f"statistic and one for the TDP, or None. Got shape {panels.shape} of "
            f"{sorted({getattr(one, 'name', type(one).__name__) for one in panels.flat})}."
        )
    return panels


def _values(img: Any, name: str) -> dict[str, np.ndarray]:
    """Return the values of each hemisphere."""
    if not isinstance(img, SurfaceImage):
        raise TypeError(
            f"{name} must be a SurfaceImage. Got {type(img).__name__}: plot_tdp draws volumes."
        )
    parts = {hemi: np.asarray(data) for hemi, data in img.data.parts.items()}
    if any(data.size != len(data) for data in parts.values()):
        raise ValueError(f"{name} must hold one map. Got shape {img.shape}.")
    if not set(parts) <= {"left", "right"}:
        raise ValueError(f"{name} must have hemispheres left and right. Got {sorted(parts)}.")
    return {hemi: data.ravel() for hemi, data in parts.items()}
