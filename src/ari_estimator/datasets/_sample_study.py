"""A complete simulated study, whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nilearn.image import new_img_like
from scipy import stats
from sklearn.utils import Bunch

from ari_estimator.datasets._sample_effects import sample_effects, sample_regions
from ari_estimator.datasets._sample_surface import SampleSurface
from ari_estimator.datasets._smooth_noise import SmoothNoise

N_SUBJECTS = 24
FWHM = 8.0
_SEED = 18

_DESCRIPTION = f"""\
A simulated study of {N_SUBJECTS} subjects, 12 patients and 12 controls, aged 22 to 68.

Each map has voxels of 3 mm in MNI space. It is the sum of three effects and of Gaussian noise of
standard deviation 1 and a smoothness of {FWHM:g} mm (FWHM):
- motor: left against right button press, proportional to the motor map of nilearn where |z| > 3;
- group: more activity in patients, in a ball in the left prefrontal cortex;
- age: more activity in older subjects, in a ball in the right prefrontal cortex.
Outside these places the effects are exactly zero. The surface maps are the same maps, sampled in
the middle of the cortex of fsaverage5.
"""


def load_sample_study() -> Bunch:
    """Simulate a study of 24 subjects with a known truth, without a download.

    The study has everything that the examples of this package need: maps of subjects, a table of
    participants, group statistics, an atlas, and the same maps on the cortical surface. All calls
    return the same values.

    Returns
    -------
    study : Bunch
        With these attributes; all volumes have 53 x 63 x 46 voxels of 3 mm in MNI space:

        maps : list of 24 Nifti1Image
            The effect map of each subject, 0 outside the mask.
        participants : pandas.DataFrame of 24 rows
            ``participant_id`` (``"sub-01"``, ...), ``group`` (``"patient"`` or ``"control"``, 12
            each) and ``age`` in years.
        mask_img : Nifti1Image
            The brain mask, 45,448 voxels.
        t_img, z_img : Nifti1Image
            One-sample t map of the 24 maps, and its z values. The intent codes of their headers
            declare this, with the 23 degrees of freedom of the t map.
        effect_img : Nifti1Image
            The true mean effect of these subjects, in standard deviations of the noise.
        group_effect_img : Nifti1Image
            The true difference between patients and controls.
        age_effect_img : Nifti1Image
            The true effect of a year of age.
        atlas_img : Nifti1Image
            Regions as labels 1, 2, ..., made of simple boxes; 0 in no region.
        atlas_lut : pandas.DataFrame
            ``index`` and ``name`` of each region.
        surface_maps : list of 24 SurfaceImage
            The maps of the subjects on fsaverage5, 20,484 vertices.
        surface_img : SurfaceImage
            z values of the one-sample test on the surface.
        surface_mask_img : SurfaceImage
            The cortex, 1 inside, 0 in the medial wall.
        description : str
            How the data were simulated.

    See Also
    --------
    write_sample_study : Write the study to files.
    load_simulated_group : A group of any size, with an effect that you choose.

    Examples
    --------
    >>> from ari_estimator.datasets import load_sample_study
    >>> study = load_sample_study()
    >>> len(study.maps), study.maps[0].shape
    (24, (53, 63, 46))
    >>> study.participants.head(2)
      participant_id    group  age
    0         sub-01  patient   50
    1         sub-02  control   24
    """
    effects = sample_effects()
    mask = effects.mask
    rng = np.random.RandomState(_SEED)
    participants = _participants(rng)
    is_patient = (participants["group"] == "patient").to_numpy()
    age_sd = participants["age"].std(ddof=0)
    age = ((participants["age"] - participants["age"].mean()) / age_sd).to_numpy()
    surface = SampleSurface.in_volume(effects.grid_img)
    smooth_noise = SmoothNoise(mask.shape, effects.grid_img.header.get_zooms()[:3], FWHM)

    volumes, sampled = [], []
    for k in range(N_SUBJECTS):
        effect = effects.motor + is_patient[k] * effects.group + age[k] * effects.age
        volume = (effect + smooth_noise.draw(rng)).astype(np.float32)
        sampled.append(surface.sample(volume))
        volumes.append(np.where(mask, volume, 0))

    def image(values: np.ndarray, *intent: Any) -> Nifti1Image:
        img = new_img_like(effects.grid_img, values)
        if intent:
            img.header.set_intent(*intent)
        return img

    t_values = np.zeros(mask.shape, dtype=np.float32)
    t_values[mask] = _one_sample_t(np.stack([volume[mask] for volume in volumes]))
    z_of_surface = {}
    for side, cortex in surface.cortex.items():
        values = np.zeros(cortex.shape)
        t_of_side = _one_sample_t(np.stack([parts[side][cortex] for parts in sampled]))
        values[cortex] = _z_of_t(t_of_side)
        z_of_surface[side] = values
    labels, lut = sample_regions(effects)
    return Bunch(
        maps=[image(volume) for volume in volumes],
        participants=participants,
        mask_img=image(mask.astype(np.uint8)),
        t_img=image(t_values, "t test", (N_SUBJECTS - 1,)),
        z_img=image(_z_of_t(t_values).astype(np.float32), "z score"),
        effect_img=image((effects.motor + is_patient.mean() * effects.group).astype(np.float32)),
        group_effect_img=image(effects.group.astype(np.float32)),
        age_effect_img=image((effects.age / age_sd).astype(np.float32)),
        atlas_img=image(labels),
        atlas_lut=lut,
        surface_maps=[surface.image(parts) for parts in sampled],
        surface_img=surface.image(z_of_surface),
        surface_mask_img=surface.mask_img,
        description=_DESCRIPTION,
    )


def _participants(rng: np.random.RandomState) -> pd.DataFrame:
    """Return the subjects: each of 12 ages once in patients, and once in controls."""
    ages = np.round(np.linspace(22, 68, N_SUBJECTS)).astype(int)
    by_group = [rng.permutation(ages[start::2]) for start in (0, 1)]
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in range(1, N_SUBJECTS + 1)],
            "group": ["patient", "control"] * (N_SUBJECTS // 2),
            "age": np.transpose(by_group).ravel(),
        }
    )


def _one_sample_t(values: np.ndarray) -> np.ndarray:
    """Return t values of the mean over the rows."""
    values = values.astype(float)
    return values.mean(axis=0) / values.std(axis=0, ddof=1) * np.sqrt(len(values))


def _z_of_t(t_values: np.ndarray) -> np.ndarray:
    """Return z values that have the p-values of t values, accurate in both tails."""
    tail = stats.t.sf(np.abs(t_values.astype(float)), N_SUBJECTS - 1)
    return np.sign(t_values) * stats.norm.isf(tail)
