"""The methods and results of an analysis, for a paper: texts, a checklist and references."""

from __future__ import annotations

from importlib.metadata import version
from platform import python_version
from typing import Any, NamedTuple

from ari_estimator._version import __version__
from ari_estimator.closed_testing._rounding import confidence
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._calibrated_test import n_tested_by
from ari_estimator.images._frame import GIVEN, OF_MASKER
from ari_estimator.inference import FittedMap
from ari_estimator.inference._group_model import GroupModel
from ari_estimator.reporting._assumptions import assumption_of
from ari_estimator.reporting._checklist import checklist
from ari_estimator.reporting._references import SOFTWARE
from ari_estimator.reporting._results_sentences import results_sentences, sentence_of_all

_ARI = (
    "Goeman JJ, Meijer RJ, Krebs TJP, Solari A (2019). Simultaneous control of all false discovery "
    "proportions in large-scale multiple hypothesis testing. Biometrika 106, 841-856.",
    "Rosenblatt JD, Finos L, Weeda WD, Solari A, Goeman JJ (2018). All-Resolutions Inference for "
    "brain imaging. NeuroImage 181, 786-796.",
)

_WINKLER = (
    "Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation inference for "
    "the general linear model. NeuroImage 92, 381-397."
)

_MISSING = (
    "Missing values of subjects were {}. The bounds assume that values are missing independently "
    "of the errors and of the design."
)

# How a mask that the model hands to its transformer is called.
_OF_MODEL = "the mask of the model"

# Masks in the words of a paper, which has no parameters.
_MASKS = {GIVEN: "a given mask", OF_MASKER: "the mask of a given masker"}

_SIDES = {
    "positive": " for positive effects",
    "both": " for positive and negative effects",
    "unsigned": "",
}


class Methods(NamedTuple):
    """The methods and results of an analysis.

    Attributes
    ----------
    paragraphs : list of str
        Paragraphs on the data, the inference, its assumption and the software.

    checklist : list of (str, str)
        Items of the COBIDAS guidelines, and what to report.

    results : list of str
        A sentence for the map and for each of its clusters or regions.

    references : list of str
        The references, in alphabetical order, with the software last.
    """

    paragraphs: list[str]
    checklist: list[tuple[str, str]]
    results: list[str]
    references: list[str]


def map_methods(fitted_map: FittedMap, max_sets: int) -> Methods:
    """Return the methods and results for a map.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    max_sets : int
        Maximum number of clusters or regions in the results.

    Returns
    -------
    methods : Methods
        The methods.
    """
    description, group = fitted_map.describe(), fitted_map.asked_by.group
    statistic, family = description["statistic"], description["family"]
    sets, test = description["sets"], description["test"]
    elements, alpha = family["elements"], family["alpha"]
    article = "an" if statistic["name"] == "F" else "a"
    mask = _mask_in_words(fitted_map, description)
    inference = (
        "Lower bounds on true discovery proportions (TDPs) were computed with All-Resolutions "
        "Inference (Rosenblatt et al., 2018; Goeman et al., 2019). All "
        f"{family['n_tested']:,} {elements} of {article} {statistic['name']} map were tested"
        f"{_SIDES[statistic['direction']]}. "
        f"{statistic['sentence']} {sets['sentence']} {test['sentence']}{_seed_in_words(test)} "
        f"With probability at least {confidence(alpha, percent=True)} (alpha = {alpha:g}), the "
        f"bounds of all sets of {elements} hold simultaneously."
    )
    paragraphs = [
        *([] if group is None else [_group_in_words(group)]),
        inference,
        f"The search region was {mask}. {assumption_of(test, elements)}",
        _software(),
    ]
    cited = {*_ARI, *sets["references"], *test["references"]}
    return Methods(
        paragraphs,
        checklist(description, mask, group),
        results_sentences(fitted_map, max_sets),
        [*sorted(cited), SOFTWARE],
    )


