"""Find the largest clusters that reach a given true discovery proportion."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval

from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._choice import Choice
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity
from ari_estimator.images._frame import Frame
from ari_estimator.images._maps import Maps
from ari_estimator.inference import FittedMap, Statistic, StatType
from ari_estimator.inference._adaptive_clusters import AdaptiveClusters
from ari_estimator.inference._asked_of_maps import AskedOfMaps
from ari_estimator.inference._fitted_maps import FittedMaps
from ari_estimator.inference._local_tests import refuse_extents
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._thresholds import check_tdp_threshold


class AdaptiveTDPTransformer(BaseTDPTransformer):
    """Find the largest clusters that reach a given true discovery proportion (TDP).

    Instead of a cluster-forming threshold, you choose a TDP, such as "at least 70 % active". The
    transformer finds the largest supra-threshold clusters whose lower bound is at least that TDP.
    Each cluster has its own threshold. With probability at least ``1 - alpha``, the bounds of all
    clusters hold at once, for all TDPs that you try.

    Maps are volumes, surfaces (:class:`nilearn.surface.SurfaceImage`) or CIFTI images, as for
    :class:`ClusterTDPTransformer`. Everything said here about voxels also holds for vertices and
    grayordinates.

    Parameters
    ----------
    tdp_threshold : float, sequence of float, or None, default=0.7
        Minimum TDP of the clusters, in [0, 1]. If you give several, the clusters for a higher TDP
        lie within the clusters for a lower one, and each voxel shows the cluster with the highest
        TDP that contains it. With None, each voxel shows the highest TDP of all clusters that
        contain it. This is the threshold-free TDP map.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    mask_img : image, masker or None, default=None
        All voxels to test, as for :class:`ClusterTDPTransformer`.

    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"} or None, default=None
        What the maps hold, as for :class:`ClusterTDPTransformer`.

    df : float, (float, float), image, path, ndarray or None, default=None
        Degrees of freedom, as for :class:`ClusterTDPTransformer`.

    two_sided : bool or "directional", default=False
        Whether to test negative values too, as for :class:`ClusterTDPTransformer`. Positive and
        negative clusters are then formed separately. With "directional", the bound of a cluster
        counts voxels whose effect has the sign of the cluster.

    connectivity : {6, 18, 26} or None, default=None
        Neighbours of a voxel: voxels that share a face (6), a face or an edge (18), or a face, an
        edge or a corner (26). None means 6. On a surface, vertices that share an edge of the mesh
        are neighbours, and this parameter must be None.

    cluster_threshold : int, default=0
        Minimum cluster size, in voxels. Smaller clusters belong to the rest.

    mesh : PolyMesh, dict or None, default=None
        Meshes of the cortex, for CIFTI images.

    adjacency : sparse matrix, ndarray, graph, "lattice" or None, default=None
        Neighbours in arrays of sensors, times, edges or anything else. A matrix or a graph of
        :mod:`ari_estimator.graphs` has a node for each element of a map, in C order.
        :func:`~ari_estimator.graphs.product` combines sensors with times. ``"lattice"`` makes
        elements neighbours along each axis. It turns arrays into whole maps: ``X`` has shape
        (n_maps, ...), with the maps along its first axis. Images bring their neighbours, so it
        must be None for them.

    coordinates : dict or None, default=None
        Names of the places in an array, for tables: ``{"channel": names, "time": seconds}`` gives
        ``peak_channel`` and ``peak_time``. Values of one dimension belong to the axes of a map in
        turn. Other values must broadcast to the shape of a map. An axis without a name has its
        index in the table. It must be None for images.

    local_test : {"simes", "hommel"}, default="simes"
        Local test of the closed testing procedure.

    n_jobs : int or None, default=None
        Number of processes for several maps, as for :class:`ClusterTDPTransformer`.

    verbose : int, default=1
        0 shows nothing, 1 shows a progress bar if the work takes more than two seconds, and 2 also
        prints a line for each map. From 3, nilearn's masker prints messages too.

    Attributes
    ----------
    forest_ : TDPForest
        All clusters of the map with their TDPs, including small clusters. Use it to query other
        TDPs. Its elements are the tested voxels.

    labels_img_ : image, list of images or ndarray
        The ``cluster_id`` of the cluster that the TDP image shows at each voxel, 0 elsewhere. It
        has the same form as the input.

    maps_ : FittedMap or sequence of FittedMap
        The fitted map. It also bounds any other set, like :func:`set_bound`. This attribute,
        ``forest_``, ``labels_img_``, ``n_tested_``, ``table_`` and ``true_discoveries_`` exist
        after :meth:`fit` with maps. If the input is not a single map, they are lists with one item
        for each map. For several maps, ``maps_`` keeps only the values in the mask. It tests a
        map again, with its forest, when you access it.

    mask_img_ : image
        The mask.

    masker_ : NiftiMasker, SurfaceMasker or None
        The fitted masker; None for CIFTI images.

    n_elements_ : int
        Number of voxels in the mask.

    n_features_in_ : int
        The same number, by scikit-learn's name.

    n_tested_ : int
        Number of voxels tested: all voxels in the mask that are not NaN.

    table_ : pandas.DataFrame
        One row for each cluster, by ascending ``tdp_threshold`` and then from the largest to the
        smallest. The last row is the rest of the brain. The columns are the same as in
        :class:`ClusterTDPTransformer`, plus ``tdp_threshold``. The column ``threshold`` is the
        cluster-forming threshold, just below the weakest voxel of the cluster. With
        ``tdp_threshold=None``, the column ``tdp_threshold`` is absent, and the clusters are the
        largest clusters with at least one true discovery.

    true_discoveries_ : int
        Lower bound on the number of active voxels among all tested voxels.

    See Also
    --------
    ClusterTDPTransformer : TDP of the clusters above a threshold.
    TDPForest : All clusters of a map, computed from arrays.

    Notes
    -----
    Chen et al. [1]_ describe the method; see :class:`TDPForest`. The bounds do not depend on the
    order of the voxels.

    References
    ----------
    .. [1] Chen X, Goeman JJ, Krebs TJP, Meijer RJ, Weeda WD (2022). Adaptive cluster
       thresholding with spatial activation guarantees using All-Resolutions Inference.
       arXiv:2206.13587.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import AdaptiveTDPTransformer
    >>> ari = AdaptiveTDPTransformer(tdp_threshold=0.9, cluster_threshold=50)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> ari.table_[["cluster_id", "threshold", "n_voxels", "true_discoveries", "tdp"]].round(2)
       cluster_id  threshold  n_voxels  true_discoveries  tdp
    0           1       3.52      1542              1388  0.9
    1           2       3.97       290               261  0.9
    2           3       3.95       266               240  0.9
    3           0        NaN     43350                 0  0.0
    """

    # A TDPForest for one map, a sequence of them for several.
    forest_: Any
    _sets_are_called = "clusters"

    _kept = {**BaseTDPTransformer._kept, "labels_img_": "painted_labels"}

    _parameters_of_fit = (*BaseTDPTransformer._parameters_of_fit, "adjacency")

    _parameter_constraints: dict[str, Any] = {
        **BaseTDPTransformer._parameter_constraints,
        "tdp_threshold": "no_validation",  # by check_tdp_threshold
        "adjacency": "no_validation",  # by the frame of arrays
        "connectivity": [Choice(CONNECTIVITIES), None],
        "cluster_threshold": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        tdp_threshold: float | Iterable[float] | None = 0.7,
        *,
        alpha: float = 0.05,
        mask_img: Any = None,
        stat_type: StatType | None = None,
        df: Any = None,
        two_sided: TwoSided = False,
        connectivity: Connectivity | None = None,
        cluster_threshold: int = 0,
        mesh: Any = None,
        adjacency: Any = None,
        coordinates: Any = None,
        local_test: LocalTest = "simes",
        n_jobs: int | None = None,
        verbose: int = 1,
    ) -> None:
        self.tdp_threshold = tdp_threshold
        self.alpha = alpha
        self.mask_img = mask_img
        self.stat_type = stat_type
        self.df = df
        self.two_sided = two_sided
        self.connectivity = connectivity
        self.cluster_threshold = cluster_threshold
        self.mesh = mesh
        self.adjacency = adjacency
        self.coordinates = coordinates
        self.local_test = local_test
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_sets(self, statistic: Statistic) -> None:
        refuse_extents(self.local_test, "adaptive clusters, which voxels must form")
        check_tdp_threshold(self.tdp_threshold)

    def _fit_sets(self, frame: Frame) -> None:
        """Do nothing: the map alone determines the clusters."""

    def _set_maker(self, frame: Frame, statistic: Statistic) -> SetMaker:
        return AdaptiveClusters(
            check_tdp_threshold(self.tdp_threshold),
            frame.space.check_connectivity(self.connectivity),
            self.cluster_threshold,
        )

    def _infer(self, *args: Any, **kwargs: Any) -> Iterator[FittedMap]:
        for fitted_map in super()._infer(*args, **kwargs):
            if fitted_map.n_sets == 0:
                asked = "true discoveries" if self.tdp_threshold is None else "this TDP"
                warnings.warn(
                    f"The map has no cluster with {asked}, tdp_threshold={self.tdp_threshold!r}. "
                    f"The whole map has at least {fitted_map.true_discoveries} true "
                    "discoveries.",
                    UserWarning,
                    stacklevel=2,
                )
            yield fitted_map

    def _keep(
        self,
        maps: Maps,
        fitted_maps: list[FittedMap] | FittedMaps,
        kept: dict[str, Any],
    ) -> None:
        super()._keep(maps, fitted_maps, kept)
        if isinstance(fitted_maps, FittedMaps):
            self.forest_ = AskedOfMaps(fitted_maps, "forest")
        else:
            self.forest_ = fitted_maps[0].forest
