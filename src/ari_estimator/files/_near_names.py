"""Existing files with a similar name, for messages."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

# Names of images share their endings, so less similar names are other files.
_LEAST_SIMILARITY = 0.8


def near_name(path: Path) -> str:
    """Return a sentence that names the file most similar to one that does not exist.

    Parameters
    ----------
    path : Path
        A path that does not exist.

    Returns
    -------
    hint : str
        A question with a space in front; empty if its folder has no similar name. For a link, where
        it leads.
    """
    if path.is_symlink():
        return f" It is a link to {str(path.readlink())!r}, which is not there."
    try:
        names = [other.name for other in path.parent.iterdir()]
    except OSError:  # no folder, or one that must not be listed
        return ""
    near = get_close_matches(path.name, names, n=1, cutoff=_LEAST_SIMILARITY)
    return f" Did you mean {str(path.with_name(near[0]))!r}?" if near else ""
