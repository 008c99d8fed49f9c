"""Arguments of any kind: whatever a function is given, it raises documented errors only."""

import inspect

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    RegionTDPTransformer,
    cluster_level_inference,
    set_bound,
)
from ari_estimator.interfaces import (
    BIDSName,
    describe_map,
    find_group_mask,
    find_subject_maps,
    fsl_tables_with_tdp,
    output_stem,
    read_afni,
    read_feat,
    read_fsl,
    read_p_map,
    read_spm,
)
from ari_estimator.resampling import find_contrast

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
RNG = np.random.default_rng(0)
Z = RNG.standard_normal((5, 4, 3))
Z[1:3, 1:3, 1:3] += 5
Z_IMG = nib.Nifti1Image(Z, AFFINE)
MASK_IMG = nib.Nifti1Image(np.ones(Z.shape, dtype=np.uint8), AFFINE)
LABELS_IMG = nib.Nifti1Image((np.arange(Z.size).reshape(Z.shape) % 3).astype(np.int32), AFFINE)
SUBJECTS = [nib.Nifti1Image(RNG.standard_normal((3, 3, 3)), AFFINE) for _ in range(6)]
SUBJECTS_MASK = nib.Nifti1Image(np.ones((3, 3, 3), dtype=np.uint8), AFFINE)
DESIGN = pd.DataFrame({"a": np.arange(6.0), "intercept": 1.0})
COLOURS = np.zeros(Z.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])


def with_affine(affine):
    img = nib.Nifti1Image(Z, AFFINE)
    img._affine = affine
    return img


def surface():
    mesh = InMemoryMesh(np.zeros((4, 3)), np.zeros((2, 3), dtype=int))
    return SurfaceImage(PolyMesh(left=mesh), {"left": np.ones(4)})


HOSTILE = {
    "None": None,
    "3": 3,
    "-1": -1,
    "0": 0,
    "NaN": np.nan,
    "inf": np.inf,
    "no float": 10**400,
    "text": "abc",
    "empty text": "",
    "NUL": "a\0b",
    "long text": "a" * 5000,
    "bytes": b"abc",
    "empty list": [],
    "list of None": [None],
    "lists": [[[]]],
    "dict": {},
    "set": {1},
    "object": object(),
    "function": len,
    "class": int,
    "complex": 1j,
    "True": True,
    "objects": np.array([None, "a"], dtype=object),
    "empty array": np.array([]),
    "no rows": np.zeros((0, 3)),
    "NaNs": np.full((3, 3), np.nan),
    "many dimensions": np.zeros((1,) * 5),
    "fields": np.zeros(3, dtype=[("a", "f4")]),
    "dates": np.array(["2020"], dtype="M8[D]"),
    "masked": np.ma.array([1, 2], mask=[0, 1]),
    "empty table": pd.DataFrame(),
    "empty column": pd.Series(dtype=float),
    "words": pd.DataFrame({"a": ["x"]}),
    "affine of zeros": with_affine(np.zeros((4, 4))),
    "affine of NaN": with_affine(np.full((4, 4), np.nan)),
    "one axis": nib.Nifti1Image(np.zeros(5), AFFINE),
    "five axes": nib.Nifti1Image(np.zeros((2,) * 5), AFFINE),
    "no voxels": nib.Nifti1Image(np.zeros((0, 5, 4)), AFFINE),
    "image of NaN": nib.Nifti1Image(np.full(Z.shape, np.nan), AFFINE),
    "image of zeros": nib.Nifti1Image(np.zeros(Z.shape), AFFINE),
    "complex image": nib.Nifti1Image(Z.astype(np.complex64), AFFINE),
    "colours": nib.Nifti1Image(COLOURS, AFFINE),
    "other grid": nib.Nifti1Image(np.ones((3, 3, 3)), AFFINE),
    "several maps": nib.Nifti1Image(np.stack([Z] * 3, -1), AFFINE),
    "large integers": nib.Nifti1Image(np.full(Z.shape, 2**62), AFFINE, dtype=np.int64),
    "negative": nib.Nifti1Image(-np.ones(Z.shape), AFFINE),
    "large floats": nib.Nifti1Image(np.full(Z.shape, 1e308), AFFINE),
    "image and None": [Z_IMG, None],
    "nowhere": "/nowhere/map.nii",
    "folder": "/",
    "device": "/dev/null",
    "surface": surface(),
}


