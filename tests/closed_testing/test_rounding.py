"""Probabilities in sentences: never more than what holds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_estimator.closed_testing._rounding import confidence, proportion_text, rounded_proportion


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


@pytest.mark.parametrize(
    ("bound", "text", "percent"),
    [
        (0, "0.000", "0 %"),
        (0.0457, "0.045", "4.5 %"),
        (0.57, "0.570", "57 %"),
        (23 / 45448, "0.0005", "0.05 %"),
        (1 / 300000, "0.000003", "0.0003 %"),
        (1, "1.000", "100 %"),
    ],
)
def test_proportions_are_rounded_down_but_only_nothing_is_0(bound, text, percent):
    assert proportion_text(bound) == text
    assert proportion_text(bound, percent=True) == percent
    assert rounded_proportion(bound) == float(text)
