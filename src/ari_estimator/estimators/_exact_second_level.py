"""nilearn's second-level model, with correct statistics for every design."""

from __future__ import annotations

from typing import Any

import pandas as pd
from nibabel import Nifti1Image
from nilearn.glm.first_level import run_glm
from nilearn.glm.second_level import SecondLevelModel

from ari_estimator.estimators._model_contrast import (
    in_words,
    is_f_contrast,
    refuse_names,
    weights_of,
)
from ari_estimator.estimators._ols_in_blocks import ols_in_blocks
from ari_estimator.resampling._contrast_expression import check_expressions
from ari_estimator.resampling._design_checks import check_contrast
from ari_estimator.resampling._design_space import independent_rows


class ExactSecondLevelModel(SecondLevelModel):
    """nilearn's model, with corrections.

    It computes statistics of designs and F contrasts of lower rank, fits large data in blocks of
    voxels, and refuses texts that pandas would evaluate.
    """

    design_matrix_: Any

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
            return super().compute_contrast(*given)  # raises an error with the reason
        if not weights.any():
            raise ValueError(
                "second_level_contrast must have a weight other than 0. Got "
                f"{in_words(contrast, design)}. Contrast is null: it tests nothing."
            )
        if contrast is None and design.shape[1] > 1:
            return super().compute_contrast(*given)
        space = check_contrast(design, weights)
        rows = independent_rows(weights)
        if space.rank == design.shape[1] and len(rows) == len(weights):
            return super().compute_contrast(*given)
        basis, rows = space.reparametrized(weights)
        self.design_matrix_ = pd.DataFrame(basis, columns=[f"basis_{i}" for i in range(space.rank)])
        try:
            outputs = super().compute_contrast(
                rows if is_f else rows[0], first_level_contrast, "F" if is_f else "t", output_type
            )
        finally:
            self.design_matrix_ = design
        for name, image in (outputs if output_type == "all" else {output_type: outputs}).items():
            if isinstance(image, Nifti1Image):
                image.header["descrip"] = f"{name} of contrast {in_words(contrast, design)}"[:80]
        return outputs

    def _cache(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the cached function for nilearn, computed in blocks where possible."""
        if func is run_glm and self.minimize_memory:
            func = ols_in_blocks
        return super()._cache(func, *args, **kwargs)
