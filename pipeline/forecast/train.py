"""Stage train: the forecast model of a training date, from what was known at its end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.errors import UsageError
from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.backtest import backtest
from pipeline.forecast.dependence import rank_correlation
from pipeline.forecast.model import Model, fit
from pipeline.forecast.panel import Panel, totals
from pipeline.forecast.serve import plan_windows
from pipeline.forecast.spread import PastErrors
from pipeline.store import Night


def run(night: Night) -> None:
    """Read the night's tables; publish the model's files."""
    panel, names = known_panel(night)
    night.write_files("forecast_model", train(panel, names, night.settings).to_files())


def known_panel(night: Night) -> tuple[Panel, Names]:
    """The panel of the night's tables, and the names of its codes."""
    items, regions, calendar = (night.read(t) for t in ("items", "regions", "calendar"))
    names = Names.of(items, regions, calendar)
    ahead = max(start + days for start, days in plan_windows(night.settings))
    assembled = assemble(
        night.as_of, ahead, names, items, night.read("prices"), calendar,
        night.read("daily_demand"),
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


def train(panel: Panel, names: Names, settings: Settings) -> Model:
    """The model of a panel, with the names of its codes and the dependence of its errors."""
    model, errors = fit(
        panel,
        totals(panel),
        settings.forecast,
        plan_windows(settings),
        settings.planning.seed,
        settings.run.threads,
    )
    model.notes.update(names.to_notes())
    model.notes["trained_to"] = str(panel.first_date + np.timedelta64(panel.days - 1, "D"))
    model.notes["past_windows"] = len(errors.units)
    model.notes["dependence"] = dependence(panel, names, errors)
    return model


def dependence(panel: Panel, names: Names, errors: PastErrors) -> dict[str, Any]:
    """Rank correlations of the regions' errors, for each category and for all items."""
    windows = errors.windows
    item, region = panel.item[windows.series], panel.region[windows.series]
    long = windows.days >= min(28, windows.days.max())
    occasion = np.unique(
        np.stack([item, windows.origin, windows.start, windows.days]), axis=1, return_inverse=True
    )[1].ravel()
    groups = {"all": long} | {
        name: long & (panel.category[windows.series] == code)
        for code, name in enumerate(names.categories)
    }
    return {
        name: np.round(
            rank_correlation(errors.rank[own], occasion[own], region[own], len(names.regions)), 6
        ).tolist()
        for name, own in groups.items()
    }
