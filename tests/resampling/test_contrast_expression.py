"""Contrasts that are texts: sums of columns and nothing else, from Python and the shell."""

import random

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.glm import expression_to_contrast_vector

from ari_estimator import ARISecondLevelModel
from ari_estimator.resampling._contrast_expression import check_expressions, contrast_weights

COLUMNS = ["a", "b", "C(sex)[T.m]", "a.b", "x y", "é"]


@pytest.mark.parametrize(
    "expression",
    [
        "a",
        "a-b",
        "C(sex)[T.m]",
        "(a + b)/2 - `C(sex)[T.m]`",
        "2*a - 1/3*b",
        "- (a - b)*0.5e-1",
        "`x y` - `a.b`",
        "1/3*(a+b-2*é)",
        "a/2/3*4",
        "a - b - -b",
    ],
)
def test_weights_are_the_weights_of_nilearn_bit_by_bit(expression):
    expected = expression_to_contrast_vector(expression, COLUMNS).astype(float)
    assert contrast_weights(expression, COLUMNS).tobytes() == expected.tobytes()


def random_expression(draw, depth):
    if depth == 0 or draw.random() < 0.3:
        return draw.choice(["a", "b", "é", "`x y`"])
    one, other = (random_expression(draw, depth - 1) for _ in range(2))
    return draw.choice(
        [f"{one} + {other}", f"{one} - {other}", f"0.3 * ({one})", f"({one}) / 3", f"-({one})"]
    )


def test_weights_of_any_sum_are_those_of_nilearn(fuzz_cases):
    draw = random.Random(0)
    for _ in range(fuzz_cases(200)):
        expression = random_expression(draw, 4)
        expected = expression_to_contrast_vector(expression, COLUMNS).astype(float)
        assert contrast_weights(expression, COLUMNS).tobytes() == expected.tobytes(), expression


HOSTILE = {
    "a**9**9**9": "'\\*' where",
    "'a'*10**10": "none of these",
    "__import__('os').system('touch {path}')": "none of these",
    "a.to_csv('{path}')": "none of these",
    "@a": "none of these",
    "a; b": "none of these",
    "`a": "none of these",
    "nothing": "no column 'nothing'",
    "a b": "cannot follow what is before it",
    "a + 1": "number is added",
    "a * b": "multiplied with each other",
    "1 / a": "divided by a column",
    "a / 0": "divided by 0",
    "1e999 * a": "not finite",
    "1": "it has no column",
    " ": "ends early",
    "(a": "not closed",
    "(" * 9000 + "a": "more than 50 brackets",
    "a" + " + a" * 10_000_000: "at most 20,000 letters",
    "-" * 19_000: "ends early",
}


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    images = [Nifti1Image(rng.standard_normal((4, 4, 4)), np.eye(4)) for _ in range(8)]
    design = pd.DataFrame(rng.standard_normal((8, 2)), columns=["a", "b"]).assign(intercept=1.0)
    mask_img = Nifti1Image(np.ones((4, 4, 4), dtype=np.uint8), np.eye(4))
    return ARISecondLevelModel(mask_img=mask_img).fit(images, design_matrix=design)


@pytest.mark.parametrize("expression", HOSTILE, ids=[text[:20] for text in HOSTILE])
def test_texts_that_are_more_than_sums_are_refused(model, tmp_path, expression):
    path = tmp_path / "written"
    text = expression.replace("{path}", str(path))
    for call in (
        lambda: model.compute_contrast(text),
        lambda: model.compute_contrast(text, output_type="tdp"),
        lambda: model.generate_report(contrasts=text),
        lambda: model.generate_report(contrasts=[text]),
        lambda: model.generate_report(contrasts={"one": text}),
    ):
        with pytest.raises(ValueError, match=HOSTILE[expression]) as caught:
            call()
        assert len(str(caught.value)) < 1000
    assert not path.exists()


def test_contrasts_of_first_level_models_are_sums_too(model, tmp_path):
    class FirstLevel:
        design_matrices_ = (pd.DataFrame({"a": [1.0]}),)

    model.second_level_input_ = [FirstLevel()]
    with pytest.raises(ValueError, match="none of these"):
        model.compute_contrast("a", first_level_contrast=f"a.to_csv('{tmp_path}/written')")


@pytest.mark.parametrize(
    ("columns", "expression", "hint"),
    [
        (
            ["intercept", "group[T.patient]"],
            expression,
            "Use `group[T.patient]`, which is 'patient' minus the reference category. In a sum,",
        )
        for expression in ("patient - control", "control - patient", "-group[T.patient]")
    ]
    + [
        (
            ["group[control]", "group[patient]"],
            "patient - control",
            "Use `group[control]` and `group[patient]`. In a sum,",
        ),
        (["age", "group[T.patient]"], "dose - age", None),
        (["age", "site[T.2]"], "2 * dose", None),
        (["age", "group[T.patient]"], "age * `group[T.patient]`", None),
    ],
)
def test_columns_of_categories_are_suggested(columns, expression, hint):
    with pytest.raises(ValueError, match="A contrast must be") as caught:
        check_expressions(expression, columns)
    assert ("Use `" in str(caught.value)) == (hint is not None)
    assert hint is None or hint in str(caught.value)
