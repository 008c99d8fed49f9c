"""nilearn's second-level model, with correct statistics for every design and kind of image."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nilearn.glm import compute_contrast
from nilearn.glm.first_level import run_glm
from nilearn.glm.second_level import SecondLevelModel
from nilearn.maskers import SurfaceMasker

from ari_estimator._unused_options import refuse_unused
from ari_estimator.images._described import described
from ari_estimator.images._file_volumes import as_volumes
from ari_estimator.images._gap_masker import GapMasker
from ari_estimator.images._kinds import check_kind
from ari_estimator.images._masks import check_model_mask
from ari_estimator.images._nan_masker import NaNWarningMasker
from ari_estimator.images._own_kinds import OwnKind, own_kind_of
from ari_estimator.images._several_maps import check_number
from ari_estimator.images._stand_ins import (
    StandInMasker,
    restored_input,
    stand_in_mask,
    stand_ins,
)
from ari_estimator.images._subject_maps import WITH_MAP, all_readable, sample_maps
from ari_estimator.resampling import constant_elements, find_contrast
from ari_estimator.resampling._constant_elements import may_be_constant
from ari_estimator.resampling._contrast_expression import check_expressions
from ari_estimator.resampling._design_checks import check_contrast
from ari_estimator.resampling._design_space import independent_rows
from ari_estimator.second_level._model_contrast import (
    in_words,
    is_f_contrast,
    refuse_names,
    weights_of,
)
from ari_estimator.second_level._ols_in_blocks import ols_in_blocks
from ari_estimator.second_level._sound_contrast import SoundContrast


class ExactSecondLevelModel(SecondLevelModel):
    """nilearn's model, with corrections.

    It computes statistics of designs and F contrasts of lower rank, of data that are constant or of
    any scale, and fits large data in blocks of voxels. It takes CIFTI images, arrays and objects of
    MNE-Python. It reads one map of a subject at a time, and refuses texts that pandas would
    evaluate.
    """

    design_matrix_: Any
    masker_: Any
    missing: Any = None

    # Maps of kinds that nilearn does not know, and what it takes for them.
    _own_maps: list[Any] | None = None
    _stand_ins: Any = None
    # Elements where the data of the last contrast are constant.
    _is_constant: np.ndarray

    def fit(
        self,
        second_level_input: Any,
        confounds: Any = None,
        design_matrix: Any = None,
        *,
        map: int | str | None = None,  # noqa: A002  # the word that users know
    ) -> ExactSecondLevelModel:
        """Fit the model, see :meth:`ARISecondLevelModel.fit`."""
        given = second_level_input
        if isinstance(given, pd.DataFrame) and "effects_map_path" in given:
            given = given["effects_map_path"]
        images = given.tolist() if isinstance(given, pd.Series) else given
        self._own_maps = self._stand_ins = None
        kind = own_kind_of(images)
        if kind is not None:
            maps = kind.open(images, map)
            self._fit_own_maps(kind, second_level_input, maps, confounds, design_matrix)
            return self
        number = check_number(map)
        what = "second_level_input"
        if isinstance(images, (str, Path)):
            # Its volumes are the maps.
            refuse_unused("for one image, which has a map for each subject", {"map": (map, None)})
        maps = all_readable(as_volumes(second_level_input, what), what, number, ways=WITH_MAP)
        mask_img = self.get_params(deep=False)["mask_img"]
        try:
            self.mask_img = all_readable(mask_img, "mask_img")
            check_model_mask(self.mask_img)
            # nilearn would read all maps at once to compute a mask.
            samples = sample_maps(maps, self.mask_img, keeps_gaps=self.missing is not None)
            super().fit(samples, confounds=confounds, design_matrix=design_matrix)
        finally:
            self.mask_img = mask_img
        if samples is not maps:
            self.second_level_input_ = maps
        if isinstance(self.masker_, SurfaceMasker):
            self._refuse_resampling("for surfaces, which nilearn does not resample")
        else:
            masker = NaNWarningMasker if self.missing is None else GapMasker
            self.masker_ = masker.take_over(self.masker_)
        return self

    def _fit_own_maps(
        self,
        kind: OwnKind,
        given: Any,
        maps: list[Any],
        confounds: Any,
        design_matrix: Any,
    ) -> None:
        """Fit the model to maps of a kind that nilearn does not know."""
        self._refuse_resampling(kind.not_resampled)
        refuse_unused(kind.not_smoothed, {"smoothing_fwhm": (self.smoothing_fwhm, None)})
        mask_img = self.get_params(deep=False)["mask_img"]
        if mask_img is not None:
            check_kind(mask_img, kind.frame, "mask_img")
        masker = kind.masker(mask_img).fit(maps)
        if design_matrix is None and kind.has_mean_design and confounds is None:
            design_matrix = pd.DataFrame({"intercept": np.ones(len(maps))})
        try:
            self.mask_img = stand_in_mask()
            super().fit(stand_ins(maps, given), confounds=confounds, design_matrix=design_matrix)
        finally:
            self.mask_img = mask_img
        self._own_maps, self._stand_ins = maps, self.second_level_input_
        self.second_level_input_ = restored_input(self._stand_ins, given)
        self.masker_ = masker
        self.n_elements_ = masker.n_elements_

    def _refuse_resampling(self, why: str) -> None:
        names = ("target_affine", "target_shape")
        refuse_unused(why, {name: (getattr(self, name), None) for name in names})

    def _check_first_level(self, contrast: Any) -> None:
        """Refuse a text that is not a contrast of the first-level models, if they are the input."""
        given = self.second_level_input_
        for model in given if isinstance(given, list) else []:
            for design in getattr(model, "design_matrices_", ()):
                check_expressions(contrast, design.columns)

    def _exact_contrast(
        self, contrast: Any, first_level_contrast: Any, stat_type: str | None, output_type: str
    ) -> Any:
        """Compute one of nilearn's maps for an estimable contrast.

        nilearn's statistics are correct for designs and F contrasts of full rank. Otherwise this
        method replaces the design by one of full rank with the same column space.
        """
        design = self.design_matrix_
        given = (contrast, first_level_contrast, stat_type, output_type)
        is_f = is_f_contrast(contrast, stat_type)
        refuse_names(contrast, design)
        try:
            weights = weights_of(contrast, design)
        except (TypeError, ValueError):
            if isinstance(contrast, str):
                raise
            return self._nilearns_contrast(*given)  # raises an error with the reason
        if not weights.any():
            raise ValueError(
                "second_level_contrast must have a weight other than 0. Got "
                f"{in_words(contrast, design)}. Contrast is null: it tests nothing."
            )
        if contrast is None and design.shape[1] > 1:
            return self._nilearns_contrast(*given)
        space = check_contrast(design, weights)
        rows = independent_rows(weights)
        if space.rank == design.shape[1] and len(rows) == len(weights):
            return self._nilearns_contrast(*given)
        basis, rows = space.reparametrized(weights)
        self.design_matrix_ = pd.DataFrame(basis, columns=[f"basis_{i}" for i in range(space.rank)])
        try:
            outputs = self._nilearns_contrast(
                rows if is_f else rows[0], first_level_contrast, "F" if is_f else "t", output_type
            )
        finally:
            self.design_matrix_ = design
        for name, image in (outputs if output_type == "all" else {output_type: outputs}).items():
            described(image, f"{name} of contrast {in_words(contrast, design)}")
        return outputs

    def _nilearns_contrast(self, *given: Any) -> Any:
        """Compute a contrast as nilearn does, which does not know all kinds of maps."""
        maps = self._own_maps
        if maps is None:
            return super().compute_contrast(*given)
        own = self.second_level_input_, self.masker_
        try:
            self.second_level_input_ = self._stand_ins
            self.masker_ = StandInMasker(self.masker_, maps)
            outputs = super().compute_contrast(*given)
        finally:
            self.second_level_input_, self.masker_ = own
        contrast, output_type = in_words(given[0], self.design_matrix_), given[3]
        by_type = outputs if output_type == "all" else {output_type: outputs}
        made = {
            name: described(output.made(), f"{name} of contrast {contrast}")
            for name, output in by_type.items()
        }
        return made if output_type == "all" else made[output_type]

    def _cache(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the cached function for nilearn: a regression in blocks, sound statistics."""
        if func is run_glm:
            fit = ols_in_blocks if self.minimize_memory else run_glm
            return partial(self._fit_and_look, super()._cache(fit, *args, **kwargs))
        cached = super()._cache(func, *args, **kwargs)
        return partial(self._sound, cached) if func is compute_contrast else cached

    def _fit_and_look(self, fit: Any, data: np.ndarray, design: np.ndarray, **options: Any) -> Any:
        """Return nilearn's regression, and note in which elements data are constant."""
        labels, results = fit(data, design, **options)
        (result,) = results.values()
        squares = np.ravel(result.dispersion) * result.df_residuals
        is_constant = may_be_constant(data, squares)
        if is_constant.any():
            is_constant &= data.any(axis=0)  # the statistic of data that are 0 is 0 anyway
            # Any contrast of the design, which has full rank here, has its basis.
            contrast = find_contrast(design, np.eye(1, design.shape[1]))
            values = data[:, is_constant].astype(np.float64)
            is_constant[is_constant] = constant_elements(values, contrast)
        self._is_constant = is_constant
        return labels, results

    def _sound(self, compute: Any, *given: Any) -> SoundContrast:
        """Return nilearn's contrast, with sound statistics."""
        with np.errstate(divide="ignore", invalid="ignore"):  # where data are constant
            contrast = compute(*given)
        return SoundContrast(contrast, self._is_constant)
