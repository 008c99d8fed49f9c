"""The transformer and the calibration of a group model: what they may be, and for a contrast."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from ari_estimator._unused_options import refuse_unused
from ari_estimator.calibration._missing_rows import Missing
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators._adaptive_tdp import AdaptiveTDPTransformer
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._cluster_tdp import ClusterTDPTransformer
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.inference import DEFAULT_STAT_TYPE
from ari_estimator.second_level._model_contrast import is_f_contrast


def checked_transformer(transformer: Any) -> BaseTDPTransformer:
    """Return the transformer of a model, or the default transformer for None.

    Parameters
    ----------
    transformer : transformer or None
        What the user gives.

    Returns
    -------
    transformer : BaseTDPTransformer
        The transformer, not fitted.

    Raises
    ------
    TypeError
        If it is not a transformer.
    ValueError
        If it is for another statistic than z.
    """
    if transformer is None:
        return ClusterTDPTransformer()
    if not isinstance(transformer, BaseTDPTransformer):
        raise TypeError(
            "transformer must be a ClusterTDPTransformer, an AdaptiveTDPTransformer, a "
            f"RegionTDPTransformer or None. Got {type(transformer).__name__}."
        )
    given = transformer.stat_type
    if given is not None and given != DEFAULT_STAT_TYPE:
        raise ValueError(
            f"transformer__stat_type must be {DEFAULT_STAT_TYPE!r} or None: contrasts of a "
            f"model are z maps. Got {given!r}."
        )
    return transformer


def check_calibration(calibration: Any, transformer: BaseTDPTransformer) -> None:
    """Check the calibration of a model, and that no other parameter defines the test.

    Parameters
    ----------
    calibration : calibration or None
        What the user gives.

    transformer : BaseTDPTransformer
        The transformer of the model.

    Raises
    ------
    TypeError
        If it is not a calibration.
    ValueError
        If a parameter is out of range, if it cannot bound adaptive clusters, or if the transformer
        has a local test, which would have no effect.
    """
    if calibration is None:
        return
    if not isinstance(calibration, SubjectCalibration):
        raise TypeError(
            "calibration must be a PermutationCalibration, a ClusterExtentCalibration, a "
            f"JointCalibration or None. Got {type(calibration).__name__}."
        )
    calibration._validate_params()
    if isinstance(transformer, AdaptiveTDPTransformer) and not calibration._bounds_forests:
        raise ValueError(
            "transformer must not be an AdaptiveTDPTransformer with a "
            f"{type(calibration).__name__}: adaptive clusters are formed by bounds from "
            "p-values. Add a PermutationCalibration: JointCalibration([PermutationCalibration("
            "), ClusterExtentCalibration()]) gives these clusters both bounds."
        )
    refuse_unused(
        "with a calibration, which replaces the local test",
        {"transformer__local_test": (transformer.local_test, "simes")},
    )


def transformer_of_contrast(
    transformer: BaseTDPTransformer,
    family_masker: Any,
    contrast: Any,
    stat_type: str | None,
    *,
    in_family: bool,
) -> BaseTDPTransformer:
    """Return the transformer for the map of one contrast.

    Parameters
    ----------
    transformer : BaseTDPTransformer
        The transformer of the model.

    family_masker : masker
        The mask of the model, for a transformer without one.

    contrast : str or array-like
        The contrast.

    stat_type : {"t", "F"} or None
        Type of the test.

    in_family : bool
        Whether several contrasts are tested together.

    Returns
    -------
    transformer : BaseTDPTransformer
        A copy, not fitted.

    Raises
    ------
    ValueError
        If it tests signs that the contrast does not have.
    """
    # Pass on the mask itself, because a clone of a fitted masker would not be fitted.
    mask_img = family_masker if transformer.mask_img is None else transformer.mask_img
    transformer = clone(transformer).set_params(mask_img=mask_img)
    is_f = is_f_contrast(contrast, stat_type)
    if in_family and transformer.two_sided == DIRECTIONAL:
        raise ValueError(
            "two_sided='directional' is for a single contrast: several contrasts together do "
            "not have bounds for each sign. Test the contrasts one by one, or test both signs "
            "together."
        )
    if is_f and in_family:
        transformer.set_params(two_sided=False)  # The other contrasts may have a sign.
    if is_f and transformer.two_sided:
        raise ValueError(
            "transformer__two_sided must be False for an F contrast, which has no sign: a "
            "negative z only says that the effect is smaller than expected by chance. Got "
            f"{transformer.two_sided!r}."
        )
    return transformer


def own_calibration(
    calibration: SubjectCalibration, variance_groups: Any, missing: Missing
) -> SubjectCalibration:
    """Return the calibration with the variance groups and missing values of the model.

    Parameters
    ----------
    calibration : SubjectCalibration
        The calibration of the model.

    variance_groups : array-like, "auto" or None
        Variance groups of the model.

    missing : {"omit"} or None
        What the model does with NaN.

    Returns
    -------
    calibration : SubjectCalibration
        The same, or one with these parameters, not fitted.
    """
    given = {"variance_groups": variance_groups, "missing": missing}
    given = {name: value for name, value in given.items() if value is not None}
    return calibration._with(**given) if given else calibration
