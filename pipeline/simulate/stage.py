"""Simulate: the night's own stages, night after night, against a world that answers.

Reads and writes stores and raw folders; everything that computes is in the neighbours. A run is
resumed from its checkpoint, which is written every night after the day that follows it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import runner
from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import UsageError
from pipeline.simulate import raw_folder, record
from pipeline.simulate.clairvoyant import Bound, clairvoyant_bound
from pipeline.simulate.model import WorldModel, WorldRules, world_model
from pipeline.simulate.opportunity import opportunity_prices, protected_usd
from pipeline.simulate.policies import POLICIES
from pipeline.simulate.report import render
from pipeline.simulate.scenario import Scenario, choose_items
from pipeline.simulate.situation import Policy, Situation, day_number, to_decisions
from pipeline.simulate.start import initial_state
from pipeline.simulate.supply import LeadTimes, lead_times
from pipeline.simulate.truth import Truth, truth
from pipeline.simulate.world import State, World, load_state, save_state
from pipeline.stages import BY_NAME, SIMULATE
from pipeline.store import Night, Source, Store

_READ_ALWAYS = ("items", "nodes", "lanes", "vendors", "vendor_items", "lead_times")


@dataclass(frozen=True)
class Base:
    """What all runs of a scenario share: folder, settings, world, truth and the first stock."""

    folder: Path
    settings: Settings
    model: WorldModel
    times: LeadTimes
    truth: Truth
    tables: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class SimulatedDay:
    """Told to the caller after every simulated day."""

    policy: str
    replication: int
    as_of: date
    planner_s: float
    world_s: float
    profit_usd: float


OnDay = Callable[[SimulatedDay], None]


def run_scenario(
    scenario: Scenario, compare: Sequence[str], out: Path, days: int | None = None,
    with_bound: bool = True, on_day: OnDay | None = None,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Run the policies named in `compare` through the scenario; returns the simulated tables.

    Tables and report are published under out/results for the first business date. A folder of
    another scenario is refused; one of the same scenario is resumed. If the scenario asks for it,
    the unchanged world is run first, in out/unchanged, and the report tells what the changes do.
    """
    unknown = sorted(set(compare) - set(POLICIES))
    if unknown or not compare:
        raise UsageError(
            f"unknown policies: {', '.join(unknown) or 'none named'}. "
            f"Next: use some of {', '.join(POLICIES)}."
        )
    if days is not None:
        scenario = scenario.model_copy(update={"days": days})
    unchanged = None
    if scenario.against_unchanged and scenario.changes:
        plain = scenario.model_copy(update={
            "changes": (), "against_unchanged": False, "name": f"{scenario.name}_unchanged",
        })  # fmt: skip
        unchanged = run_scenario(plain, compare, out / "unchanged", None, with_bound, on_day)
    base = prepare(scenario, out)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in SIMULATE.writes}
    bound: Bound | None = None
    for replication in range(scenario.replications):
        if with_bound and not base.model.rules.lets_wait:
            bound = clairvoyant_bound(
                base.model, base.times, base.truth, base.tables, scenario.seed + replication,
                scenario.start, None if bound is None else bound.price_usd,
            )  # fmt: skip
        for name in compare:
            found = run_policy(base, scenario, POLICIES[name], replication, on_day)
            rows = record.tables(found, base.model, base.truth.days, name, replication,
                                 None if bound is None else bound.usd)  # fmt: skip
            for table, frame in rows.items():
                parts[table].append(frame)
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    night = Night(Store(out / "results"), SIMULATE, scenario.start, base.settings)
    for name, frame in tables.items():
        night.write(name, frame)
    night.write_files("simulation_report", render(scenario, tables, unchanged))
    night.publish()
    return tables


