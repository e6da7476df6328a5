"""How many customers a season has: spread evenly over their distribution, not drawn.

Season k of a million has the same size as season k of a hundred, and any first so many are spread
evenly (van der Corput), so that plans differ by what customers want and not by how many came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEGLIGIBLE = 1e-18


def season_sizes(expected: float, seasons: int, dispersion: float = 1.0) -> NDArray[np.int64]:
    """Customers of each season: Poisson, or negative binomial with variance / mean = dispersion.

    dispersion 0: always `expected`, rounded. Raises ValueError if it lies between 0 and 1.
    """
    if 0.0 < dispersion < 1.0:
        raise ValueError(f"dispersion {dispersion} lies between 0 and 1")
    if dispersion == 0.0 or expected <= 0.0:
        return np.full(seasons, round(max(expected, 0.0)), np.int64)
    lowest, chances = _chances(expected, dispersion)
    level = np.cumsum(chances) / chances.sum()
    found = np.searchsorted(level, _evenly(seasons), side="right")
    return lowest + np.minimum(found, len(level) - 1)


def _chances(expected: float, dispersion: float) -> tuple[int, NDArray[np.float64]]:
    """The lowest size that matters and relative chances from there on, by their ratios."""
    share = 1.0 - 1.0 / dispersion  # 0: Poisson
    shape = expected / (dispersion - 1.0) if dispersion > 1.0 else 0.0

    def ratio(size: int) -> float:
        """Chance of size + 1 over chance of size."""
        if dispersion == 1.0:
            return expected / (size + 1)
        return share * (shape + size) / (size + 1)

    mode = int(expected)
    above, below = [1.0], []
    while above[-1] > _NEGLIGIBLE:
        above.append(above[-1] * ratio(mode + len(above) - 1))
    chance = 1.0
    for size in range(mode - 1, -1, -1):
        chance /= ratio(size)
        if chance < _NEGLIGIBLE:
            break
        below.append(chance)
    return mode - len(below), np.array(below[::-1] + above)


def _evenly(count: int) -> NDArray[np.float64]:
    """Numbers in (0, 1), the first so many always spread evenly: bits of 1, 2, … mirrored."""
    index, found, place = np.arange(1, count + 1), np.zeros(count), 0.5
    while index.any():
        found += place * (index % 2)
        index = index // 2
        place /= 2.0
    return found
