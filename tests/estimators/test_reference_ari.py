"""Real studies: clusters of the R package ARIbrain row by row, and a group study end to end.

The data lie outside of the repository; without them the tests are skipped.
"""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data, math_img
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

CASES = [
    (case, threshold, alpha)
    for case, threshold in [
        ("z1.0", 1.0),
        ("z2.0", 2.0),
        ("z2.5", 2.5),
        ("z3.0", 3.0),
        ("z3.2", 3.2),
        ("z4.0", 4.0),
        ("z5.0", 5.0),
        ("file32", 3.2),
    ]
    for alpha in ("0.05", "0.10")
]


@pytest.fixture(scope="module")
def auditory_z(shared_path):
    return nib.load(shared_path("data", "auditory_z", "zstat.nii.gz"))


@pytest.fixture(scope="module")
def auditory_mask(shared_path):
    # Values from 0 to 3.
    return math_img("img != 0", img=nib.load(shared_path("data", "auditory_z", "mask.nii.gz")))


@pytest.fixture(scope="module")
def reference_rows(shared_path):
    return pd.read_csv(shared_path("reference", "ari_auditory.tsv"), sep="\t")


@pytest.fixture(scope="module")
def reference_labels(shared_path):
    path = shared_path("data", "auditory_z", "cluster_th_3.2.nii.gz")
    with np.load(shared_path("reference", "ari_auditory_labels.npz")) as archive:
        return {**archive, "file32": get_data(nib.load(path)).astype(int)}


@pytest.fixture(scope="module")
def subject_paths(shared_path):
    paths = sorted(shared_path("data", "emotion_regulation").glob("sub-*.nii.gz"))
    assert len(paths) == 30
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def one_sample():
    return pd.DataFrame({"intercept": np.ones(30)})


@pytest.fixture(scope="module")
def model(subject_paths, one_sample):
    model = ARISecondLevelModel(transformer=ClusterTDPTransformer(3.1))
    return model.fit(subject_paths, design_matrix=one_sample)


class TestAuditory:
    """One z map of 145,872 voxels, with the clusters that were given to ARIbrain."""

    @pytest.mark.parametrize(("case", "threshold", "alpha"), CASES)
    def test_clusters_equal_the_clusters_of_aribrain(
        self, auditory_z, auditory_mask, reference_rows, reference_labels, one_to_one,
        case, threshold, alpha,
    ):  # fmt: skip
        transformer = ClusterTDPTransformer(
            threshold, alpha=float(alpha), mask_img=auditory_mask, connectivity=26
        )
        tdp = get_data(transformer.fit_transform(auditory_z))
        labels = get_data(transformer.labels_img_)
        expected = reference_rows[reference_rows["case"] == f"ext_{case}_alpha{alpha}"]
        assert len(transformer.table_) == len(expected) > 4

        mask = get_data(auditory_mask) > 0
        assert one_to_one(labels[mask], reference_labels[case][mask])

        table = transformer.table_.set_index("cluster_id")
        for _, row in expected.iterrows():
            number = int(row["cluster"].removeprefix("cl"))
            members = mask & (reference_labels[case] == number)
            (cluster_id,) = np.unique(labels[members])
            assert (cluster_id == 0) == (number == 0)
            ours = table.loc[cluster_id]
            assert ours["n_voxels"] == row["Size"] == members.sum()
            assert ours["true_discoveries"] == row["FalseNull"]
            assert ours["tdp"] == row["FalseNull"] / row["Size"]
            # What pandas reads from text may be off in the last bits.
            assert_allclose(ours["tdp"], row["ActiveProp"], rtol=1e-12)
            assert_allclose(ours["peak_stat"], row["Stat"], rtol=1e-14)
            peak = row[["dim1", "dim2", "dim3"]].astype(int) - 1
            assert_allclose(
                ours[["peak_x", "peak_y", "peak_z"]].astype(float),
                apply_affine(auditory_z.affine, peak),
                atol=1e-9,
            )
            assert (tdp[members] == (ours["tdp"] if number else 0)).all()

    def test_every_row_of_the_reference_is_compared(self, reference_rows):
        cases = {f"ext_{case}_alpha{alpha}" for case, _, alpha in CASES}
        assert cases == set(reference_rows["case"])


class TestWholeBrain:
    """A z map of 257,659 voxels with -inf in the mask."""

    def test_infinite_voxels_are_tested(self, shared_path):
        z_img = nib.load(shared_path("data", "whole_brain_z", "z.nii.gz"))
        mask_img = math_img(
            "img != 0", img=nib.load(shared_path("data", "whole_brain_z", "mask.nii.gz"))
        )
        z = get_data(z_img)[get_data(mask_img) > 0]
        assert np.isneginf(z).any()
        transformer = ClusterTDPTransformer(3.1, mask_img=mask_img)
        tdp = get_data(transformer.fit_transform(z_img))
        assert transformer.n_tested_ == z.size
        assert (transformer.maps_.test.p_values[np.isneginf(z)] == 1).all()
        assert ((tdp >= 0) & (tdp <= 1)).all()
        assert tdp.max() > 0.5


class TestEmotionRegulation:
    """30 subjects, one contrast image each."""

    @pytest.mark.filterwarnings("error:.*NaN")
    @pytest.mark.parametrize("threshold", [3.1, [2.3, 3.1, 4], "concentration"])
    def test_tdp_equals_the_tdp_of_nilearns_z_map(
        self, model, subject_paths, one_sample, threshold
    ):
        model.set_params(transformer__threshold=threshold)
        tdp = model.compute_contrast(output_type="tdp")
        theirs = SecondLevelModel().fit(subject_paths, design_matrix=one_sample)
        z_img = theirs.compute_contrast(output_type="z_score")
        transformer = ClusterTDPTransformer(threshold, mask_img=theirs.masker_.mask_img_)
        assert_array_equal(get_data(tdp), get_data(transformer.fit_transform(z_img)))
        pd.testing.assert_frame_equal(model.table_, transformer.table_)

    def test_table_is_finite_and_the_tdp_a_proportion(self, model):
        model.set_params(transformer__threshold=3.1)
        tdp = get_data(model.compute_contrast(output_type="tdp"))
        assert ((tdp >= 0) & (tdp <= 1)).all()
        table = model.table_
        assert len(table) > 10
        assert np.isfinite(table.select_dtypes("number").drop(columns="threshold")).all(axis=None)
        assert (table["threshold"][:-1] == 3.1).all()
        assert table["tdp"].between(0, 1).all()
        assert 0 < table["true_discoveries"].sum() <= model.true_discoveries_
        assert table["n_voxels"].sum() == model.n_tested_ == model.n_elements_ > 70_000
        assert_allclose(table["size_mm3"] / table["n_voxels"], 3.4375**2 * 4.5, rtol=1e-4)