def model_methods(group: GroupModel) -> Methods:
    """Return the methods for a model whose TDPs were not computed yet.

    Parameters
    ----------
    group : GroupModel
        The group model.

    Returns
    -------
    methods : Methods
        The methods.
    """
    return Methods([_group_in_words(group), _software()], [], [], [SOFTWARE])


def calibration_methods(calibration: PermutationCalibration) -> Methods:
    """Return the methods for a calibration.

    Parameters
    ----------
    calibration : PermutationCalibration
        The fitted calibration.

    Returns
    -------
    methods : Methods
        The methods.
    """
    sides = "two-sided " if calibration.two_sided_ else "one-sided "
    if calibration.stat_type_ in ("F", "G"):
        sides = ""  # F and G have no sign
    groups, cited = "", set[str]()
    if calibration.stat_type_ in ("v", "G"):
        groups = " with a separate variance for each group of subjects (Winkler et al., 2014)"
        cited = {_WINKLER}
    missing = "" if calibration.missing is None else f"{_MISSING.format('left out')} "
    alpha = calibration.calibration_.alpha
    test = calibration._test(alpha).describe(alpha)
    n_tested, found = (
        n_tested_by(calibration),
        calibration.critical_vector_.true_discoveries(calibration.p_values_),
    )
    text = (
        f"Lower bounds on true discovery proportions were computed from {sides}p-values of the "
        f"{calibration.stat_type_} statistics{groups} of {n_tested:,} elements. {missing}"
        f"{test['sentence']}{_seed_in_words(test)} With probability at least "
        f"{confidence(alpha, percent=True)} (alpha = {alpha:g}), the bounds of all sets hold "
        "simultaneously."
    )
    sure = confidence(alpha, percent=True)
    return Methods(
        [text, assumption_of(test, "elements"), _software()],
        [],
        [sentence_of_all(found, f"{n_tested:,} tested elements", sure)],
        [*sorted({*test["references"], *cited}), SOFTWARE],
    )


def _group_in_words(group: GroupModel) -> str:
    smoothed = "" if group.smoothing is None else f", smoothed ({group.smoothing}),"
    variances = (
        "" if group.variance_groups is None else f" Variances differed by {group.variance_groups}."
    )
    missing = "" if group.missing is None else f" {_MISSING.format(group.missing)}"
    contrast = ""
    if group.weights is not None:
        contrast = f" The contrast was {group.contrast}, with weights {group.weights_in_words}."
    return (
        f"{len(group.design)} maps of subjects{smoothed} were analysed by a mass-univariate linear "
        f"model with {group.columns_in_words}.{contrast}{variances}{missing}"
    )


def _mask_in_words(fitted_map: FittedMap, description: dict[str, Any]) -> str:
    group = fitted_map.asked_by.group
    called = _MASKS.get(fitted_map.frame.mask_called, fitted_map.frame.mask_called)
    if group is not None and called.startswith(_OF_MODEL):
        return f"{_OF_MODEL}, {group.mask}"
    given = description["parameters"].get("mask_img")
    # Names of files have a dot. Other values are kinds of images.
    file = f" ({given})" if isinstance(given, str) and "." in given else ""
    return f"{called}{file}"


def _seed_in_words(test: dict[str, Any]) -> str:
    values = test.get("values", {})
    bounds = values.get("Bounds", {})
    if "Seed" not in values and any(own.get("Seed") is not None for own in bounds.values()):
        seeds = (f"{own.get('Seed')} for bounds by {name}" for name, own in bounds.items())
        return f" The seeds were {' and '.join(seeds)}."
    seed = values.get("Seed")
    return "" if seed is None else f" The seed was {seed}."


def _software() -> str:
    return (
        f"All computations used ari_estimator {__version__} and nilearn {version('nilearn')} "
        f"(RRID:SCR_001362) in Python {python_version()}."
    )
