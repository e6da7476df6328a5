"""What M5 lacks and no day changes: items' sizes, vendors, terms, capacities, as declared.

Values are hashes of names within the ranges of configs/networks/m5.yaml.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import SettingsError
from pipeline.ingest.hashing import joined, name_hash, uniform
from pipeline.ingest.network import Network, network_tables
from pipeline.project import project_file

_EVER = pd.Timestamp("2011-01-01")
Range = tuple[float, float]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Department(_Declared):
    """Ranges from which a department's items and terms are drawn."""

    cube_cuft: Range
    non_sortable_share: float
    cost_share: Range
    vendors: int
    case_packs: tuple[int, ...]


class ReducedWeek(_Declared):
    """A week in which a node has only a share of a resource."""

    node_id: str
    resource: Literal["storage_cuft", "inbound_units_per_day", "outbound_units_per_day"]
    start_date: date
    share: float


class Assumptions(_Declared):
    """Everything declared about items, vendors, past orders and stock; see the YAML's comments."""

    departments: dict[str, Department]
    weight_lb_per_cuft: float
    second_vendor_share: float
    second_vendor_extra_cost_share: float
    quoted_lead_time_days: tuple[int, ...]
    order_minimum_usd: tuple[float, ...]
    capacity_units_per_order: int
    capacity_vendor_share: float
    moq_cases: tuple[int, ...]
    on_time_share: Range
    mean_days_late: Range
    order_cycle_days: int
    receipts_days: int
    cover_days: dict[str, float]
    cover_spread: Range
    overstocked_share: float
    overstock_factor: float
    empty_share: float
    reduced_weeks: tuple[ReducedWeek, ...]


def load_assumptions(name: str) -> Assumptions:
    """The assumptions of configs/networks/<name>.yaml; SettingsError names every problem."""
    path = project_file(f"configs/networks/{name}.yaml")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Assumptions.model_validate(content["assumptions"])
    except (OSError, KeyError, yaml.YAMLError, ValidationError) as error:
        raise SettingsError(f"network file {path}: {error}") from error


