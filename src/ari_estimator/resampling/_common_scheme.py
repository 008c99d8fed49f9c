"""One resampling scheme for several contrasts, whose draws apply to all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.resampling._choose_scheme import SchemeName, choose_scheme
from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._exchangeability import Exchange
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import Permutation


class NoCommonSchemeError(ValueError):
    """No scheme has draws that apply to all contrasts."""


def common_schemes(
    name: SchemeName,
    contrasts: Sequence[Contrast],
    blocks: ArrayLike | None = None,
    exchange: Exchange | None = None,
    variance_groups: Sequence[np.ndarray | None] | None = None,
) -> list[Scheme]:
    """Return a scheme for each contrast, so that the draws of one serve all.

    Parameters
    ----------
    name : {"auto", "sign_flip", "permutation", "bootstrap"}
        The scheme. "auto" is permutation if it is the choice of "auto" for each contrast, with
        the same rows that change places. Otherwise it is sign-flipping of the residuals.

    contrasts : sequence of Contrast
        Contrasts of the same design.

    blocks, exchange
        As for :func:`choose_scheme`.

    variance_groups : sequence of ndarray of int of shape (n_subjects,) or None, default=None
        Variance groups for each contrast.

    Returns
    -------
    schemes : list of Scheme
        A scheme for each contrast. Draws of the first one are draws of all of them.

    Raises
    ------
    NoCommonSchemeError
        If each contrast has a scheme, and none serves all.
    ValueError
        For the reasons of :func:`choose_scheme`.

    Notes
    -----
    A draw must do the same to all contrasts. Only then do the draws keep the dependence between
    the contrasts, which come from the same subjects.
    """
    groups = [None] * len(contrasts) if variance_groups is None else list(variance_groups)

    def all_by(name: SchemeName, exchange: Exchange | None) -> list[Scheme]:
        return [
            choose_scheme(name, contrast, blocks, exchange, own)
            for contrast, own in zip(contrasts, groups, strict=True)
        ]

    are_labels = blocks is not None and np.ndim(blocks) != 2
    permutes = name in ("auto", "permutation")
    if not (are_labels and exchange is None and permutes):
        schemes = all_by(name, exchange)
        if name != "auto" or _share_draws(schemes):
            return schemes
        return all_by("sign_flip", exchange)
    # Each contrast would choose what changes places. The first choice that serves all is taken.
    own = all_by(name, None)
    if _share_draws(own):
        return own
    exchanges: tuple[Exchange, ...] = ("within", "whole")
    for what in exchanges:
        found = _schemes_if_valid(all_by, name, what)
        if found is not None and _share_draws(found):
            return found
    if name == "auto":
        return all_by("sign_flip", None)
    raise NoCommonSchemeError(
        "scheme must serve all contrasts with the same permutations. Got 'permutation', and "
        "contrasts that need different permutations of the blocks. Use scheme='auto' or "
        "scheme='sign_flip', which flips whole blocks and needs symmetric errors."
    )


def schemes_alone(
    name: SchemeName,
    contrasts: Sequence[Contrast],
    schemes: Sequence[Scheme],
    blocks: ArrayLike | None,
    exchange: Exchange | None,
) -> dict[int, Scheme]:
    """Return the schemes of contrasts that would have another one alone, with blocks.

    Parameters
    ----------
    name, contrasts, blocks, exchange
        As for :func:`common_schemes`.

    schemes : sequence of Scheme
        The schemes that serve all contrasts.

    Returns
    -------
    alone : dict of int to Scheme
        The scheme that a contrast would have alone, by its place. Empty without blocks.
    """
    if blocks is None:
        return {}
    alone = {}
    for place, (contrast, common) in enumerate(zip(contrasts, schemes, strict=True)):
        own = choose_scheme(name, contrast, blocks, exchange)
        if not _share_draws([own, common]):
            alone[place] = own
    return alone


def _schemes_if_valid(
    all_by: Callable[[SchemeName, Exchange | None], list[Scheme]],
    name: SchemeName,
    exchange: Exchange,
) -> list[Scheme] | None:
    """Return the schemes of all contrasts, or None if one of them cannot have it."""
    try:
        return all_by(name, exchange)
    except ValueError:
        return None


def _share_draws(schemes: list[Scheme]) -> bool:
    """Return whether draws of the first scheme are draws of all schemes."""
    first = schemes[0]
    if not all(type(scheme) is type(first) for scheme in schemes):
        return False
    if not isinstance(first, Permutation):
        return True
    return all(isinstance(other, Permutation) and other.exchanges_like(first) for other in schemes)
