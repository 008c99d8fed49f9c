"""The page as one uses it: slider, clicks, growing and shrinking, undo, files, address, keys."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.base import clone

from ari_estimator import AdaptiveTDPTransformer, element_at, explore, set_bound
from ari_estimator.explorer import ExplorerDocument

from ._page_actions import address, ask, at_crosshair, download, picture, settle, wait_until


def _shown(page):
    return page.evaluate("ari.page.session.clusters")


def _go_to(page, voxel):
    page.evaluate("voxel => ari.page.moveTo(voxel)", list(voxel))


def test_click_tells_of_the_cluster_that_python_finds(page, fitted):
    ask(page, 0.5)
    page.locator("#views").select_option("axial")
    _go_to(page, (4, 4, 4))
    before = page.evaluate("ari.page.place")
    box = page.locator("#brain").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.52, box["y"] + box["height"] * 0.45)
    voxel = page.evaluate("ari.page.place")
    assert voxel != before
    assert voxel[2] == 4
    told = at_crosshair(page)
    element = element_at(fitted, index=voxel)
    assert float(told["z"]) == pytest.approx(fitted.maps_.family.stat[element], abs=1e-3)
    cluster = fitted.forest_.cluster_of(element, 0.5)
    assert (told["cluster"] == "none") == (cluster is None)


def test_crosshair_tells_size_bound_peak_and_region(page, fitted):
    ask(page, 0.5)
    forest, family = fitted.forest_, fitted.maps_.family
    _go_to(page, (3, 3, 3))
    told = at_crosshair(page)
    cluster = forest.cluster_of(element_at(fitted, index=(3, 3, 3)), 0.5)
    members = forest.members(cluster)
    assert told["voxels"] == str(members.size)
    assert told["true discoveries, at least"] == str(forest.true_discoveries[cluster])
    assert float(told["TDP, at least"]) <= forest.tdps[cluster]
    # Several voxels of the cluster have the highest value: the first in mm is told.
    tied = members[family.evidence[members] == family.evidence[members].max()]
    assert tied.size > 1
    peak = tied[np.lexsort(family.space.coordinates()[tied].T[::-1])[0]]
    assert float(told["peak"]) == pytest.approx(family.stat[peak], rel=1e-3)
    xyz = family.space.coordinates()[peak]
    assert [float(v) for v in told["peak at (mm)"].split(",")] == xyz.tolist()
    assert told["region"] == "first <b>half</b>"


def test_voxel_out_of_the_mask_is_not_tested(page):
    _go_to(page, (0, 3, 3))
    assert at_crosshair(page) == {"voxel": "not tested"}
    assert page.locator("#grow").is_disabled()


def test_grow_shrink_undo_redo_and_reset(page, fitted):
    forest = fitted.forest_
    first = forest.query(0.7).tolist()
    assert _shown(page) == first
    _go_to(page, (3, 3, 3))
    cluster = forest.cluster_of(element_at(fitted, index=(3, 3, 3)), 0.7)
    page.locator("#step").fill("0.1")
    page.locator("#step").press("Enter")
    page.locator("#grow").click()
    grown = forest.change(first, cluster, -0.1).tolist()
    assert grown != first
    assert _shown(page) == grown
    around = next(c for c in grown if forest.starts[c] <= cluster <= c)
    page.locator("#shrink").click()
    shrunk = forest.change(grown, around, 0.1).tolist()
    assert _shown(page) == shrunk
    page.locator("#undo").click()
    assert _shown(page) == grown
    page.locator("#undo").click()
    assert _shown(page) == first
    assert page.locator("#undo").is_disabled()
    page.locator("#redo").click()
    page.locator("#redo").click()
    assert _shown(page) == shrunk
    assert page.locator("#redo").is_disabled()
    page.locator("#reset").click()
    assert _shown(page) == first
    page.locator("body").press("Control+z")
    assert _shown(page) == shrunk
    page.locator("body").press("Control+Shift+z")
    assert _shown(page) == first


def test_drag_of_the_slider_is_undone_at_once(page, fitted):
    page.locator("#tdp-slider").evaluate(
        """(slider) => {
            for (const tdp of [0.6, 0.5, 0.4]) {
                slider.value = tdp;
                slider.dispatchEvent(new Event("input"));
            }
            slider.dispatchEvent(new Event("change"));
        }"""
    )
    assert _shown(page) == fitted.forest_.query(0.4).tolist()
    page.locator("#undo").click()
    assert _shown(page) == fitted.forest_.query(0.7).tolist()


def test_tdp_out_of_range_changes_nothing(page, fitted):
    ask(page, 1.5)
    assert _shown(page) == fitted.forest_.query(0.7).tolist()
    assert "between 0 and 1" in page.locator("#status").inner_text()
    assert page.locator("#tdp").input_value() == "0.7"


@pytest.mark.parametrize(("box", "text"), [("x", ""), ("radius", "-1"), ("step", "2")])
def test_number_that_means_nothing_is_taken_back(page, box, text):
    before = page.locator(f"#{box}").input_value()
    page.locator(f"#{box}").fill(text)
    page.locator(f"#{box}").press("Enter")
    assert page.locator(f"#{box}").input_value() == before


def test_reset_of_nothing_is_no_step(page):
    page.locator("#reset").click()
    assert page.locator("#undo").is_disabled()


def test_table_and_crosshair_follow_each_other(page, fitted):
    ask(page, 0.9)
    rows = page.locator("#rows tr")
    assert rows.count() > 2
    rows.nth(1).click()
    row = page.evaluate("ari.page.found.rows[1]")
    at = page.evaluate("ari.page.map.geometry.xyz(ari.page.place)")
    assert at == [row["peak_x"], row["peak_y"], row["peak_z"]]
    assert rows.nth(1).get_attribute("aria-selected") == "true"
    rows.nth(0).focus()
    rows.nth(0).press("Enter")
    assert page.locator('#rows tr[aria-selected="true"]').count() == 1
    assert rows.nth(0).get_attribute("aria-selected") == "true"


def test_headers_sort_the_table(page):
    ask(page, 0.4)
    for column in ("true_discoveries", "peak_stat", "tdp"):
        header = page.locator(f'[data-column="{column}"]')
        header.click()
        values = page.evaluate("c => ari.page.table.sorted().map(row => row[c])", column)
        assert values == sorted(values, reverse=True)
        header.click()
        values = page.evaluate("c => ari.page.table.sorted().map(row => row[c])", column)
        assert values == sorted(values)
        assert page.locator('th[aria-sort="ascending"]').count() == 1


@pytest.mark.parametrize("tdp", [0, 0.7])
def test_table_file_is_the_table_of_python(page, fitted, small_map, tmp_path, tdp):
    ask(page, tdp)
    path = download(page, "#save-table", tmp_path)
    table = pd.read_csv(path, engine="python")
    ari = clone(fitted).set_params(tdp_threshold=tdp)
    ari.fit_transform(small_map[0])
    expected = ari.table_
    assert table.columns.tolist() == [*expected.columns, "peak_region"]
    pd.testing.assert_frame_equal(
        table[expected.columns], expected, check_dtype=False, check_exact=True
    )
    assert set(table["peak_region"].dropna()) <= {"first <b>half</b>", "second, half"}


@pytest.mark.parametrize("tdp", [0.3, 0.7])
def test_image_files_are_the_images_of_python(page, fitted, small_map, tmp_path, tdp):
    ask(page, tdp)
    forest = fitted.forest_
    mask = small_map[1].get_fdata() > 0
    labels = nib.load(download(page, "#save-labels", tmp_path))
    expected = forest.labels(forest.query(tdp))
    np.testing.assert_array_equal(np.asarray(labels.dataobj)[mask], expected)
    assert not np.asarray(labels.dataobj)[~mask].any()
    tdps = nib.load(download(page, "#save-tdp", tmp_path))
    of_clusters = np.r_[0, forest.tdps[forest.query(tdp)]]
    np.testing.assert_array_equal(np.asarray(tdps.dataobj)[mask], of_clusters[expected])
    for img in (labels, tdps):
        np.testing.assert_array_equal(img.affine, small_map[0].affine)
        assert img.header.get_zooms() == (3, 3, 3)
        assert img.header["sform_code"] > 0
        assert img.header.get_xyzt_units()[0] == "mm"
    assert labels.get_data_dtype() == np.int32


def test_picture_is_a_png_that_is_not_blank(page, tmp_path):
    path = download(page, "#save-picture", tmp_path)
    written = path.read_bytes()
    assert written.startswith(b"\x89PNG")
    assert len(written) > 3000


def test_overlay_opacity_and_view_change_the_picture(page):
    seen = [picture(page)]
    for overlay in ("clusters", "tdp", "free", "statistic"):
        page.locator("#overlay").select_option(overlay)
        seen.append(picture(page))
    page.evaluate("document.getElementById('display').open = true")
    page.locator("#opacity").fill("0.2")
    seen.append(picture(page))
    page.locator("#views").select_option("render")
    seen.append(picture(page))
    assert len(set(seen)) == len(seen)


def test_state_is_in_the_address_and_comes_back(page, open_page, page_file):
    ask(page, 0.45)
    page.locator("#overlay").select_option("free")
    page.locator("#radius").fill("6.5")
    page.evaluate("document.getElementById('display').open = true")
    page.locator("#opacity").fill("0.35")
    page.locator("#views").select_option("coronal")
    _go_to(page, (3, 3, 3))
    page.locator("#shrink").click()
    page.locator("#step").fill("0.2")
    page.locator("#step").press("Enter")
    page.locator("#grow").click()
    assert page.evaluate("ari.page.session.isChanged")
    _go_to(page, (5, 6, 7))
    state = address(page)
    assert "radius=6.5" in state
    assert "at=5," in state
    other = open_page(page_file, state)
    shown = """(() => {
        const { session, overlay, radius, opacity, place, view, step } = ari.page;
        return [session.clusters, overlay, radius, opacity, place, view, step];
    })()"""
    assert other.evaluate(shown) == page.evaluate(shown)
    assert other.locator("#overlay").input_value() == "free"
    assert other.locator("#opacity").input_value() == "0.35"
    assert other.locator("#views").input_value() == "coronal"
    assert address(other) == state
    # Back from there are the clusters of the TDP alone.
    other.locator("#undo").click()
    assert _shown(other) == other.evaluate("ari.page.map.forest.query(0.45)")


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        (
            "#tdp=2&overlay=x&at=a,b&radius=-1&opacity=9&theme=x&view=x&camera=1&mesh=map",
            ["tdp", "overlay", "at", "radius", "opacity", "theme", "view", "camera", "mesh"],
        ),
        ("#%", []),
        ("#at=1e9,0,0&tdp=", ["tdp", "at"]),
        ("#in=zz.zz.zz", ["clusters"]),
        ("#in=<script>", ["clusters"]),
        ("#out=0", ["clusters"]),
        ("#in=0.0.0.0.0.0.0.0.0.0.0", ["clusters"]),
    ],
)
def test_address_with_nonsense_opens_the_page_all_the_same(
    open_page, page_file, fitted, state, wrong
):
    page = open_page(page_file, state)
    said = page.locator("#status").inner_text()
    assert all(name in said for name in wrong)
    assert bool(said) == bool(wrong)
    assert _shown(page) == fitted.forest_.query(0.7).tolist()
    assert page.evaluate("ari.page.overlay") == "found"
    assert page.evaluate("ari.page.map.geometry.isInside(ari.page.place)")


def _slice_pixels(page, voxels):
    """Return where voxels of the axial slice are drawn, as pixels of the page."""
    return page.evaluate(
        """(voxels) => {
            const { left, top } = document.getElementById("brain").getBoundingClientRect();
            return voxels.map((voxel) => {
                const [x, y] = ari.page.viewer.pixelOf("axial", [...voxel, 0]);
                return [left + x, top + y];
            });
        }""",
        voxels,
    )


def _draw(page, voxels):
    pixels = _slice_pixels(page, voxels)
    page.mouse.move(*pixels[0])
    page.mouse.down()
    for pixel in pixels[1:]:
        page.mouse.move(*pixel, steps=5)
    page.mouse.up()


def _in_region(page, fitted):
    """Return the region that is drawn, as a volume."""
    mask = fitted.maps_.family.space.parts[0].mask
    region = np.zeros(mask.shape, dtype=bool)
    region[tuple(np.argwhere(mask)[page.evaluate("Array.from(ari.page.session.region)")].T)] = True
    return region


def test_region_that_is_drawn_is_bounded_as_by_set_bound(page, fitted, small_map, tmp_path):
    page.locator("#views").select_option("axial")
    _go_to(page, (4, 4, 4))
    page.locator("#brain").focus()
    page.keyboard.press("d")
    # Some of it lies outside of the mask.
    square = np.array([[-0.8, 1.8], [5.3, 1.8], [5.3, 6.2], [-0.8, 6.2]]).tolist()
    _draw(page, square)
    expected = np.zeros(small_map[1].shape, dtype=bool)
    # What the line runs through is in it, too.
    expected[1:6, 2:7, 4] = True
    np.testing.assert_array_equal(_in_region(page, fitted), expected)
    # On another slice it goes on, and some of it is taken out again.
    page.keyboard.press("Escape")
    page.locator("#brain").focus()
    page.keyboard.press("PageUp")
    assert page.evaluate("ari.page.place") == [4, 4, 5]
    page.locator("#pen").click()
    _draw(page, square)
    page.locator("#eraser").click()
    _draw(page, [[2.9, 2.9], [4.1, 2.9], [4.1, 4.1], [2.9, 4.1]])
    expected[1:6, 2:7, 5] = True
    expected[3:5, 3:5, 5] = False
    np.testing.assert_array_equal(_in_region(page, fitted), expected)
    path = download(page, "#save-region", tmp_path)
    mask_img = nib.load(path)
    np.testing.assert_array_equal(mask_img.get_fdata() != 0, expected)
    bound = set_bound(fitted, mask_img=mask_img)
    assert page.evaluate("ari.page.region") == {
        "n_tested": bound.n_tested,
        "true_discoveries": bound.true_discoveries,
    }
    said = page.locator("#region").inner_text()
    assert said.startswith(f"At least {bound.true_discoveries} of {bound.n_tested} voxels")


def test_region_is_undone_with_the_rest_and_cleared(page, fitted):
    _go_to(page, (3, 3, 3))
    assert page.locator("#clear").is_disabled()
    page.locator("#add-sphere").click()
    sphere = page.evaluate("Array.from(ari.page.session.region)")
    assert len(sphere) == page.evaluate("ari.page.sphere.n_tested")
    page.locator("#add-cluster").click()
    both = page.evaluate("Array.from(ari.page.session.region)")
    cluster = fitted.forest_.cluster_of(element_at(fitted, index=(3, 3, 3)), 0.7)
    assert both == sorted({*sphere, *fitted.forest_.members(cluster).tolist()})
    ask(page, 0.3)
    assert page.evaluate("Array.from(ari.page.session.region)") == both
    page.locator("#clear").click()
    assert page.evaluate("ari.page.session.region.length") == 0
    assert page.locator("#save-region").is_disabled()
    for region, tdp in ((both, 0.3), (both, 0.7), (sphere, 0.7), ([], 0.7)):
        page.locator("#undo").click()
        assert page.evaluate("Array.from(ari.page.session.region)") == region
        assert page.evaluate("ari.page.session.tdp") == tdp


def test_pen_on_the_rendering_draws_nothing_and_says_so(page):
    page.locator("#views").select_option("render")
    page.locator("#pen").click()
    box = page.locator("#brain").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate("ari.page.session.region.length") == 0
    assert "slice" in page.locator("#status").inner_text()


def test_region_of_an_oblique_image_is_where_it_is_drawn(open_page, small_map, tmp_path):
    z_img, mask_img, _ = small_map
    # The third axis of the file runs from left to right, backwards; the first one up.
    affine = np.array([[0.2, 0, -3, 9], [0.1, 3, 0.3, -9], [3, 0.2, 0.1, 0], [0, 0, 0, 1]])
    turned = nib.Nifti1Image(z_img.get_fdata(), affine)
    ari = AdaptiveTDPTransformer(
        0.7, mask_img=nib.Nifti1Image(mask_img.get_fdata().astype(np.uint8), affine)
    )
    ari.fit_transform(turned)
    explore(ari, bg_img=None, output_file=tmp_path / "turned.html")
    page = open_page(tmp_path / "turned.html")
    page.locator("#views").select_option("axial")
    _go_to(page, (3, 4, 5))
    settle(page)
    x, y = page.evaluate(
        """() => {
            const { left, top } = document.getElementById("brain").getBoundingClientRect();
            const [x, y] = ari.page.viewer.pixelOf("axial", ari.page.place);
            return [left + x, top + y];
        }"""
    )
    page.locator("#pen").click()
    page.mouse.click(x, y)
    assert np.argwhere(_in_region(page, ari)).tolist() == [[3, 4, 5]]
    page.locator("#pen").click()
    page.mouse.click(x, y)
    assert page.evaluate("ari.page.place") == [3, 4, 5]


def test_arrow_keys_move_the_crosshair_by_a_voxel(page):
    _go_to(page, (5, 5, 5))
    page.locator("#brain").focus()
    # x runs from right to left in this map.
    for key, voxel in [
        ("ArrowRight", [4, 5, 5]),
        ("ArrowUp", [4, 6, 5]),
        ("PageDown", [4, 6, 4]),
        ("ArrowLeft", [5, 6, 4]),
    ]:
        page.keyboard.press(key)
        assert page.evaluate("ari.page.place") == voxel


def test_every_control_has_a_name_and_can_be_reached_by_key(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll(
            "button, input, select, summary, #brain")].filter((e) =>
            !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim())
            || e.tabIndex < 0).map((e) => e.outerHTML)"""
    )
    assert nameless == []


