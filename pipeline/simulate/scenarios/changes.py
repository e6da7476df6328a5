"""What a scenario changes: small declared edits of the raw tables, of true demand or of luck.

`tables_from` edits what the planner and the world both see; `demand` and `lead_times` edit only
what happens. Days count from the first simulated day, 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.contracts.settings import Section
from pipeline.errors import UsageError
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.supply import LeadTimes
from pipeline.simulate.world.truth import Truth

Frames = dict[str, pd.DataFrame]


class _Change(Section):
    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """The raw tables as planner and world see them; first_date: the first simulated day."""
        return self.tables(tables)

    def tables(self, tables: Frames) -> Frames:
        """The same for changes that have no date."""
        return tables

    def demand(self, truth: Truth, model: WorldModel) -> Truth:
        """What will really be asked for."""
        return truth

    def lead_times(self, times: LeadTimes, first_day: int) -> LeadTimes:
        """How long vendors really take; first_day counts from 1970."""
        return times

    def sentence(self) -> str:
        """The change in words, for the report."""
        raise NotImplementedError


class PromiseChange(_Change):
    """`share` of the regions' orders are promised at `speed`; the other speeds keep proportions."""

    kind: Literal["promise"]
    speed: str
    share: float = Field(ge=0, le=1)
    regions: tuple[str, ...] = Field((), description="None named: all.")

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"{self.share:.0%} of the units ordered in {_list(self.regions, 'every region')} are "
            f"promised {self.speed.replace('_', '-')}; the other speeds share the rest as before."
        )

    def tables(self, tables: Frames) -> Frames:
        """New demand shares; a region that does not sell the speed is named in a UsageError."""
        frame = tables["delivery_speeds"].copy()
        chosen = _named(frame["region_id"], self.regions)
        is_speed = frame["speed"].astype("str") == self.speed
        without = set(frame.loc[chosen, "region_id"]) - set(frame.loc[is_speed, "region_id"])
        if without:
            raise UsageError(
                f"speed {self.speed} is not offered in {', '.join(sorted(without))}. "
                "Next: add it to delivery_speeds and delivery_options, or name other regions."
            )
        share = frame["demand_share"]
        rest = share.where(~is_speed, 0.0).groupby(frame["region_id"], observed=True)
        scaled = share * (1 - self.share) / rest.transform("sum").clip(lower=1e-9)
        frame.loc[chosen, "demand_share"] = scaled.where(~is_speed, self.share)[chosen]
        return {**tables, "delivery_speeds": frame}


class CapacityChange(_Change):
    """Capacity times `factor` at the nodes, for one resource."""

    kind: Literal["capacity"]
    resource: str
    factor: float = Field(ge=0)
    nodes: tuple[str, ...] = Field((), description="None named: all.")

    def sentence(self) -> str:
        """The change in words."""
        what = self.resource.replace("_", " ").replace("cuft", "space")
        where = _list(self.nodes, "all nodes")
        return f"Capacity ({what}) is {self.factor:g} times as much at {where}."

    def tables(self, tables: Frames) -> Frames:
        """Scaled node_capacity."""
        frame = tables["node_capacity"].copy()
        hit = _named(frame["node_id"], self.nodes)
        hit &= frame["resource"].astype("str") == self.resource
        frame.loc[hit, "capacity"] *= self.factor
        return {**tables, "node_capacity": frame}


class CostChange(_Change):
    """A cost column of a table times `factor`, e.g. delivery_options.ship_usd_per_unit."""

    kind: Literal["cost"]
    table: Literal["delivery_options", "lanes", "nodes", "vendor_items"]
    column: str = Field(pattern=r"_usd|usd_")
    factor: float = Field(ge=0)

    def sentence(self) -> str:
        """The change in words."""
        return f"{self.column} of {self.table} is {self.factor:g} times as high."

    def tables(self, tables: Frames) -> Frames:
        """The scaled column."""
        frame = tables[self.table].copy()
        if self.column not in frame:
            raise UsageError(f"{self.table} has no column {self.column}. Next: see docs/tables.md.")
        frame[self.column] *= self.factor
        return {**tables, self.table: frame}


class LeadTimeShock(_Change):
    """Orders placed from from_day to to_day take `factor` times as long; nobody was told."""

    kind: Literal["lead_time_shock"]
    factor: float = Field(gt=0)
    from_day: int = Field(ge=1)
    to_day: int = Field(ge=1)

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"Orders placed on days {self.from_day} to {self.to_day} take {self.factor:g} times as "
            "long to arrive; nobody was told."
        )

    def lead_times(self, times: LeadTimes, first_day: int) -> LeadTimes:
        """The shock, in calendar days."""
        start, end = first_day + self.from_day - 1, first_day + self.to_day - 1
        return replace(times, shock_factor=self.factor, shock_from=start, shock_to=end)


