"""What this package writes into its own images about their values, and finds there again."""

from __future__ import annotations

from typing import Final

TDPS: Final = "true discovery proportion"
CLUSTERS: Final = "clusters of the table"

# The program, for declarations.
OWN: Final = "ari_estimator"

# The page of the explorer writes the last three, see downloads.js.
_HOLDS: Final = {
    TDPS: "true discovery proportions",
    CLUSTERS: "cluster labels",
    "ari_estimator TDP of clusters": "true discovery proportions",
    "ari_estimator clusters": "cluster labels",
    "ari_estimator region": "labels",
}


def held_by(description: str) -> str | None:
    """Return what an image of this package holds.

    Parameters
    ----------
    description : str
        The description of the image, or the name of a map. The name of the map that it was computed
        from may come before it.

    Returns
    -------
    holds : str or None
        What the values are, as in :class:`Declaration`; None if it is not from this package.
    """
    for own, holds in _HOLDS.items():
        if description == own or description.endswith(f" {own}"):
            return holds
    return None
