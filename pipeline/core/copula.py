"""Joint normal scores with given rank correlations: a Gaussian copula, the same on any processor.

Scores are draws times the symmetric root of the correlations, which is one and continuous in
them: where eigenvalues are equal (regions alike), eigenvectors are whatever a library returns, but
a matrix function of them is not. Rotations and products are plain loops here, so that no linear
algebra kernel chosen by the processor takes part. A Cholesky factor would be unique as well, but
make the draws depend on the order of the regions' names.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.kernels import njit

Matrix = NDArray[np.float64]

LEAST_EIGENVALUE = 1e-6
"""What eigenvalues are lifted to: the root's slope at it is 500, so that rounding of the input
stays rounding (at 0 the root turns 1e-16 into 1e-8). Correlations move by no more than this."""
SWEEPS = 40
"""Jacobi's method converges quadratically: matrices of 100 rows take about 10."""


REFERENCE_DAYS = 28.0
"""Length of the window that rank correlations are told for."""


@dataclass(frozen=True)
class Dependence:
    """How errors of regions move together, by the length of the window.

    What regions share over a window (a level that was wrong) adds up day by day, what they do not
    averages out: the odds ρ / (1 − ρ) of a correlation grow as a power of the days.

    correlation  [regions, regions] Spearman rank correlations over REFERENCE_DAYS
    growth       the power; 0 for the same correlations over any window
    """

    correlation: Matrix
    growth: float = 0.0

    def over(self, days: float) -> Matrix:
        """Rank correlations [regions, regions] over a window of so many days."""
        times = np.array(round((days / REFERENCE_DAYS) ** self.growth, 9))
        found = self.grown(self.correlation, times)
        np.fill_diagonal(found, 1.0)
        return found

    def times(self, share: float) -> "Dependence":
        """The same with correlations of different regions times `share`."""
        alone = np.eye(len(self.correlation))
        return Dependence(alone + share * (self.correlation - alone), self.growth)

    @staticmethod
    def grown(correlation: Matrix, times: Matrix) -> Matrix:
        """Correlations whose odds are so many times as large; both of any shapes that broadcast."""
        size = np.abs(correlation)
        return np.asarray(correlation * times / (1.0 - size + size * times))


def nearest_correlation(matrix: Matrix) -> Matrix:
    """The matrix with its eigenvalues lifted to LEAST_EIGENVALUE, and then a unit diagonal."""
    even = (matrix + matrix.T) / 2
    lifted = even if _is_above(even, LEAST_EIGENVALUE) else _spectral(even, False)
    spread = np.sqrt(np.diag(lifted))
    found = np.clip(lifted / spread[:, None] / spread[None, :], -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def normal_scores(
    correlation: Matrix, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """[*shape, regions] standard normal scores with Spearman correlations [regions, regions]."""
    pearson = nearest_correlation(2 * np.sin(np.pi / 6 * correlation))
    draws = rng.standard_normal((*shape, len(correlation)))
    return product(draws, _spectral(pearson, True))


@njit(nogil=True, cache=True)
def _is_above(symmetric: Matrix, least: float) -> bool:
    """Whether all eigenvalues are above ``least``, by the signs of the pivots of Gaussian
    elimination: a hundredth of what eigenvalues take."""
    left = symmetric - least * np.eye(len(symmetric))
    for k in range(len(left)):
        if left[k, k] <= 0.0:
            return False
        for i in range(k + 1, len(left)):
            share = left[k, i] / left[k, k]
            for j in range(i, len(left)):
                left[i, j] -= share * left[k, j]
    return True


@njit(nogil=True, cache=True)
def _spectral(symmetric: Matrix, is_root: bool) -> Matrix:
    """The matrix, or its symmetric root, of lifted eigenvalues, by cyclic Jacobi rotations.

    Eigenvectors are rows, and of what a rotation does to two columns only the copy of what it does
    to two rows is written: with a thousand regions it is memory that takes the time.
    """
    n = len(symmetric)
    left, vectors = symmetric.copy(), np.eye(n)
    for _ in range(SWEEPS):
        off = 0.0
        for p in range(n):
            for q in range(p + 1, n):
                off = max(off, abs(left[p, q]))
                _rotate(left, vectors, p, q)
        if off < 1e-17:
            break
    found = np.zeros((n, n))
    for k in range(n):
        value = max(left[k, k], LEAST_EIGENVALUE)
        value = np.sqrt(value) if is_root else value
        for i in range(n):
            for j in range(n):
                found[i, j] += value * (vectors[k, i] * vectors[k, j])
    return found


@njit(nogil=True, cache=True)
def _rotate(left: Matrix, vectors: Matrix, p: int, q: int) -> None:
    """One rotation that makes left[p, q] zero (Golub and Van Loan, algorithm 8.5.1)."""
    off = left[p, q]
    if off == 0.0:
        return
    high, low = left[p, p], left[q, q]
    slope = (low - high) / (2.0 * off)
    tangent = 1.0 / (abs(slope) + np.sqrt(1.0 + slope * slope))
    tangent = tangent if slope >= 0 else -tangent
    cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
    sine = tangent * cosine
    for k in range(len(left)):
        a, b = left[p, k], left[q, k]
        left[p, k], left[q, k] = cosine * a - sine * b, sine * a + cosine * b
    for k in range(len(left)):
        left[k, p], left[k, q] = left[p, k], left[q, k]
    left[p, p] = cosine * (cosine * high - sine * off) - sine * (cosine * off - sine * low)
    left[q, q] = sine * (sine * high + cosine * off) + cosine * (sine * off + cosine * low)
    left[p, q] = left[q, p] = 0.0
    for k in range(len(left)):
        a, b = vectors[p, k], vectors[q, k]
        vectors[p, k], vectors[q, k] = cosine * a - sine * b, sine * a + cosine * b
