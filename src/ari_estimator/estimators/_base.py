"""What all transformers of statistical maps share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Memory
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, check_memory

from ari_estimator.closed_testing._local_tests import LOCAL_TESTS
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.estimators._family import MapFamily, warn_of_nan
from ari_estimator.estimators._inference import MapInference, infer_map
from ari_estimator.estimators._maps import ArrayMaps, ImageMaps, as_maps
from ari_estimator.estimators._masking import fit_masker, mask_of, warn_of_preprocessing
from ari_estimator.estimators._supra_threshold import ClusterSets
from ari_estimator.estimators._thresholded import check_computed_family


# scikit-learn would wrap every output, images too; this class wraps arrays itself. (mypy
# does not know the keyword, since scikit-learn has no types.)
class BaseTDPTransformer(  # type: ignore[call-arg]
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of transformers that turn statistical maps into maps of TDP.

    A subclass says how sets of voxels are made from a map (:meth:`_set_maker`). The mask,
    the family of p-values, the bounds, the images and the table are settled here.
    """

    labels_img_: Any

    _parameter_constraints: dict[str, Any] = {
        "alpha": "no_validation",  # by check_alpha, like everywhere
        "mask_img": "no_validation",  # by nilearn's masker
        "two_sided": ["boolean"],
        "local_test": [StrOptions(set(LOCAL_TESTS))],
        "memory": "no_validation",  # by scikit-learn's check_memory
        "memory_level": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _set_maker(self) -> Callable[[MapFamily], list[ClusterSets]]:
        """Check the parameters that make sets, and return what makes them of a map."""

    def _check_params(self) -> None:
        self._validate_params()
        check_alpha(self.alpha)
        self._memory(0)
        self._set_maker()

    def fit(self, X: Any = None, y: None = None) -> BaseTDPTransformer:
        """Learn the mask and the grid.

        Parameters
        ----------
        X : Niimg-like object, list of 3D Niimg-like objects, array or None, default=None
            Statistical maps, as for :meth:`transform`. Without a mask in ``mask_img``,
            the mask is computed from them.

        y : None
            Ignored; there for scikit-learn.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if the mask is empty, not binary, or on
            another grid than the maps; if no mask is given and a map looks thresholded
            already.
        """
        self._fit(X)
        return self

    def _fit(self, X: Any) -> ImageMaps | ArrayMaps | None:
        """Fit, and return the maps, so that those in files are read once."""
        # Whatever goes wrong below, no earlier fit stays.
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        self._check_params()
        maps = None if X is None else as_maps(X)
        images = maps if isinstance(maps, ImageMaps) else None
        masker = fit_masker(
            self.mask_img,
            None if images is None else images.images,
            memory=self._memory(2),
            memory_level=max(1, self.memory_level - 1),
            verbose=max(0, int(self.verbose) - 1),
        )
        mask = mask_of(masker)
        if maps is not None:
            maps.check(masker.mask_img_, int(mask.sum()))
            warn_of_preprocessing(masker, of_arrays=images is None)
        if images is not None and masker.mask_img is None:
            is_from_maps = masker is not self.mask_img
            for volume in images.volumes():
                check_computed_family(volume, mask, zeros_are_left=is_from_maps)
        self.masker_ = masker
        self.mask_img_ = masker.mask_img_
        self.n_features_in_ = int(mask.sum())
        self._mask = mask
        return maps

    def transform(self, X: Any) -> Any:
        """Return the true discovery proportion of each voxel's cluster.

        Parameters
        ----------
        X : Niimg-like object, list of 3D Niimg-like objects, or array
            Statistical maps: one 3D image, several as a list or as a 4D image, or, as
            they come from a masker, an array of shape (n_maps, n_voxels), or (n_voxels,)
            for a single map. Each map is a family of its own.

        Returns
        -------
        tdp : Nifti1Image, list of Nifti1Image, or ndarray
            In the form of the input and on its grid; float64 in [0, 1], and 0 outside of
            clusters.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer is not fitted.
        TypeError
            If the input is none of these.
        ValueError
            If a map is on another grid than the mask, is constant, or is NaN in all of
            the mask.
        """
        check_is_fitted(self)
        maps = as_maps(X)
        tdp = (inference.tdp for inference in self._infer(maps))
        return self._in_form_of(maps, tdp)

    def fit_transform(self, X: Any, y: None = None) -> Any:
        """Fit to maps, transform them, and keep the tables and label images.

        Parameters
        ----------
        X : Niimg-like object, list of 3D Niimg-like objects, or array
            As for :meth:`transform`.

        y : None
            Ignored; there for scikit-learn.

        Returns
        -------
        tdp : Nifti1Image, list of Nifti1Image, or ndarray
            As from :meth:`transform`.
        """
        maps = self._fit(X)
        if maps is None:
            raise TypeError("Maps must be given to fit_transform. Got NoneType.")
        inferences = list(self._infer(maps))
        tdp = self._in_form_of(maps, (inference.tdp for inference in inferences))
        self.labels_img_ = maps.restore(
            (inference.labels for inference in inferences), self._mask, "clusters of the table"
        )
        for name in ("table", "hommel", "n_tested", "true_discoveries"):
            values = [getattr(inference, name) for inference in inferences]
            setattr(self, f"{name}_", values[0] if maps.is_single else values)
        return tdp

    def _memory(self, level: int) -> Memory:
        """Return the cache for work of a level: none, if it is not to be cached."""
        location = str(self.memory) if isinstance(self.memory, Path) else self.memory
        return check_memory(location if self.memory_level >= level else None)

    def _infer(self, maps: ImageMaps | ArrayMaps) -> Iterator[MapInference]:
        """Yield what is found in each map."""
        self._check_params()
        maps.check(self.mask_img_, self.n_features_in_)
        cached_infer_map = self._memory(1).cache(infer_map)
        for z in maps.values(self._mask):
            warn_of_nan(z)  # here, so that it is said of a cached result as well
            inference = cached_infer_map(
                z,
                self._mask,
                self.mask_img_.affine,
                self._set_maker(),
                alpha=self.alpha,
                two_sided=self.two_sided,
                local_test=self.local_test,
            )
            if self.verbose:
                print(
                    f"[{type(self).__name__}] {inference.n_tested} voxels tested, as z values: "
                    f"at least {inference.true_discoveries} true discoveries; "
                    f"{len(inference.table) - 1} clusters"
                )
            yield inference

    def _in_form_of(self, maps: ImageMaps | ArrayMaps, tdp: Iterable[np.ndarray]) -> Any:
        """Return TDPs in the form of the maps, or in the container that was chosen."""
        output = maps.restore(tdp, self._mask, "true discovery proportion")
        config = getattr(self, "_sklearn_output_config", {})
        wants_pandas = config.get("transform", get_config()["transform_output"]) == "pandas"
        if isinstance(maps, ArrayMaps) and wants_pandas:
            return pd.DataFrame(
                np.atleast_2d(output), index=maps.index, columns=self.get_feature_names_out()
            )
        return output

    def set_output(self, *, transform: str | None = None) -> BaseTDPTransformer:
        """Choose the container of array output; images stay images.

        Parameters
        ----------
        transform : {"default", "pandas"} or None, default=None
            Container of what :meth:`transform` gives for array input. None changes
            nothing.

        Returns
        -------
        self : object
            The transformer.
        """
        if transform not in (None, "default", "pandas"):
            raise ValueError(f"transform must be 'default', 'pandas' or None. Got {transform!r}.")
        if transform is not None:
            # By this name scikit-learn hands it on to clones.
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each voxel of the mask, as columns of array output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to use instead.

        Returns
        -------
        names : ndarray of str of shape (n_voxels,)
            ``voxel_0``, ``voxel_1``, ..., in the order of the mask.
        """
        check_is_fitted(self)
        if input_features is not None:
            names = np.asarray(input_features, dtype=object)
            if names.shape != (self.n_features_in_,):
                raise ValueError(
                    f"input_features must have shape ({self.n_features_in_},), a name for each "
                    f"voxel of the mask. Got shape {names.shape}."
                )
            return names
        return np.array([f"voxel_{i}" for i in range(self.n_features_in_)], dtype=object)
