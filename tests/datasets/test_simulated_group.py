"""A group of subjects simulated from a real map."""

from __future__ import annotations

import numpy as np
import pytest

from ari_estimator.datasets import load_simulated_group


def test_a_map_for_each_subject_on_the_grid_of_the_real_map(motor_img):
    group = load_simulated_group(n_subjects=3)
    assert len(group.cmaps) == 3
    for img in (*group.cmaps, group.effect_img, group.mask_img):
        assert img.shape == motor_img.shape
        np.testing.assert_array_equal(img.affine, motor_img.affine)
    assert "3 subjects" in group.description


def test_the_mask_is_that_of_the_real_map_and_maps_are_zero_outside(motor_img):
    group = load_simulated_group(n_subjects=2)
    mask = group.mask_img.get_fdata() == 1
    np.testing.assert_array_equal(mask, motor_img.get_fdata() != 0)
    for img in group.cmaps:
        assert (img.get_fdata()[~mask] == 0).all()
        assert (img.get_fdata()[mask] != 0).all()


def test_the_effect_is_that_of_the_real_map_above_the_threshold(motor_img):
    z_values = motor_img.get_fdata()
    effect = load_simulated_group(1, effect_size=2, threshold=4).effect_img.get_fdata()
    np.testing.assert_array_equal(effect != 0, np.abs(z_values) > 4)
    assert np.abs(effect).max() == pytest.approx(2)
    strong = effect != 0
    np.testing.assert_allclose(effect[strong] / z_values[strong], 2 / np.abs(z_values).max(), 1e-5)


def test_the_same_seed_gives_the_same_maps_and_another_one_others():
    first, again, other = (load_simulated_group(1, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.cmaps[0].get_fdata(), again.cmaps[0].get_fdata())
    assert (first.cmaps[0].get_fdata() != other.cmaps[0].get_fdata()).any()


def test_fewer_subjects_are_the_first_of_more():
    few, many = load_simulated_group(1), load_simulated_group(2)
    np.testing.assert_array_equal(few.cmaps[0].get_fdata(), many.cmaps[0].get_fdata())


def test_without_effect_there_is_noise_of_variance_one():
    group = load_simulated_group(n_subjects=20, effect_size=0)
    mask = group.mask_img.get_fdata() == 1
    values = np.stack([img.get_fdata()[mask] for img in group.cmaps])
    assert not group.effect_img.get_fdata().any()
    assert values.mean() == pytest.approx(0, abs=0.02)
    assert values.var() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("fwhm", [0.0, 6.0, 12.0])
def test_the_noise_is_as_smooth_as_asked_for(fwhm):
    """White noise smoothed by a Gaussian has the correlation exp(-d^2 / (4 sigma^2))."""
    group = load_simulated_group(n_subjects=10, effect_size=0, fwhm=fwhm)
    mask = group.mask_img.get_fdata() == 1
    pairs = mask[1:] & mask[:-1]
    products = [(img.get_fdata()[1:] * img.get_fdata()[:-1])[pairs].mean() for img in group.cmaps]
    sigma = fwhm / np.sqrt(8 * np.log(2))
    expected = np.exp(-(3.0**2) / (4 * sigma**2)) if fwhm else 0.0
    # The kernel is sampled at 3 mm, which makes the narrow one a little smoother.
    assert np.mean(products) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_subjects", 0),
        ("n_subjects", 2.5),
        ("effect_size", -1),
        ("threshold", -0.1),
        ("fwhm", -1),
        ("random_state", "seed"),
    ],
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        load_simulated_group(**{name: value})
