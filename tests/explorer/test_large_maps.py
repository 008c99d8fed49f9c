"""What keeps large maps fast: no look at each element while a slider moves, work in turns."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter

from ari_estimator import AdaptiveTDPTransformer, explore

# What a page said of a partition before it was quick: it looked at each element.
_SLOWLY = """tdp => {
  const { map } = ari.page;
  const clusters = tdp === null ? [] : map.forest.query(tdp);
  const { rest, labels, rows } = ari.clusterRows(map, { clusters, tdp, asked: clusters });
  const expected = new Int32Array(map.forest.n);
  clusters.forEach((cluster, k) => {
    for (const element of map.forest.members(cluster)) expected[element] = k + 1;
  });
  const outside = [...expected.keys()].filter((element) => !expected[element]);
  const partition = new ari.Partition(map.forest, clusters);
  return {
    areLabelsRight: expected.every((label, element) => label === labels[element]),
    areLooksRight: expected.every((label, element) => label === partition.labelOf(element)),
    outOfMap: partition.labelOf(-1),
    n: [rest.n_voxels, outside.length],
    bounds: [rest.true_discoveries, map.forest.setBound(outside)],
    peaks: [rest.peak ?? null, outside.length ? map.peakOf(outside) : null],
    sizes: [rest.size_mm3, outside.length * map.geometry.voxelVolume],
    ofClusters: rows.every((row, k) => row.peak === map.peakOf(map.forest.members(clusters[k]))),
  };
}"""


@pytest.mark.parametrize("tdp", [None, 0, 0.05, 0.3, 0.5, 0.7, 0.9, 1])
def test_clusters_and_rest_are_those_of_a_look_at_each_element(used_page, tdp):
    found = used_page.evaluate(_SLOWLY, tdp)
    for name in ("areLabelsRight", "areLooksRight", "ofClusters"):
        assert found[name], name
    assert found["outOfMap"] == 0
    for name in ("n", "bounds", "peaks", "sizes"):
        quickly, slowly = found[name]
        assert quickly == slowly, name


def test_move_of_the_slider_looks_at_no_label_of_each_element(used_page):
    n_labelled = used_page.evaluate(
        """() => {
            const { prototype } = ari.Partition;
            const before = Object.getOwnPropertyDescriptor(prototype, "labels");
            let n = 0;
            const get = function () {
              n++;
              return before.get.call(this);
            };
            Object.defineProperty(prototype, "labels", { ...before, get });
            ari.page.setTdp(0.35);
            ari.page.show({ isMoving: true });
            ari.page.show();
            Object.defineProperty(prototype, "labels", before);
            return n;
        }"""
    )
    assert n_labelled == 0


def test_best_of_any_range_is_found(used_page):
    wrong = used_page.evaluate(
        """() => {
            const wrong = [];
            for (const n of [1, 2, 63, 64, 65, 128, 200, 777]) {
              const values = Int32Array.from({ length: n }, (_, i) => (i * 7919) % 1009);
              const ranges = new ari.Ranges(values, (a, b) => (b > a ? b : a));
              for (let start = 0; start < n; start += n > 70 ? 13 : 1) {
                for (let stop = start + 1; stop <= n; stop += n > 70 ? 7 : 1) {
                  const best = Math.max(...values.subarray(start, stop));
                  if (ranges.best(start, stop) !== best) wrong.push([n, start, stop]);
                }
              }
            }
            return wrong;
        }"""
    )
    assert wrong == []


def test_windows_start_at_quantiles_of_the_map(used_page, fitted):
    strengths = np.sort(np.abs(fitted.maps_.family.stat))
    low, high = (
        float(f"{strengths[int(np.floor(part * (strengths.size - 1)))]:.2g}")
        for part in (0.75, 0.999)
    )
    assert used_page.evaluate("ari.page.overlays.defaults.statistic") == [low, high]


def test_work_in_turns_lets_others_take_theirs(used_page):
    n_between, n_steps = used_page.evaluate(
        """async () => {
            let [between, steps, isDone] = [0, 0, false];
            const other = () => {
              between++;
              if (!isDone) setTimeout(other);
            };
            setTimeout(other);
            const wait = (ms) => {
              const end = performance.now() + ms;
              while (performance.now() < end);
            };
            await ari.inTurns(20, () => { steps++; wait(10); }, 1);
            isDone = true;
            return [between, steps];
        }"""
    )
    assert n_steps == 20
    assert n_between >= 3


def test_rest_of_a_long_table_follows_and_marks_its_row(used_page):
    n_first, n_rows, selected = used_page.evaluate(
        """async () => {
            const { page } = ari;
            const row = page.found.rows[0];
            const rows = Array.from({ length: 700 }, (_, k) => ({ ...row, cluster: k }));
            page.table.show({ kind: "clusters", rows, keyOf: (row) => row.cluster });
            page.table.select(400);
            const count = () => document.querySelectorAll("#rows tr").length;
            const first = count();
            const pause = () => new Promise((done) => setTimeout(done, 20));
            for (let k = 0; k < 200 && count() < 500; k++) await pause();
            await pause();
            const keys = [...document.querySelectorAll('#rows [aria-selected="true"]')];
            const found = [first, count(), keys.map((tr) => tr.dataset.key)];
            page.show();
            return found;
        }"""
    )
    assert n_first < 100
    assert n_rows == 500
    assert selected == ["400"]


@pytest.fixture(scope="module")
def large_grid_file(tmp_path_factory):
    """Return the page of a map with few voxels on a grid that is too fine to be drawn in 3D."""
    shape = (164, 150, 121)
    rng = np.random.default_rng(3)
    mask = np.zeros(shape, dtype=np.uint8)
    mask[101:121, 60:80, 30:55] = 1
    z = np.zeros(shape)
    z[mask > 0] = gaussian_filter(rng.standard_normal((20, 20, 25)), 1).ravel() * 8
    z[105:112, 62:70, 33:40] += 6
    affine = np.array([[-1.5, 0, 0, 90], [0, 1.5, 0, -100], [0, 0, 1.5, -60], [0, 0, 0, 1]])
    ari = AdaptiveTDPTransformer(0.7, mask_img=Nifti1Image(mask, affine))
    ari.fit_transform(Nifti1Image(z, affine))
    path = tmp_path_factory.mktemp("large") / "grid.html"
    explore(ari, bg_img=None, output_file=path)
    return path


def test_rendering_of_a_fine_grid_is_coarse_and_loses_nothing(open_page, large_grid_file):
    page = open_page(large_grid_file)
    said = page.evaluate(
        """() => {
            const { viewer, map } = ari.page;
            const { grid } = viewer.rendering;
            viewer.rendering.settle();
            const shades = ari.page._shades;
            const drawn = grid.shades(shades);
            const at = (element) => {
              const place = map.geometry.placeOfElement(element);
              const [x, y, z] = place.map((i) => Math.floor(i / grid.step));
              return x + grid.shape[0] * (y + grid.shape[1] * z);
            };
            const places = [[101, 60, 30], [112, 71, 44], [0, 0, 0], [163, 149, 120]];
            return {
              step: grid.step, shape: grid.shape,
              isLost: shades.some((shade, element) => shade && !drawn[at(element)]),
              isMore: drawn.filter(Boolean).length > shades.filter(Boolean).length,
              isDrawn: viewer.rendering.overlay.img.some((shade) => shade > 0),
              corner: [map.geometry.xyz([0.5, 0.5, 0.5]), grid.affine.map((row) => row[3])],
              back: places.every((voxel) => {
                viewer.rendering.nv.scene.crosshairPos = viewer.rendering._fractionsOf(voxel);
                return viewer.rendering._voxel.join() === voxel.join();
              }),
            };
        }"""
    )
    assert said["step"] == 2
    assert said["shape"] == [82, 75, 61]
    assert not said["isLost"]
    assert not said["isMore"]
    assert said["isDrawn"]
    assert said["corner"][0] == pytest.approx(said["corner"][1])
    assert said["back"]


def test_rendering_of_other_grids_is_as_fine_as_the_map(used_page):
    assert used_page.evaluate("ari.page.viewer.rendering.grid.step") == 1


def test_last_atlas_wins(used_page):
    regions = used_page.evaluate(
        """async () => {
            const { page } = ari;
            const n = page.map.forest.n;
            const atlas = (name) => new ari.Atlas(new Int32Array(n).fill(1), ["", name]);
            await Promise.all([page.setAtlas(atlas("one")), page.setAtlas(atlas("two"))]);
            return page.regionRows.map((row) => row.region);
        }"""
    )
    assert regions == ["two"]


def test_large_meshes_move_with_fewer_triangles_and_come_to_rest_with_all(open_page, surface_file):
    page = open_page(surface_file)
    counts = page.evaluate(
        """async () => {
            const { viewer, map } = ari.page;
            const { hemispheres } = viewer;
            const areSmall = hemispheres.every(({ faces }) => !faces.isMany);
            for (const { faces } of hemispheres) faces.isMany = true;
            const frame = () =>
              new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            const counted = () => hemispheres.map((h) => h.indexCount / h.tris.length);
            const before = counted();
            ari.page.setTdp(0.4, { isMoving: true });
            await frame();
            const moving = counted();
            ari.page.show();
            await frame();
            return { areSmall, before, moving, after: counted() };
        }"""
    )
    assert counts["areSmall"]
    assert max(counts["moving"]) < 0.25
    assert min(counts["before"]) > 0.4
    assert counts["after"] == counts["before"]
