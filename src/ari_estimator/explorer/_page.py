"""The page as one file: template, styles and scripts of this package, and niivue of nilearn."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from markupsafe import Markup

from ari_estimator._page_policy import with_policy
from ari_estimator._page_templates import templates_of
from ari_estimator._version import __version__
from ari_estimator.explorer._packing import script_json

# In the order in which each needs those before it.
_SCRIPTS = (
    "unpack.js",
    "turns.js",
    "words.js",
    "forest.js",
    "ranges.js",
    "partition.js",
    "polygon.js",
    "nifti.js",
    "geometry.js",
    "grid.js",
    "array_grid.js",
    "gifti.js",
    "cifti.js",
    "mesh.js",
    "grayordinates.js",
    "second_map.js",
    "slices.js",
    "palette.js",
    "session.js",
    "regions.js",
    "table.js",
    "map.js",
    "session_file.js",
    "png.js",
    "overlays.js",
    "place.js",
    "address.js",
    "projection.js",
    "elements.js",
    "legend.js",
    "ink.js",
    "figure.js",
    "volume_file.js",
    "surface_file.js",
    "cifti_file.js",
    "image_file.js",
    "atlas_file.js",
    "table_view.js",
    "downloads.js",
    "pen.js",
    "gl_picture.js",
    "ball.js",
    "slice_picture.js",
    "coarse_grid.js",
    "rendering.js",
    "volume_viewer.js",
    "array_viewer.js",
    "mesh_faces.js",
    "side_letters.js",
    "surface_viewer.js",
    "surface_pair.js",
    "cifti_viewer.js",
    "viewers.js",
    "controls.js",
    "second_view.js",
    "page_display.js",
    "page_state.js",
    "page.js",
)
_NIIVUE = "_assets/js/niivue.umd.js"
_COPYRIGHT = (
    "/* niivue, from nilearn. Copyright its authors, licence BSD-2-Clause: "
    "https://github.com/niivue/niivue */\n"
)

_TEMPLATES = templates_of("ari_estimator.explorer", "assets")


def render_page(title: str, data: dict[str, Any]) -> str:
    """Return a page that needs nothing but itself.

    Parameters
    ----------
    title : str
        Its title, which is shown as it is written.

    data : dict
        What the page needs to know, see :class:`PageData`.

    Returns
    -------
    html : str
        The page.

    Raises
    ------
    FileNotFoundError
        If nilearn has no niivue.
    """
    scripts = [_COPYRIGHT + niivue_source(), *map(_asset, _SCRIPTS)]
    # Styles and scripts are marked as HTML. They are values, so that no brace in them counts.
    html = _TEMPLATES.get_template("page.jinja").render(
        title=title,
        version=__version__,
        style=Markup(_asset("page.css")),
        data=Markup(script_json(data)),
        scripts=map(Markup, scripts),
    )
    # niivue has a worker, and reads its fonts as if they were files.
    return with_policy(html, scripts=scripts, workers=True)


def _asset(name: str) -> str:
    path = files("ari_estimator.explorer") / "assets" / name
    return path.read_text(encoding="utf-8")


def niivue_source() -> str:
    """Return the script of niivue that comes with nilearn.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    path = files("nilearn").joinpath(_NIIVUE)
    if not path.is_file():
        import nilearn

        raise FileNotFoundError(
            f"explore needs niivue, which nilearn 0.14.1 has in {_NIIVUE}. The installed "
            f"nilearn {nilearn.__version__} has none there: install another version."
        )
    # In a script element no text may end it.
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
