"""What the bounds of a test assume, in the words of a kind of images."""

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
    assumption: str = test["assumption"]
    return assumption.replace("elements", elements)
