"""The regions of an atlas that is named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from ari_estimator.cli._images import read_atlas
from ari_estimator.cli._unused_options import refuse_options

_PANEL = "Sets"

AtlasOption = Annotated[
    list[Path] | None,
    Option(
        help="Label image of regions. Surfaces need a file of each hemisphere; .annot and "
        ".label of FreeSurfer have the names of their regions.",
        rich_help_panel=_PANEL,
    ),
]

LutOption = Annotated[
    Path | None,
    Option(
        help="Table with the names of the regions, in columns index and name.",
        rich_help_panel=_PANEL,
    ),
]


def atlas_parameters(
    atlas: Sequence[Path], lut: Path | None, mesh: Sequence[Path] | None
) -> dict[str, Any]:
    """Return an atlas as parameters of a RegionTDPTransformer."""
    import numpy as np
    from nilearn.surface import SurfaceImage

    from ari_estimator.files._regular_file import existing_file
    from ari_estimator.images._mne_objects import is_mne

    labels_img, named = read_atlas(atlas, mesh, "--atlas")
    if lut is not None:
        existing_file(lut, "--lut")
    # Only volumes and CIFTI images are resampled. For others, another mesh or shape is an error.
    is_fixed = isinstance(labels_img, (SurfaceImage, np.ndarray)) or is_mne(labels_img)
    target = None if is_fixed else "data"
    names = named if lut is None else lut
    return {"labels_img": labels_img, "lut": names, "resampling_target": target}


def refuse_neighbours(parameters: dict[str, Any]) -> None:
    """Refuse --adjacency for regions, which need no neighbours. A network loses its own."""
    adjacency = parameters.pop("adjacency", None)
    refuse_options(
        "clusters, and regions have no need of neighbours",
        adjacency=adjacency is not None and "coordinates" not in parameters,
    )
