"""The runs of one subject as one fixed effect."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nilearn.glm.first_level import FirstLevelModel
from numpy.typing import ArrayLike

from ari_estimator._nesting import refuse_nested
from ari_estimator._unused_options import refuse_unused
from ari_estimator.images._run_images import RunImages
from ari_estimator.inference import make_statistic
from ari_estimator.inference._fixed_effects import fixed_effect
from ari_estimator.second_level._first_level_runs import runs_of_models

_ONE_RUN = (
    "combine_runs needs at least two runs of the subject. Got 1. Test one run as it is: the z map "
    "of FirstLevelModel.compute_contrast needs no df; for a t map, set stat_type='t' and df."
)


@dataclass(frozen=True)
class FixedEffects:
    """The fixed effect of the runs of one subject.

    Images have the kind and the grid of the runs. See Notes of :func:`combine_runs` for elements
    that a run lacks.

    Attributes
    ----------
    effect_img : Nifti1Image, SurfaceImage or Cifti2Image
        The effect: the mean over runs. Use it as the map of the subject in a group model.

    variance_img : Nifti1Image, SurfaceImage or Cifti2Image
        The variance of the effect.

    stat_img : Nifti1Image, SurfaceImage or Cifti2Image
        The t statistic. The header of a volume declares t and its degrees of freedom, so
        transformers need no ``stat_type``. For other images, set ``stat_type="t"`` and ``df``.

    z_img : Nifti1Image, SurfaceImage or Cifti2Image
        The z value with the same tail as the t statistic.

    mask_img : Nifti1Image, SurfaceImage or Cifti2Image
        The elements that all runs have: the family to test.

    df : float
        Degrees of freedom of t: the sum over runs.

    n_runs : int
        Number of runs.

    Examples
    --------
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator import combine_runs
    >>> effects = [Nifti1Image(np.full((4, 4, 4), x), np.eye(4)) for x in (1.0, 3.0)]
    >>> variances = [Nifti1Image(np.full((4, 4, 4), x), np.eye(4)) for x in (0.5, 0.3)]
    >>> fixed = combine_runs(effects, variances, df=[50, 60])
    >>> images = fixed.effect_img, fixed.variance_img, fixed.stat_img
    >>> [round(float(img.get_fdata()[0, 0, 0]), 3) for img in images]
    [2.0, 0.2, 4.472]
    """

    effect_img: Any
    variance_img: Any
    stat_img: Any
    z_img: Any
    mask_img: Any
    df: float
    n_runs: int


def combine_runs(
    runs: Any,
    variance_imgs: Sequence[Any] | None = None,
    df: ArrayLike | None = None,
    *,
    contrast: Any = None,
    mask_img: Any = None,
    precision_weighted: bool = False,
) -> FixedEffects:
    """Combine the runs of one subject by fixed effects.

    The result holds for these runs of this subject. Test it directly, or use its effect as
    the one map of the subject in a group model.

    Parameters
    ----------
    runs : list of images, FirstLevelModel or list of FirstLevelModel
        The effect of each run, as images or paths of volumes, surfaces or CIFTI images. Or a
        fitted ``FirstLevelModel`` of nilearn with several runs, or one for each run.

    variance_imgs : list of images or None, default=None
        The variance of each effect. It must be None for models.

    df : float, array-like of shape (n_runs,) or None, default=None
        Degrees of freedom of each run, or one number that holds for each run. It must be None for
        models.

    contrast : str, array-like or list of these, or None, default=None
        The contrast of the models: an expression of columns such as ``"a - b"``, or weights; or a
        list of these, one for each run. It must be None for images.

    mask_img : image, masker or None, default=None
        Elements to combine. None takes all elements that all runs have.

    precision_weighted : bool, default=False
        Whether to weight runs by their inverse variance. Otherwise all runs have the same weight.

    Returns
    -------
    fixed : FixedEffects
        Effect, variance, t, z, mask and degrees of freedom.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If a model is not fitted.
    TypeError
        If ``runs`` is of another type, or images are of different kinds.
    ValueError
        If there is only one run, two runs are the same, or numbers of images or degrees of freedom
        differ. If images are on different grids or meshes, a file says that it holds something
        else, a variance is negative, or ``df`` is missing or not positive. If the contrast is not
        one row or is not estimable in a run. If no element has values in all runs.

    Warns
    -----
    UserWarning
        If some elements have values in some runs only, or elements of the mask have no values.

    See Also
    --------
    combine_runs_by_subject : One map for each subject of a group.
    nilearn.glm.compute_fixed_effects : The same statistic, without these checks.

    Notes
    -----
    With equal weights, the effect is the mean and its variance is the mean variance divided by the
    number of runs. With precision weights, the variance is the inverse of the sum of precisions.
    The degrees of freedom are the sum over runs, as in nilearn and FSL.

    This t is exact for equal weights if the true variances of runs are equal. **It is liberal if
    variances differ, and with precision weights for few degrees of freedom.** In simulations of
    two runs, p-values (two-sided) below 1e-4 came more often than they should, by these factors:

    =================  ==============  =============  =================
    df of each run     variance ratio  equal weights  precision weights
    =================  ==============  =============  =================
    20                 1               1.0            2.5
    20                 4               1.4            2.5
    20                 25              2.5            2.7
    100                1               1.0            1.2
    100                4               1.1            1.2
    100                25              1.2            1.2
    200                25              1.1            1.2
    =================  ==============  =============  =================

    A run lacks an element if its effect or variance is not finite or its variance is 0, as
    outside of the brain. Elements that only some runs have are NaN in all results. Elements that no
    run has are 0 in volumes without ``mask_img``, and NaN otherwise. nilearn instead sets
    variances of 0 and NaN to 1e-16, so that with precision weights the run without data decides.

    Examples
    --------
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator import ClusterTDPTransformer, combine_runs
    >>> rng = np.random.default_rng(0)
    >>> effects = [Nifti1Image(rng.normal(1, 1, (6, 6, 6)), np.eye(4)) for _ in range(3)]
    >>> variances = [Nifti1Image(rng.uniform(0.8, 1.2, (6, 6, 6)), np.eye(4)) for _ in range(3)]
    >>> fixed = combine_runs(effects, variances, df=120)
    >>> fixed.df
    360.0
    >>> transformer = ClusterTDPTransformer(threshold=2, mask_img=fixed.mask_img)
    >>> tdp_img = transformer.fit_transform(fixed.stat_img)
    """
    refuse_nested(runs=runs, variance_imgs=variance_imgs, df=df, contrast=contrast)
    effect_imgs: Sequence[Any]
    if _are_models(runs):
        refuse_unused(
            "for models, which know them",
            {"variance_imgs": (variance_imgs, None), "df": (df, None)},
        )
        of_models = runs_of_models(runs, contrast)
        effect_imgs, variance_imgs, df = of_models.effects, of_models.variances, of_models.df
    else:
        refuse_unused("for images", {"contrast": (contrast, None)})
        effect_imgs = _listed(runs, "runs")
        if variance_imgs is None or df is None:
            missing = "variance_imgs" if variance_imgs is None else "df"
            raise ValueError(
                f"{missing} must be given for images of effects, for each run. Got None. To "
                "average effects without variances, use combine_runs_by_subject."
            )
        variance_imgs = _listed(variance_imgs, "variance_imgs")
    n_runs = len(effect_imgs)
    if n_runs == 1:
        raise ValueError(_ONE_RUN)
    if len(variance_imgs) != n_runs:
        raise ValueError(
            f"variance_imgs must have an image for each of the {n_runs} runs. Got "
            f"{len(variance_imgs)}."
        )
    total_df = _sum_of_df(df, n_runs)
    elements = RunImages(effect_imgs[0], mask_img)
    effects = elements.all_values(effect_imgs, "runs", "effect")
    variances = elements.all_values(variance_imgs, "variance_imgs", "variance")
    _check_variances(variances)
    has_value = np.isfinite(effects) & np.isfinite(variances) & (variances > 0)
    in_all, in_some = has_value.all(axis=0), has_value.any(axis=0)
    check_presence(in_all, in_some, elements, n_runs)
    found = fixed_effect(
        effects[:, in_all], variances[:, in_all], precision_weighted=precision_weighted
    )
    z = make_statistic("t", total_df).one_sided_z(found.t)

    def image(values: np.ndarray, kind: str) -> Any:
        row = np.where(in_some, np.nan, elements.outside)
        row[in_all] = values
        return elements.image(row, f"{kind} of contrast: fixed effect of {n_runs} runs")

    stat_img = image(found.t, "t")
    if isinstance(stat_img, Nifti1Image):
        stat_img.header.set_intent("t test", (total_df,))
    return FixedEffects(
        effect_img=image(found.effect, "effect_size"),
        variance_img=image(found.variance, "effect_variance"),
        stat_img=stat_img,
        z_img=image(z, "z_score"),
        mask_img=elements.image(in_all.astype(np.uint8), "mask"),
        df=total_df,
        n_runs=n_runs,
    )


def check_presence(
    in_all: np.ndarray, in_some: np.ndarray, elements: RunImages, n_runs: int
) -> None:
    """Refuse runs without a common element, and warn of elements that some runs lack.

    Parameters
    ----------
    in_all, in_some : ndarray of bool of shape (n_elements,)
        Elements that all runs have, and that any run has.

    elements : RunImages
        The elements.

    n_runs : int
        Number of runs.

    Raises
    ------
    ValueError
        If no element has a value in all runs.
    """
    names = elements.element_names
    if not in_all.any():
        raise ValueError(
            f"Runs must have {names} in common. None has a finite effect in all {n_runs} runs, "
            "with a variance above 0 where variances are given. Check that images of all runs are "
            "of the same subject and space."
        )
    n_some = int((in_some & ~in_all).sum())
    if n_some:
        warnings.warn(
            f"{n_some} of {int(in_some.sum())} {names} have a value in some runs only. They are "
            "NaN in the results.",
            UserWarning,
            stacklevel=3,
        )
    n_none = int((~in_some).sum())
    if n_none and elements.is_masked:
        warnings.warn(
            f"{n_none} of {in_some.size} {names} in mask_img have no value in any run. They are "
            "NaN in the results.",
            UserWarning,
            stacklevel=3,
        )


def _are_models(runs: Any) -> bool:
    is_list = isinstance(runs, (list, tuple)) and len(runs) > 0
    return isinstance(runs[0] if is_list else runs, FirstLevelModel)


def _listed(images: Any, name: str) -> list[Any]:
    """Return a list of images, one for each run."""
    if isinstance(images, (str, Path)) or not isinstance(images, Iterable):
        raise TypeError(
            f"{name} must be a list with an image for each run"
            + (", or a FirstLevelModel" if name == "runs" else "")
            + f". Got {type(images).__name__}."
        )
    listed = list(images)
    if not listed:
        raise ValueError(f"{name} must have an image for each run. Got an empty list.")
    return listed


def _sum_of_df(df: Any, n_runs: int) -> float:
    """Return the degrees of freedom of all runs together."""
    try:
        numbers = np.asarray(df, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.full((0, 0), np.nan)
    if numbers.shape not in ((), (n_runs,)) or not (numbers > 0).all():
        raise ValueError(
            f"df must be a positive number, or one for each of the {n_runs} runs: the degrees of "
            f"freedom of their residuals. Got {df!r}."
        )
    return float(np.broadcast_to(numbers, n_runs).sum())


def _check_variances(variances: np.ndarray) -> None:
    for number, row in enumerate(variances):
        n_negative = int((row < 0).sum())
        if n_negative:
            raise ValueError(
                f"variance_imgs[{number}] must not be negative. Got {n_negative} negative values, "
                f"the smallest {np.nanmin(row):g}."
            )