class DemandSurge(_Change):
    """Demand times `factor` from from_day to to_day; announced as an event if it has a name."""

    kind: Literal["surge"]
    factor: float = Field(gt=0)
    from_day: int = Field(ge=1)
    to_day: int = Field(ge=1)
    regions: tuple[str, ...] = Field((), description="None named: all.")
    event_name: str = Field(
        "", description="Announces the surge in the calendar; empty: a surprise."
    )

    def sentence(self) -> str:
        """The change in words."""
        known = f"announced as {self.event_name}" if self.event_name else "a surprise"
        return (
            f"Demand in {_list(self.regions, 'every region')} is {self.factor:g} times as high on "
            f"days {self.from_day} to {self.to_day}, {known}."
        )

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """The calendar with the announced event, a row for each of its days and regions."""
        if not self.event_name:
            return tables
        names = tables["regions"]["region_id"].astype("str")
        days = pd.date_range(first_date + pd.Timedelta(days=self.from_day - 1),
                             first_date + pd.Timedelta(days=self.to_day - 1))  # fmt: skip
        rows: list[dict[str, object]] = [
            {"date": day, "region_id": region, "event_name": self.event_name,
             "event_type": "promotion"}
            for day in days for region in names[_named(names, self.regions)]
        ]  # fmt: skip
        return {**tables, "calendar": _append(tables["calendar"], rows)}

    def demand(self, truth: Truth, model: WorldModel) -> Truth:
        """Scaled units; the fraction of a unit is drawn for each item, region and day."""
        demand = truth.demand.copy()
        regions = np.flatnonzero(_named(pd.Series(model.regions), self.regions))
        window = demand[self.from_day - 1 : self.to_day]
        scaled = window[:, :, regions] * self.factor
        draw = np.random.default_rng([self.from_day, self.to_day]).random(scaled.shape)
        window[:, :, regions] = np.floor(scaled + draw).astype(np.int64)
        return replace(truth, demand=demand)


class NewSite(_Change):
    """A new same-day site that serves `regions` at `speeds` and is filled from its parent."""

    kind: Literal["new_site"]
    node_id: str
    parent_node_id: str
    regions: tuple[str, ...]
    speeds: tuple[str, ...]
    ship_usd_per_unit: float = Field(ge=0)
    cutoff_hour: float = Field(ge=0, le=24)
    storage_cuft: float = Field(ge=0)
    handling_usd_per_unit: float = Field(ge=0)
    storage_usd_per_cuft_day: float = Field(ge=0)
    transit_days: int = Field(1, ge=0)
    lane_usd_per_cuft: float = Field(ge=0)

    def sentence(self) -> str:
        """The change in words."""
        speeds = _list([speed.replace("_", "-") for speed in self.speeds], "no speed")
        return (
            f"A new same-day site {self.node_id}, filled from {self.parent_node_id}, serves "
            f"{_list(self.regions, 'no region')} at {speeds}, until {self.cutoff_hour:g} h, for "
            f"{self.ship_usd_per_unit:g} USD a unit."
        )

    def tables(self, tables: Frames) -> Frames:
        """Rows added to nodes, lanes, delivery_options and node_capacity."""
        nodes = tables["nodes"]
        home = tables["regions"].set_index(tables["regions"]["region_id"].astype("str"))
        place = home.loc[self.regions[0]]
        node = {
            "node_id": self.node_id, "node_name": self.node_id, "tier": "same_day_site",
            "accepts": "sortable", "parent_node_id": self.parent_node_id,
            "latitude": place["latitude"], "longitude": place["longitude"],
            "is_vendor_receiving": False, "handling_usd_per_unit": self.handling_usd_per_unit,
            "storage_usd_per_cuft_day": self.storage_usd_per_cuft_day,
        }  # fmt: skip
        lane = {
            "from_node_id": self.parent_node_id, "to_node_id": self.node_id,
            "transit_days": self.transit_days, "lane_usd_per_cuft": self.lane_usd_per_cuft,
            "lane_capacity_cuft_per_day": None,
        }  # fmt: skip
        options = [
            {"region_id": region, "speed": speed, "node_id": self.node_id,
             "cutoff_hour": self.cutoff_hour, "ship_usd_per_unit": self.ship_usd_per_unit}
            for region in self.regions for speed in self.speeds
        ]  # fmt: skip
        room = {
            "node_id": self.node_id, "resource": "storage_cuft",
            "start_date": tables["node_capacity"]["start_date"].min(),
            "capacity": self.storage_cuft,
        }  # fmt: skip
        return {
            **tables,
            "nodes": _append(nodes, [node]),
            "lanes": _append(tables["lanes"], [lane]),
            "delivery_options": _append(tables["delivery_options"], options),
            "node_capacity": _append(tables["node_capacity"], [room]),
        }


Change = Annotated[
    PromiseChange | CapacityChange | CostChange | LeadTimeShock | DemandSurge | NewSite,
    Field(discriminator="kind"),
]


def _list(names: Sequence[str], none: str) -> str:
    return ", ".join(names) or none


def _named(values: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Mask of the rows that are named (all if no name is given); unknown names are refused."""
    text = values.astype("str")
    unknown = set(names) - set(text)
    if unknown:
        raise UsageError(f"unknown {values.name}: {', '.join(sorted(unknown))}. Next: correct it.")
    return np.ones(len(text), dtype=bool) if not names else text.isin(list(names)).to_numpy()


def _append(frame: pd.DataFrame, rows: list[dict[str, object]]) -> pd.DataFrame:
    plain = frame.astype({
        name: "str" for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)
    })  # fmt: skip
    for name in plain.columns:
        plain[name] = plain[name].where(frame[name].notna(), None)
    return pd.concat([plain, pd.DataFrame(rows)], ignore_index=True)[list(frame.columns)]
