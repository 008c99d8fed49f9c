"""What v and G statistics need to know of a design with variance groups."""

from __future__ import annotations

import numpy as np

from ari_estimator.resampling._contrast import Contrast

# Singular values below this are rounding errors.
_ROUNDING = 1e-9


class WelchDesign:
    """What v and G statistics need to know of a design with variance groups.

    Parameters
    ----------
    contrast : Contrast
        What is tested.

    variance_groups : ndarray of int of shape (n_subjects,)
        Group of each row, from 0.

    Attributes
    ----------
    sizes, df : ndarray of shape (n_groups,)
        Number of rows and degrees of freedom of each group.

    vectors : ndarray of shape (n_subjects, n_vectors)
        Orthonormal basis of the design's rows in each group.

    of_group : list of slice
        The vectors of each group.

    to_estimates : ndarray of shape (rank, n_vectors)
        Turns products with the vectors into estimates of the directions.

    spill : ndarray of shape (n_spills, n_vectors)
        Turns products with the vectors into what the fit of the whole design adds to the
        residuals of groups.

    spill_group : ndarray of int of shape (n_spills,)
        Group of each row of ``spill``.

    grams : ndarray of shape (n_groups, size, size)
        Products of the design's columns in each group, with the contrast last.

    rows, group_of_row : ndarray
        Rows whose squares add up to these products, and the group of each.

    variances : tuple of ndarray
        The same three for the directions of the contrast alone.

    are_separate : bool
        Whether the design fits each group separately. Then the variance of the estimates is a sum
        of variances of groups. Otherwise it is the inverse of a sum of weights.

    are_means : bool
        Whether each group also has one vector, and either the contrast has rank 1, or the nuisance
        does.

    relation : ndarray of shape (n_vectors,)
        Coordinates of the nuisance, if it has rank 1; otherwise zeros.

    Raises
    ------
    ValueError
        If the design leaves no residuals in a group.
    """

    def __init__(self, contrast: Contrast, variance_groups: np.ndarray) -> None:
        self.contrast = contrast
        self.n_groups = int(variance_groups.max()) + 1
        basis = contrast.basis
        members = np.equal.outer(np.arange(self.n_groups), variance_groups)
        self.sizes = members.sum(axis=1)
        leverages = (basis**2).sum(axis=1)
        self.df = np.array([(1 - leverages[rows]).sum() for rows in members])
        self._refuse_groups_without_residuals(variance_groups)
        self._find_vectors(basis, members)
        self._find_space(basis, members)
        self.are_separate = len(self.spill) == 0
        has_one_nuisance = contrast.nuisance.shape[1] == 1
        has_one_vector = all(place.stop - place.start == 1 for place in self.of_group)
        self.are_means = self.n_groups > 1 and self.are_separate and has_one_vector
        self.are_means &= contrast.rank == 1 or has_one_nuisance
        self.relation = np.zeros(self.vectors.shape[1])
        if has_one_nuisance:
            self.relation = (contrast.nuisance.T @ self.vectors)[0]

    def _refuse_groups_without_residuals(self, groups: np.ndarray) -> None:
        without = np.flatnonzero((self.df < 0.5) | (self.sizes < 2))
        if without.size:
            group = without[0]
            rows = np.flatnonzero(groups == group)
            raise ValueError(
                "variance_groups must have residuals in each group, given the design. Got a group "
                f"of {rows.size} row{'s' * (rows.size > 1)}, {rows[:5].tolist()} (counted from 0), "
                f"with {self.df[group]:.2g} degrees of freedom. Join it with another group."
            )

    def _find_vectors(self, basis: np.ndarray, members: np.ndarray) -> None:
        """Find the vectors to multiply residuals by: a basis of the design's rows per group."""
        vectors, self.of_group = [], []
        n_vectors = 0
        for rows in members:
            left, singular, _ = np.linalg.svd(basis[rows], full_matrices=False)
            left = left[:, singular > _ROUNDING]
            in_group = np.zeros((rows.size, left.shape[1]))
            in_group[rows] = left
            vectors.append(in_group)
            self.of_group.append(slice(n_vectors, n_vectors + left.shape[1]))
            n_vectors += left.shape[1]
        self.vectors = np.column_stack(vectors)
        # The fit of the whole design minus the fit of the group adds to the group's residuals.
        coefficients = basis.T @ self.vectors
        self.to_estimates = coefficients[: self.contrast.rank]
        spills, spill_group = [np.empty((0, n_vectors))], []
        for group, place in enumerate(self.of_group):
            own = self.vectors[:, place]
            spill = own.T @ basis @ coefficients
            spill[:, place] -= np.eye(own.shape[1])
            _, singular, right = np.linalg.svd(spill, full_matrices=False)
            kept = singular > _ROUNDING
            spills.append(singular[kept, np.newaxis] * right[kept])
            spill_group += [group] * int(kept.sum())
        self.spill = np.concatenate(spills)
        self.spill_group = np.array(spill_group, dtype=np.intp)

    def _find_space(self, basis: np.ndarray, members: np.ndarray) -> None:
        """Find the part of the design that the block of the contrast depends on, X last."""
        grams = [basis[rows].T @ basis[rows] for rows in members]
        space = np.eye(basis.shape[1])[:, : self.contrast.rank]
        while True:
            images = np.column_stack([space, *(gram @ space for gram in grams)])
            outside = images - space @ (space.T @ images)
            left, singular, _ = np.linalg.svd(outside, full_matrices=False)
            new = left[:, singular > _ROUNDING]
            if new.shape[1] == 0:
                break
            space = np.linalg.qr(np.column_stack([space, new]))[0]
            space[:, : self.contrast.rank] = np.eye(basis.shape[1])[:, : self.contrast.rank]
        rank = self.contrast.rank
        space = np.column_stack([space[:, rank:], space[:, :rank]])
        self.grams = np.array([space.T @ gram @ space for gram in grams])
        self.grams[np.abs(self.grams) < _ROUNDING] = 0
        # Rows whose squares add up to the matrices, for the computation without differences.
        self.rows, self.group_of_row = _rows_of(self.grams)
        directions = self.contrast.directions
        own = np.array([directions[in_group].T @ directions[in_group] for in_group in members])
        self.variances = (own, *_rows_of(own))


def _rows_of(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows whose squares add up to each matrix, and the matrix of each row."""
    rows, matrix_of_row = [], []
    for number, matrix in enumerate(matrices):
        values, vectors = np.linalg.eigh(matrix)
        kept = values > _ROUNDING
        rows.append(np.sqrt(values[kept, np.newaxis]) * vectors[:, kept].T)
        matrix_of_row += [number] * int(kept.sum())
    return np.concatenate(rows), np.array(matrix_of_row)
