"""A contrast of a second-level model before its test: its z map, and the transformer for it."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from nilearn.image import get_data

from ari_estimator.calibration._subject_contrasts import ContrastOfFamily
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.images._volume_part import VolumePart
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._random_field_extent import RandomFieldExtent
from ari_estimator.inference._statistics import SettledStatistic
from ari_estimator.second_level._contrast_calibration import columns_of
from ari_estimator.second_level._estimate_smoothness import smoothness_of
from ari_estimator.second_level._welch_contrast import ReadContrast, warn_of_p_values


class PreparedContrast(NamedTuple):
    """A contrast before its test.

    Attributes
    ----------
    called : str
        The contrast in words.

    transformer : BaseTDPTransformer
        The transformer for its map, not fitted.

    settled : SettledStatistic
        The statistic of the map, and who says so.

    read : ReadContrast
        The z map, and the data that it comes from.
    """

    called: str
    transformer: BaseTDPTransformer
    settled: SettledStatistic
    read: ReadContrast

    def without_data(self) -> PreparedContrast:
        """Return the contrast without the data of subjects, whose memory can be freed."""
        return self._replace(read=self.read._replace(data=np.empty((0, 0))))

    def warn_of_p_values(self, design: pd.DataFrame, *, keeps_gaps: bool) -> None:
        """Warn if parametric p-values of the contrast are likely to be too small, or undefined."""
        read = self.read
        if read.groups is None:  # statistics of groups have warned
            warn_of_constant(read.is_constant)
        warn_of_p_values(read.data, design, read.tested, read.groups, keeps_gaps=keeps_gaps)

    def with_smoothness(self, design: pd.DataFrame, masker: Any) -> PreparedContrast:
        """Return the contrast with the smoothness of residuals, if the local test asks for it.

        Parameters
        ----------
        design : pandas.DataFrame
            The design of the model.

        masker : masker
            The mask of the model.

        Returns
        -------
        prepared : PreparedContrast
            The same, or one with a copy of the transformer.

        Raises
        ------
        ValueError
            If the smoothness cannot be estimated.
        """
        test: Any = self.transformer.local_test
        if not isinstance(test, RandomFieldExtent) or test.fwhm is not None:
            return self
        mask_img: Any = getattr(masker, "mask_img_", None)
        if not hasattr(mask_img, "affine"):
            raise ValueError(
                "transformer__local_test must not be a RandomFieldExtent unless the maps are "
                "volumes: smoothness is estimated along the axes of a grid."
            )
        part = VolumePart(np.asarray(get_data(mask_img)) > 0, mask_img.affine)
        fwhm = smoothness_of(np.asarray(self.read.data, dtype=np.float64), part, design)
        # A clone would not know that its parameters were checked.
        transformer: Any = copy(self.transformer)
        transformer.local_test = replace(test, fwhm=tuple(fwhm.tolist()))
        return self._replace(transformer=transformer)

    def family(self) -> MapFamily:
        """Return the tested elements of the z map."""
        return self.transformer._family_of(self.read.images, self.settled)

    def of_family(self, masker: Any, family: MapFamily) -> ContrastOfFamily:
        """Return the contrast as one of several that are calibrated together.

        Parameters
        ----------
        masker : masker
            The mask of the model.

        family : MapFamily
            The tested elements.

        Returns
        -------
        contrast : ContrastOfFamily
            The contrast.
        """
        return ContrastOfFamily(
            self.read.rows,
            "F" if self.read.tested.is_f else "t",
            bool(self.transformer.two_sided),
            columns_of(masker, self.transformer._frame, family.is_tested),
        )
