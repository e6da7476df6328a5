"""Single lots moved while that pays: what is left of the room after whole plans were chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Gain = Callable[[Ints, Ints, Ints, Ints], Floats]
"""Usd gained by changing plans [items, lanes] by units [changes] of an item over a lane."""

_MOVES, _SHOWN, _STEPS = 400, 48, (1, 2, 4, 8)


@dataclass(frozen=True)
class Rows:
    """weight: [rows, items] what a unit uses; row_of: [rows, lanes] lanes that a row counts; room:
    [rows]."""

    weight: Floats
    row_of: NDArray[np.bool_]
    room: Floats


@dataclass(frozen=True)
class Changes:
    """Changes of one lane of one item each: item, lane, units (below zero: back), usd gained,
    use: [changes, rows]."""

    item: Ints
    lane: Ints
    units: Ints
    usd: Floats
    use: Floats

    def take(self, which: Ints) -> Changes:
        """Some of them."""
        return Changes(
            self.item[which], self.lane[which], self.units[which], self.usd[which], self.use[which]
        )


def improved(
    moved: Ints, most: Ints, lot: Ints, source: Ints, movable: Ints, gain: Gain, rows: Rows
) -> Ints:  # fmt: skip
    """Units [items, lanes] after changes of whole lots, one alone or one for another, each the best
    there is; most, lot: [items, lanes]; source: [lanes]; movable: [items, nodes]."""
    moved = moved.copy()
    use = (rows.weight * product(rows.row_of.astype(float), moved.T.astype(float))).sum(axis=1)
    changes = _changes(moved, np.arange(len(moved)), most, lot, source, movable, gain, rows)
    for _ in range(_MOVES):
        slack = np.maximum(rows.room, 0.0) * (1 + 1e-12) - use
        pair = _best(changes, slack)
        if pair is None:
            break
        for at in pair:
            moved[changes.item[at], changes.lane[at]] += changes.units[at]
            use = use + changes.use[at]
        touched = np.unique(changes.item[list(pair)])
        kept = changes.take(np.flatnonzero(~np.isin(changes.item, touched)))
        new = _changes(moved, touched, most, lot, source, movable, gain, rows)
        changes = Changes(*(
            np.concatenate([getattr(kept, name), getattr(new, name)])
            for name in ("item", "lane", "units", "usd", "use")
        ))  # fmt: skip
    return moved


def _changes(
    moved: Ints, items: Ints, most: Ints, lot: Ints, source: Ints, movable: Ints, gain: Gain,
    rows: Rows,
) -> Changes:  # fmt: skip
    """Every change of some lots, up or down, of the items' lanes, that stock allows."""
    item, lane, units = [], [], []
    for sign in (1, -1):
        for step in _STEPS:
            k, at = np.nonzero(most[items] > 0)
            item.append(items[k])
            lane.append(at)
            units.append(sign * step * lot[items[k], at])
    k, at, n = (np.concatenate(parts) for parts in (item, lane, units))
    back = -moved[k, at]  # the whole line
    k, at, n = np.concatenate([k, k]), np.concatenate([at, at]), np.concatenate([n, back])
    after = moved[k, at] + n
    out = np.zeros(movable.shape, np.int64)
    where, over = np.nonzero(moved[items])
    np.add.at(out, (items[where], source[over]), moved[items[where], over])
    allowed = (after >= 0) & (n != 0) & (out[k, source[at]] + n <= movable[k, source[at]])
    k, at, n = k[allowed], at[allowed], n[allowed]
    usd = gain(moved, k, at, n)
    use = (rows.weight[:, k] * rows.row_of[:, at] * n).T
    return Changes(k, at, n, usd, use)


def _best(changes: Changes, slack: Floats) -> tuple[int, ...] | None:
    """The change, or the two, that gain most and fit; None where nothing gains."""
    fits = (changes.use <= slack + 1e-12).all(axis=1)
    alone = np.where(fits, changes.usd, -np.inf)
    best: tuple[int, ...] | None = None
    least = 1e-7
    if len(alone) and alone.max() > least:
        best, least = (int(alone.argmax()),), float(alone.max())
    wanted = np.flatnonzero((changes.usd > least) & ~fits)
    wanted = wanted[np.argsort(-changes.usd[wanted], kind="stable")][:_SHOWN]
    freeing = np.flatnonzero((changes.use < 0).any(axis=1))
    for up in wanted.tolist():
        short = changes.use[up] > slack + 1e-12
        helps = freeing[(changes.use[np.ix_(freeing, short)] < 0).all(axis=1)]
        total = changes.usd[up] + changes.usd[helps]
        room = (changes.use[up] + changes.use[helps] <= slack + 1e-12).all(axis=1)
        room &= changes.item[helps] != changes.item[up]
        total = np.where(room, total, -np.inf)
        if len(total) and total.max() > least:
            best, least = (up, int(helps[int(total.argmax())])), float(total.max())
    return best
