"""Non-parametric inference of a group as a function, with nilearn's signature."""

from __future__ import annotations

import math
import warnings
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from nilearn.glm import second_level as of_nilearn
from nilearn.maskers import NiftiMasker, SurfaceMasker
from sklearn.base import clone

from ari_estimator._nesting import refuse_nested
from ari_estimator.closed_testing._make_template import TemplateLike
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.images._file_volumes import as_volumes
from ari_estimator.images._subject_maps import all_readable
from ari_estimator.resampling import find_contrast
from ari_estimator.resampling._design_checks import explains_mean
from ari_estimator.second_level._ari_second_level_model import ARISecondLevelModel
from ari_estimator.second_level._model_contrast import is_f_contrast, refuse_names, weights_of
from ari_estimator.second_level._model_input import refuse_ignored_confounds


def non_parametric_inference(
    second_level_input: Any,
    confounds: pd.DataFrame | None = None,
    design_matrix: Any = None,
    second_level_contrast: Any = None,
    first_level_contrast: Any = None,
    mask: Any = None,
    smoothing_fwhm: Any = None,
    model_intercept: bool = True,
    n_perm: int = 10000,
    two_sided_test: bool = False,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int = 1,
    verbose: int = 1,
    threshold: float | None = None,
    tfce: bool = False,
    *,
    alpha: float = 0.05,
    transformer: BaseTDPTransformer | None = None,
    template: TemplateLike = "simes",
    step_down: bool = False,
) -> dict[str, Any]:
    """Return nilearn's permutation tests of a group, together with true discovery proportions.

    Replaces :func:`nilearn.glm.second_level.non_parametric_inference` and takes the same
    arguments. nilearn computes its own images, with strong control of the family-wise error
    rate. The true discovery proportions (TDPs) come from :class:`ARISecondLevelModel` with a
    :class:`PermutationCalibration`.

    Parameters
    ----------
    second_level_input : list, DataFrame, Series or 4D image
        Maps or first-level models, one for each row of the design.

    confounds : pandas.DataFrame or None, default=None
        Covariates of first-level models, with a column ``subject_label``; they become the design.
        It must be None if you give ``design_matrix``.

    design_matrix : pandas.DataFrame, str, Path or None, default=None
        The design, one row for each map. None uses the confounds, if any, and an intercept.

    second_level_contrast : str, array-like of shape (n_columns,), or None, default=None
        The contrast. It may be None if the design has one column.

    first_level_contrast : str, array-like or None, default=None
        The contrast of the first-level models that are the input, or the name of their map.

    mask : image, masker or None, default=None
        Voxels or vertices to test. None computes the mask from the maps.

    smoothing_fwhm : float or None, default=None
        Full width at half maximum of the smoothing of the maps, in mm.

    model_intercept : bool, default=True
        Whether to add an intercept to the design, unless its columns already span one.

    n_perm : int, default=10000
        Number of permutations in addition to the data as observed, at least ``1 / alpha - 1``.

    two_sided_test : bool, default=False
        Whether to test effects in both directions.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the permutations.

    n_jobs : int, default=1
        Number of processes.

    verbose : int, default=1
        0 shows nothing, and 1 shows a progress bar of the calibration if it takes more than two
        seconds. From 2, nilearn prints messages too, as with its own ``verbose`` reduced by 1.

    threshold : float or None, default=None
        Cluster-forming threshold, as a p-value. nilearn then adds the sizes and masses of
        clusters. If ``transformer`` is None, the TDPs use the same threshold.

    tfce : bool, default=False
        Whether to add nilearn's threshold-free cluster enhancement.

    alpha : float, default=0.05
        Error level of the TDPs.

    transformer : ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer or None, \
default=None
        Defines the sets whose TDPs are computed. Its ``alpha`` and ``two_sided`` must equal
        ``alpha`` and ``two_sided_test``. None uses clusters at ``threshold``, or at the default
        threshold of :class:`ClusterTDPTransformer`.

    template : {"simes", "aorc", "beta", "higher_criticism", "power", "joint"}, Template or list, \
default="simes"
        Template to calibrate, or several together, as in :class:`PermutationCalibration`.

    step_down : bool, default=False
        Whether to recalibrate after excluding voxels already rejected.

    Returns
    -------
    outputs : dict of str to object
        - ``"logp_max_t"``: nilearn's image of -log10 of family-wise error corrected p-values;
          nilearn returns only this one without ``threshold`` and ``tfce``;
        - with ``threshold`` or ``tfce``, nilearn's other images under their names: ``"t"``,
          ``"size"``, ``"logp_max_size"``, ``"mass"``, ``"logp_max_mass"``, ``"tfce"``,
          ``"logp_max_tfce"``;
        - ``"tdp"``: the image of the TDP of each voxel's cluster; for regions an array of shape
          (1, n_regions);
        - ``"model"``: the fitted :class:`ARISecondLevelModel`, with the table (``table_``), the
          fitted map (``maps_``), the calibration (``calibration_``) and its other attributes.

    Raises
    ------
    TypeError
        If ``transformer`` is not a transformer, or for nilearn's reasons.
    ValueError
        If ``confounds`` come with a design. If the contrast has several rows. If ``n_perm`` is
        too small for ``alpha``. If ``alpha`` or ``two_sided_test`` differs from the transformer.
        If ``smoothing_fwhm`` is given with a masker that does not smooth. Or for the reasons of
        nilearn and of :meth:`ARISecondLevelModel.compute_contrast`.

    Warns
    -----
    UserWarning
        If nilearn's images test another hypothesis than the contrast, see Notes.

    See Also
    --------
    ARISecondLevelModel : The same with F contrasts, variance groups and exchangeability blocks.

    Notes
    -----
    nilearn uses the weighted sum of the contrast's columns as the regressor. It keeps columns with
    weight 0 as confounds and drops the others. For most contrasts this tests the same hypothesis.
    For some, such as the difference of two covariates, it tests another one. The TDPs then refer
    to the contrast in the full design, and a warning says so.

    The permutations for the TDPs are drawn separately from nilearn's. They include the data as
    observed: there are ``n_perm + 1``, or all possible ones if there are fewer.

    Examples
    --------
    >>> import pandas as pd
    >>> from ari_estimator import non_parametric_inference
    >>> from ari_estimator.datasets import load_simulated_group
    >>> group = load_simulated_group(n_subjects=12)
    >>> outputs = non_parametric_inference(
    ...     group.cmaps,
    ...     design_matrix=pd.DataFrame({"intercept": [1.0] * 12}),
    ...     mask=group.mask_img,
    ...     n_perm=50,  # too few, for a fast example
    ...     random_state=0,
    ... )
    >>> list(outputs)
    ['logp_max_t', 'tdp', 'model']
    >>> outputs["tdp"].shape, outputs["model"].true_discoveries_
    ((53, 63, 46), 42)
    """
    refuse_nested(**locals())
    check_alpha(alpha)
    if not isinstance(n_perm, Integral) or isinstance(n_perm, bool):
        raise TypeError(f"n_perm must be an integer. Got {n_perm!r}.")
    if n_perm + 1 < 1 / alpha:
        raise ValueError(
            f"n_perm must be at least {math.ceil(1 / alpha) - 1} for alpha={alpha:g}: with fewer "
            f"permutations no p-value reaches alpha. Got {n_perm}."
        )
    if not isinstance(two_sided_test, (bool, np.bool_)):
        raise TypeError(
            "two_sided_test must be True or False, because nilearn's maps have no bounds of each "
            f"sign. Got {two_sided_test!r}."
        )
    refuse_ignored_confounds(confounds, design_matrix)
    what = "second_level_input"
    maps = all_readable(as_volumes(second_level_input, what), what)
    mask = all_readable(mask, "mask")
    mask_img, fwhm = _as_nilearn_masks(mask, smoothing_fwhm)
    model = ARISecondLevelModel(
        mask_img=mask_img,
        smoothing_fwhm=fwhm,
        n_jobs=n_jobs,
        verbose=max(0, verbose - 1),
        transformer=_transformer(transformer, threshold, alpha, two_sided_test, verbose),
        calibration=PermutationCalibration(
            template,
            n_permutations=n_perm + 1,
            step_down=step_down,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        ),
    )
    design = _design(model, maps, confounds, design_matrix)
    contrast = _contrast(second_level_contrast, design)
    whole = _with_intercept(design) if model_intercept else design
    model.fit(maps, design_matrix=whole)
    # Check before any long computation.
    clone(model.transformer)._checked_before_fit()
    _warn_of_another_hypothesis(design, whole, contrast, model_intercept=model_intercept)
    outputs = of_nilearn.non_parametric_inference(
        maps,
        design_matrix=design,
        second_level_contrast=contrast,
        first_level_contrast=first_level_contrast,
        mask=mask,
        smoothing_fwhm=smoothing_fwhm,
        model_intercept=model_intercept,
        n_perm=n_perm,
        two_sided_test=two_sided_test,
        random_state=random_state,
        n_jobs=n_jobs,
        verbose=max(0, verbose - 1),
        threshold=threshold,
        tfce=tfce,
    )
    if not isinstance(outputs, dict):
        outputs = {"logp_max_t": outputs}
    named = second_level_contrast
    if not isinstance(named, str):
        # The added intercept has no weight.
        named = np.r_[contrast, np.zeros(whole.shape[1] - contrast.size)]
    tdp = model.compute_contrast(named, first_level_contrast, output_type="tdp")
    return {**outputs, "tdp": tdp, "model": model}


