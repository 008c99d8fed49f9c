"""``non_parametric_inference``: nilearn's arguments and images, and the TDP beside them."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from nilearn.glm import second_level as of_nilearn
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    learn_template,
    non_parametric_inference,
)

from ._kinds import KINDS

N = 14
GROUP = np.repeat([0, 1], [6, 8])
AGE = np.random.default_rng(8).uniform(-1, 1, N)
DOSE = np.random.default_rng(9).uniform(-1, 1, N)

DESIGNS = {
    "mean": (pd.DataFrame({"mean": np.ones(N)}), None),
    "mean with age": (pd.DataFrame({"mean": 1.0, "age": AGE}), "mean"),
    "age": (pd.DataFrame({"age": AGE}), None),
    "age with intercept": (pd.DataFrame({"age": AGE, "mean": 1.0}), [1, 0]),
    "groups": (pd.DataFrame({"a": GROUP == 0, "b": GROUP == 1}, dtype=float), "b - a"),
    "groups with age": (
        pd.DataFrame({"a": GROUP == 0, "b": GROUP == 1, "age": AGE}, dtype=float),
        [-1, 1, 0],
    ),
}

FEW = {"n_perm": 40, "random_state": 3}

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*random permutations leave",
    "ignore:Multiple columns across",  # of nilearn
    "ignore:Overriding provided-default estimator parameters",
)


@pytest.fixture(params=["volume", "surface"])
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def maps(kind):
    values = np.random.default_rng(4).standard_normal((N, kind.n))
    values[:, : kind.n // 5] += 2
    values[:, kind.n // 3 : kind.n // 2] += 4 * (GROUP + AGE)[:, np.newaxis]
    return [kind.image(row.astype(np.float32)) for row in values]


@pytest.fixture
def in_mask(kind):
    return lambda img: kind.values(img)[0][kind.mask]


def both(maps, **parameters):
    """Return nilearn's images by name, and ours with what comes beside them."""
    theirs = of_nilearn.non_parametric_inference(maps, **parameters)
    theirs = theirs if isinstance(theirs, dict) else {"logp_max_t": theirs}
    return theirs, non_parametric_inference(maps, **parameters)


def test_arguments_are_nilearns_and_some_by_name_alone():
    theirs = inspect.signature(of_nilearn.non_parametric_inference).parameters
    ours = inspect.signature(non_parametric_inference).parameters
    shared = list(ours)[: len(theirs)]
    assert shared == list(theirs)
    assert (ours["verbose"].default, theirs["verbose"].default) == (1, 0)  # 1 is a progress bar
    for name in set(shared) - {"verbose"}:
        assert (ours[name].default, ours[name].kind) == (theirs[name].default, theirs[name].kind)
    others = list(ours.values())[len(theirs) :]
    assert {other.kind for other in others} == {inspect.Parameter.KEYWORD_ONLY}
    assert ours["alpha"].default == 0.05


