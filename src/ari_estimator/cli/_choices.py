"""Values of options, for completion in the shell.

They are repeated here, so that completion does not import slow packages. A test compares them.
"""

from __future__ import annotations

from collections.abc import Callable

CALIBRATIONS = ("voxels", "extent", "joint")
CONNECTIVITIES = ("6", "18", "26")
EXCHANGES = ("within", "whole", "both")
FIGURE_FORMATS = ("svg", "pdf", "png")
LOCAL_TESTS = ("simes", "hommel")
MISSING = ("omit",)
SCHEMES = ("auto", "sign_flip", "permutation", "bootstrap")
STAT_TYPES = ("z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p")
TEMPLATES = ("simes", "aorc", "beta", "higher_criticism", "power", "joint")
THRESHOLDS = ("concentration",)
THRESHOLD_SCALES = ("stat", "p")


def one_of(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Return a function that completes the value of an option."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete
