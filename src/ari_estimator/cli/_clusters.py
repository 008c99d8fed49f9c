"""``ari clusters``, ``ari adaptive`` and ``ari regions``: how much of a map is active."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import name_of, read_image
from ari_estimator.cli._options import (
    FormingOptions,
    LutOption,
    MapOptions,
    ResultOptions,
    ThresholdOptions,
    atlas_parameters,
    one_or_several,
)
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._results import infer


def clusters(
    source: MapOptions,
    heights: ThresholdOptions,
    results: ResultOptions,
    talk: TalkOptions,
    labels: Annotated[
        list[Path] | None,
        Option(
            help="Clusters of another program, as a label image, in place of a threshold; of a "
            "surface two files, left first.",
            rich_help_panel="Sets",
        ),
    ] = None,
) -> Outcome:
    """Say how much of each cluster of a map is active.

    A threshold forms the clusters, or another program did. You may choose the threshold after
    looking.
    """
    from ari_estimator.estimators import ClusterTDPTransformer

    labels_img = None if labels is None else read_image(labels, source.mesh, "--labels")
    stat_img, parameters = source.read()
    transformer = ClusterTDPTransformer(**heights.clusters(), labels_img=labels_img, **parameters)
    return infer(transformer, stat_img, name_of(source.maps[0]), results)


def adaptive(
    source: MapOptions,
    forming: FormingOptions,
    results: ResultOptions,
    talk: TalkOptions,
    tdp: Annotated[
        list[float] | None,
        Option(
            help="Smallest TDP of the clusters; several if repeated. 0.7 if not given.",
            rich_help_panel="Sets",
        ),
    ] = None,
    threshold_free: Annotated[
        bool,
        Option(
            "--threshold-free",
            help="In place of --tdp: all clusters with any discovery, and as TDP image at each "
            "place the highest TDP of all clusters there.",
            rich_help_panel="Sets",
        ),
    ] = False,
) -> Outcome:
    """Find the largest clusters with a given active part, each at a threshold of its own."""
    from ari_estimator.estimators import AdaptiveTDPTransformer

    if threshold_free and tdp:
        raise ValueError("--threshold-free is in place of --tdp: give one of them.")
    tdp_threshold = None if threshold_free else one_or_several(tdp or [0.7], float)
    stat_img, parameters = source.read()
    transformer = AdaptiveTDPTransformer(tdp_threshold, **forming.forming(), **parameters)
    return infer(transformer, stat_img, name_of(source.maps[0]), results)


def regions(
    source: MapOptions,
    results: ResultOptions,
    talk: TalkOptions,
    atlas: Annotated[
        list[Path],
        Option(
            help="Label image of the regions, or a 4D image of regions that may overlap; of a "
            "surface two files, left first.",
            show_default=False,
            rich_help_panel="Sets",
        ),
    ],
    lut: LutOption = None,
    probability_threshold: Annotated[
        float | None,
        Option(
            help="Of a probabilistic atlas: a region is where its map is above.",
            rich_help_panel="Sets",
        ),
    ] = None,
) -> Outcome:
    """Say how much of each region of an atlas is active."""
    from ari_estimator.estimators import RegionTDPTransformer

    stat_img, parameters = source.read()
    transformer = RegionTDPTransformer(
        **atlas_parameters(atlas, lut, source.mesh),
        probability_threshold=probability_threshold,
        **parameters,
    )
    return infer(transformer, stat_img, name_of(source.maps[0]), results)
