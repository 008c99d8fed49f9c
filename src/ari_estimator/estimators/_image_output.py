"""What transformers share whose output is in the form of the maps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ari_estimator.estimators._base import BaseTDPTransformer
from ari_estimator.estimators._inference import MapInference
from ari_estimator.images._maps import ArrayMaps, ImageMaps


class TDPImageTransformer(BaseTDPTransformer):
    """Base of transformers that turn maps into maps, in which elements show a TDP."""

    labels_img_: Any

    def _to_output(self, maps: ImageMaps | ArrayMaps, inferences: Iterable[MapInference]) -> Any:
        tdp = (inference.tdp for inference in inferences)
        output = maps.restore(tdp, self._frame, "true discovery proportion")
        return self._contained(output, maps) if isinstance(maps, ArrayMaps) else output

    def _keep(self, maps: ImageMaps | ArrayMaps, inferences: list[MapInference]) -> None:
        super()._keep(maps, inferences)
        self.labels_img_ = maps.restore(
            (inference.labels for inference in inferences), self._frame, "clusters of the table"
        )

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each element of the mask, as columns of array output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to use instead.

        Returns
        -------
        names : ndarray of str of shape (n_elements,)
            ``voxel_0``, ``voxel_1``, ..., in the order of the mask; ``vertex_0``, ... for
            surfaces, and ``grayordinate_0``, ... for CIFTI images.
        """
        check_is_fitted(self)
        element = self._frame.space.element_name[0]
        if input_features is not None:
            names = np.asarray(input_features, dtype=object)
            if names.shape != (self.n_features_in_,):
                raise ValueError(
                    f"input_features must have shape ({self.n_features_in_},), a name for each "
                    f"{element} of the mask. Got shape {names.shape}."
                )
            return names
        return np.array([f"{element}_{i}" for i in range(self.n_features_in_)], dtype=object)
