"""Reports of estimators: what they say, that text stays text, and that nilearn's stays there."""

from __future__ import annotations

import ast
import base64
import inspect
import re
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data, new_img_like
from nilearn.reporting import HTMLReport
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from sklearn.exceptions import NotFittedError

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)
from ari_estimator.reporting import make_report

SCRIPT = "<script>alert(1)</script>"

N_SUBJECTS = 12


class Tags(HTMLParser):
    """What an HTML page has in it: elements, and texts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def text_of(html):
    return re.sub(r"\s+", " ", " ".join(Tags(html).texts))


def n_figures(html):
    return html.count("data:image/png;base64,")


@pytest.fixture(scope="module")
def clusters(motor_img):
    transformer = ClusterTDPTransformer(threshold=4, two_sided=True, cluster_threshold=10)
    transformer.fit_transform(motor_img)
    return transformer


@pytest.fixture(scope="module")
def report(clusters):
    """Return the report by default, for all that read it: its figures take a second."""
    return clusters.generate_report()


def fitted_model(subjects, columns=("intercept",), **params):
    maps, mask_img = subjects
    rng = np.random.default_rng(0)
    design = pd.DataFrame({columns[0]: np.ones(N_SUBJECTS)})
    for column in columns[1:]:
        design[column] = rng.standard_normal(N_SUBJECTS)
    transformer = ClusterTDPTransformer(threshold=2.5)
    model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer, **params)
    return model.fit(maps, design_matrix=design)


def test_report_is_nilearns_and_can_be_saved(tmp_path, report):
    assert isinstance(report, HTMLReport)
    report.save_as_html(tmp_path / "report.html")
    saved = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert saved == report.get_standalone()
    assert "ClusterTDPTransformer" in saved
    assert report._repr_html_() == report.body
    assert report.body in report.get_standalone()
    assert report.get_standalone().startswith("<!DOCTYPE html>")


def test_report_says_what_was_found_and_what_is_guaranteed(clusters):
    text = text_of(clusters.generate_report(title="Button press").get_standalone())
    row = clusters.table_.iloc[0]
    assert "Button press" in text
    reading = text.partition("How to read this report.")[2].partition(" Clusters ")[0].strip()
    assert reading == (
        "The true discovery proportion (TDP) of a set is a lower bound on the proportion of its "
        f"voxels that are active. For example, at least {row['true_discoveries']:,} of the "
        f"{row['n_voxels']:,} voxels of cluster 1 are truly active, which is a TDP of "
        f"{np.floor(1000 * row['tdp']) / 1000:.3f}. With probability at least 95 % (alpha = 0.05), "
        f"the bounds of all sets of the {clusters.n_tested_:,} voxels tested hold at once. You may "
        "therefore choose thresholds and sets after looking at the results."
    )


def test_report_has_methods_to_paste_with_their_references(clusters, report):
    text = text_of(report.get_standalone())
    methods = text.partition("Methods")[2]
    assert (
        f"All {clusters.n_tested_:,} voxels of a z map were tested for positive and negative "
        "effects. The map declares no statistic, so its values were read as z values. "
        "Clusters consisted of at least 10 connected voxels with absolute values above 4; "
        "voxels were connected to their 6 neighbours. Closed testing used the local test of Simes "
        "(1986), which is valid under positive dependence."
    ) in methods
    for cited in ("Rosenblatt", "Goeman", "Simes"):
        assert methods.count(cited) >= 2  # in the text, and in the list
    assert "Hommel G (1983)" not in methods


def test_report_has_figures_as_png_parameters_and_versions(clusters, report):
    html = report.get_standalone()
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", html)
    assert len(pictures) == 3
    for picture in pictures:
        assert base64.b64decode(picture, validate=True).startswith(b"\x89PNG")
    text = text_of(html)
    for name in clusters.get_params():
        assert name in text
    for package in ("ari_estimator", "nilearn", "numpy", "scipy", "Python"):
        assert package in text
    assert ari_estimator.__version__ in text


def test_report_of_a_fitted_map_is_the_report_of_its_estimator(clusters):
    of_map = text_of(make_report(clusters.maps_, title="x").get_standalone())
    of_estimator = text_of(clusters.generate_report(title="x").get_standalone())
    without_date = [text.partition("Made on")[0] for text in (of_map, of_estimator)]
    assert without_date[0] == without_date[1]


def test_report_needs_nothing_from_elsewhere(report):
    tags = Tags(report.get_standalone())
    assert not {"script", "link", "iframe"} & set(tags.tags)
    sources = [value for name, value in tags.attributes if name in ("src", "href")]
    assert all(value.startswith("data:") for value in sources)


def test_report_leaves_no_figure_open(clusters):
    plt.close("all")
    clusters.generate_report()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "text", [SCRIPT, '"><img src=x onerror=alert(1)>', "a & b", "{{ 7 * 7 }}", "$\\frac{$"]
)
def test_title_is_text(clusters, text):
    html = clusters.generate_report(title=text).get_standalone()
    tags = Tags(html)
    assert "script" not in tags.tags
    assert not any(name == "onerror" for name, _ in tags.attributes)
    assert tags.texts.count(text) == 2  # of the page, and above the report


def test_names_of_regions_and_files_are_text(motor_img, tmp_path):
    labels = np.ones(motor_img.shape, dtype=np.int32)
    labels[27:] = 2
    folder = tmp_path / "<b>bold<"
    folder.mkdir()
    file = folder / "x&y.nii"
    new_img_like(motor_img, labels).to_filename(file)
    regions = RegionTDPTransformer(str(file), labels=[SCRIPT, "left $\\frac"])
    regions.fit_transform(motor_img)
    html = regions.generate_report().get_standalone()
    assert "<script>" not in html
    assert "b" not in Tags(html).tags
    text = text_of(html)
    assert SCRIPT in text
    assert f"region {SCRIPT}" in text
    assert str(file) in text


def test_table_is_cut_and_says_so(motor_img):
    transformer = ClusterTDPTransformer(threshold=2.5)
    transformer.fit_transform(motor_img)
    n = len(transformer.table_) - 1
    assert n > 5
    html = transformer.generate_report(max_sets=5).get_standalone()
    assert f"The first 5 of {n} clusters" in text_of(html)
    table = re.search(r"<tbody>(.*?)</tbody>", html, flags=re.DOTALL)[1]
    ids = re.findall(r"<tr[^>]*>\s*<td>([^<]*)</td>", table)
    assert list(dict.fromkeys(ids)) == ["1", "2", "3", "4", "5", "rest"]
    assert "The first" not in text_of(transformer.generate_report(max_sets=n).get_standalone())


def test_adaptive_clusters_have_a_figure_more_and_are_cited(motor_img):
    adaptive = AdaptiveTDPTransformer([0.5, 0.9], cluster_threshold=20)
    adaptive.fit_transform(motor_img)
    html = adaptive.generate_report().get_standalone()
    assert n_figures(html) == 4
    text = text_of(html)
    assert (
        "Adaptive thresholding (Chen et al., 2022) found the largest supra-threshold clusters with "
        "a TDP of at least 0.5 and 0.9. Each cluster had at least 20 voxels; voxels were connected "
        "to their 6 neighbours."
    ) in text
    assert "Chen X" in text


def test_sentence_on_a_threshold_free_map(motor_img):
    adaptive = AdaptiveTDPTransformer(None, connectivity=26).fit(motor_img)
    assert (
        "Each voxel of the TDP map shows the highest TDP of all supra-threshold clusters that "
        "contain it (Chen et al., 2022); voxels were connected to their 26 neighbours."
    ) in text_of(adaptive.generate_report().get_standalone())


def test_sentence_on_the_concentration_threshold(motor_img):
    ari = ClusterTDPTransformer("concentration").fit(motor_img)
    height = ari.table_["threshold"][0]
    assert (
        f"Clusters consisted of connected voxels above the concentration threshold, {height:.4g}; "
    ) in text_of(ari.generate_report().get_standalone())
    noise = np.random.default_rng(0).standard_normal(motor_img.shape)
    ari = ClusterTDPTransformer("concentration").fit(new_img_like(motor_img, noise))
    assert ari.true_discoveries_ == 0
    assert "No voxel reached the concentration threshold." in text_of(
        ari.generate_report().get_standalone()
    )


def test_map_without_clusters_is_reported(motor_img):
    nothing = ClusterTDPTransformer(threshold=50, local_test="hommel")
    nothing.fit_transform(motor_img)
    text = text_of(nothing.generate_report().get_standalone())
    assert (
        "A TDP of 0.6 would mean that at least 60 % of the voxels of a cluster are truly active. "
        "Here there is no cluster. This does not mean that nothing is active."
    ) in text
    assert "Hommel G (1983)" in text


@pytest.mark.parametrize("stat_type", ["p", "one_minus_p", "neg_log10_p"])
def test_maps_of_p_values_are_reported(motor_img, stat_type):
    from scipy.stats import norm

    p = norm.sf(get_data(motor_img).astype(float))
    values = {"p": p, "one_minus_p": 1 - p, "neg_log10_p": -np.log10(p)}[stat_type]
    mask_img = new_img_like(motor_img, (get_data(motor_img) != 0).astype(np.uint8))
    transformer = ClusterTDPTransformer(mask_img=mask_img, stat_type=stat_type)
    transformer.fit_transform(new_img_like(motor_img, values))
    assert n_figures(transformer.generate_report().get_standalone()) == 3


def test_regions_that_overlap_and_infinite_values_are_reported(motor_img):
    z = get_data(motor_img).astype(float)
    z[z > 7.9] = np.inf
    one, two = np.zeros(z.shape), np.zeros(z.shape)
    one[:30], two[25:] = 1, 1
    atlas = Nifti1Image(np.stack([one, two], axis=-1), motor_img.affine)
    mask_img = new_img_like(motor_img, (z != 0).astype(np.uint8))
    regions = RegionTDPTransformer(atlas, probability_threshold=0.5, mask_img=mask_img)
    regions.fit_transform(new_img_like(motor_img, z))
    assert "the 2 regions of an atlas" in text_of(regions.generate_report().get_standalone())


def test_one_of_several_maps_is_reported(motor_img):
    half = new_img_like(motor_img, get_data(motor_img) / 2)
    several = ClusterTDPTransformer(threshold=2)
    several.fit_transform([motor_img, half])
    with pytest.raises(ValueError, match="map_index"):
        several.generate_report()
    text = text_of(several.generate_report(map_index=1).get_standalone())
    assert f"{several.true_discoveries_[1]:,} (" in text


def sheet(n):
    grid = np.arange(n * n).reshape(n, n)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    flat = np.indices((n, n)).reshape(2, -1)
    return InMemoryMesh(np.column_stack([flat[0], flat[1], np.sin(flat[0])]).astype(float), faces)


def test_surfaces_are_reported():
    mesh = PolyMesh(left=sheet(9), right=sheet(8))
    rng = np.random.default_rng(0)
    data = {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
    data["left"][:20] += 5
    transformer = ClusterTDPTransformer()
    transformer.fit_transform(SurfaceImage(mesh, data))
    html = transformer.generate_report().get_standalone()
    assert n_figures(html) == 3
    assert "vertices tested hold at once" in text_of(html)
    assert (
        "Clusters consisted of connected vertices above 3.09; vertices were connected along the "
        "edges of the mesh."
    ) in text_of(html)


def test_cifti_images_are_reported_with_cortex_and_voxels():
    mesh = PolyMesh(left=sheet(9), right=sheet(8))
    cortex = [
        BrainModelAxis.from_surface(np.arange(part.n_vertices), part.n_vertices, f"Cortex{name}")
        for name, part in (("Left", mesh.parts["left"]), ("Right", mesh.parts["right"]))
    ]
    voxels = BrainModelAxis.from_mask(np.ones((4, 4, 4)), "THALAMUS_LEFT", np.diag([4, 4, 4, 1]))
    axis = cortex[0] + cortex[1] + voxels
    data = np.random.default_rng(0).standard_normal((1, len(axis)))
    data[0, :20] += 5
    transformer = ClusterTDPTransformer(mesh=mesh)
    transformer.fit_transform(Cifti2Image(data, (ScalarAxis(["z"]), axis)))
    html = transformer.generate_report().get_standalone()
    assert n_figures(html) == 4
    assert (
        "voxels were connected to their 6 neighbours and vertices were connected along the edges "
        "of the mesh."
    ) in text_of(html)


def test_calibration_is_reported():
    data = np.random.default_rng(0).standard_normal((15, 300))
    data[:, :30] += 2
    calibration = PermutationCalibration(n_permutations=100, random_state=0).fit(data, alpha=0.1)
    html = calibration.generate_report(title=SCRIPT).get_standalone()
    assert "<script>" not in html
    text = text_of(html)
    assert "With probability at least 90 % (alpha = 0.1)" in text
    assert (
        "It was calibrated by 100 permutations of the subjects (sign-flipping), including the data "
        "as observed."
    ) in text
    assert n_figures(html) == 1
    assert "Andreella" in text


def test_model_report_is_one_page_on_model_contrasts_and_tdp(subjects):
    model = fitted_model(subjects, ("intercept", "age"))
    plain = model.generate_report(contrasts=["intercept", "age"], title="a study", alpha=0.01)
    text = text_of(plain.get_standalone())
    assert "For true discovery proportions (TDPs), call compute_contrast" in text
    model.compute_contrast("intercept", output_type="tdp")
    report = model.generate_report(contrasts=["intercept", "age"], title="a study", alpha=0.01)
    html = report.get_standalone()
    assert report.body in html
    assert html.count("<!DOCTYPE html>") == html.count("</html>") == html.count("<h1>") == 1
    assert n_figures(html) == n_figures(plain.get_standalone()) + 3
    text = text_of(html)
    assert f"Contrast intercept Maps of subjects {N_SUBJECTS} Voxels tested" in text
    assert f"of the {model.n_tested_:,} voxels tested" in text
    assert "Contrast intercept (weights 1, 0)" in text
    assert "Mask given as mask_img" in text
    assert "Contrast age" in text
    assert "(p < 0.01, not corrected for multiple testing)" in text


def test_model_report_needs_nothing_from_elsewhere(subjects):
    model = fitted_model(subjects, ("intercept", "age"))
    model.compute_contrast("intercept", output_type="tdp")
    html = model.generate_report(contrasts="age").get_standalone()
    tags = Tags(html)
    assert not {"script", "link", "iframe", "a"} & set(tags.tags)
    sources = [value for name, value in tags.attributes if name in ("src", "href")]
    assert all(value.startswith("data:") for value in sources)
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src 'none'" in html


def test_model_report_lists_each_map_with_its_row_of_the_design(subjects, tmp_path):
    maps, mask_img = subjects
    files = []
    for number, img in enumerate(maps, start=1):
        files.append(tmp_path / f"sub-{number:02d}.nii")
        Nifti1Image(get_data(img), img.affine).to_filename(files[-1])  # img gets no file
    design = pd.DataFrame({"intercept": np.ones(N_SUBJECTS), "age": np.arange(N_SUBJECTS) - 4.5})
    model = ARISecondLevelModel(mask_img=mask_img)
    model.fit([str(file) for file in files], design_matrix=design)
    text = text_of(model.generate_report().get_standalone())
    assert all(str(file) in text for file in files)
    assert f"{files[0]} 1 -4.5 {files[1]} 1 -3.5" in text
    html = fitted_model(subjects).generate_report().get_standalone()
    assert f"map {N_SUBJECTS} 1" in text_of(html)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"height_control": "fwe"}, "'height_control' must be one of"),
        ({"plot_type": "cube"}, "'plot_type' must be one of"),
        ({"cluster_threshold": -1}, "'cluster_threshold' must be a number, at least 0"),
        ({"min_distance": -1}, "'min_distance' must be a number, at least 0"),
        ({"threshold": 2}, "threshold must be left at the default with height_control='fpr'"),
        ({"plot_type": "glass", "cut_coords": [0]}, "cut_coords must be left at the default"),
    ],
    ids=str,
)
def test_model_report_refuses_options_without_sense(subjects, options, said):
    with pytest.raises(ValueError, match=said):
        fitted_model(subjects).generate_report("intercept", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"two_sided": True},
        {"plot_type": "glass"},
        {"display_mode": "x", "cut_coords": 3},
        {"height_control": "bonferroni", "alpha": 0.05},
        {"height_control": None, "threshold": 2.5, "cluster_threshold": 5},
        {"bg_img": None},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # of matplotlib, on so small a brain
def test_model_report_shows_the_map_that_nilearn_thresholds(subjects, options):
    from nilearn.glm import threshold_stats_img

    model = fitted_model(subjects)
    text = text_of(model.generate_report("intercept", **options).get_standalone())
    given = {
        name: options[name]
        for name in ("alpha", "height_control", "threshold", "two_sided")
        if name in options
    }
    _, height = threshold_stats_img(
        model.compute_contrast("intercept"),
        subjects[1],
        **({"alpha": 0.001, "two_sided": False} | given),
    )
    sign = "|z|" if options.get("two_sided") else "z"
    assert f"Shown: {sign} above {height:.3g}" in text
    nothing = model.generate_report("intercept", height_control=None, threshold=50)
    assert "No value has z above 50." in text_of(nothing.get_standalone())


def test_model_report_of_surfaces():
    mesh = PolyMesh(left=sheet(9), right=sheet(8))
    rng = np.random.default_rng(0)
    maps = []
    for _ in range(N_SUBJECTS):
        data = {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
        data["left"][:20] += 3
        maps.append(SurfaceImage(mesh, data))
    model = ARISecondLevelModel(transformer=ClusterTDPTransformer(2))
    model.fit(maps, design_matrix=pd.DataFrame({"intercept": np.ones(N_SUBJECTS)}))
    model.compute_contrast(output_type="tdp")
    html = model.generate_report("intercept", two_sided=True).get_standalone()
    assert n_figures(html) == 5
    assert "mask computed from the maps" in text_of(html).lower()


@pytest.fixture(scope="module")
def model_report(subjects):
    """Return the report of a calibrated model, which has figures of all kinds."""
    calibration = PermutationCalibration(n_permutations=50, random_state=0)
    model = fitted_model(subjects, calibration=calibration)
    model.compute_contrast([1], output_type="tdp")
    return model.generate_report("intercept")


def test_tables_of_contrasts_are_written_as_other_tables(model_report):
    html = model_report.get_standalone()
    table = html[html.index("Clusters of this map") :].partition("</table>")[0]
    heads = re.findall(r'<th scope="col">(.*?)</th>', table)
    assert heads == ["Cluster", "x", "y", "z", "Peak value", "mm³"]
    first = re.findall(r"<td>(.*?)</td>", table)[: len(heads)]
    assert re.fullmatch(r"-?\d+\.\d\d", first[4])
    assert re.fullmatch(r"\d{1,3}(,\d{3})*", first[5])


def test_clusters_of_a_contrast_are_numbered_without_gaps(subjects):
    """In nilearn 0.14.1, negative clusters skip as many numbers as there are sub-peaks before."""
    maps, mask_img = subjects
    model = ARISecondLevelModel(mask_img=mask_img)
    model.fit(maps, design_matrix=pd.DataFrame({"intercept": np.ones(len(maps))}))
    model.compute_contrast("intercept", output_type="tdp")
    report = model.generate_report(
        "intercept", two_sided=True, height_control=None, threshold=1, min_distance=1
    )
    table = report.get_standalone().partition("Clusters of this map")[2].partition("</table>")[0]
    numbers = re.findall(r"<tr><td>(\d+)([a-z]*)</td>", table)
    main = [int(number) for number, letters in numbers if not letters]
    assert any(letters for _, letters in numbers)
    assert main == list(range(1, len(main) + 1))
    assert re.search(r"<td>-\d+\.\d\d</td>", table)


def test_texts_of_a_model_are_plain(model_report):
    text = text_of(model_report.get_standalone())
    assert "mass-univariate linear model with the column intercept" in text
    assert "1 step" in text
    assert "(s)" not in text
    assert "The search region was the mask of the model" in text


def test_few_active_voxels_are_not_0_percent():
    z = -np.random.default_rng(0).random((40, 40, 40))
    z[5, 5, 5:9] = 12.5
    mask_img = Nifti1Image(np.ones(z.shape, dtype=np.uint8), np.eye(4))
    ari = ClusterTDPTransformer(3.0, mask_img=mask_img).fit(Nifti1Image(z, np.eye(4)))
    text = text_of(str(ari.generate_report()))
    assert "4 (0.006 %)" in text
    # A threshold above all voxels leaves them in the rest, whose TDP is not 0 either.
    text = text_of(
        str(ari.set_params(threshold=13).fit(Nifti1Image(z, np.eye(4))).generate_report())
    )
    assert "rest 64,000 0.00006 4" in text


def test_numbers_do_not_break_across_lines_except_in_texts_to_copy(clusters):
    html = clusters.generate_report().get_standalone()
    shown, _, to_copy = html.partition("<h2>Details</h2>")
    assert "95\N{NO-BREAK SPACE}% (alpha\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.05)" in shown
    assert not re.search(
        r"\d %|[≥=] \d|\d mm\b", re.sub(r"<style>.*?</style>", "", shown, flags=re.S)
    )
    assert "\N{NO-BREAK SPACE}" not in to_copy.partition("Parameters of")[0]


@pytest.mark.parametrize("file_format", ["svg", "pdf", "png"])
def test_each_figure_of_a_report_can_be_saved(model_report, tmp_path, file_format):
    report = model_report
    paths = report.save_figures(tmp_path / "figures", file_format=file_format, dpi=60)
    assert [path.stem for path in paths] == [
        "slices", "clusters", "strongest", "permutations", "design", "contrast_1"
    ]  # fmt: skip
    assert len(paths) == n_figures(report.get_standalone())
    start = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[file_format]
    assert all(path.read_bytes().startswith(start) for path in paths)
    assert plt.get_fignums() == []


def test_figures_are_saved_as_asked_or_not_at_all(tmp_path, report):
    with pytest.raises(ValueError, match=r"file_format must be one of .*'svg'.* Got 'bmp'"):
        report.save_figures(tmp_path, file_format="bmp")
    with pytest.raises(ValueError, match=r"dpi must be a number .* Got 0"):
        report.save_figures(tmp_path, dpi=0)
    assert not list(tmp_path.iterdir())


def test_report_looks_the_same_in_every_style_and_with_latex(clusters, report):
    expected = re.findall(r"base64,([^\"]+)", report.body)
    with plt.style.context("dark_background"), plt.rc_context({"text.usetex": True}):
        drawn = re.findall(r"base64,([^\"]+)", clusters.generate_report().body)
        assert plt.rcParams["text.usetex"] is True
    assert drawn == expected


def test_report_has_a_background_of_its_own_for_dark_notebooks(report):
    style = re.search(r"<style>(.*?)</style>", report.body, re.DOTALL)[1]
    assert "background: var(--paper); color: var(--ink)" in style
    assert "prefers-color-scheme: dark" in style


def test_captions_say_slices_threshold_side_and_that_bounds_are_lower(motor_img, report):
    text = text_of(report.get_standalone())
    assert re.search(r"Axial slices at z = (-?\d+, ){5}-?\d+ mm; left is on the left\.", text)
    assert (
        "Top: z of voxels with absolute values above 4 (two-sided test: positive and negative "
        "effects). Bottom: at least this proportion of the voxels of the cluster is active (TDP)."
    ) in text
    one_sided = ClusterTDPTransformer(threshold=4).fit(motor_img)
    text = text_of(one_sided.generate_report().get_standalone())
    assert "with values above 4 (one-sided test: positive effects only)" in text


def test_model_report_takes_what_nilearns_takes():
    ours = inspect.signature(ARISecondLevelModel.generate_report).parameters
    nilearns = inspect.signature(SecondLevelModel.generate_report).parameters
    assert list(ours) == list(nilearns)
    assert [p.default for p in ours.values()] == [p.default for p in nilearns.values()]


@pytest.mark.parametrize("is_weights", [False, True], ids=["name", "weights"])
def test_names_of_contrasts_are_text(subjects, is_weights):
    model = fitted_model(subjects, (SCRIPT,))
    model.compute_contrast(SCRIPT, output_type="tdp")
    contrasts = {SCRIPT: np.array([1])} if is_weights else SCRIPT
    html = model.generate_report(contrasts=contrasts, title=SCRIPT).get_standalone()
    assert SCRIPT not in html
    assert escape(SCRIPT) in html
    assert unescape(text_of(html)).count("alert(1)") >= 3


def test_model_report_shows_the_calibration(subjects):
    calibration = PermutationCalibration(n_permutations=50, random_state=0)
    model = fitted_model(subjects, calibration=calibration)
    model.compute_contrast([1], output_type="tdp")
    html = model.generate_report(contrasts="intercept").get_standalone()
    assert n_figures(html) == 6
    text = text_of(html)
    assert "Contrast [1]" in text
    assert (
        "The critical vector follows the template “simes” (Blanchard et al., 2020; Andreella et "
        "al., 2023). It was calibrated by 50 permutations of the subjects (sign-flipping), "
        "including the data as observed."
    ) in text
    assert "NumberOfPermutations 50 Scheme sign-flipping Seed 0" in text


def test_nothing_to_report_is_an_error(subjects):
    with pytest.raises(NotFittedError, match="Call fit or fit_transform"):
        ClusterTDPTransformer().generate_report()
    with pytest.raises(NotFittedError):
        PermutationCalibration().generate_report()
    with pytest.raises(NotFittedError, match="compute_contrast"):
        make_report(fitted_model(subjects))
    with pytest.raises(TypeError, match="fitted must be a fitted transformer"):
        make_report("a map")


@pytest.mark.parametrize("max_sets", [0, 2.5, None])
def test_max_sets_must_be_a_number(clusters, max_sets):
    with pytest.raises(ValueError, match="max_sets must be an integer"):
        clusters.generate_report(max_sets=max_sets)


def test_title_must_be_a_text(clusters):
    with pytest.raises(TypeError, match=r"title must be a string or None\. Got int"):
        clusters.generate_report(title=3)


def test_every_template_is_escaped():
    from ari_estimator.reporting import _report_page as _report

    assert _report._TEMPLATES.autoescape is True
    folder = Path(_report.__file__).parent / "templates"
    # Nothing but the body, which came out of a template, is taken for HTML.
    unescaped = [
        line
        for path in folder.glob("*.jinja")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\|\s*safe|autoescape", line)
    ]
    assert unescaped == ["<main>{{ body | safe }}</main>"]


def test_estimators_know_reports_only_by_the_hook():
    root = Path(ari_estimator.__file__).parent / "estimators"
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not {"ari_estimator.reporting", "ari_estimator.plotting"} & names, path
        assert "import_module" not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def test_captions_of_contrasts_say_threshold_side_and_slices(subjects):
    model = fitted_model(subjects)
    html = model.generate_report("intercept", two_sided=True).get_standalone()
    assert re.search(
        r"Statistic of the contrast intercept: \|z\| above 3\.29 .*"
        r"Axial slices at z = [\d, -]+ mm; left is on the left\.",
        text_of(html),
    )
    options = {"display_mode": "x", "cut_coords": [12, 16]}
    text = text_of(model.generate_report("intercept", **options).get_standalone())
    assert "intercept: z above 3.09" in text
    assert "Sagittal slices at x = 12, 16 mm." in text


def test_threshold_free_map_shows_all_values_and_no_dots(motor_img):
    report = AdaptiveTDPTransformer(None).fit(motor_img).generate_report()
    text = text_of(report.get_standalone())
    assert "Top: z of voxels (one-sided test: positive effects only)." in text
    assert "Size and TDP of each cluster" not in text


def test_rest_has_no_direction(report):
    table = re.search(r"<tbody>(.*?)</tbody>", report.html, flags=re.DOTALL)[1]
    cells = re.findall(r"<td>(.*?)</td>", table.rpartition("<tr")[2])
    assert cells[:2] == ["rest", ""]


def test_figures_are_saved_all_or_none(clusters, tmp_path, monkeypatch):
    from ari_estimator.reporting._report_figure import ReportFigure

    write = ReportFigure.write

    def failing(self, file, *args, **kwargs):
        if self.name == "strongest":
            raise OSError("the disk is full")
        write(self, file, *args, **kwargs)

    report = clusters.generate_report()
    monkeypatch.setattr(ReportFigure, "write", failing)
    with pytest.raises(OSError, match="the disk is full"):
        report.save_figures(tmp_path / "figures")
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize("dpi", [0, -1, np.nan, np.inf, 1e5, "300"])
def test_resolution_of_saved_figures_is_checked(tmp_path, dpi, report):
    with pytest.raises(ValueError, match="dpi must be a number of dots per inch above 0, at most"):
        report.save_figures(tmp_path, dpi=dpi)


def test_names_of_figures_are_known(motor_img, subjects):
    from ari_estimator.reporting._report_figure import FIGURE_NAMES

    calibration = PermutationCalibration(n_permutations=50, random_state=0)
    model = fitted_model(subjects, calibration=calibration)
    model.compute_contrast("intercept", output_type="tdp")
    adaptive = AdaptiveTDPTransformer(0.7).fit(motor_img)
    labels = new_img_like(motor_img, np.ones(motor_img.shape, dtype=np.int32))
    regions = RegionTDPTransformer(labels).fit(motor_img)
    for fitted in (model, model.calibration_, adaptive, regions):
        names = {figure.name for figure in fitted.generate_report()._figures}
        assert names <= set(FIGURE_NAMES)
