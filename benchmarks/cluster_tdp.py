"""TDP of the clusters of a 2 mm brain, compared with nilearn and with the unavoidable work."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from _maps import brain_mask, z_map
from _measure import peak_memory, report, side_by_side
from nibabel import Nifti1Image
from nilearn.glm import cluster_level_inference as nilearn_inference
from nilearn.masking import apply_mask, unmask
from scipy.ndimage import label
from scipy.stats import norm

from ari_estimator import ClusterTDPTransformer, cluster_level_inference

THRESHOLDS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)

WHAT = "TDP of clusters, 2 mm brain, from image to image"
FLOOR = "masking, p-values, one sort, one labelling, unmasking"


def floor(img: Nifti1Image, mask_img: Nifti1Image, threshold: float) -> Callable[[], object]:
    """Return the least that any implementation has to do."""
    mask = mask_img.get_fdata() > 0

    def run() -> object:
        z = apply_mask(img, mask_img)
        np.sort(norm.sf(z))
        volume = np.zeros(mask.shape, dtype=bool)
        volume[mask] = z > threshold
        label(volume)
        return unmask(z, mask_img)

    return run


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)
    mask_img = brain_mask()
    n_voxels = int(mask_img.get_fdata().sum())
    for kind, smoothing in (("smooth", 2.0), ("unsmoothed", 0.0)):
        img = z_map(smoothing)
        print(f"Cluster TDP, {kind} map, {n_voxels:,} voxels")
        for threshold in THRESHOLDS:
            ari = ClusterTDPTransformer(threshold, mask_img=mask_img)
            ari.fit_transform(img)
            # With many clusters, nilearn takes seconds. Fewer rounds are enough then.
            many = len(ari.table_) > 2000
            times = side_by_side(
                {
                    "floor": floor(img, mask_img, threshold),
                    "ours": partial(cluster_level_inference, img, mask_img, threshold),
                    "nilearn": partial(nilearn_inference, img, mask_img, threshold),
                },
                n_rounds=3 if many else 9,
            )
            what = f"z > {threshold} ({len(ari.table_) - 1:,} clusters)"
            report(f"{what}: ours / floor", times["ours"] / times["floor"], 1.25, row=(WHAT, FLOOR))
            is_largest = kind == "unsmoothed" and threshold == 1
            same = f"{len(ari.table_) - 1:,} clusters" if is_largest else "other maps, thresholds"
            report(
                f"{what}: nilearn / ours",
                times["nilearn"] / times["ours"],
                25 if is_largest else 1,
                at_least=True,
                row=(f"the same, {same}", "nilearn"),
            )
        for options in ({}, {"two_sided": True}, {"threshold": [1.0, 2.0, 3.0]}):
            ari = ClusterTDPTransformer(mask_img=mask_img, **options)
            peak = peak_memory(partial(ari.fit_transform, img))
            size = np.prod(img.shape) * 8
            report(
                f"peak memory / size of the map, {options or 'defaults'}",
                peak / size,
                3,
                row=("its memory", "size of the map in double precision"),
            )
    imgs = Nifti1Image(
        np.stack([z_map(2.0, seed).get_fdata() for seed in range(8)], -1), img.affine
    )
    ari = ClusterTDPTransformer(mask_img=mask_img)
    for name in ("transform", "fit_transform"):
        peak = peak_memory(partial(getattr(ari.fit(), name), imgs))
        report(f"peak memory / size of 8 maps, {name}", peak / (np.prod(imgs.shape) * 8), 3)


if __name__ == "__main__":
    main()
