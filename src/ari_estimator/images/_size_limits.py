"""How many bytes a file can hold, and how many it may expand to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# The largest volumes of one map that are in use, half a millimetre in double precision, are
# smaller. They may consist of zeros.
_ALWAYS: Final = 512 * 2**20

# Maps compress to a half or a tenth, masks and labels to a hundredth.
_RATIO: Final = 100

# What deflate, the method of gzip, makes of zeros.
_OF_GZIP: Final = 1032

_GZIP: Final = (".gz", ".mgz")
_COMPRESSED: Final = (*_GZIP, ".bz2", ".zst")


def largest_expansion(n_bytes: int) -> int:
    """Return how many bytes a compressed or sparse file may expand to.

    Parameters
    ----------
    n_bytes : int
        What it takes on the disk.

    Returns
    -------
    most : int
        512 MiB, or a hundred times as much as it takes.
    """
    return max(_ALWAYS, _RATIO * n_bytes)


def most_bytes(path: Path) -> int:
    """Return how many bytes can be read from a file at most.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    most : int
        Its size, or what it may expand to if it is compressed or has holes.
    """
    status = path.stat()
    if path.suffix.lower() in _COMPRESSED:
        most = largest_expansion(status.st_size)
        is_gzip = path.suffix.lower() in _GZIP
        return min(most, _OF_GZIP * status.st_size) if is_gzip else most
    # Not all systems report blocks. A file with a header always has at least one block.
    on_disk = 512 * getattr(status, "st_blocks", 0)
    return min(status.st_size, largest_expansion(on_disk)) if on_disk else status.st_size


def check_size(path: Path, declared: int) -> None:
    """Refuse a file that says that it holds more than it can.

    Parameters
    ----------
    path : Path
        A file.

    declared : int
        How many bytes it says that it holds.

    Raises
    ------
    ValueError
        If it cannot hold them, or they are out of proportion to the file.
    """
    most = most_bytes(path)
    if declared <= most:
        return
    size = path.stat().st_size
    is_compressed = path.suffix.lower() in _COMPRESSED
    help_ = ""
    if most > size or (not is_compressed and most < size):
        help_ = "; decompress it first if that is right" if is_compressed else "; it has holes"
    raise ValueError(
        f"its header says that it holds {declared:,} bytes, and of a file of {size:,} bytes at "
        f"most {most:,} are read{help_}"
    )
