"""Where rows bind, transfers are those of an exact programme within half a percent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from pipeline.core.allocation import Holding, Network, Transfers, allocate, plan_values

LANES = np.array([(0, 1), (0, 2), (3, 4), (0, 3), (1, 2), (2, 1), (1, 4)])
World = tuple[np.ndarray, np.ndarray, Holding, Network]


def world(seed: int, items: int, room: float) -> World:
    """Five nodes, seven lanes; a node's inflow, a lane and a node's outflow have limits."""
    rng = np.random.default_rng(seed)
    nodes, lanes = 5, len(LANES)
    mean = rng.lognormal(1.0, 0.8, (items, nodes))
    level = np.ceil(mean * rng.uniform(0.8, 2.2, (items, nodes)))
    movable = np.where(rng.random((items, nodes)) < 0.5, rng.poisson(2 * mean), 0).astype(np.int64)
    fixed = rng.poisson(mean * 0.3 * (rng.random((items, nodes)) < 0.4)).astype(np.int64)
    sd = np.sqrt(1.5 * mean + (0.3 * mean) ** 2)
    holding = Holding(level, mean, sd, rng.uniform(0.3, 5, (items, nodes)),
                      movable + fixed > level)  # fmt: skip
    case = rng.integers(2, 5, items)
    lot = np.ones((items, lanes), np.int64)
    lot[:, :2] = case[:, None]
    rows = np.zeros((3, lanes), bool)
    rows[0, LANES[:, 1] == 1] = True
    rows[1, 2] = True
    rows[2, LANES[:, 0] == 0] = True
    cube = rng.lognormal(-0.5, 0.6, items)
    weight = np.stack([cube, cube, np.ones(items)])
    network = Network(LANES[:, 0], LANES[:, 1], rng.uniform(0, 0.4, (items, lanes)), lot, case,
                      rows, weight, np.full(3, np.inf))  # fmt: skip
    free = units(allocate(fixed, movable, holding, network, 0.05), items)
    used = np.array([(weight[r][:, None] * free * rows[r]).sum() for r in range(3)])
    limited = Network(*(getattr(network, n) for n in (
        "source", "target", "usd", "lot", "case", "row_of", "weight"
    )), np.maximum(used * room, 0.5))  # fmt: skip
    return fixed, movable, holding, limited


def units(found: Transfers, items: int) -> np.ndarray:
    moved = np.zeros((items, len(LANES)), np.int64)
    moved[found.item, found.lane] = found.units
    return moved


def exact(fixed: np.ndarray, movable: np.ndarray, holding: Holding, net: Network,
          line_usd: float) -> float:  # fmt: skip
    """Value of the best transfers, unit by unit of concave values: a mixed-integer programme."""
    items, nodes = fixed.shape
    cost, most, whole, rows, low, high = [], [], [], [], [], []

    def variable(usd: float, top: float, is_whole: bool) -> int:
        cost.append(usd)
        most.append(top)
        whole.append(float(is_whole))
        return len(cost) - 1

    def row(terms: dict[int, float], least: float, top: float) -> None:
        rows.append(terms)
        low.append(least)
        high.append(top)

    lots = {}
    for k in range(items):
        for lane, (i, _) in enumerate(LANES):
            top = int(movable[k, i] // net.lot[k, lane])
            if top:
                lot = int(net.lot[k, lane])
                x = variable(net.usd[k, lane] * lot, top, True)
                row({x: 1.0, variable(line_usd, 1.0, True): -float(top)}, -np.inf, 0.0)
                lots[k, lane] = (x, lot)
        for j in range(nodes):
            out = {lots[k, a][0]: lots[k, a][1] for a in range(len(LANES))
                   if LANES[a, 0] == j and (k, a) in lots}  # fmt: skip
            into = {lots[k, a][0]: lots[k, a][1] for a in range(len(LANES))
                    if LANES[a, 1] == j and (k, a) in lots}  # fmt: skip
            if not out and not into:
                continue
            if out:
                row({x: float(n) for x, n in out.items()}, -np.inf, float(movable[k, j]))
            reach = int(movable[k, j] + sum(n * most[x] for x, n in into.items()))
            steps = np.diff(holding.value(np.full(reach + 1, k), np.full(reach + 1, j),
                                          fixed[k, j] + np.arange(reach + 1)))  # fmt: skip
            terms = {variable(-float(step), 1.0, False): 1.0 for step in steps}
            terms |= {x: float(n) for x, n in out.items()} | {x: -float(n) for x, n in into.items()}
            row(terms, -np.inf, float(movable[k, j]))
    for r in range(len(net.room)):
        row({x: float(net.weight[r, k] * n) for (k, a), (x, n) in lots.items()
             if net.row_of[r, a]}, -np.inf, float(net.room[r]))  # fmt: skip
    at = [(r, x, v) for r, terms in enumerate(rows) for x, v in terms.items()]
    r, x, v = zip(*at, strict=True)
    matrix = csr_matrix((v, (r, x)), (len(rows), len(cost)))
    found = milp(cost, constraints=LinearConstraint(matrix, low, high), integrality=whole,
                 bounds=Bounds(0.0, most), options={"mip_rel_gap": 5e-4})  # fmt: skip
    moved = np.zeros((items, len(LANES)), np.int64)
    for (k, lane), (x, n) in lots.items():
        moved[k, lane] = round(found.x[x]) * n
    return float(plan_values(moved, fixed + movable, holding, net, line_usd).sum())


@pytest.mark.parametrize(("seed", "room", "line_usd"), [(1, 0.5, 0.05), (2, 0.3, 0.5)])
def test_transfers_where_rows_bind_are_within_half_a_percent_of_the_exact_optimum(
    seed: int, room: float, line_usd: float
) -> None:
    fixed, movable, holding, net = world(seed, 12, room)
    moved = units(allocate(fixed, movable, holding, net, line_usd), 12)
    ours = plan_values(moved, fixed + movable, holding, net, line_usd).sum()
    assert ours >= exact(fixed, movable, holding, net, line_usd) * 0.995


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.8]))
@settings(max_examples=8, deadline=None)
def test_transfers_move_whole_lots_that_are_there_within_every_row(seed: int, room: float) -> None:
    fixed, movable, holding, net = world(seed, 8, room)
    moved = units(allocate(fixed, movable, holding, net, 0.2), 8)
    assert (moved % net.lot == 0).all()
    for j in range(5):
        assert (moved[:, LANES[:, 0] == j].sum(axis=1) <= movable[:, j]).all()
    for r in range(3):
        assert (net.weight[r][:, None] * moved * net.row_of[r]).sum() <= net.room[r] * (1 + 1e-9)
    values = plan_values(moved, fixed + movable, holding, net, 0.2)
    assert values.sum() >= -1e-9


def test_more_room_is_worth_no_less() -> None:
    worth = []
    for room in (0.2, 0.5, 0.9):
        fixed, movable, holding, net = world(7, 12, room)
        moved = units(allocate(fixed, movable, holding, net, 0.05), 12)
        worth.append(plan_values(moved, fixed + movable, holding, net, 0.05).sum())
    assert worth[0] < worth[1] < worth[2]
