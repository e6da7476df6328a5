"""Stage forecast: quantiles of demand for every item, region and window that the plan asks for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.forecast.above import above_of_tables, territories
from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.dependence import dependence_table
from pipeline.forecast.hierarchy_table import (
    PUBLISHED_LEVELS,
    HierarchyNames,
    forecast_levels,
    hierarchy_table,
    periods_of,
)
from pipeline.forecast.model import Model
from pipeline.forecast.overriding import Keys, Rule, rules_of
from pipeline.forecast.pull import Above
from pipeline.forecast.serve import Asked, forecast_windows, plan_windows
from pipeline.group_panels import without_recaptured
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish quantiles and dependence, which the plan buys on, and their sums at every level."""
    model = Model.from_files(night.read_model())
    windows = plan_windows(night.settings)
    reach = max(start + days for start, days in windows)
    known = what_is_known(night, model, reach)
    rules = planners_rules(night, known, model, reach - 1)
    above, names = what_stands_above(night, known, model)
    served = forecast_windows(
        known, model, Asked(windows, rules), night.settings.forecast.shard_items,
        night.settings.run, above,
    )  # fmt: skip
    trained = pd.Timestamp(night.model_date)
    night.write("demand_quantiles", served.quantiles.assign(model_date=trained))
    night.write("demand_before_overrides", served.before.assign(model_date=trained))
    night.write("demand_dependence", dependence_table(model.notes))
    every, few = periods_of(
        pd.Timestamp(night.as_of), night.settings.forecast.hierarchy, served.daily.shape[1]
    )
    levels = forecast_levels(
        known.panel, served.daily, model, above, every, every, few, PUBLISHED_LEVELS,
        night.settings.run.threads,
    )  # fmt: skip
    night.write(
        "demand_hierarchy",
        hierarchy_table(levels, names, pd.Timestamp(night.as_of)).assign(model_date=trained),
    )


def what_stands_above(night: Night, known: Assembled, model: Model) -> tuple[Above, HierarchyNames]:
    """Departments' history and coming events, and what their codes are called."""
    names = Names.from_notes(model.notes)
    items, calendar = night.read("items"), night.read("calendar")
    territory, called = territories(
        names.regions, night.read("delivery_options"), night.read("nodes")
    )
    planned = known.panel.ahead
    every, _ = periods_of(pd.Timestamp(night.as_of), night.settings.forecast.hierarchy, planned)
    above = above_of_tables(
        known.panel, names, territory, items, night.read("daily_demand"), calendar,
        night.read("demand_calendar"), max(every.reach, planned),
    )  # fmt: skip
    listed = sorted(items["item_id"].astype(str))
    return above, HierarchyNames(
        listed, list(names.categories), list(names.departments), called, list(names.regions)
    )


def what_is_known(
    night: Night,
    model: Model,
    days_ahead: int,
    changed: Mapping[str, pd.DataFrame] | None = None,
) -> Assembled:
    """The night's history and known future, `days_ahead` days of it, as the model reads them;
    `changed` tables (prices, calendar) stand in for the night's own."""
    own = changed or {}
    return assemble(
        night.as_of, days_ahead, Names.from_notes(model.notes), night.read("items"),
        own.get("prices", night.read("prices")), own.get("calendar", night.read("calendar")),
        without_recaptured(
            night.read("daily_demand"), night.read("choice_groups"),
            night.settings.assort.prior_moves,
        ),
        night.read("item_attributes"), night.read("demand_calendar"),
        night.read("launch_plans"),
    )  # fmt: skip


def planners_rules(night: Night, known: Assembled, model: Model, reach: int) -> list[Rule]:
    """The demand overrides of the next `reach` days, in the terms of the panel."""
    names, panel = Names.from_notes(model.notes), known.panel
    groups = tuple(
        np.array([*listed, ""], object)[codes]  # a group that the model has not seen is the last
        for listed, codes in (
            (names.categories, panel.category), (names.departments, panel.department)
        )
    )  # fmt: skip
    keys = Keys(known.items, known.regions, panel.region, groups)
    return rules_of(
        night.read("overrides"), night.read("calendar"), keys, names.regions, night.as_of, reach
    )
