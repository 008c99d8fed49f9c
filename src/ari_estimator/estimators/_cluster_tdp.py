"""The true discovery proportion of clusters above a threshold."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Literal

from sklearn.utils._param_validation import Interval, Options, StrOptions

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.graphs import Graph
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity
from ari_estimator.images._frame import Frame
from ari_estimator.images._labels import Regions, read_regions, warn_of_regions_outside
from ari_estimator.inference import Statistic, StatType
from ari_estimator.inference._given_sets import GivenClusters
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._supra_threshold_clusters import SupraThresholdClusters
from ari_estimator.inference._thresholds import ThresholdScale, check_threshold


class ClusterTDPTransformer(BaseTDPTransformer):
    """True discovery proportion (TDP) of clusters, by All-Resolutions Inference.

    Turns statistical maps into images in which each voxel of a cluster shows a lower bound
    on the proportion of truly active voxels in that cluster. With probability at least
    ``1 - alpha`` the bounds hold for all clusters, at all thresholds, at once: threshold
    and clusters may be chosen after looking at the result.

    Maps are volumes, surfaces (:class:`nilearn.surface.SurfaceImage`) or CIFTI images
    (dscalar and dtseries). What is said of voxels holds for their vertices and
    grayordinates too.

    Parameters
    ----------
    threshold : float, sequence of float, "concentration" or None, default=None
        Cluster-forming threshold, on the scale of the map or, with
        ``threshold_scale="p"``, as a p-value. A voxel is in a cluster if it is beyond the
        threshold: if its value (with ``two_sided`` its absolute value) is above it or, for
        p-values, below it. With several thresholds each voxel shows the TDP of its cluster
        at the strictest threshold that it passes. ``"concentration"`` takes the most
        lenient threshold that can matter: no voxel short of it adds to any bound. None is
        p < 0.001 in one tail: 3.09 on the z scale.

    threshold_scale : {"stat", "p"}, default="stat"
        What the threshold is: a value of the map, whatever its ``stat_type``, or a
        p-value, which with ``two_sided`` is two-sided. It must be left at the default
        where ``threshold`` is no number.

    labels_img : image, labels masker or None, default=None
        Clusters, in place of a threshold: an image of labels such as FSL's cluster index,
        an atlas, or one's own, of the same kind as the maps; 0 is the rest. A NiftiLabelsMasker or
        SurfaceLabelsMasker gives its own image. The clusters keep their labels. See
        :class:`RegionTDPTransformer` for regions with names.

    resampling_target : {"data"} or None, default=None
        With "data", a ``labels_img`` on another grid is resampled to the grid of the maps, by
        the nearest neighbour; other grayordinates are matched by structure and place. With None,
        another grid is an error.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    mask_img : image, masker or None, default=None
        All voxels that are tested, the family: a binary mask image or a path to one, or a
        NiftiMasker or SurfaceMasker, fitted or not. Only the mask of a masker is used. It must
        be on the grid or mesh of the maps. If None, nilearn's background mask is computed
        in :meth:`fit` for volumes, which needs a map that has not been thresholded, and no
        map of p-values, whose background may be one; all
        vertices of a surface are tested, and all grayordinates of a CIFTI image.

    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"} or None, default=None
        What the maps hold: statistics, p-values, -log10 of p-values, or 1 - p as written by
        FSL. p-values are taken as they are, one- or two-sided as they were computed. None is
        what the header or the name of the file declares, and z where they declare nothing.

    df : float, (float, float), image, path, ndarray or None, default=None
        Degrees of freedom: one number for t and chi2, two for F. The number for t and the second
        one for F may be infinite. For t, an image, a file, or an array of shape (n_elements,)
        gives each element its own. The t values then become z values, and so thresholds are z
        values, too. None is what the file declares.

    two_sided : bool, default=False
        Whether negative values count as well: p-values are then two-sided, and positive
        and negative clusters are formed apart. For z and t; with ``"neg_log10_p"`` the map
        is -log10 of two-sided p-values with the sign of the effect, as FreeSurfer writes it.
        F and chi2 have no sign, and plain p-values do not show it.

    connectivity : {6, 18, 26} or None, default=None
        Voxels of a cluster share a face (6), or also an edge (18), or a corner (26). None is 6.
        Vertices are neighbours where they share an edge of the mesh: for a surface it must be
        None.

    cluster_threshold : int, default=0
        Smallest size of a cluster, in voxels. Smaller ones belong to the rest.

    mesh : PolyMesh, dict or None, default=None
        Meshes of the cortex, for CIFTI images, which do not bring them along: a nilearn
        PolyMesh, or GIFTI files (``.surf.gii``) as ``{"left": ..., "right": ...}``. Not needed
        for fsaverage5, which comes with nilearn.

    local_test : {"simes", "hommel"}, default="simes"
        Local test of the closed testing procedure: ``"simes"``, valid under the positive
        dependence that is usually assumed of brain maps, or ``"hommel"``, valid under any
        dependence, with smaller bounds.

    verbose : int, default=0
        If positive, a line is printed for each map.

    Attributes
    ----------
    labels_img_ : image, list of images or ndarray
        For each voxel the ``cluster_id`` of the cluster that the TDP image shows, 0
        elsewhere; in the form of the input.

    maps_ : FittedMap or sequence of FittedMap
        All that is known of the map. Ask it for the bound of any other set, as with
        :func:`set_bound`.
        This attribute, ``labels_img_``, ``n_tested_``, ``table_`` and ``true_discoveries_``
        are there if :meth:`fit` was given maps. They are lists, with one item for each map,
        where the input is not a single map. Of several maps ``maps_`` keeps the values in the
        mask alone, and infers a map again when it is asked for.

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
        One row for each cluster, from the most lenient threshold to the strictest and,
        within, from the largest to the smallest; for a ``labels_img`` by ascending label.
        The last row is the rest of the brain, all voxels that are in no cluster at the
        most lenient threshold. Columns: ``cluster_id`` (0 for the rest), ``threshold`` (on
        the scale of the map), ``direction`` ("positive", "negative", "rest"; "unsigned"
        for F, chi2 and p-values, "both" for given clusters if two-sided), ``n_voxels``
        (``n_vertices``, ``n_grayordinates``), ``size_mm3`` (``size_mm2`` of vertices; CIFTI
        has both), ``true_discoveries`` (lower bound on the number of active voxels),
        ``tdp``, ``peak_stat`` and ``peak_x``, ``peak_y``, ``peak_z`` (mm). Surfaces have
        ``peak_hemisphere`` and ``peak_vertex`` as well, CIFTI images ``peak_structure`` and
        ``peak_vertex``.

    true_discoveries_ : int
        Lower bound on the number of active voxels among all that are tested.

    See Also
    --------
    ARISecondLevelModel : From subject maps to TDP.
    AdaptiveTDPTransformer : The largest clusters with at least a TDP.
    RegionTDPTransformer : TDP of the regions of an atlas, as an array.
    cluster_level_inference : As a function, with nilearn's signature.

    Notes
    -----
    Rosenblatt et al. [1]_ describe the method, and Goeman et al. [2]_ its bounds; see
    :class:`~ari_estimator.closed_testing.Hommel`. A map is *assumed* to hold what
    ``stat_type`` says: a t map taken for a z map, with few degrees of freedom, gives far too
    many discoveries. All that can be done is to warn where the intent code of a NIfTI header
    says otherwise.

    The vertices of both hemispheres, and all grayordinates, are one family: the error
    level is spent once. No cluster reaches from one hemisphere to the other. A vertex has a
    third of the area of each of its triangles. Areas and coordinates come from the mesh of the
    first map that the transformer is fitted to.

    Voxels that are NaN are left out of the family, with a warning; infinite values stay in,
    with p-values 0 or 1. In arrays from nilearn's maskers all of these are 0 already.

    A label of ``labels_img`` without any voxel in the mask has a row with 0 voxels and a
    TDP of NaN; a warning says so.

    Where no mask is given, a volume looks thresholded, and is refused, if next to none of
    the voxels of the computed mask are close to zero, or next to none are of one sign.

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
        "labels_img",
        "resampling_target",
    )

    _kept = {**BaseTDPTransformer._kept, "labels_img_": "labels"}

    _parameter_constraints: dict[str, Any] = {
        **BaseTDPTransformer._parameter_constraints,
        "threshold": "no_validation",  # by check_threshold
        "threshold_scale": [StrOptions({"stat", "p"})],
        "labels_img": "no_validation",  # by read_regions
        "resampling_target": [StrOptions({"data"}), None],
        "connectivity": [Options(Integral, set(CONNECTIVITIES)), None],
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
        two_sided: bool = False,
        connectivity: Connectivity | None = None,
        cluster_threshold: int = 0,
        mesh: Any = None,
        local_test: LocalTest = "simes",
        verbose: int = 0,
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
        self.local_test = local_test
        self.verbose = verbose

    def _check_sets(self, statistic: Statistic) -> None:
        if self.labels_img is None:
            self._thresholds = check_threshold(self.threshold, self.threshold_scale, statistic)
            if self.resampling_target is not None:
                refuse_unused(
                    "without a labels_img",
                    {"resampling_target": (self.resampling_target, None)},
                )
            return
        refuse_unused(
            "with labels_img, which gives the clusters",
            {
                "threshold": (self.threshold, None),
                "threshold_scale": (self.threshold_scale, "stat"),
                "connectivity": (self.connectivity, None),
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
                "labels_img must be an image of labels, a single map. Got several maps: "
                "RegionTDPTransformer takes regions that may overlap."
            )
        warn_of_regions_outside(regions, frame, "labels_img")
        self._regions = regions

    def _set_maker(self, frame: Frame, statistic: Statistic) -> SetMaker:
        if self._regions is not None:
            return GivenClusters(self._regions)
        connectivity = frame.space.check_connectivity(self.connectivity)
        if connectivity not in self._graphs:
            self._graphs = {connectivity: frame.space.graph(connectivity)}
        return SupraThresholdClusters(
            self._thresholds,
            self._graphs[connectivity],
            connectivity,
            self.cluster_threshold,
        )
