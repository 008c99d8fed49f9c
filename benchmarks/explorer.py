"""What the page to explore a map with takes: ``python benchmarks/explorer.py``.

It needs playwright, and Chromium: the one that CHROMIUM names, or playwright's own. Times are of
the slowest of 21 TDPs from 0 to 1, each the median of several rounds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import _maps
import _surface_maps
import numpy as np
from _machine import machine
from _page import add_page_argument, publish, table
from nilearn.datasets import load_fsaverage, load_sample_motor_activation_image
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from playwright.sync_api import Browser, sync_playwright

from ari_estimator import explore
from ari_estimator.explorer._page import niivue_source

TIMES = """() => {
  const { map, overlays } = ari.page;
  // The clock of a page is coarse: each round is of several calls.
  const nCalls = 20;
  const median = (action) => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      for (let i = 0; i < nCalls; i++) action();
      return (performance.now() - start) / nCalls;
    });
    return times.sort((a, b) => a - b)[2];
  };
  const slowest = (action) => {
    const tdps = Array.from({ length: 21 }, (_, k) => k / 20);
    return Math.max(...tdps.map((tdp) => median(() => action(tdp))));
  };
  const query = (tdp) => map.forest.query(tdp);
  const all = (tdp) => overlays.shades("tdp", ari.clusterRows(map, query(tdp)));
  return [slowest(query), slowest(all)];
}"""


def large_meshes(seed: int) -> PolyMesh:
    """Return two spheres with as many vertices as fsaverage, rough, so that files are as large."""
    rng = np.random.default_rng(seed)
    sphere = _surface_maps.icosphere(7)
    parts = {}
    for name, x in (("left", -110), ("right", 110)):
        rough = sphere.coordinates * rng.uniform(0.98, 1.02, (sphere.n_vertices, 1))
        parts[name] = InMemoryMesh((rough + np.array([x, 0, 0])).astype(np.float32), sphere.faces)
    return PolyMesh(**parts)


def measured(browser: Browser, how: dict[str, Any]) -> list[str]:
    """Return the size of a file, the time to write it, and the times of the page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        explore(**how, two_sided=True, output_file=path)  # compiles
        start = time.perf_counter()
        explore(**how, two_sided=True, output_file=path)
        seconds = time.perf_counter() - start
        page = browser.new_page()
        page.goto(path.as_uri())
        page.evaluate("ari.started")
        query, everything = page.evaluate(TIMES)
        page.close()
        size = path.stat().st_size / 1e6
    return [
        f"{size:.1f} MB",
        f"{seconds:.1f} s",
        *(f"{max(milliseconds, 0.01):.2g} ms" for milliseconds in (query, everything)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_page_argument(parser)
    given = parser.parse_args()
    mask_img, z_img = _maps.brain_mask(), _maps.z_map(2.0)
    n_voxels = int(mask_img.get_fdata().sum())
    cases = {f"volume, {n_voxels:,} voxels of 2 mm": {"stat_img": z_img, "mask_img": mask_img}}
    small = load_fsaverage("fsaverage5")
    small_img = SurfaceImage.from_volume(small["pial"], load_sample_motor_activation_image())
    large_img = _surface_maps.z_map(large_meshes(0), 2)
    for name, img, other in (
        ("fsaverage5", small_img, small["inflated"]),
        ("size of fsaverage", large_img, large_meshes(1)),
    ):
        n_vertices = sum(part.n_vertices for part in img.mesh.parts.values())
        for n_meshes, surf_mesh in (("one mesh", None), ("two meshes", other)):
            label = f"surface, {n_vertices:,} vertices ({name}), {n_meshes}"
            cases[label] = {"stat_img": img, "surf_mesh": surf_mesh}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"),
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        rows = [[label, *measured(browser, how)] for label, how in cases.items()]
        browser.close()
    header = ["map", "file", "written in", "query", "with labels, table, rest and colours"]
    niivue = len(niivue_source().encode()) / 1e6
    text = (
        f"{table(header, rows)}\n\n"
        f"niivue, which draws the brain, takes {niivue:.1f} MB of each file. {machine()}"
    )
    publish("explorer", text, given.page)


if __name__ == "__main__":
    main()
