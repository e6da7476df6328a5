"""What a scenario may change: small declared edits of tables, of true demand or of luck.

`tables_from` edits what the planner and the world both see; `demand` and `shocks` edit only what
happens. Changes compose: each acts on what the ones before it left. Days count from the first
simulated day, 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.simulate.scenarios.network_changes import (
    CapacityChange,
    ClosedNode,
    LaneChange,
    NewSite,
    PromiseChange,
)
from pipeline.simulate.scenarios.selection import Dated, Frames, OfItems, append, listed, named
from pipeline.simulate.scenarios.supply_changes import (
    CostChange,
    LeadTimeShock,
    LostShipment,
    NewVendor,
    VendorStrike,
)
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.truth import Truth


class DemandSurge(Dated, OfItems):
    """Demand times `factor` on the days; announced as an event if it has a name."""

    kind: Literal["surge"]
    factor: float = Field(ge=0)
    regions: tuple[str, ...] = Field((), description="None named: all.")
    event_name: str = Field(
        "", description="Announces the surge in the calendar; empty: a surprise."
    )
    planned_factor: float | None = Field(
        None, ge=0, description="Planners override the demand of its items and days by it."
    )

    def sentence(self) -> str:
        """The change in words."""
        known = f"announced as {self.event_name}" if self.event_name else "a surprise"
        if self.planned_factor is not None:
            known += f", planned with as {self.planned_factor:g} times"
        return (
            f"Demand for {self.which()} in {listed(self.regions, 'every region')} is "
            f"{self.factor:g} times as high {self.when()}, {known}."
        )

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """The calendar with the announced event, a row for each of its days and regions; and the
        planners' overrides."""
        if self.planned_factor is not None:
            tables = self._overridden(tables, first_date)
        if not self.event_name:
            return tables
        names = tables["regions"]["region_id"].astype("str")
        first, last = self.window(first_date)
        days = pd.date_range(first_date + pd.Timedelta(days=first - 1),
                             first_date + pd.Timedelta(days=min(last, 730) - 1))  # fmt: skip
        rows: list[dict[str, object]] = [
            {"date": day, "region_id": region, "event_name": self.event_name,
             "event_type": "promotion"}
            for day in days for region in names[named(names, self.regions)]
        ]  # fmt: skip
        return {**tables, "calendar": append(tables["calendar"], rows)}

    def _overridden(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        first, last = self.window(first_date)
        days = {"start_date": first_date + pd.Timedelta(days=first - 1),
                "expiry_date": first_date + pd.Timedelta(days=min(last, 730) - 1)}  # fmt: skip
        rows: list[dict[str, object]] = [
            {"override_id": f"scenario-{item}-{region}", "item_id": item, "region_id": region,
             "override_target": "demand", "override_kind": "multiply",
             "override_value": self.planned_factor, **days, "planner": "scenario",
             "why": self.event_name or "announced"}
            for item in sorted(self.chosen(tables)) for region in self.regions or (None,)
        ]  # fmt: skip
        return {**tables, "overrides": append(tables["overrides"], rows)}

    def demand(self, truth: Truth, model: WorldModel, tables: Frames) -> Truth:
        """Scaled units; the fraction of a unit is drawn for each item, region and day."""
        demand = truth.demand.copy()
        first, last = self.window(truth.days[0])
        last = min(last, len(demand))
        if first > last:
            return truth
        regions = np.flatnonzero(named(pd.Series(model.regions, name="region_id"), self.regions))
        items = np.flatnonzero(model.items.isin(list(self.chosen(tables))))
        at = np.ix_(np.arange(first - 1, last), items, regions)
        scaled = demand[at] * self.factor
        draw = np.random.default_rng([first, last]).random(scaled.shape)
        demand[at] = np.floor(scaled + draw).astype(np.int64)
        return replace(truth, demand=demand)


Change = Annotated[
    PromiseChange | CapacityChange | CostChange | LeadTimeShock | VendorStrike | LostShipment
    | NewVendor | DemandSurge | NewSite | ClosedNode | LaneChange,
    Field(discriminator="kind"),
]  # fmt: skip
