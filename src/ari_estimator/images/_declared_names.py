"""What the name of a file says that it holds: the names that programs give."""

from __future__ import annotations

import re
from typing import NamedTuple


class NamedKind(NamedTuple):
    """What the name of a file says.

    Attributes
    ----------
    holds : str
        What the file holds, in one of the words of :class:`Declaration`.

    program : str
        The program that gives such names; "" for names that people give.
    """

    holds: str
    program: str


# The name without its endings, as a pattern; the first that fits counts.
_NAMES: tuple[tuple[str, str, str], ...] = (
    # Thresholded and corrected maps first: their names contain the names of other maps.
    (r"(rendered_)?thresh_z?[tf]?stat\d*", "thresholded map", "FSL"),
    (r"cluster_mask_z?[tf]?stat\d+", "cluster labels", "FSL"),
    (r".+_(vox|tfce|clustere|clusterm)_corrp_[tf]stat\d+", "corrected p-values", "FSL randomise"),
    (r".+_(tfce|clustere|clusterm)_p_[tf]stat\d+", "p-values of sets", "FSL randomise"),
    (r".+_vox_p_[tf]stat\d+", "1 - p", "FSL randomise"),
    (r".+_[cm]*(fwep|fdrp|fdrparap)(_[mdc]\d+)*", "corrected p-values", "PALM"),
    (r".+_(tfce|clustere|clusterm)_.+_(uncp|uncparap)(_[mdc]\d+)*", "p-values of sets", "PALM"),
    (r".+_(vox|dpv)_.+_(uncp|uncparap)(_[mdc]\d+)*", "p-values of PALM", "PALM"),
    (r".+_(vox|dpv)_z[a-z]+stat(_[mdc]\d+)*", "z", "PALM"),
    (r".+_(vox|dpv)_tstat(_[mdc]\d+)*", "t", "PALM"),
    (r".+_(vox|dpv)_fstat(_[mdc]\d+)*", "F", "PALM"),
    (r".+_(vox|dpv)_cope(_[mdc]\d+)*", "effect", "PALM"),
    (r".+_(vox|dpv)_varcope(_[mdc]\d+)*", "variance", "PALM"),
    (r"lP_(FWE|FDR)[+-]", "corrected p-values", "SnPM"),
    (r"lP[+-]", "-log10 p", "SnPM"),
    (r"snpmT[+-]?", "t", "SnPM"),
    (r"snpmF", "F", "SnPM"),
    (r"cache\.th.+\.sig\..+", "corrected p-values", "FreeSurfer"),
    (r"([lr]h\.)?sig(\.[lr]h)?", "-log10 p with a sign", "FreeSurfer"),
    (r"([lr]h\.)?(gamma|ces)", "effect", "FreeSurfer"),
    (r"([lr]h\.)?(gammavar|cesvar|rvar)", "variance", "FreeSurfer"),
    (r"zf?stat\d*", "z", "FSL"),
    (r"(.+_)?tstat\d+", "t", "FSL"),
    (r"(.+_)?fstat\d+", "F", "FSL"),
    (r"(cope|pe)\d+", "effect", "FSL"),
    (r"varcope\d+", "variance", "FSL"),
    (r"(sigmasquareds|mean_random_effects_var\d+)", "variance", "FSL"),
    (r"tdof_[tf]\d+", "degrees of freedom", "FSL"),
    (r"spmT_\d+", "t", "SPM"),
    (r"spmF_\d+", "F", "SPM"),
    (r"(con|beta|ess)_\d+", "effect", "SPM"),
    (r"(ResMS|RPV)", "variance", "SPM"),
    (r"(z_?map|z_?scores?|z)", "z", ""),
    (r"(t_?map)", "t", ""),
    (r"(p_?map|p_?values?)", "p", ""),
)

_PATTERNS = [(re.compile(pattern), NamedKind(*kind)) for pattern, *kind in _NAMES]


def kind_by_name(stem: str) -> NamedKind | None:
    """Return what the name of a file says.

    Parameters
    ----------
    stem : str
        The name without its endings.

    Returns
    -------
    kind : NamedKind or None
        None for a name that no program gives.
    """
    for pattern, kind in _PATTERNS:
        if pattern.fullmatch(stem):
            return kind
    return None
