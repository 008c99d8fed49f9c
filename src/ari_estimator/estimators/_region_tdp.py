"""The true discovery proportion of regions of an atlas."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._choice import Choice
from ari_estimator.images._frame import Frame
from ari_estimator.images._labels import Regions, read_regions, warn_of_regions_outside
from ari_estimator.images._maps import Maps
from ari_estimator.images._region_names import Names
from ari_estimator.inference import FittedMap, Statistic, StatType
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._given_sets import GivenRegions
from ari_estimator.inference._set_maker import SetMaker


class RegionTDPTransformer(BaseTDPTransformer):
    """True discovery proportion (TDP) of regions, by All-Resolutions Inference.

    This transformer turns statistical maps into an array with one row for each map and one column
    for each region of an atlas. Each value is a lower bound on the proportion of truly active
    voxels in a region. For each map, the bounds of all regions hold at once with probability at
    least ``1 - alpha``.

    Parameters
    ----------
    labels_img : image, labels masker or maps masker
        The regions, as an image of labels. For regions that may overlap, give an image of several
        maps (4D for volumes). Each of these maps defines a region: the voxels where it exceeds
        ``probability_threshold``. The image must be of the same kind as the maps and on their grid
        or mesh, unless ``resampling_target="data"``. CIFTI images are matched by structure, vertex
        and voxel, and may have other grayordinates than the maps; a pscalar or ptseries image gives
        its parcels. A NiftiLabelsMasker, NiftiMapsMasker,
        SurfaceLabelsMasker or SurfaceMapsMasker provides its image and names.

    labels : sequence of str, dict, Series or None, default=None
        Names of the regions, in ascending order of the labels or in the order of the maps. A first
        name "Background" is optional. Or a dictionary with the name of each label, or of each map
        by its number from 1; a Series does the same with its index.

    lut : pandas.DataFrame, str, Path or None, default=None
        Look-up table of regions with columns ``index`` and ``name``, or its file, as for nilearn's
        label maskers. For an image of several maps, the index gives their order. A CIFTI dlabel
        image contains its own table.

    background_label : int, default=0
        Label of voxels outside all regions.

    probability_threshold : float or None, default=None
        For an image of several maps: voxels whose value exceeds this threshold belong to the
        region. None for binary masks.

    resampling_target : {"data"} or None, default=None
        With "data", regions on another grid are resampled to the grid of the maps, with
        nearest-neighbour interpolation. With None, another grid raises an error. CIFTI images are
        matched in any case.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    mask_img : image, masker or None, default=None
        All voxels to test, as for :class:`ClusterTDPTransformer`. Voxels of a region outside the
        mask do not count.

    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"} or None, default=None
        What the maps hold, as for :class:`ClusterTDPTransformer`.

    df : float, (float, float), image, path, ndarray or None, default=None
        Degrees of freedom, as for :class:`ClusterTDPTransformer`.

    two_sided : bool or "directional", default=False
        Whether to test negative values too, as for :class:`ClusterTDPTransformer`. "directional"
        bounds positive and negative effects of each region: the TDP counts both, and ``table_`` has
        a column for each sign.

    mesh : PolyMesh, dict or None, default=None
        Meshes of the cortex, for CIFTI images. Regions do not need them. Without them, areas and
        coordinates of vertices are unknown.

    coordinates : dict or None, default=None
        Names of the places in an array, for tables: ``{"channel": names, "time": seconds}`` gives
        ``peak_channel`` and ``peak_time``. Values of one dimension belong to the axes of a map in
        turn. Other values must broadcast to the shape of a map. An axis without a name has its
        index in the table. It must be None for images.

    local_test : {"simes", "hommel"} or ClusterExtent, default="simes"
        Local test of the closed testing procedure. A :class:`ClusterExtent` takes the bounds from
        the size of supra-threshold clusters.

    n_jobs : int or None, default=None
        Number of processes for several maps, as for :class:`ClusterTDPTransformer`.

    verbose : int, default=1
        0 shows nothing, 1 shows a progress bar if the work takes more than two seconds, and 2 also
        prints a line for each map. From 3, nilearn's masker prints messages too.

    Attributes
    ----------
    maps_ : FittedMap or sequence of FittedMap
        The fitted map. It also bounds any other set, like :func:`set_bound`. This attribute,
        ``n_tested_``, ``table_`` and ``true_discoveries_`` exist after :meth:`fit` with maps. If
        the input is not a single map, they are lists with one item for each map.

    mask_img_ : image
        The mask.

    masker_ : NiftiMasker, SurfaceMasker or None
        The fitted masker; None for CIFTI images.

    n_elements_ : int
        Number of voxels or vertices in the mask.

    n_features_in_ : int
        The same number, by scikit-learn's name.

    n_tested_ : int
        Number of voxels tested: all voxels in the mask that are not NaN.

    region_ids_ : ndarray of int of shape (n_regions,)
        Labels of the regions, in the order of the columns; 1, 2, ... for an image of several maps.

    region_names_ : list of str of length n_regions
        Names of the regions, in the same order.

    table_ : pandas.DataFrame
        One row for each region, in the order of ``region_ids_``. The last row is the rest: all
        voxels outside the regions. Columns: ``region_id`` (``background_label`` for the rest),
        ``region``, ``n_voxels``, ``size_mm3``, ``true_discoveries``, ``tdp``, ``peak_stat``,
        ``peak_x``, ``peak_y``, ``peak_z``; for surfaces and CIFTI images as in
        :class:`ClusterTDPTransformer`.

    true_discoveries_ : int
        Lower bound on the number of active voxels among all tested voxels.

    See Also
    --------
    ClusterTDPTransformer : TDP of supra-threshold clusters, or of the clusters of a label image.

    Notes
    -----
    The bounds of all regions come from one sort, see
    :meth:`~ari_estimator.closed_testing.CriticalVector.true_discoveries_by_label`. Rosenblatt et
    al. [1]_ describe the method.

    A region without voxels in the mask has a TDP of NaN in every map, and :meth:`fit` gives a
    warning. A TDP of 0 would wrongly suggest that the region was tested. If all voxels of a region
    are NaN in a map, its TDP is NaN for that map.

    References
    ----------
    .. [1] Rosenblatt JD, Finos L, Weeda WD, Solari A, Goeman JJ (2018). All-Resolutions
       Inference for brain imaging. NeuroImage 181, 786-796.

    Examples
    --------
    >>> import numpy as np
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from nilearn.image import load_img, new_img_like
    >>> from ari_estimator import RegionTDPTransformer
    >>> z_img = load_img(load_sample_motor_activation_image())
    >>> halves = np.ones(z_img.shape, dtype=np.int32)
    >>> halves[27:] = 2
    >>> atlas_img = new_img_like(z_img, halves)  # x runs from right to left
    >>> regions = RegionTDPTransformer(atlas_img, labels=["right", "left"])
    >>> regions.set_output(transform="pandas").fit_transform(z_img).round(3)
       right   left
    0  0.074  0.011
    """

    _parameters_of_fit = (
        *BaseTDPTransformer._parameters_of_fit,
        "labels_img",
        "labels",
        "lut",
        "background_label",
        "probability_threshold",
        "resampling_target",
    )

    _parameter_constraints: dict[str, Any] = {
        **BaseTDPTransformer._parameter_constraints,
        "labels_img": "no_validation",  # by read_regions, as the next three
        "labels": "no_validation",
        "lut": "no_validation",
        "background_label": [Integral],
        "probability_threshold": [Interval(Real, 0, None, closed="left"), None],
        "resampling_target": [Choice(["data"]), None],
    }

    def __init__(
        self,
        labels_img: Any,
        *,
        labels: Names | None = None,
        lut: pd.DataFrame | str | Path | None = None,
        background_label: int = 0,
        probability_threshold: float | None = None,
        resampling_target: Literal["data"] | None = None,
        alpha: float = 0.05,
        mask_img: Any = None,
        stat_type: StatType | None = None,
        df: Any = None,
        two_sided: TwoSided = False,
        mesh: Any = None,
        coordinates: Any = None,
        local_test: LocalTest | ExtentTest = "simes",
        n_jobs: int | None = None,
        verbose: int = 1,
    ) -> None:
        self.labels_img = labels_img
        self.labels = labels
        self.lut = lut
        self.background_label = background_label
        self.probability_threshold = probability_threshold
        self.resampling_target = resampling_target
        self.alpha = alpha
        self.mask_img = mask_img
        self.stat_type = stat_type
        self.df = df
        self.two_sided = two_sided
        self.mesh = mesh
        self.coordinates = coordinates
        self.local_test = local_test
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_sets(self, statistic: Statistic) -> None:
        if self.labels_img is None:
            raise ValueError("labels_img must be an image of regions. Got None.")

    def _fit_sets(self, frame: Frame) -> None:
        self._regions: Regions = read_regions(
            frame,
            self.labels_img,
            labels=self.labels,
            lut=self.lut,
            background_label=self.background_label,
            probability_threshold=self.probability_threshold,
            resample=self.resampling_target == "data",
        )
        warn_of_regions_outside(self._regions, frame, "labels_img")

    def _fit_maps(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        maps, output = super()._fit_maps(*args, **kwargs)
        # After a failed fit, there are no names.
        self.region_ids_ = self._regions.ids
        self.region_names_ = self._regions.names
        return maps, output

    def _set_maker(self, frame: Frame, statistic: Statistic) -> SetMaker:
        return GivenRegions(self._regions)

    _output_of = "tdps_of_sets"
    _output_is_table = True

    def _to_output(self, maps: Maps, fitted_maps: Iterable[FittedMap]) -> Any:
        return np.stack([fitted_map.tdps_of_sets[0] for fitted_map in fitted_maps])

    def _wrapped(self, output: Any, maps: Maps) -> Any:
        return self._contained(output, maps)

    def inverse_transform(self, X: Any) -> Any:
        """Return images in which each voxel shows the value of its region.

        Parameters
        ----------
        X : array-like of shape (n_maps, n_regions) or (n_regions,)
            Values of the regions, as returned by :meth:`transform`.

        Returns
        -------
        img : image
            Image on the grid or mesh of the mask, with one map for each row of ``X`` (4D for
            volumes), or a single map if ``X`` is one-dimensional. It is 0 outside the regions.
            Where regions overlap, it shows the largest of their values.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer is not fitted.
        ValueError
            If the number of columns of ``X`` differs from the number of regions.
        """
        check_is_fitted(self)
        values = np.asarray(X, dtype=np.float64)
        n_regions = self.region_ids_.size
        if values.ndim not in (1, 2) or values.shape[-1] != n_regions or values.shape[0] == 0:
            raise ValueError(
                "Input to 'inverse_transform' has wrong shape. X must have shape "
                f"(n_maps, {n_regions}), a column for each region, or ({n_regions},). "
                f"Got shape {values.shape}."
            )
        rows = (self._regions.paint(row, self.n_elements_) for row in np.atleast_2d(values))
        n_maps = None if values.ndim == 1 else len(values)
        return self._frame.image(rows, n_maps, "values of regions")

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the regions, as columns of the output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored; exists for compatibility with scikit-learn.

        Returns
        -------
        names : ndarray of str of shape (n_regions,)
            The names.
        """
        check_is_fitted(self)
        return np.array(self.region_names_, dtype=object)
