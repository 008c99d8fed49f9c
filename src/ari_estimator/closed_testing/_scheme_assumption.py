"""What bounds assume that are calibrated by permutations, in plain words."""

from __future__ import annotations

_FREE = "They make no assumption about the dependence between elements."


def assumption_of_scheme(scheme: str | None) -> str:
    """Return what the bounds assume.

    Parameters
    ----------
    scheme : str or None
        How subjects were resampled, in words; None if it is not known.

    Returns
    -------
    text : str
        Two sentences.
    """
    scheme = scheme or ""
    if scheme.startswith("sign-flipping"):
        units = "blocks" if "block" in scheme else "subjects"
        return (
            f"The bounds assume that {units} are independent and that their errors are symmetric "
            f"around 0. {_FREE}"
        )
    if scheme.startswith("permutation"):
        return (
            "The bounds assume that the errors of the rows that were permuted are exchangeable: "
            f"they have the same distribution, including the variance. {_FREE}"
        )
    if scheme.startswith("bootstrap"):
        return (
            "The bounds assume independent subjects with errors of the same distribution. They "
            f"hold for large samples; in small ones, they hold approximately. {_FREE}"
        )
    return f"The bounds assume that subjects are exchangeable under the null hypothesis. {_FREE}"
