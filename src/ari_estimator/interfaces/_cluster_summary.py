"""Tables of clusters of FreeSurfer, with columns for true discoveries and TDP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from nilearn.surface import SurfaceImage

from ari_estimator.closed_testing._rounding import confidence, proportion_text
from ari_estimator.estimators import ClusterTDPTransformer
from ari_estimator.interfaces._reading import read_text

# What the columns with numbers and sizes of clusters are called, on a surface and in a volume.
_NUMBERS: Final = ("ClusterNo", "Cluster")
_COUNTS: Final = ("NVtxs", "Size(n)")
_SIZES: Final = ("Size(mm^2)", "Size(mm^3)")

_SIGNS: Final = ("abs", "pos", "neg")
_NEW: Final = ("TrueDisc", "TDP")


@dataclass(frozen=True)
class ClusterSummary:
    """A table that mri_surfcluster or mri_volcluster has written.

    Attributes
    ----------
    path : Path
        The file.

    lines : list of str
        Its lines, with their ends.

    header : int
        Number of the line with the names of the columns.

    clusters : dict of int to int
        The line of each cluster.

    counts : dict of int to int
        Number of vertices or voxels of each cluster.

    sizes : dict of int to float
        Size of each cluster in mm2 or mm3.

    sign : {"abs", "pos", "neg", ""}
        Sign of the values in clusters; "" if the table does not tell it.

    hemi : {"lh", "rh", ""}
        The hemisphere; "" for a volume.
    """

    path: Path
    lines: list[str]
    header: int
    clusters: dict[int, int]
    counts: dict[int, int]
    sizes: dict[int, float]
    sign: str
    hemi: str

    @classmethod
    def read(cls, path: str | PathLike[str]) -> ClusterSummary:
        """Read a table.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such file.
        ValueError
            If it is another file or damaged.
        """
        lines = read_text(path, "The table of clusters").splitlines(keepends=True)
        header = next((k for k, line in enumerate(lines) if _is_header(line)), None)
        if header is None:
            raise ValueError(
                f"{fspath(path)!r} must be a table of clusters of mri_surfcluster or "
                f"mri_volcluster, with columns {' or '.join(_NUMBERS)} and so on. Got none."
            )
        columns = lines[header].lstrip("# ").split()
        if set(_NEW) & set(columns):
            raise ValueError(
                f"{fspath(path)!r} already has a column TDP: pass FreeSurfer's own table."
            )
        count, size = (
            next((k for k, name in enumerate(columns) if name in names), -1)
            for names in (_COUNTS, _SIZES)
        )
        if count < 0 or size < 0:
            raise ValueError(
                f"{fspath(path)!r} must have a column {' or '.join(_COUNTS)} and a column "
                f"{' or '.join(_SIZES)}. Got {', '.join(columns)}."
            )
        clusters, counts, sizes = {}, {}, {}
        for k, line in enumerate(lines):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            cells = line.split()
            try:
                number = int(cells[0])
                counts[number], sizes[number] = int(cells[count]), float(cells[size])
            except (ValueError, IndexError):
                raise ValueError(
                    f"{fspath(path)!r} must have the number and the size of a cluster in each row. "
                    f"Got {line.strip()[:60]!r}."
                ) from None
            if number in clusters:
                raise ValueError(
                    f"{fspath(path)!r} must list each cluster once. Got {number} twice."
                )
            clusters[number] = k
        sign = _said(lines, "Threshold Sign")
        if sign not in ("", *_SIGNS):
            raise ValueError(
                f"The Threshold Sign in {fspath(path)!r} must be abs, pos or neg. Got {sign!r}."
            )
        hemi = _said(lines, "hemi")
        return cls(Path(path), lines, header, clusters, counts, sizes, sign, hemi)

    def with_tdp(self, clusters: pd.DataFrame, sentence: str) -> str:
        """Return a copy with two columns at the end, and a line above that explains them.

        Parameters
        ----------
        clusters : pandas.DataFrame
            ``true_discoveries`` and ``tdp`` by the numbers of the clusters.

        sentence : str
            The explanation.
        """
        lines = list(self.lines)
        for number, k in self.clusters.items():
            row = clusters.loc[number]
            new = f"  {int(row['true_discoveries']):8d}  {proportion_text(float(row['tdp']), 4):>7}"
            lines[k] = _with_end(lines[k], new)
        lines[self.header] = f"# {sentence}\n" + _with_end(
            lines[self.header], "".join(f"  {name:>8}" for name in _NEW)
        )
        return "".join(lines)


def freesurfer_tables_with_tdp(ari: Any, tables: Iterable[str | PathLike[str]]) -> dict[str, bytes]:
    r"""Return copies of FreeSurfer's tables of clusters with columns for true discoveries and TDP.

    Parameters
    ----------
    ari : ClusterTDPTransformer
        A transformer fitted with the clusters of :func:`read_freesurfer` as ``labels_img``.

    tables : iterable of path
        Tables ``*.sig.cluster.summary`` of these clusters: of the hemisphere, of both, or of the
        volume.

    Returns
    -------
    copies : dict of str to bytes
        Content of the copies by name: ``lh.cache.th30.abs.sig.cluster_tdp.summary``. The columns
        ``TrueDisc`` and ``TDP`` come last.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a table does not exist.
    TypeError
        If ``ari`` has another type.
    ValueError
        If a file is not a table of clusters, or describes other clusters.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nilearn.datasets import load_fsaverage
    >>> from nilearn.surface import SurfaceImage
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.interfaces import freesurfer_tables_with_tdp
    >>> mesh = {"left": load_fsaverage("fsaverage5")["white_matter"].parts["left"]}
    >>> sig = np.random.default_rng(0).standard_exponential(10242) / np.log(10)
    >>> sig[:20] = 8
    >>> clusters = (np.arange(10242) < 20).astype(np.int32)
    >>> ari = ClusterTDPTransformer(
    ...     labels_img=SurfaceImage(mesh, {"left": clusters}), stat_type="neg_log10_p"
    ... ).fit(SurfaceImage(mesh, {"left": sig}))
    >>> lines = ["# hemi lh", "# ClusterNo  Max  VtxMax  Size(mm^2)  NVtxs  Annot"]
    >>> with TemporaryDirectory() as name:
    ...     table = Path(name) / "cache.th30.abs.sig.cluster.summary"
    ...     text = table.write_text("\n".join([*lines, "   1   8.0000   0   65.32   20   insula"]))
    ...     copies = freesurfer_tables_with_tdp(ari, [table])
    >>> list(copies)
    ['lh.cache.th30.abs.sig.cluster_tdp.summary']
    >>> copies["lh.cache.th30.abs.sig.cluster_tdp.summary"].decode().split()[-3:]
    ['insula', '20', '1.0000']
    """
    if not isinstance(ari, ClusterTDPTransformer):
        raise TypeError(f"ari must be a ClusterTDPTransformer. Got {type(ari).__name__}.")
    elements = next(name for name in ("n_vertices", "n_voxels") if name in ari.table_)
    found = ari.table_[ari.table_["cluster_id"] != 0].set_index("cluster_id")
    copies = {}
    for path in tables:
        table = ClusterSummary.read(path)
        clusters = _of_hemisphere(found, ari.labels_img, table)
        _check_clusters(table, clusters[elements])
        is_told = not table.hemi or table.path.name.startswith(f"{table.hemi}.")
        start = "" if is_told else f"{table.hemi}."
        name = f"{start}{table.path.stem}_tdp{table.path.suffix}"
        copies[name] = table.with_tdp(clusters, _sentence(ari)).encode("utf-8", "surrogateescape")
    return copies


def _is_header(line: str) -> bool:
    words = line.lstrip("# ").split()
    return line.startswith("#") and words[:1] != [] and words[0] in _NUMBERS and len(words) > 5


def _said(lines: list[str], key: str) -> str:
    """Return what comes after a key in the comments of a table; "" if it is not there."""
    for line in lines:
        text = line.lstrip("# ").strip()
        if line.startswith("#") and text.startswith((f"{key} ", f"{key}:")):
            return text[len(key) :].lstrip(": ").strip()
    return ""


def _with_end(line: str, new: str) -> str:
    text = line.rstrip("\r\n")
    return text + new + line[len(text) :]


def _of_hemisphere(clusters: pd.DataFrame, labels_img: Any, table: ClusterSummary) -> pd.DataFrame:
    """Return the clusters of the hemisphere of a table, by the numbers in the table."""
    if not isinstance(labels_img, SurfaceImage):
        return clusters
    parts = labels_img.data.parts
    side = {"lh": "left", "rh": "right"}.get(table.hemi)
    if side not in parts:
        raise ValueError(
            f"{str(table.path)!r} must be of a hemisphere of the map, {' or '.join(parts)}. Got "
            f"{table.hemi or 'none'!r}."
        )
    labels = np.unique(parts[side])
    first = int(parts["left"].max()) if side == "right" and len(parts) > 1 else 0
    of_side = clusters[clusters.index.isin(labels)]
    return of_side.set_index(of_side.index - first)


def _check_clusters(table: ClusterSummary, n_elements: pd.Series) -> None:
    """Check that a table lists the clusters of the map, with their sizes."""
    if set(table.counts) != set(n_elements.index):
        raise ValueError(
            f"{str(table.path)!r} and the map of clusters must list the same clusters. Got "
            f"{sorted(set(table.counts) - set(n_elements.index)) or 'none'} in the table only, "
            f"{sorted(set(n_elements.index) - set(table.counts)) or 'none'} in the map only."
        )
    for number, count in table.counts.items():
        if count != n_elements[number]:
            raise ValueError(
                f"{str(table.path)!r} says that cluster {number} has {count} elements. Got "
                f"{n_elements[number]} tested ones: table and map belong to different analyses, "
                "or clusters reach beyond the mask."
            )


def _sentence(ari: Any) -> str:
    return (
        "TrueDisc: minimum number of active elements of the cluster; TDP: their proportion. With "
        f"{confidence(ari.alpha, percent=True)} confidence this holds for all clusters at once "
        f"(All-Resolutions Inference, {ari.local_test.capitalize()} local test)."
    )
