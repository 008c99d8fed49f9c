"""A local test as text, and back."""

from __future__ import annotations

import ast
from typing import Any

from ari_estimator.inference._cluster_extent import ClusterExtent
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._random_field_extent import RandomFieldExtent

_EXTENT_TESTS: dict[str, type[ExtentTest]] = {
    test.__name__: test for test in (ClusterExtent, RandomFieldExtent)
}


def local_test_from_text(text: str) -> str | ExtentTest:
    """Return a local test from its text, perhaps of an untrusted file.

    Parameters
    ----------
    text : str
        The name of a local test, or a call that makes a test by cluster extents, as it prints
        itself: ``ClusterExtent(height_threshold=0.001, extent=49)``.

    Returns
    -------
    local_test : str or ExtentTest
        The local test. The name is not checked.

    Raises
    ------
    ValueError
        If the text is a call of something else, or with other arguments than numbers and None.
    """
    if "(" not in text:
        return text
    problem = f"local_test has a value that is not allowed: {text[:100]!r}."
    try:
        # literal_eval would not take the call, but takes each argument. Nothing is executed.
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError(problem)
        arguments: dict[str, Any] = {
            str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords
        }
        return _EXTENT_TESTS[call.func.id](**arguments)
    except (KeyError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError(problem) from error
