"""Degrees of freedom of each element of group maps with missing values: in words, as an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# How the name of the image ends, before the format.
_NAME = "stat-df_statmap"


def df_in_words(model: Any, df_img: Any) -> str:
    """Return the range of the degrees of freedom of a contrast.

    Parameters
    ----------
    model : ARISecondLevelModel
        The fitted model.

    df_img : image
        The degrees of freedom; 0 where an element was left out.

    Returns
    -------
    text : str
        The range, in words.
    """
    # The masker of the family does not smooth.
    df = model._family_masker.transform(df_img)
    return (
        f"missing values left out · {df[df > 0].min():g} to {df.max():g} degrees of freedom, "
        "depending on the place"
    )


def write_df(df_img: Any, folder: Path, prefix: str) -> dict[str, str]:
    """Write the degrees of freedom of a contrast, and return the names of the files.

    Parameters
    ----------
    df_img : image or None
        The degrees of freedom; None if they are the same everywhere.

    folder : Path
        The folder.

    prefix : str
        How names of files start.

    Returns
    -------
    names : dict of str to str
        Names of the files, by what they are.
    """
    if df_img is None:
        return {}
    from ari_estimator.interfaces._results import save_image

    names = save_image(df_img, folder, prefix, _NAME)
    return {f"degrees of freedom{which}": name for which, name in names.items()}
