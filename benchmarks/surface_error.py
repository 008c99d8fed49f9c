"""Family-wise error of surface TDP where nothing is active: ``python benchmarks/surface_error.py``.

The simulation takes a minute or two. ``python benchmarks`` does not run it. Two null hemispheres of
fsaverage5 hold noise, so any TDP above 0 is an error. With the Simes test and independent noise,
the error over all sets is exactly alpha. Clusters at one threshold are only some of these sets and
could hide errors. At z > 3.1 they hide almost none. A vertex with a p-value up to alpha / n gives
its cluster a discovery. At least one of n vertices has this p-value with probability
1 - (1 - alpha / n)^n, which is 0.0488 for 0.05. At lower thresholds nilearn, which loops over
clusters, takes far longer. For our bounds, the script also counts the error over all sets.

nilearn tests each hemisphere as a separate family. So it errs in one of them with probability
1 - 0.95^2 = 0.0975, or 0.0952 over clusters.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from _error_rate import KEY, error_rate
from _page import add_page_argument, publish, table
from _surface_maps import adjacency, smoother
from nilearn.datasets import load_fsaverage
from nilearn.glm import cluster_level_inference as nilearn_inference
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.special import ndtr

from ari_estimator import ClusterTDPTransformer
from ari_estimator.closed_testing import Hommel

ALPHA = 0.05

THRESHOLD = 3.1


def noise_filter(mesh: InMemoryMesh, n_rounds: int) -> csr_array:
    """Return the matrix that smooths independent noise and keeps the variance of each vertex."""
    one_round = smoother(adjacency(mesh))
    matrix = csr_array(eye_array(mesh.n_vertices))
    for _ in range(n_rounds):
        matrix = csr_array(one_round @ matrix)
    return csr_array(diags_array(1 / np.sqrt(matrix.power(2).sum(axis=1))) @ matrix)


def any_above_0(img: SurfaceImage) -> bool:
    """Tell whether anything is above 0 in an image."""
    return any(values.any() for values in img.data.parts.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    add_page_argument(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    files = load_fsaverage("fsaverage5")["white_matter"]
    # In memory, since nilearn reads such files again whenever it needs something of them.
    mesh = PolyMesh(**{name: part.loaded() for name, part in files.parts.items()})
    n_vertices = {name: part.n_vertices for name, part in mesh.parts.items()}
    mask_img = SurfaceImage(mesh, {name: np.ones(n, dtype=bool) for name, n in n_vertices.items()})
    ari = ClusterTDPTransformer(THRESHOLD, alpha=ALPHA, mask_img=mask_img).fit()
    rows = []
    for kind, n_rounds in (("independent", 0), ("smooth", 4)):
        rng = np.random.default_rng(0)
        filters = {name: noise_filter(part, n_rounds) for name, part in mesh.parts.items()}
        n_errors = np.zeros(4, dtype=int)
        for _ in range(given.runs):
            data = {
                name: matrix @ rng.standard_normal(n_vertices[name])
                for name, matrix in filters.items()
            }
            img = SurfaceImage(mesh, data)
            p_values = ndtr(-np.concatenate(list(data.values())))
            n_errors += (
                any_above_0(ari.transform(img)),
                Hommel(p_values).true_discoveries(ALPHA) > 0,
                Hommel(p_values, "hommel").true_discoveries(ALPHA) > 0,
                any_above_0(nilearn_inference(img, mask_img, THRESHOLD, ALPHA)),
            )
        rows.append([kind, *(error_rate(int(n), given.runs, ALPHA) for n in n_errors)])
    text = (
        f"{given.runs:,} runs on {sum(n_vertices.values()):,} vertices of two hemispheres, alpha = "
        f"{ALPHA}, clusters of z > {THRESHOLD}, fixed seed. {KEY}\n\n"
    )
    header = [
        "noise",
        "ari_estimator, clusters",
        "ari_estimator, any set",
        "ari_estimator, any set, Hommel test",
        "nilearn, clusters",
    ]
    publish("surface_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
