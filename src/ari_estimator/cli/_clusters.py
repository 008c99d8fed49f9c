"""``ari clusters``, ``ari adaptive`` and ``ari regions``: the TDP of sets of a map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from ari_estimator.cli._atlas import LutOption, atlas_parameters, refuse_neighbours
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._extent_options import ExtentOptions
from ari_estimator.cli._images import read_atlas
from ari_estimator.cli._map_options import MapOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import infer
from ari_estimator.cli._set_options import FormingOptions, ThresholdOptions, one_or_several


def clusters(
    source: MapOptions,
    heights: ThresholdOptions,
    extents: ExtentOptions,
    results: ResultOptions,
    talk: TalkOptions,
    labels: Annotated[
        list[Path] | None,
        Option(
            help="Label image with the clusters of another program, instead of --threshold. "
            "Surfaces need a file of each hemisphere.",
            rich_help_panel="Sets",
        ),
    ] = None,
) -> Outcome:
    """Compute the TDP of each cluster of a map.

    Clusters come from a threshold or from another program. You may choose the threshold after
    looking at the results.
    """
    from ari_estimator.estimators import ClusterTDPTransformer
    from ari_estimator.images._surface_files import warn_of_shared_labels

    labels_img = None if labels is None else read_atlas(labels, source.mesh, "--labels")[0]
    warn_of_shared_labels(labels_img, "--labels")
    stat_img, parameters = source.read()
    parameters["local_test"] = extents.test_of(source.local_test, heights.connectivity)
    transformer = ClusterTDPTransformer(**heights.clusters(), labels_img=labels_img, **parameters)
    return _infer(source, transformer, stat_img, results)


def adaptive(
    source: MapOptions,
    forming: FormingOptions,
    results: ResultOptions,
    talk: TalkOptions,
    tdp: Annotated[
        list[float] | None,
        Option(
            help="Minimum TDP of the clusters. Repeat it for several. Without it, 0.7.",
            rich_help_panel="Sets",
        ),
    ] = None,
    threshold_free: Annotated[
        bool,
        Option(
            "--threshold-free",
            help="Instead of --tdp: find all clusters with a true discovery. The TDP image is then "
            "the threshold-free TDP map: at each voxel, the highest TDP of all clusters there.",
            rich_help_panel="Sets",
        ),
    ] = False,
) -> Outcome:
    """Find the largest clusters with a TDP of at least --tdp; each gets its own threshold."""
    from ari_estimator.estimators import AdaptiveTDPTransformer

    if threshold_free and tdp:
        raise ValueError("--threshold-free replaces --tdp: give only one of them.")
    tdp_threshold = None if threshold_free else one_or_several(tdp or [0.7], float)
    stat_img, parameters = source.read()
    transformer = AdaptiveTDPTransformer(tdp_threshold, **forming.forming(), **parameters)
    return _infer(source, transformer, stat_img, results)


def regions(
    source: MapOptions,
    extents: ExtentOptions,
    results: ResultOptions,
    talk: TalkOptions,
    atlas: Annotated[
        list[Path],
        Option(
            help="Label image of the regions, or a 4D image of regions that may overlap. Surfaces "
            "need a file of each hemisphere; .annot and .label of FreeSurfer have the names of "
            "their regions.",
            show_default=False,
            rich_help_panel="Sets",
        ),
    ],
    lut: LutOption = None,
    probability_threshold: Annotated[
        float | None,
        Option(
            help="For a probabilistic atlas: voxels above this value belong to the region.",
            rich_help_panel="Sets",
        ),
    ] = None,
) -> Outcome:
    """Compute the TDP of each region of an atlas."""
    from ari_estimator.estimators import RegionTDPTransformer

    stat_img, parameters = source.read()
    refuse_neighbours(parameters)
    parameters["local_test"] = extents.test_of(source.local_test)
    transformer = RegionTDPTransformer(
        **atlas_parameters(atlas, lut, source.mesh),
        probability_threshold=probability_threshold,
        **parameters,
    )
    return _infer(source, transformer, stat_img, results)


def _infer(source: MapOptions, transformer: Any, stat_img: Any, results: ResultOptions) -> Outcome:
    """Test the sets of a map, and say which one it is if the file has several."""
    outcome = infer(transformer, stat_img, source.name, results, mask=source.mask)
    called = source.map_in_words(stat_img)
    return outcome if called is None else replace(outcome, text=f"{outcome.text} {called}")
