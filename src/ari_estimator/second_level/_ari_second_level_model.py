"""A group analysis: from subject maps to true discovery proportions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.reporting import HTMLReport
from numpy.typing import ArrayLike
from sklearn.exceptions import NotFittedError

from ari_estimator._nesting import refuse_nested
from ari_estimator._unused_options import refuse_unused
from ari_estimator.calibration._missing_rows import Missing
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._report import model_report_on
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.images._family_masker import masker_of_family
from ari_estimator.images._grayordinate_masker import GrayordinateMasker
from ari_estimator.images._single_array import without_wrapping
from ari_estimator.resampling._contrast_expression import check_expressions
from ari_estimator.resampling._design_checks import numeric_design
from ari_estimator.resampling._repeated_subjects import warn_of_repeated_subjects
from ari_estimator.second_level._combine_runs_by_subject import labels_of_rows
from ari_estimator.second_level._contrast_family import ERROR_BUDGETS, ErrorBudget, naming
from ari_estimator.second_level._contrast_steps import ContrastSteps
from ari_estimator.second_level._joint_contrasts import asked_contrasts, tdp_of_contrasts
from ari_estimator.second_level._last_result import LastResult
from ari_estimator.second_level._missing_contrast import check_missing
from ari_estimator.second_level._model_input import (
    refuse_ignored_confounds,
    rows_differ,
    unsorted_subjects,
    warn_of_repeated_map,
)
from ari_estimator.second_level._model_parts import check_calibration, checked_transformer
from ari_estimator.second_level._smoothing import check_smoothing
from ari_estimator.second_level._welch_contrast import check_groups

# What to do about several rows of one subject.
_INDEPENDENT = (
    "Combine the runs of each subject with combine_runs_by_subject, or pass "
    "PermutationCalibration(blocks=...), with the subject of each row."
)

# What fit reads. A change has no effect before the next fit.
_PARAMETERS_OF_FIT = ("mask_img", "target_affine", "target_shape", "smoothing_fwhm", "missing")

_OUTPUT_TYPES = ("z_score", "stat", "p_value", "effect_size", "effect_variance", "all", "tdp")


class ARISecondLevelModel(ContrastSteps):
    """Second-level model whose contrasts can be maps of the true discovery proportion.

    This :class:`nilearn.glm.second_level.SecondLevelModel` has the same parameters, inputs and
    outputs, and one more output type: ``compute_contrast(output_type="tdp")``.

    Parameters
    ----------
    mask_img : Niimg-like object, SurfaceImage, CIFTI image, NiftiMasker, SurfaceMasker or None, \
default=None
        Voxels or vertices of the model, which are also the tested family. None computes the mask
        from the maps.

    target_affine : ndarray of shape (3, 3) or (4, 4), or None, default=None
        Target affine for resampling the maps.

    target_shape : sequence of 3 int or None, default=None
        Target shape for resampling the maps.

    smoothing_fwhm : float or None, default=None
        Full width at half maximum, in mm, for smoothing the subjects' maps.

    memory : None, str or joblib.Memory, default=None
        Where to cache the fit. Use ``calibration__memory`` for the calibration.

    memory_level : int, default=1
        How much of the fit to cache.

    verbose : int, default=0
        Verbosity.

    n_jobs : int, default=1
        Number of processes for the fit.

    minimize_memory : bool, default=True
        Whether to drop residuals and other intermediate results.

    reports : bool, default=True
        Whether to keep data for a report.

    transformer : ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer or None, \
default=None
        The transformer from z maps to TDPs. None uses a ClusterTDPTransformer with its default
        parameters. Set its parameters as ``transformer__threshold`` and so on. If its
        ``mask_img`` is None, the mask of the model is the tested family.

    calibration : PermutationCalibration, ClusterExtentCalibration, JointCalibration or None, \
