"""What scikit-learn and nilearn are told of the input of a transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def with_images(tags: Any) -> Any:
    """Return tags that say that images are taken, and arrays with NaN.

    scikit-learn has no tag for images. Those here are named as nilearn names them.
    """
    # scikit-learn has tags from 1.6 on, and asks for none before.
    from sklearn.utils import InputTags

    @dataclass
    class ImageInputTags(InputTags):
        niimg_like: bool = True
        surf_img: bool = True

    tags.input_tags = ImageInputTags(one_d_array=True, two_d_array=True, allow_nan=True)
    return tags
