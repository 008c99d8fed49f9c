"""Templates together, through the doors that take a template."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from numpy.testing import assert_array_equal
from sklearn.base import clone

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    learn_template,
    load,
    save,
)
from ari_estimator.calibration import calibrate_draws
from ari_estimator.closed_testing import JointTemplate, SimesTemplate, calibrate, make_template
from ari_estimator.plotting import plot_pivotal_statistics
from ari_estimator.resampling import SubjectSums, sign_statistics

M = 300


def study(seed=0, n=16, n_active=40):
    data = np.random.default_rng(seed).standard_normal((n, M))
    data[:, :n_active] += 1.2
    return data


def fitted(data=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        calibration = PermutationCalibration(n_permutations=100, random_state=0, **options)
        return calibration.fit(study() if data is None else data, alpha=0.1)


LISTS = {
    "joint": "joint",
    "names": ["simes", "beta"],
    "own shift and number": ["simes", SimesTemplate(M, k_max=200, delta=5), "power"],
    "a tuple": ("aorc", "higher_criticism"),
}


def statistics_of_flips(data):
    sums = SubjectSums.of(data, n_groups=256)
    return sign_statistics(sums, 100, np.random.default_rng(0), two_sided=False)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("options", [{}, {"step_down": True}, {"p_values": "rank"}])
def test_a_list_is_calibrated_as_the_template_made_of_it(name, options):
    calibration = fitted(template=LISTS[name], **options)
    made = calibration.calibration_.template
    assert isinstance(made, JointTemplate)
    again = fitted(template=made, **options)
    assert again.lambda_ == calibration.lambda_
    assert calibration.critical_vector_.true_discoveries(calibration.p_values_) > 0
    assert calibration.calibration_.joint_error_rate() <= 0.1


def test_each_template_of_a_split_is_calibrated_as_it_is_alone_at_its_level():
    split = fitted(template=["simes", "beta", "power"], level_weights=[0.5, 0.3, 0.2])
    for name, part in zip(["simes", "beta", "power"], split.calibration_.parts, strict=True):
        alone = PermutationCalibration(name, n_permutations=100, random_state=0)
        with pytest.warns(UserWarning, match="n_permutations=100"):
            alone.fit(study(), alpha=part.alpha)
        assert part.lambda_ == alone.lambda_
    assert_array_equal(split.lambda_, [part.lambda_ for part in split.calibration_.parts])
    assert [part.alpha for part in split.calibration_.parts] == [0.05, 0.03, 0.02]


def test_two_templates_need_one_pass_over_the_draws():
    blocks = []
    null = statistics_of_flips(study())
    of_class = type(null).block

    class Counted(type(null)):
        def block(self, *args):
            blocks.append(args)
            return of_class(self, *args)

    counted = object.__new__(Counted)
    counted.__dict__ |= vars(null)
    templates = [make_template(name, M) for name in ("simes", "beta")]
    calibrate_draws(counted, templates, 0.1, level_weights=[0.5, 0.5])
    assert len(blocks) == 1  # all 100 draws


@pytest.mark.parametrize(
    "options",
    [
        {"template": "joint"},
        {"template": ["simes", SimesTemplate(M, delta=7)]},
        {"template": SimesTemplate(M, delta=7)},
        {"template": ["simes", "beta"], "level_weights": [0.5, 0.5]},
        {"template": ["simes", SimesTemplate(M, delta=7)], "level_weights": (0.25, 0.75)},
    ],
)
def test_saved_calibrations_come_back(options, tmp_path):
    calibration = fitted(**options)
    save(calibration, tmp_path)
    again = load(tmp_path)
    assert_array_equal(again.lambda_, calibration.lambda_)
    assert_array_equal(again.critical_vector_.thresholds, calibration.critical_vector_.thresholds)
    refitted = clone(again).fit(study(), alpha=0.1)
    assert_array_equal(refitted.lambda_, calibration.lambda_)
    assert again._test(0.1).describe(0.1) == calibration._test(0.1).describe(0.1)


def test_reports_say_the_level_and_the_parameter_of_each_template():
    split = fitted(template=["simes", "beta"], level_weights=[0.6, 0.4])
    page = str(split.generate_report())
    assert "0.06 and 0.04" in page
    assert "“simes” at 0.06 and “beta” at 0.04" in page
    assert "by template “simes”" in page
    assert "by template “beta”" in page
    joint = str(fitted(template=["simes", "beta"]).generate_report())
    assert "simes + beta (crossing at rank 30)" in joint


def test_a_figure_is_of_one_template():
    split = fitted(template=["simes", "beta"], level_weights=[0.5, 0.5])
    with pytest.raises(ValueError, match=r"calibration must have one template. Got one with 2"):
        plot_pivotal_statistics(split)
    assert plot_pivotal_statistics(split.calibration_.parts[1]) is not None


def test_a_relation_from_other_subjects():
    others = study(seed=1)
    learned = learn_template(
        others, templates=["simes", "beta"], alpha=0.1, n_permutations=100, random_state=0
    )
    assert isinstance(learned, JointTemplate)
    assert learned.subjects.shape[0] == len(others)
    assert fitted(template=learned).calibration_.template is learned
    # The curves cross where those of the other subjects do.
    alone = [fitted(others, template=name) for name in ("simes", "beta")]
    curves = [one.calibration_.template.thresholds(one.lambda_) for one in alone]
    rank = learned.crossings[0]
    assert curves[1][rank - 1] >= curves[0][rank - 1]
    assert rank == 1 or curves[1][rank - 2] < curves[0][rank - 2]
    mixed = np.vstack([others[:3] * -2, study()])
    with pytest.raises(ValueError, match=r"template was learned from data .* 3 of the 16 rows"):
        fitted(mixed, template=learned)
    assert fitted(mixed, template=learned, allow_shared_data=True).lambda_ > 0
    with pytest.raises(ValueError, match="allow_shared_data must be True for a learned template"):
        fitted(iter(study()), template=learned)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"template": ["simes", "linear"]}, "each entry of template must be one of .* 'linear'"),
        ({"template": []}, "Got an empty list"),
        ({"template": ["simes", "simes"]}, "templates must differ"),
        ({"template": ["simes", "beta"], "delta": 3}, "delta must be 0 for several templates"),
        ({"template": ["simes", SimesTemplate(M + 1)]}, f"template must have {M} elements"),
        ({"template": ["simes", "beta"], "level_weights": [0.5, 0.6]}, "Got the sum 1.1"),
        ({"template": ["simes", "beta"], "level_weights": [0.95, 0.05]}, "Got 0.005 for a templ"),
        ({"level_weights": [1.0]}, "level_weights must be None for a single template"),
        ({"template": SimesTemplate(M, delta=3), "step_down": True}, "step_down must be left"),
        ({"template": ["simes", "beta"], "allow_shared_data": True}, "allow_shared_data must be"),
    ],
)
def test_what_does_not_fit_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        fitted(**options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"templates": ["simes"]}, "templates must be at least two templates. Got 1"),
        ({"templates": ["simes", "beta"], "k_max": 50}, "k_max must be left at the default with"),
        ({"alpha": 0.1}, "alpha must be left at the default without templates"),
        ({"templates": ["simes", "beta"], "alpha": 0.001}, "alpha must be at least 1 / n_perm"),
    ],
)
def test_a_relation_that_cannot_be_learned_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        learn_template(study(), n_permutations=100, random_state=0, **options)


@pytest.mark.parametrize("level_weights", [None, [0.5, 0.5]])
def test_contrasts_of_a_model_take_several_templates(level_weights):
    rng = np.random.default_rng(0)
    maps = [Nifti1Image(rng.standard_normal((6, 6, 6)) + 1.0, np.eye(4)) for _ in range(14)]
    design = pd.DataFrame({"mean": np.ones(14), "age": np.linspace(-1, 1, 14)})
    mask_img = Nifti1Image(np.ones((6, 6, 6), dtype="uint8"), np.eye(4))
    calibration = PermutationCalibration(
        ["simes", "beta"], level_weights=level_weights, n_permutations=100, random_state=0
    )
    model = ARISecondLevelModel(
        mask_img=mask_img,
        transformer=ClusterTDPTransformer(2.0, alpha=0.1),
        calibration=calibration,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(maps, design_matrix=design)
        model.compute_contrast("mean", output_type="tdp")
        assert model.true_discoveries_ > 0
        assert model.maps_.true_discoveries_interval is not None
        values = model.maps_.describe()["test"]["values"]
        assert ("Levels" in values) == (level_weights is not None)
        model.compute_contrasts({"mean": "mean", "age": "age"})
        test = model.joint_test_
    assert len(test.calibration.parts) == (1 if level_weights is None else 2)
    assert test.bounds(0.1).of_set() > 0


def test_draws_give_what_the_matrix_of_their_p_values_gives():
    data = study(n=8)
    joint = fitted(data, template=["simes", "beta"], p_values="parametric")
    assert joint.n_permutations_ == 100
    null = statistics_of_flips(data)
    p = null.tail(null.exact(np.arange(100), np.full(100, np.inf)))
    found = calibrate(p, 0.1, template=joint.calibration_.template)
    expected = calibrate_draws(null, joint.calibration_.template, 0.1).calibration
    assert found.lambda_ == pytest.approx(expected.lambda_, rel=1e-5)
