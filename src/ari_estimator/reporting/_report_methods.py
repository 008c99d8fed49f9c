"""The paragraph on methods, with its references, ready to be put into a paper."""

from __future__ import annotations

from importlib.metadata import version
from platform import python_version
from typing import NamedTuple

import numpy as np

from ari_estimator._version import __version__
from ari_estimator.closed_testing import CalibratedTest
from ari_estimator.estimators import (
    AdaptiveTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)
from ari_estimator.estimators._adaptive_tdp import check_tdp_threshold
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._inference import MapInference
from ari_estimator.images._space import VolumePart
from ari_estimator.reporting._report_texts import confidence

_REFERENCES = {
    "andreella": (
        "Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true "
        "discovery proportions for functional magnetic resonance imaging cluster analysis. "
        "Statistics in Medicine 42, 2311-2340."
    ),
    "blain": (
        "Blain A, Thirion B, Neuvial P (2022). Notip: Non-parametric true discovery proportion "
        "control for brain imaging. NeuroImage 260, 119492."
    ),
    "blanchard": (
        "Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false "
        "positives using reference families. Annals of Statistics 48, 1281-1303."
    ),
    "chen": (
        "Chen X, Goeman JJ, Krebs TJP, Meijer RJ, Weeda WD (2022). Adaptive cluster "
        "thresholding with spatial activation guarantees using All-Resolutions Inference. "
        "arXiv:2206.13587."
    ),
    "goeman": (
        "Goeman JJ, Meijer RJ, Krebs TJP, Solari A (2019). Simultaneous control of all false "
        "discovery proportions in large-scale multiple hypothesis testing. Biometrika 106, "
        "841-856."
    ),
    "hommel": (
        "Hommel G (1983). Tests of the overall hypothesis for arbitrary dependence structures. "
        "Biometrical Journal 25, 423-430."
    ),
    "rosenblatt": (
        "Rosenblatt JD, Finos L, Weeda WD, Solari A, Goeman JJ (2018). All-Resolutions "
        "Inference for brain imaging. NeuroImage 181, 786-796."
    ),
    "simes": (
        "Simes RJ (1986). An improved Bonferroni procedure for multiple tests of significance. "
        "Biometrika 73, 751-754."
    ),
}

