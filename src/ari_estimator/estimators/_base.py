"""Base class of all transformers of statistical maps."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from nilearn.reporting import HTMLReport
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import InputTags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from ari_estimator._nesting import refuse_nested
from ari_estimator._progress import progress
from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._two_sided import DIRECTIONAL
from ari_estimator.estimators._array_output import ArrayOutputMixin
from ari_estimator.estimators._calibrated_test import calibrated_test
from ari_estimator.estimators._choice import Choice, InstanceOf
from ari_estimator.estimators._report import report_on
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.images._array_frame import ArrayFrame, refuse_ambiguous_labels
from ari_estimator.images._array_maps import ArrayMaps
from ari_estimator.images._equality import same_value
from ari_estimator.images._frame import Frame
from ari_estimator.images._image_maps import ImageMaps
from ari_estimator.images._kinds import fit_frame
from ari_estimator.images._maps import Maps, as_maps
from ari_estimator.images._masks import warn_of_preprocessing
from ari_estimator.images._own_descriptions import CLUSTERS, TDPS
from ari_estimator.inference import STATISTICS, FittedMap, Statistic
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._fitted_maps import FittedMaps
from ari_estimator.inference._form_family import form_family
from ari_estimator.inference._infer_checked import InferChecked
from ari_estimator.inference._local_tests import LOCAL_TESTS, TestMaker
from ari_estimator.inference._map_family import MapFamily
from ari_estimator.inference._maps_in_processes import tested_in_processes
from ari_estimator.inference._provenance import Provenance
from ari_estimator.inference._set_maker import SetMaker
from ari_estimator.inference._settle_again import settle_again
from ari_estimator.inference._statistics import SettledStatistic, settle_statistic
from ari_estimator.inference._varying_df import varying_df


@dataclass
class ImageInputTags(InputTags):
    """Tags of transformers that take images, named as in nilearn; scikit-learn has none."""

    niimg_like: bool = True
    surf_img: bool = True


# Makes the output from the fitted maps, which come one at a time.
OutputMaker = Callable[[Maps, Iterable[FittedMap]], Any]


# scikit-learn would wrap every output, including images, so this class wraps arrays itself. mypy
# does not know the keyword, because scikit-learn has no types.
class BaseTDPTransformer(  # type: ignore[call-arg]
    ArrayOutputMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of transformers that turn statistical maps into true discovery proportions.

    A subclass defines how to make sets from a map and what to return for them. This class handles
    the mask, the statistic, the family of p-values and the bounds.
    """

    _seen_no_map: ClassVar[str] = (
        "This transformer was not fitted to a map yet. Call fit or fit_transform with a map."
    )
    # A FittedMap for one map, a sequence of them for several.
    maps_: Any

    _parameter_constraints: dict[str, Any] = {
        "alpha": "no_validation",  # by check_alpha, like everywhere
        "mask_img": "no_validation",  # by nilearn's masker
        "stat_type": [Choice(STATISTICS), None],
        "df": "no_validation",  # by settle_statistic
        "two_sided": ["boolean", Choice([DIRECTIONAL])],
        "mesh": "no_validation",  # by the frame of CIFTI images
        "coordinates": "no_validation",  # by the frame of arrays
        "local_test": [Choice(LOCAL_TESTS), InstanceOf(ExtentTest, "a ClusterExtent")],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "verbose": ["verbose"],
    }
    # Attribute of FittedMap that the output is made of.
    _output_of: ClassVar[str] = "painted_tdp"
    # Attributes to keep for each map: name of the attribute, name in FittedMap.
    _kept: ClassVar[dict[str, str]] = {
        "table_": "table",
        "n_tested_": "n_tested",
        "true_discoveries_": "true_discoveries",
    }
    # Parameters that fit reads. Changing them has no effect before the next fit.
    _parameters_of_fit: tuple[str, ...] = ("mask_img", "mesh", "coordinates")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = ImageInputTags(allow_nan=True)
        return tags

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Return the names of the parameters, which scikit-learn looks up in each call."""
        return super()._get_param_names()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    @cached_property
    def masker_(self) -> Any:
        """The masker of surfaces, which is fitted when someone asks for it. See the class."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'masker_'")
        return self._frame.fitted_masker()

    @abstractmethod
    def _check_sets(self, statistic: Statistic) -> None:
        """Check the parameters that define the sets."""

    @abstractmethod
    def _fit_sets(self, frame: Frame) -> None:
        """Read the images that define the sets, if there are any."""

    @abstractmethod
    def _set_maker(self, frame: Frame, statistic: Statistic) -> SetMaker:
        """Return the object that makes the sets of a map."""

    def _to_output(self, maps: Maps, fitted_maps: Iterable[FittedMap]) -> Any:
        """Return the output for all maps, which come one at a time: the TDP of each element."""
        tdp = (fitted_map.painted_tdp for fitted_map in fitted_maps)
        return maps.restore(tdp, self._frame, TDPS)

    def _wrapped(self, output: Any, maps: Maps) -> Any:
        """Return array output in the chosen container, and images as they are."""
        return self._contained(output, maps) if isinstance(maps, ArrayMaps) else output

    def _check_kinds_of_params(self) -> None:
        """Check that each parameter is of a kind that it may be."""
        refuse_nested(**self.get_params(deep=False))
        self._validate_params()

    def _check_params(self, maps: Maps | None = None) -> SettledStatistic:
        """Check parameters of the right kinds; return the statistic of the maps and its source."""
        check_alpha(self.alpha)
        declarations = [] if maps is None else maps.declared
        if maps is not None and self.stat_type is None and self._settled is not None:
            settled = settle_again(
                self._settled,
                declarations,
                self.df,
                self.two_sided,
                are_masked_values=isinstance(maps, ArrayMaps),
            )
        else:
            settled = settle_statistic(declarations, self.stat_type, self.df, self.two_sided)
        if isinstance(self.local_test, ExtentTest):
            self.local_test.check_statistic(settled.statistic)
        self._check_sets(settled.statistic)
        return settled

    def _checked_before_fit(self) -> SettledStatistic:
        """Check all parameters, and forget earlier results; return the statistic and its source."""
        self._forget()
        self._check_kinds_of_params()
        return self._check_params()

    def fit(
        self, X: Any = None, y: None = None, *, calibration: SubjectCalibration | None = None
    ) -> BaseTDPTransformer:
        """Learn the mask and the grid or mesh, and test the maps.

        Parameters
        ----------
        X : image, list of images, array or None, default=None
            Statistical maps, as for :meth:`transform`. Without a mask in ``mask_img``, the mask is
            computed from them. With None, only the mask is learned.

        y : None
            Ignored; exists for compatibility with scikit-learn.

        calibration : PermutationCalibration or None, default=None
            As for :meth:`fit_transform`.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        TypeError
            If the mask and the maps are images of different kinds.
        ValueError
            If a parameter is out of range. If the mask is empty, not binary, or not on the grid or
            mesh of the maps. If there is no mask and a map looks thresholded. Or for the reasons
            given in :meth:`transform`.
        """
        self._fit(X, calibration)
        return self

    def transform(self, X: Any) -> Any:
        """Return the true discovery proportions of maps.

        Parameters
        ----------
        X : image, list or iterator of images, or array
            Statistical maps. One map is a 3D Niimg-like object, a SurfaceImage or a CIFTI image.
            Several maps are a list, an iterator, an array or a table column of images, or one image
            of several maps. Masked values are an array of shape (n_maps, n_elements), or
            (n_elements,) for a single map. Each map is a separate family. Files of a list are
            opened one at a time. Images from an iterator are not kept and require ``mask_img``.

        Returns
        -------
        tdp : image, list of images, or ndarray
            The output described in the class. The data of a 3D image are computed on first access.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer is not fitted.
        TypeError
            If the input is none of these, or its kind differs from the kind of the mask.
        ValueError
            If a map is not on the grid or mesh of the mask, is constant, is NaN everywhere in the
            mask, or has values that its statistic cannot have. If an image declares no statistic,
            ``stat_type`` is None, and :meth:`fit` has read another statistic than z. If the columns
            of a table differ from the columns in :meth:`fit`. Or if :meth:`set_output` has chosen a
            container for arrays of whole maps.
        """
        check_is_fitted(self)
        self._check_is_as_fitted()
        self._check_kinds_of_params()  # before the number of processes is used
        maps = as_maps(
            X,
            holds_arrays=isinstance(self._frame, ArrayFrame),
            read_by_others=effective_n_jobs(self.n_jobs) > 1,
        )
        self._check_container(maps)
        settled = self._check_params(maps)
        maps.check(self._frame)
        if isinstance(maps, ArrayMaps) and not maps.is_single:
            # Refuse a table with other columns.
            validate_data(self, X, reset=False, skip_check_array=True)
        with progress("Testing the map", shown=self.verbose != 0):
            output = self._to_output(maps, self._infer(maps, settled))
        return self._wrapped(output, maps)

    def fit_transform(
        self, X: Any, y: None = None, *, calibration: SubjectCalibration | None = None
    ) -> Any:
        """Fit to maps and return their true discovery proportions.

        Parameters
        ----------
        X : image, list of images, or array
            As for :meth:`transform`.

        y : None
            Ignored; exists for compatibility with scikit-learn.

        calibration : PermutationCalibration, ClusterExtentCalibration or None, default=None
            A calibration fitted to the data of a single map, with elements in the order of the
            tested elements. It replaces the local test.

        Returns
        -------
        tdp : image, list of images, or ndarray
            As from :meth:`transform`.

        Raises
        ------
        TypeError
            As in :meth:`fit`, or if ``calibration`` has another type.
        sklearn.exceptions.NotFittedError
            If ``calibration`` is not fitted.
        ValueError
            As in :meth:`fit` and :meth:`transform`, or if the calibration was fitted to other data,
            or if there are several maps.
        """
        if X is None:
            raise TypeError("Maps must be given to fit_transform. Got NoneType.")
        maps, output = self._fit(X, calibration, self._to_output)
        return self._wrapped(output, maps)

    def _fit(
        self,
        X: Any,
        calibration: SubjectCalibration | None,
        make_output: OutputMaker | None = None,
    ) -> tuple[Any, Any]:
        """Fit, and return the maps and the output."""
        self._forget()
        make_test = None
        if calibration is not None:
            refuse_unused(
                "with a calibration, which replaces the local test",
                {"local_test": (self.local_test, "simes")},
            )
            make_test = calibrated_test(calibration, self.alpha)
        is_of_f = calibration is not None and calibration.stat_type_ in ("F", "G")
        return self._fit_maps(X, make_test, make_output=make_output, is_of_f=is_of_f)

    def _forget(self) -> None:
        """Delete the results of the last fit, so that they do not remain if this one fails."""
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
        *,
        is_of_f: bool = False,
    ) -> tuple[Any, Any]:
        """Fit to maps, or to the map of a contrast, and return the maps and the output.

        The statistic is read from the files unless it is given. A single map is kept with all
        results; for several maps, only the values and the attributes in ``_kept`` are kept.
        """
        with progress("Testing the map", shown=self.verbose != 0):
            return self._fit_all(X, make_test, contrast, settled, make_output, is_of_f)

    def _fit_all(
        self,
        X: Any,
        make_test: TestMaker | None,
        contrast: str | None,
        settled: SettledStatistic | None,
        make_output: OutputMaker | None,
        is_of_f: bool,
    ) -> tuple[Any, Any]:
        output = None
        if settled is None:
            self._check_kinds_of_params()  # before the number of processes is used
        maps = None
        if X is not None:
            # Without a mask, this process reads the maps to compute one.
            others = self._mask_is_given() and effective_n_jobs(self.n_jobs) > 1
            maps = as_maps(X, holds_arrays=self._holds_arrays(), read_by_others=others)
        if settled is None:
            settled = self._check_params(maps)
        if is_of_f and settled.statistic.is_signed:
            settled = settled._replace(statistic=settled.statistic.of_f())
        images = maps if isinstance(maps, ImageMaps) else None
        may_overlap = getattr(self, "probability_threshold", None) is not None
        if images is not None and images.kind is ArrayFrame:
            if make_output is not None:
                self._check_container(images)
            if not may_overlap:
                refuse_ambiguous_labels(getattr(self, "labels_img", None), images.images[0])
        if images is not None and images.is_read_once and self.mask_img is None:
            raise ValueError(
                "mask_img must be given for maps from an iterator: it can be read only once, but "
                "computing a mask from the maps needs a first pass. Pass a mask, or a list of the "
                "maps. Got None."
            )
        self._frame = frame = fit_frame(
            self.mask_img,
            None if images is None or images.is_read_once else images.images,
            None if images is None else images.kind,
            geometry=vars(self),
            verbose=max(0, int(self.verbose) - 2),
        )
        self._fit_sets(frame)
        if maps is not None:
            maps.check(frame)
            if images is None and not maps.is_single:
                validate_data(self, X, reset=True, skip_check_array=True)
            if isinstance(self.mask_img, BaseEstimator) and frame.masker is not None:
                warn_of_preprocessing(frame.masker, of_arrays=images is None)
            if make_test is not None and maps.are_several:
                raise ValueError(
                    "X must be a single map with a calibration, which belongs to one map. "
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
            # Several maps are processed one at a time and not kept.
            output = (make_output or _exhaust)(maps, fitted_maps)
            self._keep(maps, fitted_maps if maps.is_single else self._several, kept)
        self.mask_img_ = frame.mask_img
        if frame.masker is not None or not frame.fits_masker_late:
            self.masker_ = frame.masker
        self.n_elements_ = self.n_features_in_ = frame.space.n_elements
        self._fitted_with = {name: getattr(self, name) for name in self._parameters_of_fit}
        return maps, output

    def _mask_is_given(self) -> bool:
        """Tell whether there is a mask, and not a masker that computes one."""
        return getattr(self.mask_img, "mask_img", self.mask_img) is not None

    def _holds_arrays(self) -> bool:
        """Tell whether arrays are whole maps, with neighbours or labels of their own."""
        of_sets = getattr(self, "labels_img", None)
        return getattr(self, "adjacency", None) is not None or isinstance(of_sets, np.ndarray)

    def _family_of(self, X: Any, settled: SettledStatistic) -> MapFamily:
        """Return the tested elements of a single image, without testing them."""
        maps: Any = as_maps(X, holds_arrays=self._holds_arrays())
        self._frame = frame = fit_frame(
            self.mask_img, maps.images, maps.kind, geometry=vars(self), verbose=0
        )
        maps.check(frame)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come with the test
            values = next(maps.values(frame)).astype(np.float64, copy=False)
            return form_family(values, frame.space, settled.statistic, frame.mask_called)

    def _check_is_as_fitted(self) -> None:
        """Refuse parameters that were changed after fit, which would have no effect."""
        for name, value in self._fitted_with.items():
            if not same_value(getattr(self, name), value):
                raise NotFittedError(f"{name} was set after fit, which reads it. Call fit again.")

    def _keep(
        self,
        maps: Maps,
        fitted_maps: list[FittedMap] | FittedMaps,
        kept: dict[str, Any],
    ) -> None:
        """Set the attributes: one item for a single map, all items for several."""
        for name, values in {"maps_": fitted_maps, **kept}.items():
            if name == "labels_img_":
                kept_form = maps.restore(values, self._frame, CLUSTERS)
            else:
                kept_form = values[0] if maps.is_single else values
            setattr(self, name, kept_form)

    def _infer(
        self,
        maps: Maps,
        settled: SettledStatistic,
        make_test: TestMaker | None = None,
        contrast: str | None = None,
        *,
        is_fit: bool = False,
    ) -> Iterator[FittedMap]:
        """Check each map, and yield its fitted map."""
        frame, statistic = self._frame, settled.statistic
        elements = frame.space.element_name[1]
        df = varying_df(self.df, frame) if settled.df_varies else None
        set_maker = self._set_maker(frame, statistic)
        # Copies, because the user may change a list in place later.
        parameters = {
            name: value.copy() if isinstance(value, (list, dict, np.ndarray)) else value
            for name, value in self.get_params(deep=False).items()
        }
        asked_by = Provenance(type(self).__name__, parameters, contrast, settled.said_by)
        mask_is_given = self._mask_is_given()
        checks_family = is_fit and not mask_is_given and isinstance(maps, ImageMaps)
        if checks_family and frame.is_computed and statistic.is_p:
            raise ValueError(
                f"mask_img must be given for a map of stat_type={statistic.stat_type!r}: no mask "
                "can be computed from the map, because a background of 0 or 1 looks like a "
                "p-value. Got None."
            )
        infer = partial(
            FittedMap.infer,
            frame=frame,
            statistic=statistic,
            # A local test by its name, because several maps are stored with this function.
            make_test=make_test or self.local_test,
            set_maker=set_maker,
            alpha=self.alpha,
            asked_by=asked_by,
        )
        several = None
        if is_fit and not maps.is_single:
            several = self._several = FittedMaps(infer)
        warns_of_zeros = is_fit and isinstance(maps, ImageMaps)
        step = InferChecked(
            frame, statistic, infer, df, warns_of_zeros, mask_is_given, checks_family
        )
        for values, fitted_map in self._tested(maps, step, is_fit):
            if several is not None:
                several.append(values)
            if self.verbose > 1:
                print(
                    f"[{type(self).__name__}] {fitted_map.n_tested} {elements} tested, as "
                    f"{statistic.name} values: at least {fitted_map.true_discoveries} true "
                    f"discoveries; {fitted_map.n_sets} {set_maker.called}"
                )
            yield fitted_map

    def _tested(self, maps: Maps, step: InferChecked, is_fit: bool) -> Iterator[tuple[Any, Any]]:
        """Yield the values of each map, and its fitted map or the part of it that is asked for."""
        if maps.are_several and not maps.is_read_once:
            n_processes = effective_n_jobs(self.n_jobs)
            if n_processes > 1:
                from ari_estimator.calibration import Workers

                asked = {"n_tested", "true_discoveries", "n_sets", self._output_of}
                if is_fit:
                    asked |= set(self._kept.values())
                run = Workers(self.n_jobs).run
                yield from tested_in_processes(
                    maps, step, asked, run, n_processes, returns_values=is_fit
                )
                return
        for values in self._counted(maps, step.frame):
            yield step(values)

    def _counted(self, maps: Maps, frame: Frame) -> Iterator[np.ndarray]:
        """Yield the values of each map, and show how many are done if there are several."""
        if maps.is_single:
            yield from maps.values(frame)
            return
        with progress("Maps", maps.n_maps) as task:
            for values in maps.values(frame):
                yield values
                task.advance()

    def generate_report(
        self, title: str | None = None, *, map_index: int | None = None, max_sets: int = 50
    ) -> HTMLReport:
        """Return a report on a map, with tables and figures.

        Parameters
        ----------
        title : str or None, default=None
            Title of the report; the name of the class if None.

        map_index : int or None, default=None
            Number of the map, if there are several.

        max_sets : int, default=50
            Maximum number of clusters or regions in the table.

        Returns
        -------
        report : nilearn.reporting.HTMLReport
            The report. Notebooks display it; ``save_as_html`` writes it to a file and
            ``open_in_browser`` opens it.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer was not fitted to a map.
        ValueError
            If ``map_index`` is not the number of a map, or ``max_sets`` is not an integer of at
            least 1.
        """
        return report_on(self, title=title, map_index=map_index, max_sets=max_sets)


def _exhaust(maps: Maps, fitted_maps: Iterable[FittedMap]) -> None:
    """Process all maps without making an output."""
    deque(fitted_maps, maxlen=0)
