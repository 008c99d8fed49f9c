"""
Surfaces: one family of both hemispheres
========================================

How much of each cluster on the cortex is active? On surfaces, clusters are connected
along the edges of the mesh. Both hemispheres are one family, so the error level holds
for both together.
"""

# %%
# A map on fsaverage5
# -------------------
# The meshes come with nilearn. The code projects the motor map, a volume, to them.

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
# A projection averages voxels, so these z values are somewhat smaller than the z values
# of a model that is fitted on the surface. In a study, project the maps of the subjects
# and fit :class:`~ari_estimator.ARISecondLevelModel` to them, as you do with volumes.

# %%
# The mask
# --------
# Where the volume has no brain, the projection is zero. These vertices were not tested,
# so the mask excludes them. In a study, also exclude the medial wall, with the labels
# that come with your surfaces.

import numpy as np

parts = {
    part: (values != 0).astype(np.int8)
    for part, values in surface_img.data.parts.items()
}
tested = SurfaceImage(mesh=surface_img.mesh, data=parts)
print("tested:", {part: int(values.sum()) for part, values in parts.items()})

# %%
# Clusters
# --------
# Sizes are in vertices and mm\ :sup:`2`. Peaks have a hemisphere and a vertex.

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer

options = {"mask_img": tested, "two_sided": True, "cluster_threshold": 20}
ari = ClusterTDPTransformer(3.1, **options)
tdp_img = ari.fit_transform(surface_img)
columns = ["n_vertices", "size_mm2", "true_discoveries", "tdp", "peak_hemisphere"]
ari.table_[columns].round(2)

# %%

import matplotlib.pyplot as plt
from ari_estimator.plotting import plot_tdp_surface

sulci = load_fsaverage_data(mesh="fsaverage5", mesh_type="inflated", data_type="sulcal")
on_inflated = [
    SurfaceImage(mesh=meshes["inflated"], data=img.data)
    for img in (surface_img, tdp_img)
]
plot_tdp_surface(*on_inflated, bg_map=sulci, threshold=3.1)
plt.show()

# %%
# Clusters of a TDP
# -----------------
# Everything that works for volumes also works for surfaces. These are the largest
# clusters with a TDP of at least 80 %.

adaptive = AdaptiveTDPTransformer(0.8, **options)
adaptive.fit_transform(surface_img)
adaptive.table_[[*columns, "threshold"]].round(2)
