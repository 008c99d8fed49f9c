"""``ari explore``: an interactive page of a map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from ari_estimator.cli._array_files import is_array_file
from ari_estimator.cli._atlas import AtlasOption, LutOption
from ari_estimator.cli._choices import CONNECTIVITIES, one_of
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import mesh_files, name_of, read_atlas, read_image
from ari_estimator.cli._map_options import MapOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._pages import PageOptions, saved
from ari_estimator.cli._results import mask_words

# What is tested without a mask, for kinds of images that compute none.
_ELEMENTS = {"surface": "vertices", "CIFTI image": "grayordinates"}


def explore(
    source: MapOptions,
    page: PageOptions,
    talk: TalkOptions,
    connectivity: Annotated[
        int | None,
        Option(
            help="Number of neighbours of a voxel: 6, 18 or 26. Without it, 6 or as saved.",
            autocompletion=one_of(CONNECTIVITIES),
            rich_help_panel="Sets",
        ),
    ] = None,
    tdp: Annotated[
        # Other commands take several, so this one must tell whether it got them.
        list[float] | None,
        Option(
            help="Minimum TDP of the clusters that the page shows first. Without it, 0.7.",
            rich_help_panel="Sets",
        ),
    ] = None,
    atlas: AtlasOption = None,
    lut: LutOption = None,
    background: Annotated[
        list[Path] | None,
        Option(
            help="Anatomical background. Surfaces need a file of each hemisphere, such as lh.sulc.",
            show_default="the MNI152 template, or the folds of the mesh",
        ),
    ] = None,
    surf_mesh: Annotated[
        list[Path] | None,
        Option(
            help="For surfaces: another mesh to show, such as lh.inflated. Give it once for each "
            "hemisphere."
        ),
    ] = None,
    second_map: Annotated[
        list[Path] | None,
        Option(
            help="Another map of the same space, to show beside MAP. Surfaces need a file of each "
            "hemisphere.",
        ),
    ] = None,
) -> Outcome:
    """Write an interactive page with all clusters of a map: one file that works offline.

    MAP may also be a result of another command: a file ..._ari.npz, or its folder.
    """
    from ari_estimator.explorer import explore as make_page
    from ari_estimator.images._kinds import kind_of
    from ari_estimator.interfaces import load

    archive = saved(source)
    name = source.name if archive is None else name_of(archive)
    out = page.check(name, "_explorer.html")
    first_tdp = _first_tdp(tdp)
    options: dict[str, Any] = {}
    called = None
    mesh: Any = source.mesh
    if archive is None:
        shown, options = source.read()
        called = source.map_in_words(shown)
        if is_array_file(source.maps[0]):
            from ari_estimator.estimators import AdaptiveTDPTransformer

            shown, options = AdaptiveTDPTransformer(first_tdp, **options).fit(shown), {}
    else:
        shown = load(archive)
        mask_img = getattr(shown, "mask_img_", None)  # a calibration has none, and is refused
        mesh = getattr(mask_img, "mesh", None)  # of a surface
    if background is not None:
        options["bg_img"] = read_image(background, mesh, "--background")
    labels_img, named = (None, None) if atlas is None else read_atlas(atlas, mesh, "--atlas")
    # Any number may come from a shell; explore refuses what is none of its choices.
    given: Any = connectivity
    document = make_page(
        shown,
        connectivity=given,
        labels_img=labels_img,
        lut=named if lut is None else lut,
        second_map=None if second_map is None else read_image(second_map, mesh, "--second-map"),
        surf_mesh=mesh_files(surf_mesh, "--surf-mesh"),
        tdp=first_tdp,
        title=page.title or f"ARI explorer: {name}",
        **options,
    )
    page.write(document.html, out)
    size = len(document.html.encode()) / 1e6
    is_image = archive is None and not is_array_file(source.maps[0])
    elements = _ELEMENTS.get(kind_of(shown).kind) if is_image else None
    if archive is None and not is_image:
        elements = "elements"
    mask = f"as saved in {archive}" if archive is not None else mask_words(source.mask, elements)
    tested = f"Mask: {mask}." if called is None else f"Mask: {mask}. {called}"
    text = f"{tested}\nOpen the page in a browser. The file has {size:.1f} MB."
    return Outcome(text, files={"page": out})


def _first_tdp(given: list[float] | None) -> float:
    """Return the TDP that a page shows first."""
    if not given:
        return 0.7
    if len(given) > 1:
        raise ValueError(
            "--tdp must be given once: a page starts with the clusters of one TDP, and has a "
            f"slider for others. Got {' and '.join(f'{one:g}' for one in given)}."
        )
    return given[0]
