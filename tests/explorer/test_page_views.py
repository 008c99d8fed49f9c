"""What the page shows: layout, colours, signs, places, and regions of an atlas."""

from __future__ import annotations

import re

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.image import new_img_like

from ari_estimator import AdaptiveTDPTransformer, RegionTDPTransformer, explore, set_bound

from ._page_actions import address, ask, settle, status, wait_until

# A laptop, the same at 200 %, a phone.
WINDOWS = [(1366, 768), (683, 384), (390, 844)]


def _go(page, text):
    page.locator("#place").fill(text)
    page.locator("#place").press("Enter")


def _xyz(page):
    return page.evaluate("ari.page.map.geometry.xyz(ari.page.place)")


# Layout.


@pytest.mark.parametrize("file", ["page_file", "surface_file"])
@pytest.mark.parametrize("size", WINDOWS)
def test_brain_slider_and_first_rows_are_in_sight_together(open_page, request, file, size):
    page = open_page(request.getfixturevalue(file))
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    ask(page, 0.3)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for what in ("#brain", "#legend", "#tdp-slider", "#tdp"):
        box = page.locator(what).bounding_box()
        assert box["y"] >= 0, what
        assert box["y"] + box["height"] <= height, what
        assert box["x"] + box["width"] <= width, what
    assert page.locator("#tdp-slider").bounding_box()["width"] >= 80
    for k in range(2):
        box = page.locator("#rows tr").nth(k).bounding_box()
        assert box["y"] + box["height"] <= height
    brain = page.locator("#brain").bounding_box()
    assert brain["width"] * brain["height"] > 0.2 * width * height


@pytest.mark.parametrize("size", WINDOWS)
@pytest.mark.parametrize("menu", ["display", "files"])
def test_all_of_a_menu_can_be_reached(page, menu, size):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.locator(f"#{menu} summary").click()
    for control in page.locator(f"#{menu} :is(button, input, select)").all():
        control.click(trial=True)
    page.keyboard.press("Escape")
    assert page.locator(f"#{menu}").get_attribute("open") is None


@pytest.mark.parametrize("size", WINDOWS)
def test_slices_fill_the_room_that_there_is(page, size):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    settle(page)
    box = page.locator("#brain").bounding_box()
    panes = page.evaluate("ari.page.viewer.panes")
    assert [pane["plane"] for pane in panes] == ["coronal", "sagittal", "axial", "render"]
    for pane in panes:
        assert pane["left"] >= 0
        assert pane["top"] >= 0
        assert pane["left"] + pane["width"] <= box["width"] + 0.1
        assert pane["top"] + pane["height"] <= box["height"] + 0.1
    covered = sum(pane["width"] * pane["height"] for pane in panes)
    assert covered > 0.4 * box["width"] * box["height"]
    # One mm is as long on all of them.
    scales = page.evaluate(
        "ari.page.viewer.panes.slice(0, 3)"
        ".map((pane) => pane.width / ari.page.viewer.slices.size(pane.plane)[0])"
    )
    assert np.ptp(scales) < 1e-9


@pytest.mark.parametrize("file", ["page_file", "surface_file", "cifti_file"])
def test_no_choice_and_no_column_is_cut_off(open_page, request, file):
    page = open_page(request.getfixturevalue(file))
    for width, height in [*WINDOWS, (820, 1180)]:
        page.set_viewport_size({"width": width, "height": height})
        settle(page)
        # Each list in its own font, with room for its arrow.
        cut_off = page.evaluate(
            """() => [...document.querySelectorAll("#view > .bar select")].flatMap((list) => {
                if (!list.offsetParent) return [];
                const { font, paddingLeft, paddingRight } = getComputedStyle(list);
                const context = document.createElement("canvas").getContext("2d");
                context.font = font;
                const padding = parseFloat(paddingLeft) + parseFloat(paddingRight);
                const room = list.offsetWidth - 20 - padding;
                return [...list.options].map((option) => option.textContent)
                    .filter((text) => context.measureText(text).width > room);
            })"""
        )
        assert cut_off == [], (width, height)
        # All of the TDP in one row, and no column beyond the edge.
        tops = [page.locator(f"#{one}").bounding_box()["y"] for one in ("undo", "redo", "reset")]
        assert len(set(tops)) == 1
        over = "() => ari.at('scroll').scrollWidth - ari.at('scroll').clientWidth"
        assert page.evaluate(over) <= 0, (width, height)


