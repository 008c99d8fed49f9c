"""What values are, by the names that programs give to their files and maps."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# Endings of image formats, at the end of a name.
ENDINGS = re.compile(
    r"(\.(gz|nii|img|hdr|HEAD|BRIK|mgh|mgz|gii|func|shape|label|[dp](scalar|tseries)|dlabel))+$"
)

# The name without its endings, as a pattern; the first that fits counts.
_NAMES: Final = (
    # Thresholded and corrected maps first: their names contain the names of other maps.
    (r"(rendered_)?thresh_z?[tf]?stat\d*", "thresholded map", "FSL"),
    (r"(?!.*not?[_-]thresh).+[_-]thresh(ed|olded)?", "thresholded map", ""),
    (r"cluster_th_?\d.*", "cluster labels", ""),
    (r"desc-clusters_dseg", "cluster labels", ""),
    (r"dseg", "labels", ""),
    (r"cluster_mask_z?[tf]?stat\d+", "cluster labels", "FSL"),
    (r".+_(vox|tfce|clustere|clusterm)_corrp_[tf]stat\d+", "corrected p-values", "FSL randomise"),
    (r".+_(tfce|clustere|clusterm)_p_[tf]stat\d+", "p-values of sets", "FSL randomise"),
    (r".+_vox_p_[tf]stat\d+", "1 - p", "FSL randomise"),
    (r".+_[cm]*(fwep|fdrp|fdrparap)(_[mdc]\d+)*", "corrected p-values", "PALM"),
    (r".+_(tfce|clustere|clusterm)_.+_(uncp|uncparap)(_[mdc]\d+)*", "p-values of sets", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_.+_(uncp|uncparap)(_[mdc]\d+)*", "p-values of PALM", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_z[fg]stat(_[mdc]\d+)*", "z of F", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_z[a-z]+stat(_[mdc]\d+)*", "z", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_tstat(_[mdc]\d+)*", "t", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_fstat(_[mdc]\d+)*", "F", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_cope(_[mdc]\d+)*", "effect", "PALM"),
    (r".+_(vox|dp[vfx]|dat)_varcope(_[mdc]\d+)*", "variance", "PALM"),
    (r"lP_(FWE|FDR)[+-]", "corrected p-values", "SnPM"),
    (r"lP[+-]", "-log10 p", "SnPM"),
    (r"snpmT[+-]?", "t", "SnPM"),
    (r"snpmF", "F", "SnPM"),
    (r".+\.sig\.masked", "thresholded map", "FreeSurfer"),
    (r".+\.sig\.ocn", "cluster labels", "FreeSurfer"),
    (r".+\.sig\.(cluster|voxel|vertex)", "corrected p-values", "FreeSurfer"),
    (r"sig(\.[lr]h)?", "-log10 p with a sign", "FreeSurfer"),
    (r"(gamma|ces|beta)", "effect", "FreeSurfer"),
    # In capitals: FS-FAST calls the data of a run f.nii.gz.
    (r"(?-i:F)", "F", "FreeSurfer"),
    (r"(gammavar|cesvar|rvar)", "variance", "FreeSurfer"),
    (r".+_level[12]_zstat(_.+)?", "z", "the HCP pipelines"),
    (r".+_level[12]_zfstat(_.+)?", "z of F", "the HCP pipelines"),
    (r".+_level[12]_cope(_.+)?", "effect", "the HCP pipelines"),
    (r".+_level[12]_varcope(_.+)?", "variance", "the HCP pipelines"),
    (r"zfstat\d*", "z of F", "FSL"),
    (r"zstat\d*", "z", "FSL"),
    (r"t_?stat\d*", "t", "FSL"),
    (r"f_?stat\d*", "F", "FSL"),
    (r"(cope\d*|pe\d+)", "effect", "FSL"),
    (r"varcope\d*", "variance", "FSL"),
    (r"(sigmasquareds|mean_random_effects_var\d+)", "variance", "FSL"),
    (r"tdof_[tf]\d+", "degrees of freedom", "FSL"),
    (r"spmT_\d+", "t", "SPM"),
    (r"spmF_\d+", "F", "SPM"),
    (r"(con|beta|ess)_\d+", "effect", "SPM"),
    (r"(ResMS|RPV)", "variance", "SPM"),
    (r"(z_?map|z_?scores?)", "z", ""),
    (r"(t_?map)", "t", ""),
    (r"(p_?map|p_?values?)", "p", ""),
    (r"([a-z]+-[a-z0-9]+_effect|effect_sizes?|contrast_estimates?)", "effect", ""),
    (r"effect_variances?", "variance", ""),
)

# Other programs and people put words in front; of FreeSurfer's, which are words themselves, only
# where the hemisphere is said.
_IN_FRONT = {"FreeSurfer": r"(?:(?:.+[_.-])?[lr]h\.)?"}


@cache
def name_patterns() -> list[tuple[re.Pattern[str], str, str]]:
    """Return the pattern of each name, what a map of this name holds, and its program.

    They are compiled when a name is first looked at: few who import the package look at one.
    """
    return [
        (
            re.compile(rf"(?:{_IN_FRONT.get(program, '(?:.+[_.-])?')})(?:{name})", re.I),
            holds,
            program,
        )
        for name, holds, program in _NAMES
    ]
