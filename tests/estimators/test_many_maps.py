"""Lists and iterators of maps: one is read at a time, and little is kept of each."""

import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from nibabel import Nifti1Image
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer

SHAPE = (14, 15, 16)


def z_img(seed, dtype="float32"):
    values = np.random.default_rng(seed).standard_normal(SHAPE)
    values[2:6, 2:6, 2:6] += 4
    values[:, :, 0] = 0
    return Nifti1Image(values.astype(dtype), np.diag([2, 2, 2, 1]))


def atlas_img():
    labels = np.ones(SHAPE, dtype="int32")
    labels[7:] = 2
    return Nifti1Image(labels, np.diag([2, 2, 2, 1]))


TRANSFORMERS = {
    "clusters": ClusterTDPTransformer,
    "adaptive clusters": AdaptiveTDPTransformer,
    "regions": lambda **given: RegionTDPTransformer(atlas_img(), **given),
}


@pytest.fixture(params=TRANSFORMERS)
def make(request):
    return TRANSFORMERS[request.param]


@pytest.fixture
def maps():
    return [z_img(seed) for seed in range(4)]


@pytest.fixture
def mask_img(maps):
    return Nifti1Image((get_data(maps[0]) != 0).astype("uint8"), maps[0].affine)


@pytest.fixture
def paths(maps, tmp_path):
    names = [tmp_path / f"{number}.nii" for number in range(len(maps))]
    for img, name in zip(maps, names, strict=True):
        img.to_filename(name)
    return names


def values_of(outputs):
    return [get_data(o) if isinstance(o, Nifti1Image) else np.asarray(o) for o in outputs]


class TestIterators:
    @pytest.mark.parametrize("form", ["iterator", "generator", "map"])
    def test_maps_that_can_be_read_once_give_what_a_list_gives(self, make, maps, mask_img, form):
        def once():
            forms = {
                "iterator": iter(maps),
                "generator": (img for img in maps),
                "map": map(z_img, range(4)),
            }
            return forms[form]

        of_list = make(mask_img=mask_img)
        expected = values_of(of_list.fit_transform(maps))
        transformer = make(mask_img=mask_img)
        assert_array_equal(values_of(transformer.fit_transform(once())), expected)
        assert_array_equal(values_of(transformer.transform(once())), expected)
        assert transformer.true_discoveries_ == of_list.true_discoveries_
        for mine, theirs in zip(transformer.table_, of_list.table_, strict=True):
            assert_frame_equal(mine, theirs)

    @pytest.mark.parametrize("as_text", [False, True])
    def test_paths_from_an_iterator_need_no_mask(self, make, maps, paths, as_text):
        given = [str(path) if as_text else path for path in paths]
        transformer = make()
        expected = values_of(make().fit_transform(maps))
        assert_array_equal(values_of(transformer.fit_transform(iter(given))), expected)
        assert_array_equal(values_of(transformer.transform(iter(given))), expected)

    def test_images_from_an_iterator_need_a_mask(self, make, maps):
        with pytest.raises(ValueError, match=r"mask_img must be given .* iterator.*or a list"):
            make().fit(iter(maps))
        with pytest.raises(ValueError, match="mask_img must be a mask"):
            make(mask_img=NiftiMasker(standardize=None)).fit(iter(maps))

    @pytest.mark.parametrize(
        ("given", "error", "match"),
        [
            ((), ValueError, "at least one image.*empty iterator"),
            ((1.5,), TypeError, "Maps must be images.*Got .*iterator of float"),
            (("first", 1.5), TypeError, "volume"),
        ],
    )
    def test_what_is_no_map_is_refused(self, maps, mask_img, given, error, match):
        given = [maps[0] if value == "first" else value for value in given]
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(maps[0])
        for method in (transformer.transform, transformer.fit_transform, transformer.fit):
            with pytest.raises((error, ValueError), match=match if len(given) < 2 else None):
                method(iter(given))

    def test_maps_of_an_iterator_declare_one_statistic(self, maps, mask_img):
        maps[2].header["descrip"] = "SPM{T_[19.0]} - contrast 1: faces"
        with pytest.raises(ValueError, match=r"declare the same statistic.*t \(19.0,\) of map 2"):
            ClusterTDPTransformer(mask_img=mask_img).fit(iter(maps))

    def test_map_on_another_grid_is_refused_when_it_comes(self, maps, mask_img):
        maps[3] = Nifti1Image(get_data(maps[3])[1:], maps[3].affine)
        with pytest.raises(ValueError, match="on the grid of the map"):
            ClusterTDPTransformer(mask_img=mask_img).fit(iter(maps))


