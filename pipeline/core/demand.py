"""Joint demand of nested node sets, as the steps that the item kernel reads.

For one item, N scenarios are drawn: a protection interval (random lead time plus review period), a
rank for every region from a copula with the regions' rank correlations, demand of each region as
the forecast's quantile at that rank over that interval, and its split over demand cells (speed,
order-time bucket), unit by unit. D_S of a set is what the cells whose entry set lies in S ask for,
so pooling over regions and over lead times comes from joint draws; quantiles are never added up.

Every item draws from one of several banks of ranks; within a bank each region's ranks are a
permutation of (n + 1/2) / N, so every marginal is represented exactly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.core.copula import Dependence, normal_scores
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.kernels import njit

Array = NDArray[Any]


@dataclass(frozen=True)
class Ranks:
    """Banks of joint ranks, located in the grid of forecast levels.

    below: int16 [banks, scenarios, windows, regions], level at or below the rank over a window;
    weight: float32, how far to the next level (above 1 beyond the last: the tail goes on with its
    last slope).
    interval: float32 [banks, scenarios], rank of the protection interval.
    groups: items of different groups have banks of their own, as many each, one group's after
    another's.
    """

    below: NDArray[np.int16]
    weight: NDArray[np.float32]
    interval: NDArray[np.float32]
    groups: int = 1

    def bank(self, draw: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
        """The bank [items] that each item's `draw`, any number, picks of its group's."""
        each = len(self.below) // self.groups
        return np.asarray(group * each + draw % each)


def ranks_of_groups(
    groups: list[Dependence],
    windows: NDArray[np.float64],
    levels: NDArray[np.float64],
    banks: int,
    scenarios: int,
    seed: int,
) -> Ranks:
    """Ranks of each group's own correlations, from the same draws; see `draw_ranks`."""
    drawn = [draw_ranks(own, windows, levels, banks, scenarios, seed) for own in groups]
    below, weight, interval = (
        np.concatenate([getattr(ranks, name) for ranks in drawn])
        for name in ("below", "weight", "interval")
    )
    return Ranks(below, weight, interval, len(groups))


def draw_ranks(
    dependence: Dependence,
    windows: NDArray[np.float64],
    levels: NDArray[np.float64],
    banks: int,
    scenarios: int,
    seed: int,
) -> Ranks:
    """Ranks of a Gaussian copula with the rank correlations of windows of so many days: the same
    draws for all, which correlations alone set apart."""
    drawn = []
    for days in windows:  # each from the seed again
        rng = np.random.default_rng(seed)
        drawn.append(normal_scores(dependence.over(float(days)), (banks, scenarios), rng))
    scores = np.stack(drawn, axis=2)
    place = scores.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    rank = (place + 0.5) / scenarios
    below = np.clip(np.searchsorted(levels, rank, side="right") - 1, -1, len(levels) - 2)
    low = np.where(below < 0, 0.0, levels[np.maximum(below, 0)])
    weight = (rank - low) / (levels[below + 1] - low)
    order = np.stack([rng.permutation(scenarios) for _ in range(banks)])
    interval = (order + 0.5) / scenarios
    return Ranks(below.astype(np.int16), weight.astype(np.float32), interval.astype(np.float32))


@dataclass(frozen=True)
class CellShares:
    """How a region's demand enters the sets of one tree, deepest sets first.

    Row by region: sets start[region]..start[region + 1] with the chance ``given`` that a unit not
    yet placed enters there (the last is 1).
    """

    start: NDArray[np.int64]
    entry: NDArray[np.int64]
    given: NDArray[np.float64]


def cell_shares(share: NDArray[np.float64], member_counts: NDArray[np.int64]) -> CellShares:
    """Conditional shares from share[region, set], the demand that enters at the set."""
    start, entry, given = [0], [], []
    for row in share:
        left = row.sum()
        sets = sorted(np.flatnonzero(row > 0), key=lambda s: (member_counts[s], s))
        for s in sets:
            entry.append(s)
            given.append(min(row[s] / left, 1.0))
            left = max(left - row[s], 1e-300)
        if sets:
            given[-1] = 1.0
        start.append(len(entry))
    return CellShares(np.array(start), np.array(entry, np.int64), np.array(given))


NORMALS = ndtri((np.arange(1024) + 0.5) / 1024)


