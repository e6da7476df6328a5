"""Worlds whose customers substitute by a known chain, as raw folders with their history.

The network, vendors and stock are those of `echelon sample`. Items stand in groups of six alike in
price, with margins of their own. Before the start one item-region in eight is out on any day, and
its customers turn to others by the chain; after it sales are what is wanted first, so that the
simulated world can serve, lose and pass on by the same chain. A world is drawn from its seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.ingest.sample import SampleSize, write_sample

START = date(2025, 6, 29)
GROUP_ITEMS = 6
_HISTORY_DAYS = 300
_COVER_DAYS = 14
_OUT_STARTS, _OUT_DAYS = 0.025, (3, 8)


@dataclass(frozen=True)
class Asked:
    """What to draw: seed, items, regions, simulated days, share of customers who leave at once
    (1: nobody substitutes)."""

    seed: int
    items: int = 18
    regions: int = 2
    days: int = 28
    leaves: float = 0.25


def write_world(folder: Path, asked: Asked, names_groups: bool) -> Path:
    """Write the raw folder; returns the file of its true chain (beside the folder).

    names_groups: whether the planner is told which items are substitutes."""
    rng = np.random.default_rng(asked.seed)
    size = SampleSize(asked.items, asked.regions, _HISTORY_DAYS + asked.days, asked.days + 1, 60)
    write_sample(folder, size, START + timedelta(days=asked.days), asked.seed)
    items = sorted(pd.read_csv(folder / "items.csv")["item_id"])
    regions = pd.read_csv(folder / "regions.csv")["region_id"].tolist()
    group = np.arange(len(items)) // GROUP_ITEMS
    days = pd.date_range(end=pd.Timestamp(START) + pd.Timedelta(days=asked.days),
                         periods=_HISTORY_DAYS + asked.days)  # fmt: skip
    _money(folder, rng, items, regions, group, days[0])
    onward = _chain(rng, group, asked.leaves)
    rate = rng.gamma(1.5, 0.8, (len(items), len(regions)))
    first = rng.poisson(rate, (len(days), *rate.shape))
    is_out = _spells(rng, first.shape)
    is_out[-asked.days :] = False
    sold = np.stack([_sold(rng, first[t], is_out[t], onward) for t in range(len(days))])
    t, k, r = np.nonzero(sold)
    _write(folder / "sales.csv", items, regions, days, (t, k, r), units=sold[t, k, r])
    t, k, r = np.nonzero(is_out)
    _write(folder / "availability.csv", items, regions, days, (t, k, r), in_stock_share=0.0)
    if names_groups:
        pd.DataFrame({"choice_group": [f"group {g}" for g in group], "item_id": items}).to_csv(
            folder / "choice_groups.csv", index=False
        )
    _supply(folder, rng, items, days[-asked.days - 1 :], rate.sum(axis=1))
    for name in ("overrides", "receipts", "open_orders", "open_transfers"):
        (folder / f"{name}.csv").unlink(missing_ok=True)
    i, j = np.nonzero(onward)
    path = folder.parent / f"{folder.name}_chain.csv"
    names = np.array(items)
    pd.DataFrame({"item_id": names[i], "to_item_id": names[j], "probability": onward[i, j]}).to_csv(
        path, index=False
    )
    return path


def _money(
    folder: Path, rng: np.random.Generator, items: list[str], regions: list[str],
    group: NDArray[np.int64], first: pd.Timestamp,
) -> None:  # fmt: skip
    """Prices alike within a group, costs of 45 to 90 % of them; all items sold from the start."""
    base = rng.uniform(20, 45, group.max() + 1)[group]
    price = np.round(base * rng.uniform(0.85, 1.2, len(items)), 2)
    cost = dict(zip(items, np.round(price * rng.uniform(0.45, 0.9, len(items)), 2), strict=True))
    table = pd.read_csv(folder / "items.csv").sort_values("item_id")
    table = table.assign(list_price_usd=price, launch_date=f"{first:%Y-%m-%d}", end_date=None,
                         size_class="sortable",
                         unit_cube_cuft=np.minimum(table["unit_cube_cuft"], 1.5))  # fmt: skip
    table.to_csv(folder / "items.csv", index=False)
    pd.DataFrame([(item, region, f"{first:%Y-%m-%d}", usd)
                  for item, usd in zip(items, price, strict=True) for region in regions],
                 columns=["item_id", "region_id", "start_date", "price_usd"],
                 ).to_csv(folder / "prices.csv", index=False)  # fmt: skip
    offers = pd.read_csv(folder / "vendor_items.csv")
    offers.assign(unit_cost_usd=offers["item_id"].map(cost)).to_csv(
        folder / "vendor_items.csv", index=False
    )


def _supply(
    folder: Path, rng: np.random.Generator, items: list[str], days: pd.DatetimeIndex,
    rate: NDArray[np.float64],
) -> None:  # fmt: skip
    """Vendors one to two weeks away, and stock for two weeks where they deliver; nothing on order.
    The same stock is told of all simulated days: the data set's later nights are not planned."""
    offers = pd.read_csv(folder / "vendor_items.csv")
    quoted = rng.integers(6, 13, len(offers))
    offers.assign(quoted_lead_time_days=quoted, moq_units=6, case_pack_units=3).to_csv(
        folder / "vendor_items.csv", index=False
    )
    nodes = pd.read_csv(folder / "nodes.csv")
    docks = nodes.loc[nodes["is_vendor_receiving"] & (nodes["accepts"] != "non_sortable"),
                      "node_id"].tolist()  # fmt: skip
    each = np.ceil(_COVER_DAYS * rate / len(docks)).astype(np.int64)
    pd.DataFrame([(f"{day:%Y-%m-%d}", item, node, units) for day in days
                  for item, units in zip(items, each, strict=True) for node in docks],
                 columns=["date", "item_id", "node_id", "on_hand_units"],
                 ).to_csv(folder / "stock.csv", index=False)  # fmt: skip


