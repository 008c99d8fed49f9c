"""
The explorer: choose clusters by eye
====================================

:func:`~ari_estimator.explore` writes a page with a map and all its clusters: one file,
that any browser opens without a server or a network. Move the TDP, click the brain,
grow and shrink a cluster. All bounds hold at once, however long one looks.
"""

# %%
# A real z map that comes with nilearn. "page" is the whole of it:
# ``page.save_as_html("motor.html")`` writes it, ``page.open_in_browser()`` shows it,
# and notebooks have it in a frame, as here.

from ari_estimator import explore
from nilearn.datasets import load_sample_motor_activation_image

page = explore(
    load_sample_motor_activation_image(),
    two_sided=True,
    title="Button press, left against right hand",
)
print(repr(page))
# sphinx_gallery_thumbnail_path = "images/explorer.png"

# %%
# What it does, and what it takes, is said in :doc:`/explorer`. From a shell: ``ari
# explore zstat.nii.gz --two-sided``.
