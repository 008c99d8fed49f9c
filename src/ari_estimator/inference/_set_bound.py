"""The bound of one set."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self


class SetBound(NamedTuple):
    """Bound on the true discoveries of one set of voxels or vertices.

    Attributes
    ----------
    n_tested : int
        Number of tested voxels in the set.

    true_discoveries : int
        Lower bound on the number of active voxels among the tested voxels of the set.

    tdp : float
        Lower bound on the proportion of active voxels among the tested voxels of the set.

    p_value : float
        P-value of the hypothesis that no voxel of the set is active, adjusted for all sets at once.
        With a calibration, it is a multiple of one divided by the number of permutations.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer, set_bound
    >>> ari = ClusterTDPTransformer().fit(load_sample_motor_activation_image())
    >>> bound = set_bound(ari, seed=(39, -22, 58), radius=9)
    >>> bound.n_tested, bound.true_discoveries, round(bound.tdp, 2)
    (95, 95, 1.0)
    """

    n_tested: int
    true_discoveries: int
    tdp: float
    p_value: float


class DirectionalSetBound(SetBound):
    """Bound on the true discoveries of one set, with a bound for each sign.

    ``two_sided="directional"`` gives it. All bounds hold at once: ``true_discoveries`` is the sum
    of both signs.

    Parameters
    ----------
    bound : SetBound
        The bound of both signs together.

    positive, negative : int
        Lower bounds on the number of voxels with a positive and with a negative effect.

    Attributes
    ----------
    positive, negative : int
        These bounds. See :class:`SetBound` for the other attributes.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer, set_bound
    >>> ari = ClusterTDPTransformer(two_sided="directional")
    >>> _ = ari.fit(load_sample_motor_activation_image())
    >>> bound = set_bound(ari, seed=(39, -22, 58), radius=9)
    >>> bound.true_discoveries, bound.positive, bound.negative
    (95, 95, 0)
    """

    positive: int
    negative: int

    def __new__(cls, bound: SetBound, positive: int, negative: int) -> Self:
        made = super().__new__(cls, *bound)
        made.positive, made.negative = positive, negative
        return made

    def __repr__(self) -> str:
        fields = {**self._asdict(), "positive": self.positive, "negative": self.negative}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in fields.items())})"

    def __getnewargs__(self) -> tuple[SetBound, int, int]:
        return SetBound(*self), self.positive, self.negative
