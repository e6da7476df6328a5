"""Changes of the network and of promises: nodes, capacity, lanes; planner and world see them."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from pydantic import Field

from pipeline.errors import UsageError
from pipeline.simulate.scenarios.selection import (
    Changed,
    Dated,
    Frames,
    append,
    listed,
    named,
    refuse,
)


class PromiseChange(Changed):
    """`share` of the regions' orders are promised at `speed`; the other speeds keep proportions."""

    kind: Literal["promise"]
    speed: str
    share: float = Field(ge=0, le=1)
    regions: tuple[str, ...] = Field((), description="None named: all.")

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"{self.share:.0%} of the units ordered in {listed(self.regions, 'every region')} are "
            f"promised {self.speed.replace('_', '-')}; the other speeds share the rest as before."
        )

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """New demand shares; a region that does not sell the speed is named in a UsageError."""
        frame = tables["delivery_speeds"].copy()
        chosen = named(frame["region_id"], self.regions)
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


class CapacityChange(Dated):
    """Capacity times `factor` at the nodes, for one resource, on the days."""

    kind: Literal["capacity"]
    resource: Literal["storage_cuft", "inbound_units_per_day", "outbound_units_per_day"]
    factor: float = Field(ge=0)
    nodes: tuple[str, ...] = Field((), description="None named: all.")

    def sentence(self) -> str:
        """The change in words."""
        what = self.resource.replace("_", " ").replace("cuft", "space")
        where = listed(self.nodes, "all nodes")
        return f"Capacity ({what}) is {self.factor:g} times as much at {where}, {self.when()}."

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """Scaled node_capacity: within the days, rows that begin and end with them."""
        frame = tables["node_capacity"].copy()
        hit = named(frame["node_id"], self.nodes)
        hit &= (frame["resource"].astype("str") == self.resource).to_numpy()
        if not hit.any():
            raise UsageError(f"{listed(self.nodes, 'no node')} has no capacity of {self.resource}.")
        if self.when() == "throughout":
            frame.loc[hit, "capacity"] *= self.factor
            return {**tables, "node_capacity": frame}
        first, last = self.window(first_date)
        begins = first_date + pd.Timedelta(days=first - 1)
        ends = first_date + pd.Timedelta(days=min(last, 10_000))
        rows = frame[hit].sort_values("start_date", kind="stable")
        added: list[dict[str, object]] = []
        for (node, resource), part in rows.groupby(["node_id", "resource"], observed=True):
            for when, factor in ((begins, self.factor), (ends, 1.0)):
                before = part[part["start_date"] <= when]
                if len(before):
                    usual = float(before["capacity"].iloc[-1])
                    added.append({"node_id": str(node), "resource": str(resource),
                                  "start_date": when, "capacity": usual * factor})  # fmt: skip
        within = hit & ((frame["start_date"] > begins) & (frame["start_date"] < ends)).to_numpy()
        frame.loc[within, "capacity"] *= self.factor
        at = hit & frame["start_date"].isin([begins, ends]).to_numpy()
        return {**tables, "node_capacity": append(frame[~at], added)}