def test_theme_follows_the_system_and_the_button(page):
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.emulate_media(color_scheme="light")
    wait_until(page, f"{theme} === 'light'")
    page.locator("#theme").click()
    assert page.evaluate(theme) == "dark"


def test_text_of_users_is_text(open_page, small_map, fitted, tmp_path):
    bad = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    path = tmp_path / "bad.html"
    labels = [f"</script>{bad}", f"${{title}} {bad} \u2028 <!-- <script>"]
    explore(fitted, labels_img=small_map[2], labels=labels, title=bad, output_file=path)
    page = open_page(path)
    assert page.title() == bad
    assert page.locator("#title").inner_text() == bad
    _go_to(page, (3, 3, 3))
    assert at_crosshair(page)["region"] == labels[0]
    assert page.locator("img").count() == 0


def test_without_graphics_the_rest_works(open_page, page_file, fitted, browser):
    context = browser.new_context()
    context.add_init_script(
        "HTMLCanvasElement.prototype.getContext = () => null; window.alert = () => {};"
    )
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.evaluate("ari.started")
    assert page.locator("#no-picture").is_visible()
    ask(page, 0.4)
    assert _shown(page) == fitted.forest_.query(0.4).tolist()
    context.close()


def test_without_webgl_slices_are_still_drawn(page_file, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.add_init_script(
        "const of = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind.startsWith('webgl') ? null : of.call(this, kind, ...more); };"
        "window.alert = () => {};"
    )
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.evaluate("ari.started")
    assert "No 3D picture" in page.locator("#status").inner_text()
    assert not page.locator("#no-picture").is_visible()
    planes = page.evaluate("ari.page.viewer.panes.map((pane) => pane.plane)")
    assert planes == ["coronal", "sagittal", "axial"]
    box = page.locator("#brain").bounding_box()
    x, y = page.evaluate("ari.page.viewer.pixelOf('axial', [4, 4, 4])")
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert page.evaluate("ari.page.place.slice(0, 2)") == [4, 4]
    context.close()


def test_oblique_p_map_is_described_as_in_python(open_page, small_map, tmp_path):
    z_img, mask_img, _ = small_map
    # Turned, sheared, and with steps that no short decimal is.
    affine = np.array([[2.1, 0.7, 0, -9], [-0.6, 2.3, 0.4, 3], [0.1, -0.5, 3.3, 7], [0, 0, 0, 1]])
    p_img = nib.Nifti1Image(norm.sf(z_img.get_fdata()), affine)
    mask_img = nib.Nifti1Image(mask_img.get_fdata().astype(np.uint8), affine)
    ari = AdaptiveTDPTransformer(0.6, mask_img=mask_img, stat_type="p")
    ari.fit_transform(p_img)
    explore(ari, tdp=0.6, output_file=tmp_path / "p.html")
    page = open_page(tmp_path / "p.html")
    for overlay in ("statistic", "tdp"):
        page.locator("#overlay").select_option(overlay)
    table = pd.read_csv(download(page, "#save-table", tmp_path), engine="python")
    expected = ari.table_
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-12)
    tdp_img = nib.load(download(page, "#save-tdp", tmp_path))
    np.testing.assert_allclose(tdp_img.affine, affine, rtol=1e-6)
    page.evaluate("() => ari.page.moveToXyz(ari.page.map.geometry.xyz([4, 7, 2]))")
    assert page.evaluate("ari.page.place") == [4, 7, 2]
    expected = set_bound(ari, seed=affine[:3] @ [4, 7, 2, 1], radius=8)
    assert page.evaluate("ari.page.sphere.n_tested") == expected.n_tested