def _as_nilearn_masks(mask: Any, smoothing_fwhm: Any) -> tuple[Any, Any]:
    """Return mask and smoothing of a model that reads the maps like nilearn's function."""
    if not isinstance(mask, (NiftiMasker, SurfaceMasker)):
        return mask, smoothing_fwhm
    if smoothing_fwhm is not None and mask.smoothing_fwhm is None:
        raise ValueError(
            "smoothing_fwhm must be None if mask is a masker without smoothing_fwhm: nilearn "
            f"would not smooth. Got {smoothing_fwhm!r}. Set it in the masker."
        )
    # nilearn fits a copy of the masker with the smoothing_fwhm of the function.
    masker = clone(mask)
    if smoothing_fwhm is not None:
        masker.set_params(smoothing_fwhm=smoothing_fwhm)
    return masker, None


def _transformer(
    transformer: BaseTDPTransformer | None,
    threshold: float | None,
    alpha: float,
    two_sided: bool,
    verbose: int,
) -> BaseTDPTransformer:
    """Return the transformer, which must have the given level and sides."""
    if transformer is None:
        of_sets: dict[str, Any] = {}
        if threshold is not None:
            of_sets = {"threshold": threshold, "threshold_scale": "p"}
        return ClusterTDPTransformer(alpha=alpha, two_sided=two_sided, verbose=verbose, **of_sets)
    if not isinstance(transformer, BaseTDPTransformer):
        raise TypeError(
            "transformer must be a ClusterTDPTransformer, an AdaptiveTDPTransformer, a "
            f"RegionTDPTransformer or None. Got {type(transformer).__name__}."
        )
    wanted = {"alpha": ("alpha", alpha), "two_sided_test": ("two_sided", two_sided)}
    for name, (of_transformer, value) in wanted.items():
        its = getattr(transformer, of_transformer)
        if its != value:
            raise ValueError(
                f"{name} must be equal to {of_transformer} of the transformer. Got "
                f"{name}={value!r} and transformer.{of_transformer}={its!r}."
            )
    return transformer


