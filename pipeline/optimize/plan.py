"""From the night's model to the optimizer's tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import dot
from pipeline.core.certificate import Certificate, certify
from pipeline.core.echelon import Levels
from pipeline.core.evaluate import shortage
from pipeline.core.exact import ExactParams
from pipeline.core.horizon import horizon_slopes
from pipeline.core.item import positions
from pipeline.core.programme import slopes
from pipeline.core.recover import margins
from pipeline.core.sensitivity import derivatives
from pipeline.core.serve import Placed, joined, node_usd, serve
from pipeline.core.solve import Plan, SolveParams, solve
from pipeline.optimize import frames
from pipeline.optimize.audit import audit, audit_scenarios
from pipeline.optimize.engine import engine
from pipeline.optimize.general_plan import GeneralItems, general_items, replanned
from pipeline.optimize.losing import losing_items, without
from pipeline.optimize.night_model import NightModel, scope
from pipeline.optimize.problem import problem_tables
from pipeline.optimize.service import Service, notes, service_frame, with_targets
from pipeline.optimize.targets import built_ahead, filled_ahead, levels
from pipeline.optimize.weekly_demand import root_ratio

Tables = dict[str, pd.DataFrame]


def optimize_night(model: NightModel, settings: Settings) -> Tables:
    """The tables of the stage."""
    params = SolveParams(
        target_gap=settings.optimize.target_gap,
        exact=ExactParams(items=settings.optimize.exact_items),
        threads=settings.run.threads,
        seed=settings.planning.seed,
    )
    whole, capacity = model, model.capacity.rows
    service = _served_as_asked(model, params, settings)
    base, model, plan = service.base, service.model, service.plan
    general = general_items(model, settings)
    plan = replanned(model, plan, general)
    on_items = capacity.on_items(plan.price)
    targets = [_levels(model, on_items), _levels(whole, np.zeros(capacity.shape))]
    unserved = _levels(base, on_items) if service.is_priced else targets[0]
    early = built_ahead(model.ahead, plan.placed[0], model.network.way_length, capacity.shape[0])
    left, right = plan.price, plan.price
    if settings.optimize.price_derivatives:
        left, right = _derivatives(model, plan)
    weeks = model.capacity.week_start
    return {
        "base_stock_levels": base_stock(model, base, plan.placed[0], general, on_items),
        "weekly_levels": frames.weekly_frame(
            model.network, model.cube, model.ahead, plan.placed[0], weeks
        ),
        "network_targets": frames.target_frame(
            model.cube,
            model.vendors,
            targets[0],
            targets[1],
            unserved,
            notes(service),
            model.vendors.cover_days(model.cycle_days, model.early_days),
            early,
            weeks,
            raised_units(model, _tonight(model, plan)),
            model.sold_out,
        ),
        "position_values": frames.value_frame(model.cube, model.vendors, targets[0], early),
        "capacity_prices": frames.price_frame(model.network, model.capacity, plan, left, right),
        "service_levels": service_frame(service),
        "solver_trace": frames.trace_frame(plan),
        "optimize_summary": frames.summary_frame(
            _figures(model, plan, general)
            | audit(model, _tonight(model, plan), on_items, settings)
            | audit_scenarios(model, _tonight(model, plan), on_items, settings)
        ),
        **problem_tables(model, plan, general, settings),
    }


def _served_as_asked(model: NightModel, params: SolveParams, settings: Settings) -> Service:
    """The plan without losing items, where these are dropped, and with its service targets."""
    dropped = np.zeros(len(model.cube.items), np.bool_)
    plan = _solved(model, params, settings)
    if settings.planning.drops_losing_items:
        tonight = plan.placed[0].take(slice(len(model.packed.tables)))
        dropped = losing_items(model, tonight, plan.price)
        if dropped.any():
            model = without(model, dropped)
            plan = _solved(model, params, settings)

    def solved(raised: NightModel) -> tuple[NightModel, Plan]:
        kept = without(raised, dropped) if dropped.any() else raised
        return kept, _solved(kept, params, settings)

    return with_targets(model, plan, settings, solved, dropped)


def _levels(model: NightModel, price: NDArray[np.float64]) -> Levels:
    """Order-up-to levels at prices [weeks, kinds, nodes]."""
    return levels(
        model.network, model.cube, model.arriving, model.vendors, model.ranks, model.packed.bank,
        model.cycle_days, model.early_days, price,
    )  # fmt: skip


def _tonight(model: NightModel, plan: Plan) -> NDArray[np.int32]:
    """Levels [items, nodes] of the first week."""
    return plan.placed[0].position[: len(model.packed.tables)]


def _derivatives(model: NightModel, plan: Plan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Left and right derivatives [rows]: of the relaxed programme where there is one, else
    estimates from the stored answers; rows that others imply have none."""
    rows = model.capacity.rows.take(plan.kept)
    if plan.relaxed:
        of = slopes if plan.answers else horizon_slopes
        found = of(model.network.woods, model.ahead, rows, plan.relaxed.price)
    elif plan.answers:
        found = derivatives(plan.answers.cost, plan.answers.usage, rows, plan.answers.mix)
    else:
        raise ValueError("a plan has answers or the optimum at prices")
    left, right = np.zeros((2, len(plan.price)))
    left[plan.kept], right[plan.kept] = found
    return left, right