def test_letters_stand_beside_the_brain_in_one_size(page):
    page.evaluate("ari.page.viewer.drawNow()")
    texts = page.evaluate(
        """() => {
            const { viewer } = ari.page;
            const ink = new ari.SvgInk();
            for (const { plane, left, top, width, height } of viewer.panes) {
                if (plane === "render") continue;
                const frame = [left, top, width, height];
                viewer.picture.draw(ink, plane, viewer.voxel, frame, { colours: viewer.colours });
                ink.parts.push([top, top + height]);
            }
            return ink.parts.filter((part) => Array.isArray(part) || part.startsWith("<text"));
        }"""
    )
    written = []
    for part in texts:
        if not isinstance(part, list):
            letter = re.search(r">([^<]*)<", part)[1]
            written.append((letter, float(re.search(r' y="([^"]*)"', part)[1])))
            continue
        top, bottom = part
        heights = dict(written)
        south = "I" if "I" in heights else "P"
        north = "S" if "I" in heights else "A"
        assert heights[south] > bottom
        assert top <= heights[north] < top + 12
        written = []


def _texts(page):
    """Return what is written on the slices."""
    return page.evaluate(
        """() => {
            const { viewer } = ari.page;
            const ink = new ari.SvgInk();
            for (const plane of ari.PLANES) {
                viewer.picture.draw(ink, plane, viewer.voxel, [0, 0, 300, 300],
                                    { colours: viewer.colours });
            }
            return ink.parts.filter((part) => part.startsWith("<text"))
                .map((part) => part.replace(/<[^>]*>/g, ""));
        }"""
    )


def test_slices_say_their_sides_and_where_they_are(page):
    page.evaluate("ari.page.moveTo([3, 4, 5])")
    settle(page)
    x, y, z = _xyz(page)
    assert _texts(page) == [
        *("L", "R", "A", "P", f"z = {z:g} mm"),
        *("L", "R", "S", "I", f"y = {y:g} mm"),
        *("P", "A", "S", "I", f"x = {x:g} mm"),
    ]


@pytest.mark.parametrize(
    "columns", [[-3.0, 3, 3], [3.0, 3, 3], [3.0, -3, 3], [3.0, 3, -3], "oblique"]
)
def test_left_is_left_and_up_is_up_whatever_the_axes(open_page, small_map, tmp_path, columns):
    z_img, mask_img, _ = small_map
    if columns == "oblique":
        affine = np.array([[0.2, 0, -3, 9], [0.1, 3, 0.3, -9], [3, 0.2, 0.1, 0], [0, 0, 0, 1]])
    else:
        affine = np.diag([*columns, 1.0])
    z_img, mask_img = (nib.Nifti1Image(np.asarray(i.dataobj), affine) for i in (z_img, mask_img))
    ari = AdaptiveTDPTransformer(0.7, mask_img=mask_img).fit(z_img)
    explore(ari, bg_img=None, output_file=tmp_path / "turned.html")
    page = open_page(tmp_path / "turned.html")
    page.evaluate("ari.page.moveTo([5, 5, 5])")
    here = _xyz(page)
    settle(page)
    for plane, across, up in (("axial", 0, 1), ("coronal", 0, 2), ("sagittal", 1, 2)):
        for axis, sign, pixel_axis in ((across, 1, 0), (up, -1, 1)):
            there = list(here)
            there[axis] += 6
            at = page.evaluate("xyz => ari.page.map.geometry.placeAt(xyz)", there)
            pixels = [
                page.evaluate("([p, v]) => ari.page.viewer.pixelOf(p, v)", [plane, voxel])
                for voxel in ([5, 5, 5], at)
            ]
            assert np.sign(pixels[1][pixel_axis] - pixels[0][pixel_axis]) == sign
    # What is clicked is where it is drawn.
    box = page.locator("#brain").bounding_box()
    for plane in ("axial", "coronal", "sagittal"):
        page.evaluate("ari.page.moveTo([5, 5, 5])")
        settle(page)
        x, y = page.evaluate("p => ari.page.viewer.pixelOf(p, ari.page.place)", plane)
        page.mouse.click(box["x"] + x, box["y"] + y)
        assert page.evaluate("ari.page.place") == [5, 5, 5]


