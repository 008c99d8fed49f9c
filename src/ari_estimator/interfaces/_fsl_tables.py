"""Add columns of true discoveries to cluster tables of FSL, as text and HTML.

Tables are edited only where the new columns go. All other bytes stay the same. FSL's HTML leaves
out the end tags of cells, so cells are found by their start tags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import unescape
from os import PathLike
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ari_estimator.closed_testing._rounding import confidence, proportion_text
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators import ClusterTDPTransformer
from ari_estimator.inference._local_tests import local_test_in_words
from ari_estimator.interfaces._reading import read_text

# New columns come after the size and, if the table has it, the p-value of a cluster.
_LEADING: Final = ("Cluster Index", "Voxels", "P", "-log10(P)")

# Longest expected text or tag.
_TAG = re.compile(r"<(?P<is_end>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,20})\b[^<>]{0,1000}>")

_NEW: Final = ("True Discoveries", "TDP")


def fsl_tables_with_tdp(ari: Any, tables: Iterable[str | PathLike[str]]) -> dict[str, bytes]:
    r"""Return copies of FSL's cluster tables with columns for true discoveries and TDP.

    Parameters
    ----------
    ari : ClusterTDPTransformer
        A transformer fitted with FSL's clusters as ``labels_img``.

    tables : iterable of path
        Tables such as ``cluster_zstat1.txt`` and ``cluster_zstat1_std.html``, as tab-separated text
        or HTML.

    Returns
    -------
    copies : dict of str to bytes
        Content of the copies by name: ``cluster_zstat1_tdp.txt`` for ``cluster_zstat1.txt``.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a table does not exist.
    TypeError
        If ``ari`` has another type.
    ValueError
        If a file is not a cluster table, or describes other clusters.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from nilearn.image import load_img, new_img_like
    >>> from scipy.ndimage import label
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.interfaces import fsl_tables_with_tdp
    >>> z_img = load_img(load_sample_motor_activation_image())
    >>> clusters, n_clusters = label(z_img.get_fdata() > 6)
    >>> ari = ClusterTDPTransformer(labels_img=new_img_like(z_img, clusters.astype(np.int32)))
    >>> tdp_img = ari.fit_transform(z_img)
    >>> sizes = np.bincount(clusters.ravel())
    >>> lines = [f"{k}\t{sizes[k]}" for k in range(n_clusters, 0, -1)]
    >>> with TemporaryDirectory() as name:
    ...     table = Path(name) / "cluster_zstat1.txt"
    ...     text = table.write_text("\n".join(["Cluster Index\tVoxels", *lines]))
    ...     copies = fsl_tables_with_tdp(ari, [table])
    >>> copies["cluster_zstat1_tdp.txt"].decode().splitlines()[0].split("\t")
    ['Cluster Index', 'Voxels', 'True Discoveries', 'TDP']
    """
    if not isinstance(ari, ClusterTDPTransformer):
        raise TypeError(f"ari must be a ClusterTDPTransformer. Got {type(ari).__name__}.")
    clusters = ari.table_[ari.table_["cluster_id"] != 0].set_index("cluster_id")
    copies = {}
    for table in tables:
        path = Path(table)
        text = read_text(path, "The cluster table")
        if path.suffix.lower() in (".html", ".htm"):
            copy = _html_with_tdp(text, clusters, path, _sentence(ari))
        else:
            copy = _text_with_tdp(text, clusters, path)
        copies[f"{path.stem}_tdp{path.suffix}"] = copy.encode("utf-8", "surrogateescape")
    return copies


def _text_with_tdp(text: str, clusters: pd.DataFrame, path: Path) -> str:
    """Return a table of tab-separated text with the new columns."""
    lines = text.splitlines(keepends=True)
    rows = [line.rstrip("\r\n").split("\t") for line in lines]
    n_leading = _n_leading(rows[0] if rows else [], path)
    is_cluster = [k > 0 and bool(line.strip()) for k, line in enumerate(lines)]
    found = [row for row, is_one in zip(rows, is_cluster, strict=True) if is_one]
    _check_clusters(found, clusters, path, n_leading)
    for k, (row, line) in enumerate(zip(rows, lines, strict=True)):
        if k and not is_cluster[k]:
            continue
        new = list(_cells(clusters.loc[int(row[0])], str)) if k else list(_NEW)
        end = line[len(line.rstrip("\r\n")) :]
        lines[k] = "\t".join([*row[:n_leading], *new, *row[n_leading:]]) + end
    return "".join(lines)


def _html_with_tdp(text: str, clusters: pd.DataFrame, path: Path, sentence: str) -> str:
    """Return an HTML page with the new columns in its cluster tables and an explanation above."""
    reader = _TableReader(text)
    # Tables of local maxima begin with the cluster index too.
    tables = [
        table
        for table in reader.tables
        if table.rows and [cell.text for cell in table.rows[0].cells[:2]] == list(_LEADING[:2])
    ]
    if not tables:
        raise ValueError(
            f"{str(path)!r} must have a table of clusters, whose columns begin with 'Cluster "
            "Index' and 'Voxels'. Got none."
        )
    insertions: list[tuple[int, str]] = []
    for table in tables:
        header, *rows = table.rows
        n_leading = _n_leading([cell.text for cell in header.cells], path)
        cells = [[cell.text for cell in row.cells] for row in rows]
        _check_clusters(cells, clusters, path, n_leading)
        insertions.append((table.start, f"<p>{sentence}</p>\n"))
        insertions.append(header.insertion(n_leading, _NEW))
        for row in rows:
            of_cluster = clusters.loc[int(row.cells[0].text)]
            insertions.append(row.insertion(n_leading, _cells(of_cluster, _four_decimals)))
    pieces, end = [], 0
    for position, new in sorted(insertions):
        pieces += [text[end:position], new]
        end = position
    return "".join([*pieces, text[end:]])


def _n_leading(header: list[str], path: Path) -> int:
    """Return the number of columns before the new columns."""
    header = [name.strip() for name in header]
    if header[:2] != list(_LEADING[:2]):
        raise ValueError(
            f"{str(path)!r} must be a cluster table of FSL, whose columns begin with 'Cluster "
            f"Index' and 'Voxels'. Got {', '.join(header[:2])[:80] or 'nothing'!r}."
        )
    if set(_NEW) & set(header):
        raise ValueError(f"{str(path)!r} already has a column {_NEW[1]!r}: pass FSL's own table.")
    return 4 if tuple(header[2:4]) == _LEADING[2:] else 2


def _check_clusters(
    rows: list[list[str]], clusters: pd.DataFrame, path: Path, n_leading: int
) -> None:
    """Check that a table lists each cluster of the index image once."""
    short = [row for row in rows if len(row) < n_leading]
    if short:
        raise ValueError(
            f"{str(path)!r} must have a cell in each row for each of its first {n_leading} "
            f"columns. Got {short[0][:n_leading]}."
        )
    try:
        sizes = {int(row[0]): int(row[1]) for row in rows}
    except (ValueError, IndexError):
        raise ValueError(
            f"{str(path)!r} must have at least two columns in each row: the index and the size of "
            "each cluster, as integers."
        ) from None
    if len(sizes) < len(rows):
        raise ValueError(f"{str(path)!r} must list each cluster once. Got one of them twice.")
    if set(sizes) != set(clusters.index):
        raise ValueError(
            f"{str(path)!r} and the cluster index image must list the same clusters. "
            f"Got clusters {_few(set(sizes) - set(clusters.index))} in the table only, "
            f"{_few(set(clusters.index) - set(sizes))} in the image only."
        )
    for index, size in sizes.items():
        tested = clusters.loc[index, "n_voxels"]
        if size != tested:
            raise ValueError(
                f"{str(path)!r} says that cluster {index} has {size} voxels. Got {tested} tested "
                "voxels: table and cluster index image belong to different analyses, or "
                "clusters reach beyond the mask."
            )


def _few(indices: set[int]) -> str:
    shown = sorted(indices)[:10]
    return ", ".join(map(str, shown)) + (", ..." if len(indices) > 10 else "") or "none"


def _cells(cluster: pd.Series, as_text: Callable[[float], str]) -> tuple[str, str]:
    """Return the new cells of a cluster."""
    return str(int(cluster["true_discoveries"])), as_text(float(cluster["tdp"]))


def _four_decimals(tdp: float) -> str:
    return proportion_text(tdp, 4)


def _sentence(ari: Any) -> str:
    """Return an explanation of the new columns for readers of the page."""
    sides = "two-sided" if ari.two_sided is True else "one-sided"
    if ari.two_sided == DIRECTIONAL:
        sides = "one-sided for each sign, at half of the error level each,"
    return (
        "True Discoveries: minimum number of active voxels in the cluster; TDP: their "
        f"proportion. With {confidence(ari.alpha, percent=True)} confidence this holds for all "
        f"clusters at once (All-Resolutions Inference, {local_test_in_words(ari.local_test)}, "
        f"{sides} p-values)."
    )


@dataclass
class _Cell:
    start: int
    tag: str
    is_closed: bool = False
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Content of the cell without tags."""
        return unescape("".join(self.parts)).strip()


