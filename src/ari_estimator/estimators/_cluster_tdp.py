"""The true discovery proportion of clusters above a threshold."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Literal

from sklearn.utils._param_validation import Interval, Options

from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._supra_threshold import SupraThresholdClusters, check_threshold
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity

# One-sided p < 0.001, nilearn's default cluster-forming threshold.
DEFAULT_THRESHOLD = 3.090232306167813


class ClusterTDPTransformer(BaseTDPTransformer):
    """True discovery proportion (TDP) of clusters, by All-Resolutions Inference.

    Turns z maps into images in which each voxel of a supra-threshold cluster shows a
    lower bound on the proportion of truly active voxels in that cluster. With probability
    at least ``1 - alpha`` the bounds hold for all clusters, at all thresholds, at once:
    threshold and clusters may be chosen after looking at the result.

    Parameters
    ----------
    threshold : float, sequence of float, or "concentration", default=3.0902
        Cluster-forming threshold on the z scale, at least 0; the default is one-sided
        p < 0.001. A voxel is in a cluster if its z value, or with ``two_sided`` its
        absolute z value, is above it. With several thresholds each voxel shows the TDP of
        its cluster at the highest threshold that it passes. ``"concentration"`` takes the
        lowest threshold that can matter: no voxel below it adds to any bound.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    mask_img : Niimg-like object, NiftiMasker or None, default=None
        All voxels that are tested, the family: a binary mask image or a path to one, or a
        masker, fitted or not, of which only the mask is used. It must be on the grid of the
        maps. If None, nilearn's background mask is computed in :meth:`fit`; this needs a
        map that has not been thresholded.

    two_sided : bool, default=False
        Whether negative values count as well: p-values are then two-sided, and positive
        and negative clusters are formed apart.

    connectivity : {6, 18, 26}, default=6
        Voxels of a cluster share a face (6), or also an edge (18), or a corner (26).

    cluster_threshold : int, default=0
        Smallest size of a cluster, in voxels. Smaller ones belong to the rest.

    local_test : {"simes", "hommel"}, default="simes"
        Local test of the closed testing procedure: ``"simes"``, valid under the positive
        dependence that is usually assumed of brain maps, or ``"hommel"``, valid under any
        dependence, with smaller bounds.

    memory : None, str or joblib.Memory, default=None
        Where to cache the computation.

    memory_level : int, default=1
        0 caches nothing, 1 the inference, 2 the masker's work as well.

    verbose : int, default=0
        If positive, a line is printed for each map.

    Attributes
    ----------
    masker_ : NiftiMasker
        The fitted masker.

    mask_img_ : Nifti1Image
        The mask.

    n_features_in_ : int
        Number of voxels in the mask.

    labels_img_ : Nifti1Image, list of Nifti1Image or ndarray
        For each voxel the ``cluster_id`` of the cluster that the TDP image shows, 0
        elsewhere; in the form of the input. This and the following attributes are set by
        :meth:`fit_transform`; they are lists, with one item for each map, where the input
        is a list, a 4D image or an array.

    table_ : pandas.DataFrame
        One row for each cluster, by ascending threshold and, within, from the largest to
        the smallest; the last row is the rest of the brain, all voxels that are in no
        cluster at the lowest threshold. Columns: ``cluster_id`` (0 for the rest),
        ``threshold`` (z), ``direction`` ("positive", "negative", "rest"), ``n_voxels``,
        ``size_mm3``, ``true_discoveries`` (lower bound on the number of active voxels),
        ``tdp``, ``peak_stat`` (z) and ``peak_x``, ``peak_y``, ``peak_z`` (mm).

    hommel_ : ari_estimator.closed_testing.Hommel
        Closed testing of the voxels, for further questions.

    n_tested_ : int
        Number of voxels tested: those of the mask that are not NaN.

    true_discoveries_ : int
        Lower bound on the number of active voxels among all that are tested.

    See Also
    --------
    ARISecondLevelModel : From subject maps to TDP.
    cluster_level_inference : As a function, with nilearn's signature.

    Notes
    -----
    The method is that of Rosenblatt et al. [1]_ with the bounds of Goeman et al. [2]_, see
    :class:`~ari_estimator.closed_testing.Hommel`. A map is *assumed* to be on the z scale:
    standard normal where nothing is active. That cannot be checked. A t map passed as it
    is, with few degrees of freedom, gives far too many discoveries.

    Voxels that are NaN are left out of the family, with a warning; +inf and -inf stay in,
    with p-values 0 and 1. In arrays from nilearn's maskers all of these are 0 already.

    Where no mask is given, a map looks thresholded, and is refused, if next to none of the
    voxels of the computed mask are close to zero, or next to none are of one sign.

    References
    ----------
    .. [1] Rosenblatt JD, Finos L, Weeda WD, Solari A, Goeman JJ (2018). All-Resolutions
       Inference for brain imaging. NeuroImage 181, 786-796.
    .. [2] Goeman JJ, Meijer RJ, Krebs TJP, Solari A (2019). Simultaneous control of all
       false discovery proportions in large-scale multiple hypothesis testing.
       Biometrika 106, 841-856.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> ari = ClusterTDPTransformer(threshold=4.5, cluster_threshold=50)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> ari.table_[["cluster_id", "n_voxels", "true_discoveries", "peak_stat"]].round(2)
       cluster_id  n_voxels  true_discoveries  peak_stat
    0           1      1111              1109       7.94
    1           2       224               222       7.94
    2           3       191               189       7.94
    3           4       133               131       7.94
    4           0     43789               385       7.91
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseTDPTransformer._parameter_constraints,
        "threshold": "no_validation",  # by check_threshold
        "connectivity": [Options(Integral, set(CONNECTIVITIES))],
        "cluster_threshold": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        threshold: float | Iterable[float] | Literal["concentration"] = DEFAULT_THRESHOLD,
        *,
        alpha: float = 0.05,
        mask_img: Any = None,
        two_sided: bool = False,
        connectivity: Connectivity = 6,
        cluster_threshold: int = 0,
        local_test: LocalTest = "simes",
        memory: Any = None,
        memory_level: int = 1,
        verbose: int = 0,
    ) -> None:
        self.threshold = threshold
        self.alpha = alpha
        self.mask_img = mask_img
        self.two_sided = two_sided
        self.connectivity = connectivity
        self.cluster_threshold = cluster_threshold
        self.local_test = local_test
        self.memory = memory
        self.memory_level = memory_level
        self.verbose = verbose

    def _set_maker(self) -> SupraThresholdClusters:
        return SupraThresholdClusters(
            check_threshold(self.threshold), self.connectivity, self.cluster_threshold
        )
