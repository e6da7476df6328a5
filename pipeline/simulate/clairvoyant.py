"""The clairvoyant bound: the most profit that perfect information could have made.

An item's weeks are a linear program in which everything is known and much is relaxed, so that no
policy can earn more: within a week time stands still (an arrival serves any order of its week, a
transfer takes no time, every order comes at the best hour), vendors deliver any quantity at the
cheapest price from the first possible arrival on, and nothing has a capacity. Stock that is there
at the start, or on the way, has to be held, moved and sold:

    max  sum_{w,c,j} s_wcj (v_wc - e_cj) + sum_{w,c} n_wc (v_wc - e_c)
         - sum_{w,l} t_wl m_l - sum_{w,j} h_j (I_wj + (d_w - 1) z_wj)
    I_wj = I_{w-1,j} + arrivals_wj + t_in - t_out - sum_c s_wcj,   sum_j s_wcj + n_wc <= D_wc,
    z_wj >= I_wj - arrivals_wj - t_in

v: price and goodwill less cost; e: cost to serve cell c = (region, speed) from node j, at its best
hour; e_c: the least over nodes of that and the way there from a vendor; z: units that lay in the
node all week, which were held for its d_w days. Solved by HiGHS through scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from pipeline.errors import EchelonError
from pipeline.simulate.kernel import demand_by_speed
from pipeline.simulate.model import Tables, WorldModel
from pipeline.simulate.randomness import draw_uniforms
from pipeline.simulate.situation import day_number
from pipeline.simulate.start import initial_state
from pipeline.simulate.supply import Ints, LeadTimes
from pipeline.simulate.truth import Truth

Floats = NDArray[np.float64]
_LEAD_STREAM = 0  # the stream from which `supply.dispatch` draws lead times


@dataclass(frozen=True)
class _Item:
    """One item's data: demand, value [weeks, cells]; serve_usd [cells, nodes], inf = cannot;
    new_usd [cells]; arrivals [weeks, nodes]; stock, hold_usd [nodes]; lanes [lanes, 2] of nodes;
    move_usd [lanes]; days [weeks]; first_week: the first with new supply."""

    demand: Floats
    value: Floats
    serve_usd: Floats
    new_usd: Floats
    arrivals: Floats
    stock: Floats
    hold_usd: Floats
    lanes: Ints
    move_usd: Floats
    days: Floats
    first_week: int


def clairvoyant_profit(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: Tables, seed: int, start: date
) -> float:
    """Upper bound in usd on the profit of all items over the days of `truth`."""
    state = initial_state(model, times, tables, seed, start)
    first = day_number(start) + 1
    week_start = np.arange(0, len(truth.days), 7)
    days = np.diff(np.append(week_start, len(truth.days))).astype(float)
    n_items, n_regions, n_nodes = model.shape
    by_speed = np.zeros((len(days), n_items, n_regions, len(model.speeds)), dtype=np.int64)
    for t in range(len(truth.days)):
        demand_by_speed(seed, first + t, model.item_key, model.region_key, truth.demand[t],
                        model.cumulative, len(model.speeds), by_speed[t // 7])  # fmt: skip
    goodwill = model.rules.goodwill_share
    price = np.maximum.reduceat(truth.price_usd, week_start, axis=0)
    lost_all = goodwill * np.einsum("tkr,tkr->k", truth.demand, truth.price_usd)
    arrivals = np.zeros((len(days), n_items, n_nodes))
    ways = state.on_the_way
    week = (np.maximum(ways.arrival_day, first) - first) // 7
    here = week < len(days)
    np.add.at(arrivals, (week[here], ways.item[here], ways.node[here]), ways.units[here])
    serve, lanes, inbound = best_serving_usd(model), _lanes(tables, model), _inbound(tables, model)
    supply = first_supply_day(model, times, tables, seed, first, len(truth.days)) // 7
    total = 0.0
    for k in range(n_items):
        item = _item(model, k, by_speed[:, k], price[:, k], serve, lanes, inbound[k],
                     arrivals[:, k], state.on_hand[k], days, int(supply[k]))  # fmt: skip
        handled = float((arrivals[:, k] * model.handling_usd).sum())
        total += solve(item) - lost_all[k] - handled
    return total


def best_serving_usd(model: WorldModel) -> Floats:
    """[regions * speeds, nodes] least cost of a unit over the hours of the day; inf: never."""
    offers = model.offers
    found = np.full((offers.n_regions * offers.n_speeds, len(model.nodes)), np.inf)
    for cell in range(offers.n_cells):
        span = slice(offers.start[cell], offers.start[cell + 1])
        np.minimum.at(found[cell // offers.n_buckets], offers.node[span],
                      offers.ship_usd[span] + offers.missed_usd[span])  # fmt: skip
    return found


def first_supply_day(
    model: WorldModel, times: LeadTimes, tables: Tables, seed: int, first: int, n_days: int
) -> Ints:
    """[items] first day, from 0, on which an order of the run can arrive; n_days or more: none."""
    frame = tables["vendor_items"]
    vendor = model.vendors.get_indexer(frame["vendor_id"].astype("str"))
    item = model.items.get_indexer(frame["item_id"].astype("str"))
    found = np.full(len(model.items), 10**6, dtype=np.int64)
    u = np.empty(len(item))
    for sent in range(n_days):
        day = np.full(len(item), first + sent, dtype=np.int64)
        draw_uniforms(seed, _LEAD_STREAM, model.vendor_key[vendor], model.item_key[item], day, u)
        lead = times.draw(vendor * len(model.items) + item, day, u)
        np.minimum.at(found, item, sent + lead)
    return found


def _lanes(tables: Tables, model: WorldModel) -> Ints:
    frame = tables["lanes"]
    ends = [model.nodes.get_indexer(frame[name].astype("str"))
            for name in ("from_node_id", "to_node_id")]  # fmt: skip
    return np.stack(ends, axis=1)


def _inbound(tables: Tables, model: WorldModel) -> Floats:
    """[items, nodes] least cost of bringing a new unit to the node; inf: no way."""
    nodes = tables["nodes"].set_index(tables["nodes"]["node_id"].astype("str")).loc[model.nodes]
    receives = nodes["is_vendor_receiving"].to_numpy(bool)
    usd = np.where(receives & model.may_hold, model.handling_usd, np.inf)
    lanes = _lanes(tables, model)
    for _ in range(len(model.nodes)):  # Bellman and Ford: the network is shallow
        before = usd.copy()
        for a, b in lanes:
            way = model.lane_usd_per_cuft[a, b] * model.cube_cuft + model.handling_usd[b]
            usd[:, b] = np.where(model.may_hold[:, b], np.minimum(usd[:, b], usd[:, a] + way),
                                 np.inf)  # fmt: skip
        if np.array_equal(before, usd):
            break
    return usd


def _item(
    model: WorldModel, k: int, demand: Ints, price: Floats, serve: Floats, lanes: Ints,
    inbound: Floats, arrivals: Floats, stock: Ints, days: Floats, first_week: int,
) -> _Item:  # fmt: skip
    n_speeds = len(model.speeds)
    cost = model.unit_cost_usd[k]
    value = np.repeat(price * (1 + model.rules.goodwill_share) - cost, n_speeds, axis=1)
    cube = model.cube_cuft[k]
    daily = cost * model.rules.holding_rate_per_year / 365.0 + cube * model.storage_usd
    return _Item(
        demand=demand.reshape(len(days), -1).astype(float), value=value, serve_usd=serve,
        new_usd=(serve + inbound).min(axis=1), arrivals=arrivals, stock=stock.astype(float),
        hold_usd=daily, lanes=lanes,
        move_usd=model.lane_usd_per_cuft[lanes[:, 0], lanes[:, 1]] * cube
        + model.handling_usd[lanes[:, 1]],
        days=days, first_week=first_week,
    )  # fmt: skip


def solve(item: _Item) -> float:
    """Value of the item's linear program in usd."""
    n_weeks, n_nodes, n_lanes = len(item.days), len(item.stock), len(item.lanes)
    week, cell = np.nonzero(item.demand)
    pairs, node = np.nonzero(np.isfinite(item.serve_usd[cell]))
    is_new = (week >= item.first_week) & np.isfinite(item.new_usd[cell])
    new = np.flatnonzero(is_new)
    sizes = [n_weeks * n_nodes, n_weeks * n_nodes, n_weeks * n_lanes, len(pairs), len(new)]
    at = np.concatenate([[0], np.cumsum(sizes)])
    stay, full, move, old, bought = (np.arange(at[i], at[i + 1]) for i in range(5))
    cost = np.concatenate([
        np.tile(item.hold_usd, n_weeks),
        np.repeat(item.days - 1, n_nodes) * np.tile(item.hold_usd, n_weeks),
        np.tile(item.move_usd, n_weeks),
        item.serve_usd[cell[pairs], node] - item.value[week[pairs], cell[pairs]],
        item.new_usd[cell[new]] - item.value[week[new], cell[new]],
    ])  # fmt: skip
    place = np.arange(n_weeks * n_nodes)
    base = np.repeat(np.arange(n_weeks) * n_nodes, n_lanes)
    goes_from = base + np.tile(item.lanes[:, 0], n_weeks)
    goes_to = base + np.tile(item.lanes[:, 1], n_weeks)
    later = place[n_nodes:]
    ones = np.ones
    balance = _matrix(len(place), at[-1], [
        (place, stay, ones(len(place))), (later, stay[:-n_nodes], -ones(len(later))),
        (goes_from, move, ones(len(move))), (goes_to, move, -ones(len(move))),
        (week[pairs] * n_nodes + node, old, ones(len(old))),
    ])  # fmt: skip
    held = _matrix(len(place), at[-1], [
        (place, stay, ones(len(place))), (place, full, -ones(len(place))),
        (goes_to, move, -ones(len(move))),
    ])  # fmt: skip
    served = _matrix(len(week), at[-1], [(pairs, old, ones(len(old))),
                                         (new, bought, ones(len(new)))])  # fmt: skip
    supply = item.arrivals.copy()
    supply[0] += item.stock
    result = optimize.linprog(
        cost, A_eq=balance, b_eq=supply.ravel(), A_ub=sparse.vstack([held, served], format="csr"),
        b_ub=np.concatenate([item.arrivals.ravel(), item.demand[week, cell]]), method="highs",
    )  # fmt: skip
    if result.status != 0:
        raise EchelonError(f"the clairvoyant bound was not solved: {result.message}")
    return -float(result.fun)


def _matrix(
    n_rows: int, n_columns: int, parts: list[tuple[NDArray, NDArray, NDArray]]
) -> sparse.csr_matrix:
    rows, columns, values = (np.concatenate(group) for group in zip(*parts, strict=True))
    return sparse.csr_matrix((values, (rows, columns)), shape=(n_rows, n_columns))
