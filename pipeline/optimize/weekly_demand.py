"""Demand of the coming weeks: tables of a cycle, scaled set by set to each week's expected demand.

What a week asks of the nodes differs from what tonight's cycle asks: a region is closed for some
days, has an event of its own or opens later. The shape of demand inside a set of nodes is drawn
once (item_model), its size is that of the week: the expected demand of the regions whose orders
enter inside the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.core.item import ItemTables, concatenate
from pipeline.optimize.item_model import DemandCube, PackedItems
from pipeline.optimize.network_model import NetworkModel
from pipeline.optimize.targets import Vendors

Floats = NDArray[np.float64]
MOST_RATIO = 20.0
"""Demand of a week against that of the cycle that its tables are drawn from, at most."""


def ratios(
    network: NetworkModel, cube: DemandCube, tree: NDArray[np.uint8], weeks: int, cycle_days: float
) -> Iterator[Floats]:
    """By week [items, sets]: expected demand inside a set of a cycle that starts with the week,
    over that of the cycle that tables are drawn from; tree: [items] size class."""
    every, windows = np.arange(len(tree)), cube.windows
    until = _weights(windows, np.full((len(tree), 1), cycle_days))
    for begin in 7.0 * np.arange(weeks):
        before, after = (_weights(windows, np.full((len(tree), 1), day))
                         for day in (begin, begin + cycle_days))  # fmt: skip
        yield _ratio(network, cube, tree, every, until, after - before)


def demand_by_region(cube: DemandCube, days: float) -> Floats:
    """Expected demand [items, regions] from tomorrow over so many days."""
    weight = _weights(cube.windows, np.full((len(cube.items), 1), days))
    return _weighed(cube.mean, np.arange(len(cube.items)), weight)


def _ratio(
    network: NetworkModel, cube: DemandCube, tree: NDArray[np.uint8], item: NDArray[np.int64],
    drawn: Floats, weight: Floats,
) -> Floats:  # fmt: skip
    """[rows, sets] of demand that weighs windows by weight [rows, windows], to that of the drawn
    cycle, whose windows weigh drawn."""
    base = _inside(network, tree[item], _weighed(cube.cycle_mean, item, drawn))
    demand = _inside(network, tree[item], _weighed(cube.mean, item, weight))
    found = np.divide(demand, base, out=np.ones(base.shape), where=base > 1e-6)
    # as published, so that whoever scales demand by the published ratio rounds to the same units
    return np.asarray(np.round(np.clip(found, 0.0, MOST_RATIO), 9))


def _weights(windows: Floats, days: Floats, chances: Floats | None = None) -> Floats:
    """[rows, windows] that expected demand from tomorrow over days [rows, possible] weighs windows
    with: linear between two, from nothing, and beyond the last at the rate of its last days;
    chances: [rows, possible], of certain days none."""
    known, rows = np.concatenate([[0.0], windows]), np.arange(len(days))
    found = np.zeros((len(days), len(windows) + 1))
    for i in range(days.shape[1]):
        chance = np.ones(len(days)) if chances is None else chances[:, i]
        at = np.clip(np.searchsorted(known, days[:, i], side="right") - 1, 0, len(windows) - 1)
        part = (days[:, i] - known[at]) / (known[at + 1] - known[at])
        found[rows, at] += chance * (1.0 - part)
        found[rows, at + 1] += chance * part
    return np.asarray(found[:, 1:])


def _weighed(mean: Floats, item: NDArray[np.int64], weight: Floats) -> Floats:
    """Demand [rows, regions] of windows [items, windows, regions] weighed."""
    found = np.zeros((len(item), mean.shape[2]))
    for w in np.flatnonzero(weight.any(axis=0)):
        found += weight[:, w, None] * mean[item, w]
    return found


def _inside(network: NetworkModel, tree: NDArray[np.uint8], demand: Floats) -> Floats:
    """[items, sets] of the demand of regions [items, regions] what enters inside each set."""
    found = np.zeros((len(tree), network.woods.parent.shape[1]))
    for t, within in enumerate(network.within):
        mine = tree == t
        if mine.any():
            found[mine, : within.shape[1]] = product(demand[mine], within)
    return found


def root_ratio(network: NetworkModel, tree: NDArray[np.uint8], ratio: Floats) -> Floats:
    """[items] the ratio of all demand, of ratios [items, sets]."""
    return np.asarray(ratio[np.arange(len(tree)), network.woods.n_sets[tree] - 1])


def in_week(packed: PackedItems, ratio: Floats) -> PackedItems:
    """The packed items with demand times ratios [items, sets]."""
    if (ratio == 1.0).all():
        return packed
    knots = packed.tables.knots.copy()
    knots[:, 0] = _scaled(packed.tables, ratio)
    return replace(packed, tables=replace(packed.tables, knots=knots), mean=packed.mean * ratio)


def horizon(
    network: NetworkModel, tables: ItemTables, weekly: Iterable[Floats], cycle_days: float
) -> ItemTables:
    """Rows for all items in every week, week by week, with costs of a week; tonight's come first.

    Demand of a week inside a set is the drawn cycle's times the week's ratio [items, sets], in
    whole units. A level that rises from the week before, as demand inside the node's own set does,
    must enter the node, beside what is served.
    """
    turn = 7.0 / cycle_days
    knots, before = tables.knots.copy(), None
    knots[:, 1] *= turn
    home = network.woods.home[tables.tree]
    weeks = []
    for t, ratio in enumerate(weekly):
        scaled = knots.copy()
        scaled[:, 0] = _scaled(tables, ratio)
        now = np.maximum(np.take_along_axis(ratio, np.maximum(home, 0), axis=1), 1e-9)
        rise = np.maximum(1.0 - (now if before is None else before) / now, 0.0) / turn
        rise[home < 0] = 0.0
        before = now
        weeks.append(
            replace(
                tables,
                week=np.full(len(tables), t, np.uint8),
                knots=scaled,
                place_usd=tables.place_usd * np.float32(turn),
                gap_usd=tables.gap_usd * np.float32(turn),
                turn=np.full(len(tables), turn, np.float32),
                rise=rise.astype(np.float32),
            )
        )
    return concatenate(weeks)


def arriving(
    network: NetworkModel, cube: DemandCube, drawn: ItemTables, ahead: ItemTables, vendors: Vendors,
    cycle_days: float, early_days: Floats,
) -> ItemTables:  # fmt: skip
    """Rows by vendor row: the item in the week in which an order of tonight is expected, with the
    expected demand of the cycle that begins when it comes, or sooner by the days by which the next
    order is placed early; it may come early or late."""
    weeks = len(ahead) // len(drawn)
    found = ahead.take(vendors.arrival_week(weeks) * len(drawn) + vendors.item)
    begin = np.maximum(vendors.lead_days - vendors.early(early_days)[:, None], 0.0)
    cycle = _weights(cube.windows, np.full((len(begin), 1), cycle_days))
    weight = _weights(cube.windows, begin + cycle_days, vendors.chances)
    weight -= _weights(cube.windows, begin, vendors.chances)
    ratio = _ratio(network, cube, drawn.tree, vendors.item, cycle, weight)
    knots = found.knots.copy()
    knots[:, 0] = _scaled(drawn.take(vendors.item), ratio)
    return replace(found, knots=knots)


def _scaled(tables: ItemTables, factor: Floats) -> Floats:
    """Units [knots] times the factor [items, sets], their sums within a set rounded to whole
    units."""
    units = tables.knots[:, 0].astype(float)
    owner = np.repeat(np.arange(tables.count.size), tables.count.ravel())
    first = np.searchsorted(owner, owner, side="left")
    running = np.cumsum(units)
    total = running - np.concatenate([[0.0], running])[first]
    whole = np.floor(total * factor.ravel()[owner] + 0.5)
    start = first == np.arange(len(first))
    previous = np.where(start, 0.0, np.concatenate([[0.0], whole[:-1]]))
    return np.asarray(whole - previous)
