"""What this package writes into its own images about their values, and finds there again."""

from __future__ import annotations

import re
from typing import Final

TDPS: Final = "true discovery proportion"
CLUSTERS: Final = "clusters of the table"

# The program, for declarations.
OWN: Final = "ari_estimator"

# What images with a description hold, as in a Declaration. The page of the explorer writes the
# last three, see downloads.js.
OWN_HOLDS: Final = {
    TDPS: "true discovery proportions",
    CLUSTERS: "cluster labels",
    "ari_estimator TDP of clusters": "true discovery proportions",
    "ari_estimator clusters": "cluster labels",
    "ari_estimator region": "labels",
}

# The name of the map that an image was computed from may come before.
OWN_DESCRIPTION: Final = re.compile(rf"(?:.* )?({'|'.join(map(re.escape, OWN_HOLDS))})")
