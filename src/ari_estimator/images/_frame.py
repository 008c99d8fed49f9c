"""What a kind of image has to offer: values in, results out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ari_estimator._blocks import blocks
from ari_estimator.images._painted_values import Values
from ari_estimator.images._space import Space

# Where a mask is from, for sentences.
GIVEN = "the mask given as mask_img"
OF_MASKER = "the mask of the masker given as mask_img"
COMPUTED = "the mask computed from the maps"


@dataclass
class Frame(ABC):
    """The family of a kind of image: which elements there are, and how to get at them.

    A subclass knows one kind of image. What lies above reads values, one array for each
    map, and writes results, and needs not know which kind it is.

    Attributes
    ----------
    mask_img : image
        The mask.

    masker : NiftiMasker, SurfaceMasker or None
        The fitted masker, of kinds that have one, as far as it exists already.

    space : Space
        Where the elements of the mask lie.

    is_computed : bool
        Whether the mask was computed from maps.

    mask_called : str
        The mask in a sentence, which says where it is from.

    has_lut : bool
        Whether images of the kind may bring the names of labels along.

    matches_labels : bool
        Whether labels of other elements are matched by their places, without interpolation.

    fits_masker_late : bool
        Whether a masker that is not given is fitted only when someone asks for it.

    geometry_names : tuple of str
        Names of the parameters that say where the elements of the kind lie: "mesh" for CIFTI
        images, which do not hold their meshes, "adjacency" and "coordinates" for arrays.
    """

    kind: ClassVar[str]
    has_lut: ClassVar[bool] = False
    fits_masker_late: ClassVar[bool] = False
    matches_labels: ClassVar[bool] = False
    geometry_names: ClassVar[tuple[str, ...]] = ()

    mask_img: Any
    masker: Any
    space: Space
    is_computed: bool = False
    mask_called: str = GIVEN

    @staticmethod
    @abstractmethod
    def read(img: Any, *, single: bool) -> Any:
        """Return an image, checked; data on disk are not read yet.

        Parameters
        ----------
        img : image or path
            The image.

        single : bool
            Whether it must hold a single map.
        """

    def read_single(self, img: Any) -> Any:
        """Return an image of one map, checked."""
        return self.read(img, single=True)

    def read_labels(self, img: Any) -> Any:
        """Return an image of labels, or of several maps, checked."""
        return self.read(img, single=False)

    @staticmethod
    @abstractmethod
    def n_maps(img: Any) -> int:
        """Return the number of maps in an image."""

    def fitted_masker(self) -> Any:
        """Return the fitted masker; None for kinds that have none."""
        return self.masker

    @classmethod
    def is_single(cls, img: Any) -> bool:
        """Tell whether an image is a single map, not a series of maps."""
        return cls.n_maps(img) == 1

    @classmethod
    @abstractmethod
    def fit(
        cls,
        mask_img: Any,
        imgs: Sequence[Any] | None,
        *,
        geometry: Mapping[str, Any],
        verbose: int,
    ) -> Frame:
        """Return the frame of a mask, or of a mask computed from maps.

        Parameters
        ----------
        mask_img : image, masker or None
            The mask. None for one that is computed from the maps.

        imgs : sequence of images, or None
            Maps.

        geometry : mapping of str to object
            The parameters that ``geometry_names`` names.

        verbose : int
            Verbosity of the masker.
        """

    @abstractmethod
    def check(self, img: Any, name: str) -> None:
        """Raise a ValueError unless an image lies on the grid or mesh of the mask."""

    @abstractmethod
    def arrays(self, img: Any) -> Iterator[np.ndarray]:
        """Yield the values of each map in an image, arrays of shape (n_elements,).

        They are of the type that the image has.
        """

    @abstractmethod
    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> Any:
        """Return results as an image, 0 outside of the mask.

        Parameters
        ----------
        rows : iterable of ndarray or PaintedValues of shape (n_elements,)
            The results of each map.

        n_maps : int or None
            Number of maps; None for a single one.

        description : str
            What they are.

        like : image, optional
            The map that they come from, whose header is taken over; by default the mask.
        """

    @staticmethod
    @abstractmethod
    def form(img: Any) -> Any:
        """Return what :meth:`restore` has to know of an image, without its values."""

    @abstractmethod
    def restore(self, form: Any, rows: Iterable[Values], description: str) -> Any:
        """Return results of the maps of an image in the form of that image.

        Parameters
        ----------
        form : image, or what :meth:`form` returns of it
            The image.

        rows : iterable of ndarray or PaintedValues of shape (n_elements,)
            The results of each map.

        description : str
            What they are.
        """

    @abstractmethod
    def all_values(self, img: Any) -> np.ndarray:
        """Return the values of a single image, those outside of the mask included."""

    @abstractmethod
    def at(self, indices: Any) -> np.ndarray:
        """Return which elements are named, an array of bool of shape (n_elements,).

        Parameters
        ----------
        indices : array-like or dict
            Indices of voxels, of shape (n, 3); vertex numbers by hemisphere; or columns of
            a CIFTI image.

        Raises
        ------
        ValueError
            If the indices are none of these, or name what is not in the mask.
        """

    def of_array(self, values: np.ndarray) -> np.ndarray | None:
        """Return a value for each element, from an array of a user; None if it has another shape.

        Parameters
        ----------
        values : ndarray of shape (n_elements,)
            Values in the order of a masker's columns. For arrays also in the shape of a map.
        """
        has_shape = values.shape == (self.space.n_elements,)
        return self.from_columns(values) if has_shape else None

    @property
    def stored_kind(self) -> str:
        """The kind of image that stored results have when they are read again."""
        return self.kind

    @abstractmethod
    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the mask, and meshes where there are some, as arrays to be stored."""

    @staticmethod
    @abstractmethod
    def mask_from_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[Any, dict[str, Any]]:
        """Return mask_img and the geometry, as :meth:`fit` takes them, from what was stored."""

    @property
    @abstractmethod
    def fills_grid(self) -> bool:
        """Whether nothing is outside of the mask."""

    @staticmethod
    def single(img: Any) -> Any:
        """Return the image of one map, as :meth:`image` makes it, as a map to be tested."""
        return img

    def resample(self, img: Any, name: str, fill_value: int) -> Any:
        """Return an image on the grid of the mask, by the nearest neighbour.

        What it does not cover gets the fill value.
        """
        raise ValueError(
            f"{name} cannot be resampled: resampling_target='data' is there for volumes and CIFTI "
            f"images. Got {type(img).__name__}; transfer it to the mesh of the map before."
        )

    @staticmethod
    def lut_of(img: Any) -> pd.DataFrame | None:
        """Return the names of labels that an image brings along, as a look-up table."""
        return None

    # Arrays hold masked values, as from the masker of this kind of image.

    def from_columns(self, row: np.ndarray) -> np.ndarray:
        """Return values in the order of the space, from the order of a masker's columns."""
        return row

    def to_columns(self, row: np.ndarray) -> np.ndarray:
        """Return values in the order of a masker's columns, from the order of the space."""
        return row


