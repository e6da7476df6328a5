"""Products that are added up in one order on every processor.

`@`, `dot` and `tensordot` of dense arrays call the processor's own BLAS kernel, each of which adds
in another order and with or without fused steps. Whatever is compared, ranked or climbed on is
multiplied here instead; sparse matrices of SciPy add up in order themselves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    """left [..., k] times right [k] or [k, n], as float64; also left [k] times right [k, ...]."""
    if right.ndim == 1:
        return np.asarray((left * right).sum(axis=-1), dtype=np.float64)
    if left.ndim == 1:
        return np.asarray(
            (left.reshape(-1, *[1] * (right.ndim - 1)) * right).sum(axis=0), dtype=np.float64
        )
    if left.ndim == 2 and len(left) < len(right):
        return np.stack([product(row, right) for row in left])
    found = np.zeros((*left.shape[:-1], right.shape[1]))
    for k, row in enumerate(right):
        found += left[..., k, None] * row
    return found


def first_of_best(values: NDArray[np.float64]) -> int:
    """Index of the first value within 1e-9 of the largest: rounding decides between no equals."""
    best = float(values.max())
    if not np.isfinite(best):
        return int(values.argmax())
    return int((values >= best - 1e-9 * max(abs(best), 1.0)).argmax())


def dot(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Sum of the products of two arrays' elements."""
    return float((left * right).sum())


def single_exp(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp of single precision: in double, then rounded.

    Vector instructions of different widths give other last bits of a single-precision exp or log
    (NumPy's AVX-512 and AVX2 kernels), and trees that learn from them branch elsewhere. Of doubles,
    too, but a last bit in 53 moves a number of 24 bits once in 10^8.
    """
    return np.asarray(np.exp(x.astype(np.float64)).astype(np.float32))


def single_log(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural logarithm of single precision: in double, then rounded; see `single_exp`."""
    return np.asarray(np.log(x.astype(np.float64)).astype(np.float32))


def significant(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Values to so many significant digits, 22 behind the point at most: two that are equal but for
    rounding are the same."""
    some = np.isfinite(values) & (values != 0.0)
    size = np.floor(np.log10(np.abs(values), where=some, out=np.zeros(values.shape)))
    scale = 10.0 ** np.clip(digits - 1 - size, 0, 22)
    return np.asarray(np.where(some, np.rint(values * scale) / scale, values))
