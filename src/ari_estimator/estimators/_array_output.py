"""Array output in the container that the user has chosen, with names of its columns."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.utils.validation import check_is_fitted

from ari_estimator.images._array_frame import ArrayFrame
from ari_estimator.images._frame import Frame
from ari_estimator.images._image_maps import ImageMaps
from ari_estimator.images._maps import Maps

_CONTAINERS = ("default", "pandas", "polars")

Itself = TypeVar("Itself", bound="ArrayOutputMixin")


class ArrayOutputMixin:
    """scikit-learn's ``set_output`` for transformers whose output is an image or an array.

    scikit-learn would put every output into the container, also images.
    """

    _frame: Frame
    n_elements_: int
    # Whether the output has a row for each map, also if the maps are images or whole arrays.
    _output_is_table: ClassVar[bool] = False

    def _check_container(self, maps: Maps) -> None:
        """Refuse a container that was chosen for output in the shape of whole maps.

        scikit-learn's global setting is for all transformers. It is not refused.
        """
        chosen = getattr(self, "_sklearn_output_config", {}).get("transform", "default")
        is_whole = isinstance(maps, ImageMaps) and maps.kind is ArrayFrame and not maps.is_single
        if chosen != "default" and is_whole and not self._output_is_table:
            raise ValueError(
                "set_output must leave the container 'default' for arrays of whole maps (with "
                "adjacency, or labels_img as an array): their output has the shape of the maps, "
                f"and a table has two dimensions. Got transform={chosen!r}."
            )

    def _contained(self, output: np.ndarray, maps: Maps) -> Any:
        """Return array output in the container that was chosen."""
        config = getattr(self, "_sklearn_output_config", {})
        container = config.get("transform", get_config()["transform_output"])
        if container == "default":
            return output
        values, columns = np.atleast_2d(output), self.get_feature_names_out()
        if container == "pandas":
            return pd.DataFrame(values, index=maps.index, columns=columns)

        # Imported here, because few users have polars. It does not keep row names.
        import polars as pl

        return pl.DataFrame(values, schema=list(columns), orient="row")

    def set_output(self: Itself, *, transform: str | None = None) -> Itself:
        """Choose the container of masked values and of values of regions. Images stay images.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Container of the output of :meth:`transform` for masked values. None changes nothing.
            Arrays of whole maps, which have the shape of the maps, are refused with another
            container than "default". Under scikit-learn's global setting, they stay arrays.

        Returns
        -------
        self : object
            The transformer.
        """
        if transform not in (None, *_CONTAINERS):
            raise ValueError(
                f"transform must be 'default', 'pandas', 'polars' or None. Got {transform!r}."
            )
        if transform is not None:
            # scikit-learn copies the attribute of this name to clones.
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each element of the mask, as columns of array output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to use instead. If the transformer was fitted to a table, they must be the names
            of its columns.

        Returns
        -------
        names : ndarray of str of shape (n_elements,)
            The columns of the table that the transformer was fitted to. Without one,
            ``voxel_0``, ``voxel_1``, ..., in the order of the mask; ``vertex_0``, ... for
            surfaces, and ``grayordinate_0``, ... for CIFTI images.
        """
        check_is_fitted(self)
        element = self._frame.space.element_name[0]
        known = getattr(self, "feature_names_in_", None)
        if input_features is None:
            if known is not None:
                return known
            return np.array([f"{element}_{i}" for i in range(self.n_elements_)], dtype=object)
        names = np.asarray(input_features, dtype=object)
        if names.shape != (self.n_elements_,):
            raise ValueError(
                f"input_features must have shape ({self.n_elements_},), a name for each "
                f"{element} of the mask. Got shape {names.shape}."
            )
        if known is not None and not np.array_equal(names, known):
            raise ValueError("input_features is not equal to feature_names_in_.")
        return names
