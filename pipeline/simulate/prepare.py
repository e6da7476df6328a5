"""What all runs of a scenario share: cleaned tables, changed as asked, a trained model, the truth.

Reads and writes stores and raw folders; everything that computes is in the rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from pipeline import runner
from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import UsageError
from pipeline.project import given_or_shipped
from pipeline.simulate import raw_folder
from pipeline.simulate.scenarios.scenario import Scenario, choose_items
from pipeline.simulate.world.choice import TrueChain, read_chain
from pipeline.simulate.world.law import Law, network_law
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.supply import LeadTimes, day_number, lead_times
from pipeline.simulate.world.truth import Truth, truth
from pipeline.stages import BY_NAME
from pipeline.store import Source, Store


@dataclass(frozen=True)
class Base:
    """What all runs of a scenario share: the scenario as it was completed, folder, settings, world
    and its law, truth, how customers substitute (None: they do not), and the first stock."""

    scenario: Scenario
    folder: Path
    settings: Settings
    model: WorldModel
    times: LeadTimes
    law: Law
    truth: Truth
    chain: TrueChain | None
    tables: dict[str, pd.DataFrame]


def prepare(scenario: Scenario, out: Path) -> Base:
    """Ingest the data as known at the start, change them, train on them; and read the truth."""
    settings = _fast(load_settings(None, scenario.settings), scenario)
    scenario = scenario.model_copy(update={"world": _rules(scenario, settings)})
    _claim(out, scenario)
    source = Source(scenario.dataset, given_or_shipped(scenario.raw_dir))
    raw = Store(out / "source")
    last = scenario.start + timedelta(days=scenario.days)
    known = last if scenario.demand == "actual" else scenario.start
    for as_of in sorted({scenario.start, known}):
        if raw.manifest(as_of, "daily_demand") is None:
            runner.run_stage(raw, source, settings, as_of, "ingest")
    names = BY_NAME["ingest"].writes
    tables = {name: raw.read(scenario.start, name) for name in names}
    columns = ["item_id", "region_id", "date", "units", "is_censored"]
    demand = raw.read(known, "daily_demand", columns)
    tables = choose_items(tables, scenario.items)
    first = pd.Timestamp(scenario.start) + pd.Timedelta(days=1)
    for change in scenario.changes:
        tables = change.tables_from(tables, first)
    model = world_model(tables, scenario.world)
    folder = out / "base"
    raw_folder.write_history(folder / "raw", tables, scenario.start)
    _train(Store(folder / "nights"), Source("raw", folder / "raw"), settings, scenario.start)
    times = lead_times(tables["lead_times"], tables["vendor_items"], model)
    real = truth(tables, demand, model, scenario.start, scenario.days,
                 scenario.demand == "resampled", scenario.seed)  # fmt: skip
    for change in scenario.changes:
        real = change.demand(real, model, tables)
        times = change.lead_times(times, model, tables, first)
    require_felt(scenario, times)
    chain = read_chain(scenario.chain, model.items) if scenario.chain else None
    return Base(scenario, out, settings, model, times, network_law(tables, model), real, chain,
                tables)  # fmt: skip


def store_forecasts(base: Base, every_days: int) -> None:
    """Forecasts of the run's nights, every so many days, by a shop that sold all that was asked
    for: what runs share where the scenario's forecasts are stored."""
    folder, start = base.folder / "base", base.scenario.start
    raw, store = folder / "stored_raw", stored(base)
    if not raw.exists():
        raw_folder.copy_history(folder / "raw", raw, False)
        for t in range(len(base.truth.days)):
            raw_folder.write_full_day(raw, base.model, start + timedelta(days=t + 1),
                                      base.truth.demand[t])  # fmt: skip
    trained = runner.model_date(base.settings, start)
    lend_model(base, store, trained)
    source = Source("raw", raw, memory={})
    for t in range(0, len(base.truth.days), every_days):
        as_of = start + timedelta(days=t)
        for name in ("ingest", "forecast"):
            if store.manifest(as_of, BY_NAME[name].writes[0]) is None:
                runner.run_stage(store, source, base.settings, as_of, name, trained=trained)


def stored(base: Base) -> Store:
    """Where the forecasts lie that runs share."""
    return Store(base.folder / "base" / "stored_nights")


def lend_model(base: Base, store: Store, day: date) -> None:
    """Publish the model of the start in a run's own store, unless it is there."""
    if store.manifest(day, "forecast_model") is None:
        shared = Store(base.folder / "base" / "nights")
        manifest = shared.manifest(day, "forecast_model") or {}
        lineage = {"stage": manifest["stage"], "code_version": manifest["code_version"],
                   "settings_sha256": manifest["settings_sha256"], "inputs": {}}  # fmt: skip
        store.publish_files(day, "forecast_model", shared.read_files(day, "forecast_model"),
                            lineage)  # fmt: skip


def _fast(settings: Settings, scenario: Scenario) -> Settings:
    """The settings without the audit, the search in small worlds and derivatives of prices: seconds
    a night, hundreds of nights, for some tenths of a percent. A scenario that names
    optimize.exact_items keeps them."""
    if "exact_items" in scenario.settings.get("optimize", {}):
        return settings
    optimize = settings.optimize.model_copy(
        update={
            "exact_items": 0,
            "audit_items": 0,
            "certified_items": 0,
            "price_derivatives": False,
        }
    )
    return settings.model_copy(update={"optimize": optimize})


def _rules(scenario: Scenario, settings: Settings) -> WorldRules:
    """The world's rules: costs as the planner believes them unless the scenario says otherwise.

    They complete the scenario before it is hashed and stored, so that scenario.json says all that
    decides a run and starts the same run again.
    """
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


def require_felt(scenario: Scenario, times: LeadTimes) -> None:
    """UsageError for a run that ends before the first order comes which one of its changes of
    supply could hold up."""
    start = day_number(scenario.start)
    felt = [day for shock in times.shocks if (day := times.felt_from(shock)) is not None]
    last = max(felt, default=start) - start
    if last > scenario.days:
        raise UsageError(
            f"scenario {scenario.name}: the run ends after {scenario.days} days, and the first "
            f"order that a change of supply hits would come on day {last}. "
            f"Next: set days to {last + 14} or more, or change earlier orders."
        )


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
