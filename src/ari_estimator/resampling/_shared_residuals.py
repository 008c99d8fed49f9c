"""Residuals that several contrasts of one design have in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._model_statistic import residuals_of
from ari_estimator.resampling._threads import one_thread

_IN_CACHE = 2**16


class SharedResiduals:
    """Residuals of the whole design, in single precision, for all contrasts of the design.

    The null model of a contrast leaves the residuals of the whole design, plus the part that the
    contrast's directions explain. So several contrasts need only one copy of the data in single
    precision, and a row for each direction.

    Parameters
    ----------
    data : ndarray of shape (n_subjects, n_elements)
        The data, finite.

    contrast : Contrast
        Any contrast of the design.

    Attributes
    ----------
    norms : ndarray of shape (n_elements,)
        Norms of the residuals; infinite where data are constant.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import find_contrast
    >>> from ari_estimator.resampling._shared_residuals import SharedResiduals
    >>> data = np.random.default_rng(0).standard_normal((12, 500))
    >>> contrast = find_contrast(np.column_stack([np.ones(12), np.arange(12.0)]), [0, 1])
    >>> shared = SharedResiduals(data, contrast)
    >>> null = shared.of_contrast(contrast)
    >>> found = null.scaled(slice(0, 500), np.empty((12, 500), np.float32))
    >>> residuals = contrast.without_nuisance(data)
    >>> bool(np.allclose(found, residuals / np.linalg.norm(residuals, axis=0), atol=1e-6))
    True
    """

    def __init__(self, data: np.ndarray, contrast: Contrast) -> None:
        self._data = data
        self.residuals = np.empty(data.shape, dtype=np.float32)
        self.norms = np.empty(data.shape[1])
        with one_thread():
            for elements in self._strides():
                residuals, rounding = residuals_of(
                    contrast, data[:, elements].astype(float, copy=False)
                )
                squares = np.einsum("ij,ij->j", residuals, residuals)
                norms = np.where(squares <= rounding, np.inf, np.sqrt(squares))
                self.norms[elements] = norms
                np.multiply(
                    residuals, 1 / norms, out=self.residuals[:, elements], casting="same_kind"
                )

    def of_contrast(self, contrast: Contrast, columns: np.ndarray | None = None) -> NullResiduals:
        """Return the scaled residuals of the null model of a contrast.

        Parameters
        ----------
        contrast : Contrast
            A contrast of the design.

        columns : ndarray of int of shape (n_columns,) or None, default=None
            Columns of the data; None for all.

        Returns
        -------
        residuals : NullResiduals
            The residuals, computed for some elements at a time.
        """
        effects = np.empty((contrast.rank, self._data.shape[1]))
        with one_thread():
            for elements in self._strides():
                values = self._data[:, elements].astype(float, copy=False)
                np.matmul(contrast.directions.T, values, out=effects[:, elements])
        return NullResiduals(self, contrast, effects, columns)

    def _strides(self) -> Iterator[slice]:
        stride = max(256, _IN_CACHE // len(self._data))
        for start in range(0, self._data.shape[1], stride):
            yield slice(start, start + stride)


class NullResiduals:
    """Scaled residuals of the null model of a contrast, some elements at a time.

    Parameters
    ----------
    shared : SharedResiduals
        The residuals of the whole design.

    contrast : Contrast
        The contrast.

    effects : ndarray of shape (rank, n_columns)
        Products of the directions of the contrast with the data.

    columns : ndarray of int of shape (n_elements,) or None
        Columns of the data; None for all.

    Attributes
    ----------
    norms : ndarray of shape (n_elements,)
        Norms of the residuals before they were scaled; infinite where data are constant.
    """

    def __init__(
        self,
        shared: SharedResiduals,
        contrast: Contrast,
        effects: np.ndarray,
        columns: np.ndarray | None,
    ) -> None:
        self._shared = shared
        self._contrast = contrast
        self._columns = columns
        self._directions = contrast.directions.astype(np.float32, order="C")
        norms = shared.norms
        if columns is not None:
            effects, norms = effects[:, columns], norms[columns]
        effects = effects / norms
        self._effects = effects.astype(np.float32, order="C")
        relative = np.sqrt(1 + np.einsum("ij,ij->j", effects, effects))
        self._inverse = (1 / relative).astype(np.float32)
        self.norms = relative * norms

    def scaled(self, elements: slice, out: np.ndarray) -> np.ndarray:
        """Return residuals with a norm of 1, or of 0 where data are constant.

        Parameters
        ----------
        elements : slice
            The elements.

        out : ndarray of float32 of shape (n_subjects, n)
            Memory for at least as many elements.

        Returns
        -------
        residuals : ndarray of float32 of shape (n_subjects, n_elements of the slice)
            The residuals.
        """
        from ari_estimator.resampling._shared_residuals_kernels import null_residuals

        start, stop, _ = elements.indices(self.norms.size)
        of_design, first = self._shared.residuals, start
        if self._columns is not None:
            of_design, first = np.take(of_design, self._columns[start:stop], axis=1), 0
        null_residuals(
            of_design, first, self._directions, self._effects, self._inverse, start, stop, out
        )
        return out[:, : stop - start]

    def select(self, keep: np.ndarray) -> NullResiduals:
        """Return the residuals of some elements.

        Parameters
        ----------
        keep : ndarray of bool of shape (n_elements,)
            The elements.

        Returns
        -------
        residuals : NullResiduals
            Their residuals, without a copy.
        """
        columns = np.flatnonzero(keep) if self._columns is None else self._columns[keep]
        return self._shared.of_contrast(self._contrast, columns)
