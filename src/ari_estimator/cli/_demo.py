"""``ari demo``: from a map to a table, images and a figure, with sample data of nilearn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._out import parse_out
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import check_results, outcome_of


def demo(
    talk: TalkOptions,
    out: Annotated[
        Path,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="Folder for the results. Files of an earlier run are replaced.",
        ),
    ] = Path("ari_demo"),
) -> Outcome:
    """Compute the TDP of clusters in a real map, which comes with nilearn."""
    import matplotlib
    from nilearn.datasets import load_sample_motor_activation_image

    matplotlib.use("agg")
    from ari_estimator.estimators import ClusterTDPTransformer
    from ari_estimator.estimators._cluster_level_inference import DEFAULT_THRESHOLD
    from ari_estimator.plotting import plot_tdp

    results = ResultOptions(out, force=True)
    prefix = check_results(results, "motor", ("_tdp.png",))
    talk.say("Reading nilearn's sample z map: button press, left against right hand.")
    stat_img = load_sample_motor_activation_image()
    transformer = ClusterTDPTransformer(two_sided=True, cluster_threshold=10)
    talk.say(
        f"Finding clusters at |z| > {DEFAULT_THRESHOLD:.3g} and the TDP of each, with error level "
        f"alpha = {transformer.alpha:g} for all of them together."
    )
    tdp_img = transformer.fit_transform(stat_img)

    def draw(folder: Path) -> dict[str, str]:
        name = f"{prefix}_tdp.png"
        talk.say("Drawing the figure.")
        plot_tdp(
            stat_img,
            tdp_img,
            threshold=DEFAULT_THRESHOLD,
            cut_coords=(-17, 4, 19, 46, 55, 64),
            title="Button press, left against right hand: clusters at |z| > 3.09",
            output_file=folder / name,
        )
        return {"figure": name}

    return outcome_of(transformer, results, prefix, draw, mask=None)
