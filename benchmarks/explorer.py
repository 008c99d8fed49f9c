"""What the page to explore a map with takes: ``python benchmarks/explorer.py``.

It needs playwright, and Chromium: the one that CHROMIUM names, or playwright's own. Graphics are
software, without a graphics card. A move of the slider ends when its picture is drawn. Times of the
clock grow on a busy machine; times of processors hardly do.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import _surface_maps
import numpy as np
from _machine import machine
from _page import add_page_argument, publish, table
from nibabel import Cifti2Image, Nifti1Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis, ScalarAxis
from nilearn.datasets import (
    load_fsaverage,
    load_mni152_brain_mask,
    load_sample_motor_activation_image,
)
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from playwright.sync_api import Browser, sync_playwright
from scipy.ndimage import gaussian_filter

from ari_estimator import explore
from ari_estimator.explorer._page import niivue_source

# Moves of the slider: milliseconds of each until it is drawn.
MOVES = """async (nMoves) => {
  const { page } = ari;
  const slider = document.getElementById("tdp-slider");
  const gl = (page.viewer.cortex ?? page.viewer).nv?.gl;
  const inAFrame = () => new Promise((done) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(0);
    });
  });
  const drawn = async () => {
    if (!gl) return;
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const isDone = () => gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED;
    while (!isDone()) await new Promise((done) => setTimeout(done, 1));
  };
  const moved = [];
  for (let k = 0; k < nMoves; k++) {
    slider.value = ((k * 37) % 101) / 100;
    const start = performance.now();
    slider.dispatchEvent(new Event("input"));
    await inAFrame();
    await drawn();
    moved.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, 10));
  }
  return moved;
}"""
N_MOVES = 101

# Voxels below the cortex in files of the HCP.
N_BELOW = 31_870


def brain_map(resolution: int) -> dict[str, Any]:
    """Return a z map of so many mm with hundreds of clusters of both signs, and its mask."""
    mask_img = load_mni152_brain_mask(resolution=resolution)
    mask = mask_img.get_fdata() > 0
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal(mask.shape), 3 / resolution)
    places = rng.random(mask.shape) < 1e-4 * resolution**3
    signal = gaussian_filter(places * rng.choice([-1.0, 1.0], mask.shape), 5 / resolution)
    z = (noise / noise[mask].std() + 3 * signal / signal[mask].std()) * mask
    return {"stat_img": Nifti1Image(z.astype(np.float32), mask_img.affine), "mask_img": mask_img}


def large_meshes(seed: int, n_subdivisions: int = 7) -> PolyMesh:
    """Return two rough spheres, by default with as many vertices as fsaverage."""
    rng = np.random.default_rng(seed)
    sphere = _surface_maps.icosphere(n_subdivisions)
    faces = sphere.faces.copy()
    # Seen counterclockwise from outside, so that no side is left out as one that faces away.
    is_turned = np.linalg.det(sphere.coordinates[faces]) < 0
    faces[is_turned] = faces[is_turned, ::-1]
    parts = {}
    for name, x in (("left", -110), ("right", 110)):
        rough = sphere.coordinates * rng.uniform(0.98, 1.02, (sphere.n_vertices, 1))
        parts[name] = InMemoryMesh((rough + np.array([x, 0, 0])).astype(np.float32), faces)
    return PolyMesh(**parts)


def large_surface_map() -> SurfaceImage:
    """Return a map on them with many clusters."""
    z_img = _surface_maps.z_map(large_meshes(0), 20)
    # On one hemisphere the signal is negative.
    data = {name: 3 * z for name, z in z_img.data.parts.items()}
    data["right"] = -data["right"]
    return SurfaceImage(z_img.mesh, data)


def grayordinate_map() -> dict[str, Any]:
    """Return a CIFTI map of about the size of an HCP file, and its meshes."""
    meshes = large_meshes(0, n_subdivisions=6)
    surface = _surface_maps.z_map(meshes, 10)
    brain = brain_map(2)
    z = brain["stat_img"].get_fdata()
    voxels = np.argwhere(brain["mask_img"].get_fdata() > 0)
    from_centre = np.linalg.norm(voxels - voxels.mean(axis=0), axis=1)
    below = np.zeros(z.shape, dtype=bool)
    below[tuple(voxels[np.argsort(from_centre)[:N_BELOW]].T)] = True
    axes = [
        BrainModelAxis.from_surface(np.arange(part.size), part.size, f"CORTEX_{name.upper()}")
        for name, part in surface.data.parts.items()
    ]
    axes.append(BrainModelAxis.from_mask(below, affine=brain["stat_img"].affine, name="BRAIN_STEM"))
    # Voxels of a structure in the order of its axis.
    values = [*surface.data.parts.values(), z[tuple(axes[-1].voxel.T)]]
    data = np.concatenate(values)[np.newaxis].astype(np.float32)
    img = Cifti2Image(data, (ScalarAxis(["z"]), sum(axes[1:], axes[0])))
    return {"stat_img": img, "mesh": meshes, "surf_mesh": large_meshes(1, n_subdivisions=6)}


def processors(browser: Browser) -> dict[str, float]:
    """Return the seconds that each kind of process of a browser has worked so far."""
    session = browser.new_browser_cdp_session()
    seconds: dict[str, float] = {}
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        seconds[process["type"]] = seconds.get(process["type"], 0) + process["cpuTime"]
    session.detach()
    return seconds


def measured(browser: Browser, how: dict[str, Any], limit: int | None) -> list[str]:
    """Return the size of a file, the time to write it, and the times of the page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        explore(**how, two_sided=True, output_file=path)  # compiles
        start = time.perf_counter()
        explore(**how, two_sided=True, output_file=path)
        seconds = time.perf_counter() - start
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def of_main_thread() -> dict[str, float]:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return {metric["name"]: metric["value"] for metric in metrics}

        page.goto(path.as_uri())
        page.evaluate("ari.started")
        page.wait_for_timeout(2000)
        page.evaluate(MOVES, 10)  # compiles
        before = processors(browser), of_main_thread()
        moved = page.evaluate(MOVES, N_MOVES)
        after = processors(browser), of_main_thread()
        memory = page.evaluate("performance.memory.usedJSHeapSize")
        page.close()
        size = path.stat().st_size / 1e6
    of_graphics = 1000 * (after[0]["GPU"] - before[0]["GPU"]) / N_MOVES
    of_scripts, of_page = (
        1000 * (after[1][name] - before[1][name]) / N_MOVES
        for name in ("ScriptDuration", "TaskDuration")
    )
    return [
        f"{size:.1f} MB",
        f"{seconds:.1f} s",
        f"{memory / 1e6:.0f} MB",
        f"{of_scripts:.0f} ms",
        f"{of_page:.0f} ms",
        f"{of_graphics:.0f} ms",
        f"{np.median(moved):.0f} ms, {np.quantile(moved, 0.95):.0f} ms",
        "" if limit is None else f"{limit} ms",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_page_argument(parser)
    given = parser.parse_args()
    cases: dict[str, tuple[dict[str, Any], int | None]] = {}
    for resolution, limit in ((2, 50), (1, 200)):
        how = brain_map(resolution)
        n_voxels = int(how["mask_img"].get_fdata().sum())
        cases[f"volume, {n_voxels:,} voxels of {resolution} mm"] = (how, limit)
    small = load_fsaverage("fsaverage5")
    small_img = SurfaceImage.from_volume(small["pial"], load_sample_motor_activation_image())
    for name, img, other, limit in (
        ("fsaverage5", small_img, small["inflated"], 50),
        ("size of fsaverage", large_surface_map(), large_meshes(1), 300),
    ):
        n_vertices = sum(part.n_vertices for part in img.mesh.parts.values())
        label = f"surface, {n_vertices:,} vertices ({name}), two meshes"
        cases[label] = ({"stat_img": img, "surf_mesh": other}, limit)
    grayordinates = grayordinate_map()
    n = grayordinates["stat_img"].shape[1]
    cases[f"CIFTI, {n:,} grayordinates, two meshes"] = (grayordinates, None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"),
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        rows = [[label, *measured(browser, *case)] for label, case in cases.items()]
        browser.close()
    header = [
        "map", "file", "written in", "memory of scripts", "scripts", "page", "graphics",
        "until drawn: median, 95 %", "limit",
    ]  # fmt: skip
    niivue = len(niivue_source().encode()) / 1e6
    text = (
        f"{table(header, rows)}\n\n"
        "Scripts, page (which includes scripts) and graphics are processor times of one move of "
        "the slider. The last times are clock times, at a system load of "
        f"{os.getloadavg()[0]:.0f}. niivue, which draws the brain, takes {niivue:.1f} MB of each "
        f"file. {machine()}"
    )
    publish("explorer", text, given.page)


if __name__ == "__main__":
    main()