def parameters(function, *, but=()):
    return [name for name in inspect.signature(function).parameters if name not in but]


def transformer_calls():
    for cls, given in (
        (ClusterTDPTransformer, {}),
        (AdaptiveTDPTransformer, {"tdp_threshold": 0.5}),
        (RegionTDPTransformer, {"labels_img": LABELS_IMG}),
    ):
        yield f"{cls.__name__}.fit", lambda value, cls=cls, given=given: cls(**given).fit(value)
        for name in parameters(cls, but=("verbose", "tdp_threshold")):

            def call(value, cls=cls, given=given, name=name):
                return cls(**{**given, name: value}).fit(Z_IMG)

            yield f"{cls.__name__}({name})", call


def model_calls():
    model = ARISecondLevelModel(mask_img=SUBJECTS_MASK).fit(SUBJECTS, design_matrix=DESIGN)

    def with_parameter(name, value):
        given = {"mask_img": SUBJECTS_MASK, name: value}
        fitted = ARISecondLevelModel(**given).fit(SUBJECTS, design_matrix=DESIGN)
        return fitted.compute_contrast("a", output_type="tdp")

    empty = ARISecondLevelModel(mask_img=SUBJECTS_MASK)
    yield "model.fit", lambda value: empty.fit(value, design_matrix=DESIGN)
    yield "model.fit(design)", lambda value: empty.fit(SUBJECTS, design_matrix=value)
    for name in ("mask_img", "transformer", "calibration", "smoothing_fwhm"):
        yield f"model({name})", lambda value, name=name: with_parameter(name, value)
    for name in parameters(model.compute_contrast):
        given = {} if name == "second_level_contrast" else {"second_level_contrast": "a"}

        def call(value, name=name, given=given):
            return model.compute_contrast(**{**given, name: value})

        yield f"model.compute_contrast({name})", call


def function_calls():
    fitted = ClusterTDPTransformer(2.5, mask_img=MASK_IMG).fit(Z_IMG)
    for name in ("mask_img", "indices", "alpha"):
        yield f"set_bound({name})", lambda value, name=name: set_bound(fitted, **{name: value})
    yield "set_bound", lambda value: set_bound(value, mask_img=MASK_IMG)
    yield "set_bound(seed)", lambda value: set_bound(fitted, seed=value, radius=3)
    yield "set_bound(radius)", lambda value: set_bound(fitted, seed=(0, 0, 0), radius=value)
    yield "cluster_level_inference", cluster_level_inference
    for name in ("threshold", "alpha", "mask_img"):

        def call(value, name=name):
            return cluster_level_inference(Z_IMG, **{name: value})

        yield f"cluster_level_inference({name})", call
    for function in (describe_map, output_stem, BIDSName.parse, find_contrast):
        given = ([1, 0],) if function is find_contrast else ()
        yield function.__name__, lambda value, f=function, given=given: f(value, *given)
    yield "find_contrast(contrast)", lambda value: find_contrast(DESIGN, value)
    for function in (read_fsl, read_spm, read_afni, read_p_map, read_feat):
        yield function.__name__, function
    for name in parameters(read_fsl)[1:]:
        yield f"read_fsl({name})", lambda value, name=name: read_fsl(Z_IMG, **{name: value})
    yield "fsl_tables_with_tdp", lambda value: fsl_tables_with_tdp(value, [])
    yield "fsl_tables_with_tdp(tables)", lambda value: fsl_tables_with_tdp(fitted, value)


CALLS = dict([*transformer_calls(), *model_calls(), *function_calls()])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_any_kind_are_taken_or_refused_in_words(name):
    for what, value in HOSTILE.items():
        try:
            CALLS[name](value)
        except (ValueError, TypeError, OSError) as error:
            if not str(error):
                pytest.fail(f"{what}: an error without a word")
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")


@pytest.mark.parametrize("folder", [None, 3, "a\0b", b"abc", "/dev/null"])
def test_folders_of_any_kind(folder, tmp_path):
    for call in (find_subject_maps, lambda value: find_group_mask(value, pd.DataFrame())):
        with pytest.raises((ValueError, TypeError, OSError), match="folder"):
            call(folder)


@pytest.mark.parametrize("maps", [None, {}, pd.DataFrame(), np.zeros(3)])
def test_tables_of_maps_of_any_kind(maps, tmp_path):
    with pytest.raises(TypeError, match="maps must be a table with columns 'path' and 'subject'"):
        find_group_mask(tmp_path, maps)
