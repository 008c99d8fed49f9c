"""What explore and ``ari explore`` take, refuse and write; no browser is needed."""

from __future__ import annotations

import base64
import json
import re
import webbrowser
import zlib
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.maskers import NiftiMasker

import ari_estimator.explorer._page
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    explore,
)
from ari_estimator.explorer._packing import as_exact_float, pack, script_json


def _data(document):
    """Return what a page holds, arrays unpacked."""
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', str(document))
    data = json.loads(text.group(1))
    arrays = {name: _unpacked(packed) for name, packed in data["arrays"].items()}
    return data["info"], arrays


def _unpacked(packed):
    columns = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    dtype = np.dtype(packed["type"]).newbyteorder("<")
    rows = columns.reshape(dtype.itemsize, packed["n"]).T
    return np.ascontiguousarray(rows).view(dtype).ravel()


# What is packed.


@pytest.mark.parametrize(
    "array",
    [
        np.array([], dtype=np.int32),
        np.array([True, False, True]),
        np.arange(300, dtype=np.uint8),
        np.array([-1, 0, 2**31 - 1], dtype=">i4"),
        np.array([np.inf, -np.inf, 1e-300, -0.0]),
    ],
    ids=["empty", "bool", "uint8", "big-endian", "float64"],
)
def test_packed_arrays_come_out_as_they_were(array):
    np.testing.assert_array_equal(_unpacked(pack(array)), array)


@pytest.mark.parametrize("array", [np.arange(3), np.zeros((2, 2)), np.array(["a"])])
def test_what_the_page_cannot_unpack_is_not_packed(array):
    with pytest.raises(TypeError, match="one dimension and a type"):
        pack(array)


def test_single_precision_is_used_where_it_is_exact():
    assert as_exact_float(np.array([1.5, np.inf, -3])).dtype == np.float32
    assert as_exact_float(np.array([0.1])).dtype == np.float64
    assert as_exact_float(np.array([1e300])).dtype == np.float64


def test_json_ends_no_script_and_stays_what_it_was():
    text = "</script><!-- <script> & \u2028 \u2029 $title"
    written = script_json({"text": text})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"text": text}


def test_page_holds_the_map_and_its_forest(small_map, fitted):
    info, arrays = _data(explore(fitted, labels_img=small_map[2], labels=["a", "b"]))
    forest, family = fitted.forest_, fitted.maps_.family
    np.testing.assert_array_equal(arrays["mask"], small_map[1].get_fdata().ravel())
    np.testing.assert_array_equal(arrays["stat"], family.stat)
    np.testing.assert_array_equal(arrays["elements"], forest.elements)
    np.testing.assert_array_equal(arrays["sizes"], forest.sizes)
    np.testing.assert_array_equal(arrays["is_cluster"], forest.is_cluster)
    np.testing.assert_array_equal(arrays["true_discoveries"], forest.true_discoveries)
    assert info["true_discoveries"] == fitted.true_discoveries_
    assert info["region_names"] == ["", "a", "b"]
    assert set(arrays["regions"]) == {0, 1, 2}
    np.testing.assert_array_equal(info["geometry"]["affine"], small_map[0].affine[:3])


# What is taken.


def test_map_and_fitted_transformers_give_the_same_clusters(small_map, fitted):
    z_img, mask_img, atlas_img = small_map
    _, expected = _data(explore(fitted))
    of_map = explore(z_img, mask_img=mask_img, two_sided=True)
    clusters = ClusterTDPTransformer(2.5, mask_img=mask_img, two_sided=True)
    clusters.fit_transform(z_img)
    regions = RegionTDPTransformer(atlas_img, mask_img=mask_img, two_sided=True)
    regions.fit_transform(z_img)
    masker = NiftiMasker(mask_img, standardize=None).fit()
    of_array = AdaptiveTDPTransformer(0.5, mask_img=masker, two_sided=True)
    of_array.fit_transform(masker.transform(z_img))
    tested = (clusters, regions, of_array, fitted.maps_, regions.maps_)
    for document in (of_map, *map(explore, tested)):
        _, arrays = _data(document)
        np.testing.assert_array_equal(arrays["elements"], expected["elements"])
        np.testing.assert_array_equal(arrays["true_discoveries"], expected["true_discoveries"])


def test_other_neighbours_make_another_forest(small_map, fitted):
    z_img, mask_img, _ = small_map
    ari = AdaptiveTDPTransformer(0.7, mask_img=mask_img, two_sided=True, connectivity=26)
    ari.fit_transform(z_img)
    _, arrays = _data(explore(fitted, connectivity=26))
    np.testing.assert_array_equal(arrays["elements"], ari.forest_.elements)
    info, _ = _data(explore(ari))
    assert "26 neighbours" in info["about"]


