"""Changes of supply: costs, vendors, and what happens to orders on their way."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from pydantic import Field

from pipeline.errors import UsageError
from pipeline.simulate.scenarios.selection import (
    Dated,
    Frames,
    OfItems,
    append,
    first_number,
    listed,
    named,
)
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.supply import Shock

_WORDS = {
    "unit_cost_usd": "What vendors ask for a unit", "ship_usd_per_unit": "The cost of delivery",
    "lane_usd_per_cuft": "The cost of lanes", "handling_usd_per_unit": "The cost of handling",
    "storage_usd_per_cuft_day": "The cost of storage",
    "missed_speed_usd_per_unit": "The goodwill that a late unit costs",
}  # fmt: skip
"""Columns as a planner calls them."""


class CostChange(OfItems):
    """A cost column of a table times `factor`, e.g. a tariff: vendor_items.unit_cost_usd of some
    vendors; planner and world know it from the start."""

    kind: Literal["cost"]
    table: Literal["delivery_options", "lanes", "nodes", "vendor_items", "delivery_speeds"]
    column: str = Field(pattern=r"_usd|usd_")
    factor: float = Field(ge=0)
    nodes: tuple[str, ...] = Field((), description="None named: all.")
    regions: tuple[str, ...] = Field((), description="None named: all.")

    def sentence(self) -> str:
        """The change in words."""
        where = [self.which(), *self.nodes, *self.regions]
        of = "" if where == ["every item"] else f" ({', '.join(where)})"
        what = _WORDS.get(self.column, f"{self.column} of {self.table}")
        return f"{what}{of} is {self.factor:g} times as high."

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """The scaled column; a selection that the table knows nothing of is refused."""
        frame = tables[self.table].copy()
        if self.column not in frame:
            raise UsageError(f"{self.table} has no column {self.column}. Next: see docs/tables.md.")
        hit = pd.Series(True, index=frame.index)
        if self.items or self.item_groups or self.vendors:
            if "item_id" not in frame:
                raise UsageError(f"{self.table} knows no items. Next: name nodes or regions.")
            hit &= frame["item_id"].astype("str").isin(self.chosen(tables))
            hit &= named(frame["vendor_id"], self.vendors)
        for column, names in (("node_id", self.nodes), ("region_id", self.regions)):
            if names:
                if column not in frame:
                    raise UsageError(f"{self.table} has no {column}. Next: select otherwise.")
                hit &= named(frame[column], names)
        frame.loc[hit, self.column] *= self.factor
        return {**tables, self.table: frame}


class LeadTimeShock(Dated, OfItems):
    """Orders placed on the days take `factor` times as long and add_days more, and
    drift_days_per_week more with every week; nobody was told."""

    kind: Literal["lead_time_shock"]
    factor: float = Field(1.0, gt=0)
    add_days: float = Field(0.0, ge=0, le=365)
    drift_days_per_week: float = Field(0.0, ge=0, le=30)

    def sentence(self) -> str:
        """The change in words."""
        parts = [f"{self.factor:g} times as long"] if self.factor != 1.0 else []
        parts += [f"{self.add_days:g} days longer"] if self.add_days else []
        parts += [f"{self.drift_days_per_week:g} days longer with every week"] \
            if self.drift_days_per_week else []  # fmt: skip
        long = " and ".join(parts) or "as long as before"
        return (
            f"Orders ({self.which()}) placed {self.when()} take {long} to arrive; nobody was told."
        )

    def shocks(self, model: WorldModel, tables: Frames, first_date: pd.Timestamp) -> list[Shock]:
        """In calendar days."""
        first, last = (first_number(first_date, day) for day in self.window(first_date))
        return [Shock(self.pairs(model, tables), first, last, self.factor, self.add_days,
                      self.drift_days_per_week)]  # fmt: skip


class VendorStrike(Dated, OfItems):
    """The vendors send nothing on the days: orders placed then leave when the strike is over."""

    kind: Literal["vendor_strike"]
    vendors: tuple[str, ...] = Field(min_length=1)

    def sentence(self) -> str:
        """The change in words."""
        verb = "sends" if len(self.vendors) == 1 else "send"
        return (
            f"{listed(self.vendors, '')} {verb} nothing {self.when()}: what is ordered then leaves "
            "when the strike is over; nobody was told."
        )

    def shocks(self, model: WorldModel, tables: Frames, first_date: pd.Timestamp) -> list[Shock]:
        """Orders wait for the day after the last."""
        first, last = (first_number(first_date, day) for day in self.window(first_date))
        return [Shock(self.pairs(model, tables), first, last, is_held=True)]


class LostShipment(Dated, OfItems):
    """What was ordered on the days is lost on its way and sent again, resend_days later."""

    kind: Literal["lost_shipment"]
    resend_days: float = Field(14.0, ge=1, le=365)

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"What is ordered ({self.which()}) {self.when()} is lost on its way and comes "
            f"{self.resend_days:g} days later; nobody was told."
        )

    def shocks(self, model: WorldModel, tables: Frames, first_date: pd.Timestamp) -> list[Shock]:
        """Later by resend_days."""
        first, last = (first_number(first_date, day) for day in self.window(first_date))
        return [Shock(self.pairs(model, tables), first, last, 1.0, self.resend_days)]


class NewVendor(OfItems):
    """Another vendor for the items, at cost_factor of their cheapest cost."""

    kind: Literal["new_vendor"]
    vendor_id: str
    cost_factor: float = Field(gt=0)
    quoted_lead_time_days: int = Field(ge=0, le=365)
    moq_units: int = Field(1, ge=1)
    case_pack_units: int = Field(1, ge=1)
    order_minimum_usd: float = Field(0.0, ge=0)

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"{self.vendor_id} also sells {self.which()}, at {self.cost_factor:g} times the "
            f"cheapest cost, in {self.quoted_lead_time_days} days."
        )

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """Rows added to vendors and vendor_items."""
        there = set(tables["vendors"]["vendor_id"].astype("str"))
        if self.vendor_id in there:
            raise UsageError(f"there is a vendor {self.vendor_id} already. Next: choose a name.")
        terms = tables["vendor_items"]
        cheapest = terms.groupby(terms["item_id"].astype("str"))["unit_cost_usd"].min()
        rows: list[dict[str, object]] = [
            {"vendor_id": self.vendor_id, "item_id": item,
             "unit_cost_usd": round(float(cheapest[item]) * self.cost_factor, 4),
             "moq_units": self.moq_units, "case_pack_units": self.case_pack_units,
             "quoted_lead_time_days": self.quoted_lead_time_days}
            for item in sorted(self.chosen(tables) & set(cheapest.index))
        ]  # fmt: skip
        vendor = {"vendor_id": self.vendor_id, "vendor_name": self.vendor_id,
                  "order_minimum_usd": self.order_minimum_usd}  # fmt: skip
        return {**tables, "vendors": append(tables["vendors"], [vendor]),
                "vendor_items": append(terms, rows)}  # fmt: skip
