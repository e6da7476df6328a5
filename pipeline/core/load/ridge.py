"""Weighted ridge regressions on days, solved by Cholesky in a fixed order of operations.

No BLAS and no fast math: the same bytes on every processor. Normal equations are accumulated day
by day and kept at each origin, so that every backtest refit costs one small solve.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@njit(nogil=True, cache=True)
def lagged_moments(X: F64, y: F64, weight: F64, decay: float, origins: I64) -> tuple[F64, F64]:
    """Moments of days and of the days before them, as known at each origin (ascending).

    Returns (gram [origins, 3, p, p], cross [origins, 3, p]): products of the day with itself,
    symmetrised with the day before, and of the day before with itself. Normal equations of the
    quasi-differences x_t - rho x_{t-1} are `first - rho second + rho^2 third` for every rho.
    `decay` discounts the past each day; `weight` belongs to the later day of a pair.
    """
    n, p = X.shape
    gram = np.zeros((len(origins), 3, p, p))
    cross = np.zeros((len(origins), 3, p))
    g = np.zeros((3, p, p))
    c = np.zeros((3, p))
    at = 0
    for t in range(n):
        while at < len(origins) and origins[at] == t:
            gram[at] = g
            cross[at] = c
            at += 1
        w = weight[t]
        for i in range(p):
            xi = X[t, i]
            bi = X[t - 1, i] if t else 0.0
            for k in range(3):
                c[k, i] *= decay
            c[0, i] += w * xi * y[t]
            if t:
                c[1, i] += w * (xi * y[t - 1] + bi * y[t])
                c[2, i] += w * bi * y[t - 1]
            for j in range(i + 1):
                xj = X[t, j]
                bj = X[t - 1, j] if t else 0.0
                g[0, i, j] = decay * g[0, i, j] + w * xi * xj
                g[1, i, j] = decay * g[1, i, j] + w * (xi * bj + bi * xj)
                g[2, i, j] = decay * g[2, i, j] + w * bi * bj
    while at < len(origins):
        gram[at] = g
        cross[at] = c
        at += 1
    return gram, cross


@njit(nogil=True, cache=True)
def moments(X: F64, Y: F64, weight: F64, decay: float, origins: I64) -> tuple[F64, F64]:
    """Gram [origins, p, p] and cross moments [origins, p, outputs] as known at each origin."""
    n, p = X.shape
    m = Y.shape[1]
    gram = np.zeros((len(origins), p, p))
    cross = np.zeros((len(origins), p, m))
    g = np.zeros((p, p))
    c = np.zeros((p, m))
    at = 0
    for t in range(n):
        while at < len(origins) and origins[at] == t:
            gram[at] = g
            cross[at] = c
            at += 1
        w = weight[t]
        for i in range(p):
            xi = w * X[t, i]
            for j in range(i + 1):
                g[i, j] = decay * g[i, j] + xi * X[t, j]
            for k in range(m):
                c[i, k] = decay * c[i, k] + xi * Y[t, k]
    while at < len(origins):
        gram[at] = g
        cross[at] = c
        at += 1
    return gram, cross


@njit(nogil=True, cache=True)
def solve(gram: F64, cross: F64, penalty: F64) -> F64:
    """Coefficients [p, outputs] of (gram + diag(penalty)) b = cross; the lower triangle counts.

    A column that is not determined (no data, no penalty) gets the coefficient 0.
    """
    p, m = cross.shape
    low = _cholesky(gram, penalty)
    b = cross.copy()
    for i in range(p):
        for k in range(i):
            for q in range(m):
                b[i, q] -= low[i, k] * b[k, q]
        for q in range(m):
            b[i, q] /= low[i, i]
    for i in range(p - 1, -1, -1):
        for k in range(i + 1, p):
            for q in range(m):
                b[i, q] -= low[k, i] * b[k, q]
        for q in range(m):
            b[i, q] /= low[i, i]
    return b


@njit(nogil=True, cache=True)
def _cholesky(gram: F64, penalty: F64) -> F64:
    """Lower factor of gram + diag(penalty); a pivot that vanishes becomes so large it acts as 0."""
    p = len(penalty)
    low = np.zeros((p, p))
    for i in range(p):
        for j in range(i):
            s = gram[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            low[i, j] = s / low[j, j]
        whole = gram[i, i] + penalty[i]
        s = whole
        for k in range(i):
            s -= low[i, k] * low[i, k]
        low[i, i] = np.sqrt(s) if s > 1e-10 * whole + 1e-30 else 1e30
    return low


@njit(nogil=True, cache=True)
def predict(X: F64, b: F64) -> F64:
    """X b, [rows, outputs], summed in the order of the columns."""
    out = np.zeros((X.shape[0], b.shape[1]))
    for t in range(X.shape[0]):
        for i in range(X.shape[1]):
            x = X[t, i]
            if x != 0.0:
                for k in range(b.shape[1]):
                    out[t, k] += x * b[i, k]
    return out


def huber_weights(residual: F64, known: NDArray[np.bool_], tuning: float = 2.5) -> F64:
    """Huber's weights min(1, tuning sigma / |r|), 0 beyond 8 robust sigma and where not known."""
    if not known.any():
        return np.zeros(len(residual))
    sigma = 1.4826 * float(np.median(np.abs(residual[known]))) + 1e-9
    size = np.abs(residual) / sigma
    weight = np.minimum(1.0, tuning / np.maximum(size, 1e-9))
    return np.where(known & (size <= 8.0), weight, 0.0)
