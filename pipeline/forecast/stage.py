"""Stage forecast: quantiles of demand for every item, region and window that the plan asks for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.dependence import dependence_table
from pipeline.forecast.model import Model
from pipeline.forecast.overriding import Keys, Rule, rules_of
from pipeline.forecast.serve import Asked, forecast_windows, plan_windows
from pipeline.group_panels import without_recaptured
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish quantiles and dependence: what the plan needs of a forecast."""
    model = Model.from_files(night.read_model())
    windows = plan_windows(night.settings)
    reach = max(start + days for start, days in windows)
    known = what_is_known(night, model, reach)
    rules = planners_rules(night, known, model, reach - 1)
    found, before = forecast_windows(
        known, model, Asked(windows, rules), night.settings.forecast.shard_items,
        night.settings.run,
    )  # fmt: skip
    trained = pd.Timestamp(night.model_date)
    night.write("demand_quantiles", found.assign(model_date=trained))
    night.write("demand_before_overrides", before.assign(model_date=trained))
    night.write("demand_dependence", dependence_table(model.notes))


def what_is_known(night: Night, model: Model, days_ahead: int) -> Assembled:
    """The night's history and known future, `days_ahead` days of it, as the model reads them."""
    return assemble(
        night.as_of, days_ahead, Names.from_notes(model.notes), night.read("items"),
        night.read("prices"), night.read("calendar"), without_recaptured(
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
