"""A page to explore a map with: all clusters with their bounds, in one file without a server."""

from ari_estimator.explorer._document import ExplorerDocument
from ari_estimator.explorer._explore import explore

__all__ = ["ExplorerDocument", "explore"]
