"""One day of trade, for all items at once: orders come in, are assigned and leave.

Within a day orders are met bucket by bucket; within a bucket the regions take turns in an order
that rotates from day to day. Items share nothing here, so they run in parallel; whatever is added
up over items is added by chunk and the chunks in order, so that any number of threads gives the
same bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.core.fulfillment import serve_in_time, serve_rest, take
from pipeline.kernels import njit, prange
from pipeline.simulate.world.randomness import mix, uniform

DEMAND, KEPT, LATE, LOST, WAITING = range(5)
"""Columns of the counts: units asked for, served in time, served late, lost, told to wait."""
REVENUE, SHIPPING, MISSED, LOST_VALUE = range(4)
"""Columns of the money: sales, delivery, goodwill for lateness, price of lost units."""

_DRAWN_ONE_BY_ONE = 256  # larger demands get their expected split first, the rest is drawn


@njit(nogil=True, cache=True)
def _split(state: np.uint64, units: int, cumulative: NDArray, count: NDArray) -> None:
    """Add a multinomial split of ``units`` over the region's cells to ``count``."""
    n = len(cumulative)
    left = units
    if units > _DRAWN_ONE_BY_ONE:
        below = 0.0
        for c in range(n):
            sure = int(units * (cumulative[c] - below))
            below = cumulative[c]
            count[c] += sure
            left -= sure
    for i in range(left):
        u = uniform(mix(state, np.uint64(i))) * cumulative[n - 1]
        c = 0
        while c < n - 1 and u >= cumulative[c]:
            c += 1
        count[c] += 1


@njit(nogil=True, cache=True)
def _accepting(state: np.uint64, units: int, share: float) -> int:
    """How many of ``units`` customers take a late delivery."""
    if share >= 1.0:
        return units
    accepted = 0
    for i in range(units):
        if uniform(mix(state, np.uint64(1_000_000 + i))) < share:
            accepted += 1
    return accepted


@njit(nogil=True, cache=True)
def _reachable(stock: NDArray, reach: NDArray) -> bool:
    """Whether any node in the bit mask ``reach`` holds stock."""
    for j in range(len(stock)):
        if stock[j] > 0 and (reach[j >> 6] >> np.uint64(j & 63)) & np.uint64(1):
            return True
    return False


@njit(nogil=True, cache=True)
def _book(
    first: int, last: int, took: NDArray, node: NDArray, ship_usd: NDArray, missed_usd: NDArray,
    price_usd: float, shipped: NDArray, served: NDArray, money: NDArray,
) -> int:  # fmt: skip
    """Enter what was taken from offers first..last-1; returns the units."""
    units = 0
    for o in range(first, last):
        n = took[o - first]
        if n > 0:
            units += n
            shipped[node[o]] += n
            served[node[o]] += n
            money[SHIPPING] += n * ship_usd[o]
            money[MISSED] += n * missed_usd[o]
    money[REVENUE] += units * price_usd
    return units


@njit(nogil=True, cache=True)
def _serve(
    state: np.uint64, units: int, cell: int, stock: NDArray, start: NDArray, late: NDArray,
    node: NDArray, ship_usd: NDArray, missed_usd: NDArray, cost: NDArray,
    opportunity_usd: NDArray, is_protected: bool, keep: NDArray, accept_late_share: float,
    price_usd: float, shipped: NDArray, served: NDArray, money: NDArray, count: NDArray,
    took: NDArray,
) -> tuple[int, int]:  # fmt: skip
    """Serve new orders of one cell: in time, then late to those who accept it; returns units kept
    and units late."""
    kept = serve_in_time(stock, units, cell, start, late, node, cost, opportunity_usd, is_protected,
                         keep, took)  # fmt: skip
    accepting = _accepting(mix(state, np.uint64(cell)), units - kept, accept_late_share)
    delayed, opened = serve_rest(stock, units - kept, accepting, cell, start, late, node, cost,
                                 opportunity_usd, is_protected, keep, took)  # fmt: skip
    kept += opened
    _book(start[cell], late[cell], took[0] + took[2], node, ship_usd, missed_usd, price_usd,
          shipped, served, money)  # fmt: skip
    _book(late[cell], start[cell + 1], took[1], node, ship_usd, missed_usd, price_usd, shipped,
          served, money)  # fmt: skip
    count[KEPT] += kept
    count[LATE] += delayed
    return kept, delayed


@njit(nogil=True, cache=True)
def _serve_waiting(
    units: int, cell: int, stock: NDArray, start: NDArray, node: NDArray, ship_usd: NDArray,
    missed_usd: NDArray, cost: NDArray, opportunity_usd: NDArray, is_protected: bool,
    keep: NDArray, price_usd: float, shipped: NDArray, served: NDArray, money: NDArray,
    count: NDArray, took: NDArray,
) -> int:  # fmt: skip
    """Serve units that have waited since an earlier day, late as they are; returns units served."""
    first, last = start[cell], start[cell + 1]
    take(stock, units, first, last, node, cost, opportunity_usd, is_protected, keep, took)
    n = _book(first, last, took, node, ship_usd, missed_usd, price_usd, shipped, served,
              money)  # fmt: skip
    count[LATE] += n
    count[WAITING] -= n
    return n


