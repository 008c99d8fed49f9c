"""``ari info``: describe maps; without a map, report versions and the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._outcome import Outcome

if TYPE_CHECKING:
    from ari_estimator.interfaces import MapDescription

# Names that people read.
_MOST_NAMES = 20


def info(
    talk: TalkOptions,
    files: Annotated[
        list[Path] | None,
        Argument(
            metavar="FILE",
            help="Maps to describe: volumes, surface files or CIFTI files.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Describe maps: their kind, grid, values and declared statistic. Nothing is tested.

    Without a file, the command prints the versions of packages and details of the machine.
    """
    return _of_maps(files) if files else _of_machine()


def _of_maps(files: Sequence[Path]) -> Outcome:
    """Describe maps."""
    from ari_estimator.interfaces import describe_map

    maps = [describe_map(file) for file in files]
    cards = {str(file): dict(_lines(one)) for file, one in zip(files, maps, strict=True)}
    return Outcome("", facts={"maps": [asdict(one) for one in maps]}, cards=cards)


def _lines(one: MapDescription) -> Iterator[tuple[str, str]]:
    """Yield the lines about a map: a heading, and a sentence."""
    yield "kind", f"{one.kind}, {one.n_maps:,} map{'s' * (one.n_maps != 1)}"
    if one.n_maps > 1 and one.map_names:
        yield "maps", _named(one.map_names)
    yield "size", ", ".join(_counted(one.kind, *item) for item in one.n_elements.items())
    if one.shape is not None and one.voxel_size is not None:
        shape = " x ".join(map(str, one.shape))
        edges = " x ".join(f"{edge:.4g}" for edge in one.voxel_size)
        axes = "" if one.orientation is None else f", axes {one.orientation}"
        yield "grid", f"{shape}, voxels of {edges} mm{axes}"
    yield "holds", "nothing declares it" if one.statistic is None else _said(one)
    for other in one.contradictions:
        yield "but", _said(other, other.holds)
    if one.refusal is None:
        yield "taken for", f"{one.stat_type}; said by {one.stat_type_said_by}"
    else:
        yield "refused", one.refusal
    yield "values", _values(one)


def _named(names: Sequence[str]) -> str:
    """Return maps with their numbers, as --map takes them; the first of many."""
    shown = ", ".join(f"{number} {name!r}" for number, name in enumerate(names[:_MOST_NAMES]))
    n_more = len(names) - _MOST_NAMES
    return f"{shown} and {n_more:,} more; --json has all" if n_more > 0 else shown


def _counted(kind: str, name: str, n: int) -> str:
    unit = {"surface": "vertices", "CIFTI image": "grayordinates"}.get(kind, name)
    return f"{n:,} {name}" if name in (unit, "columns") else f"{n:,} {unit} ({name})"


def _said(declared: Any, holds: str | None = None) -> str:
    """Return what is declared, and by what; of a description, or of one of its declarations."""
    df = ", ".join(f"{value:g}" for value in declared.df)
    what = holds or declared.statistic
    return f"{what}{f' with df {df}' if df else ''}; said by {declared.said_by}"


def _values(one: MapDescription) -> str:
    if one.minimum is None or one.maximum is None:
        told = "none that is finite"
    else:
        told = f"from {one.minimum:.6g} to {one.maximum:.6g}"
    counts = {
        "0": one.n_zero,
        "NaN": one.n_nan,
        "inf": one.n_positive_infinite,
        "-inf": one.n_negative_infinite,
    }
    return ", ".join([told, *(f"{n:,} times {name}" for name, n in counts.items() if n)])


def _of_machine() -> Outcome:
    """Tell versions of packages, and what computations run on."""
    from threadpoolctl import threadpool_info

    from ari_estimator._software import package_versions

    import_module("scipy.linalg")  # what is loaded tells which libraries there are
    config = import_module("numba").config
    versions = dict(package_versions())
    libraries = [
        f"{library['internal_api']} {library.get('version') or ''}".strip()
        for library in threadpool_info()
    ]
    facts = {
        "versions": versions,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "numba_threads": config.NUMBA_NUM_THREADS,
        "numba_jit": not config.DISABLE_JIT,
        "libraries": libraries,
    }
    width = max(map(len, versions)) + 1
    lines = [f"{name:{width}} {number}" for name, number in versions.items()]
    lines += [
        f"{'platform':{width}} {facts['platform']}, {facts['processors']} processors",
        f"{'compiler':{width}} numba, {'on' if facts['numba_jit'] else 'off'}, "
        f"{facts['numba_threads']} threads",
        f"{'libraries':{width}} {', '.join(libraries)}",
    ]
    return Outcome("\n".join(lines), facts=facts)