class TestWhatIsKept:
    def test_maps_are_computed_again_as_they_were(self, make, maps):
        transformer = make()
        transformer.fit_transform(maps)
        assert len(transformer.maps_) == len(maps)
        for number, img in enumerate(maps):
            alone = make(mask_img=transformer.mask_img_).fit(img).maps_
            again = transformer.maps_[number]
            assert_array_equal(again.test.p_values, alone.test.p_values)
            assert_frame_equal(again.table, alone.table)
            assert_array_equal(again.tdp, alone.tdp)
        assert transformer.maps_[-1] is transformer.maps_[3]
        assert [m.n_tested for m in transformer.maps_[1:3]] == transformer.n_tested_[1:3]
        with pytest.raises(IndexError):
            transformer.maps_[4]

    def test_what_was_warned_of_is_not_said_again(self, maps, mask_img, recwarn):
        values = get_data(maps[1])
        values[3, 3, 3] = np.nan
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(maps)
        assert any("is NaN in 1 of" in str(warning.message) for warning in recwarn)
        recwarn.clear()
        assert transformer.maps_[1].n_tested == transformer.n_elements_ - 1
        assert not len(recwarn)

    def test_data_that_change_later_change_nothing(self, maps):
        transformer = ClusterTDPTransformer().fit(maps)
        before = transformer.maps_[0].tdp
        get_data(maps[0])[:] = 0
        transformer.maps_[1]
        assert_array_equal(transformer.maps_[0].tdp, before)
        X = np.stack([m.family.stat for m in transformer.maps_])
        of_array = ClusterTDPTransformer(mask_img=transformer.mask_img_)
        of_array.fit(X)
        X[:] = 0
        assert_array_equal(of_array.maps_[0].tdp, before)

    def test_forests_are_grown_again(self, maps):
        transformer = AdaptiveTDPTransformer().fit(maps)
        assert len(transformer.forest_) == len(maps)
        for forest, fitted_map in zip(transformer.forest_, transformer.maps_, strict=True):
            assert_array_equal(forest.query(0.9), fitted_map.forest.query(0.9))
        assert len(transformer.forest_[:2]) == 2

    def test_copies_know_the_maps(self, make, maps):
        transformer = pickle.loads(pickle.dumps(make().fit(maps)))
        assert_array_equal(transformer.maps_[2].tdp, make().fit(maps).maps_[2].tdp)

    def test_values_are_kept_as_the_file_has_them(self, make):
        """Each map may take its values in single precision, and results of clusters."""
        n_maps, shape = 12, (40, 40, 40)
        mask_img = Nifti1Image(np.ones(shape, dtype="uint8"), np.eye(4))
        rng = np.random.default_rng(0)
        if make is TRANSFORMERS["regions"]:
            labels = np.ones(shape, dtype="int32")
            labels[20:] = 2
            transformer = RegionTDPTransformer(Nifti1Image(labels, np.eye(4)), mask_img=mask_img)
        else:
            transformer = make(mask_img=mask_img)

        def maps(n):
            for _ in range(n):
                values = rng.standard_normal(shape, dtype=np.float32)
                values[5:9, 5:9, 5:9] += 6
                yield Nifti1Image(values, np.eye(4))

        transformer.fit(maps(2))
        tracemalloc.start()
        held = []
        for n in (n_maps, 2 * n_maps):
            transformer.fit(maps(n))
            held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        of_one_map = (held[1] - held[0]) / n_maps
        # Values and labels, 4 bytes each; 25 before, with the map as a whole.
        assert of_one_map < 10 * np.prod(shape)


_MANY_PATHS = """
import resource
import sys
import warnings

import numpy as np
from nibabel import Nifti1Image

from ari_estimator import ClusterTDPTransformer

warnings.simplefilter("ignore")
folder, ending = sys.argv[1:]
rng = np.random.default_rng(0)
paths = [f"{folder}/{number}{ending}" for number in range(100)]
for path in paths:
    values = rng.standard_normal((12, 12, 12), dtype="float32")
    values[0] = 0
    Nifti1Image(values, np.eye(4)).to_filename(path)
transformer = ClusterTDPTransformer(threshold=2)
transformer.fit_transform(paths[0])
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
print(len(transformer.fit_transform(paths)), len(transformer.transform(iter(paths))))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of open files")
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_files_are_open_one_at_a_time(tmp_path, ending):
    run = subprocess.run(
        [sys.executable, "-c", _MANY_PATHS, str(tmp_path), ending],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.split() == ["100", "100"], run.stderr
