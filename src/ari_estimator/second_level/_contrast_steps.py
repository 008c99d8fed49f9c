"""The steps from a contrast of a group model to its TDP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from nilearn.maskers import NiftiMasker, SurfaceMasker
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ari_estimator._nesting import refuse_nested
from ari_estimator._progress import progress
from ari_estimator.calibration._missing_rows import Missing
from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.images._described import described, description_of
from ari_estimator.images._equality import same_value
from ari_estimator.images._grayordinate_masker import GrayordinateMasker
from ari_estimator.images._single_array import without_wrapping
from ari_estimator.inference._group_model import GroupModel
from ari_estimator.inference._local_tests import TestMaker
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.resampling import find_contrast
from ari_estimator.second_level._contrast_calibration import (
    calibrated_contrast,
    columns_of,
    only,
    recorded,
)
from ari_estimator.second_level._contrast_family import FamilyTests
from ari_estimator.second_level._exact_second_level import ExactSecondLevelModel
from ari_estimator.second_level._last_result import LastResult
from ari_estimator.second_level._missing_contrast import images_with_gaps
from ari_estimator.second_level._model_contrast import (
    in_words,
    is_f_contrast,
    weights_of,
)
from ari_estimator.second_level._model_input import refuse_other_order
from ari_estimator.second_level._model_parts import (
    check_calibration,
    checked_transformer,
    own_calibration,
    transformer_of_contrast,
)
from ari_estimator.second_level._prepared_contrast import PreparedContrast
from ari_estimator.second_level._welch_contrast import (
    ReadContrast,
    common_groups,
    groups_in_words,
    with_groups,
)


class ContrastSteps(ExactSecondLevelModel):
    """A group model with the steps from a contrast to its TDP.

    A subclass defines the parameters and the public methods.
    """

    masker_: NiftiMasker | SurfaceMasker | GrayordinateMasker
    transformer: BaseTDPTransformer | None
    calibration: SubjectCalibration | None
    variance_groups: Any
    missing: Missing
    _last_calibration: LastResult[SubjectCalibration]
    _last_family: LastResult[FamilyTests]
    _family_masker: Any

    # Two subjects that nilearn puts in another order.
    _unsorted: tuple[str, str] | None
    _fitted_with: dict[str, Any]

    def _check_is_as_fitted(self) -> None:
        """Refuse a model that is not fitted, or parameters that were changed after fit."""
        check_is_fitted(self)
        for name, value in self._fitted_with.items():
            now = getattr(self, name)
            if now is not value and not same_value(now, value):
                raise NotFittedError(f"{name} was set after fit, which reads it. Call fit again.")
        self._check_order()

    def _check_order(self, **others: Any) -> None:
        """Refuse what has an item for each row, if nilearn changes the order of rows."""
        of_rows = {
            **others,
            "variance_groups": self.variance_groups,
            "calibration__blocks": getattr(self.calibration, "blocks", None),
            "calibration__variance_groups": getattr(self.calibration, "variance_groups", None),
        }
        refuse_other_order(self._unsorted, of_rows)

    def _forget_contrasts(self) -> None:
        """Delete the results of the last contrasts."""
        self.transformer_ = self.calibration_ = None
        self.transformers_ = self.joint_test_ = self.df_imgs_ = None
        self.__dict__.pop("table_", None)

    def _prepared(
        self,
        contrast: Any,
        first_level_contrast: Any,
        stat_type: str | None,
        *,
        known: np.ndarray | None = None,
        in_family: bool = False,
    ) -> PreparedContrast:
        """Return the z map of a contrast and the transformer for it, before the test."""
        refuse_nested(second_level_contrast=contrast)
        template = checked_transformer(self.transformer)
        check_calibration(self.calibration, template)
        transformer = transformer_of_contrast(
            template, self._family_masker, contrast, stat_type, in_family=in_family
        )
        settled = transformer._checked_before_fit()
        with progress("Reading the maps of subjects", shown=transformer.verbose != 0):
            read = self._read_contrast(contrast, first_level_contrast, stat_type, "z_score", known)
        if read.tested.is_f:
            settled = settled._replace(statistic=settled.statistic.of_f())
        said_by = "the model"
        if read.groups is not None:
            said_by = f"{said_by} {groups_in_words(read.groups, read.tested)}"
        called = in_words(contrast, self.design_matrix_)
        return PreparedContrast(called, transformer, settled._replace(said_by=said_by), read)

    def _tdp_of(
        self,
        prepared: PreparedContrast,
        make_test: TestMaker | None,
    ) -> Any:
        """Test the map of a contrast, and return its TDP."""
        transformer, read = prepared.transformer, prepared.read
        maps, output = transformer._fit_maps(
            read.images, make_test, prepared.called, prepared.settled, transformer._to_output
        )
        weights = np.atleast_2d(read.rows)
        group = GroupModel.of(self, prepared.called, weights, self.calibration)
        fitted_map = transformer.maps_
        asked_by = replace(fitted_map.asked_by, group=group)
        transformer.maps_ = replace(fitted_map, asked_by=asked_by)
        tdp = transformer._wrapped(output, maps)
        return described(tdp, description_of(read.images).replace("z_score", "tdp"))

    def _read_contrast(
        self,
        contrast: Any,
        first_level_contrast: Any,
        stat_type: str | None,
        output_type: str,
        known: np.ndarray | None = None,
    ) -> ReadContrast:
        """Compute maps of a contrast, with the variance groups if there are some."""
        design = self.design_matrix_
        asked = contrast, first_level_contrast, stat_type, output_type
        with recorded(self.masker_, known) as read:
            if self.missing is None:
                found = self._exact_contrast(*asked)
            else:
                found, df_img = images_with_gaps(self, asked, read)
                self.df_img_ = without_wrapping(df_img)
        data = only(read)
        is_f = is_f_contrast(contrast, stat_type)
        weights = weights_of(contrast, design)
        rows = weights if is_f else weights[0]
        tested = find_contrast(design.to_numpy(dtype=np.float64), rows, "F" if is_f else "t")
        groups = common_groups(self.variance_groups, self.calibration, design, tested)
        if groups is not None:
            images = found if output_type == "all" else {output_type: found}
            images = with_groups(images, self.masker_, data, design, rows, tested, groups)
            found = images if output_type == "all" else images[output_type]
        return ReadContrast(found, data, rows, tested, groups, self._is_constant)

    def _calibrated_test(
        self,
        calibration: SubjectCalibration,
        first_level_contrast: Any,
        prepared: PreparedContrast,
    ) -> TestMaker:
        """Return a function that calibrates a contrast on the tested elements."""
        calibration = own_calibration(calibration, self.variance_groups, self.missing)
        read, transformer = prepared.read, prepared.transformer

        def make_test(family: MapFamily) -> SimultaneousTest:
            columns = columns_of(self._family_masker, transformer._frame, family.is_tested)
            options: dict[str, Any] = {
                "stat_type": "F" if read.tested.is_f else "t",
                "alpha": float(transformer.alpha),
                "two_sided": transformer.two_sided,
            }
            design = self.design_matrix_.to_numpy(dtype=np.float64)
            # The subjects cannot change before the model is fitted again.
            asked = first_level_contrast, columns, design, read.rows, options
            fitted = self._last_calibration.of(
                (calibration._settings(), *asked),
                lambda: calibrated_contrast(
                    calibration,
                    read.data,
                    columns,
                    design,
                    read.rows,
                    family.space,
                    **options,
                ),
            )
            return fitted._test(transformer.alpha)

        return make_test
