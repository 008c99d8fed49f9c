"""
Surfaces: one family of both hemispheres
========================================

On surfaces, clusters are connected along the edges of the mesh, and both hemispheres are one family: the error
level is spent once, not once for each.
"""

# %%
# A map on fsaverage5
# -------------------
# The meshes come with nilearn. The motor map, a volume, is projected to them.

from nilearn.datasets import (
    load_fsaverage,
    load_fsaverage_data,
    load_sample_motor_activation_image,
)
from nilearn.surface import SurfaceImage

meshes = load_fsaverage("fsaverage5")
surface_img = SurfaceImage.from_volume(
    mesh=meshes["pial"], volume_img=load_sample_motor_activation_image()
)
print({part: values.shape[0] for part, values in surface_img.data.parts.items()})

# %%
# A projection averages values of voxels that depend on each other, which makes z values somewhat smaller than
# those of a model that is fitted on the surface. For a study, project the subjects' maps and fit
# :class:`~ari_estimator.ARISecondLevelModel` to them, as to volumes.

# %%
# The cortex only
# ---------------
# The medial wall is no cortex, and where the volume has no brain the projection is zero. Neither was tested, so
# neither belongs to the family: the mask has the other vertices.

import numpy as np

tested = SurfaceImage(
    mesh=surface_img.mesh,
    data={part: (values != 0).astype(np.int8) for part, values in surface_img.data.parts.items()},
)
print("tested:", sum(int(values.sum()) for values in tested.data.parts.values()), "vertices")

# %%
# Clusters
# --------
# Sizes are in vertices and mm\ :sup:`2`, peaks have a hemisphere and a vertex.

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer

ari = ClusterTDPTransformer(3.1, mask_img=tested, two_sided=True, cluster_threshold=20)
tdp_img = ari.fit_transform(surface_img)
columns = ["cluster_id", "n_vertices", "size_mm2", "true_discoveries", "tdp", "peak_hemisphere"]
ari.table_[columns].round(2)

# %%

from nilearn.plotting import show

from ari_estimator.plotting import plot_tdp_surface

sulci = load_fsaverage_data(mesh="fsaverage5", mesh_type="inflated", data_type="sulcal")
on_inflated = [
    SurfaceImage(mesh=meshes["inflated"], data=img.data) for img in (surface_img, tdp_img)
]
figure = plot_tdp_surface(*on_inflated, bg_map=sulci, threshold=3.1)
show()

# %%
# Clusters of a TDP
# -----------------
# All that volumes can do, surfaces can: here the largest clusters that are at least 80 % active.

adaptive = AdaptiveTDPTransformer(0.8, mask_img=tested, two_sided=True, cluster_threshold=20)
adaptive.fit_transform(surface_img)
adaptive.table_[[*columns, "threshold"]].round(2)
