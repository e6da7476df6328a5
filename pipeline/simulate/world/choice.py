"""Customers who find their item out turn to another one: the world's true chain of choices.

A customer moves from an item that she cannot have to the next one by the chain, or leaves; what she
finds there she buys, else she moves on. Draws are functions of keys (seed, item, region, day), as
everywhere in the world, so all policies meet the same customers. Those who were turned away come
back after the day's first choices: the last to be served, by a node that still has the item.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.kernels import njit
from pipeline.simulate.world.randomness import mix, uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MOST_TRIES = 12
"""Who has been turned away so often leaves."""
_COLUMNS = ("item_id", "to_item_id", "probability")


@dataclass(frozen=True)
class TrueChain:
    """onward: [items, items] probability that a customer of the one turns to the other; what a row
    lacks to 1 leaves."""

    onward: Floats

    @property
    def cumulative(self) -> Floats:
        """[items, items] cumulative probabilities of a row."""
        return np.cumsum(self.onward, axis=1)


def read_chain(path: Path, items: pd.Index) -> TrueChain:
    """The chain of a CSV file (item_id, to_item_id, probability); items that the world does not
    have are left out, and their customers leave. Raises UsageError with all that is wrong."""
    try:
        frame = pd.read_csv(path, dtype={"item_id": "str", "to_item_id": "str"})
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Next: give a CSV file.") from error
    missing = [name for name in _COLUMNS if name not in frame]
    if missing:
        raise UsageError(f"{path} lacks {', '.join(missing)}. Next: add {', '.join(_COLUMNS)}.")
    chance = pd.to_numeric(frame["probability"], errors="coerce")
    wrong = [f"line {row + 2}: probability is not within 0 and 1"
             for row in np.flatnonzero(~chance.between(0, 1))]  # fmt: skip
    wrong += [f"line {row + 2}: an item turns to itself"
              for row in np.flatnonzero(frame["item_id"] == frame["to_item_id"])]  # fmt: skip
    total = chance.groupby(frame["item_id"]).sum()
    wrong += [f"{name}: its probabilities add up to {value:.4f}, above 1"
              for name, value in total[total > 1 + 1e-9].items()]  # fmt: skip
    if wrong:
        raise UsageError("\n".join([f"{path}: {len(wrong)} problem(s)", *wrong[:20]])
                         + "\nNext: correct the file.")  # fmt: skip
    start, end = items.get_indexer(frame["item_id"]), items.get_indexer(frame["to_item_id"])
    known = (start >= 0) & (end >= 0)
    onward = np.zeros((len(items), len(items)))
    onward[start[known], end[known]] = chance[known]
    return TrueChain(onward)


@dataclass(frozen=True)
class Recaptured:
    """sold: [items, regions] units that others' customers took; passed_on: [items, regions] units
    of an item's own customers that others sold."""

    sold: Ints
    passed_on: Ints


Serve = Callable[[int, Ints], Ints]
"""Serves [items, regions] units in a try (1, 2, …); returns what was sold."""


def walk(
    chain: TrueChain, seed: int, day: int, item_key: NDArray[np.uint64],
    region_key: NDArray[np.uint64], lost: Ints, serve: Serve,
) -> Recaptured:  # fmt: skip
    """Let the customers of `lost` [items, regions] units try on, all of them once before any
    twice."""
    origin, region = (np.repeat(at, lost[lost > 0]) for at in np.nonzero(lost))
    number = np.concatenate([np.arange(n) for n in lost[lost > 0]] or [np.zeros(0, np.int64)])
    at, cumulative = origin.copy(), chain.cumulative
    found = Recaptured(np.zeros_like(lost), np.zeros_like(lost))
    for attempt in range(1, _MOST_TRIES + 1):
        at = _next(seed, day, attempt, item_key, region_key, origin, region, number, at,
                   cumulative)  # fmt: skip
        stays = at >= 0
        origin, region, number, at = origin[stays], region[stays], number[stays], at[stays]
        if not len(at):
            break
        asked = np.zeros_like(lost)
        np.add.at(asked, (at, region), 1)
        sold = serve(attempt, asked)
        is_served = _turn(at, region, lost.shape[1]) < sold[at, region]
        np.add.at(found.sold, (at[is_served], region[is_served]), 1)
        np.add.at(found.passed_on, (origin[is_served], region[is_served]), 1)
        left = ~is_served
        origin, region, number, at = origin[left], region[left], number[left], at[left]
    return found


@njit(nogil=True, cache=True)
def _next(
    seed: int, day: int, attempt: int, item_key: NDArray, region_key: NDArray, origin: NDArray,
    region: NDArray, number: NDArray, at: NDArray, cumulative: NDArray,
) -> NDArray:  # fmt: skip
    """Where each customer turns next; -1 for those who leave."""
    found = np.full(len(at), -1, np.int64)
    base = mix(mix(np.uint64(seed), np.uint64(day)), np.uint64(1_000_003 + attempt))
    for c in range(len(at)):
        state = mix(mix(base, item_key[origin[c]]), region_key[region[c]])
        u = uniform(mix(state, np.uint64(number[c])))
        row = cumulative[at[c]]
        j = np.searchsorted(row, u, side="right")
        if j < len(row):
            found[c] = j
    return found


def _turn(at: Ints, region: Ints, n_regions: int) -> Ints:
    """Place of each customer in the queue of her item and region, from 0."""
    cell = at * n_regions + region
    order = np.argsort(cell, kind="stable")
    ranked = cell[order]
    first = np.flatnonzero(np.diff(ranked, prepend=-1))
    place = np.empty(len(cell), dtype=np.int64)
    place[order] = np.arange(len(cell)) - np.repeat(first, np.diff([*first, len(cell)]))
    return place
