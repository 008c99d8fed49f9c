"""``ari explore``: a page to explore a map with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from ari_estimator.cli._choices import CONNECTIVITIES, one_of
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import mesh_files, name_of, read_image
from ari_estimator.cli._options import LutOption, MapOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._pages import PageOptions, saved


def explore(
    source: MapOptions,
    page: PageOptions,
    talk: TalkOptions,
    connectivity: Annotated[
        int | None,
        Option(
            help="6, 18 or 26 neighbours of a voxel; 6, or as saved, if not given.",
            autocompletion=one_of(CONNECTIVITIES),
            rich_help_panel="Sets",
        ),
    ] = None,
    tdp: Annotated[
        float,
        Option(
            help="TDP of the clusters shown first.",
            rich_help_panel="Sets",
        ),
    ] = 0.7,
    atlas: Annotated[
        list[Path] | None,
        Option(
            help="Label image of regions; of a surface two files, left first.",
            rich_help_panel="Sets",
        ),
    ] = None,
    lut: LutOption = None,
    background: Annotated[
        list[Path] | None,
        Option(
            help="Anatomical image to draw on; of a surface two files, such as its sulci.",
            show_default="the MNI152 template, or the folds of the mesh",
        ),
    ] = None,
    surf_mesh: Annotated[
        list[Path] | None,
        Option(help="Of a surface: meshes to draw on as well, such as inflated ones; twice."),
    ] = None,
) -> Outcome:
    """Write a page to explore a map with: all its clusters, in one file that works offline.

    MAP may also be what --out of another command has written, a file ..._ari.npz or its folder.
    CIFTI files cannot be shown.
    """
    from ari_estimator.explorer import explore as make_page
    from ari_estimator.interfaces import load

    archive = saved(source)
    name = name_of(archive or source.maps[0])
    out = page.check(name, "_explorer.html")
    options: dict[str, Any] = {}
    mesh: Any = source.mesh
    if archive is None:
        shown, options = source.read()
        if options.pop("mesh") is not None:
            raise ValueError("--mesh is for the two files of a surface. Got one file.")
    else:
        shown = load(archive)
        mask_img = getattr(shown, "mask_img_", None)  # a calibration has none, and is refused
        mesh = getattr(mask_img, "mesh", None)  # of a surface
    if background is not None:
        options["bg_img"] = read_image(background, mesh, "--background")
    # Any number may come from a shell; explore refuses what is none of its choices.
    given: Any = connectivity
    document = make_page(
        shown,
        connectivity=given,
        labels_img=None if atlas is None else read_image(atlas, mesh, "--atlas"),
        lut=lut,
        surf_mesh=mesh_files(surf_mesh, "--surf-mesh"),
        tdp=tdp,
        title=page.title or f"ARI explorer: {name}",
        **options,
    )
    page.write(document.html, out)
    size = len(document.html.encode()) / 1e6
    text = f"Open it in a browser; it takes {size:.1f} MB."
    return Outcome(text, files={"page": out})
