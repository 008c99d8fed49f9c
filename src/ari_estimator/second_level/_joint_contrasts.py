"""TDP of several contrasts of a second-level model, whose bounds hold together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.inference._local_tests import refuse_extents
from ari_estimator.second_level._contrast_family import (
    ErrorBudget,
    calibrated_tests,
    naming,
    parametric_tests,
)
from ari_estimator.second_level._model_parts import checked_transformer, own_calibration
from ari_estimator.second_level._prepared_contrast import PreparedContrast


class ContrastsTDP(NamedTuple):
    """TDP of several contrasts.

    Attributes
    ----------
    images : dict of str to image
        TDP of each contrast.

    transformers : dict of str to transformer
        The fitted transformer of each contrast.

    whole : SimultaneousTest or None
        The test of the elements of all contrasts; None if the error level is split.

    table : pandas.DataFrame
        The sets of all contrasts.

    df_images : dict of str to image or None
        Degrees of freedom of each contrast, see ``df_imgs_`` of the model.
    """

    images: dict[str, Any]
    transformers: dict[str, Any]
    whole: SimultaneousTest | None
    table: pd.DataFrame
    df_images: dict[str, Any]


def asked_contrasts(contrasts: Any, stat_type: Any) -> dict[str, tuple[Any, Any]]:
    """Return contrasts with the type of their test, by name.

    Parameters
    ----------
    contrasts : mapping of str to contrast
        The contrasts.

    stat_type : str, mapping of str to str, or None
        Type of the test, for all of them or by name.

    Returns
    -------
    asked : dict of str to (contrast, str or None)
        The contrasts.

    Raises
    ------
    TypeError
        If the contrasts are not a mapping of names.
    ValueError
        If there are fewer than two, a name has a NUL character, or a type is for a contrast that
        does not exist.
    """
    if not isinstance(contrasts, Mapping) or not all(isinstance(name, str) for name in contrasts):
        raise TypeError(
            "contrasts must be a dictionary of names to contrasts, such as "
            "{'patients': 'patient - control', 'age': 'age'}. "
            f"Got {type(contrasts).__name__}."
        )
    if len(contrasts) < 2:
        raise ValueError(
            f"contrasts must be at least two. Got {list(contrasts)}. Use compute_contrast for one."
        )
    # Archives do not keep a NUL at the end of a text.
    if any("\0" in name for name in contrasts):
        raise ValueError(
            f"contrasts must have names without NUL characters. Got {list(contrasts)}."
        )
    if not isinstance(stat_type, Mapping):
        return {name: (contrast, stat_type) for name, contrast in contrasts.items()}
    unknown = [name for name in stat_type if name not in contrasts]
    if unknown:
        raise ValueError(
            f"second_level_stat_type must have names of contrasts: {list(contrasts)}. "
            f"Got {unknown}."
        )
    return {name: (contrast, stat_type.get(name)) for name, contrast in contrasts.items()}


def tdp_of_contrasts(
    model: Any,
    asked: Mapping[str, tuple[Any, Any]],
    first_level_contrast: Any,
    error_budget: ErrorBudget,
) -> ContrastsTDP:
    """Return the TDP of several contrasts of a fitted model.

    Parameters
    ----------
    model : ARISecondLevelModel
        The fitted model.

    asked : mapping of str to (contrast, str or None)
        From :func:`asked_contrasts`.

    first_level_contrast : str, array-like or None
        The contrast of the first-level models.

    error_budget : {"joint", "split"}
        One family of all elements, or an equal share of the level for each contrast.

    Returns
    -------
    found : ContrastsTDP
        The TDPs, and what they come from.
    """
    if model.calibration is not None and not model.calibration._serves_several_contrasts:
        raise ValueError(
            "calibration must be a PermutationCalibration for several contrasts together. Got "
            f"{type(model.calibration).__name__}. Test the contrasts one by one, each at its share "
            "of the error level: set transformer__alpha."
        )
    prepared: dict[str, PreparedContrast] = {}
    df_images: dict[str, Any] = {}
    data: Any = None
    for name, (contrast, stat_type) in asked.items():
        with naming(name):
            prepared[name] = model._prepared(
                contrast, first_level_contrast, stat_type, known=data, in_family=True
            )
        data = prepared[name].read.data
        df_images[name] = model.df_img_
    template = checked_transformer(model.transformer)
    families = {name: one.family() for name, one in prepared.items()}
    if model.calibration is None:
        for one in prepared.values():
            one.warn_of_p_values(model.design_matrix_, keeps_gaps=model.missing is not None)
        refuse_extents(template.local_test, "several contrasts: clusters are sought in one map")
        p_values = {name: family.p_values for name, family in families.items()}
        tests = parametric_tests(p_values, template.local_test, error_budget)
    else:
        calibration = own_calibration(model.calibration, model.variance_groups, model.missing)
        masker = model._family_masker
        contrasts = {name: one.of_family(masker, families[name]) for name, one in prepared.items()}
        options: dict[str, Any] = {"alpha": float(template.alpha), "error_budget": error_budget}
        # The elements are in the order of the contrasts, which the hash of a dictionary ignores.
        in_order = [(name, *one) for name, one in contrasts.items()]
        tests = model._last_family.of(
            (calibration._settings(), first_level_contrast, in_order, options),
            partial(
                calibrated_tests,
                calibration,
                data,
                model.design_matrix_.to_numpy(dtype=np.float64),
                contrasts,
                **options,
            ),
        )
    # A calibration keeps the data as long as it needs them.
    del families, data
    for name in prepared:
        prepared[name] = prepared[name].without_data()
    images = {
        name: model._tdp_of(one, lambda family, test=tests.tests[name]: test)
        for name, one in prepared.items()
    }
    transformers = {name: one.transformer for name, one in prepared.items()}
    return ContrastsTDP(images, transformers, tests.whole, _joint_table(transformers), df_images)


def _joint_table(transformers: Mapping[str, Any]) -> pd.DataFrame:
    """Return the tables of contrasts below each other; the first column names the contrast."""
    tables = [transformer.table_.copy() for transformer in transformers.values()]
    for name, table in zip(transformers, tables, strict=True):
        table.insert(0, "contrast", name)
    return pd.concat(tables, ignore_index=True)
