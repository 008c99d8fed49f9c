"""The paragraph on methods, with its references, ready to be put into a paper."""

from __future__ import annotations

from importlib.metadata import version
from platform import python_version
from typing import Any, NamedTuple

from ari_estimator._version import __version__
from ari_estimator.closed_testing._rounding import confidence
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._contrast_calibration import test_of

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

_SIDES = {
    "positive": " for positive effects",
    "both": " for positive and negative effects",
    "unsigned": "",
}


class Methods(NamedTuple):
    """A paragraph and what it cites.

    Attributes
    ----------
    text : str
        The paragraph.

    references : list of str
        Its references, in alphabetical order.
    """

    text: str
    references: list[str]


def tdp_methods(description: dict[str, Any]) -> Methods:
    """Return the paragraph of a map.

    Parameters
    ----------
    description : dict
        What :meth:`FittedMap.describe` gives.

    Returns
    -------
    methods : Methods
        The paragraph.
    """
    statistic, family = description["statistic"], description["family"]
    sets, test = description["sets"], description["test"]
    elements, alpha = family["elements"], family["alpha"]
    article = "an" if statistic["name"] == "F" else "a"
    text = (
        "All-Resolutions Inference (Rosenblatt et al., 2018; Goeman et al., 2019) gave lower "
        f"bounds on true discovery proportions (TDPs). It tested {article} {statistic['name']} map "
        f"of {family['n_tested']:,} {elements}{_SIDES[statistic['direction']]}. "
        f"{statistic['sentence']} {sets['sentence']} {test['sentence']} "
        f"At alpha = {alpha:g}, the bounds of all sets of {elements} hold at once with "
        f"probability at least {confidence(alpha, percent=True)}. {_software()}"
    )
    return _methods(text, {*_ARI, *sets["references"], *test["references"]})


def calibration_methods(calibration: PermutationCalibration) -> Methods:
    """Return the paragraph of a calibration.

    Parameters
    ----------
    calibration : PermutationCalibration
        Fitted.

    Returns
    -------
    methods : Methods
        The paragraph.
    """
    sides = "two-sided " if calibration.two_sided_ else "one-sided "
    if calibration.stat_type_ in ("F", "G"):
        sides = ""  # they have no sign
    groups, cited = "", set[str]()
    if calibration.stat_type_ in ("v", "G"):
        groups = " with a variance of its own for each group of subjects (Winkler et al., 2014)"
        cited = {_WINKLER}
    alpha = calibration.calibration_.alpha
    test = test_of(calibration, alpha).describe(alpha)
    text = (
        f"Lower bounds on true discovery proportions were computed from {sides}p-values of the "
        f"{calibration.stat_type_} statistics{groups} of {calibration.p_values_.size:,} elements. "
        f"{test['sentence']} At alpha = {alpha:g}, the "
        "bounds of all sets hold at once with probability at least "
        f"{confidence(alpha, percent=True)}. {_software()}"
    )
    return _methods(text, {*test["references"], *cited})


def _methods(text: str, cited: set[str]) -> Methods:
    return Methods(text, sorted(cited))


def _software() -> str:
    return (
        f"Computations were done with ari_estimator {__version__} and nilearn {version('nilearn')} "
        f"in Python {python_version()}."
    )