def prepare(scenario: Scenario, out: Path) -> Base:
    """Ingest the data as known at the start, change them, train on them; and read the truth."""
    _claim(out, scenario)
    settings = _fast(load_settings(None, scenario.settings), scenario)
    source = Source(scenario.dataset, scenario.raw_dir)
    raw = Store(out / "source")
    last = scenario.start + timedelta(days=scenario.days)
    known = last if scenario.demand == "actual" else scenario.start
    for as_of in sorted({scenario.start, known}):
        if raw.manifest(as_of, "daily_demand") is None:
            runner.run_stage(raw, source, settings, as_of, "ingest")
    names = BY_NAME["ingest"].writes
    tables = {name: raw.read(scenario.start, name) for name in names}
    demand = raw.read(known, "daily_demand", ["item_id", "region_id", "date", "units"])
    tables = choose_items(tables, scenario.items)
    first = pd.Timestamp(scenario.start) + pd.Timedelta(days=1)
    for change in scenario.changes:
        tables = change.tables_from(tables, first)
    model = world_model(tables, _rules(scenario, settings))
    folder = out / "base"
    raw_folder.write_history(folder / "raw", tables, scenario.start)
    _train(Store(folder / "nights"), Source("raw", folder / "raw"), settings, scenario.start)
    times = lead_times(tables["lead_times"], tables["vendor_items"], model)
    real = truth(tables, demand, model, scenario.start, scenario.days,
                 scenario.demand == "resampled", scenario.seed)  # fmt: skip
    for change in scenario.changes:
        real = change.demand(real, model)
        times = change.lead_times(times, day_number(first))
    return Base(out, settings, model, times, real, tables)


def _fast(settings: Settings, scenario: Scenario) -> Settings:
    """The settings without the audit and the search in small worlds: seconds a night, hundreds of
    nights, for some tenths of a percent. A scenario that names optimize.exact_items keeps both."""
    if "exact_items" in scenario.settings.get("optimize", {}):
        return settings
    optimize = settings.optimize.model_copy(update={"exact_items": 0, "audit_items": 0})
    return settings.model_copy(update={"optimize": optimize})


def _rules(scenario: Scenario, settings: Settings) -> WorldRules:
    """The world's rules: costs as the planner believes them unless the scenario says otherwise."""
    flow = settings.optimize.flow_overflow_usd_per_unit
    storage = settings.optimize.storage_overflow_usd_per_cuft_week / 7.0
    believed = {
        "goodwill_share": settings.planning.goodwill_share,
        "holding_rate_per_year": settings.planning.holding_rate_per_year,
        "overflow_usd": (storage, flow, flow),
    }
    return WorldRules.model_validate({**believed, **scenario.world.model_dump(exclude_unset=True)})


def _train(store: Store, source: Source, settings: Settings, start: date) -> None:
    """The model that all runs start with, unless it is there already."""
    if store.manifest(runner.model_date(settings, start), "forecast_model") is None:
        runner.run_stage(store, source, settings, start, "ingest")
        runner.ensure_model(store, source, settings, start)


