"""The page of an array: a heat map, a head for sensors, and the numbers of Python."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from ari_estimator import AdaptiveTDPTransformer, RegionTDPTransformer, explore, set_bound
from ari_estimator.datasets import load_sample_sensors
from ari_estimator.graphs import AdjacencyGraph, edges_of, product

from ._page_actions import ask, download, wait_until


@pytest.fixture(scope="module")
def study():
    """Return a study of sensors, and its t map."""
    study = load_sample_sensors(n_channels=20)
    data = study.differences
    return study, data.mean(0) / (data.std(0, ddof=1) / 4)


@pytest.fixture(scope="module")
def fitted_array(study):
    """Return what Python finds."""
    study, t_map = study
    ari = AdaptiveTDPTransformer(
        0.5,
        stat_type="t",
        df=15,
        two_sided=True,
        adjacency=product(AdjacencyGraph(study.adjacency), t_map.shape[1]),
        coordinates={"channel": study.channels, "time": study.times},
    )
    return ari.fit(t_map[np.newaxis])


@pytest.fixture(scope="module")
def array_file(fitted_array, tmp_path_factory):
    """Return the page as a file."""
    path = tmp_path_factory.mktemp("page") / "array.html"
    explore(fitted_array, map_index=0, tdp=0.5, output_file=path)
    return path


@pytest.fixture
def page(open_page, array_file):
    """Return the page, opened."""
    return open_page(array_file)


def test_places_are_those_of_python(page, fitted_array):
    space = fitted_array.maps_[0].family.space
    expected = space.locate(np.arange(space.n_elements))
    places = page.evaluate(
        "n => [...Array(n).keys()].map((e) => ari.page.map.geometry.locate(e))", len(expected)
    )
    assert [place["channel"] for place in places] == expected["channel"].tolist()
    assert [place["time"] for place in places] == expected["time"].tolist()


@pytest.mark.parametrize("tdp", [0.2, 0.5, 0.9])
def test_clusters_are_those_of_python(page, fitted_array, study, tdp):
    ask(page, tdp)
    rows = page.evaluate("ari.page.found.rows.map((r) => [r.n_elements, r.true_discoveries])")
    ari = AdaptiveTDPTransformer(**{**fitted_array.get_params(deep=False), "tdp_threshold": tdp})
    table = ari.fit(study[1][np.newaxis]).table_[0].iloc[:-1]
    assert rows == table[["n_elements", "true_discoveries"]].to_numpy().tolist()


def test_there_is_nothing_in_mm(page):
    for hidden in ("#of-mm", "#of-sphere", "#go", "#add-sphere"):
        assert not page.locator(hidden).is_visible()
    assert "mm" not in page.locator("main").inner_text()
    heads = page.locator("#heads").inner_text()
    assert "channel" in heads
    assert "time (s)" in heads


def test_the_crosshair_moves_with_clicks_and_keys(page):
    box = page.locator("#brain").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = page.evaluate("ari.page.place")
    page.locator("#brain").press("ArrowRight")
    page.locator("#brain").press("ArrowDown")
    after = page.evaluate("ari.page.place")
    assert after == [before[0] + 1, before[1] + 1, 0]
    assert "channel" in page.locator("#here").inner_text()


def test_a_cluster_grows_and_shrinks(page):
    page.evaluate("ari.page.choose(ari.page.found.rows[0])")
    before = page.evaluate("ari.page.found.rows[0].n_elements")
    page.locator("#grow").click()
    assert page.evaluate("Math.max(...ari.page.found.rows.map((r) => r.n_elements))") > before
    page.locator("#undo").click()
    assert page.evaluate("ari.page.found.rows[0].n_elements") == before


def test_drawn_regions_have_the_bounds_of_python(page, fitted_array):
    page.evaluate("ari.page.choose(ari.page.found.rows[0])")
    page.locator("#add-cluster").click()
    region = page.evaluate("[...ari.page.session.region]")
    bound = page.evaluate("ari.page.region.true_discoveries")
    indices = np.column_stack(np.unravel_index(region, (20, 121)))
    assert bound == set_bound(fitted_array, indices=indices, map_index=0).true_discoveries


def test_tdps_are_saved_as_a_table(page, fitted_array, tmp_path):
    page.evaluate("document.getElementById('files').open = true")
    with page.expect_download() as waiting:
        page.locator("#save-tdp").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    with path.open(newline="") as opened:
        head, *rows = list(csv.reader(opened))
    assert head[0] == "channel / time (s)"
    assert len(head) == 122
    saved = np.array([[float(cell) for cell in row[1:]] for row in rows])
    expected = np.zeros((20, 121))
    fitted_map = fitted_array.maps_[0]
    labels = np.asarray(fitted_map.painted_labels).reshape(20, 121).astype(int)
    for cluster, tdp in fitted_map.table[["cluster_id", "tdp"]].to_numpy()[:-1]:
        expected[labels == int(cluster)] = tdp
    np.testing.assert_allclose(saved, expected)


def test_an_address_brings_a_place_back(page):
    page.evaluate("ari.page.moveTo([3, 7, 0])")
    address = page.evaluate("ari.page.address")
    page.evaluate("ari.page.moveTo([0, 0, 0])")
    page.evaluate("address => ari.page.readAddress(address)", address)
    assert page.evaluate("ari.page.place") == [3, 7, 0]


def test_a_head_for_sensors(open_page, study, tmp_path):
    mne = pytest.importorskip("mne")
    study, t_map = study
    with mne.use_log_level("ERROR"):
        info = mne.create_info(study.channels, 200.0, "eeg")
        info.set_montage(mne.channels.make_dig_montage(study.positions, coord_frame="head"))
        evoked = mne.EvokedArray(t_map, info, tmin=-0.1)
    explore(evoked, stat_type="t", df=15, output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    head = page.evaluate("ari.page.map.geometry.head")
    assert len(head) == 20
    assert np.abs(head).max() <= 1
    # Sensors to the right are on the right, and those in front are on top.
    places = np.array(list(study.positions.values()))
    for axis in (0, 1):
        assert np.corrcoef(places[:, axis], np.array(head)[:, axis])[0, 1] > 0.95
    page.locator("#views").select_option("head")
    target = page.evaluate(
        """() => {
          const viewer = ari.page.viewer;
          const { left, top, width, height } = viewer.panes[0];
          return viewer._onHead(ari.page.map.geometry.head[5], [left, top, width, height]);
        }"""
    )
    box = page.locator("#brain").bounding_box()
    page.mouse.click(box["x"] + target[0], box["y"] + target[1])
    assert page.evaluate("ari.page.place[0]") == 5


def test_regions_of_an_array(open_page, fitted_array, study, tmp_path):
    study, t_map = study
    labels = (study.effect > 0) + 2 * (study.effect < 0)
    explore(
        fitted_array,
        map_index=0,
        labels_img=labels,
        labels=["early", "late"],
        output_file=tmp_path / "page.html",
    )
    page = open_page(tmp_path / "page.html")
    wait_until(page, "ari.page.regionRows.length > 0")
    rows = page.evaluate("ari.page.regionRows.map((r) => [r.region, r.true_discoveries])")
    regions = RegionTDPTransformer(
        labels, labels=["early", "late"], stat_type="t", df=15, two_sided=True
    ).fit(t_map[np.newaxis])
    expected = regions.table_[0].iloc[:-1][["region", "true_discoveries"]].to_numpy().tolist()
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"bg_img": "fsaverage"}, "bg_img"),
        ({"surf_mesh": {}}, "surf_mesh"),
        ({"connectivity": 6}, "for arrays, whose neighbours"),
    ],
)
def test_options_of_images_are_refused(fitted_array, change, match):
    with pytest.raises(ValueError, match=match):
        explore(fitted_array, map_index=0, **change)


def test_more_axes_and_bare_arrays_are_refused(study):
    cube = np.random.default_rng(0).standard_normal((1, 4, 5, 6))
    ari = AdaptiveTDPTransformer(adjacency="lattice").fit(cube)
    with pytest.raises(ValueError, match="at most two axes"):
        explore(ari, map_index=0)
    with pytest.raises(TypeError, match="fitted to an array"):
        explore(study[1])


def test_a_curve(open_page, tmp_path):
    z = np.random.default_rng(0).standard_normal((1, 60))
    z[0, 20:40] += 4
    ari = AdaptiveTDPTransformer(adjacency="lattice").fit(z)
    explore(ari, map_index=0, output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    assert page.evaluate("ari.page.found.rows[0].n_elements") == ari.table_[0].loc[0, "n_elements"]
    assert "curve" not in page.locator("#heads").inner_text()


_NODES = np.array([f"r{k}" for k in range(8)])
_FIRST, _SECOND = np.triu_indices(8, 1)


@pytest.mark.parametrize(
    ("shape", "adjacency", "coordinates"),
    [
        pytest.param((30,), "lattice", None, id="curve"),
        pytest.param((12, 30), "lattice", None, id="two axes"),
        pytest.param((12, 30), "lattice", {"time": np.linspace(0, 1, 12)}, id="one axis named"),
        pytest.param(
            (12, 30), "lattice", {"depth": np.arange(360.0).reshape(12, 30) / 7}, id="of both axes"
        ),
        # Tables of volumes have columns of these names.
        pytest.param(
            (12,),
            "lattice",
            {"structure": list("abcdefghijkl"), "x": np.arange(12) / 3},
            id="taken",
        ),
        pytest.param(
            (28,),
            edges_of(8),
            {"from": _NODES[_FIRST], "to": _NODES[_SECOND]},
            id="names of both ends",
        ),
        pytest.param(
            (28,), edges_of(8), {"from": _FIRST, "to": _SECOND}, id="numbers of both ends"
        ),
    ],
)
def test_the_table_is_that_of_python(open_page, tmp_path, shape, adjacency, coordinates):
    z = np.random.default_rng(0).standard_normal(shape)
    z[..., 3:9] += 4
    ari = AdaptiveTDPTransformer(0.7, adjacency=adjacency, coordinates=coordinates)
    ari.fit(z[np.newaxis])
    table = ari.table_[0]
    explore(ari, map_index=0, output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    saved = pd.read_csv(download(page, "#save-table", tmp_path))
    pd.testing.assert_frame_equal(saved, table, check_dtype=False, rtol=0, atol=0)

    # On screen too, each coordinate has a name of its own.
    names = [n.removeprefix("peak_") for n in table if n.startswith("peak_") and n != "peak_stat"]
    titles = [{"time": "time (s)"}.get(name, name) for name in names]
    heads = page.locator("#heads").inner_text().replace("▲", "").split("\t")
    assert set(titles) <= {head.strip() for head in heads}
    here = page.evaluate("ari.page.map.geometry.describe(ari.page.place).map(([title]) => title)")
    assert here == titles


def test_saved_labels_name_each_edge_by_both_ends(open_page, tmp_path):
    z = np.random.default_rng(0).standard_normal((1, 28))
    z[0, :5] += 5
    coordinates = {"from": _NODES[_FIRST], "to": _NODES[_SECOND]}
    ari = AdaptiveTDPTransformer(0.7, adjacency=edges_of(8), coordinates=coordinates).fit(z)
    explore(ari, map_index=0, output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    path = download(page, "#save-labels", tmp_path)
    with path.open(newline="") as opened:
        head, row = list(csv.reader(opened))
    edges = [f"{a} / {b}" for a, b in zip(*coordinates.values(), strict=True)]
    assert head == ["from / to", *edges]
    assert [int(label) for label in row[1:]] == ari.labels_img_[0].tolist()


def test_a_grown_cluster_has_no_threshold_of_tdp(page, tmp_path):
    page.evaluate("ari.page.choose(ari.page.found.rows[0])")
    page.locator("#grow").click()
    table = pd.read_csv(download(page, "#save-table", tmp_path))
    is_asked = page.evaluate(
        "ari.page.found.rows.map((r) => ari.page.map.forest.query(0.5).includes(r.cluster))"
    )
    assert not all(is_asked)
    thresholds = table["tdp_threshold"].to_numpy()
    expected = np.where([*is_asked, False], 0.5, np.nan)
    np.testing.assert_array_equal(thresholds, expected)
