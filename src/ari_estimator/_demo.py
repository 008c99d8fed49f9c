"""The main job, from a map to a table, an image and a figure, on data that nilearn bundles."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from nilearn.datasets import load_sample_motor_activation_image

from ari_estimator.estimators import ClusterTDPTransformer
from ari_estimator.estimators._cluster_level_inference import DEFAULT_THRESHOLD
from ari_estimator.interfaces._atomic import whole_files


def run_demo(folder: Path) -> tuple[ClusterTDPTransformer, dict[str, Path]]:
    """Compute the TDP of clusters of a real motor map, and write what was found.

    Parameters
    ----------
    folder : Path
        Where to write. Files of an earlier run are replaced.

    Returns
    -------
    transformer : ClusterTDPTransformer
        With the table and the label image.

    files : dict of str to Path
        What was written, by description.
    """
    matplotlib.use("agg")
    from ari_estimator.plotting import plot_tdp

    stat_img = load_sample_motor_activation_image()
    transformer = ClusterTDPTransformer(two_sided=True, cluster_threshold=10)
    tdp_img = transformer.fit_transform(stat_img)
    names = {
        "TDP image": "motor_stat-tdp_statmap.nii.gz",
        "label image": "motor_desc-clusters_dseg.nii.gz",
        "cluster table": "motor_clusters.tsv",
        "figure": "motor_tdp.png",
    }
    with whole_files(folder) as temporary:
        tdp_img.to_filename(temporary / names["TDP image"])
        transformer.labels_img_.to_filename(temporary / names["label image"])
        transformer.table_.to_csv(
            temporary / names["cluster table"], sep="\t", index=False, na_rep="n/a"
        )
        plot_tdp(
            stat_img,
            tdp_img,
            threshold=DEFAULT_THRESHOLD,
            cut_coords=(-17, 4, 19, 46, 55, 64),
            title="Button press, left against right hand: clusters at |z| > 3.09",
            output_file=temporary / names["figure"],
        )
    return transformer, {what: folder / name for what, name in names.items()}
