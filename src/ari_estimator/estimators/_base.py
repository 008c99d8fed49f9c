"""What all transformers of statistical maps share."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory
from nilearn.reporting import HTMLReport
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, check_memory

from ari_estimator._report_hook import report_on
from ari_estimator.closed_testing import Hommel
from ari_estimator.closed_testing._local_tests import LOCAL_TESTS
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.estimators._containers import CONTAINERS, in_container
from ari_estimator.estimators._family import check_zeros, warn_of_nan, warn_of_untested_zeros
from ari_estimator.estimators._inference import MapInference, SetMaker, infer_map
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.estimators._statistic import STAT_TYPES, Statistic, check_statistic
from ari_estimator.estimators._tags import input_tags
from ari_estimator.estimators._test_makers import HommelTestMaker, TestMaker, calibrated_test
from ari_estimator.estimators._thresholded import check_computed_family
from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import fit_frame
from ari_estimator.images._maps import ArrayMaps, ImageMaps, as_maps
from ari_estimator.images._masks import warn_of_preprocessing


# scikit-learn would wrap every output, images too; this class wraps arrays itself. (mypy
# does not know the keyword, since scikit-learn has no types.)
class BaseTDPTransformer(  # type: ignore[call-arg]
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of transformers that turn statistical maps into true discovery proportions.

    A subclass says how sets are made from a map, and what becomes of their bounds. The
    mask, the statistic, the family of p-values and the bounds are settled here.
    """

    _sets_are_called: str

    _parameter_constraints: dict[str, Any] = {
        "alpha": "no_validation",  # by check_alpha, like everywhere
        "mask_img": "no_validation",  # by nilearn's masker
        "stat_type": [StrOptions(set(STAT_TYPES))],
        "df": "no_validation",  # by check_statistic
        "two_sided": ["boolean"],
        "mesh": "no_validation",  # by the frame of CIFTI images
        "local_test": [StrOptions(set(LOCAL_TESTS))],
        "memory": "no_validation",  # by scikit-learn's check_memory
        "memory_level": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    # Parameters that fit reads: a change has no effect before the next fit.
    _parameters_of_fit: tuple[str, ...] = ("mask_img", "mesh")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = input_tags()
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    @abstractmethod
    def _check_sets(self) -> None:
        """Check the parameters that say how sets are made."""

    def _fit_sets(self, frame: Frame) -> None:
        """Read the images that say how sets are made, if there are any."""

    def _check_is_as_fitted(self) -> None:
        """Refuse parameters that were set after fit, where they would have no effect."""
        check_is_fitted(self)
        for name, value in self._fitted_with.items():
            now = getattr(self, name)
            if now is not value and not (isinstance(now, (str, Path, int)) and now == value):
                raise NotFittedError(f"{name} was set after fit, which reads it. Call fit again.")

    @abstractmethod
    def _set_maker(self) -> SetMaker:
        """Return what makes the sets of a map."""

    @abstractmethod
    def _to_output(self, maps: ImageMaps | ArrayMaps, inferences: Iterable[MapInference]) -> Any:
        """Return what the transformer makes of the inferences of all maps."""

    def _statistic(self) -> Statistic:
        return check_statistic(self.stat_type, self.df, bool(self.two_sided))

    def _check_params(self) -> None:
        self._validate_params()
        check_alpha(self.alpha)
        self._memory(0)
        self._statistic()
        self._check_sets()

    def fit(self, X: Any = None, y: None = None) -> BaseTDPTransformer:
        """Learn the mask and the grid or mesh.

        Parameters
        ----------
        X : image, list of images, array or None, default=None
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
        TypeError
            If mask and maps are images of different kinds.
        ValueError
            If a parameter is out of its range; if the mask is empty, not binary, or on
            another grid or mesh than the maps; if no mask is given and a map looks
            thresholded already.
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
        is_array = isinstance(maps, ArrayMaps)
        frame = fit_frame(
            self.mask_img,
            maps.images if isinstance(maps, ImageMaps) else None,
            mesh=self.mesh,
            memory=self._memory(2),
            memory_level=max(1, self.memory_level - 1),
            verbose=max(0, int(self.verbose) - 1),
        )
        if maps is not None:
            maps.check(frame)
            warn_of_preprocessing(frame.masker, of_arrays=is_array)
            self._check_family(maps, frame)
        self._fit_sets(frame)
        self.masker_ = frame.masker
        self.mask_img_ = frame.mask_img
        self.n_features_in_ = frame.n_elements
        self._frame = frame
        self._fitted_with = {name: getattr(self, name) for name in self._parameters_of_fit}
        return maps

    def _check_family(self, maps: ImageMaps | ArrayMaps, frame: Frame) -> None:
        """Refuse maps whose elements, if no mask is given, are not all that were tested."""
        mask_is_given = getattr(self.mask_img, "mask_img", self.mask_img) is not None
        if mask_is_given or isinstance(maps, ArrayMaps):
            return
        statistic = self._statistic()
        if frame.is_computed and statistic.is_p:
            raise ValueError(
                f"mask_img must be given for a map of stat_type={self.stat_type!r}. Got none: "
                "where the background is 0 or 1, and so a p-value too, no mask can be computed "
                "from the map."
            )
        for values in maps.values(frame):
            if frame.fills_grid:
                warn_of_untested_zeros(values, statistic, frame.space.element_name[1])
                continue
            # A zero in a mask computed from several maps may be what a threshold has left.
            kept = ~np.isnan(values) & ((values != 0) | (not frame.is_computed))
            statistic.check_values(values[kept])
            check_computed_family(statistic.one_sided_z(values[kept]))

    def transform(self, X: Any) -> Any:
        """Return the true discovery proportions of maps.

        Parameters
        ----------
        X : image, list of images, or array
            Statistical maps: one 3D Niimg-like object, SurfaceImage or CIFTI image; several
            as a list, or as an image of several maps; or, as they come from a masker, an
            array of shape (n_maps, n_elements), or (n_elements,) for a single map. Each map
            is a family of its own.

        Returns
        -------
        tdp : image, list of images, or ndarray
            See the class.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer is not fitted.
        TypeError
            If the input is none of these, or an image of another kind than the mask.
        ValueError
            If a map is on another grid or mesh than the mask, is constant, is NaN in all
            of the mask, or holds values that its statistic cannot have.
        """
        self._check_is_as_fitted()
        maps = as_maps(X)
        return self._to_output(maps, self._infer(maps))

    def fit_transform(
        self, X: Any, y: None = None, *, calibration: PermutationCalibration | None = None
    ) -> Any:
        """Fit to maps, transform them, and keep tables and all that is known of them.

        Parameters
        ----------
        X : image, list of images, or array
            As for :meth:`transform`.

        y : None
            Ignored; there for scikit-learn.

        calibration : PermutationCalibration or None, default=None
            Fitted to the data that a single map was computed from, in the order of its tested
            elements. Bounds are then those of the calibration, in place of the local test's.

        Returns
        -------
        tdp : image, list of images, or ndarray
            As from :meth:`transform`.

        Raises
        ------
        TypeError
            As :meth:`fit`, or if ``calibration`` is of another type.
        sklearn.exceptions.NotFittedError
            If ``calibration`` is not fitted.
        ValueError
            As :meth:`fit` and :meth:`transform`, or if the calibration is of other data, or
            there are several maps.
        """
        maps = self._fit(X)
        if maps is None:
            raise TypeError("Maps must be given to fit_transform. Got NoneType.")
        if calibration is None:
            return self._transform_and_keep(maps)
        maps.check(self._frame)
        values = list(maps.values(self._frame))
        if len(values) > 1:
            raise ValueError(
                f"X must be a single map if there is a calibration, of one. Got {len(values)} maps."
            )
        if self.local_test != "simes":
            raise ValueError(
                "local_test must be left at the default, 'simes', with a calibration, which takes "
                f"its place. Got {self.local_test!r}."
            )
        test = calibrated_test(calibration, values[0], self._statistic(), self.alpha)
        return self._transform_and_keep(maps, test)

    def _transform_and_keep(
        self, maps: ImageMaps | ArrayMaps, make_test: TestMaker | None = None
    ) -> Any:
        """Transform the maps that this is fitted to, and keep all that is known of them.

        Without ``make_test``, by closed testing with the local test.
        """
        inferences = list(self._infer(maps, make_test))
        output = self._to_output(maps, inferences)
        self._keep(maps, inferences)
        return output

    def _keep(self, maps: ImageMaps | ArrayMaps, inferences: list[MapInference]) -> None:
        """Keep what is known of the maps: an item for each, or the item of a single one."""
        self._inferences = inferences
        kept = {
            "table_": [inference.table for inference in inferences],
            "family_": [inference.family for inference in inferences],
            "hommel_": [
                test if isinstance(test, Hommel) else None
                for test in (inference.family.test for inference in inferences)
            ],
            "n_tested_": [inference.family.n_tested for inference in inferences],
            "true_discoveries_": [inference.family.true_discoveries for inference in inferences],
        }
        for name, values in kept.items():
            setattr(self, name, values[0] if maps.is_single else values)

    def _inference_of(self, map_index: int | None) -> MapInference:
        """Return what is known of one of the maps given to fit_transform."""
        if not hasattr(self, "_inferences") or not hasattr(self, "family_"):
            raise NotFittedError(
                f"This {type(self).__name__} has seen no map yet. Call fit_transform with one."
            )
        n_maps = len(self._inferences)
        if map_index is None and n_maps > 1:
            raise ValueError(
                f"map_index must say which of the {n_maps} maps is meant, 0 to {n_maps - 1}. "
                "Got None."
            )
        index = 0 if map_index is None else map_index
        if not isinstance(index, Integral) or not 0 <= index < n_maps:
            raise ValueError(
                f"map_index must be an integer from 0 to {n_maps - 1}. Got {map_index!r}."
            )
        return self._inferences[index]

    def generate_report(
        self, title: str | None = None, *, map_index: int | None = None, max_sets: int = 50
    ) -> HTMLReport:
        """Return a report of what was found in a map, with tables and figures.

        Parameters
        ----------
        title : str or None, default=None
            Title of the report; the name of the class if None.

        map_index : int or None, default=None
            Which of the maps is meant, if there are several.

        max_sets : int, default=50
            Number of clusters or regions in the table, at most.

        Returns
        -------
        report : nilearn.reporting.HTMLReport
            The report, which notebooks show, with ``save_as_html`` and ``open_in_browser``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If no map was seen yet: by :meth:`fit_transform`.
        ValueError
            If ``map_index`` names no map, or ``max_sets`` is no integer of at least 1.
        """
        return report_on(self, title=title, map_index=map_index, max_sets=max_sets)

    def _memory(self, level: int) -> Memory:
        """Return the cache for work of a level: none, if it is not to be cached."""
        location = str(self.memory) if isinstance(self.memory, Path) else self.memory
        return check_memory(location if self.memory_level >= level else None)

    def _infer(
        self, maps: ImageMaps | ArrayMaps, make_test: TestMaker | None = None
    ) -> Iterator[MapInference]:
        """Check the maps, and return what yields what is found in each."""
        self._check_params()
        maps.check(self._frame)
        # Of the default only: headers are often copied, and who sets stat_type knows better.
        declared = maps.declared_statistics() - {"z"} if self.stat_type == "z" else None
        if declared:
            warnings.warn(
                f"The header of the map says that it holds {sorted(declared)[0]} values, but "
                "stat_type='z'. If the header is right, the bounds do not hold.",
                UserWarning,
                stacklevel=2,
            )
        return self._inferences_of(maps, make_test or HommelTestMaker(self.local_test))

    def _inferences_of(
        self, maps: ImageMaps | ArrayMaps, make_test: TestMaker
    ) -> Iterator[MapInference]:
        frame = self._frame
        statistic = self._statistic()
        elements = frame.space.element_name[1]
        make_sets = self._set_maker()
        cached_infer_map = self._memory(1).cache(infer_map)
        for values in maps.values(frame):
            # Here, so that it is said of a cached result as well.
            warn_of_nan(values, elements)
            check_zeros(values, statistic, elements)
            inference = cached_infer_map(
                values,
                frame.space,
                statistic,
                make_sets,
                alpha=self.alpha,
                make_test=make_test,
            )
            if self.verbose:
                family = inference.family
                print(
                    f"[{type(self).__name__}] {family.n_tested} {elements} tested, as "
                    f"{self.stat_type} values: at least {family.true_discoveries} true "
                    f"discoveries; {inference.n_sets} {self._sets_are_called}"
                )
            yield inference

    def _contained(self, output: np.ndarray, maps: ImageMaps | ArrayMaps) -> Any:
        """Return array output in the container that was chosen."""
        config = getattr(self, "_sklearn_output_config", {})
        container = config.get("transform", get_config()["transform_output"])
        if container == "default":
            return output
        return in_container(
            container, np.atleast_2d(output), self.get_feature_names_out(), maps.index
        )

    def set_output(self, *, transform: str | None = None) -> BaseTDPTransformer:
        """Choose the container of array output; images stay images.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Container of what :meth:`transform` gives for array input. None changes
            nothing.

        Returns
        -------
        self : object
            The transformer.
        """
        if transform not in (None, *CONTAINERS):
            raise ValueError(
                f"transform must be 'default', 'pandas', 'polars' or None. Got {transform!r}."
            )
        if transform is not None:
            # By this name scikit-learn hands it on to clones.
            self._sklearn_output_config = {"transform": transform}
        return self