def _solved(model: NightModel, params: SolveParams, settings: Settings) -> Plan:
    """The plan, its positions in one array."""
    with engine(settings, model.ahead) as (parts, workers):
        plan = solve(model.network.woods, parts, model.capacity.rows, params, engine=workers)
    return replace(plan, placed=[joined(plan.placed)])


def base_stock(
    model: NightModel, base: NightModel, placed: Placed, general: GeneralItems,
    on_items: NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    """Tonight's levels as overridden, with what nodes take in for later weeks, and what one unit
    more would be worth; placed: all weeks; base: the model without prices of service targets."""
    position = placed.position[: len(model.packed.tables)]
    tables, network = model.ahead.first(len(model.packed.tables)), model.network
    gain = general.gain_usd(position, margins(network.woods, tables, position, on_items)[1])
    held, _ = node_usd(network.woods, tables, on_items)
    eligible = np.isfinite(tables.place_usd)
    level = _overridden(model, position)
    ahead = np.where(eligible & (level == position), filled_ahead(model.ahead, placed), 0)
    columns = {
        "base_stock_units": level.astype(np.int64) + ahead,
        "unpriced_base_stock_units": model.unpriced.astype(np.int64),
        "filled_ahead_units": ahead,
        "override_units": (level - position).astype(np.int64),
        "service_units": _service_units(model, base, on_items),
        "protection_days": np.full(level.shape, model.cycle_days),
        "expected_demand_units": _served(model, position),
        "marginal_value_usd": np.where(eligible, (gain - held) / (7.0 / model.cycle_days), 0.0),
    }
    return frames.base_stock_frame(network, model.cube, eligible, columns)


def _service_units(
    model: NightModel, base: NightModel, on_items: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Units [items, nodes] that service targets add to tonight's best levels at these prices."""
    if not model.premium_usd.any():
        return np.zeros(model.unpriced.shape, np.int64)
    with_targets, without_targets = (
        positions(which.network.woods, which.ahead.first(len(which.packed.tables)), on_items)
        for which in (model, base)
    )
    return np.asarray(with_targets, np.int64) - without_targets


def _served(model: NightModel, position: NDArray[np.int32]) -> NDArray[np.float64]:
    """Expected demand [items, nodes] that reaches each node: its set's, less what the sets inside
    serve themselves."""
    woods, items = model.network.woods, model.packed.tables
    short = shortage(woods, items, position, model.packed.gap_usd, model.packed.mean)
    reach = np.zeros(position.shape)
    for t, tree in enumerate(woods.trees):
        mine = items.tree == t
        left = model.packed.mean[mine][:, : tree.n_sets].copy()
        goes_on = 1.0 - model.network.lost_share[t, : tree.n_sets]
        served = left - np.minimum(short[mine][:, : tree.n_sets] * goes_on, left)
        for s in range(tree.n_sets - 1):
            left[:, tree.parent[s]] -= served[:, s]
        inside = tree.home >= 0
        reach[np.ix_(mine, inside)] = np.maximum(left[:, tree.home[inside]], 0.0)
    return reach


def raised_units(model: NightModel, position: NDArray[np.int32]) -> NDArray[np.int64]:
    """Units [items] by which overrides raise the levels of all nodes together."""
    return np.asarray((_overridden(model, position) - position).sum(axis=1), dtype=np.int64)


def _overridden(model: NightModel, position: NDArray[np.int32]) -> NDArray[np.float64]:
    """Levels after planners' overrides, in order of override id."""
    level = position.astype(float)
    items, nodes = pd.Index(model.cube.items), pd.Index(model.network.names)
    for _, override in model.overrides.iterrows():
        mine, at = scope(override, items, nodes)
        where = np.ix_(mine, at)
        value = float(override["override_value"])
        kind = str(override["override_kind"])
        allowed = np.isfinite(model.packed.tables.place_usd[where])
        changed = {
            "set": np.full(level[where].shape, np.rint(value)),
            "at_least": np.maximum(level[where], np.ceil(value)),
            "at_most": np.minimum(level[where], np.floor(value)),
            "multiply": np.rint(level[where] * value),
            "block": np.zeros(level[where].shape),
        }[kind]
        level[where] = np.where(allowed, changed, level[where])
    return level


def _overridden_cost(model: NightModel, plan: Plan, general: GeneralItems) -> Certificate:
    """Certificate of the levels as overridden, valued as the plan was: the same independent
    evaluator, every excess paid for as overflow; changed items serve all they can."""
    rows, items = model.capacity.rows, len(model.packed.tables)
    level = _overridden(model, _tonight(model, plan)).astype(np.int32)
    changed = np.flatnonzero((level != plan.placed[0].position[:items]).any(axis=1))
    placed = plan.placed[0].copy()
    free = np.zeros(rows.shape)
    placed.put(changed, serve(model.network.woods, model.ahead.take(changed), level[changed], free))
    cost, used = general.cost(model, placed)
    usage = rows.usage(used)
    paid = np.maximum(usage - rows.limit, 0.0)
    return certify(plan.certificate.lower, cost, usage, paid, rows)


def _kept_for_goodwill(model: NightModel, position: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Items with stock to be held whose sale brings no money after delivery (net of what
    substitutes would win back), only goodwill."""
    money = model.money
    return (position.sum(axis=1) > 0) & (money.goodwill_usd >= money.lost_sale_usd)


def _figures(model: NightModel, plan: Plan, general: GeneralItems) -> dict[str, tuple[float, str]]:
    proof = plan.certificate
    overridden = _overridden_cost(model, plan, general)
    items, ahead = len(model.packed.tables), model.ahead
    root = model.network.woods.n_sets[model.packed.tables.tree] - 1
    sales = model.packed.mean[np.arange(len(root)), root]
    drawn = model.drawn.mean[np.arange(len(root)), root]
    grown = sum(root_ratio(model.network, model.drawn.tables.tree, one) for one in model.ratios())
    worth = 7.0 / model.cycle_days * dot(drawn * model.money.lost_sale_usd, np.asarray(grown))
    position = plan.placed[0].position
    placed = ahead.place_usd[position > 0].astype(float)
    holding = dot(placed, position[position > 0])
    weekly = plan.placed[0].served.sum(axis=1) * ahead.turn
    served = weekly.reshape(-1, items).sum(axis=0)
    return {
        "lower_bound_usd": (proof.lower, "usd"),
        "upper_bound_usd": (proof.upper, "usd"),
        "price_bound_usd": (plan.bound.usd, "usd"),
        "general_bound_usd": (plan.bound.general_usd, "usd"),
        "general_cost_usd": (general.own_usd(plan.placed[0]), "usd"),
        "certified_gap": (proof.gap, "share"),
        "violation": (proof.violation, "share"),
        "overflow_cost_usd": (proof.overflow_usd, "usd"),
        "overridden_upper_bound_usd": (overridden.upper, "usd"),
        "overridden_gap": (overridden.gap, "share"),
        "override_cost_usd": (overridden.upper - proof.upper, "usd"),
        "holding_cost_usd": (holding, "usd"),
        "shortage_cost_usd": (proof.upper - proof.overflow_usd - holding, "usd"),
        "expected_profit_usd": (worth - proof.upper - dot(model.money.goodwill_usd, served), "usd"),
        "expected_demand_units": (sales.sum(), "units"),
        "items_kept_for_goodwill": (_kept_for_goodwill(model, position[:items]).sum(), "items"),
        "base_stock_units": (position[:items].sum(), "units"),
        "unpriced_base_stock_units": (model.unpriced.sum(), "units"),
        "planning_weeks": (len(ahead) // items, "weeks"),
        "cycle_days": (model.cycle_days, "days"),
        "general_items": (len(general.index), "items"),
        **({"general_skipped_items": (general.skipped, "items")} if general.skipped else {}),
        "capacity_rows": (len(plan.price), "rows"),
        "priced_rows": ((plan.price > 0).sum(), "rows"),
        "sweeps": (plan.trace.sweeps, "sweeps"),
    }
