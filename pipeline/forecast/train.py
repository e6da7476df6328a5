"""Stage train: the forecast model of a training date, from what was known at its end."""

from __future__ import annotations

from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pandas as pd

from pipeline.contracts.settings import MeanSettings, Settings
from pipeline.errors import UsageError
from pipeline.forecast.above import above_of, above_of_tables, keyed, territories
from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.backtest import backtest
from pipeline.forecast.learned_dependence import learned_dependence
from pipeline.forecast.mean import fit_mean
from pipeline.forecast.model import Model, fit, last_days
from pipeline.forecast.own_level import own_level, times
from pipeline.forecast.panel import Panel, Totals, totals
from pipeline.forecast.price_lift import with_price_lift
from pipeline.forecast.prior import is_short, simulated_panel
from pipeline.forecast.pull import Above
from pipeline.forecast.serve import plan_windows
from pipeline.group_panels import without_recaptured
from pipeline.store import Night


def run(night: Night) -> None:
    """Read the night's tables; publish the model's files."""
    panel, names = known_panel(night)
    territory, _ = territories(names.regions, night.read("delivery_options"), night.read("nodes"))
    above = above_of_tables(
        panel, names, territory, night.read("items"), night.read("daily_demand"),
        night.read("calendar"), night.read("demand_calendar"), panel.ahead,
    )  # fmt: skip
    night.write_files("forecast_model", train(panel, names, night.settings, above).to_files())


def known_panel(night: Night) -> tuple[Panel, Names]:
    """The panel of the night's tables, and the names of its codes."""
    items, regions, calendar, attributes = (
        night.read(t) for t in ("items", "regions", "calendar", "item_attributes")
    )
    names = Names.of(items, regions, calendar, attributes)
    ahead = max(start + days for start, days in plan_windows(night.settings))
    assembled = assemble(
        night.as_of, ahead, names, items, night.read("prices"), calendar,
        without_recaptured(
            night.read("daily_demand"), night.read("choice_groups"),
            night.settings.assort.prior_moves,
        ), attributes, night.read("demand_calendar"),
        night.read("launch_plans"),
    )  # fmt: skip
    return assembled.panel, names


def backtest_night(night: Night, origins: int, step_days: int) -> pd.DataFrame:
    """Scores of models trained `step_days`, 2 · `step_days`, … before the night; see `backtest`."""
    panel, names = known_panel(night)
    days = [panel.days - 1 - step_days * k for k in range(origins, 0, -1)]
    if days[0] < 2 * step_days:
        raise UsageError(
            f"the history of {panel.days} days is too short for {origins} origins {step_days} days "
            "apart. Next: ask for fewer origins, or a smaller step."
        )
    return backtest(panel, list(names.categories), list(names.regions), night.settings, days)


def train(panel: Panel, names: Names, settings: Settings, above: Above | None = None) -> Model:
    """The model of a panel, with the names of its codes and the dependence of its errors.

    `above` are the departments' own sums; without, those of the panel's series, in one territory.
    """
    known, windows = panel, plan_windows(settings)
    if is_short(panel, last_days(panel, settings.forecast)[0], min(d for _, d in windows)):
        reach = max(start + days for start, days in windows)
        bare = replace(panel, season=None, rhythm=None, lift=None, lift_seen=None, price_lift=None)
        panel = simulated_panel(bare, len(names.regions), reach, settings.planning.seed)
        panel = with_price_lift(panel)
        above = None
    above = above or above_of(panel, np.zeros(len(names.regions), np.int32))
    sums = totals(panel)
    seed, threads = settings.planning.seed, settings.run.threads
    grown = _on_dask(panel, sums, windows, settings) if settings.run.engine == "dask" else None
    model, errors = fit(panel, sums, settings.forecast, windows, seed, threads, grown, above)
    if known is not panel:
        level = own_level(model.mean, known, threads)
        model = replace(model, mean=times(model.mean, level))
        model.notes["own_level"] = level
    model.notes["cells"] = keyed(above.departments.cells)
    model.notes.update(names.to_notes())
    model.notes["trained_to"] = str(known.first_date + np.timedelta64(known.days - 1, "D"))
    model.notes["is_simulated"] = known is not panel
    model.notes["past_windows"] = len(errors.units)
    model.notes.update(learned_dependence(panel, sums, names, errors, model.spread, seed))
    return model


def _on_dask(
    panel: Panel, sums: Totals, windows: list[tuple[int, int]], settings: Settings
) -> tuple[lgb.Booster, lgb.Booster]:
    """Both sets of trees, each grown whole on a worker of `run.scheduler`: the same bytes.

    Trees over rows that are split among workers would depend on how they are split.
    """
    from dask.distributed import Client  # noqa: PLC0415  # an optional dependency

    horizon = max(start + days - 1 for start, days in windows)
    with Client(settings.run.scheduler) as client:
        shared = client.scatter([panel, sums], broadcast=True)
        futures = [
            client.submit(
                _grow, *shared, settings.forecast.mean, horizon, last_day, settings.planning.seed,
                pure=False,
            )
            for last_day in last_days(panel, settings.forecast)
        ]  # fmt: skip
        early, mean = (lgb.Booster(model_str=text) for text in client.gather(futures))
    return early, mean


def _grow(
    panel: Panel, sums: Totals, settings: MeanSettings, horizon: int, last_day: int, seed: int
) -> str:
    text: str = fit_mean(panel, sums, settings, horizon, last_day, seed, 1).model_to_string()
    return text