default=None
        Calibration of the bounds by permutations of the subjects. It replaces the
        transformer's local test and usually gives larger bounds. It takes ``alpha`` and
        ``two_sided`` from the transformer. Set its parameters as
        ``calibration__n_permutations`` and so on. None uses closed testing of the z map.

    variance_groups : array-like of shape (n_subjects,), "auto" or None, default=None
        Groups of rows of the design with their own variance. The statistics are then v or G
        (Welch) instead of t or F; the z map, its clusters and the calibration use them too.
        "auto" takes the groups that columns of the design with two values define. None for one
        common variance.

    missing : {"omit"} or None, default=None
        What to do with NaN in the maps of subjects. "omit" leaves a subject out of the voxels or
        vertices in which it is NaN. Each has degrees of freedom of its own; z maps, and a
        calibration, account for it. None treats NaN as nilearn does. See Notes.

    Attributes
    ----------
    calibration_ : PermutationCalibration, ClusterExtentCalibration, JointCalibration or None
        The calibration of the last contrast whose TDP was computed. None without a calibration.

    confounds_ : pandas.DataFrame or None
        Covariates of the fit.

    design_matrix_ : pandas.DataFrame
        Design of the fit.

    df_img_ : Nifti1Image, SurfaceImage, Cifti2Image or None
        Degrees of freedom of each voxel in the last contrast, 0 where it was left out. None until a
        contrast is computed, and without ``missing="omit"``.

    df_imgs_ : dict of str to (Nifti1Image, SurfaceImage, Cifti2Image or None), or None
        Degrees of freedom as in ``df_img_``, for each contrast of :meth:`compute_contrasts`. None
        before that, and after another contrast.

    joint_test_ : SimultaneousTest or None
        The test of the elements of all contrasts, after :meth:`compute_contrasts`. None before
        that, after another contrast, and if the error level is split.

    labels_ : ndarray of shape (n_elements,) or None
        Index of each voxel into ``results_``. None until a contrast is computed.

    masker_ : NiftiMasker, SurfaceMasker or masker of CIFTI images
        The fitted masker of the subjects' maps.

    memory_ : joblib.Memory
        The cache.

    n_elements_ : int
        Number of voxels or vertices in the mask.

    results_ : dict or None
        Results of the regression. None until a contrast is computed.

    second_level_input_ : list, DataFrame, Series or 4D image
        Input of the fit.

    transformer_ : transformer or None
        The transformer fitted to the last contrast whose TDP was computed. None before that. The
        model also has its fitted attributes, such as ``maps_``, ``table_``, ``labels_img_`` or
        ``forest_``. The transformer tests other maps by its local test, because a calibration
        holds only for its own data.

    transformers_ : dict of str to transformer, or None
        The transformer fitted to each contrast, after :meth:`compute_contrasts`. None before that,
        and after another contrast.

    See Also
    --------
    ClusterTDPTransformer : For an existing statistical map.
    PermutationCalibration : Calibrates thresholds for p-values, also for data in an array.
    ClusterExtentCalibration : Calibrates the size of clusters.
    JointCalibration : Gives each set the larger of both bounds.

    Notes
    -----
    nilearn reads NaN in a subject's volume as 0. This model does the same, because it is a
    drop-in replacement, and warns with the number of voxels. A vertex that is NaN in a subject's
    surface is excluded: from the model if nilearn computes the mask, and otherwise from the
    family of the contrast.

    With ``missing="omit"``, a computed mask takes the voxels or vertices that any subject has.
    Voxels that lack too many subjects are NaN in the maps, and not in the family. With a
    calibration by permutation, they are those for which some arrangement of the gaps leaves too few
    subjects: see :class:`PermutationCalibration`. Bounds hold if gaps are independent of the errors
    and, for permutation, of the design. Smoothing uses the voxels that a subject has. Maps with
    gaps must be on the grid of the mask.

    Areas and coordinates of surfaces come from the mesh of ``mask_img``, if you give one.

    CIFTI images may be files or images, one for each row of the design, or one image with a map
    for each row. All must have the same grayordinates. Results are dscalar images. They need no
    mesh, except for TDPs: pass it as ``transformer__mesh``. A grayordinate that is NaN in a
    subject is excluded from the family. ``smoothing_fwhm``, ``target_affine`` and ``target_shape``
    must be None; ``target_affine`` and ``target_shape`` also for surfaces.

    With a calibration, supra-threshold clusters still come from the z map. Bounds and p-values of
    sets come from the calibration: from its p-values of the same elements and its critical
    vector. The model reuses the calibration as long as contrast, elements, ``alpha``,
    ``two_sided`` and its parameters stay the same. You can therefore change the threshold at no
    cost, and with ``random_state=None`` the permutations stay the same. :meth:`fit` discards the
    calibration.

    Examples
    --------
    >>> import pandas as pd
    >>> from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer
    >>> model = ARISecondLevelModel(transformer=ClusterTDPTransformer(threshold=3.5))
    >>> model.set_params(transformer__alpha=0.1).transformer.alpha
    0.1

    With bounds by permutations:

    >>> from ari_estimator import PermutationCalibration
    >>> calibration = PermutationCalibration(n_permutations=500, random_state=0)
    >>> model = ARISecondLevelModel(calibration=calibration)
    >>> model.set_params(calibration__template="beta").calibration.template
    'beta'
    """

    masker_: NiftiMasker | SurfaceMasker | GrayordinateMasker
    design_matrix_: Any
    transformer_: Any
    transformers_: Any
    joint_test_: Any
    df_imgs_: Any
    calibration_: Any

    @property
    def _seen_no_map(self) -> str:
        """Why there is no tested map, and how to get one."""
        several = vars(self).get("transformers_")
        if several:
            return (
                f"The model has tested {len(several)} contrasts together. Use the transformer of "
                f"one of them: transformers_[{next(iter(several))!r}]."
            )
        return (
            "This model has not computed the TDP of a contrast yet. Call "
            'compute_contrast(output_type="tdp").'
        )

    def __init__(
        self,
        mask_img: Any = None,
        target_affine: Any = None,
        target_shape: Any = None,
        smoothing_fwhm: Any = None,
        memory: Any = None,
        memory_level: int = 1,
        verbose: int = 0,
        n_jobs: int = 1,
        minimize_memory: bool = True,
        reports: bool = True,
        transformer: BaseTDPTransformer | None = None,
        calibration: SubjectCalibration | None = None,
        variance_groups: ArrayLike | Literal["auto"] | None = None,
        missing: Missing = None,
    ) -> None:
        super().__init__(
            mask_img=mask_img,
            target_affine=target_affine,
            target_shape=target_shape,
            smoothing_fwhm=smoothing_fwhm,
            memory=memory,
            memory_level=memory_level,
            verbose=verbose,
            n_jobs=n_jobs,
            minimize_memory=minimize_memory,
            reports=reports,
        )
        self.transformer = transformer
        self.calibration = calibration
        self.variance_groups = variance_groups
        self.missing = missing

    def set_params(self, **params: Any) -> ARISecondLevelModel:
        """Set parameters of the model, of its transformer and of its calibration.

        Name parameters of the parts ``transformer__...`` and ``calibration__...``.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : object
            The model.

        Raises
        ------
        ValueError
            If the parameter does not exist, or it belongs to a calibration and there is none.
        """
        nested = {name.partition("__")[0] for name in params if "__" in name}
        if "transformer" in nested and params.get("transformer", self.transformer) is None:
            params["transformer"] = ClusterTDPTransformer()
        if "calibration" in nested and params.get("calibration", self.calibration) is None:
            raise ValueError(
                "calibration must be a PermutationCalibration before you can set its parameters. "
                "Got None."
            )
        return super().set_params(**params)

    def fit(
        self,
        second_level_input: Any,
        confounds: Any = None,
        design_matrix: Any = None,
        *,
        map: int | str | None = None,  # noqa: A002  # the word that users know
    ) -> ARISecondLevelModel:
        """Fit the model.

        Parameters
        ----------
        second_level_input : list, DataFrame, Series or 4D image
            Maps or first-level models, one for each row of the design, as for
            :meth:`nilearn.glm.second_level.SecondLevelModel.fit`. Maps may also be CIFTI images or
            files, or one CIFTI image with a map for each row.

        confounds : pandas.DataFrame or None, default=None
            Covariates, with a column ``subject_label``.

        design_matrix : pandas.DataFrame, str, Path or None, default=None
            The design, a row for each map. Sort a DataFrame of maps by ``subject_label`` before,
            as nilearn would.

        map : int, str or None, default=None
            For a list of images with several maps each: the number of the map to use, counted
            from 0. For CIFTI images, it may also be the name of the map. None if each image has
            one map, and for other input.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        TypeError, ValueError
            If a parameter is malformed, if ``variance_groups`` does not have one label for each
            row, or for nilearn's reasons. If the mask is not binary, or a masker that standardizes
            or filters. If ``confounds`` come with a design. If nilearn would sort the rows of a
            DataFrame, and a design, variance groups or blocks have an item for each row.

        Warns
        -----
        UserWarning
            If several rows are of one subject, by ``subject_label``, and neither the design has an
            effect of each subject nor the calibration has blocks. If two rows have the same map.
        """
        refuse_nested(
            **self.get_params(deep=False),
            second_level_input=second_level_input,
            confounds=confounds,
            design_matrix=design_matrix,
        )
        self._forget_contrasts()
        self.df_img_ = None
        self._last_calibration, self._last_family = LastResult(), LastResult()
        check_calibration(self.calibration, checked_transformer(self.transformer))
        check_missing(self.missing, self.variance_groups, self.calibration)
        check_smoothing(self.smoothing_fwhm)
        refuse_ignored_confounds(confounds, design_matrix)
        self._unsorted = unsorted_subjects(second_level_input)
        self._check_order(design_matrix=design_matrix if rows_differ(design_matrix) else None)
        super().fit(second_level_input, confounds, design_matrix, map=map)
        # A copy, because the user may change the table in place later.
        self.design_matrix_ = numeric_design(self.design_matrix_)
        self._fitted_with = {name: getattr(self, name) for name in _PARAMETERS_OF_FIT}
        warn_of_repeated_map(second_level_input)
        check_groups(self.variance_groups, self.calibration, self.design_matrix_)
        self._family_masker = masker_of_family(self.masker_)
        if getattr(self.calibration, "blocks", None) is None:
            labels = labels_of_rows(self.second_level_input_)
            warn_of_repeated_subjects(labels, self.design_matrix_, _INDEPENDENT)
        return self

    def compute_contrast(
        self,
        second_level_contrast: Any = None,
        first_level_contrast: Any = None,
        second_level_stat_type: str | None = None,
        output_type: str = "z_score",
    ) -> Any:
        """Compute a map of a contrast.

        Parameters
        ----------
        second_level_contrast : str, array-like of shape (n_columns,) or (n_rows, n_columns), \
