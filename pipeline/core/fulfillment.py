"""Which node serves an order, decided as it comes in: nearest with spill-over, or protected.

A *cell* is a kind of order: (region, speed, order-time bucket). Its *offers* are the nodes that may
serve it: first those that keep the promise, cheapest first, then those that serve it late at the
speed's goodwill cost. The nearest policy takes the first offer with stock. The protected policy
adds to each offer what the unit is expected to be worth to later orders (a scenario price), so
that the last unit of a cheap node is kept for those who need it most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit, prange


@dataclass(frozen=True)
class Offers:
    """Ways to serve each cell; cell = (region * n_speeds + speed) * n_buckets + bucket.

    start: [cells + 1] first offer; late: [cells] first offer that misses the promise;
    node: [offers]; ship_usd: [offers] delivery of one unit; missed_usd: [offers] goodwill lost.
    """

    n_regions: int
    n_speeds: int
    n_buckets: int
    start: NDArray[np.int64]
    late: NDArray[np.int64]
    node: NDArray[np.int64]
    ship_usd: NDArray[np.float64]
    missed_usd: NDArray[np.float64]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.late)


def bucket_hours(cutoff_hour: NDArray[np.float64]) -> NDArray[np.int64]:
    """First hour of each order-time bucket: within a bucket no node passes its cut-off."""
    edges = np.ceil(cutoff_hour[np.isfinite(cutoff_hour)])
    inner = {int(edge) for edge in edges if 0 < edge < 24}
    return np.array(sorted({0, *inner}), dtype=np.int64)


def list_offers(
    ship_usd: NDArray[np.float64],
    cutoff_hour: NDArray[np.float64],
    promise_days: NDArray[np.int64],
    missed_usd: NDArray[np.float64],
    first_hour: NDArray[np.int64],
) -> Offers:
    """Offers of all cells.

    ship_usd, cutoff_hour: [regions, speeds, nodes], NaN where the node does not serve;
    promise_days (-1: the speed is not sold there), missed_usd: [regions, speeds];
    first_hour: [buckets]. A promise is kept by a node of the same speed whose cut-off has not
    passed; any node that serves the region at the same or a slower speed can serve it late.
    """
    n_regions, n_speeds, _ = ship_usd.shape
    start, late, node = [0], list[int](), list[int]()
    ship, missed = list[float](), list[float]()
    for r in range(n_regions):
        for s in range(n_speeds):
            slower = promise_days[r] >= max(int(promise_days[r, s]), 0)
            options = np.where(slower[:, None], ship_usd[r], np.nan)
            any_speed = np.nanmin(np.vstack([options, np.full_like(options[:1], np.inf)]), axis=0)
            for hour in first_hour:
                keeps = np.isfinite(ship_usd[r, s]) & (cutoff_hour[r, s] > hour)
                for usd, goodwill in (
                    (np.where(keeps, ship_usd[r, s], np.inf), 0.0),
                    (np.where(keeps, np.inf, any_speed), float(missed_usd[r, s])),
                ):
                    able = np.flatnonzero(np.isfinite(usd))
                    order = able[np.argsort(usd[able], kind="stable")].tolist()
                    node += order
                    ship += usd[order].tolist()
                    missed += [goodwill] * len(order)
                    if len(late) < len(start):
                        late.append(len(node))
                start.append(len(node))
    return Offers(
        n_regions, n_speeds, len(first_hour), np.array(start), np.array(late, dtype=np.int64),
        np.array(node, dtype=np.int64), np.array(ship), np.array(missed),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def take(
    stock: NDArray, units: int, first: int, last: int, node: NDArray, cost: NDArray,
    price: NDArray, is_protected: bool, keep: NDArray, took: NDArray,
) -> int:  # fmt: skip
    """Serve up to ``units`` from offers first..last-1; lowers ``stock``, fills ``took`` by offer.

    stock, price: [nodes] of one item; keep: [nodes] units to leave. Offers are tried in order of
    cost (nearest) or of cost plus price (protected). Returns the units left without stock.
    """
    for o in range(first, last):
        took[o - first] = 0
    if not is_protected:
        for o in range(first, last):
            if units == 0:
                break
            n = max(min(units, stock[node[o]] - keep[node[o]]), 0)
            stock[node[o]] -= n
            took[o - first] = n
            units -= n
        return units
    while units > 0:
        best, which = np.inf, -1
        for o in range(first, last):
            if stock[node[o]] > keep[node[o]] and cost[o] + price[node[o]] < best:
                best, which = cost[o] + price[node[o]], o
        if which < 0:
            break
        n = min(units, stock[node[which]] - keep[node[which]])
        stock[node[which]] -= n
        took[which - first] += n
        units -= n
    return units


@njit(nogil=True, cache=True)
def serve_in_time(
    stock: NDArray, units: int, cell: int, start: NDArray, late: NDArray, node: NDArray,
    cost: NDArray, price: NDArray, is_protected: bool, keep: NDArray, took: NDArray,
) -> int:  # fmt: skip
    """First serve an order of the cell by offers that keep its promise, what is kept apart;
    fills took[0] and returns the units served. took: [3, nodes]."""
    left = take(stock, units, start[cell], late[cell], node, cost, price, is_protected, keep,
                took[0])  # fmt: skip
    return units - left


@njit(nogil=True, cache=True)
def serve_rest(
    stock: NDArray, units: int, willing: int, cell: int, start: NDArray, late: NDArray,
    node: NDArray, cost: NDArray, price: NDArray, is_protected: bool, keep: NDArray, took: NDArray,
) -> tuple[int, int]:  # fmt: skip
    """Then, of ``units`` that are left, the ``willing`` ones late, and who would else go without
    in time from what is kept for dearer orders; fills took[1] and took[2], returns units late and
    in time."""
    delayed = willing - take(stock, willing, late[cell], start[cell + 1], node, cost, price,
                             is_protected, keep, took[1])  # fmt: skip
    took[2] = 0
    rest, opened = units - delayed, 0
    if rest > 0 and keep.any():
        none = np.zeros_like(keep)
        opened = rest - take(stock, rest, start[cell], late[cell], node, cost, price, is_protected,
                             none, took[2])  # fmt: skip
    return delayed, opened


@njit(nogil=True, cache=True)
def _nearest_cost(
    stock: NDArray, demand: NDArray, start: NDArray, node: NDArray, usd: NDArray, lost_usd: float,
) -> float:  # fmt: skip
    """Cost in usd to serve a scenario's demand by region from ``stock``, nearest first."""
    total = 0.0
    for r in range(len(demand)):
        left = demand[r]
        for o in range(start[r], start[r + 1]):
            if left == 0:
                break
            n = min(left, stock[node[o]])
            stock[node[o]] -= n
            left -= n
            total += n * usd[o]
        total += left * lost_usd
    return total


