"""What scikit-learn and nilearn are told of the input of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def input_tags() -> Any:
    """Return tags that say that images are taken, and arrays, with NaN.

    scikit-learn has no tags for images; those here have the names that nilearn gives them.
    """
    # scikit-learn has tags from 1.6 on, and asks for none before.
    from sklearn.utils import InputTags

    @dataclass
    class ImageInputTags(InputTags):
        niimg_like: bool = True
        surf_img: bool = True

    return ImageInputTags(allow_nan=True)
