"""
Edges of a connectome
=====================

The network-based statistic finds connected components of edges whose statistic is
above a threshold. It says that a component has an effect, not how many of its edges.
The true discovery proportion (TDP) says how many. Edges are neighbours if they share
a node. The data are simulated.
"""

# %%
# Two groups of connectomes
# -------------------------
# 28 subjects, and correlations of 40 regions. In patients, the connections of eight
# regions are weaker.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

n_nodes, n_subjects = 40, 28
first, second = np.triu_indices(n_nodes, k=1)
is_active = (first < 8) & (second < 8)
rng = np.random.default_rng(2)
group = np.repeat([1, 0], n_subjects // 2)
edges = rng.standard_normal((n_subjects, first.size))
edges[:, is_active] -= 1.8 * group[:, np.newaxis]

# %%
# Components and their TDP
# ------------------------
# ``edges_of`` makes the graph of all edges. ``coordinates`` gives their names in the
# table.

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
)
from ari_estimator.graphs import edges_of

nodes = np.array([f"region {number}" for number in range(n_nodes)])
model = ARISecondLevelModel(
    transformer=ClusterTDPTransformer(
        3.1,
        adjacency=edges_of(n_nodes),
        coordinates={"from": nodes[first], "to": nodes[second]},
    ),
    calibration=PermutationCalibration(random_state=0),
)
design = pd.DataFrame({"patient": group, "control": 1 - group})
model.fit(edges, design_matrix=design)
model.compute_contrast("control - patient", output_type="tdp")
columns = ["n_elements", "true_discoveries", "tdp", "peak_from", "peak_to", "peak_stat"]
model.table_[columns].head(3).round(2)

# %%
# The network as a matrix
# -----------------------
# Each entry of the lower matrix shows the TDP of the component of its edge.

from ari_estimator.plotting import plot_tdp_array

plot_tdp_array(model, figsize=(5, 8))
plt.show()

# %%
# A bound for each region
# -----------------------
# The edges of one region are a set too. All bounds hold at once, so you may look at
# all regions and report the ones that you like.

from ari_estimator import set_bound

rows = []
for node in range(n_nodes):
    own = np.flatnonzero((first == node) | (second == node))
    rows.append(set_bound(model, indices=own).true_discoveries)
strongest = pd.Series(rows, index=nodes, name="active edges, at least")
strongest.sort_values(ascending=False).head(9)