def test_map_without_discoveries_is_shown(open_page, small_map, tmp_path):
    rng = np.random.default_rng(0)
    _, mask_img, _ = small_map
    z_img = nib.Nifti1Image(rng.standard_normal(mask_img.shape), mask_img.affine)
    with pytest.warns(UserWarning, match="no cluster with this TDP"):
        document = explore(z_img, mask_img=mask_img)
    document.save_as_html(tmp_path / "null.html")
    page = open_page(tmp_path / "null.html")
    assert "at least 0.0" in page.locator("#whole").inner_text()
    assert page.locator("#rows tr").count() == 0
    assert page.locator("#rest td").first.inner_text() == "rest"
    ask(page, 0)
    assert page.locator("#rows tr").count() == 1


def test_frame_of_a_notebook_shows_the_page(open_page, page_file, tmp_path):
    frame = ExplorerDocument(page_file.read_text(encoding="utf-8")).get_iframe()
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<script>globalThis.ari = {{}}</script>{frame}", encoding="utf-8")
    page = open_page(notebook)
    inner = page.frames[1]
    inner.evaluate("ari.started")
    inner.locator("#tdp").fill("0.4")
    inner.locator("#tdp").press("Enter")
    wait_until(inner, "ari.page.session.tdp === 0.4")


def test_page_fits_the_window(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    page.set_viewport_size({"width": 768, "height": 1024})
    assert page.evaluate("document.documentElement.scrollWidth") <= 768
