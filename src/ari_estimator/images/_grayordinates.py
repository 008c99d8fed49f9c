"""What elements of CIFTI files are called, voxels and vertices alike."""

from __future__ import annotations

# One of them, and several.
GRAYORDINATES = ("grayordinate", "grayordinates")