class ClosedNode(Changed):
    """A node is closed for the whole run: nobody is served from it, nothing goes to it; what it has
    is at `stock_to` when the run begins."""

    kind: Literal["closed_node"]
    node_id: str
    stock_to: str

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"{self.node_id} is closed; its stock has gone to {self.stock_to}. Where nobody else "
            "offers a speed, its orders choose among the others as before."
        )

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """Options without the node, speeds that are left, lanes that take nothing, no capacity, its
        stock elsewhere."""
        nodes = tables["nodes"].copy()
        refuse("node_id", (self.node_id, self.stock_to), nodes["node_id"].astype("str"))
        below = nodes.loc[nodes["parent_node_id"].astype("str") == self.node_id, "node_id"]
        if len(below):
            raise UsageError(
                f"{self.node_id} supplies {', '.join(below.astype('str'))}. "
                "Next: close those first, or close a node that supplies none."
            )
        options = tables["delivery_options"]
        left = options[options["node_id"].astype("str") != self.node_id]
        alone = set(options["region_id"].astype("str")) - set(left["region_id"].astype("str"))
        if alone:
            raise UsageError(f"without {self.node_id} nobody serves {', '.join(sorted(alone))}.")
        nodes.loc[nodes["node_id"].astype("str") == self.node_id, "is_vendor_receiving"] = False
        room = tables["node_capacity"].copy()
        room.loc[room["node_id"].astype("str") == self.node_id, "capacity"] = 0.0
        lanes = tables["lanes"].copy()  # a node keeps its lane from its parent, which takes nothing
        ends = lanes[["from_node_id", "to_node_id"]].astype("str").eq(self.node_id).any(axis=1)
        lanes.loc[ends, "lane_capacity_cuft_per_day"] = 0.0
        found = {**tables, "nodes": nodes, "delivery_options": left, "node_capacity": room,
                 "lanes": lanes,
                 "delivery_speeds": _speeds_left(tables["delivery_speeds"], left)}  # fmt: skip
        moved = tables["stock"].astype({"node_id": "str", "item_id": "str"})
        moved["node_id"] = moved["node_id"].replace(self.node_id, self.stock_to)
        found["stock"] = moved.groupby(["date", "item_id", "node_id"], as_index=False)[
            "on_hand_units"
        ].sum()
        for name, column in (("open_orders", "node_id"), ("open_transfers", "to_node_id")):
            frame = tables[name].astype({column: "str"})
            frame[column] = frame[column].replace(self.node_id, self.stock_to)
            found[name] = frame
        return found


def _speeds_left(speeds: pd.DataFrame, options: pd.DataFrame) -> pd.DataFrame:
    """The speeds that some node still offers in their region; their shares take over the rest."""
    key = ["region_id", "speed"]
    offered = set(map(tuple, options[key].astype("str").to_numpy()))
    is_left = [tuple(row) in offered for row in speeds[key].astype("str").to_numpy()]
    found = speeds[is_left].reset_index(drop=True)
    region = found["region_id"].astype("str")
    found["demand_share"] /= found.groupby(region)["demand_share"].transform("sum").clip(lower=1e-9)
    return found


class LaneChange(Changed):
    """A lane takes more or fewer days and space."""

    kind: Literal["lane"]
    from_node_id: str
    to_node_id: str
    add_days: int = Field(0, ge=-30, le=60)
    capacity_cuft_per_day: float | None = Field(None, ge=0)

    def sentence(self) -> str:
        """The change in words."""
        room = "" if self.capacity_cuft_per_day is None else (
            f" and takes {self.capacity_cuft_per_day:g} cu ft a day"
        )  # fmt: skip
        lane = f"The lane {self.from_node_id} → {self.to_node_id}"
        return f"{lane} takes {self.add_days:+d} days{room}."

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """The lane's row."""
        lanes = tables["lanes"].copy()
        hit = (lanes["from_node_id"].astype("str") == self.from_node_id) & (
            lanes["to_node_id"].astype("str") == self.to_node_id
        )
        if not hit.any():
            raise UsageError(f"no lane {self.from_node_id} → {self.to_node_id}. Next: see lanes.")
        lanes.loc[hit, "transit_days"] = (lanes.loc[hit, "transit_days"] + self.add_days).clip(0)
        if self.capacity_cuft_per_day is not None:
            lanes.loc[hit, "lane_capacity_cuft_per_day"] = self.capacity_cuft_per_day
        return {**tables, "lanes": lanes}


class NewSite(Changed):
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
        speeds = listed([speed.replace("_", "-") for speed in self.speeds], "no speed")
        return (
            f"A new same-day site {self.node_id}, filled from {self.parent_node_id}, serves "
            f"{listed(self.regions, 'no region')} at {speeds}, until {self.cutoff_hour:g} h, for "
            f"{self.ship_usd_per_unit:g} USD a unit."
        )

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
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
            "nodes": append(nodes, [node]),
            "lanes": append(tables["lanes"], [lane]),
            "delivery_options": append(tables["delivery_options"], options),
            "node_capacity": append(tables["node_capacity"], [room]),
        }
