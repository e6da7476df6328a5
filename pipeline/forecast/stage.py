"""Stage forecast: quantiles of demand for every item, region and window that the plan asks for."""

from __future__ import annotations

import pandas as pd

from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.dependence import dependence_table
from pipeline.forecast.model import Model
from pipeline.forecast.overriding import apply_overrides
from pipeline.forecast.serve import forecast_windows, plan_windows
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish quantiles and dependence: what the plan needs of a forecast."""
    model = Model.from_files(night.read_model())
    windows = plan_windows(night.settings)
    assembled = what_is_known(night, model, max(start + days for start, days in windows))
    quantiles = forecast_windows(
        assembled, model, windows, night.settings.forecast.shard_items, night.settings.run
    )
    quantiles = apply_overrides(quantiles, night.read("overrides"), night.as_of)
    night.write("demand_quantiles", quantiles.assign(model_date=pd.Timestamp(night.model_date)))
    night.write("demand_dependence", dependence_table(model.notes))


def what_is_known(night: Night, model: Model, days_ahead: int) -> Assembled:
    """The night's history and known future, `days_ahead` days of it, as the model reads them."""
    return assemble(
        night.as_of, days_ahead, Names.from_notes(model.notes), night.read("items"),
        night.read("prices"), night.read("calendar"), night.read("daily_demand"),
        night.read("item_attributes"),
    )  # fmt: skip