def test_voxels_that_are_nan_are_not_in_the_mask(small_map):
    z_img, mask_img, _ = small_map
    z = z_img.get_fdata().copy()
    z[5, 5, 5] = np.nan
    with pytest.warns(UserWarning, match="NaN in 1 of"):
        document = explore(Nifti1Image(z, z_img.affine), mask_img=mask_img)
    _, arrays = _data(document)
    assert arrays["mask"].sum() == mask_img.get_fdata().sum() - 1
    assert arrays["stat"].size == arrays["mask"].sum()


def test_model_with_calibration_shows_calibrated_bounds(small_map):
    rng = np.random.default_rng(3)
    _, mask_img, _ = small_map
    imgs = [
        Nifti1Image(rng.standard_normal(mask_img.shape) + 0.8, mask_img.affine) for _ in range(12)
    ]
    model = ARISecondLevelModel(
        mask_img=mask_img,
        reports=False,
        transformer=ClusterTDPTransformer(2.0),
        calibration=PermutationCalibration(n_permutations=100, random_state=0),
    )
    with pytest.raises(ValueError, match="not computed the TDP of a contrast"):
        explore(model)
    model.fit(imgs, design_matrix=pd.DataFrame({"intercept": [1] * 12}))
    model.compute_contrast("intercept", output_type="tdp")
    info, arrays = _data(explore(model))
    assert info["true_discoveries"] == model.true_discoveries_
    assert "permutations" in info["about"]
    np.testing.assert_array_equal(
        arrays["categories"],
        model.maps_.bounds.critical_vector.categories(model.maps_.test.p_values),
    )


def test_p_maps_are_taken(small_map):
    p = np.random.default_rng(0).random(small_map[1].shape)
    p[3:6, 3:6, 3:6] = 1e-8
    info, _ = _data(explore(Nifti1Image(p, np.eye(4)), mask_img=_mask_of(p), stat_type="p"))
    assert info["direction"] == "unsigned"
    assert info["drawn"].endswith("log10 p")


def _mask_of(values):
    return Nifti1Image(np.ones(values.shape, dtype=np.uint8), np.eye(4))


def test_template_is_drawn_in_mni_space_only(small_map, motor_img):
    z_img, mask_img, _ = small_map
    _, arrays = _data(explore(motor_img))
    background = arrays["background"].reshape(motor_img.shape, order="F")
    brain = motor_img.get_fdata() != 0
    assert background[brain].mean() > 4 * background[~brain].mean()
    scanner = Nifti1Image(z_img.get_fdata(), z_img.affine)
    scanner.header.set_sform(scanner.affine, code=1)
    far = z_img.affine.copy()
    far[:3, 3] += 300
    for img in (scanner, Nifti1Image(z_img.get_fdata(), far)):
        mask = Nifti1Image(mask_img.get_fdata().astype(np.uint8), img.affine)
        assert "background" not in _data(explore(img, mask_img=mask))[1]


def test_background_can_be_given_or_left_out(small_map, fitted):
    z_img = small_map[0]
    bright = np.zeros((30, 30, 30))
    bright[10:20, 10:20, 10:20] = 5
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -30
    bg_img = Nifti1Image(bright, affine)
    _, arrays = _data(explore(fitted, bg_img=bg_img))
    background = arrays["background"].reshape(z_img.shape, order="F")
    assert background.max() == 255
    assert 0 < (background == 255).mean() < 1
    assert "background" not in _data(explore(fitted, bg_img=None))[1]


# What is refused.


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"tdp": 1.5}, ValueError, "tdp must be a number in"),
        ({"alpha": 0}, ValueError, "alpha"),
        ({"connectivity": 7}, ValueError, "connectivity"),
        ({"stat_type": "r"}, ValueError, "stat_type"),
        ({"title": 3}, TypeError, "title must be a string"),
        ({"lut": "names.tsv"}, ValueError, "lut must be left at the default without a labels_img"),
        ({"bg_img": "nothing.nii"}, ValueError, "nothing.nii"),
        ({"map_index": 3}, ValueError, "map_index"),
    ],
)
def test_bad_arguments_are_refused(small_map, arguments, error, match):
    with pytest.raises(error, match=match):
        explore(small_map[0], mask_img=small_map[1], **arguments)


@pytest.mark.parametrize(
    "arguments", [{"alpha": 0.1}, {"two_sided": True}, {"stat_type": "t"}, {"mask_img": "m.nii"}]
)
def test_what_is_settled_by_a_fit_cannot_be_given_again(fitted, arguments):
    match = (
        f"{next(iter(arguments))} must be left at the default since the map .* was tested before"
    )
    for tested in (fitted, fitted.maps_):
        with pytest.raises(ValueError, match=match):
            explore(tested, **arguments)