@njit(nogil=True, cache=True, parallel=True)
def trade_day(
    seed: int, day: int, bounds: NDArray, item_key: NDArray, region_key: NDArray, demand: NDArray,
    price_usd: NDArray, stock: NDArray, waiting: NDArray, opportunity_usd: NDArray,
    cumulative: NDArray, bucket_share: NDArray, reach: NDArray, n_speeds: int, start: NDArray,
    late: NDArray, node: NDArray, ship_usd: NDArray, missed_usd: NDArray, is_protected: bool,
    keep: NDArray, accept_late_share: float, lets_wait: bool, sold: NDArray, shipped: NDArray,
    in_stock: NDArray,
    count: NDArray, money: NDArray, speed_units: NDArray, served: NDArray,
) -> None:  # fmt: skip
    """Serve a day's demand; lowers ``stock`` and adds to the outputs, which come in zeroed.

    demand: int [items, regions]; price_usd: [items, regions]; stock: int [items, nodes];
    waiting: int [items, regions] units of earlier days still to be served (grows only where
    ``lets_wait``; else unserved units are lost); opportunity_usd: [items, nodes]; keep: int
    [items, speeds, nodes] units that orders of the speed leave (core.fulfillment);
    cumulative: [regions, buckets * speeds] cumulative shares of the cells, by bucket, then speed;
    reach: uint64 [regions, words] nodes that serve the region; sold: [items, regions];
    shipped: [items, nodes]; in_stock: [items, regions] share of the day; count: [items, 5];
    money: [items, 4]; speed_units: [chunks, speeds, 2] asked for and kept; served: [chunks,
    regions, nodes] units that the node sent to the region.
    """
    n_regions, n_buckets = demand.shape[1], len(bucket_share)
    cost = ship_usd + missed_usd
    base = mix(np.uint64(seed), np.uint64(day))
    for chunk in prange(len(bounds) - 1):
        asked = np.zeros((n_regions, n_speeds * n_buckets), np.int64)
        took = np.zeros((3, stock.shape[1]), np.int64)
        for k in range(bounds[chunk], bounds[chunk + 1]):
            state = mix(base, item_key[k])
            units = 0
            for r in range(n_regions):
                if demand[k, r] > 0:
                    _split(mix(state, region_key[r]), demand[k, r], cumulative[r], asked[r])
                    units += demand[k, r]
                if waiting[k, r] > 0:  # they come first, at the slowest speed
                    cell = ((r + 1) * n_speeds - 1) * n_buckets
                    n = _serve_waiting(
                        waiting[k, r], cell, stock[k], start, node, ship_usd, missed_usd, cost,
                        opportunity_usd[k], is_protected, keep[k, n_speeds - 1], price_usd[k, r],
                        shipped[k], served[chunk, r], money[k], count[k], took[0],
                    )  # fmt: skip
                    sold[k, r] += n
                    waiting[k, r] -= n
            count[k, DEMAND] += units
            for b in range(n_buckets):
                for r in range(n_regions):
                    if _reachable(stock[k], reach[r]):
                        in_stock[k, r] += bucket_share[b]
                for turn in range(n_regions if units > 0 else 0):
                    r = (turn + day) % n_regions
                    for s in range(n_speeds):
                        n = asked[r, b * n_speeds + s]
                        if n == 0:
                            continue
                        asked[r, b * n_speeds + s] = 0
                        kept, delayed = _serve(
                            state, n, (r * n_speeds + s) * n_buckets + b, stock[k], start, late,
                            node, ship_usd, missed_usd, cost, opportunity_usd[k], is_protected,
                            keep[k, s], accept_late_share, price_usd[k, r], shipped[k],
                            served[chunk, r], money[k], count[k], took,
                        )  # fmt: skip
                        speed_units[chunk, s, 0] += n
                        speed_units[chunk, s, 1] += kept
                        sold[k, r] += kept + delayed
                        left = n - kept - delayed
                        waits = left if lets_wait else 0
                        waiting[k, r] += waits
                        count[k, WAITING] += waits
                        count[k, LOST] += left - waits
                        money[k, LOST_VALUE] += (left - waits) * price_usd[k, r]


@njit(nogil=True, cache=True)
def orders_by_cell(
    seed: int, day: int, item_key: NDArray, region_key: NDArray, demand: NDArray,
    cumulative: NDArray, out: NDArray,
) -> None:  # fmt: skip
    """Add to out [items, regions, buckets * speeds] the orders that `trade_day` draws for the same
    day, cells in the order of ``cumulative``."""
    base = mix(np.uint64(seed), np.uint64(day))
    for k in range(demand.shape[0]):
        state = mix(base, item_key[k])
        for r in range(demand.shape[1]):
            if demand[k, r] > 0:
                _split(mix(state, region_key[r]), demand[k, r], cumulative[r], out[k, r])
