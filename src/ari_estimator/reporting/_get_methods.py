"""Methods and results of an analysis, to paste into a paper."""

from __future__ import annotations

from typing import Any, get_args

from ari_estimator.inference import FittedMap
from ari_estimator.reporting._methods import calibration_methods, map_methods
from ari_estimator.reporting._methods_formats import WRITERS, MethodsFormat
from ari_estimator.reporting._reported import MAX_SETS, reported


def get_methods(
    fitted: Any,
    *,
    output_format: MethodsFormat = "markdown",
    map_index: int | None = None,
    max_sets: int = MAX_SETS,
) -> str:
    """Return the methods and results of an analysis, to paste into a paper.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel, FittedMap or PermutationCalibration
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, a
        fitted map, or a fitted calibration.

    output_format : {"markdown", "html", "latex", "bibtex"}, default="markdown"
        Format of the text. "bibtex" has the references only, with the software.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    max_sets : int, default=50
        Maximum number of clusters or regions with a sentence.

    Returns
    -------
    text : str
        Methods: subjects, design and contrast (of a model), the test with its calibration, the
        assumption, the mask, and versions. Results: a sentence for each cluster or region. A
        checklist after the COBIDAS guidelines, which says what is not recorded. References.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If ``fitted`` has another type.
    ValueError
        If the format is unknown, ``map_index`` is not the number of a map, or ``max_sets`` is not
        an integer of at least 1.

    See Also
    --------
    make_report : A page with the same text, tables and figures.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.reporting import get_methods
    >>> ari = ClusterTDPTransformer(4).fit(load_sample_motor_activation_image())
    >>> print(get_methods(ari, output_format="bibtex").splitlines()[0])
    @article{Goeman2019,
    """
    if output_format not in get_args(MethodsFormat):
        raise ValueError(
            f"output_format must be one of {list(get_args(MethodsFormat))}. Got {output_format!r}."
        )
    on = reported(fitted, map_index, max_sets)
    if isinstance(on, FittedMap):
        methods = map_methods(on, int(max_sets))
    else:
        methods = calibration_methods(on)
    return WRITERS[output_format](methods)
