"""The TDP of clusters on surfaces, beside the statistic that it was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from nilearn.plotting import plot_surf_stat_map
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator.images._mesh_curvature import folds
from ari_estimator.plotting._figure import TDP_CMAP, figure_file, figure_of, written
from ari_estimator.plotting._tdp_map import NOT_ZERO

_STAT_CMAP = "RdBu_r"


def plot_tdp_surface(
    stat_img: SurfaceImage,
    tdp_img: SurfaceImage,
    *,
    bg_map: Any = None,
    views: Sequence[str] = ("lateral", "medial"),
    threshold: float | None = None,
    axes: Any = None,
    title: str = "",
    output_file: str | Path | None = None,
) -> np.ndarray:
    """Draw a map on surfaces, and below it the true discovery proportion of its clusters.

    Parameters
    ----------
    stat_img : SurfaceImage
        The statistical map, of one or both hemispheres.

    tdp_img : SurfaceImage
        True discovery proportions, as from
        :class:`~ari_estimator.ClusterTDPTransformer`, on the same meshes.

    bg_map : SurfaceImage or None, default=None
        What to draw the maps on, such as the depth of sulci; the folds of the mesh, which an
        inflated one has none of, if None.

    views : sequence of str, default=("lateral", "medial")
        From where to look at each hemisphere, as for nilearn's ``plot_surf``.

    threshold : float or None, default=None
        The statistic is drawn where its absolute value is above; everywhere if None.

    axes : array-like of 3D matplotlib axes of shape (2, n_panels), or None, default=None
        Where to draw the statistic, in the first row, and the TDP: a panel for each view of the
        left hemisphere, then of the right one in reverse order. A new figure if None.

    title : str, default=""
        Title of the figure.

    output_file : str, Path or None, default=None
        File to write the figure to, as a whole or not at all; the figure is closed then. A ``~``
        at the start is the home folder.

    Returns
    -------
    axes : ndarray of matplotlib.axes.Axes of shape (2, n_panels)
        The panels. TDPs are drawn on a scale from 0 to 1, whatever their values.

    Raises
    ------
    TypeError
        If an image is no surface.
    ValueError
        If the images are not of the same hemispheres, or have several maps, or there is no
        view.
    OSError
        If ``output_file`` cannot be written: it is a folder, for example.

    See Also
    --------
    plot_tdp : For volumes.

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
    figure_path = figure_file(output_file, stat_img, tdp_img)
    values = {
        name: _values(img, name) for name, img in (("stat_img", stat_img), ("tdp_img", tdp_img))
    }
    sizes = [{hemi: data.size for hemi, data in parts.items()} for parts in values.values()]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "stat_img and tdp_img must lie on the same meshes. "
            f"Got vertices {sizes[0]} and {sizes[1]}."
        )
    if isinstance(views, str) or not views:
        raise ValueError(f"views must be a sequence of at least one view. Got {views!r}.")
    hemispheres = list(values["stat_img"])
    # Seen from outside at both ends, from inside between.
    panels = [("left", view) for view in views] + [("right", view) for view in reversed(views)]
    panels = [panel for panel in panels if panel[0] in hemispheres]
    largest = max(np.nanmax(np.abs(data), initial=0) for data in values["stat_img"].values())
    largest = float(largest) or 1.0
    bg_map = folds(stat_img) if bg_map is None else bg_map
    rows = (
        ("Statistic", stat_img, _STAT_CMAP, (-largest, largest), threshold or NOT_ZERO),
        ("True discovery proportion", tdp_img, TDP_CMAP, (0.0, 1.0), NOT_ZERO),
    )
    drawn_on = _new_panels(len(panels)) if axes is None else _given_panels(axes, len(panels))
    figure = figure_of(drawn_on[0, 0])
    for row_axes, (name, img, cmap, (vmin, vmax), above) in zip(drawn_on, rows, strict=True):
        for one, (hemi, view) in zip(row_axes, panels, strict=True):
            plot_surf_stat_map(
                stat_map=_to_draw(img),
                hemi=hemi,
                view=view,
                bg_map=bg_map,
                threshold=above,
                vmin=vmin,
                vmax=vmax,
                symmetric_cbar=False,
                cmap=cmap,
                # The mean would draw a rim of values that no vertex has around each cluster.
                avg_method="median",
                colorbar=False,
                axes=one,
                figure=figure,
            )
            one.set_box_aspect(None, zoom=1.7)
            for drawn in one.collections:
                drawn.set_clip_on(False)  # the axes are square, and brains are long
            one.set_title(f"{hemi}, {view}", fontsize=9, y=1.06)
        if axes is None:
            place = row_axes[-1].get_position()
            bar_axes = figure.add_axes((0.93, place.y0, 0.015, place.height))
            figure.text(0.012, place.y1 + 0.075, name, fontsize=12)
            figure.colorbar(ScalarMappable(Normalize(vmin, vmax), cmap), cax=bar_axes)
        else:
            bar = figure.colorbar(ScalarMappable(Normalize(vmin, vmax), cmap), ax=list(row_axes))
            bar.set_label(name)
    figure.suptitle(title, parse_math=False)
    written(figure, figure_path)
    return drawn_on


def _new_panels(n_panels: int) -> np.ndarray:
    """Return the axes of a new figure, of shape (2, n_panels)."""
    _, panels = plt.subplots(
        2,
        n_panels,
        figsize=(2.6 * n_panels + 1.0, 5.4),
        subplot_kw={"projection": "3d"},
        gridspec_kw={
            "left": 0.01, "right": 0.915, "top": 0.81, "bottom": 0.03, "wspace": 0.0, "hspace": 0.36
        },
        squeeze=False,
    )  # fmt: skip
    return panels


def _given_panels(axes: Any, n_panels: int) -> np.ndarray:
    """Return axes that were given.

    Raises
    ------
    TypeError
        If they are not the 3D axes that are needed.
    """
    panels = np.asarray(axes, dtype=object)
    if panels.shape != (2, n_panels) or not all(
        isinstance(one, Axes) and one.name == "3d" for one in panels.flat
    ):
        raise TypeError(
            f"axes must be 3D matplotlib axes of shape (2, {n_panels}), a row for the statistic "
            f"and one for the TDP, or None. Got shape {panels.shape} of "
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
    return {hemi: data.ravel() for hemi, data in parts.items()}


def _to_draw(img: SurfaceImage) -> SurfaceImage:
    """Return a map on meshes of its own, with 0, which is not drawn, where it is not tested."""
    data = {hemi: np.nan_to_num(np.ravel(part)) for hemi, part in img.data.parts.items()}
    # nilearn moves the vertices of what it draws to the origin, in place.
    meshes = {
        hemi: InMemoryMesh(np.array(part.coordinates), part.faces)
        for hemi, part in img.mesh.parts.items()
    }
    return SurfaceImage(PolyMesh(**meshes), data)