def test_wheel_goes_from_slice_to_slice(page):
    page.evaluate("ari.page.moveTo([5, 5, 5])")
    box = page.locator("#brain").bounding_box()
    x, y = page.evaluate("ari.page.viewer.pixelOf('axial', [5, 5, 5])")
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.wheel(0, -100)
    wait_until(page, "String(ari.page.place) === '5,5,6'")


def test_narrow_tables_leave_out_columns_by_priority(page):
    def columns():
        heads = page.locator("#heads button")
        return [h.get_attribute("data-column") for h in heads.all() if h.is_visible()]

    page.set_viewport_size({"width": 1920, "height": 1080})
    assert {"size_mm3", "peak_x", "peak_region", "direction"} <= set(columns())
    page.set_viewport_size({"width": 683, "height": 384})
    few = columns()
    assert {"cluster_id", "direction", "true_discoveries", "tdp", "peak_stat"} <= set(few)
    assert not {"size_mm3", "peak_x"} & set(few)


# Colours.


def _colour_at(page, plane, voxel):
    """Return the colour of a voxel that is drawn, without crosshair and opacity."""
    return page.evaluate(
        """([plane, voxel]) => {
            const { picture, slices } = ari.page.viewer;
            const pixels = slices.pixels(plane, voxel);
            const at = pixels.indices.indexOf(ari.page.map.geometry.indexOf(voxel));
            const canvas = picture._overlay(pixels);
            const { data } = canvas.getContext("2d").getImageData(
                at % pixels.width, Math.floor(at / pixels.width), 1, 1);
            return Array.from(data);
        }""",
        [plane, list(voxel)],
    )


def _voxel_of(page, sign):
    """Return a voxel of the largest cluster of a sign."""
    return page.evaluate(
        """(sign) => {
            const row = ari.page.found.rows.find((row) => Math.sign(row.peak_stat) === sign);
            return ari.page.map.geometry.placeOfElement(row.peak);
        }""",
        sign,
    )


def test_signs_have_colours_of_their_own_at_first(page):
    positive, negative = (_voxel_of(page, sign) for sign in (1, -1))
    red, _, blue, alpha = _colour_at(page, "axial", positive)
    assert alpha == 255
    assert red > blue
    red, _, blue, alpha = _colour_at(page, "axial", negative)
    assert alpha == 255
    assert blue > red


def test_one_sided_maps_have_a_colour_for_each_cluster_at_first(open_page, small_map, tmp_path):
    z_img, mask_img, _ = small_map
    explore(z_img, mask_img=mask_img, output_file=tmp_path / "one.html")
    page = open_page(tmp_path / "one.html")
    assert page.locator("#overlay").input_value() == "clusters"
    assert not page.locator("#of-sign").is_visible()
    assert page.locator('[data-column="direction"]').count() == 0
    colours = page.locator("#rows .swatch").evaluate_all("all => all.map(s => s.style.background)")
    assert len(set(colours)) == len(colours) > 1


def test_threshold_free_map_is_one_click_away_and_back(page):
    page.locator("#free").click()
    assert page.locator("#overlay").input_value() == "free"
    assert page.locator("#free").get_attribute("aria-pressed") == "true"
    assert "TDP, at least" in page.locator("#legend").inner_text()
    page.locator("#free").click()
    assert page.locator("#overlay").input_value() == "found"


def test_legend_has_the_numbers_of_the_colours(page):
    low, high = page.evaluate("ari.page.overlays.windows.statistic")
    texts = page.locator("#legend .ramp span").all_inner_texts()
    numbers = [float(text) for text in texts if text]
    middle = round((low + high) / 2, 3)
    assert numbers == pytest.approx([-high, -middle, -low, low, middle, high], abs=2e-3)
    page.locator("#overlay").select_option("clusters")
    n = page.locator("#rows tr").count()
    assert page.locator("#legend .swatch").count() == min(n, 8)