@dataclass
class _Row:
    cells: list[_Cell] = field(default_factory=list)
    end: int = 0

    def insertion(self, n_leading: int, new: Iterable[str]) -> tuple[int, str]:
        """Return the positions and the text of new cells, in the style of the cells before them."""
        last = self.cells[n_leading - 1]
        position = self.cells[n_leading].start if len(self.cells) > n_leading else self.end
        end = f"</{last.tag}>" if last.is_closed else ""
        return position, "".join(f"<{last.tag}>{text}{end}" for text in new)


@dataclass
class _Table:
    start: int
    rows: list[_Row] = field(default_factory=list)


class _TableReader:
    """Positions of tables, rows and cells in the text of a page.

    A row ends at its end tag, at the next row or at the end of the table. Only tags are searched
    for, because Python's parser can take hours for a small malicious page.
    """

    def __init__(self, text: str) -> None:
        self.tables: list[_Table] = []
        self._row: _Row | None = None
        self._cell: _Cell | None = None
        end = 0
        text = _without_comments(text)
        for match in _TAG.finditer(text):
            self._add_text(text[end : match.start()])
            end = match.end()
            name = match["name"].lower()
            if match["is_end"]:
                self._end(name, match.start())
            else:
                self._start(name, match.start())
        self._add_text(text[end:])
        self._end_row(len(text))

    def _end_row(self, position: int) -> None:
        if self._row is not None:
            self._row.end = position
        self._row = self._cell = None

    def _start(self, tag: str, position: int) -> None:
        if tag == "table":
            self._end_row(position)
            self.tables.append(_Table(position))
        elif tag == "tr" and self.tables:
            self._end_row(position)
            self._row = _Row()
            self.tables[-1].rows.append(self._row)
        elif tag in ("th", "td") and self._row is not None:
            self._cell = _Cell(position, tag)
            self._row.cells.append(self._cell)

    def _end(self, tag: str, position: int) -> None:
        if tag in ("tr", "table", "tbody", "thead"):
            self._end_row(position)
        elif tag in ("th", "td") and self._cell is not None:
            self._cell.is_closed = True
            self._cell = None

    def _add_text(self, text: str) -> None:
        if self._cell is not None:
            self._cell.parts.append(text)


def _without_comments(text: str) -> str:
    """Replace the comments of a page by blanks, so that positions do not change."""
    pieces = []
    position = 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start + 4)
        end = len(text) if end < 0 else end + 3
        pieces += [text[position:start], " " * (end - start)]
        position = end
    return "".join([*pieces, text[position:]])