class TestNilearnsImages:
    """They are nilearn's own, by every bit."""

    @pytest.mark.parametrize("name", DESIGNS)
    @pytest.mark.parametrize("two_sided", [False, True])
    def test_of_designs(self, kind, maps, in_mask, name, two_sided):
        design, contrast = DESIGNS[name]
        theirs, ours = both(
            maps, design_matrix=design, second_level_contrast=contrast, mask=kind.mask_img,
            two_sided_test=two_sided, **FEW,
        )  # fmt: skip
        assert list(ours) == ["logp_max_t", "tdp", "model"]
        assert_array_equal(in_mask(ours["logp_max_t"]), in_mask(theirs["logp_max_t"]))

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    @pytest.mark.parametrize(
        "parameters", [{"threshold": 0.01}, {"tfce": True}, {"threshold": 0.05, "tfce": True}]
    )
    @pytest.mark.parametrize("two_sided", [False, True])
    def test_of_clusters_and_tfce(self, kind, maps, in_mask, parameters, two_sided):
        theirs, ours = both(
            maps, design_matrix=DESIGNS["mean"][0], mask=kind.mask_img, two_sided_test=two_sided,
            **parameters, **FEW,
        )  # fmt: skip
        assert list(ours) == [*theirs, "tdp", "model"]
        for name, img in theirs.items():
            assert_array_equal(in_mask(ours[name]), in_mask(img))
        # The statistic of the TDP is nilearn's.
        t_img = ours["model"].compute_contrast(output_type="stat")
        assert_allclose(in_mask(t_img), in_mask(theirs["t"]), rtol=1e-4)

    def test_of_random_states_that_move_on(self, kind, maps, in_mask):
        theirs, ours = (
            call(
                maps, design_matrix=DESIGNS["age"][0], mask=kind.mask_img, n_perm=40,
                random_state=np.random.RandomState(5),
            )
            for call in (of_nilearn.non_parametric_inference, non_parametric_inference)
        )  # fmt: skip
        assert_array_equal(in_mask(ours["logp_max_t"]), in_mask(theirs))

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    def test_of_a_first_level_contrast(self, kind, maps, in_mask, tmp_path):
        rows = []
        for subject, img in enumerate(maps):
            for name, of_name in {"faces": img, "places": maps[-1 - subject]}.items():
                path = kind.save(of_name, tmp_path / f"{subject}{name}")
                rows.append((f"{subject:02}", name, str(path)))
        table = pd.DataFrame(rows, columns=["subject_label", "map_name", "effects_map_path"])
        for name, given in {"faces": maps, "places": maps[::-1]}.items():
            theirs, ours = both(
                table, design_matrix=DESIGNS["mean"][0], first_level_contrast=name,
                mask=kind.mask_img, **FEW,
            )  # fmt: skip
            assert_array_equal(in_mask(ours["logp_max_t"]), in_mask(theirs["logp_max_t"]))
            alone = non_parametric_inference(
                given, design_matrix=DESIGNS["mean"][0], mask=kind.mask_img, **FEW
            )
            assert_array_equal(in_mask(ours["tdp"]), in_mask(alone["tdp"]))

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    @pytest.mark.parametrize("form", ["none", "masker", "smoothing masker", "path"])
    @pytest.mark.parametrize("smoothing_fwhm", [None, 5.0])
    def test_of_masks(self, kind, maps, tmp_path, form, smoothing_fwhm):
        mask = {
            "none": None,
            "masker": NiftiMasker(kind.mask_img, standardize=None),
            "smoothing masker": NiftiMasker(kind.mask_img, standardize=None, smoothing_fwhm=3.0),
            "path": str(kind.save(kind.mask_img, tmp_path / "mask")),
        }[form]
        if form == "masker" and smoothing_fwhm is not None:
            return  # refused
        theirs, ours = both(
            maps, design_matrix=DESIGNS["mean"][0], mask=mask, smoothing_fwhm=smoothing_fwhm,
            threshold=0.01, **FEW,
        )  # fmt: skip
        for name, img in theirs.items():
            assert_array_equal(kind.values(ours[name]), kind.values(img))
        # The statistic of the TDP is nilearn's, of the same voxels.
        t_img = ours["model"].compute_contrast(output_type="stat")
        assert_allclose(kind.values(t_img), kind.values(theirs["t"]), rtol=1e-3, atol=1e-4)