@njit(nogil=True, cache=True, inline="always")
def _random(state: np.uint64) -> tuple[np.uint64, float]:
    """Next state of xorshift64*, and a uniform number in [0, 1)."""
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    mixed = state * np.uint64(2685821657736338717)
    return state, np.float64(mixed >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(nogil=True, cache=True, inline="always")
def _binomial(n: float, p: float, state: np.uint64, normals: Array) -> tuple[np.uint64, float]:
    """Successes out of n: unit by unit when few, by the normal law when many."""
    if p >= 1.0:
        return state, n
    if n <= 16.0:
        hits = 0.0
        for _ in range(int(n)):
            state, u = _random(state)
            if u < p:
                hits += 1.0
        return state, hits
    state, u = _random(state)
    drawn = np.floor(n * p + np.sqrt(n * p * (1.0 - p)) * normals[int(u * 1024.0)] + 0.5)
    return state, min(max(drawn, 0.0), n)


@njit(nogil=True, cache=True, inline="always")
def _quantile(quantiles: Array, window: int, region: int, below: int, weight: float) -> float:
    """Demand at a rank: linear between levels, from zero below the first."""
    low = 0.0 if below < 0 else np.float64(quantiles[window, region, below])
    return max(low + weight * (np.float64(quantiles[window, region, below + 1]) - low), 0.0)


@njit(nogil=True, cache=True)
def _scenarios(
    quantiles: Array, windows: Array, intervals: Array, chances: Array, below: Array, weight: Array,
    interval: Array, cell_start: Array, cell_entry: Array, cell_given: Array, parent: Array,
    n_sets: int, normals: Array, state: np.uint64, demand: Array,
) -> np.uint64:  # fmt: skip
    """Fill demand [scenarios, sets] for one item."""
    for n in range(len(interval)):
        demand[n, :n_sets] = 0.0
        at, mass = 0, chances[0]
        while mass < interval[n] and at + 1 < len(intervals):
            at += 1
            mass += chances[at]
        days = intervals[at]
        w = 0
        while w + 2 < len(windows) and windows[w + 1] < days:
            w += 1
        high = min(w + 1, len(windows) - 1)
        part = (days - windows[w]) / max(windows[high] - windows[w], 1e-9)
        for r in range(quantiles.shape[1]):
            expected = _quantile(quantiles, w, r, below[n, w, r], weight[n, w, r])
            if high == w or part < 0.0:  # shorter than the shortest window: in proportion
                expected *= days / windows[0]
            else:
                upper = _quantile(quantiles, high, r, below[n, high, r], weight[n, high, r])
                expected += part * (upper - expected)
            if expected <= 0.0:
                continue
            state, u = _random(state)
            left = np.floor(expected + u)
            for c in range(cell_start[r], cell_start[r + 1]):
                if left <= 0.0:
                    break
                state, hits = _binomial(left, cell_given[c], state, normals)
                demand[n, cell_entry[c]] += hits
                left -= hits
        for s in range(n_sets - 1):
            demand[n, parent[s]] += demand[n, s]
    return state


@njit(nogil=True, cache=True, inline="always")
def _sorted_column(demand: Array, s: int, values: Array, histogram: Array) -> float:
    """Sort demand[:, s] into values, by counting when it is small; returns its sum."""
    top, total = 0.0, 0.0
    for n in range(len(demand)):
        top = max(top, demand[n, s])
        total += demand[n, s]
    if top < len(histogram):
        histogram[: int(top) + 1] = 0
        for n in range(len(demand)):
            histogram[int(demand[n, s])] += 1
        at = 0
        for v in range(int(top) + 1):
            for _ in range(histogram[v]):
                values[at] = v
                at += 1
    else:
        values[:] = demand[:, s]
        values.sort()
    return total


@njit(nogil=True, cache=True, inline="always")
def _steps(values: Array, gap_usd: float, most: int, knots: Array, at: int) -> int:
    """Append the steps of gap_usd * P(D >= n), at most ``most``; returns the end.

    Steps are joined within classes of tail probability that get finer toward rare demand, keeping
    the expected shortage of whole classes.
    """
    size = len(values)
    n, done = 0, 0.0
    while n < size and values[n] <= 0.0:
        n += 1
    while n < size:
        floor = (np.sqrt((size - n) / size) * most - 1.0) / most
        floor = size * max(floor, 0.0) ** 2
        units, area = 0.0, 0.0
        while n < size and (size - n > floor or units == 0.0):
            step = values[n] - done
            units += step
            area += step * (size - n)
            done = values[n]
            n += 1
        if units > 0.0:
            knots[at, 0], knots[at, 1] = units, gap_usd * area / (units * size)
            at += 1
    return at


@njit(nogil=True, cache=True)
def _tables(
    n_sets: Array, parent: Array, tree: Array, quantiles: Array, windows: Array,
    intervals: Array, chances: Array, bank: Array, below: Array, weight: Array, interval: Array,
    cell_start: Array, cell_entry: Array, cell_given: Array, gap_usd: Array,
    most: int, seeds: Array, normals: Array, start: Array, count: Array, mean: Array, knots: Array,
    room: int,
) -> int:  # fmt: skip
    """Fill knots until ``room`` is used up; returns the number of items done."""
    scenarios = below.shape[1]
    demand, values = np.empty((scenarios, count.shape[1])), np.empty(scenarios)
    histogram = np.zeros(256, np.int64)
    at = 0
    for k in range(len(tree)):
        t, b = tree[k], bank[k]
        start[k] = at
        if at + n_sets[t] * (most + 1) > room:
            return k
        state = np.uint64(seeds[k]) | np.uint64(1)
        _scenarios(
            quantiles[k], windows, intervals, chances[k], below[b], weight[b], interval[b],
            cell_start[t], cell_entry[t], cell_given[t], parent[t], n_sets[t], normals, state,
            demand,
        )  # fmt: skip
        for s in range(n_sets[t]):
            mean[k, s] = _sorted_column(demand, s, values, histogram) / scenarios
            end = at
            if gap_usd[k, s] > 0.0:
                end = _steps(values, gap_usd[k, s], most, knots, at)
            count[k, s] = end - at
            at = end
    start[len(tree)] = at
    return len(tree)


@dataclass(frozen=True)
class ItemDemand:
    """What demand tables are built from, for a batch of items.

    quantiles: float32 [items, windows, regions, levels]; windows: [windows] days;
    intervals: [possible] protection intervals in days, chances: [items, possible];
    bank: [items] bank of ranks; seeds: uint64 [items];
    gap_usd: [items, sets] cost of serving a unit from outside the set.
    """

    tree: NDArray[np.uint8]
    quantiles: NDArray[np.float32]
    windows: NDArray[np.float64]
    intervals: NDArray[np.float64]
    chances: NDArray[np.float64]
    bank: NDArray[np.int64]
    seeds: NDArray[np.uint64]
    gap_usd: NDArray[np.float64]


def demand_tables(
    woods: Forest,
    shares: list[CellShares],
    ranks: Ranks,
    demand: ItemDemand,
    place_usd: NDArray[np.float64],
    use: NDArray[np.float64],
    most_knots: int = 16,
) -> tuple[ItemTables, NDArray[np.float64]]:
    """Packed tables of the batch, all of week 0, and expected demand [items, sets] over the
    interval."""
    n, width = len(demand.tree), woods.parent.shape[1]
    start, count = np.zeros(n + 1, np.int64), np.zeros((n, width), np.uint8)
    mean = np.zeros((n, width))
    room = n * width * (most_knots + 1)
    knots = np.empty((room, 2), np.float32)
    cells = _padded(shares)
    _tables(
        woods.n_sets, woods.parent, demand.tree, demand.quantiles, demand.windows,
        demand.intervals, demand.chances, demand.bank, ranks.below, ranks.weight, ranks.interval,
        *cells, demand.gap_usd, most_knots, demand.seeds, NORMALS, start, count,
        mean, knots, room,
    )  # fmt: skip
    tables = ItemTables(
        demand.tree, np.zeros(n, np.uint8), start, count, knots[: start[-1]].copy(),
        place_usd.astype(np.float32), use.astype(np.float32), demand.gap_usd.astype(np.float32),
        np.ones(n, np.float32), np.zeros(place_usd.shape, np.float32),
    )  # fmt: skip
    return tables, mean


@njit(nogil=True, cache=True)
def _cell_demand(
    quantiles: Array, windows: Array, intervals: Array, chances: Array, bank: Array, below: Array,
    weight: Array, interval: Array, cell_start: Array, cell_entry: Array, cell_given: Array,
    cells: int, seeds: Array, normals: Array, found: Array,
) -> None:  # fmt: skip
    parent = np.full(cells, cells)  # every cell on its own: the sums go to a last column
    for k in range(len(found)):
        state, b = np.uint64(seeds[k]) | np.uint64(1), bank[k]
        _scenarios(
            quantiles[k], windows, intervals, chances[k], below[b], weight[b], interval[b],
            cell_start, cell_entry, cell_given, parent, cells + 1, normals, state, found[k],
        )  # fmt: skip


def cell_demand(
    shares: CellShares, cells: int, ranks: Ranks, demand: ItemDemand
) -> NDArray[np.float64]:
    """Scenarios of the demand of single cells, [items, scenarios, cells] units, of items of one
    tree; shares: as for the tables, with cells for sets."""
    found = np.zeros((len(demand.tree), ranks.below.shape[1], cells + 1))
    _cell_demand(
        demand.quantiles, demand.windows, demand.intervals, demand.chances, demand.bank,
        ranks.below, ranks.weight, ranks.interval, shares.start, shares.entry, shares.given, cells,
        demand.seeds, NORMALS, found,
    )  # fmt: skip
    return found[:, :, :cells]


def _padded(shares: list[CellShares]) -> tuple[NDArray, NDArray, NDArray]:
    width = max(len(one.entry) for one in shares)
    start = np.stack([one.start for one in shares])
    entry = np.zeros((len(shares), width), np.int64)
    given = np.zeros((len(shares), width))
    for t, one in enumerate(shares):
        entry[t, : len(one.entry)], given[t, : len(one.given)] = one.entry, one.given
    return start, entry, given
