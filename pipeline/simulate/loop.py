"""One policy's run: a night decides, a day answers, the planner's tables grow, and again.

The stages of the night are the production's own. A run is resumed from its checkpoint, which is
written every night after the day that follows it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate import raw_folder
from pipeline.simulate.nights import Nights, plans_itself
from pipeline.simulate.prepare import Base
from pipeline.simulate.report import record
from pipeline.simulate.rivals.situation import Policy, Situation, to_decisions
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.world.day import World
from pipeline.simulate.world.opportunity import (
    kept_units,
    opportunity_prices,
    protected_usd,
    week_mean,
)
from pipeline.simulate.world.start import initial_state
from pipeline.simulate.world.state import State, load_state, save_state
from pipeline.simulate.world.supply import day_number

_READ_ALWAYS = ("items", "nodes", "lanes", "vendors", "vendor_items", "lead_times", "closures")


@dataclass(frozen=True)
class SimulatedDay:
    """Told to the caller after every simulated day."""

    policy: str
    replication: int
    as_of: date
    planner_s: float
    world_s: float
    profit_usd: float


Floats = NDArray[np.float64]
OnDay = Callable[[SimulatedDay], None]


def run_policy(
    base: Base, scenario: Scenario, policy: Policy, replication: int, on_day: OnDay | None = None
) -> record.Record:
    """One policy's run, from its checkpoint if there is one; returns what it brought."""
    folder = base.folder / "runs" / policy.name / f"{replication:03d}"
    checkpoint = folder / "checkpoint.npz"
    seed, is_real = scenario.seed + replication, plans_itself(scenario, policy)
    n_days = len(base.truth.days)
    if checkpoint.exists():
        with np.load(checkpoint, allow_pickle=False) as archive:
            arrays = dict(archive)
        first, state = int(arrays["next_day"]), load_state(arrays)
        found = record.record_from(arrays)
    else:
        blind = not getattr(policy, "sees_capacity", True)
        if is_real:
            raw_folder.copy_history(base.folder / "base" / "raw", folder / "raw", blind)
        folder.mkdir(parents=True, exist_ok=True)
        first, found = 0, record.empty_record(base.model, n_days)
        state = initial_state(base.model, base.times, base.tables, seed, scenario.start)
    world = World(base.model, base.times, state, seed, base.law, base.chain)
    nights = Nights(base, scenario, policy, folder)
    for t in range(first, n_days):
        as_of = scenario.start + timedelta(days=t)
        began = time.process_time()
        situation = _situation(base, nights, state, as_of, t)
        decisions = to_decisions(policy.decide(situation), base.model)
        planned = time.process_time()
        prices = _unit_worth(base, state, situation, t)
        kept = kept_units(base.model, situation.tables.get("protection_levels"))
        day = world.live(day_number(as_of) + 1, base.truth.demand[t], base.truth.price_usd[t],
                         decisions, base.truth.capacity[t], prices, kept)  # fmt: skip
        if is_real:
            raw_folder.write_day(folder / "raw", base.model, as_of + timedelta(days=1), day, state)
        spent = (planned - began, time.process_time() - planned)
        record.note(found, t, base.model, day, state, base.truth.demand[t],
                    base.truth.price_usd[t], _expected(base, situation), spent)  # fmt: skip
        _save(checkpoint, {"next_day": np.array(t + 1), **save_state(state), **found.arrays()})
        if on_day:
            on_day(SimulatedDay(policy.name, replication, as_of, *spent, day.item_profit_usd.sum()))
    return found


def _expected(base: Base, situation: Situation) -> Floats | None:
    """[items] units a day by the newest forecast; None where the policy reads none."""
    if "demand_quantiles" not in situation.tables:
        return None
    return week_mean(situation.tables["demand_quantiles"], base.model).sum(axis=1) / 7.0


def _unit_worth(base: Base, state: State, situation: Situation, t: int) -> Floats | None:
    """[items, nodes] usd by which orders are assigned tomorrow; None: to the nearest."""
    model, rule = base.model, base.model.rules.assignment
    if rule == "replacement":
        space = base.truth.capacity[t][:, 0]
        return protected_usd(model, base.tables["nodes"], state.on_hand, space)
    if rule == "scarcity":
        return opportunity_prices(
            model, state.on_hand, situation.tables["items"],
            situation.tables.get("demand_quantiles"), situation.as_of,
        )  # fmt: skip
    return None


def _situation(base: Base, nights: Nights, state: State, as_of: date, t: int) -> Situation:
    """The night's tables as the policy reads them, none newer than as_of, and the stock."""
    tables = {name: base.tables[name] for name in _READ_ALWAYS} | nights.tables(as_of, t)
    coming = np.zeros_like(state.on_hand)
    np.add.at(coming, (state.on_the_way.item, state.on_the_way.node), state.on_the_way.units)
    return Situation(as_of, base.model, base.settings, tables, state.on_hand.copy(), coming,
                     nights.worked)  # fmt: skip


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]  # numpy's stub takes keywords as flags
    os.replace(temporary, path)