def test_background_that_is_elsewhere_is_refused(fitted):
    far = np.eye(4)
    far[:3, 3] = 500
    with pytest.raises(ValueError, match="bg_img must cover"):
        explore(fitted, bg_img=Nifti1Image(np.ones((4, 4, 4)), far))


def test_atlas_of_several_maps_is_refused(small_map, fitted):
    maps = np.stack([small_map[1].get_fdata()] * 2, axis=-1)
    with pytest.raises(ValueError, match="image of labels"):
        explore(fitted, labels_img=Nifti1Image(maps, small_map[1].affine))


def test_arrays_and_other_things_are_refused(small_map):
    with pytest.raises(TypeError, match="must be an image"):
        explore(np.ones(3))
    with pytest.raises(TypeError):
        explore(3)
    ari = ClusterTDPTransformer(mask_img=small_map[1]).fit()
    with pytest.raises(ValueError, match="not fitted to a map"):
        explore(ari)


def test_meshes_are_for_surfaces(fitted):
    with pytest.raises(ValueError, match="surf_mesh is for surfaces"):
        explore(fitted, surf_mesh={"left": "left.surf.gii"})


def test_nilearn_without_niivue_is_named(fitted, monkeypatch):
    monkeypatch.setattr(ari_estimator.explorer._page, "_NIIVUE", "_assets/js/no.js")
    with pytest.raises(FileNotFoundError, match="explore needs niivue, which nilearn"):
        explore(fitted)


# What is written.


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href", "action")]


def test_page_names_no_other_file(fitted):
    links = _Links()
    links.feed(str(explore(fitted)))
    assert links.found == []


def test_page_is_written_as_a_whole_and_replaced(fitted, tmp_path):
    path = tmp_path / "made" / "page.html"
    document = explore(fitted, title="one", output_file=path)
    assert path.read_text(encoding="utf-8") == document.html
    document = explore(fitted, title="zwei ü", output_file=path)
    assert "<title>zwei ü</title>" in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]
    with pytest.raises(IsADirectoryError, match="is a folder"):
        document.save_as_html(path.parent)


def test_document_opens_a_browser_and_stands_in_notebooks(fitted, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    document = explore(fitted)
    document.open_in_browser(tmp_path / "page.html")
    assert opened == [(tmp_path / "page.html").as_uri()]
    assert (tmp_path / "page.html").exists()
    assert document._repr_html_().startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert "MB" in repr(document)


def test_maps_that_no_browser_can_hold_are_refused_before_the_work(small_map, fitted, monkeypatch):
    z_img, mask_img, _ = small_map
    too_large = r"at most 1,000 tested voxels.* Got 1,430.* mask_img"
    monkeypatch.setattr("ari_estimator.explorer._page_size._MOST_ELEMENTS", 1000)
    monkeypatch.setattr(AdaptiveTDPTransformer, "fit", None)
    for stat_img, arguments in ((z_img, {"mask_img": mask_img}), (fitted, {})):
        with pytest.raises(ValueError, match=too_large):
            explore(stat_img, **arguments)


def test_maps_are_as_large_as_what_is_tested(small_map, monkeypatch):
    z_img, mask_img, _ = small_map
    z = z_img.get_fdata().copy()
    z[4:] = np.nan
    monkeypatch.setattr("ari_estimator.explorer._page_size._MOST_ELEMENTS", 1000)
    with pytest.warns(UserWarning, match="NaN"):
        assert explore(Nifti1Image(z, z_img.affine), mask_img=mask_img).html


def test_files_are_named_after_the_map_or_the_title(small_map, fitted, tmp_path):
    small_map[0].to_filename(tmp_path / "my z map.nii.gz")
    of_file, _ = _data(explore(tmp_path / "my z map.nii.gz", mask_img=small_map[1], title="x"))
    assert of_file["file_stem"] == "my z map"
    assert _data(explore(fitted, title="Müller: 2 > 1"))[0]["file_stem"] == "Müller_2_1"
    assert _data(explore(fitted, title="..."))[0]["file_stem"] == "map"
    assert _data(explore(fitted))[0]["file_stem"] == "map"


def test_large_maps_fit_in_8_mb():
    rng = np.random.default_rng(0)
    shape = (70, 70, 48)
    z_img = Nifti1Image(rng.standard_normal(shape), np.diag([2.0, 2, 2, 1]))
    mask_img = Nifti1Image(np.ones(shape, dtype=np.uint8), z_img.affine)
    ari = AdaptiveTDPTransformer(0, mask_img=mask_img)
    ari.fit_transform(z_img)
    assert ari.n_tested_ == 235_200
    assert len(explore(ari).html.encode()) < 8e6
