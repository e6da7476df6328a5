"""The load stages: read, call, write. Runs them beside the night, for a business date."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.core.load.events import EventEffects
from pipeline.core.load.forecast import LoadForecast, Request, forecast_series
from pipeline.load import frames
from pipeline.load.capacity import capacity_orders
from pipeline.load.carried import carried_loads
from pipeline.load.history import Finding, SeriesInput, series_inputs
from pipeline.load.inputs import read_inputs
from pipeline.load.journeys import script as journey_script
from pipeline.load.labor import labor_plan
from pipeline.load.labor_page import labor_page
from pipeline.load.report import load_report
from pipeline.stages import LOAD_STAGES
from pipeline.store import Night, Source, Store, stale_inputs

BY_NAME = {stage.name: stage for stage in LOAD_STAGES}


def run_load_stage(
    store: Store, raw_dir: Path, settings: Settings, as_of: date, name: str
) -> dict[str, int]:
    """Run one load stage and publish its tables; returns their rows. Nothing is left on error."""
    night = Night(store, BY_NAME[name], as_of, settings, Source("raw", raw_dir))
    module, _, function = BY_NAME[name].entry.partition(":")
    getattr(importlib.import_module(module), function)(night)
    return {table: int(manifest["rows"]) for table, manifest in night.publish().items()}


def run_load_plan(store: Store, raw_dir: Path, settings: Settings, as_of: date) -> dict[str, int]:
    """Run load_plan, then anew the next date's where it compared itself with an older plan.

    Changes since yesterday are all that looks back, so backfills in any order end with one result.
    """
    rows = run_load_stage(store, raw_dir, settings, as_of, "load_plan")
    after = as_of + timedelta(days=1)
    if any(key.startswith(f"{as_of}/") for key in stale_inputs(store, after, "load_changes")):
        run_load_stage(store, raw_dir, settings, after, "load_plan")
    return rows


def train(night: Night) -> None:
    """Weekly: what is odd in the series, and how their backtests score."""
    tables = read_inputs(night.source.raw_dir)
    found, scores = [], []
    for one, fit in _fits(tables, night):
        found.append(frames.findings_frame(one, fit))
        if fit is not None:
            scores.append(frames.scores_frame(one, fit))
    night.write("load_findings", _joined(found, "load_findings"))
    night.write("load_scores", _joined(scores, "load_scores"))


def plan(night: Night) -> None:
    """Nightly: forecasts with quantiles and parts, capacity orders, the report."""
    tables = read_inputs(night.source.raw_dir)
    forecasts, parts, findings, peaks = [], [], [], {}
    settings = night.settings.load
    for one, fit in _fits(tables, night):
        findings.append(frames.findings_frame(one, fit))
        if fit is None:
            continue
        forecasts.append(frames.forecast_frame(one, fit, settings))
        parts.append(frames.components_frame(one, fit))
        days = min(one.horizon_days, settings.hour_horizon_days)
        start = len(one.load) * one.load.shape[1]
        at = [one.time_of(start + day * one.load.shape[1]) for day in range(days)]
        peaks[one.name] = (at, fit.peaks(days), one.minutes)
    forecast = _joined(forecasts, "load_forecast")
    components = _joined(parts, "load_components")
    orders = capacity_orders(peaks, tables, night.as_of)
    changes = frames.changes_frame(components, night.read_previous("load_components"))
    night.write("load_forecast", forecast)
    night.write("load_components", components)
    night.write("load_changes", changes)
    night.write("capacity_orders", orders)
    page = load_report(night.as_of, tables["load_series"], tables["load_events"], forecast,
                       components, changes, orders, _joined(findings, "load_findings"),
                       carried_loads(peaks, tables, orders, night.as_of))  # fmt: skip
    night.write_files("load_report", {"report.html": page.encode()})


def labor(night: Night) -> None:
    """After the night: hours, doors and carts of every node."""
    tables = {name: night.read(name) for name in BY_NAME["load_labor"].reads}
    settings = night.settings.load.labor
    plan = labor_plan(tables, night.as_of, settings)
    night.write("labor_plan", plan)
    page = labor_page(plan, tables["nodes"], night.as_of, settings)
    night.write_files("labor_report", {"report.html": page.encode()})


def script(night: Night) -> None:
    """A game day's script: the busiest day of the next fortnight, on the 95 % quantile's path."""
    tables = read_inputs(night.source.raw_dir)
    for one, fit in _fits(tables, night):
        if fit is None:
            continue
        tops = np.quantile(fit.peaks(min(one.horizon_days, 14)), 0.95, axis=0)
        loads = fit.path_loads(int(np.argmax(tops)))
        middle = np.argsort(loads.max(axis=1), kind="stable")[int(0.95 * (len(loads) - 1))]
        visits = np.repeat(loads[middle] / one.minutes, one.minutes)
        shares = _product_shares(night.read_previous("demand_quantiles"))
        night.write("gameday_plan", journey_script(visits, shares))
        return


def _product_shares(forecast: pd.DataFrame | None) -> dict[str, float]:
    """Each item's share of the units expected in the longest window; empty without a night."""
    if forecast is None or forecast.empty:
        return {}
    rows = forecast[forecast["window_start_day"] == 1]
    rows = rows[rows["window_days"] == rows["window_days"].max()]
    units = rows.groupby(rows["item_id"].astype("str"))["mean_units"].sum()
    return {str(item): float(share) for item, share in (units / units.sum()).items()}


