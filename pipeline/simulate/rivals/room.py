"""Levels that fit: a node's space, a vendor's most units, a dock's week.

What a practitioner does when all he would like to hold does not fit: every item gives way by the
same rule until it does. Pure: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]
_HALVINGS = 24


def fit_to_space(
    target_at: Callable[[Floats], Floats], cube_cuft: Floats, space_cuft: Floats
) -> Floats:
    """[items, nodes] the largest targets of a family that fit into every node's space.

    target_at: targets at a tightness [nodes] from 0 (as wanted) to 1 (none), falling in it; nodes
    in which the wanted targets fit keep them. space_cuft: [nodes], inf without limit.
    """
    low, high = np.zeros(len(space_cuft)), np.ones(len(space_cuft))
    wanted = target_at(low)
    is_free = np.einsum("kj,k->j", wanted, cube_cuft) <= space_cuft
    if is_free.all():
        return wanted
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fits = np.einsum("kj,k->j", target_at(middle), cube_cuft) <= space_cuft
        low, high = np.where(fits, low, middle), np.where(fits, middle, high)
    return target_at(np.where(is_free, 0.0, high))


def within_limit(units: Ints, group: Ints, limit: Floats, urgency: Floats) -> NDArray[np.bool_]:
    """Mask of the lines that a group (vendor or dock) takes tonight, the most urgent first.

    limit: [groups] units, inf without; a line that no longer fits is left out, a smaller one behind
    it may still fit.
    """
    left, taken = limit.astype(float).copy(), np.zeros(len(units), dtype=bool)
    for i in np.argsort(-urgency, kind="stable"):
        if units[i] > 0 and units[i] <= left[group[i]]:
            left[group[i]] -= units[i]
            taken[i] = True
    return taken
