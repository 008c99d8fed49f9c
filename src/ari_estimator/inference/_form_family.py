"""Check the values of one map and form its family."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import log_ndtr

from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.images._space import Space
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._statistic import Statistic

# One in five values of standard normal noise are this close to zero.
_SMALL = 0.25

# In a map that was not thresholded, a larger share than this is close to zero, and a larger share
# has each sign, even if nearly all elements are active.
_NEXT_TO_NONE = 0.005

# At most one in a million maps of pure noise may look thresholded by chance.
_LOG_IMPLAUSIBLE = np.log(1e-6)

# Fewer voxels than this are not a map.
_FEW = 10

# If a smaller share than this is missing, the map was not thresholded.
_FEWEST_MISSING = 0.2

# In genuine maps, robust standard deviations of z values range from 0.6 to 2.3.
_SMALLEST_SCALE, _LARGEST_SCALE = 0.5, 4
_IQR_OF_Z = 1.3489795003921634

# The largest z value of a p-value: ndtr(-38.5) is 0 in double precision.
_LARGEST_Z = 40

# Fewer elements may have any scale by chance. With this many, the scale is outside the limits, or
# all values lie in [-1, 1], in less than one in a million maps.
_FEWEST_JUDGED = 200
_MOST_JUDGED = 20_000

# If p-values underflow to 0, others are close to 0. With a larger share of zeros than this and no
# other p-value below this limit, the zeros are not p-values.
_MOST_ZEROS = 0.02

# A mask that users give may hold some zeros: values that are rounded, a signal that was lost.
_MOST_ZEROS_OF_A_MASK = 0.1
_TINY_P = 1e-6


def form_family(
    values: np.ndarray, space: Space, statistic: Statistic, mask_called: str = "the mask"
) -> MapFamily:
    """Form the family of one map.

    Parameters
    ----------
    values : ndarray of shape (n_elements,)
        Values in the mask; NaN for missing values.

    space : Space
        Positions of the elements.

    statistic : Statistic
        The statistic of the values.

    mask_called : str, default="the mask"
        The mask in a sentence, which says where it is from.

    Returns
    -------
    family : MapFamily
        The family, without the elements that are NaN.

    Raises
    ------
    ValueError
        If the map is NaN or constant throughout the mask, has impossible values, or is NaN
        everywhere below what looks like a threshold.

    Warns
    -----
    UserWarning
        If elements are NaN, infinite, or exactly 0 in a map of p-values; or if the values do not
        look like this statistic.
    """
    elements = space.element_name[1]
    is_tested = ~np.isnan(values)
    n_nan = values.size - int(np.count_nonzero(is_tested))
    if n_nan == values.size:
        raise ValueError(
            f"The map is NaN in all {values.size} {elements} of {mask_called}. Pass a map with "
            "values in the mask."
        )
    if statistic.zero_is_strongest:
        check_zeros(values, elements, mask_called)
    if n_nan:
        warn_of_nan(n_nan, values.size, elements, mask_called)
        values = values[is_tested]
        space = space.restrict(is_tested)
    if values.size > 1 and values.min() == values.max():
        raise ValueError(
            f"The map is constant, {values[0]}, in all {values.size} {elements} of {mask_called}: "
            "it is not a statistical map."
        )
    statistic.check_values(values)
    if n_nan:
        check_rest_of_nan(statistic.one_sided_z(values), n_nan, elements, mask_called)
    warn_of_unlikely_values(values, statistic, elements)
    return MapFamily(values, statistic, space, is_tested)


def warn_of_unlikely_values(values: np.ndarray, statistic: Statistic, element_names: str) -> None:
    """Warn of infinite values and of values that are very unlikely for z or t."""
    low, high = values.min(), values.max()
    if np.isinf(low) or np.isinf(high):
        n_up, n_down = int(np.isposinf(values).sum()), int(np.isneginf(values).sum())
        strongest = "+inf is the strongest evidence, and -inf is no evidence."
        if statistic.two_sided:
            strongest = "-inf and +inf are both the strongest evidence in a two-sided test."
        warnings.warn(
            f"The map is infinite in {n_up + n_down} {element_names}: +inf in {n_up}, -inf in "
            f"{n_down}. {strongest} If these values stand for something else, leave them out of "
            "mask_img.",
            UserWarning,
            stacklevel=2,
        )
    if values.size < _FEWEST_JUDGED:
        return
    if statistic.is_p and statistic.two_sided == DIRECTIONAL and (low >= 0 or high <= 0):
        warnings.warn(
            f"All values of the map have one sign, from {low:.3g} to {high:.3g}, as maps of "
            f"{statistic.name} without the sign of the effect have. Bounds of each sign do not "
            "hold for them. Pass a map of z, t or signed values.",
            UserWarning,
            stacklevel=2,
        )
    if not statistic.is_signed:
        return
    # This many are enough for the scale; there may be millions.
    some = values[:: max(1, values.size // _MOST_JUDGED)]
    # Padding has no information on the scale.
    some = some[np.isfinite(some) & (some != 0)]
    if some.size < _FEWEST_JUDGED:
        return
    quartiles = np.quantile(some, (0.25, 0.75))
    # Only the quartiles are converted to z values, because the scale needs nothing else.
    scale = float(np.diff(statistic.one_sided_z(quartiles))[0] / _IQR_OF_Z)
    reason = None
    if low >= -1 and high <= 1:
        reason = f"All lie in [-1, 1], from {low:.3g} to {high:.3g}, as correlations do"
    elif (some == np.rint(some)).all():
        reason = "All are whole numbers, as labels and counts are"
    elif low >= 0 or high <= 0:
        reason = f"All have one sign, from {low:.3g} to {high:.3g}, as F, chi2 and -log10 p have"
    elif not _SMALLEST_SCALE <= scale <= _LARGEST_SCALE:
        reason = (
            f"Their robust standard deviation is {scale:.3g} (from the quartiles, as z values), "
            f"and maps of {statistic.name} values have {_SMALLEST_SCALE} to {_LARGEST_SCALE}"
        )
    elif statistic.name == "z" and _LARGEST_Z < max(-low, high) < np.inf:
        reason = (
            f"They go from {low:.3g} to {high:.3g}, but the smallest p-value that a computer can "
            f"hold has a z value of {_LARGEST_Z}"
        )
    if reason is not None:
        warnings.warn(
            f"The map does not look like {statistic.name} values. {reason}. Effects, percent "
            "signal change and correlations are not statistics: the bounds do not hold for them. "
            "If the map holds another statistic, set stat_type.",
            UserWarning,
            stacklevel=2,
        )


def _looks_thresholded(z: np.ndarray) -> bool:
    """Return whether z values close to zero, or of one sign, are missing.

    With few voxels, the share may be close to zero by chance. The probability under standard normal
    noise decides then.
    """
    gap = float(np.quantile(np.abs(z), _NEXT_TO_NONE, method="lower", overwrite_input=True))
    lacks_small = gap >= _SMALL and z.size * (np.log(2) + log_ndtr(-gap)) < _LOG_IMPLAUSIBLE
    rarer = min(int((z >= 0).sum()), int((z <= 0).sum()))
    lacks_sign = rarer <= _NEXT_TO_NONE * z.size and z.size * np.log(0.5) < _LOG_IMPLAUSIBLE
    return lacks_small or lacks_sign


def check_computed_family(z: np.ndarray, mask_called: str, element_names: str) -> None:
    """Refuse a thresholded map whose mask was computed from the map itself.

    The mask would be the voxels above the threshold. This family contains no noise any more, and
    even a map of pure noise would get true discoveries.

    Parameters
    ----------
    z : ndarray of shape (n,)
        Z values of the map in the mask, without missing voxels.

    mask_called : str
        The mask in a sentence, which says where it is from.

    element_names : str
        What the elements are called.

    Raises
    ------
    ValueError
        If the map looks thresholded, or if fewer than ten voxels are in the mask.
    """
    if z.size >= _FEW and not _looks_thresholded(z):
        return
    raise ValueError(
        f"The map looks thresholded: it has {z.size} {element_names} in {mask_called}, "
        "almost none of them close to zero, or almost none of one sign. The missing ones belong "
        "to the tested family, and without them the bounds are invalid. Pass the unthresholded "
        f"map, or the mask of all tested {element_names} as mask_img."
    )


def check_rest_of_nan(z: np.ndarray, n_nan: int, element_names: str, mask_called: str) -> None:
    """Refuse a map that is NaN where it was below a threshold.

    Parameters
    ----------
    z : ndarray of shape (n,)
        Z values of the map in the mask, without NaN voxels.

    n_nan : int
        Number of NaN elements in the mask.

    element_names : str
        What they are called.

    mask_called : str
        The mask in a sentence, which says where it is from.

    Raises
    ------
    ValueError
        If the map looks thresholded.
    """
    if n_nan < _FEWEST_MISSING * (z.size + n_nan) or not _looks_thresholded(z):
        return
    raise ValueError(
        f"The map looks thresholded: it is NaN in {n_nan} {element_names} of "
        f"{mask_called}, and almost none of the {z.size} others are close to zero, or almost none "
        "of one sign. NaN are left out of the tested family, and without them the bounds are "
        "invalid. Pass the unthresholded map; or, if only the others were tested, a mask of them "
        "as mask_img."
    )


def warn_of_nan(n_nan: int, n_elements: int, element_names: str, mask_called: str) -> None:
    """Warn that elements of a map are NaN and therefore not in the family."""
    warnings.warn(
        f"The map is NaN in {n_nan} of the {n_elements} {element_names} of {mask_called}. They are "
        f"left out of the family, which has {n_elements - n_nan} {element_names}.",
        UserWarning,
        stacklevel=2,
    )


def check_zeros(values: np.ndarray, element_names: str, mask_called: str) -> None:
    """Refuse a p map that is padded with zeros, or warn if it may be."""
    n_zero = int((values == 0).sum())
    if n_zero > _MOST_ZEROS * values.size and not (values[values > 0] < _TINY_P).any():
        raise ValueError(
            f"The p map is exactly 0 in {n_zero} of the {values.size} {element_names} of "
            f"{mask_called}, and next to 0 nowhere: it looks padded. A p-value of 0 is the "
            "strongest possible evidence. Leave the background out of mask_img. If the map was "
            "thresholded, pass the unthresholded map."
        )
    if n_zero:
        warnings.warn(
            f"The p map is exactly 0 in {n_zero} {element_names} of {mask_called}, which has "
            f"{values.size}. They count as discoveries. If they are background, leave them "
            "out of mask_img.",
            UserWarning,
            stacklevel=2,
        )


def warn_of_untested_zeros(
    values: np.ndarray,
    statistic: Statistic,
    element_names: str,
    mask_called: str,
    mask_is_given: bool,
) -> None:
    """Warn of exact zeros that may be missing values, or what a threshold has left."""
    n_zero = int(np.count_nonzero(values == 0))
    most = _MOST_ZEROS_OF_A_MASK if mask_is_given else _MOST_ZEROS
    if not statistic.is_p and n_zero > most * values.size:
        _, _, why = mask_called.partition(", since ")
        why = why or f"{mask_called} leaves none out"
        warnings.warn(
            f"The map is exactly 0 in {n_zero} of {values.size} {element_names}. All of them are "
            f"tested, since {why}. If these have no data (the medial wall, for example), the "
            "bounds are smaller than necessary: give a mask without them. If the map was "
            "thresholded, pass the unthresholded map instead.",
            UserWarning,
            stacklevel=2,
        )