or None, default=None
            The contrast: an expression of columns such as ``"a - b"``, or weights. It may be None
            if the design has one column.

        first_level_contrast : str, array-like or None, default=None
            The contrast of the first-level models that are the input, or the name of their map.

        second_level_stat_type : {"t", "F"} or None, default=None
            Type of the test. None is t for one row and F for several. "F" also tests a single
            row, and then has no direction.

        output_type : str, default="z_score"
            ``"tdp"`` for the true discovery proportions in the z map, or one of nilearn's types:
            ``"z_score"``, ``"stat"``, ``"p_value"``, ``"effect_size"``, ``"effect_variance"``, or
            ``"all"`` for a dictionary of these five.

        Returns
        -------
        image : Nifti1Image, SurfaceImage, Cifti2Image or dict of these
            The map. ``"tdp"`` with a RegionTDPTransformer gives an array of shape
            (1, n_regions). After ``"tdp"``, the table, the label image and other results are
            attributes of the model.

        Raises
        ------
        ValueError
            If the output type is unknown. If the contrast is a list of names, or an expression
            that is not a sum of multiples of columns. If ``second_level_stat_type`` is "t" for
            several rows. If the transformer is two-sided and the contrast is an F contrast. If a
            variance group has no residuals, or the calibration has other groups than the model.
            With a calibration, if the transformer has a local test other than the default or tests
            elements outside the model. Or for the reasons of nilearn or of
            :meth:`PermutationCalibration.fit`.

        Warns
        -----
        UserWarning
            If bounds come from p-values of v or G statistics, which are liberal. If the statistic
            assumes one variance and groups of the design seem to differ in variance. If voxels
            lack too many subjects.
        """
        self._check_is_as_fitted()
        self._check_first_level(first_level_contrast)
        _check_output_type(output_type)
        arguments = second_level_contrast, first_level_contrast, second_level_stat_type
        if output_type != "tdp":
            refuse_nested(second_level_contrast=second_level_contrast)
            if self.variance_groups is None and self.missing is None:
                images = self._exact_contrast(*arguments, output_type)
            else:
                images = self._read_contrast(*arguments, output_type).images
            if self.variance_groups is None:  # statistics of groups have warned
                warn_of_constant(self._is_constant)
            return without_wrapping(images)
        prepared = self._prepared(*arguments)
        self._forget_contrasts()
        make_test = None
        if self.calibration is None:
            prepared.warn_of_p_values(self.design_matrix_, keeps_gaps=self.missing is not None)
            prepared = prepared.with_smoothness(self.design_matrix_, self.masker_)
        else:
            make_test = self._calibrated_test(self.calibration, first_level_contrast, prepared)
        # A calibration keeps the data as long as it needs them.
        prepared = prepared.without_data()
        tdp = self._tdp_of(prepared, make_test)
        self.transformer_ = prepared.transformer
        self.calibration_ = None if self.calibration is None else self._last_calibration.value
        return tdp

    def compute_contrasts(
        self,
        contrasts: Mapping[str, Any],
        first_level_contrast: Any = None,
        second_level_stat_type: str | Mapping[str, str | None] | None = None,
        output_type: str = "tdp",
        *,
        error_budget: ErrorBudget = "joint",
    ) -> dict[str, Any]:
        """Compute maps of several contrasts, whose bounds hold together.

        With ``output_type="tdp"``, all sets of elements in all contrasts are bounded at once, with
        one error level. You may therefore choose contrasts and clusters after looking at the
        results.

        Parameters
        ----------
        contrasts : mapping of str to contrast
            At least two contrasts by name, each as for :meth:`compute_contrast`. They may be t and
            F contrasts.

        first_level_contrast : str, array-like or None, default=None
            As for :meth:`compute_contrast`, the same for all contrasts.

        second_level_stat_type : {"t", "F"}, mapping of str to these, or None, default=None
            Type of the test, for all contrasts or by name.

        output_type : str, default="tdp"
            As for :meth:`compute_contrast`.

        error_budget : {"joint", "split"}, default="joint"
            How ``"tdp"`` shares the error level. "joint" tests the elements of all contrasts as
            one family. With a calibration, each draw then applies the same permutation or
            sign-flip to all contrasts. "split" gives an equal share of the level to each contrast.
            Each may then have its own scheme of permutations. It must be "joint" for the other
            output types.

        Returns
        -------
        images : dict of str to image
            The map of each contrast, as from :meth:`compute_contrast`. After ``"tdp"``,
            ``table_`` has the rows of all contrasts, ``transformers_`` has the fitted transformer
            of each contrast, and ``joint_test_`` the test of all elements.

        Raises
        ------
        TypeError
            If ``contrasts`` is not a mapping of names to contrasts.
        ValueError
            If there are fewer than two contrasts, or for the reasons of :meth:`compute_contrast`.

        Warns
        -----
        UserWarning
            If no permutation serves all contrasts, so the level is split. Or for the reasons of
            :meth:`compute_contrast`.

        Notes
        -----
        Closed testing takes the p-values of all contrasts as one family. Simes' test assumes that
        they are positively dependent, also between contrasts. Contrasts of opposite direction,
        such as "a - b" and "b - a", are negatively dependent; a two-sided test of one of them
        says as much. ``transformer__local_test="hommel"`` and a calibration need no such
        assumption.

        A calibration with ``scheme="auto"`` permutes if that suits every contrast, and otherwise
        flips signs of the residuals of each null model. With nuisance variables, both hold in
        large samples (Freedman-Lane). A contrast of two of three groups has a nuisance variable.
        **Sign-flipping is liberal with many nuisance variables and few rows**: its error at 0.05
        was 0.065 for six covariates in 24 rows.

        A two-sided transformer tests F contrasts without a sign.
        """
        self._check_is_as_fitted()
        _check_output_type(output_type)
        asked = asked_contrasts(contrasts, second_level_stat_type)
        if error_budget not in ERROR_BUDGETS:
            raise ValueError(f"error_budget must be one of {ERROR_BUDGETS}. Got {error_budget!r}.")
        if output_type != "tdp":
            why = f"with output_type={output_type!r}, which has no error level"
            refuse_unused(why, {"error_budget": (error_budget, "joint")})
            images = {}
            for name, (contrast, stat_type) in asked.items():
                with naming(name):
                    images[name] = self.compute_contrast(
                        contrast, first_level_contrast, stat_type, output_type
                    )
            return images
        self._check_first_level(first_level_contrast)
        self._forget_contrasts()
        found = tdp_of_contrasts(self, asked, first_level_contrast, error_budget)
        self.transformers_, self.joint_test_ = found.transformers, found.whole
        self.table_, self.df_imgs_ = found.table, found.df_images
        return found.images

    def __getattr__(self, name: str) -> Any:
        """Return a fitted attribute of the transformer, if the model itself has none."""
        if hasattr(type(self), name):
            # One of nilearn's properties, whose own error says why it has no value.
            return object.__getattribute__(self, name)
        if name.endswith("_") and not name.startswith("_") and "transformer_" in vars(self):
            if self.transformer_ is None:
                raise NotFittedError(f"There is no {name} yet. {self._seen_no_map}")
            if hasattr(self.transformer_, name):
                return getattr(self.transformer_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def generate_report(
        self,
        contrasts: Any = None,
        first_level_contrast: Any = None,
        title: str | None = None,
        bg_img: Any = "MNI152TEMPLATE",
        threshold: float | None = None,
        alpha: float = 0.001,
        cluster_threshold: int = 0,
        height_control: str | None = "fpr",
        two_sided: bool = False,
        min_distance: float = 8.0,
        plot_type: Literal["slice", "glass"] = "slice",
        cut_coords: Any = None,
        display_mode: str | None = None,
        report_dims: Sequence[int] = (1600, 800),
    ) -> HTMLReport:
        """Return a report: the TDP of the last contrast, the model, and maps of contrasts.

        The parameters are nilearn's. They affect only the maps of ``contrasts``, such as
        the ``alpha`` and ``threshold`` of these maps. The first part shows the last contrast whose
        TDP was computed, with the parameters of the transformer. It is missing before
        ``compute_contrast(output_type="tdp")``.

        Parameters
        ----------
        contrasts : str, array, list or dict, default=None
            Contrasts whose maps to show, as names or weights. None shows no maps.

        first_level_contrast : str, array-like or None, default=None
            The contrast of first-level models that are the input.

        title : str or None, default=None
            Title of the report.

        bg_img : image or None, default="MNI152TEMPLATE"
            Background image of the maps.

        threshold : float or None, default=None
            Height threshold, with ``height_control=None``.

        alpha : float, default=0.001
            Level of the height threshold.

        cluster_threshold : int, default=0
            Smallest size of a cluster.

        height_control : {"fpr", "fdr", "bonferroni"} or None, default="fpr"
            Error rate that the height threshold controls.

        two_sided : bool, default=False
            Whether to show negative values too.

        min_distance : float, default=8.0
            Distance between sub-peaks in mm.

        plot_type : {"slice", "glass"}, default="slice"
            Whether to draw slices or a glass brain.

        cut_coords : sequence, int or None, default=None
            Positions of the slices.

        display_mode : str or None, default=None
            Direction of the slices.

        report_dims : sequence of 2 int, default=(1600, 800)
            Without effect: a notebook shows the report in its own width.

        Returns
        -------
        report : nilearn.reporting.HTMLReport
            The report. It is one page that needs no other file. ``save_figures`` writes its
            figures as SVG, PDF or PNG.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        TypeError
            If the title is not a string.
        ValueError
            If a parameter is unknown, out of range or without effect.
        """
        self._check_is_as_fitted()
        check_expressions(contrasts, self.design_matrix_.columns)
        self._check_first_level(first_level_contrast)
        return model_report_on(
            self,
            contrasts=contrasts,
            first_level_contrast=first_level_contrast,
            title=title,
            bg_img=bg_img,
            threshold=threshold,
            alpha=alpha,
            cluster_threshold=cluster_threshold,
            height_control=height_control,
            two_sided=two_sided,
            min_distance=min_distance,
            plot_type=plot_type,
            cut_coords=cut_coords,
            display_mode=display_mode,
        )


def _check_output_type(output_type: str) -> None:
    """Refuse an unknown type of output."""
    if output_type not in _OUTPUT_TYPES:
        raise ValueError(f"'output_type' must be one of {_OUTPUT_TYPES}. Got {output_type!r}.")
