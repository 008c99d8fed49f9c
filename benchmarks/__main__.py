"""Run the benchmarks: ``python benchmarks [NAME ...] [--page docs/benchmarks.md]``."""

from __future__ import annotations

import argparse
import importlib

from _machine import machine
from _measure import page_rows, rows
from _page import add_page_argument, publish, table

NAMES = (
    "import_time",
    "command_line",
    "hommel",
    "cluster_tdp",
    "several_maps",
    "tdp_forest",
    "regions",
    "surface_tdp",
    "second_level",
    "grayordinates",
    "grayordinate_groups",
    "permutation",
    "extent_calibration",
    "designs",
    "arrays",
    "contrasts",
    "calibration_memory",
    "memory",
    "beside_r",
    "beside_palm",
    "scaling",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(NAMES)}")
    add_page_argument(parser)
    given = parser.parse_args()
    unknown = set(given.names) - set(NAMES)
    if unknown:
        parser.error(f"NAME must be one of {', '.join(NAMES)}. Got {', '.join(unknown)}.")
    for name in given.names or NAMES:
        print(f"== {name}")
        rows.clear()
        figure = importlib.import_module(name).main()
        if not rows:
            continue  # what it compares with is not installed
        if figure is not None and given.page is not None:
            figure.savefig(given.page.parent / "images" / f"{name}.png", dpi=110)
        shown = table(("task", "compared with", "ratio", "limit"), page_rows())
        publish(name, f"{shown}\n\n{machine()}", given.page)


if __name__ == "__main__":
    main()