def _design(
    model: ARISecondLevelModel, maps: Any, confounds: pd.DataFrame | None, design_matrix: Any
) -> pd.DataFrame:
    """Return the given design, or the design that nilearn makes from confounds or a file."""
    if isinstance(design_matrix, pd.DataFrame):
        return design_matrix
    with warnings.catch_warnings():
        # The same warnings appear when the model is fitted to the design.
        warnings.simplefilter("ignore")
        return clone(model).fit(maps, confounds, design_matrix).design_matrix_


def _contrast(second_level_contrast: Any, design: pd.DataFrame) -> np.ndarray:
    """Return the weights of a t contrast, of shape (n_columns,)."""
    if second_level_contrast is None and design.shape[1] != 1:
        raise ValueError(
            "second_level_contrast must be given for a design of several columns, "
            f"{', '.join(map(repr, design.columns))}. Got None."
        )
    refuse_names(second_level_contrast, design)
    if is_f_contrast(second_level_contrast, None):
        raise ValueError(
            "second_level_contrast must have one row: nilearn has no permutation test of F "
            f"contrasts. Got {np.shape(second_level_contrast)[0]} rows. Use ARISecondLevelModel "
            "with a calibration."
        )
    if not isinstance(second_level_contrast, (str, type(None))):
        n_weights = np.size(second_level_contrast)
        if n_weights != design.shape[1]:
            raise ValueError(
                f"second_level_contrast must have {design.shape[1]} weights, one for each column "
                f"of the design. Got {n_weights}."
            )
    return weights_of(second_level_contrast, design)[0]


def _with_intercept(design: pd.DataFrame) -> pd.DataFrame:
    """Return the design with an intercept, unless its columns already span one."""
    if explains_mean(design.to_numpy(dtype=float)):
        return design
    name = "intercept"
    while name in design:
        name += "_"
    return design.assign(**{name: 1.0})


def _warn_of_another_hypothesis(
    design: pd.DataFrame, whole: pd.DataFrame, contrast: np.ndarray, *, model_intercept: bool
) -> None:
    """Warn if nilearn's regressor and confounds do not test the contrast of the whole design."""
    columns = design.to_numpy(dtype=float)
    tested = find_contrast(whole, np.r_[contrast, np.zeros(whole.shape[1] - contrast.size)])
    regressor = columns @ contrast
    kept = [regressor, *columns.T[contrast == 0]]
    if model_intercept and np.ptp(regressor) > 0:
        kept.append(np.ones(len(columns)))
    try:
        theirs = find_contrast(np.transpose(kept), np.eye(1, len(kept))[0])
    except ValueError:  # the regressor is 0 given the confounds
        is_same = False
    else:
        cosine = float(np.abs(tested.directions.T @ theirs.directions).item())
        is_same = tested.df == theirs.df and cosine > 1 - 1e-9
    if not is_same:
        warnings.warn(
            f"nilearn's images test another hypothesis than second_level_contrast "
            f"{contrast.tolist()}: nilearn tests the sum of the columns with these weights, and "
            "keeps only columns with weight 0 as confounds. The TDPs refer to the contrast in the "
            "full design.",
            UserWarning,
            stacklevel=3,
        )
