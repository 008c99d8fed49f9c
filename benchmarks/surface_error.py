"""Family-wise error of surface TDP where nothing is active: ``python benchmarks/surface_error.py``.

A simulation of a minute or two, which ``python benchmarks`` leaves out. Two null hemispheres of
fsaverage5 hold noise, and whatever gets a TDP above 0 is an error. With Simes' test and
independent noise, the error of a family is exactly alpha if any set counts. The clusters of a
threshold are some of all sets, and could hide errors. At z > 3.1 next to nothing is hidden: a
vertex with a p-value up to alpha / n makes a discovery of whatever cluster it is in, and one of n
vertices has such a p-value with probability 1 - (1 - alpha / n)^n, which is 0.0488 for 0.05. At
lower thresholds nilearn, which loops over clusters, takes far longer. The error of any set is
counted as well, for our bounds.

nilearn tests each hemisphere as a family of its own, so that it errs in one of them with
probability 1 - 0.95^2 = 0.0975, or 0.0952 if clusters count.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from _error_rate import error_rate
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
        f"{ALPHA}, clusters of z > {THRESHOLD}, fixed seed. In brackets the 99 % Clopper-Pearson "
        "interval; bold where it is above alpha.\n\n"
    )
    header = [
        "noise",
        "ari_estimator, clusters",
        "ari_estimator, any set",
        "the same with Hommel's test",
        "nilearn, clusters",
    ]
    publish("surface_error", text + table(header, rows), given.page)


if __name__ == "__main__":
    main()
