"""The names of labels in GIfTI files (.label.gii)."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from nibabel.gifti.gifti import GiftiImage

from ari_estimator.images._image_file import load_image


def lut_of_gifti(paths: Sequence[str | PathLike[str]], what: str) -> pd.DataFrame | None:
    """Return the names of the labels that vertices in GIfTI files have.

    Parameters
    ----------
    paths : sequence of path
        The files, one for each hemisphere.

    what : str
        What the files were given for, for messages.

    Returns
    -------
    lut : pandas.DataFrame or None
        ``index``, ``name`` and ``color`` of each label except 0. None if no file has a table, or
        a file is of another format.

    Raises
    ------
    ValueError
        If a file is damaged, has labels that its table lacks, or two files have different names
        for one label.
    """
    images: list[Any] = [load_image(path, what) for path in paths]
    if not all(isinstance(img, GiftiImage) for img in images):
        return None
    if not any(img.labeltable.labels for img in images):
        return None
    found: dict[int, tuple[str, str]] = {}
    for path, img in zip(paths, images, strict=True):
        table = {label.key: label for label in img.labeltable.labels}
        used = {int(key) for array in img.darrays for key in np.unique(array.data)} - {0}
        if missing := sorted(used - set(table)):
            raise ValueError(
                f"{what} must have a name for each label. Got none for {missing[:5]} in the label "
                f"table of {str(path)!r}."
            )
        for key in used:
            name = str(table[key].label)
            if found.setdefault(key, (name, _colour(table[key])))[0] != name:
                raise ValueError(
                    f"{what} must have one name for each label in both hemispheres. Got "
                    f"{found[key][0]!r} and {name!r} for label {key}."
                )
    rows = [(key, *found[key]) for key in sorted(found)]
    return pd.DataFrame(rows, columns=["index", "name", "color"])


def _colour(label: Any) -> str:
    shares = [0.0 if part is None else float(part) for part in label.rgba[:3]]
    return "#" + "".join(f"{round(255 * min(max(share, 0.0), 1.0)):02x}" for share in shares)