@njit(nogil=True, cache=True, parallel=True)
def scenario_prices(
    stock: NDArray, scenarios: NDArray, start: NDArray, node: NDArray, usd: NDArray,
    lost_usd: NDArray, price: NDArray,
) -> None:  # fmt: skip
    """Fill ``price`` [items, nodes]: expected usd lost later when one unit leaves the node today.

    stock: int [items, nodes]; scenarios: int [scenarios, items, regions], demand until the next
    replenishment; start [regions + 1], node, usd: offers by region (mean over speeds and hours);
    lost_usd: [items], lost margin and goodwill. A price is the mean over scenarios of the rise in
    serving cost (nearest first) when the node holds one unit less.
    """
    n_scenarios, n_items, _ = scenarios.shape
    n_nodes = stock.shape[1]
    for k in prange(n_items):
        left = np.empty(n_nodes, dtype=stock.dtype)
        for j in range(n_nodes):
            price[k, j] = 0.0
        for w in range(n_scenarios):
            left[:] = stock[k]
            full = _nearest_cost(left, scenarios[w, k], start, node, usd, lost_usd[k])
            for j in range(n_nodes):
                if stock[k, j] > 0:
                    left[:] = stock[k]
                    left[j] -= 1
                    less = _nearest_cost(left, scenarios[w, k], start, node, usd, lost_usd[k])
                    price[k, j] += max(less - full, 0.0) / n_scenarios
