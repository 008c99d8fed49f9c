"""
The explorer: choose clusters by eye
====================================

How do you look around in a map without breaking the guarantee?
:func:`~ari_estimator.explore` writes a page with a map and all its clusters. It is one
file, and any browser opens it without a server or a network. Move the TDP, click on the
brain, grow and shrink a cluster. All bounds hold at once, no matter how long you look.
"""

# %%
# The z map of a motor task comes with nilearn. ``page.save_as_html("motor.html")``
# writes the page, and ``page.open_in_browser()`` shows it. Notebooks show it in a
# frame, as below.

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
# :doc:`/explorer` explains all controls. In a shell, use ``ari explore zstat.nii.gz
# --two-sided``.
