"""Write images of results without their volumes in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nibabel.openers import ImageOpener
from nibabel.volumeutils import seek_tell

from ari_estimator.images._later_volume import LaterVolume


def write_nifti(img: Any, path: Path) -> None:
    """Write a volume or a CIFTI image to a file.

    If nobody has looked at the data of a volume yet, they are made and written plane by plane. The
    file has the same bytes as from nibabel, which would make the whole volume.

    Parameters
    ----------
    img : Nifti1Image or Cifti2Image
        The image.

    path : Path
        The file, whose name ends as nibabel wants it.
    """
    data = img.dataobj
    if not isinstance(data, LaterVolume) or img.get_data_dtype().newbyteorder("=") != data.dtype:
        img.to_filename(path)
        return
    img.update_header()
    header = img.header.copy()
    header.set_slope_inter(1, 0)
    dtype = header.get_data_dtype()
    file: Any
    with ImageOpener(str(path), "wb") as file:
        header.write_to(file)
        seek_tell(file, header.get_data_offset(), write0=True)
        for plane in data.planes():
            file.write(plane.astype(dtype, copy=False).tobytes())
