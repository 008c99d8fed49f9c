"""The report of a model after several contrasts were tested together."""

import re

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

N = 8
DESIGN = pd.DataFrame({"group": np.repeat([0.0, 1.0], 4), "intercept": np.ones(N)})


@pytest.fixture(params=["joint", "split"])
def model(request):
    rng = np.random.default_rng(0)
    maps = []
    for row in range(N):
        data = rng.standard_normal((9, 9, 7)).astype("float32")
        data[:4] += 3
        data[5:, 5:] += 6 * DESIGN["group"][row]
        maps.append(Nifti1Image(data, np.diag([3.0, 3, 3, 1])))
    mask_img = Nifti1Image(np.ones((9, 9, 7), dtype="uint8"), np.diag([3.0, 3, 3, 1]))
    model = ARISecondLevelModel(mask_img, transformer=ClusterTDPTransformer(2.5))
    model.fit(maps, design_matrix=DESIGN)
    contrasts = {"all <b>subjects</b>": "intercept", "groups": "group"}
    model.compute_contrasts(contrasts, error_budget=request.param)
    return model


def test_each_contrast_has_its_table_its_bound_and_its_figures(model, tmp_path):
    report = model.generate_report()
    text = str(report)
    assert "Contrast all &lt;b&gt;subjects&lt;/b&gt;" in text
    for name, transformer in model.transformers_.items():
        bound = f"At least {transformer.true_discoveries_:,} of the 567 voxels tested are active"
        assert bound in text, name
    files = [path.name for path in report.save_figures(tmp_path)]
    for number in (1, 2):
        assert any(name.startswith(f"contrast_{number}_") for name in files), files


def test_the_bounds_hold_at_once_and_the_methods_say_how(model):
    text = re.sub(r"\s+", " ", str(model.generate_report()))
    assert "The 2 contrasts were tested together" in text
    if model.joint_test_ is None:
        assert "split equally between 2 contrasts" in text
        assert "Active in all contrasts" not in text
    else:
        found = model.joint_test_.bounds(0.05).of_set()
        assert f"<dt>Active in all contrasts, at least</dt><dd>{found:,}</dd>" in text
        assert "1,134 elements of 2 contrasts together" in text


def test_the_next_contrast_has_its_own_report(model):
    model.compute_contrast("group", output_type="tdp")
    assert "tested together" not in str(model.generate_report())
