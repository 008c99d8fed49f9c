"""True discovery proportion of clusters above a threshold."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Literal

from sklearn.utils._param_validation import Interval

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._choice import Choice
from ari_estimator.graphs import Graph
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity
from ari_estimator.images._frame import Frame
from ari_estimator.images._labels import Regions, read_regions, warn_of_regions_outside
from ari_estimator.inference import Statistic, StatType
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._given_sets import GivenClusters
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._supra_threshold_clusters import SupraThresholdClusters
from ari_estimator.inference._supra_threshold_part import check_extent_connectivity
from ari_estimator.inference._thresholds import ThresholdScale, check_threshold


class ClusterTDPTransformer(BaseTDPTransformer):
    """True discovery proportion (TDP) of clusters, by All-Resolutions Inference.

    This transformer turns statistical maps into images in which each voxel of a cluster shows a
    lower bound on the proportion of truly active voxels in that cluster. With probability at least
    ``1 - alpha``, the bounds of all clusters at all thresholds hold at once. You may therefore
    choose thresholds and clusters after looking at the results.

    Maps are volumes, surfaces (:class:`nilearn.surface.SurfaceImage`) or CIFTI images (dscalar and
    dtseries). Everything said here about voxels also holds for vertices and grayordinates.

    Parameters
    ----------
    threshold : float, sequence of float, "concentration" or None, default=None
        Cluster-forming threshold, on the scale of the map or, with ``threshold_scale="p"``, as a
        p-value. Clusters consist of the voxels whose value exceeds the threshold (with
        ``two_sided``, their absolute value) or, for p-values, lies below it. With several
        thresholds, each voxel shows the TDP of its cluster at the strictest threshold that it
        passes. ``"concentration"`` is the most lenient threshold that can matter: weaker voxels do
        not add to any bound. None means p < 0.001 in one tail, which is 3.09 on the z scale, or
        the height threshold of a ``ClusterExtent``.

    threshold_scale : {"stat", "p"}, default="stat"
        Scale of the threshold: the values of the map, for any ``stat_type``, or p-values, which
        are two-sided with ``two_sided``. Leave it at the default if ``threshold`` is not a number.

    labels_img : image, labels masker or None, default=None
        Given clusters, which replace the threshold: an image of labels, such as FSL's cluster index
        or an atlas. It must be of the same kind as the maps. The label 0 is the rest. A
        NiftiLabelsMasker or SurfaceLabelsMasker provides its image. The clusters keep their labels.
        A one-sided test warns if some of them have negative values only: it looks for positive
        effects. See :class:`RegionTDPTransformer` for regions with names.

    resampling_target : {"data"} or None, default=None
        With "data", a ``labels_img`` on another grid is resampled to the grid of the maps, with
        nearest-neighbour interpolation. Grayordinates are matched by structure and position. With
        None, another grid raises an error.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    mask_img : image, masker or None, default=None
        All voxels to test (the family): a binary mask image, its path, or a NiftiMasker or
        SurfaceMasker, fitted or not. Only the mask of a masker is used. It must be on the grid or
        mesh of the maps. If None, :meth:`fit` computes nilearn's background mask for volumes; this
        needs maps that were not thresholded and that do not hold p-values, whose background may be
        1. For surfaces and CIFTI images, None means all vertices and grayordinates.

    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"} or None, default=None
        Values of the maps: statistics, p-values, -log10 of p-values, or 1 - p as written by FSL.
        P-values are used as they are, whether they were computed one- or two-sided. With None, the
        header or the name of the file decides, and z is assumed if they declare nothing.

    df : float, (float, float), image, path, ndarray or None, default=None
        Degrees of freedom: one number for t and chi2, two for F. The number for t and the second
        number for F may be infinite. For t, an image, a file or an array of shape (n_elements,)
        gives the degrees of freedom of each element. The t values are then converted to z values,
        so thresholds are z values too. None takes what the file declares.

    two_sided : bool or "directional", default=False
        Whether to test negative values too, and what a true discovery is.

        - False tests for positive effects. A true discovery is a voxel with a positive effect.
        - True uses two-sided p-values. A true discovery is a voxel with an effect, positive or
          negative: the bounds make **no statement on the sign** of single voxels.
        - "directional" tests each sign at half the error level. With probability at least
          ``1 - alpha``, all bounds on positive effects and all bounds on negative effects hold at
          once. The bound of a set with both signs is the sum of both, and tables have a column for
          each sign.

        True and "directional" form positive and negative clusters separately. They are available
        for z and t. With ``"neg_log10_p"``, the map must be -log10 of two-sided p-values with the
        sign of the effect, as FreeSurfer writes it. F, chi2 and plain p-values carry no sign.

    connectivity : {6, 18, 26} or None, default=None
        Neighbours of a voxel: voxels that share a face (6), a face or an edge (18), or a face, an
        edge or a corner (26). None means 6, or the connectivity of a ``ClusterExtent``. On a
        surface, vertices that share an edge of the mesh are neighbours, and this parameter must be
        None.

    cluster_threshold : int, default=0
        Minimum cluster size, in voxels. Smaller clusters belong to the rest.

    mesh : PolyMesh, dict or None, default=None
        Meshes of the cortex for CIFTI images, which do not contain them: a nilearn PolyMesh, or
        GIFTI files (``.surf.gii``) as ``{"left": ..., "right": ...}``. You do not need it for
        fsaverage5, which comes with nilearn, for fsLR where
        :func:`~ari_estimator.interfaces.find_fs_lr` finds it, or with ``labels_img``. Without a
        mesh, areas and coordinates of vertices are unknown.

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

    local_test : {"simes", "hommel"} or ClusterExtent, default="simes"
        Local test of the closed testing procedure. ``"simes"`` is valid under the positive
        dependence that is usually assumed for brain maps. ``"hommel"`` is valid under any
        dependence and gives smaller bounds. A :class:`ClusterExtent` takes the bounds from the
        size of clusters instead of the p-values of voxels. By default,
        clusters then use its height threshold and its connectivity.

    n_jobs : int or None, default=None
        Number of processes for several maps; -1 for one per processor, None for the configuration
        of joblib. Each process reads the files of its maps. A single map, and the maps of an
        iterator, are tested in one process.

    verbose : int, default=1
        0 shows nothing, 1 shows a progress bar if the work takes more than two seconds, and 2 also
        prints a line for each map. From 3, nilearn's masker prints messages too.

    Attributes
    ----------
    labels_img_ : image, list of images or ndarray
        The ``cluster_id`` of the cluster that the TDP image shows at each voxel, 0 elsewhere. It
        has the same form as the input.

    maps_ : FittedMap or sequence of FittedMap
        The fitted map. It also bounds any other set, like :func:`set_bound`. This attribute,
        ``labels_img_``, ``n_tested_``, ``table_`` and ``true_discoveries_`` exist after
        :meth:`fit` with maps. If the input is not a single map, they are lists with one item for
        each map. For several maps, ``maps_`` keeps only the values in the mask. It tests a map
        again when you access it.

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
        One row for each cluster, from the most lenient threshold to the strictest, and then from
        the largest to the smallest. With a ``labels_img``, rows are in ascending order of the
        labels. The last row is the rest of the brain: all voxels outside the clusters of the most
        lenient threshold. Columns:

        - ``cluster_id``, 0 for the rest;
        - ``threshold``, on the scale of the map;
        - ``direction``: "positive", "negative" or "rest"; "unsigned" for F, chi2 and p-values;
          "both" for given clusters if two-sided;
        - ``n_voxels`` (``n_vertices``, ``n_grayordinates``);
        - ``size_mm3`` (``size_mm2`` of vertices; CIFTI has both);
        - ``true_discoveries``, the lower bound on the number of active voxels;
        - with ``two_sided="directional"``, ``true_discoveries_positive`` and
          ``true_discoveries_negative``, the lower bounds for each sign;
        - ``tdp``, ``peak_stat``, and ``peak_x``, ``peak_y``, ``peak_z`` in mm. The peak is the
          strongest value, or the strongest finite value if there are infinite ones;
        - for surfaces also ``peak_hemisphere`` and ``peak_vertex``, for CIFTI images
          ``peak_structure`` and ``peak_vertex``.

    true_discoveries_ : int
        Lower bound on the number of active voxels among all tested voxels.

    See Also
    --------
    ARISecondLevelModel : From subject maps to TDP.
    AdaptiveTDPTransformer : The largest clusters that reach a given TDP.
    RegionTDPTransformer : TDP of the regions of an atlas, as an array.
    cluster_level_inference : A function with nilearn's signature.

    Notes
    -----
    Rosenblatt et al. [1]_ describe the method, and Goeman et al. [2]_ its bounds; see
    :class:`~ari_estimator.closed_testing.Hommel`. The values of a map are *assumed* to be what
    ``stat_type`` says. A t map with few degrees of freedom that is read as a z map gives far too
    many discoveries. A warning appears if the intent code of the NIfTI header contradicts
    ``stat_type``.

    The vertices of both hemispheres, or all grayordinates, form one family, so the error level is
    spent once. No cluster extends from one hemisphere to the other. The area of a vertex is a third
    of the area of its triangles. Areas and coordinates come from the mesh of the first map that the
    transformer is fitted to.

    NaN voxels are left out of the family, with a warning. Infinite values stay in the family, with
    a p-value of 0 or 1. In arrays from nilearn's maskers, all of these values are already 0.

    If a label of ``labels_img`` has no voxels in the mask, its row has 0 voxels and a TDP of NaN,
    and a warning appears.

    Without a mask, a volume that looks thresholded raises an error. It looks thresholded if almost
    no voxels of the computed mask are close to zero, or almost none have one of the signs.

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

    _regions: Regions | None
    _parameters_of_fit = (
        *BaseTDPTransformer._parameters_of_fit,
        "adjacency",
        "labels_img",
        "resampling_target",
    )

    _kept = {**BaseTDPTransformer._kept, "labels_img_": "painted_labels"}

    _parameter_constraints: dict[str, Any] = {
        **BaseTDPTransformer._parameter_constraints,
        "threshold": "no_validation",  # by check_threshold
        "threshold_scale": [Choice(["stat", "p"])],
        "labels_img": "no_validation",  # by read_regions
        "resampling_target": [Choice(["data"]), None],
        "adjacency": "no_validation",  # by the frame of arrays
        "connectivity": [Choice(CONNECTIVITIES), None],
        "cluster_threshold": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        threshold: float | Iterable[float] | Literal["concentration"] | None = None,
        *,
        threshold_scale: ThresholdScale = "stat",
        labels_img: Any = None,
        resampling_target: Literal["data"] | None = None,
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
        local_test: LocalTest | ExtentTest = "simes",
        n_jobs: int | None = None,
        verbose: int = 1,
    ) -> None:
        self.threshold = threshold
        self.threshold_scale = threshold_scale
        self.labels_img = labels_img
        self.resampling_target = resampling_target
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
        if self.labels_img is None:
            threshold, scale = self.threshold, self.threshold_scale
            if threshold is None and isinstance(self.local_test, ExtentTest):
                refuse_unused("without a threshold", {"threshold_scale": (scale, "stat")})
                threshold, scale = self.local_test.height_threshold, "p"
            self._thresholds = check_threshold(threshold, scale, statistic)
            if self.resampling_target is not None:
                refuse_unused(
                    "without a labels_img",
                    {"resampling_target": (self.resampling_target, None)},
                )
            return
        refuse_unused(
            "with labels_img, which defines the clusters",
            {
                "threshold": (self.threshold, None),
                "threshold_scale": (self.threshold_scale, "stat"),
                "connectivity": (self.connectivity, None),
                "adjacency": (self.adjacency, None),
                "cluster_threshold": (self.cluster_threshold, 0),
            },
        )

    def _fit_sets(self, frame: Frame) -> None:
        self._regions = None
        self._graphs: dict[int, Graph] = {}
        if self.labels_img is None:
            return
        regions = read_regions(frame, self.labels_img, resample=self.resampling_target == "data")
        if regions.overlap:
            raise ValueError(
                "labels_img must be a single map of labels. Got several maps: use "
                "RegionTDPTransformer for regions that may overlap."
            )
        warn_of_regions_outside(regions, frame, "labels_img")
        self._regions = regions

    def _set_maker(self, frame: Frame, statistic: Statistic) -> SetMaker:
        if self._regions is not None:
            return GivenClusters(self._regions)
        connectivity = self.connectivity
        if connectivity is None and isinstance(self.local_test, ExtentTest):
            connectivity = check_extent_connectivity(frame.space, self.local_test.connectivity)
        else:
            connectivity = frame.space.check_connectivity(connectivity)
        if connectivity not in self._graphs:
            self._graphs = {connectivity: frame.space.graph(connectivity)}
        return SupraThresholdClusters(
            self._thresholds,
            self._graphs[connectivity],
            connectivity,
            self.cluster_threshold,
        )
