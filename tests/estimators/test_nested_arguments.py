"""Arguments that are nested thousands deep are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel import Nifti1Image

import ari_estimator as ari
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)
from ari_estimator._nesting import refuse_nested

MASK = Nifti1Image(np.ones((8, 8, 8), np.uint8), np.eye(4))
Z = Nifti1Image(np.random.default_rng(0).standard_normal((8, 8, 8)), np.eye(4))


def nested(make, depth=5000):
    value = make(0)
    for _ in range(depth):
        value = make(value)
    return value


MAKE = {
    "list": lambda inner: [inner],
    "tuple": lambda inner: (inner,),
    "dict": lambda inner: {"a": inner},
}


def clusters(**parameters):
    return lambda: ClusterTDPTransformer(**{"mask_img": MASK, **parameters}).fit(Z)


def doors(value):
    """Return calls of public functions with a value, by the name of the argument."""
    names = ("threshold", "alpha", "df", "stat_type", "two_sided", "connectivity", "mask_img")
    yield from ((name, clusters(**{name: value})) for name in names)
    fitted = ClusterTDPTransformer(mask_img=MASK).fit(Z)
    data = np.ones((4, 3))
    yield "Maps", lambda: ClusterTDPTransformer(mask_img=MASK).fit(value)
    yield "Maps", lambda: fitted.transform([value])
    yield "tdp_threshold", lambda: AdaptiveTDPTransformer(value, mask_img=MASK).fit(Z)
    yield "labels_img", lambda: RegionTDPTransformer(value, mask_img=MASK).fit(Z)
    yield "labels", lambda: RegionTDPTransformer(MASK, mask_img=MASK, labels=value).fit(Z)
    yield "mask_img", lambda: ari.set_bound(fitted, mask_img=value)
    yield "seed", lambda: ari.set_bound(fitted, seed=value, radius=3)
    yield "radius", lambda: ari.set_bound(fitted, seed=(1, 1, 1), radius=value)
    yield "stat_img", lambda: ari.cluster_level_inference(value)
    yield "bg_img", lambda: ari.explore(fitted, bg_img=value)
    yield "n_jobs", lambda: PermutationCalibration(n_jobs=value).fit(data)
    yield "template", lambda: PermutationCalibration(value).fit(data)
    yield "data", lambda: ari.learn_template(value)
    yield "second_level_input", lambda: ARISecondLevelModel().fit(value)
    yield "second_level_input", lambda: ari.non_parametric_inference(value)


@pytest.mark.parametrize("kind", MAKE)
def test_they_are_refused_by_name(kind):
    value = nested(MAKE[kind])
    for name, call in doors(value):
        with pytest.raises(TypeError, match=f"^{name} must not be nested more than 20 deep"):
            call()


def test_a_list_that_holds_itself():
    value = []
    value.append(value)
    value.append(value)
    with pytest.raises(TypeError, match=r"^img must not be nested"):
        refuse_nested(img=value)


def test_what_is_not_deep_passes():
    refuse_nested(
        a=[[1, 2], {"x": (3, {4})}], b="text", c=None, d=np.ones(3), e=nested(MAKE["list"], 10)
    )
