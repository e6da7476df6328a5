"""Explanations that add up: shares of a difference in units, by the logarithmic mean.

If log y - log y0 is the sum of f_c, then y - y0 is the sum of L(y, y0) f_c exactly, with the
logarithmic mean L(a, b) = (a - b) / log(a / b) (Montgomery 1937; Vartia 1976).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def logarithmic_mean(a: F64, b: F64) -> F64:
    """L(a, b) = (a - b) / log(a / b), a where both are the same; for positive numbers."""
    gap = np.log(a / b)
    # Near equality the quotient loses its digits; the series does not.
    near = np.abs(gap) < 1e-5
    safe = np.where(near, 1.0, gap)
    series = np.sqrt(a * b) * (1 + gap * gap / 24)
    return np.asarray(np.where(near, series, (a - b) / safe))


def in_units(parts: Mapping[str, F64], baseline: F64) -> dict[str, F64]:
    """Parts in units [days] of exp(log baseline + sum of the log parts); 'typical' is the baseline.

    All add up to the whole; the last part takes what rounding leaves.
    """
    total = np.zeros_like(baseline)
    for values in parts.values():
        total = total + values
    whole = baseline * np.exp(total)
    weight = logarithmic_mean(whole, baseline)
    found = {"typical": baseline.copy(), **{name: weight * f for name, f in parts.items()}}
    last = list(found)[-1]
    found[last] = whole - sum(values for name, values in found.items() if name != last)
    return found
