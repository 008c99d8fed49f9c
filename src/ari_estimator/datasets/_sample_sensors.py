"""A simulated study of sensors and times, with a known effect."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

_PARAMETER_CONSTRAINTS: dict[str, Any] = {
    "n_subjects": [Interval(Integral, 1, None, closed="left")],
    "n_channels": [Interval(Integral, 8, 512, closed="both")],
    "effect_size": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
}

# In seconds, from before the stimulus to the end of the epoch.
_START, _STOP, _RATE = -0.1, 0.5, 200.0

# The radius of the head, in metres.
_RADIUS = 0.095

# Times over which the noise of one channel is alike, in samples.
_SMOOTHNESS = 4

# The noise of neighbours is alike up to this distance, in metres.
_REACH = 0.03

# A sensor has about so many neighbours.
_N_NEIGHBOURS = 6

_MICROVOLT = 1e-6


def load_sample_sensors(
    n_subjects: int = 16,
    *,
    n_channels: int = 64,
    effect_size: float = 2.0,
    random_state: Any = 0,
) -> Bunch:
    """Simulate the averages of an EEG study, without a download.

    Each subject has one average for each of two conditions. Their difference has two effects: an
    early one over the back of the head that is positive, and a later and larger one over the front
    that is negative. Everything else is noise that is smooth over the head and in time.

    Parameters
    ----------
    n_subjects : int, default=16
        Number of subjects.

    n_channels : int, default=64
        Number of channels, spread evenly over the upper half of a sphere.

    effect_size : float, default=2.0
        Largest effect, in standard deviations of the difference.

    random_state : int, RandomState instance or None, default=0
        Seed of the noise.

    Returns
    -------
    study : Bunch
        With the attributes

        differences : ndarray of shape (n_subjects, n_channels, n_times)
            The difference of the conditions of each subject, in volts.
        channels : list of str
            Names of the channels.
        times : ndarray of shape (n_times,)
            Times in seconds.
        positions : dict of str to ndarray of shape (3,)
            Positions of the channels in metres, for ``mne.channels.make_dig_montage``.
        adjacency : scipy.sparse.coo_array of shape (n_channels, n_channels)
            Whether channels are neighbours.
        effect : ndarray of shape (n_channels, n_times)
            The true effect, in volts; 0 where there is none.
        description : str
            How the data were simulated.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    See Also
    --------
    load_simulated_group : Maps of brains.

    Examples
    --------
    >>> from ari_estimator.datasets import load_sample_sensors
    >>> study = load_sample_sensors(n_subjects=3)
    >>> study.differences.shape
    (3, 64, 121)
    >>> int((study.effect != 0).sum())
    2944
    """
    parameters = {
        "n_subjects": n_subjects,
        "n_channels": n_channels,
        "effect_size": effect_size,
        "random_state": random_state,
    }
    validate_parameter_constraints(_PARAMETER_CONSTRAINTS, parameters, "load_sample_sensors")
    places = _on_a_head(n_channels)
    times = np.arange(_START, _STOP + 0.5 / _RATE, 1 / _RATE).round(6)
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    shape = _bump(places, (0.0, -1.0, 0.35), 0.1)[:, np.newaxis] * _wave(times, 0.12, 0.08)
    shape -= 0.8 * _bump(places, (0.1, 0.8, 0.6), 0.14)[:, np.newaxis] * _wave(times, 0.34, 0.16)
    shape[np.abs(shape) < 0.1] = 0
    effect = effect_size * shape
    rng = check_random_state(random_state)
    # The weights of each channel in the noise of its neighbourhood.
    weights = np.exp(-0.5 * (distances / _REACH) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    noise = weights @ rng.standard_normal((n_subjects, n_channels, times.size + 8 * _SMOOTHNESS))
    noise = gaussian_filter1d(noise, _SMOOTHNESS, axis=2)
    noise = noise[..., 4 * _SMOOTHNESS : 4 * _SMOOTHNESS + times.size]
    # The standard deviation of a Gaussian average of independent values.
    noise *= np.sqrt(2 * np.sqrt(np.pi) * _SMOOTHNESS)
    channels = [f"E{number}" for number in range(1, n_channels + 1)]
    return Bunch(
        differences=_MICROVOLT * (effect + noise),
        channels=channels,
        times=times,
        positions=dict(zip(channels, places, strict=True)),
        adjacency=_neighbours(distances),
        effect=_MICROVOLT * effect,
        description=(
            f"Differences of two conditions for {n_subjects} subjects, simulated: two effects of "
            f"up to {effect_size:g} standard deviations in {n_channels} channels, and noise that "
            "is smooth over the head and in time."
        ),
    )


def _on_a_head(n_channels: int) -> np.ndarray:
    """Return points spread evenly over the upper half of a sphere: a spiral by the golden angle."""
    number = np.arange(n_channels)
    height = 1 - 0.97 * (number + 0.5) / n_channels
    around = np.sqrt(1 - height**2)
    angle = number * np.pi * (3 - np.sqrt(5))
    return _RADIUS * np.column_stack([around * np.cos(angle), around * np.sin(angle), height])


def _bump(places: np.ndarray, centre: tuple[float, float, float], width: float) -> np.ndarray:
    direction = np.array(centre) / np.linalg.norm(centre)
    distances = np.linalg.norm(places - _RADIUS * direction, axis=1)
    return np.asarray(np.exp(-0.5 * (distances / (width / 2)) ** 2))


def _wave(times: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * ((times - middle) / (width / 2)) ** 2))


def _neighbours(distances: np.ndarray) -> coo_array:
    """Return which sensors are neighbours: the nearest ones of each other."""
    nearest = np.argsort(distances, axis=1, kind="stable")[:, 1 : _N_NEIGHBOURS + 1]
    is_near = np.zeros(distances.shape, dtype=bool)
    np.put_along_axis(is_near, nearest, True, axis=1)
    return coo_array(is_near | is_near.T)
