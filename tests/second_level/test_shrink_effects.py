"""Effects are shrunk as much as they are luck."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ari_estimator.second_level._shrink_effects import _relative_likelihood, shrink_effects


def _t_statistics(effects: np.ndarray, n_subjects: int, seed: int = 0) -> np.ndarray:
    data = np.random.default_rng(seed).standard_normal((n_subjects, effects.size)) + effects
    return data.mean(axis=0) / data.std(axis=0, ddof=1) * np.sqrt(n_subjects)


def test_without_effects_all_is_luck():
    t = _t_statistics(np.zeros(20000), 20)
    mean, sd = shrink_effects(t, 20)
    assert np.abs(mean).max() < 0.1
    assert sd.max() < 0.15


def test_the_strongest_effects_are_unbiased_after_shrinkage():
    rng = np.random.default_rng(1)
    effects = np.where(rng.random(20000) < 0.1, rng.normal(0.8, 0.3, 20000), 0.0)
    t = _t_statistics(effects, 20)
    mean, sd = shrink_effects(t, 20)
    strongest = t > 3.1
    raw = t[strongest].mean() / np.sqrt(20)
    truth = effects[strongest].mean()
    assert raw > truth + 0.1
    assert mean[strongest].mean() == pytest.approx(truth, abs=0.03)
    errors = (effects - mean)[strongest] / sd[strongest]
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(1, abs=0.15)


def test_more_subjects_shrink_less_and_know_more():
    effects = np.linspace(-1, 1, 5000)
    small, large = (shrink_effects(_t_statistics(effects, n), n) for n in (10, 200))
    assert large.sd.mean() < small.sd.mean()
    assert np.abs(large.mean - effects).mean() < np.abs(small.mean - effects).mean()


def test_larger_statistics_have_larger_effects():
    t = np.sort(_t_statistics(np.repeat([0.0, 1.0], [4000, 500]), 20))
    assert (np.diff(shrink_effects(t, 20).mean) >= -1e-9).all()


def test_the_order_of_elements_does_not_matter():
    t = _t_statistics(np.repeat([0.0, 1.0], [500, 100]), 20)
    order = np.random.default_rng(0).permutation(t.size)
    np.testing.assert_allclose(shrink_effects(t[order], 20).mean, shrink_effects(t, 20).mean[order])


def test_the_order_of_subjects_does_not_matter():
    data = np.random.default_rng(0).standard_normal((20, 400)) + 0.5
    found = []
    for rows in (data, data[::-1]):
        t = rows.mean(axis=0) / rows.std(axis=0, ddof=1) * np.sqrt(20)
        found.append(shrink_effects(t, 20).mean)
    np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.parametrize("t", [[0.0], [0.0, 0.0], [1e9, 0.0, -500.0], [2.0] * 5])
@pytest.mark.parametrize("n_subjects", [4, 300])
def test_odd_statistics_give_finite_effects(t, n_subjects):
    mean, sd = shrink_effects(np.array(t), n_subjects)
    assert np.isfinite(mean).all()
    assert (sd >= 0).all()
    assert (np.abs(mean) <= np.abs(t) / np.sqrt(n_subjects) + 1).all()


@pytest.mark.parametrize("df", [3, 19, 99])
def test_the_likelihood_is_noncentral_t(df):
    t, noncentrality = np.array([-9.0, 0.0, 1.0, 5.0]), np.linspace(-12, 12, 25)
    density = stats.nct.pdf(t[:, np.newaxis], df, noncentrality)
    density /= density.max(axis=1, keepdims=True)
    ours = _relative_likelihood(t, noncentrality, df)
    np.testing.assert_allclose(ours, density, rtol=1e-3, atol=1e-12)