def declared_tables(
    network: Network, assumptions: Assumptions, by_item: pd.DataFrame, prices: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Network, items, vendors, terms, capacities; `by_item`: launch_date and list_price_usd."""
    items = _items(assumptions, by_item)
    vendors = _vendors(assumptions)
    return {
        **network_tables(network),
        "items": items,
        "vendors": vendors,
        "vendor_items": _vendor_items(assumptions, items),
        "node_capacity": _node_capacity(network, assumptions),
    }


def _drawn(keys: pd.Series | list[str], salt: str) -> np.ndarray:
    return uniform(name_hash(list(keys), salt))


def _within(bounds: np.ndarray, share: np.ndarray, is_log: bool = False) -> np.ndarray:
    low, high = bounds.T
    result: np.ndarray = low * (high / low) ** share if is_log else low + (high - low) * share
    return result


def _items(assumptions: Assumptions, by_item: pd.DataFrame) -> pd.DataFrame:
    item = pd.Series(by_item.index.astype("str"))
    department = item.str.rsplit("_", n=1).str[0]
    terms = [assumptions.departments[name] for name in department]
    drawn = _drawn(item, "cube")
    cube = _within(np.array([t.cube_cuft for t in terms]), drawn, is_log=True)
    bulky = np.array([t.non_sortable_share for t in terms])
    return pd.DataFrame({
        "item_id": item, "item_name": item, "category": department.str.rsplit("_", n=1).str[0],
        "department": department,
        # The largest of a department are the bulky ones.
        "size_class": np.where(drawn >= 1 - bulky, "non_sortable", "sortable"),
        "unit_cube_cuft": np.round(cube, 4),
        "unit_weight_lb": np.round(cube * assumptions.weight_lb_per_cuft, 2),
        "list_price_usd": by_item["list_price_usd"].to_numpy(),
        "launch_date": by_item["launch_date"].to_numpy(), "end_date": pd.NaT,
    })  # fmt: skip


def _vendor_names(assumptions: Assumptions) -> list[str]:
    return [f"V-{department}-{number + 1}"
            for department, terms in sorted(assumptions.departments.items())
            for number in range(terms.vendors)]  # fmt: skip


def _vendors(assumptions: Assumptions) -> pd.DataFrame:
    names = _vendor_names(assumptions)
    minimum = np.array(assumptions.order_minimum_usd)
    limited = _drawn(names, "capacity") < assumptions.capacity_vendor_share
    capacity = pd.array([assumptions.capacity_units_per_order] * len(names), dtype="Int64")
    capacity[~limited] = pd.NA
    return pd.DataFrame({
        "vendor_id": names, "vendor_name": [f"Vendor {name[2:].lower()}" for name in names],
        "order_minimum_usd": minimum[(_drawn(names, "minimum") * len(minimum)).astype(int)],
        "vendor_capacity_units_per_order": capacity,
    })  # fmt: skip


def _vendor_items(assumptions: Assumptions, items: pd.DataFrame) -> pd.DataFrame:
    terms = [assumptions.departments[name] for name in items["department"]]
    count = np.array([t.vendors for t in terms])
    first = (_drawn(items["item_id"], "vendor") * count).astype(int)
    step = 1 + (_drawn(items["item_id"], "second vendor") * (count - 1)).astype(int)
    has_second = _drawn(items["item_id"], "two vendors") < assumptions.second_vendor_share
    share = _within(np.array([t.cost_share for t in terms]), _drawn(items["item_id"], "cost"))
    cost = items["list_price_usd"].to_numpy() * share
    parts = [
        _terms(assumptions, items, first, cost),
        _terms(assumptions, items, (first + step) % count,
               cost * (1 + assumptions.second_vendor_extra_cost_share))[has_second],
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _terms(
    assumptions: Assumptions, items: pd.DataFrame, number: np.ndarray, cost: np.ndarray
) -> pd.DataFrame:
    vendor = [f"V-{d}-{n + 1}" for d, n in zip(items["department"], number, strict=True)]
    quoted = np.array(assumptions.quoted_lead_time_days)
    pair = joined(name_hash(items["item_id"], "terms"), name_hash(vendor, "terms"))
    packs = [assumptions.departments[name].case_packs for name in items["department"]]
    # Dear or bulky goods come in small cases: the draw is pulled down by price and cube.
    dear = np.clip(items["list_price_usd"].to_numpy() / 20 + items["unit_cube_cuft"].to_numpy() / 3,
                   0, 0.95)  # fmt: skip
    place = uniform(pair) * (1 - dear)
    case = np.array([pack[int(p * len(pack))] for pack, p in zip(packs, place, strict=True)])
    moq = np.array(assumptions.moq_cases)
    return pd.DataFrame({
        "vendor_id": vendor, "item_id": items["item_id"],
        "unit_cost_usd": np.maximum(np.round(cost, 2), 0.05),
        "moq_units": case * moq[(uniform(joined(pair, 1)) * len(moq)).astype(int)],
        "case_pack_units": case,
        "quoted_lead_time_days": quoted[(_drawn(vendor, "quoted") * len(quoted)).astype(int)],
    })  # fmt: skip


def _node_capacity(network: Network, assumptions: Assumptions) -> pd.DataFrame:
    rows = []
    for node in network.nodes:
        for resource in ("storage_cuft", "inbound_units_per_day", "outbound_units_per_day"):
            rows.append((node.node_id, resource, _EVER, getattr(node, resource)))
    declared = {(node, resource): amount for node, resource, _, amount in rows}
    for week in assumptions.reduced_weeks:
        usual = declared[week.node_id, week.resource]
        start = pd.Timestamp(week.start_date)
        rows.append((week.node_id, week.resource, start, usual * week.share))
        rows.append((week.node_id, week.resource, start + pd.Timedelta(days=7), usual))
    return pd.DataFrame(rows, columns=["node_id", "resource", "start_date", "capacity"])
