"""Supra-threshold clusters by their definition: components at each threshold, one by one.

Every question is a search among all of them. Nothing here knows of trees.
"""

from fractions import Fraction

import numpy as np


class ClusterSearch:
    """All clusters of a map as sets of nodes, by the components at each threshold.

    ``bound`` gives the true discoveries of a set of nodes.
    """

    def __init__(self, graph, p_values, bound):
        self.tdps = {}
        self.bounds = {}
        for threshold in np.unique(p_values):
            labels, n_components = graph.components(p_values <= threshold)
            for label in range(1, n_components + 1):
                members = frozenset(np.flatnonzero(labels == label).tolist())
                self.bounds[members] = bound(members)
                self.tdps[members] = self.bounds[members] / len(members)

    def largest(self, clusters):
        return {c for c in clusters if not any(c < other for other in clusters)}

    def query(self, tdp):
        return self.largest([c for c, own in self.tdps.items() if own >= tdp])

    def shrink(self, cluster, tdp):
        return self.largest([c for c, own in self.tdps.items() if c <= cluster and own >= tdp])

    def grow(self, cluster, tdp):
        around = [c for c, own in self.tdps.items() if c >= cluster and own <= tdp]
        return min(around, key=len, default=cluster)

    def exact_tdp(self, cluster):
        return Fraction(int(self.bounds[cluster]), len(cluster))

    def change(self, clusters, cluster, step):
        """Change by a step that is a fraction. A TDP in doubles is the double next to its own."""
        target = float(self.exact_tdp(cluster) + step)
        new = set()
        if step > 0:
            new = self.shrink(cluster, target)
        elif step < 0 and target >= 0:
            new = {self.grow(cluster, target)}
        if not new:
            return clusters
        return new | {c for c in clusters - {cluster} if not any(c <= n for n in new)}

    def gammas(self):
        """Return each TDP there is, what lies between them, 0 and 1."""
        values = np.unique([0.0, 1.0, *self.tdps.values()])
        return np.unique([*values, *(values[1:] + values[:-1]) / 2]).tolist()
