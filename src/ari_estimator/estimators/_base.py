"""What all transformers of statistical maps share."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from nilearn.reporting import HTMLReport
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import InputTags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.estimators._contrast_calibration import calibrated_test
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.estimators._report import report_on
from ari_estimator.images._equality import same_value
from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import fit_frame
from ari_estimator.images._maps import ArrayMaps, ImageMaps, as_maps
from ari_estimator.images._masks import warn_of_preprocessing
from ari_estimator.inference import STATISTICS, FittedMap, Statistic
from ari_estimator.inference._fitted_map import TestMaker
from ari_estimator.inference._fitted_maps import FittedMaps
from ari_estimator.inference._form_family import (
    check_computed_family,
    warn_of_untested_zeros,
)
from ari_estimator.inference._local_tests import LOCAL_TESTS
from ari_estimator.inference._provenance import Provenance
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._statistics import SettledStatistic, settle_statistic
from ari_estimator.inference._varying_df import varying_df
from ari_estimator.inference._z_and_t import z_of_t

_CONTAINERS = ("default", "pandas", "polars")


@dataclass
class ImageInputTags(InputTags):
    """Tags of transformers that take images; scikit-learn has none, nilearn gives these names."""

    niimg_like: bool = True
    surf_img: bool = True


# What is made of the fitted maps, one after the other.
OutputMaker = Callable[[ImageMaps | ArrayMaps, Iterable[FittedMap]], Any]


# scikit-learn would wrap every output, images too; this class wraps arrays itself. (mypy
# does not know the keyword, since scikit-learn has no types.)
class BaseTDPTransformer(  # type: ignore[call-arg]
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of transformers that turn statistical maps into true discovery proportions.

    A subclass says how sets are made from a map, and what becomes of their bounds. The
    mask, the statistic, the family of p-values and the bounds are settled here.
    """

    _seen_no_map: ClassVar[str] = (
        "This transformer has seen no map yet. Call fit or fit_transform with one."
    )

    # A FittedMap for one map, and a sequence of them for several.
    maps_: Any

    _parameter_constraints: dict[str, Any] = {
        "alpha": "no_validation",  # by check_alpha, like everywhere
        "mask_img": "no_validation",  # by nilearn's masker
        "stat_type": [StrOptions(set(STATISTICS)), None],
        "df": "no_validation",  # by settle_statistic
        "two_sided": ["boolean"],
        "mesh": "no_validation",  # by the frame of CIFTI images
        "local_test": [StrOptions(set(LOCAL_TESTS))],
        "verbose": ["verbose"],
    }

    # What is kept of each map, by the name of the attribute.
    _kept: ClassVar[dict[str, str]] = {
        "table_": "table",
        "n_tested_": "n_tested",
        "true_discoveries_": "true_discoveries",
    }

    # Parameters that fit reads: a change has no effect before the next fit.
    _parameters_of_fit: tuple[str, ...] = ("mask_img", "mesh")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = ImageInputTags(allow_nan=True)
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    @abstractmethod
    def _check_sets(self, statistic: Statistic) -> None:
        """Check the parameters that say how sets are made."""

    @abstractmethod
    def _fit_sets(self, frame: Frame) -> None:
        """Read the images that say how sets are made, if there are any."""

    @abstractmethod
    def _set_maker(self, frame: Frame, statistic: Statistic) -> SetMaker:
        """Return what makes the sets of a map."""

    def _to_output(self, maps: ImageMaps | ArrayMaps, fitted_maps: Iterable[FittedMap]) -> Any:
        """Return what the transformer makes of all maps: the TDP of each element.

        Each map is gone before the next one comes.
        """
        tdp = (fitted_map.tdp for fitted_map in fitted_maps)
        return maps.restore(tdp, self._frame, "true discovery proportion")

    def _wrapped(self, output: Any, maps: ImageMaps | ArrayMaps) -> Any:
        """Return the output in the container that was chosen, if it is an array."""
        return self._contained(output, maps) if isinstance(maps, ArrayMaps) else output

    def _check_params(self, maps: ImageMaps | ArrayMaps | None = None) -> SettledStatistic:
        """Check all parameters, and return what the maps hold, and what says so."""
        self._validate_params()
        check_alpha(self.alpha)
        declarations = [] if maps is None else maps.declared
        stat_type, df = self.stat_type, self.df
        if isinstance(maps, ArrayMaps) and stat_type is None and self._settled is not None:
            # Masked values declare nothing: they are what the map of fit was.
            stat_type = self._settled.statistic.stat_type
            df = self._settled.statistic.given_df
        settled = settle_statistic(declarations, stat_type, df, bool(self.two_sided))
        self._check_sets(settled.statistic)
        return settled

    def fit(
        self, X: Any = None, y: None = None, *, calibration: PermutationCalibration | None = None
    ) -> BaseTDPTransformer:
        """Learn the mask and the grid or mesh, and test the maps.

        Parameters
        ----------
        X : image, list of images, array or None, default=None
            Statistical maps, as for :meth:`transform`. Without a mask in ``mask_img``,
            the mask is computed from them. None to learn the mask alone.

        y : None
            Ignored; there for scikit-learn.

        calibration : PermutationCalibration or None, default=None
            As for :meth:`fit_transform`.

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
            thresholded already; or for the reasons of :meth:`transform`.
        """
        self._fit(X, calibration)
        return self

    def transform(self, X: Any) -> Any:
        """Return the true discovery proportions of maps.

        Parameters
        ----------
        X : image, list or iterator of images, or array
            Statistical maps: one 3D Niimg-like object, SurfaceImage or CIFTI image; several
            as a list, an iterator, an array or a column of a table, or as an image of several
            maps; or, as they come from a masker, an array of shape (n_maps, n_elements), or
            (n_elements,) for a single map. Each map is a family of its own. Files of a list are
            opened one at a time. Images from an iterator are not kept, and need ``mask_img``.

        Returns
        -------
        tdp : image, list of images, or ndarray
            See the class. The data of a 3D image are made when they are first looked at.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer is not fitted.
        TypeError
            If the input is none of these, or an image of another kind than the mask.
        ValueError
            If a map is on another grid or mesh than the mask, is constant, is NaN in all
            of the mask, or holds values that its statistic cannot have; or if a table has
            other columns than in :meth:`fit`.
        """
        check_is_fitted(self)
        self._check_is_as_fitted()
        maps = as_maps(X)
        settled = self._check_params(maps)
        maps.check(self._frame)
        if isinstance(maps, ArrayMaps) and not maps.is_single:
            # Refuses a table with other columns.
            validate_data(self, X, reset=False, skip_check_array=True)
        return self._wrapped(self._to_output(maps, self._infer(maps, settled)), maps)

    def fit_transform(
        self, X: Any, y: None = None, *, calibration: PermutationCalibration | None = None
    ) -> Any:
        """Fit to maps, and return their true discovery proportions.

        Parameters
        ----------
        X : image, list of images, or array
            As for :meth:`transform`.

        y : None
            Ignored; there for scikit-learn.

        calibration : PermutationCalibration or None, default=None
            Fitted to the data of a single map, in the order of its tested elements. It then gives
            the bounds, in place of the local test.

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
        if X is None:
            raise TypeError("Maps must be given to fit_transform. Got NoneType.")
        maps, output = self._fit(X, calibration, self._to_output)
        return self._wrapped(output, maps)

    def _fit(
        self,
        X: Any,
        calibration: PermutationCalibration | None,
        make_output: OutputMaker | None = None,
    ) -> tuple[Any, Any]:
        """Fit, and return the maps, and what is made of them."""
        self._forget()
        make_test = None
        if calibration is not None:
            refuse_unused(
                "with a calibration, which takes the place of the local test",
                {"local_test": (self.local_test, "simes")},
            )
            make_test = calibrated_test(calibration, self.alpha)
        return self._fit_maps(X, make_test, make_output=make_output)

    def _forget(self) -> None:
        """Forget the last fit, so that it does not stay if this one fails."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        self._settled: SettledStatistic | None = None
        self._several: Any = None

    def _fit_maps(
        self,
        X: Any,
        make_test: TestMaker | None = None,
        contrast: str | None = None,
        settled: SettledStatistic | None = None,
        make_output: OutputMaker | None = None,
    ) -> tuple[Any, Any]:
        """Fit to maps, of a contrast if that is given; return the maps, and what is made of them.

        What the maps hold is read from their files, if it is not settled already. Of a single map
        all is kept, of several the values and what ``_kept`` names.
        """
        output = None
        maps = None if X is None else as_maps(X)
        if settled is None:
            settled = self._check_params(maps)
        images = maps if isinstance(maps, ImageMaps) else None
        if images is not None and images.is_read_once and self.mask_img is None:
            raise ValueError(
                "mask_img must be given for maps from an iterator, which can be read once: a mask "
                "that is computed from them needs a second time. Give a mask, or a list of the "
                "maps. Got None."
            )
        self._frame = frame = fit_frame(
            self.mask_img,
            None if images is None or images.is_read_once else images.images,
            None if images is None else images.kind,
            mesh=self.mesh,
            verbose=max(0, int(self.verbose) - 1),
        )
        self._fit_sets(frame)
        if maps is not None:
            maps.check(frame)
            if images is None and not maps.is_single:
                validate_data(self, X, reset=True, skip_check_array=True)
            if frame.masker is not None and isinstance(self.mask_img, BaseEstimator):
                warn_of_preprocessing(frame.masker, of_arrays=images is None)
            if make_test is not None and maps.are_several:
                raise ValueError(
                    "X must be a single map if there is a calibration, which is of one map. "
                    "Got several maps."
                )
            self._settled = settled
            kept: dict[str, list[Any]] = {name: [] for name in self._kept}

            def noted(fitted_maps: Iterable[FittedMap]) -> Iterator[FittedMap]:
                for fitted_map in fitted_maps:
                    for name, what in self._kept.items():
                        kept[name].append(getattr(fitted_map, what))
                    yield fitted_map

            fitted_maps: Any = noted(self._infer(maps, settled, make_test, contrast, is_fit=True))
            if maps.is_single:
                fitted_maps = [next(fitted_maps)]
            # Each is looked at, and then goes, if there are several.
            output = (make_output or _exhaust)(maps, fitted_maps)
            self._keep(maps, fitted_maps if maps.is_single else self._several, kept)
        self.masker_ = frame.masker
        self.mask_img_ = frame.mask_img
        self.n_elements_ = self.n_features_in_ = frame.space.n_elements
        self._fitted_with = {name: getattr(self, name) for name in self._parameters_of_fit}
        return maps, output

    def _check_is_as_fitted(self) -> None:
        """Refuse parameters that were set after fit, where they would have no effect."""
        for name, value in self._fitted_with.items():
            if not same_value(getattr(self, name), value):
                raise NotFittedError(f"{name} was set after fit, which reads it. Call fit again.")

    def _keep(
        self,
        maps: ImageMaps | ArrayMaps,
        fitted_maps: list[FittedMap] | FittedMaps,
        kept: dict[str, Any],
    ) -> None:
        """Keep what is known of the maps: the item of a single one, or all items."""
        for name, values in {"maps_": fitted_maps, **kept}.items():
            if name == "labels_img_":
                kept_form = maps.restore(values, self._frame, "clusters of the table")
            else:
                kept_form = values[0] if maps.is_single else values
            setattr(self, name, kept_form)

    def _infer(
        self,
        maps: ImageMaps | ArrayMaps,
        settled: SettledStatistic,
        make_test: TestMaker | None = None,
        contrast: str | None = None,
        *,
        is_fit: bool = False,
    ) -> Iterator[FittedMap]:
        """Check each map, and yield what is found in it."""
        frame, statistic = self._frame, settled.statistic
        elements = frame.space.element_name[1]
        df = varying_df(self.df, frame) if settled.df_varies else None
        set_maker = self._set_maker(frame, statistic)
        # As they are now: a list may be changed in place later.
        parameters = {
            name: value.copy() if isinstance(value, (list, np.ndarray)) else value
            for name, value in self.get_params(deep=False).items()
        }
        asked_by = Provenance(type(self).__name__, parameters, contrast, settled.said_by)
        mask_is_given = getattr(self.mask_img, "mask_img", self.mask_img) is not None
        checks_family = is_fit and not mask_is_given and isinstance(maps, ImageMaps)
        if checks_family and frame.is_computed and statistic.is_p:
            raise ValueError(
                f"mask_img must be given for a map of stat_type={statistic.stat_type!r}. Got none: "
                "where the background is 0 or 1, and so a p-value too, no mask can be computed "
                "from the map."
            )
        infer = partial(
            FittedMap.infer,
            frame=frame,
            statistic=statistic,
            # Of a local test the name, since several maps are kept with what infers them.
            make_test=make_test or self.local_test,
            set_maker=set_maker,
            alpha=self.alpha,
            asked_by=asked_by,
        )
        several = None
        if is_fit and not maps.is_single:
            several = self._several = FittedMaps(infer)
        for values in maps.values(frame):
            if df is not None:
                values = z_of_t(values.astype(np.float64, copy=False), df)
            if several is not None:
                several.append(values)
            values = values.astype(np.float64, copy=False)
            if checks_family:
                _check_family(values, frame, statistic)
            fitted_map = infer(values)
            if self.verbose:
                print(
                    f"[{type(self).__name__}] {fitted_map.n_tested} {elements} tested, as "
                    f"{statistic.name} values: at least {fitted_map.true_discoveries} true "
                    f"discoveries; {fitted_map.n_sets} {set_maker.called}"
                )
            yield fitted_map

    def _contained(self, output: np.ndarray, maps: ImageMaps | ArrayMaps) -> Any:
        """Return array output in the container that was chosen."""
        config = getattr(self, "_sklearn_output_config", {})
        container = config.get("transform", get_config()["transform_output"])
        if container == "default":
            return output
        values, columns = np.atleast_2d(output), self.get_feature_names_out()
        if container == "pandas":
            return pd.DataFrame(values, index=maps.index, columns=columns)
        # Only who asks for polars needs it. It keeps no names of rows.
        import polars as pl

        return pl.DataFrame(values, schema=list(columns), orient="row")

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
        if transform not in (None, *_CONTAINERS):
            raise ValueError(
                f"transform must be 'default', 'pandas', 'polars' or None. Got {transform!r}."
            )
        if transform is not None:
            # By this name scikit-learn hands it on to clones.
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each element of the mask, as columns of array output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names to use instead. For a transformer fitted to a table, they must be the names of
            its columns.

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
            If no map was seen yet.
        ValueError
            If ``map_index`` names no map, or ``max_sets`` is no integer of at least 1.
        """
        return report_on(self, title=title, map_index=map_index, max_sets=max_sets)


def _exhaust(maps: ImageMaps | ArrayMaps, fitted_maps: Iterable[FittedMap]) -> None:
    """Let all maps be fitted, and make nothing of them."""
    deque(fitted_maps, maxlen=0)


def _check_family(values: np.ndarray, frame: Frame, statistic: Statistic) -> None:
    """Refuse a map whose elements, if no mask is given, are not all that were tested."""
    if frame.fills_grid:
        warn_of_untested_zeros(values, statistic, frame.space.element_name[1], frame.mask_called)
        return
    # A zero in a mask computed from several maps may be what a threshold has left.
    kept = ~np.isnan(values) & ((values != 0) | (not frame.is_computed))
    values = values if kept.all() else values[kept]
    statistic.check_values(values)
    z = statistic.one_sided_z(values)
    check_computed_family(z, frame.mask_called, frame.space.element_name[1])
