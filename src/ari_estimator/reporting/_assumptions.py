"""What the bounds of a test assume, in plain words."""

from __future__ import annotations

from typing import Any


def assumption_of(test: dict[str, Any], elements: str) -> str:
    """Return what the bounds of a test assume.

    Parameters
    ----------
    test : dict
        The description of the test, as from
        :meth:`~ari_estimator.closed_testing.SimultaneousTest.describe`.

    elements : str
        Name of the elements: voxels, vertices or grayordinates.

    Returns
    -------
    text : str
        One or two sentences.
    """
    values = test["values"]
    if "Bounds" in values:
        # Several tests share the error level, and all of their assumptions are needed.
        each = [{"name": own["Test"], "values": own} for own in values["Bounds"].values()]
        return " ".join(dict.fromkeys(assumption_of(one, elements) for one in each))
    # Tests that are calibrated by permutations say how many there were.
    if test["values"].get("NumberOfPermutations"):
        scheme = test["values"].get("Scheme") or ""
        free = f"They make no assumption about the dependence between {elements}."
        units = "blocks" if "block" in scheme else "subjects"
        if scheme.startswith("sign-flipping"):
            return (
                f"The bounds assume that {units} are independent and that their errors are "
                f"symmetric around 0. {free}"
            )
        if scheme.startswith("permutation"):
            return (
                "The bounds assume that the errors of the rows that were permuted are "
                f"exchangeable: they have the same distribution, including the variance. {free}"
            )
        if scheme.startswith("bootstrap"):
            return (
                "The bounds assume independent subjects with errors of the same distribution. They "
                f"hold for large samples; in small ones, they hold approximately. {free}"
            )
        return f"The bounds assume that subjects are exchangeable under the null hypothesis. {free}"
    if "Resels" in values:
        return (
            "The bounds assume that the noise is a smooth, stationary Gaussian field with a "
            "Gaussian autocorrelation, and that its smoothness is known, as random field theory "
            "does. The theory is an approximation for high thresholds."
        )
    if "SmallestSignificantExtent" in values:
        return (
            "The bounds assume what the program assumes that found the size of significant "
            f"clusters, and that the noise of inactive {elements} does not depend on which other "
            f"{elements} are active."
        )
    if "Simes" in test["name"]:
        return (
            "The bounds assume valid p-values that satisfy Simes' inequality, as they do under "
            "positive dependence (PRDS), which is commonly accepted for smooth brain maps."
        )
    return (
        "The bounds assume valid p-values. They make no assumption about the dependence between "
        f"{elements}."
    )