def test_window_and_colour_map_change_the_colours_and_are_in_the_address(
    page, open_page, page_file
):
    voxel = _voxel_of(page, 1)
    before = _colour_at(page, "axial", voxel)
    page.locator("#display summary").click()
    page.locator("#window-high").fill("20")
    page.locator("#window-high").press("Enter")
    settle(page)
    weaker = _colour_at(page, "axial", voxel)
    assert weaker != before
    page.locator("#colours").select_option("blue-red")
    settle(page)
    other = _colour_at(page, "axial", voxel)
    assert other not in (before, weaker)
    again = open_page(page_file, address(page))
    settle(again)
    assert _colour_at(again, "axial", voxel) == other
    page.locator("#window-low").fill("30")
    page.locator("#window-low").press("Enter")
    assert "smaller one first" in status(page)
    page.locator("#window-reset").click()
    assert page.evaluate("ari.page.overlays.windows.statistic[1]") < 20


@pytest.mark.parametrize("file", ["page_file", "surface_file"])
def test_outlines_of_all_clusters_are_drawn(open_page, request, file):
    page = open_page(request.getfixturevalue(file))
    ask(page, 0.3)
    settle(page)
    before = page.locator("#brain").screenshot()
    page.locator("#display summary").click()
    page.locator("#outlines").check()
    page.locator("#display summary").click()
    settle(page)
    assert page.locator("#brain").screenshot() != before


# Signs.


@pytest.mark.parametrize(("sign", "direction"), [("1", "positive"), ("-1", "negative")])
def test_filter_of_signs_filters_rows_and_colours_and_no_numbers(page, sign, direction):
    ask(page, 0.3)
    found = page.evaluate("ari.page.found.rows")
    rest = page.locator("#rest").inner_text()
    page.locator("#sign").select_option(sign)
    signs = page.locator("#rows [role=img]").evaluate_all("all => all.map((s) => s.title)")
    assert set(signs) == {direction}
    assert len(signs) == sum(row["direction"] == direction for row in found)
    assert page.evaluate("ari.page.found.rows") == found
    assert page.locator("#rest").inner_text() == rest
    assert f"{len(signs)} of {len(found)} clusters" in page.locator("#count").inner_text()
    for overlay in ("found", "clusters", "tdp", "free", "statistic"):
        page.locator("#overlay").select_option(overlay)
        signs = page.evaluate(
            "Array.from(ari.page._shades).flatMap((shade, i) =>"
            " shade ? [Math.sign(ari.page.map.stat[i])] : [])"
        )
        assert set(signs) == {int(sign)}


def test_crosshair_tells_the_direction(page):
    for sign, direction in ((1, "positive"), (-1, "negative")):
        page.evaluate("voxel => ari.page.moveTo(voxel)", _voxel_of(page, sign))
        terms = page.locator("#here dt").all_inner_texts()
        told = dict(zip(terms, page.locator("#here dd").all_inner_texts(), strict=True))
        assert told["direction"] == direction
        assert told["cluster"].endswith(f", {direction}")


def test_infinite_peaks_are_told_in_words(open_page, small_map, tmp_path):
    z_img, mask_img, _ = small_map
    z = z_img.get_fdata().copy()
    z[:] = np.sign(z) * 0.1
    z[2:6, 2:6, 2:6] = np.inf
    z[9:12, 7:10, 3:7] = -np.inf
    with pytest.warns(UserWarning, match="infinite"):
        explore(
            new_img_like(z_img, z), mask_img=mask_img, two_sided=True,
            output_file=tmp_path / "infinite.html",
        )  # fmt: skip
    page = open_page(tmp_path / "infinite.html")
    for k in range(page.locator("#rows tr").count()):
        page.locator("#rows tr").nth(k).click()
        text = page.locator("main").inner_text()
        assert "∞" not in text
        assert "off the scale" in text


# Places.