_STATISTICS = {
    "chi2": "chi-squared",
    "p": "p-value",
    "neg_log10_p": "-log10 p",
    "one_minus_p": "1 - p",
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


def tdp_methods(
    transformer: BaseTDPTransformer,
    inference: MapInference,
    calibration: PermutationCalibration | None,
) -> Methods:
    """Return the paragraph of a map.

    Parameters
    ----------
    transformer : transformer
        By what its sets were made.

    inference : MapInference
        What was found in it.

    calibration : PermutationCalibration or None
        By what the test was calibrated, where that is known.

    Returns
    -------
    methods : Methods
        The paragraph.
    """
    family = inference.family
    elements = family.space.element_name[1]
    statistic = family.statistic
    sets, cited = _sets(transformer, inference)
    test, also_cited = _test(transformer, inference, calibration)
    sides = ""
    if statistic.stat_type in ("z", "t"):
        sides = ", in both directions" if statistic.two_sided else ", in the positive direction"
    name = _STATISTICS.get(statistic.stat_type, statistic.stat_type)
    text = (
        "Lower bounds on true discovery proportions (TDP) were computed by All-Resolutions "
        f"Inference (Rosenblatt et al., 2018; Goeman et al., 2019) from a {name} map of "
        f"{family.n_tested:,} {elements}{sides}. {sets} {test} "
        f"At alpha = {family.alpha:g}, the bounds of all sets of {elements} hold at once with "
        f"probability at least {confidence(family.alpha)}. {_software()}"
    )
    return _methods(text, {"rosenblatt", "goeman"} | cited | also_cited)


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
    sides = "two-sided" if calibration.two_sided_ else "one-sided"
    sentence, cited = _calibrated(
        calibration.calibration_.template.name, calibration.n_permutations_, calibration.scheme_
    )
    alpha = calibration.calibration_.alpha
    text = (
        f"Lower bounds on true discovery proportions were computed from {sides} p-values of "
        f"{calibration.p_values_.size:,} elements. {sentence} At alpha = {alpha:g}, the bounds "
        f"of all sets hold at once with probability at least {confidence(alpha)}. {_software()}"
    )
    return _methods(text, cited)


def _methods(text: str, cited: set[str]) -> Methods:
    return Methods(text, [_REFERENCES[name] for name in sorted(cited)])


def _software() -> str:
    return (
        f"Computations were done with ari_estimator {__version__} and nilearn {version('nilearn')} "
        f"in Python {python_version()}."
    )


def _sets(transformer: BaseTDPTransformer, inference: MapInference) -> tuple[str, set[str]]:
    """Return a sentence on how sets were made."""
    family = inference.family
    elements = family.space.element_name[1]
    if isinstance(transformer, RegionTDPTransformer):
        return f"Sets are the {inference.n_sets:,} regions of an atlas.", set()
    if inference.partitions[0].overlap or getattr(transformer, "labels_img", None) is not None:
        return f"Clusters, {inference.n_sets:,}, were given by an image.", set()
    smallest = transformer.cluster_threshold
    size = f" of at least {smallest:,} {elements}" if smallest > 1 else ""
    parts = family.space.parts
    joined = []
    if any(isinstance(part, VolumePart) for part in parts):
        joined.append(f"the {transformer.connectivity} neighbours of each voxel")
    if not all(isinstance(part, VolumePart) for part in parts):
        joined.append("the edges of the mesh")
    neighbours = " and ".join(joined)
    if isinstance(transformer, AdaptiveTDPTransformer):
        asked = check_tdp_threshold(transformer.tdp_threshold)
        if asked is None:
            what = "at each place the highest TDP of all supra-threshold clusters is shown"
            size = f",{size} each," if size else ","
        else:
            tdps = _listed([f"{tdp:g}" for tdp in asked])
            what = f"the largest supra-threshold clusters with a TDP of at least {tdps} were formed"
            size = f",{size} each," if size else ","
        return (
            f"By adaptive thresholds (Chen et al., 2022), {what}{size} connected by {neighbours}.",
            {"chen"},
        )
    heights = [float(np.ravel(sets.threshold)[0]) for sets in inference.partitions]
    side = "below" if family.statistic.stat_type == "p" else "above"
    if family.statistic.two_sided:
        side = "with absolute values above"
    heights_text = _listed([f"{height:.4g}" for height in heights])
    return (
        f"Clusters{size} were formed of {elements} {side} {heights_text}, connected by "
        f"{neighbours}.",
        set(),
    )


def _test(
    transformer: BaseTDPTransformer,
    inference: MapInference,
    calibration: PermutationCalibration | None,
) -> tuple[str, set[str]]:
    """Return a sentence on the test."""
    test = inference.family.test
    if isinstance(test, CalibratedTest):
        scheme = None if calibration is None else calibration.scheme_
        return _calibrated(test.calibration.template.name, test.calibration.n_permutations, scheme)
    if transformer.local_test == "hommel":
        return (
            "The local test of the closed testing procedure was that of Hommel (1983), valid for "
            "any dependence.",
            {"hommel"},
        )
    return (
        "The local test of the closed testing procedure was that of Simes (1986), valid for "
        "positive dependence.",
        {"simes"},
    )


def _calibrated(template: str, n_resamples: int, scheme: str | None) -> tuple[str, set[str]]:
    cited = {"andreella", "blanchard"}
    citation = "Blanchard et al., 2020; Andreella et al., 2023"
    if template == "learned":
        cited.add("blain")
        citation = "Blanchard et al., 2020; Blain et al., 2022; Andreella et al., 2023"
    how = "" if scheme is None else f" ({scheme})"
    return (
        f"The critical vector, of the template “{template.replace('_', ' ')}”, was calibrated by "
        f"{n_resamples:,} resamples of the subjects{how}, the data as observed included "
        f"({citation}).",
        cited,
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
