"""Methods and results to paste: complete, in four formats, with nothing that is not known."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.datasets import load_fsaverage
from nilearn.image import new_img_like
from nilearn.surface import SurfaceImage
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterExtent,
    ClusterExtentCalibration,
    ClusterTDPTransformer,
    JointCalibration,
    PermutationCalibration,
    RandomFieldExtent,
    RegionTDPTransformer,
)
from ari_estimator._version import __version__
from ari_estimator.reporting import get_methods

N_SUBJECTS = 12
FORMATS = ("markdown", "html", "latex", "bibtex")


def fitted(subjects, contrast="intercept", calibration=None, **params):
    maps, mask_img = subjects
    group = np.repeat([0.5, -0.5], N_SUBJECTS // 2)
    design = pd.DataFrame({"intercept": np.ones(N_SUBJECTS), "patient_50%": group})
    transformer = ClusterTDPTransformer(2.5, two_sided=True, cluster_threshold=5)
    model = ARISecondLevelModel(
        mask_img=mask_img, transformer=transformer, calibration=calibration, **params
    )
    model.fit(maps, design_matrix=design)
    model.compute_contrast(contrast, output_type="tdp")
    return model


@pytest.fixture(scope="module")
def calibrated(subjects):
    return fitted(subjects, calibration=PermutationCalibration(n_permutations=100, random_state=7))


def test_methods_of_a_group_study_are_complete(calibrated):
    text = get_methods(calibrated)
    low, high = calibrated.calibration_.lambda_interval_
    for said in (
        "12 maps of subjects were analysed by a mass-univariate linear model with the columns "
        "intercept and patient",
        "The contrast was intercept, with weights 1, 0.",
        "calibrated by 100 permutations of the subjects (sign-flipping)",
        f"the 95 % Monte Carlo interval is {low:.3g} to {high:.3g}",
        "The seed was 7.",
        "template “simes”",
        "subjects are independent and that their errors are symmetric around 0",
        "mask of the model, given as mask",
        f"estimator {__version__} and nilearn",
    ):
        assert said in text
    rows = dict(re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE))
    assert rows["Subjects"] == "12 maps"
    assert rows["Contrast"] == "intercept (weights 1, 0)"
    assert rows["Exchangeability blocks"] == "none: all rows are one block"
    assert rows["Seed"] == "7"
    assert rows["Permutations"] == "100, including the data as observed"
    assert rows["Statistic"] == "z, two-sided"
    assert f"{low:.4g} to {high:.4g}" in rows["Lambda"]


@pytest.mark.parametrize(
    ("contrast", "params", "said"),
    [
        ("patient", {}, "errors of the rows that were permuted are exchangeable"),
        ("intercept", {"scheme": "bootstrap"}, "hold for large samples"),
        ("intercept", {"blocks": np.arange(N_SUBJECTS) // 2}, "blocks are independent"),
    ],
    ids=["permutation", "bootstrap", "blocks"],
)
def test_assumption_is_that_of_the_scheme(subjects, contrast, params, said):
    contrast = [0, 1] if contrast == "patient" else contrast
    calibration = PermutationCalibration(n_permutations=40, random_state=0, **params)
    text = get_methods(fitted(subjects, contrast, calibration))
    assert said in text
    assert "no assumption about the dependence between voxels" in text
    if "blocks" in params:
        assert "| Exchangeability blocks | 6 blocks |" in text


@pytest.mark.parametrize(
    ("local_test", "said"),
    [
        ("simes", "positive dependence (PRDS)"),
        ("hommel", "no assumption about the dependence"),
        (RandomFieldExtent(0.001, 8), "smooth, stationary Gaussian field"),
        (ClusterExtent(0.001, 60), "what the program assumes that found the size"),
    ],
)
def test_assumption_of_closed_testing(motor_img, local_test, said):
    ari = ClusterTDPTransformer(4, local_test=local_test).fit(motor_img)
    text = get_methods(ari)
    assert said in text
    assert ("no assumption about the dependence" in text) is (local_test == "hommel")


@pytest.mark.filterwarnings("ignore:.*permutations:UserWarning")
@pytest.mark.parametrize(
    ("numbers", "seeds"), [((40, 40), (0, 0)), ((40, 60), (0, 0)), ((40, 40), (0, 1))]
)
def test_bounds_of_several_kinds_need_the_assumptions_of_each(subjects, numbers, seeds):
    kinds = (PermutationCalibration, ClusterExtentCalibration)
    calibration = JointCalibration(
        [
            kind(n_permutations=number, random_state=seed)
            for kind, number, seed in zip(kinds, numbers, seeds, strict=True)
        ]
    )
    model = fitted(subjects, "intercept", calibration)
    text = get_methods(model)
    # In the text and in the checklist.
    assert text.count("their errors are symmetric around 0. They make no assumption") == 2
    for name, values in (("Permutations", numbers), ("Seed", seeds)):
        if len(set(values)) == 1:
            assert f"| {name} | {values[0]}" in text
        else:
            assert f"| {name} of bounds by p-values | {values[0]}" in text
            assert f"| {name} of bounds by extents | {values[1]}" in text
    if len(set(seeds)) > 1:
        assert "The seeds were 0 for bounds by p-values and 1 for bounds by extents." in text
    model.generate_report()


def test_what_is_not_known_is_said(motor_img):
    text = get_methods(ClusterTDPTransformer(4).fit(motor_img))
    for item in ("Subjects", "Model", "Contrast"):
        assert f"| {item} | not recorded here" in text


def test_file_of_the_mask_is_named(subjects, tmp_path):
    maps, mask_img = subjects
    mask_img.to_filename(tmp_path / "brain.nii")
    ari = ClusterTDPTransformer(2, mask_img=str(tmp_path / "brain.nii")).fit(maps[0])
    assert "brain.nii" in get_methods(ari)
    model = ARISecondLevelModel(mask_img=str(tmp_path / "brain.nii"))
    model.fit(maps, design_matrix=pd.DataFrame({"intercept": np.ones(N_SUBJECTS)}))
    model.compute_contrast(output_type="tdp")
    assert "brain.nii" in get_methods(model)


def test_each_cluster_has_a_sentence(motor_img):
    ari = ClusterTDPTransformer(4, two_sided=True, cluster_threshold=10).fit(motor_img)
    table = ari.table_.iloc[:-1]
    found = table[table["true_discoveries"] > 0]
    results = get_methods(ari).partition("## Results")[2].partition("## ")[0]
    sentences = re.findall(r"^- (.+)$", results, re.MULTILINE)
    assert sentences[0] == (
        f"With 95 % confidence, at least {ari.true_discoveries_:,} of the {ari.n_tested_:,} "
        "tested voxels are active."
    )
    row = found.iloc[0]
    assert sentences[1] == (
        f"Cluster 1 ({row['direction']}, {row['n_voxels']:,} voxels, {row['size_mm3']:,.0f} mm³; "
        f"peak {row['peak_stat']:.2f} at x = {row['peak_x']:g}, y = {row['peak_y']:g}, "
        f"z = {row['peak_z']:g} mm): at least {row['true_discoveries']:,} of its voxels are "
        f"active (TDP ≥ {np.floor(1000 * row['tdp']) / 1000:.3f})."
    )
    n_without = len(table) - len(found)
    assert len(sentences) == 1 + len(found) + bool(n_without)


def test_clusters_without_bounds_share_a_sentence(motor_img):
    noise = np.random.default_rng(0).standard_normal(motor_img.shape)
    ari = ClusterTDPTransformer(3.5).fit(new_img_like(motor_img, noise))
    text = get_methods(ari)
    n = len(ari.table_) - 1
    assert f"The clusters ({n}) have lower bounds of 0" in text


def test_no_discoveries_are_no_number_of_active_voxels(motor_img):
    noise = np.random.default_rng(0).standard_normal(motor_img.shape)
    text = get_methods(ClusterTDPTransformer(50).fit(new_img_like(motor_img, noise)))
    assert "voxels is 0, so there may be no activity at all." in text
    assert "at least 0" not in text


@pytest.mark.parametrize(
    ("kind", "place"), [("surface", "in the left hemisphere"), ("cifti", "in")]
)
def test_peaks_say_in_which_part_they_are(kind, place):
    mesh = load_fsaverage("fsaverage5")["pial"]
    rng = np.random.default_rng(0)
    data = {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
    data["left"][:400] += 6
    if kind == "surface":
        text = get_methods(ClusterTDPTransformer(3).fit(SurfaceImage(mesh, data)))
    else:
        axes = [
            BrainModelAxis.from_surface(np.arange(values.size), values.size, f"Cortex{side}")
            for side, values in zip(("Left", "Right"), data.values(), strict=True)
        ]
        values = np.concatenate(list(data.values()))[np.newaxis]
        img = Cifti2Image(values, (ScalarAxis(["z"]), axes[0] + axes[1]))
        text = get_methods(ClusterTDPTransformer(3, mesh=mesh).fit(img))
        place = r"in CORTEX\_LEFT"
    assert re.search(rf"peak [\d.]+ {re.escape(place)} at x = -", text)


def test_regions_are_named(motor_img):
    labels = np.ones(motor_img.shape, dtype=np.int32)
    labels[27:] = 2
    regions = RegionTDPTransformer(new_img_like(motor_img, labels), labels=["a & b_c", "left"])
    regions.fit(motor_img)
    assert r"Region a \& b\_c (" in get_methods(regions, output_format="latex")
    assert "Region a &amp; b_c (" in get_methods(regions, output_format="html")
    assert r"Region a & b\_c (" in get_methods(regions)


def test_latex_has_no_bare_special_characters(calibrated):
    text = get_methods(calibrated, output_format="latex")
    body = re.sub(r"\\(begin|end|section|bibitem)\*?\{[^}]*\}(\{[^}]*\})*", "", text)
    body = re.sub(r"\\[%&#_{}$]", "", body)
    assert not re.search(r"[%#_]", body)
    assert text.isascii()
    assert text.count("\\begin{") == text.count("\\end{")


def test_bibtex_has_an_entry_for_each_reference_and_the_software(motor_img, calibrated):
    for fitted_ in (calibrated, AdaptiveTDPTransformer(0.7).fit(motor_img)):
        text = get_methods(fitted_, output_format="bibtex")
        references = get_methods(fitted_).partition("## References")[2].count("\n- ")
        keys = re.findall(r"^@(\w+)\{(\w+),", text, re.MULTILINE)
        assert len(keys) == len({key for _, key in keys}) == references
        assert ("software", "ari_estimator") in keys
        assert ("article", "Rosenblatt2018") in keys
        assert f"version = {{{__version__}}}" in text
    assert "author = {Goeman, J. J. and Meijer, R. J." in text
    assert "pages = {841--856}" in text
    assert "eprint = {2206.13587}" in text


def test_report_has_the_same_text_in_all_formats(calibrated):
    from html import unescape

    html = unescape(calibrated.generate_report().get_standalone())
    for output_format in ("markdown", "latex", "bibtex"):
        assert get_methods(calibrated, output_format=output_format) in html
    for line in get_methods(calibrated, output_format="html").splitlines():
        if line.startswith(("<p>", "<li>")):
            assert unescape(re.sub("<.*?>", "", line)) in html


def test_a_fitted_map_says_as_much_as_its_model(calibrated):
    for output_format in FORMATS:
        assert get_methods(calibrated.maps_, output_format=output_format) == get_methods(
            calibrated, output_format=output_format
        )


def test_calibration_alone(calibrated):
    text = get_methods(calibrated.calibration_)
    assert "symmetric around 0" in text
    assert f"{calibrated.calibration_.p_values_.size:,} tested elements are active" in text
    with pytest.raises(ValueError, match="max_sets must be left"):
        get_methods(calibrated.calibration_, max_sets=3)


def test_refuses_what_it_cannot_write(calibrated):
    with pytest.raises(ValueError, match=r"output_format must be one of .*'latex'.* Got 'docx'"):
        get_methods(calibrated, output_format="docx")
    with pytest.raises(ValueError, match="max_sets must be an integer"):
        get_methods(calibrated, max_sets=0)
    with pytest.raises(NotFittedError):
        get_methods(ClusterTDPTransformer())
    with pytest.raises(TypeError, match="fitted must be a fitted transformer"):
        get_methods("a map")
