"""Cluster-level inference as a function, with nilearn's signature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.images._maps import as_map

if TYPE_CHECKING:
    from os import PathLike

    from nibabel import Cifti2Image, Nifti1Image
    from nilearn.surface import SurfaceImage

# One-sided p < 0.001, nilearn's default cluster-forming threshold.
DEFAULT_THRESHOLD = 3.090232306167813


@overload
def cluster_level_inference(
    stat_img: Nifti1Image,
    mask_img: Any = ...,
    threshold: float | Iterable[float] = ...,
    alpha: float = ...,
    verbose: int = ...,
) -> Nifti1Image: ...
@overload
def cluster_level_inference(
    stat_img: Cifti2Image,
    mask_img: Any = ...,
    threshold: float | Iterable[float] = ...,
    alpha: float = ...,
    verbose: int = ...,
) -> Cifti2Image: ...
@overload
def cluster_level_inference(
    stat_img: str | PathLike[str],
    mask_img: Any = ...,
    threshold: float | Iterable[float] = ...,
    alpha: float = ...,
    verbose: int = ...,
) -> Any: ...
@overload
def cluster_level_inference(
    stat_img: SurfaceImage,
    mask_img: Any = ...,
    threshold: float | Iterable[float] = ...,
    alpha: float = ...,
    verbose: int = ...,
) -> SurfaceImage: ...


def cluster_level_inference(
    stat_img: Any,
    mask_img: Any = None,
    threshold: float | Iterable[float] = DEFAULT_THRESHOLD,
    alpha: float = 0.05,
    verbose: int = 1,
) -> Any:
    """Return the true discovery proportion of clusters, by All-Resolutions Inference.

    Parameters
    ----------
    stat_img : 3D Niimg-like object, SurfaceImage or CIFTI image
        Statistical map, assumed to be on the z scale. On surfaces, the edges of the mesh connect
        the clusters, and both hemispheres form one family.

    mask_img : image, masker or None, default=None
        All voxels or vertices to test, as an image of the same kind as the map. With None,
        nilearn's background mask is computed for volumes, which needs a map that was not
        thresholded. Surfaces are tested everywhere.

    threshold : float, sequence of float, or "concentration", default=3.0902
        Cluster-forming threshold on the z scale, at least 0. With several thresholds, each voxel
        shows the TDP of its cluster at the highest threshold that it passes.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    verbose : int, default=1
        0 shows nothing, 1 shows a progress bar if the work takes more than two seconds, and 2 also
        prints a line with the result.

    Returns
    -------
    tdp_img : Nifti1Image, SurfaceImage or Cifti2Image
        At each voxel of a cluster, a lower bound on the proportion of active voxels in that
        cluster; 0 elsewhere. All bounds hold at once with probability at least ``1 - alpha``.

    Raises
    ------
    TypeError
        If the map is not an image, or the mask is an image of another kind.
    nilearn.exceptions.DimensionError
        If the map is a volume and not 3D.
    ValueError
        If alpha or a threshold is out of range, if the mask is empty or on another grid or mesh, if
        the map is constant, or if there is no mask and the map looks thresholded.

    See Also
    --------
    ClusterTDPTransformer : The same for several maps, with two-sided tests, other neighbourhoods,
        tables and label images.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import cluster_level_inference
    >>> z_img = load_sample_motor_activation_image()
    >>> tdp_img = cluster_level_inference(z_img, threshold=[3, 4, 5], alpha=0.05)
    >>> tdp_img.shape
    (53, 63, 46)
    """
    transformer = ClusterTDPTransformer(threshold, alpha=alpha, mask_img=mask_img, verbose=verbose)
    return transformer.fit_transform(as_map(stat_img))