def test_coordinates_are_typed_and_out_of_range_is_refused_with_the_range(page):
    _go(page, "5 -3 0")
    assert _xyz(page) == [5, -3, 0]
    _go(page, "2, 0, 3")
    assert _xyz(page) == [2, 0, 3]
    _go(page, "500 0 0")
    assert _xyz(page) == [2, 0, 3]
    said = status(page)
    assert "500, 0, 0 mm is not on the map" in said
    assert "x from -19 to 20" in said
    page.locator("#x").fill("-400")
    page.locator("#x").press("Enter")
    assert "-400, 0, 3 mm is not on the map" in status(page)
    assert page.locator("#x").input_value() == "2"


def test_regions_are_found_by_name(page):
    _go(page, "first <b>half</b>")
    assert page.evaluate("ari.page.markedRegion") == 1
    _go(page, "SECOND")
    assert page.evaluate("ari.page.markedRegion") == 2
    told = page.locator("#here dd").all_inner_texts()
    assert "second, half" in told
    _go(page, "half")
    assert "2 regions" in status(page)
    _go(page, "amygdala")
    assert "No region has “amygdala”" in status(page)


def test_names_that_several_regions_have_are_listed(open_page, small_map, fitted, tmp_path):
    labels = np.asarray(small_map[2].dataobj).copy()
    labels[5:7] = 9
    names = ["left gyrus", "right gyrus", "sulcus"]
    atlas_img = nib.Nifti1Image(labels, small_map[2].affine)
    explore(fitted, labels_img=atlas_img, labels=names, output_file=tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    _go(page, "gyrus")
    assert "The table lists them" in status(page)
    assert page.locator("#count").inner_text() == "2 of 3 regions"
    listed = page.locator("#rows td:first-child")
    assert sorted(listed.all_inner_texts()) == ["left gyrus", "right gyrus"]
    page.locator("#rows tr").last.click()
    assert page.evaluate("ari.page.markedRegion") > 0
    _go(page, "sulc")
    assert listed.count() == 3
    _go(page, "gyrus")
    page.locator("#show-regions").click()
    assert listed.count() == 3


@pytest.mark.parametrize("text", ["cluster 2", "Cluster2", "2"])
def test_clusters_are_found_by_number(page, text):
    ask(page, 0.3)
    _go(page, text)
    assert page.evaluate("ari.page.rowHere.cluster_id") == 2
    peak = page.evaluate("ari.page.found.rows[1].peak")
    assert page.evaluate("ari.page.elementHere") == peak
    row = page.locator("#rows tr[aria-selected=true]")
    assert row.locator("td").first.inner_text().strip() == "2"
    _go(page, "cluster 999")
    assert "There is no cluster 999: the page shows" in status(page)


@pytest.mark.parametrize("text", ["x", "1 2", ""])
def test_what_is_no_place_is_said(open_page, fitted, text, tmp_path):
    explore(fitted, output_file=tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    _go(page, text)
    assert "Type three numbers in mm, such as -42 -22 54, or a cluster" in status(page)


def test_points_beside_a_surface_are_refused_or_said(open_page, surface_file):
    page = open_page(surface_file)
    _go(page, "900 0 0")
    assert "is not on the map, which covers x from" in status(page)
    x, y, z = page.evaluate("ari.page.map.geometry.xyz(17)")
    _go(page, f"{x} {y} {z}")
    assert page.evaluate("ari.page.place") == 17
    assert status(page) == ""
    _go(page, "0 -10 15")
    assert "The nearest vertex is" in status(page)


@pytest.mark.parametrize("kind", ["volume", "surface"])
def test_regions_of_the_atlas_have_the_bounds_of_python(
    open_page, request, kind, small_map, small_surface, tmp_path
):
    file = {"volume": "page_file", "surface": "surface_file"}[kind]
    data = small_map if kind == "volume" else small_surface
    page = open_page(request.getfixturevalue(file))
    page_names = page.evaluate("ari.page.map.info.region_names.slice(1)")
    page.locator("#show-regions").click()
    assert page.locator("#rows tr").count() == 2
    names = page.locator("#rows td:first-child").all_inner_texts()
    assert sorted(names) == sorted(page_names)
    ari = RegionTDPTransformer(data[2], labels=page_names, mask_img=data[1], two_sided=True)
    ari.fit_transform(data[0])
    page.evaluate("document.getElementById('files').open = true")
    with page.expect_download() as waiting:
        page.locator("#save-table").click()
    waiting.value.save_as(tmp_path / "regions.csv")
    table = pd.read_csv(tmp_path / "regions.csv").set_index("region")
    expected = ari.table_.set_index("region").loc[page_names]
    for column in set(table.columns) & set(expected.columns):
        np.testing.assert_array_equal(
            table.loc[page_names, column], expected[column], err_msg=column
        )
    assert {"true_discoveries", "tdp", "peak_x"} <= set(table.columns) & set(expected.columns)
    # A row goes to the peak, and its region can be added to that of the user.
    page.evaluate("document.getElementById('files').open = false")
    page.locator("#rows tr").first.click()
    assert page.locator('#rows tr[aria-selected="true"]').count() == 1
    page.locator("#add-region").click()
    bound = page.evaluate("ari.page.region")
    row = expected.loc[names[0]]
    assert bound["true_discoveries"] == row["true_discoveries"]


# Keys and readers of screens.


def test_table_is_a_grid_with_one_tab_stop(page):
    ask(page, 0.3)
    stops = "document.querySelectorAll('#rows tr[tabindex=\"0\"]').length"
    assert page.evaluate(stops) == 1
    page.locator("#rows tr").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    n = page.locator("#rows tr").count()
    focused = "[...document.querySelectorAll('#rows tr')].indexOf(document.activeElement)"
    assert page.evaluate(focused) == n - 2
    assert page.evaluate(stops) == 1
    page.keyboard.press("Enter")
    assert page.locator("#rows tr").nth(n - 2).get_attribute("aria-selected") == "true"


def test_help_opens_and_closes_by_key(page):
    page.locator("body").press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_texts_stand_out_from_their_backgrounds(page, scheme):
    page.emulate_media(color_scheme=scheme)
    settle(page)
    ratios = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const luminance = (name) => {
                const hex = style.getPropertyValue(name).trim().slice(1);
                const [r, g, b] = [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255)
                    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            return [["--text", "--panel"], ["--faint", "--panel"], ["--text", "--button"],
                    ["--accent", "--panel"], ["--on-accent", "--accent"], ["--ink", "--stage"]]
                .map((pair) => pair.map(luminance).sort((a, b) => b - a))
                .map(([light, dark]) => (light + 0.05) / (dark + 0.05));
        }"""
    )
    assert min(ratios) >= 4.5


# Speed.


def test_last_position_of_the_slider_wins_and_is_shown_once(page, fitted):
    shown = page.evaluate(
        """async () => {
            const slider = document.getElementById("tdp-slider");
            let n = 0;
            const show = ari.page.showTable.bind(ari.page);
            ari.page.showTable = (how) => { n++; show(how); };
            for (let k = 0; k <= 50; k++) {
                slider.value = k / 50;
                slider.dispatchEvent(new Event("input"));
            }
            await new Promise((go) => requestAnimationFrame(() => setTimeout(go, 0)));
            return n;
        }"""
    )
    assert shown == 1
    assert page.evaluate("ari.page.found.rows.map((row) => row.cluster)") == (
        fitted.forest_.query(1).tolist()
    )


def test_faces_that_are_left_out_are_not_missed(open_page, surface_file):
    page = open_page(surface_file)
    same = page.evaluate(
        """() => {
            const { viewer } = ari.page;
            const pixels = () => {
                const canvas = ari.glPicture(viewer.nv, 300, 200, [0, 0, 0, 1]);
                return canvas.toDataURL();
            };
            const { hemispheres } = viewer;
            for (const { faces } of hemispheres) faces.showAll();
            const all = pixels();
            for (const { faces } of hemispheres) faces.showSeen(viewer._matrix());
            const few = pixels();
            return [all === few, hemispheres.every((h) => h.indexCount < h.tris.length)];
        }"""
    )
    assert same == [True, True]


def test_bounds_of_spheres_hold_where_one_types(page, fitted):
    _go(page, "-10 9 6")
    expected = set_bound(fitted, seed=_xyz(page), radius=8)
    assert page.evaluate("ari.page.sphere.true_discoveries") == expected.true_discoveries
