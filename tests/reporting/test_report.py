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

N_SUBJECTS = 10


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


@pytest.fixture
def clusters(motor_img):
    transformer = ClusterTDPTransformer(threshold=4, two_sided=True, cluster_threshold=10)
    transformer.fit_transform(motor_img)
    return transformer


@pytest.fixture(scope="module")
def subjects():
    """Return maps of subjects with an effect, and their mask."""
    rng = np.random.default_rng(3)
    mask = np.zeros((10, 11, 12), dtype=np.uint8)
    mask[1:9, 1:10, 1:11] = 1
    affine = np.diag([4.0, 4, 4, 1])
    data = rng.standard_normal((N_SUBJECTS, *mask.shape))
    data[:, 3:6, 3:7, 3:7] += 2
    return [Nifti1Image(one, affine) for one in data], Nifti1Image(mask, affine)


def fitted_model(subjects, columns=("intercept",), **params):
    maps, mask_img = subjects
    rng = np.random.default_rng(0)
    design = pd.DataFrame({columns[0]: np.ones(N_SUBJECTS)})
    for column in columns[1:]:
        design[column] = rng.standard_normal(N_SUBJECTS)
    transformer = ClusterTDPTransformer(threshold=2.5)
    model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer, **params)
    return model.fit(maps, design_matrix=design)


def test_report_is_nilearns_and_can_be_saved(clusters, tmp_path):
    report = clusters.generate_report()
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
    reading = text.partition("How to read it.")[2].partition(" Clusters ")[0].strip()
    assert reading == (
        "The true discovery proportion (TDP) of a set is a lower bound on the active proportion of "
        f"its voxels. For example, at least {row['true_discoveries']:,} of the "
        f"{row['n_voxels']:,} voxels of cluster 1 are truly active: a TDP of "
        f"{np.floor(1000 * row['tdp']) / 1000:.3f}. With probability at least 95 % (alpha = 0.05), "
        f"the bounds of all sets of the {clusters.n_tested_:,} voxels tested hold at once. You may "
        "therefore choose thresholds and sets after looking at the results."
    )


def test_report_has_methods_to_paste_with_their_references(clusters):
    text = text_of(clusters.generate_report().get_standalone())
    methods = text.partition("Methods")[2]
    assert (
        f"It tested a z map of {clusters.n_tested_:,} voxels for positive and negative effects. "
        "Nothing says what the map holds: it was taken for z values. "
        "Clusters are sets of at least 10 connected voxels with absolute values above 4; each "
        "voxel is connected to its 6 neighbours. Closed testing used the local test of Simes "
        "(1986), which is valid under positive dependence."
    ) in methods
    for cited in ("Rosenblatt", "Goeman", "Simes"):
        assert methods.count(cited) >= 2  # in the text, and in the list
    assert "Hommel G (1983)" not in methods


def test_report_has_figures_as_png_parameters_and_versions(clusters):
    html = clusters.generate_report().get_standalone()
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


def test_report_needs_nothing_from_elsewhere(clusters):
    tags = Tags(clusters.generate_report().get_standalone())
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
        "Adaptive thresholds (Chen et al., 2022) gave the largest supra-threshold clusters with a "
        "TDP of at least 0.5 and 0.9. Each cluster has at least 20 voxels; each voxel is connected "
        "to its 6 neighbours."
    ) in text
    assert "Chen X" in text


def test_sentence_on_a_threshold_free_map(motor_img):
    adaptive = AdaptiveTDPTransformer(None, connectivity=26).fit(motor_img)
    assert (
        "The map shows at each voxel the highest TDP of all supra-threshold clusters that contain "
        "it (Chen et al., 2022); each voxel is connected to its 26 neighbours."
    ) in text_of(adaptive.generate_report().get_standalone())


def test_sentence_on_the_concentration_threshold(motor_img):
    ari = ClusterTDPTransformer("concentration").fit(motor_img)
    height = ari.table_["threshold"][0]
    assert (
        f"Clusters are sets of connected voxels above the concentration threshold, {height:.4g}; "
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
        "Here every cluster has a TDP of 0, which says nothing about it."
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
        "Clusters are sets of connected vertices above 3.09; vertices are connected along the "
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
        "each voxel is connected to its 6 neighbours and vertices are connected along the edges of "
        "the mesh."
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


def test_model_report_is_nilearns_with_the_tdp_below(subjects):
    model = fitted_model(subjects, ("intercept", "age"))
    plain = model.generate_report(contrasts=["intercept", "age"], title="a study", alpha=0.01)
    assert "ari-report" not in plain.get_standalone()
    model.compute_contrast("intercept", output_type="tdp")
    report = model.generate_report(contrasts=["intercept", "age"], title="a study", alpha=0.01)
    html = report.get_standalone()
    assert report.body in html
    assert html.count("<!DOCTYPE html>") == html.count("</html>") == 1
    assert html.index("Statistical Maps") < html.index('<section class="ari-report">')
    assert n_figures(html) == n_figures(plain.get_standalone()) + 3
    text = text_of(html.partition('<section class="ari-report">')[2])
    assert "True discovery proportions Contrast intercept" in text
    assert f"of the {model.n_tested_:,} voxels tested" in text


def test_model_report_takes_what_nilearns_takes():
    ours = inspect.signature(ARISecondLevelModel.generate_report).parameters
    nilearns = inspect.signature(SecondLevelModel.generate_report).parameters
    assert list(ours) == list(nilearns)
    assert [p.default for p in ours.values()] == [p.default for p in nilearns.values()]


@pytest.mark.parametrize("is_weights", [False, True], ids=["name", "weights"])
def test_names_of_contrasts_are_text_in_nilearns_part_too(subjects, is_weights):
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
    section = html.partition('<section class="ari-report">')[2]
    assert n_figures(section) == 4
    text = text_of(section)
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
    from ari_estimator.reporting import _report

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
