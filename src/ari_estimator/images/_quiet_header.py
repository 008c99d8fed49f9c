"""Read headers of CIFTI files without nibabel's remark on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nibabel import imageglobals


@contextmanager
def quiet_header() -> Iterator[None]:
    """Keep nibabel from saying that voxels have no size, which is true of all CIFTI files."""
    logger = imageglobals.logger
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was_disabled
