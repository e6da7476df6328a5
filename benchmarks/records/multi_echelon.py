"""Records of serial, divergent and general networks, and of lateral pooling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.records.checks import Answer, NotSolvedError, Record
from benchmarks.records.demand_specs import integer_demand, parse_demand
from pipeline.core.inventory import divergent, network, pooling, serial


def solve_serial(record: Record) -> Iterator[Answer]:
    """Clark–Scarf: the optimal cost, and the cost of the published levels."""
    p = record.params
    lead_times = [float(lead) for lead in p["lead_times"]][::-1]
    if p.get("echelon_holding") is not None:
        holding = [float(h) for h in p["echelon_holding"]][::-1]
    else:
        local = [float(h) for h in p["local_holding"]]
        holding = np.diff([0.0, *local]).tolist()[::-1]
    backorder = float(p.get("backorder_cost", p.get("stockout_cost", p.get("p"))))
    demand = parse_demand(p["demand"], p)
    system = serial.SerialSystem(holding, lead_times, backorder, demand)
    pipeline = system.pipeline_cost if p.get("cost_excludes_pipeline") else 0.0
    expected = record.expected
    cost = expected.get("optimal_avg_cost")
    if cost is None:
        raise NotSolvedError("no cost is given")
    yield Answer("optimal_avg_cost", float(cost), serial.optimal_serial(system).cost - pipeline)
    levels = expected.get("levels") or {}
    if "echelon" in levels:
        chosen = [float(x) for x in levels["echelon"]][::-1]
    elif "local_order_up_to" in levels:
        chosen = np.cumsum([float(x) for x in levels["local_order_up_to"]][::-1]).tolist()
    else:
        return
    ours = serial.serial_cost(system, chosen) - pipeline
    yield Answer("cost_at_published_levels", float(cost), ours)


def solve_pooling(record: Record) -> Iterator[Answer]:
    """Kranenburg: stock and cost without (1), with a joint warehouse (2), with pooling (3)."""
    p = record.params
    system = pooling.PoolingSystem(
        warehouses=round(p["num_local_warehouses"]),
        demand_rate=float(p["demand_rate_per_local_warehouse"]),
        holding=float(p["holding_cost"]),
        emergency_cost=float(p["emergency_cost"]),
        lateral_cost=float(p["lateral_transshipment_cost"]),
        waiting_target=float(p["waiting_time_target"]),
        emergency_time=float(p["emergency_time"]),
        lateral_time=float(p["lateral_transshipment_time"]),
        replenishment_time=float(p["regular_replenishment_time"]),
    )
    expected = record.expected
    if "R1" in expected or "C1" in expected:
        yield from _stock_and_cost(expected, "1", pooling.separate_stock(system))
    if "R2" in expected or "C2" in expected:
        joint = pooling.joint_stock(
            system, float(p["joint_warehouse_cost"]), float(p["joint_warehouse_time"])
        )
        yield from _stock_and_cost(expected, "2", joint)
    if "R3" in expected or "C3" in expected:
        yield from _stock_and_cost(expected, "3", pooling.pooled_stock(system))


def _stock_and_cost(
    expected: dict[str, Any], situation: str, plan: pooling.PoolingPlan
) -> Iterator[Answer]:
    for name, ours in ((f"R{situation}", plan.stock_units), (f"C{situation}", plan.cost)):
        if name in expected:
            yield Answer(name, float(expected[name]), ours)


def solve_divergent(record: Record) -> Iterator[Answer]:
    """One warehouse, many retailers (Kaynov): best echelon levels for each allocation rule."""
    p = record.params
    specs = p["demand"]
    leads = p["retailer_lead_times"]
    count = len(leads)
    specs = specs if isinstance(specs, list) else [specs] * count
    customers, chance = _customers(p)
    system = divergent.DivergentSystem(
        warehouse_lead_time=int(p["warehouse_lead_time"]),
        retailer_lead_times=tuple(int(lead) for lead in leads),
        demands=tuple(integer_demand(spec, p, i) for i, spec in enumerate(specs)),
        warehouse_holding=float(p["h_warehouse"]),
        retailer_holding=_each(p["h_retailer"], count),
        penalty=_each(p["penalty"], count),
        customers=customers,
        emergency_probability=chance,
    )
    answered = False
    for name, published in record.published.items():
        allocation = name.removeprefix("echelon_base_stock_")
        if allocation in ("proportional", "min_shortage") and published is not None:
            plan = divergent.best_echelon_base_stock(
                system, allocation, periods=int(p.get("periods", 100))
            )
            answered = True
            levels = f"S_w={plan.warehouse_level}, S_r={sorted(set(plan.retailer_levels))}"
            note = f"ours: {levels}, standard error {plan.standard_error:.1f}"
            if abs(plan.cost - float(published)) > record.allowed(float(published)):
                word = "cheaper" if plan.cost < float(published) else "dearer"
                note += f"; {word}, the record gives neither the published levels nor the start"
            yield Answer(name, float(published), plan.cost, note=note)
    if not answered:
        raise NotSolvedError("no echelon base-stock cost is given")


def _customers(p: dict[str, Any]) -> tuple[divergent.Customers, float]:
    """What unmet demand does, and the probability of an emergency shipment from the warehouse."""
    text = str(p["customers"]).lower()
    if text.startswith("partial"):
        ending = re.search(r"[\d.]+$", text)
        given = p.get("emergency_probability", ending[0] if ending else None)
        if given is None:
            raise NotSolvedError("partial backordering needs a probability")
        return "emergency", float(given)
    if "lost" in text:
        return "lost_sales", 0.0
    if "back" in text:
        return "backorder", 0.0
    raise NotSolvedError(f"customers {p['customers']!r} are not known here")


def _each(value: Any, count: int) -> tuple[float, ...]:
    return tuple(float(v) for v in value) if isinstance(value, list) else (float(value),) * count


def solve_special_delivery(record: Record) -> Iterator[Answer]:
    """Van Roy: the average cost of the published base-stock levels, special deliveries by unit."""
    p = record.params
    count = int(p.get("retailers", 1))
    capacity = int(p.get("capacity", divergent.UNLIMITED))
    system = divergent.DivergentSystem(
        warehouse_lead_time=int(p["l_w"]),
        retailer_lead_times=(int(p["l_r"]),) * count,
        demands=(integer_demand(p["demand"], p),) * count,
        warehouse_holding=float(p["h_w"]),
        retailer_holding=(float(p["h_r"]),) * count,
        penalty=(float(p["lost_sale"]),) * count,
        customers="emergency",
        emergency_probability=float(p["p_special"]),
        emergency_cost=float(p["special_delivery_cost"]),
        is_emergency_by_unit=True,
        order_capacity=int(p.get("production_capacity", capacity)),
        warehouse_capacity=int(p.get("cap_w", divergent.UNLIMITED)),
        retailer_capacity=int(p.get("cap_r", divergent.UNLIMITED)),
    )
    levels = record.expected.get("base_stock_levels")
    if levels is None or "avg_cost" not in record.expected:
        raise NotSolvedError("needs published base-stock levels and their average cost")
    demand, chance = system.sample(100, 1_100, 19971210)
    retailers = np.full(count, int(levels[1]))
    totals = [
        divergent.horizon_costs(
            system, int(levels[0]), retailers, demand[:, :t], chance[:, :t], "min_shortage", False
        ).mean()
        for t in (100, 1_100)
    ]
    ours = float(totals[1] - totals[0]) / 1_000
    note = "order of events within a day is not given by the record; its notes: " + record.notes
    yield Answer("avg_cost", float(record.expected["avg_cost"]), ours, note=note)


def solve_network(record: Record) -> Iterator[Answer]:
    """Geevers: total cost of given local base-stock levels over the stated number of periods."""
    p = record.params
    warehouses, retailers = int(p["warehouses"]), int(p["retailers"])
    nodes = warehouses + retailers
    links = np.zeros((nodes, nodes))
    for warehouse, retailer, weight in p["edges_w_r_weight"]:
        links[int(warehouse), warehouses + int(retailer)] = float(weight)
    lead = p["lead_times"]
    leads = np.array(lead if isinstance(lead, list) else [lead] * nodes, dtype=np.int64)
    net = network.SupplyNetwork(
        links=links,
        lead_times=leads,
        holding=np.array([float(p["h_w"])] * warehouses + [float(p["h_r"])] * retailers),
        backorder=np.array([0.0] * warehouses + [float(p["b_r"])] * retailers),
        demands=[None] * warehouses + [parse_demand(p["demand"], p)] * retailers,
    )
    levels = np.array(p["levels"], dtype=np.float64)
    for name, published in record.expected.items():
        horizon = re.fullmatch(r"base_stock_total_cost_(\d+)_periods", name)
        if horizon:
            demand, chance = net.sample(1_000, int(horizon[1]), 20240301)
            ours = float(network.base_stock_costs(net, levels, demand, chance).mean())
            note = "the record does not give the order of events, the rationing or the start"
            yield Answer(name, float(published), ours, note=note)