def _fits(
    tables: dict[str, pd.DataFrame], night: Night
) -> list[tuple[SeriesInput, LoadForecast | None]]:
    """Every series with its forecast; None where it is all zeros, which the findings tell of.

    A kind of event that a series has not seen is borrowed from the region's series that have.
    """
    settings = night.settings
    inputs = series_inputs(tables, night.as_of, settings.load.horizon_days)
    requests = [
        Request(one.load, one.first_day, one.holiday, one.horizon_days, one.occurrences, one.analog,
                one.excluded, one.accepted, None, settings.load.paths,
                settings.planning.seed + night.as_of.toordinal() * 1000 + k)
        for k, one in enumerate(inputs)
    ]  # fmt: skip
    found: list[tuple[SeriesInput, LoadForecast | None]] = []
    for one, request in zip(inputs, requests, strict=True):
        _check_services(one, tables)
        has_load = bool(np.nansum(one.load) > 0)
        found.append((one, forecast_series(request) if has_load else None))
    for k, (one, fit) in enumerate(found):
        pooled = _borrowed(one, fit, found)
        if pooled is not None:
            found[k] = (one, forecast_series(replace(requests[k], pooled=pooled)))
    return [(one, _with_bursts(one, fit)) for one, fit in found]


def _with_bursts(one: SeriesInput, fit: LoadForecast | None) -> LoadForecast | None:
    """The forecast with its launches on top: what nobody has seen is told by the planner."""
    if fit is None or one.bursts is None:
        return fit
    return replace(fit, curve=fit.curve + one.bursts)


def _borrowed(
    one: SeriesInput, fit: LoadForecast | None, found: list[tuple[SeriesInput, LoadForecast | None]]
) -> EventEffects | None:
    """Mean effects, over the region's other series, of the coming kinds that this one never saw."""
    if fit is None:
        return None
    known = fit.events.coefficients
    coming = {event.kind for event in one.occurrences if event.end > len(one.load) * 1440}
    lent: dict[str, np.ndarray] = {}
    for kind in sorted(coming - set(known) - {name for name, _ in one.analog}):
        others = [
            other.events.coefficients[kind] for its, other in found
            if other is not None and kind in other.events.coefficients
            and (its.region, its.minutes) == (one.region, one.minutes)
        ]  # fmt: skip
        if others:
            lent[kind] = np.mean(np.stack(others), axis=0)
    return EventEffects(one.minutes, lent, dict.fromkeys(lent, 1), {}) if lent else None


def _check_services(one: SeriesInput, tables: dict[str, pd.DataFrame]) -> None:
    """A service without any server to be had is told of and gets no order."""
    services, types = tables["load_services"], tables["server_types"]
    most = types.groupby(types["service"].astype("str"))["most_servers"].sum()
    for name in services.loc[services["series"].astype("str") == one.name, "service"].astype("str"):
        if most.get(name, 0) == 0:
            at = one.time_of(len(one.load) * one.load.shape[1])
            told = f"Service {name} has no server that can be had (most_servers is 0): no order."
            one.findings.append(Finding(one.name, "zero_capacity", at, at, told))


def _joined(parts: list[pd.DataFrame], name: str) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=list(TABLES[name].columns))
    return pd.concat(parts, ignore_index=True)
