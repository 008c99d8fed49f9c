"""Orders the examples of the gallery by the number in their file name: 9 comes before 10."""

from __future__ import annotations

import re

from sphinx_gallery.sorting import FileNameSortKey


class NumberSortKey(FileNameSortKey):
    """Sort examples such as ``plot_10_spheres.py`` by their number."""

    def __call__(self, filename: str) -> int:
        """Return the number of an example."""
        found = re.match(r"plot_(\d+)_", filename)
        assert found is not None, f"{filename} must start with plot_ and a number"
        return int(found.group(1))