def run_policy(
    base: Base, scenario: Scenario, policy: Policy, replication: int, on_day: OnDay | None = None
) -> record.Record:
    """One policy's run, from its checkpoint if there is one; returns what it brought."""
    folder = base.folder / "runs" / policy.name / f"{replication:03d}"
    checkpoint = folder / "checkpoint.npz"
    seed = scenario.seed + replication
    n_days = len(base.truth.days)
    if checkpoint.exists():
        with np.load(checkpoint, allow_pickle=False) as archive:
            arrays = dict(archive)
        first, state = int(arrays["next_day"]), load_state(arrays)
        found = record.record_from(arrays)
    else:
        blind = not getattr(policy, "sees_capacity", True)
        raw_folder.copy_history(base.folder / "base" / "raw", folder / "raw", blind)
        first, found = 0, record.empty_record(base.model, n_days)
        state = initial_state(base.model, base.times, base.tables, seed, scenario.start)
    world = World(base.model, base.times, state, seed)
    store = Store(folder / "nights")
    for t in range(first, n_days):
        as_of = scenario.start + timedelta(days=t)
        began = time.process_time()
        situation = _situation(base, scenario, policy, folder, store, state, as_of, t)
        decisions = to_decisions(policy.decide(situation), base.model)
        planned = time.process_time()
        prices = None
        if getattr(policy, "is_protected", False):
            prices = protected_usd(
                base.model, base.tables["nodes"], state.on_hand, base.truth.capacity[t][:, 0]
            )
        elif base.model.rules.is_protected:
            prices = opportunity_prices(base.model, state, situation)
        day = world.live(day_number(as_of) + 1, base.truth.demand[t], base.truth.price_usd[t],
                         decisions, base.truth.capacity[t], prices)  # fmt: skip
        raw_folder.write_day(folder / "raw", base.model, as_of + timedelta(days=1), day, state)
        ordered = np.zeros(len(base.model.items), dtype=np.int64)
        np.add.at(ordered, decisions.item, decisions.units)
        spent = (planned - began, time.process_time() - planned)
        record.note(found, t, base.model, day, state, base.truth.demand[t], ordered, spent)
        _save(checkpoint, {"next_day": np.array(t + 1), **save_state(state), **found.arrays()})
        if on_day:
            on_day(SimulatedDay(policy.name, replication, as_of, *spent, day.item_profit_usd.sum()))
    return found


def _situation(
    base: Base, scenario: Scenario, policy: Policy, folder: Path, store: Store, state: State,
    as_of: date, t: int,
) -> Situation:  # fmt: skip
    """Run the policy's stages if they are due and read its tables, none newer than as_of."""
    planned = as_of - timedelta(days=t % policy.every_days)
    if planned == as_of:
        trained = _model_date(base, scenario, store, folder, t)
        source = Source("raw", folder / "raw")
        for name in policy.stages:
            runner.run_stage(store, source, base.settings, as_of, name, trained=trained)
    tables = {name: base.tables[name] for name in _READ_ALWAYS}
    tables |= {name: store.read(planned, name) for name in policy.reads}
    coming = np.zeros_like(state.on_hand)
    np.add.at(coming, (state.on_the_way.item, state.on_the_way.node), state.on_the_way.units)
    return Situation(as_of, base.model, base.settings, tables, state.on_hand.copy(), coming)


def _model_date(base: Base, scenario: Scenario, store: Store, folder: Path, t: int) -> date:
    """The model of the start, or the newest that this run was due to train."""
    weeks = scenario.retrain_every_weeks
    source = Source("raw", folder / "raw")
    due = t - t % (7 * weeks) if weeks else 0
    if due:
        day = scenario.start + timedelta(days=due)
        if store.manifest(day, "forecast_model") is None:
            for name in ("ingest", "train"):
                runner.run_stage(store, source, base.settings, day, name)
        return day
    day = runner.model_date(base.settings, scenario.start)
    if store.manifest(day, "forecast_model") is None:
        shared = Store(base.folder / "base" / "nights")
        manifest = shared.manifest(day, "forecast_model") or {}
        lineage = {key: manifest[key] for key in
                   ("stage", "code_version", "settings_sha256", "inputs")}  # fmt: skip
        store.publish_files(day, "forecast_model", shared.read_files(day, "forecast_model"),
                            lineage)  # fmt: skip
    return day


def _claim(out: Path, scenario: Scenario) -> None:
    """Mark the folder with the scenario's hash; one that holds another scenario is refused."""
    out.mkdir(parents=True, exist_ok=True)
    mark = out / "scenario.sha256"
    if mark.exists() and mark.read_text().strip() != scenario.sha256():
        raise UsageError(
            f"{out} holds the runs of another scenario (or other days). "
            "Next: name another folder, or delete it."
        )
    if not mark.exists():  # another process may be at work in the folder
        mark.write_text(scenario.sha256() + "\n")
        (out / "scenario.json").write_text(scenario.model_dump_json(indent=1) + "\n")


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]  # numpy's stub takes keywords as flags
    os.replace(temporary, path)
