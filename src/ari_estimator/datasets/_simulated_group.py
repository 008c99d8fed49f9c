"""Simulated maps of a group of subjects with a known effect."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.image import load_img, new_img_like
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from ari_estimator.datasets._smooth_noise import SmoothNoise

_PARAMETER_CONSTRAINTS: dict[str, Any] = {
    "n_subjects": [Interval(Integral, 1, None, closed="left")],
    "effect_size": [Interval(Real, 0, None, closed="left")],
    "threshold": [Interval(Real, 0, None, closed="left")],
    "fwhm": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
}


def load_simulated_group(
    n_subjects: int = 20,
    *,
    effect_size: float = 1.0,
    threshold: float = 3.0,
    fwhm: float = 8.0,
    random_state: Any = 0,
) -> Bunch:
    """Simulate the maps of a group of subjects from a real map, without a download.

    nilearn brings a motor map, left against right button press. The effect is proportional to
    this map where the map is strong, and exactly zero elsewhere. Each subject has the same
    effect plus smooth Gaussian noise of standard deviation 1. You can therefore compare the
    results with the truth, which real data do not allow.

    Parameters
    ----------
    n_subjects : int, default=20
        Number of subjects.

    effect_size : float, default=1.0
        Largest effect, in standard deviations of the noise.

    threshold : float, default=3.0
        The effect is zero where the absolute z value of the real map is at most this value.

    fwhm : float, default=8.0
        Smoothness of the noise: full width at half maximum of the Gaussian kernel, in mm.

    random_state : int, RandomState instance or None, default=0
        Seed of the noise.

    Returns
    -------
    group : Bunch
        With the attributes

        cmaps : list of Nifti1Image
            One map per subject, with voxels of 3 mm, 0 outside the mask. The name is the same
            as in :func:`nilearn.datasets.fetch_localizer_contrasts`.
        effect_img : Nifti1Image
            The effect, in standard deviations of the noise.
        mask_img : Nifti1Image
            The brain mask: 1 inside, 0 outside.
        description : str
            How the data were simulated.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    See Also
    --------
    load_sample_study : A complete study with design, atlas and surfaces.
    nilearn.datasets.fetch_localizer_contrasts : Maps of real subjects, downloaded.
    nilearn.datasets.load_sample_motor_activation_image : The real map behind the effect.

    Examples
    --------
    >>> from ari_estimator.datasets import load_simulated_group
    >>> group = load_simulated_group(n_subjects=2)
    >>> group.cmaps[0].shape
    (53, 63, 46)
    >>> int((group.effect_img.get_fdata() > 0).sum())
    2644
    """
    parameters = {
        "n_subjects": n_subjects,
        "effect_size": effect_size,
        "threshold": threshold,
        "fwhm": fwhm,
        "random_state": random_state,
    }
    validate_parameter_constraints(_PARAMETER_CONSTRAINTS, parameters, "load_simulated_group")
    motor_img = load_img(load_sample_motor_activation_image())
    z_values = motor_img.get_fdata(dtype=np.float32)
    mask = z_values != 0
    effect = np.where(np.abs(z_values) > threshold, z_values, 0)
    effect *= effect_size / np.abs(z_values).max()

    smooth_noise = SmoothNoise(z_values.shape, motor_img.header.get_zooms()[:3], fwhm)
    rng = check_random_state(random_state)
    cmaps = []
    for _ in range(n_subjects):
        noise = smooth_noise.draw(rng)
        cmaps.append(new_img_like(motor_img, np.where(mask, effect + noise, 0).astype(np.float32)))
    return Bunch(
        cmaps=cmaps,
        effect_img=new_img_like(motor_img, effect.astype(np.float32)),
        mask_img=new_img_like(motor_img, mask.astype(np.uint8)),
        description=(
            f"{n_subjects} subjects, simulated: the motor map of nilearn where "
            f"|z| > {threshold:g}, scaled to {effect_size:g} standard deviations at its maximum, "
            f"and Gaussian noise with a smoothness of {fwhm:g} mm."
        ),
    )