class TestTDP:
    """It is the one of ARISecondLevelModel."""

    @pytest.mark.parametrize("name", DESIGNS)
    def test_of_designs(self, kind, maps, in_mask, name):
        design, contrast = DESIGNS[name]
        ours = non_parametric_inference(
            maps, design_matrix=design, second_level_contrast=contrast, mask=kind.mask_img, **FEW
        )
        whole = design
        if name == "age":
            whole, contrast = design.assign(intercept=1.0), "age"
        model = ARISecondLevelModel(
            kind.mask_img,
            transformer=ClusterTDPTransformer(),
            calibration=PermutationCalibration(n_permutations=41, random_state=3),
        )
        model.fit(maps, design_matrix=whole)
        tdp = model.compute_contrast(contrast, output_type="tdp")
        assert_array_equal(in_mask(ours["tdp"]), in_mask(tdp))
        assert_frame_equal(ours["model"].table_, model.table_)
        assert_frame_equal(ours["model"].design_matrix_, whole)
        assert ours["model"].calibration_.lambda_ == model.calibration_.lambda_
        assert ours["model"].calibration_.n_permutations_ == FEW["n_perm"] + 1

    @pytest.mark.parametrize("two_sided", [False, True])
    @pytest.mark.parametrize("sets", ["clusters", "adaptive", "regions"])
    def test_of_transformers(self, kind, maps, sets, two_sided):
        transformer = {
            "clusters": ClusterTDPTransformer(2, alpha=0.1, two_sided=two_sided),
            "adaptive": AdaptiveTDPTransformer(0.5, alpha=0.1, two_sided=two_sided),
            "regions": RegionTDPTransformer(kind.labels_img, alpha=0.1, two_sided=two_sided),
        }[sets]
        ours = non_parametric_inference(
            maps, design_matrix=DESIGNS["mean"][0], mask=kind.mask_img, alpha=0.1,
            transformer=transformer, two_sided_test=two_sided, template="beta", step_down=True,
            **FEW,
        )  # fmt: skip
        model = ARISecondLevelModel(
            kind.mask_img,
            transformer=transformer,
            calibration=PermutationCalibration(
                "beta", n_permutations=41, random_state=3, step_down=True
            ),
        )
        model.fit(maps, design_matrix=DESIGNS["mean"][0])
        model.compute_contrast(output_type="tdp")
        assert_frame_equal(ours["model"].table_, model.table_)
        assert ours["model"].true_discoveries_ == model.true_discoveries_ > 0

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    @pytest.mark.parametrize("two_sided", [False, True])
    def test_clusters_are_nilearns(self, kind, maps, in_mask, two_sided):
        ours = non_parametric_inference(
            maps, design_matrix=DESIGNS["mean"][0], mask=kind.mask_img, threshold=0.01,
            two_sided_test=two_sided, **FEW,
        )  # fmt: skip
        is_in_cluster = in_mask(ours["model"].labels_img_) > 0
        assert_array_equal(is_in_cluster, in_mask(ours["size"]) > 0)

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    def test_of_a_learned_template(self, kind, maps):
        data = np.random.default_rng(1).standard_normal((12, kind.mask.sum()))
        template = learn_template(data, n_permutations=50, random_state=0)
        ours = non_parametric_inference(
            maps, design_matrix=DESIGNS["mean"][0], mask=kind.mask_img, template=template, **FEW
        )
        assert ours["model"].calibration_.calibration_.template.name == "learned"

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    def test_an_intercept_is_added_unless_that_is_refused(self, kind, maps):
        given = {"design_matrix": DESIGNS["age"][0], "mask": kind.mask_img, **FEW}
        added = non_parametric_inference(maps, **given)["model"]
        assert list(added.design_matrix_) == ["age", "intercept"]
        assert added.calibration_.scheme_ == "permutation"
        with pytest.warns(UserWarning, match="no intercept"):
            alone = non_parametric_inference(maps, model_intercept=False, **given)["model"]
        assert list(alone.design_matrix_) == ["age"]
        assert alone.calibration_.scheme_ == "sign-flipping"

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    def test_confounds_become_the_design(self, kind, maps, in_mask, tmp_path):
        labels = [f"{i:02}" for i in range(N)]
        table = pd.DataFrame({"subject_label": labels, "map_name": "faces"})
        table["effects_map_path"] = [
            str(kind.save(img, tmp_path / label)) for img, label in zip(maps, labels, strict=True)
        ]
        confounds = pd.DataFrame({"subject_label": labels, "age": AGE})
        ours = non_parametric_inference(
            table, confounds, None, "age", "faces", kind.mask_img, **FEW
        )
        design = pd.DataFrame({"age": AGE, "intercept": 1.0})
        assert_allclose(ours["model"].design_matrix_, design)
        alone = non_parametric_inference(maps, None, design, "age", mask=kind.mask_img, **FEW)
        for name in ("logp_max_t", "tdp"):
            assert_array_equal(in_mask(ours[name]), in_mask(alone[name]))

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    def test_a_design_may_be_a_file(self, kind, maps, tmp_path, in_mask):
        design, contrast = DESIGNS["groups with age"]
        design.to_csv(tmp_path / "design.tsv", sep="\t", index=False)
        given = {"second_level_contrast": contrast, "mask": kind.mask_img, **FEW}
        found = non_parametric_inference(maps, design_matrix=tmp_path / "design.tsv", **given)
        expected = non_parametric_inference(maps, design_matrix=design, **given)
        assert_array_equal(in_mask(found["tdp"]), in_mask(expected["tdp"]))


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestRefusals:
    """What it cannot honour is refused by name, before anything is computed."""

    @pytest.fixture(autouse=True)
    def nothing_is_computed(self, monkeypatch):
        def fail(*args, **kwargs):
            raise AssertionError("nilearn has computed something")

        monkeypatch.setattr(of_nilearn, "non_parametric_inference", fail)

    @pytest.mark.parametrize(
        ("parameters", "error", "match"),
        [
            ({"n_perm": 18}, ValueError, r"n_perm must be at least 19 for alpha=0\.05.* Got 18"),
            ({"n_perm": 0}, ValueError, "n_perm must be at least 19"),
            ({"n_perm": "100"}, TypeError, "n_perm must be an integer. Got '100'"),
            *(
                ({"threshold": value}, ValueError, "threshold")
                for value in (3.1, 0, -1, float("nan"))
            ),
            ({"alpha": 0}, ValueError, "alpha should"),
            (
                {"confounds": pd.DataFrame({"subject_label": ["a"], "x": [1.0]})},
                ValueError,
                "confounds must be None with a design_matrix",
            ),
            (
                {"mask": NiftiMasker(standardize=None), "smoothing_fwhm": 4},
                ValueError,
                "smoothing_fwhm must be None if mask is a masker .* would not smooth",
            ),
            (
                {"transformer": ClusterTDPTransformer(two_sided=True)},
                ValueError,
                r"two_sided_test must be equal to two_sided of.*transformer\.two_sided=True",
            ),
            (
                {"transformer": ClusterTDPTransformer(alpha=0.1)},
                ValueError,
                r"alpha must be equal to alpha of the transformer. Got alpha=0\.05 .*alpha=0\.1",
            ),
            ({"transformer": "clusters"}, TypeError, "transformer must be a ClusterTDPTransformer"),
            ({"template": "voodoo"}, ValueError, "'template' parameter"),
            ({"second_level_contrast": None}, ValueError, "second_level_contrast must be given"),
            (
                {"second_level_contrast": np.eye(2, 3)},
                ValueError,
                "second_level_contrast must have one row: .* Got 2 rows",
            ),
            ({"second_level_contrast": [1, -1]}, ValueError, "must have 3 weights"),
            ({"second_level_contrast": "nobody"}, ValueError, "no column 'nobody'"),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
    )
    def test_of_arguments(self, kind, maps, parameters, error, match):
        design, contrast = DESIGNS["groups with age"]
        given = {
            "design_matrix": design, "second_level_contrast": contrast, "mask": kind.mask_img,
            **FEW, **parameters,
        }  # fmt: skip
        with pytest.raises(error, match=match):
            non_parametric_inference(maps, **given)


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestHypothesis:
    """nilearn tests a regressor, which is not always the contrast."""

    DESIGN = pd.DataFrame({"age": AGE, "dose": DOSE, "mean": 1.0})

    def test_another_one_than_the_contrast_is_said(self, kind, maps, in_mask):
        with pytest.warns(UserWarning, match=r"another hypothesis than second_level_contrast \[1"):
            ours = non_parametric_inference(
                maps, None, self.DESIGN, "age - dose", mask=kind.mask_img, threshold=0.01, **FEW
            )
        t_img = ours["model"].compute_contrast("age - dose", output_type="stat")
        assert not np.allclose(in_mask(t_img), in_mask(ours["t"]), atol=0.1)

    @pytest.mark.parametrize("name", [*DESIGNS, "age and dose"])
    def test_the_same_one_is_not(self, kind, maps, in_mask, name):
        design, contrast = DESIGNS.get(name, (self.DESIGN, "age"))
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*another hypothesis")
            ours = non_parametric_inference(
                maps, None, design, contrast, mask=kind.mask_img, threshold=0.01, **FEW
            )
        contrast = "age" if contrast is None and "age" in design else contrast
        t_img = ours["model"].compute_contrast(contrast, output_type="stat")
        assert_allclose(in_mask(t_img), in_mask(ours["t"]), rtol=1e-3, atol=1e-4)
