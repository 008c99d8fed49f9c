"""Probabilities in sentences: never more than what holds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_estimator.closed_testing._rounding import confidence


@pytest.mark.parametrize(
    ("alpha", "text", "percent"),
    [
        (0.05, "0.95", "95 %"),
        (0.1, "0.9", "90 %"),
        (4e-5, "0.99996", "99.996 %"),
        (1 / 3, "0.6666", "66.66 %"),
        (0.999, "0.001", "0.1 %"),
    ],
)
def test_confidence(alpha, text, percent):
    assert confidence(alpha) == text
    assert confidence(alpha, percent=True) == percent


@given(st.floats(min_value=1e-12, max_value=1, exclude_max=True))
def test_confidence_is_rounded_down_and_never_one(alpha):
    exact = 1 - Decimal(repr(alpha))
    shown = Decimal(confidence(alpha))
    assert shown <= exact
    assert shown < 1
    assert exact - shown <= Decimal("1e-4")