def select(
    shape: tuple[int, ...], mask: np.ndarray, indices: Any, what: str, mask_called: str = GIVEN
) -> np.ndarray:
    """Return which entries of a mask are named by indices.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid that the indices are of.

    mask : ndarray of bool of that shape
        The entries there are.

    indices : array-like of int of shape (n, len(shape)), or (n,) if there is one axis
        Indices.

    what : str
        What they are of, for messages.

    mask_called : str, optional
        The mask in a sentence.

    Returns
    -------
    selected : ndarray of bool of that shape
        The entries that are named, all of them in the mask.
    """
    indices = np.asarray(indices)
    wanted = f"(n, {len(shape)})" if len(shape) > 1 else "(n,)"
    if indices.size and (
        indices.dtype.kind not in "iu"
        or indices.ndim != min(len(shape), 2)
        or (indices.ndim == 2 and indices.shape[1] != len(shape))
    ):
        raise ValueError(
            f"indices of {what} must be integers of shape {wanted}. "
            f"Got shape {indices.shape} of {indices.dtype}."
        )
    selected = np.zeros(shape, dtype=bool)
    if indices.size == 0:
        return selected
    indices = indices.reshape(len(indices), -1)
    if (indices < 0).any() or (indices >= shape).any():
        raise ValueError(f"indices of {what} must lie in the grid, of shape {shape}.")
    selected[tuple(indices.T)] = True
    n_outside = int((selected & ~mask).sum())
    if n_outside:
        raise ValueError(
            f"indices of {what} must lie in the mask. Got {n_outside} outside of it: of "
            f"{mask_called}, which has {int(mask.sum())} {what}."
        )
    return selected


def check_binary(values: np.ndarray) -> None:
    """Raise a ValueError unless the values of a mask are 0 and one other value.

    NaN counts as outside, like 0. nilearn's maskers use all voxels that are not 0. A thresholded
    map, passed as mask by mistake, would make a family of its supra-threshold voxels.
    """
    if values.dtype == bool:
        return
    ends = []
    flat = values.ravel(order="K")
    for block in blocks(flat.size):
        inside = flat[block]
        inside = inside[(inside != 0) & (inside == inside)]
        if inside.size:
            ends += [inside.min(), inside.max()]
    if ends and not min(ends) == max(ends):
        raise ValueError(
            "mask_img must be binary, 0 and one other value. "
            f"Got nonzero values from {min(ends)} to {max(ends)}. If they are shares, "
            "nilearn.image.math_img('img > 0.5', img=mask_img) gives the voxels that are mostly "
            "inside. A map of labels or statistics is not a mask."
        )


def as_real(values: np.ndarray) -> np.ndarray:
    """Return values, whatever real type they are stored in.

    Raises
    ------
    ValueError
        If they are of another type.
    """
    if values.dtype.kind not in "fiu":
        raise ValueError(f"A statistical map must hold real numbers. Got {values.dtype}.")
    return values
