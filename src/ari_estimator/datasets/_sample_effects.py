"""The true effects of the sample study, and its regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.image import load_img

# The effect is zero where the real motor map has an absolute z value of at most this.
_THRESHOLD = 3.0

# Largest effects, in standard deviations of the noise.
_MOTOR, _GROUP, _AGE = 1.4, 2.4, 1.4

# Balls in which patients differ from controls, and in which age has an effect: center and radius.
_GROUP_BALL = ((-42.0, 14.0, 30.0), 17.0)
_AGE_BALL = ((36.0, 42.0, 22.0), 17.0)

# Regions of the atlas: a name and the lowest and highest x, y and z. Earlier ones come first where
# boxes overlap. All coordinates are in mm of MNI space, x to the right.
_BOXES = (
    ("left sensorimotor cortex", (-66, -20), (-40, 0), (30, 75)),
    ("right sensorimotor cortex", (20, 66), (-40, 0), (30, 75)),
    ("supplementary motor area", (-14, 14), (-25, 12), (42, 75)),
    ("left cerebellum", (-50, 0), (-80, -40), (-50, -10)),
    ("right cerebellum", (0, 50), (-80, -40), (-50, -10)),
    ("left prefrontal cortex", (-60, -20), (2, 60), (12, 50)),
    ("right prefrontal cortex", (20, 60), (2, 60), (12, 50)),
    ("occipital cortex", (-45, 45), (-110, -80), (-15, 35)),
)


@dataclass(frozen=True)
class Effects:
    """True effects, in standard deviations of the noise, on one grid.

    Attributes
    ----------
    grid_img : Nifti1Image
        The real map, whose grid all images have.

    mask : ndarray of bool
        The voxels of the brain.

    motor : ndarray
        The effect that all subjects share.

    group : ndarray
        The additional effect of patients.

    age : ndarray
        The effect of one standard deviation of age; zero at the mean age.
    """

    grid_img: Nifti1Image
    mask: np.ndarray
    motor: np.ndarray
    group: np.ndarray
    age: np.ndarray


def sample_effects() -> Effects:
    """Return the true effects of the sample study."""
    grid_img = load_img(load_sample_motor_activation_image())
    z_values = grid_img.get_fdata(dtype=np.float32)
    mask = z_values != 0
    motor = np.where(np.abs(z_values) > _THRESHOLD, z_values, 0)
    motor *= _MOTOR / np.abs(z_values).max()
    xyz = _coordinates(grid_img)
    group = _GROUP * _in_ball(xyz, *_GROUP_BALL) * mask
    age = _AGE * _in_ball(xyz, *_AGE_BALL) * mask
    return Effects(grid_img, mask, motor, group, age)


def sample_regions(effects: Effects) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the label of each voxel, 0 in no region, and the name of each label."""
    xyz = _coordinates(effects.grid_img)
    labels = np.zeros(effects.mask.shape, dtype=np.uint8)
    for index, (_, *edges) in enumerate(_BOXES, start=1):
        low, high = np.transpose(edges)
        is_inside = ((xyz >= low) & (xyz <= high)).all(axis=-1)
        labels[is_inside & effects.mask & (labels == 0)] = index
    names = [name for name, *_ in _BOXES]
    return labels, pd.DataFrame({"index": range(1, len(names) + 1), "name": names})


def _coordinates(img: Nifti1Image) -> np.ndarray:
    """Return where each voxel is, in mm, of shape (*grid, 3)."""
    return apply_affine(img.affine, np.moveaxis(np.indices(img.shape), 0, -1))


def _in_ball(xyz: np.ndarray, center: Any, radius: float) -> np.ndarray:
    """Return 1 in the center of a ball, less towards its edge, and 0 outside."""
    squared_distance = ((xyz - np.asarray(center)) ** 2).sum(axis=-1)
    return np.maximum(0, 1 - squared_distance / radius**2)
