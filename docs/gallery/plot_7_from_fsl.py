"""
The TDP of clusters that FSL found
==================================

How much of each cluster in a FEAT folder is active? The folder has everything that ARI
needs: the z map, the mask, the clusters with their numbers, and tables to which the
package adds the TDP.
"""

# %%
# A FEAT folder
# -------------
# ``write_sample_study`` writes the sample study of this package, with a folder like the
# output of FEAT.

from pathlib import Path
from tempfile import mkdtemp

from ari_estimator.datasets import write_sample_study

folder = Path(mkdtemp())
write_sample_study(folder / "study")
feat = folder / "study" / "cope1.feat"
print("\n".join(sorted(str(path.relative_to(feat)) for path in feat.rglob("*.*"))))

# %%
# How much of each cluster is active?
# -----------------------------------
# :func:`~ari_estimator.interfaces.read_feat` finds the map before thresholding, the
# mask of all tested voxels, and the clusters.

from ari_estimator import ClusterTDPTransformer
from ari_estimator.interfaces import find_feat_tables, read_feat, write_fsl_tdp

stat_map = read_feat(feat)
ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
tdp_img = ari.fit_transform(stat_map.stat_img)
ari.table_[["cluster_id", "n_voxels", "true_discoveries", "tdp", "peak_stat"]].round(2)

# %%
# A large cluster need not have a large TDP. The numbers are FSL's cluster numbers.

import matplotlib.pyplot as plt
from ari_estimator.plotting import plot_cluster_dots

plot_cluster_dots(ari, title="FSL's clusters")
plt.show()

# %%
# FSL's tables with two more columns
# ----------------------------------
# The files of FEAT stay as they are. A new folder gets a TDP image and a copy of each
# table, among other files.

tables = find_feat_tables(feat)
_, files = write_fsl_tdp(stat_map, folder / "tdp", tables=tables)
for what, path in files.items():
    print(f"{what}: {path.name}")
print()
print(files["copy of cluster_zstat1.txt"].read_text())

# %%
# In a shell, ``ari fsl cope1.feat --out tdp`` does the same.

# %%
# Other clusters from the same map
# --------------------------------
# You need not keep FSL's clusters. With the same map and mask, these are the largest
# clusters with a TDP of at least 90 %.

from ari_estimator import AdaptiveTDPTransformer

adaptive = AdaptiveTDPTransformer(0.9, cluster_threshold=20, **stat_map.parameters())
adaptive.fit_transform(stat_map.stat_img)
adaptive.table_[["threshold", "n_voxels", "true_discoveries", "tdp"]].round(2)