def _chain(
    rng: np.random.Generator, group: NDArray[np.int64], leaves: float
) -> NDArray[np.float64]:
    onward = np.zeros((len(group), len(group)))
    for k, own in enumerate(group):
        others = np.flatnonzero((group == own) & (np.arange(len(group)) != k))
        if len(others) and leaves < 1:
            onward[k, others] = (1 - leaves) * rng.dirichlet(np.full(len(others), 2.0))
    return onward


def _spells(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Days [days, items, regions] within spells of three to eight days out of stock."""
    starts = rng.random(shape) < _OUT_STARTS
    length = rng.integers(*_OUT_DAYS, shape, endpoint=True)
    is_out = np.zeros(shape, bool)
    for t, k, r in np.argwhere(starts):
        is_out[t : t + length[t, k, r], k, r] = True
    return is_out


def _sold(
    rng: np.random.Generator, first: NDArray[np.int64], is_out: NDArray[np.bool_],
    onward: NDArray[np.float64],
) -> NDArray[np.int64]:  # fmt: skip
    """Units [items, regions] sold of a day: first choices, and those who walked to an item."""
    sold = np.where(is_out, 0, first)
    for r in range(first.shape[1]):
        turned = np.where(is_out[:, r], first[:, r], 0)
        for _ in range(12):
            moving = np.zeros(len(turned), np.int64)
            for k in np.flatnonzero(turned):
                row = np.append(onward[k], max(1.0 - onward[k].sum(), 0.0))
                moving += rng.multinomial(turned[k], row)[:-1]
            sold[:, r] += np.where(is_out[:, r], 0, moving)
            turned = np.where(is_out[:, r], moving, 0)
            if not turned.any():
                break
    return sold


def _write(
    path: Path, items: list[str], regions: list[str], days: pd.DatetimeIndex,
    at: tuple[NDArray[np.int64], ...], **columns: object,
) -> None:  # fmt: skip
    t, k, r = at
    pd.DataFrame({
        "item_id": np.array(items)[k], "region_id": np.array(regions)[r],
        "date": days[t].strftime("%Y-%m-%d"), **columns,
    }).to_csv(path, index=False)  # fmt: skip
