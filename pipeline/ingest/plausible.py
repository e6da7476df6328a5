"""Costs, prices and quantities that no business means: told before money is spent on them.

A cost above the price is often that of a case; a factor of a hundred, cents read as dollars; a
factor of a thousand, grams or a slipped decimal mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.findings import Finding
from pipeline.ingest.repeats import COUNTED
from pipeline.ingest.thresholds import SNAPSHOTS

Tables = Mapping[str, pd.DataFrame]
_RECENT_DAYS = 28
_LISTED = 50
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_EARTH_KM, _FAR_KM = 6_371.0, 3_000.0


def plausible_findings(tables: Tables, as_of: date, settings: IngestSettings) -> list[Finding]:
    """Warnings by item, and a fatal finding where recent sales as a whole are made at a loss."""
    today = pd.Timestamp(as_of)
    margins = _margins(tables, today)
    return [
        *_far_dates(tables), *_far_places(tables),
        *_costs(margins, settings), *_whole_margin(margins, settings),
        *_vendor_costs(tables, settings), *_price_jumps(tables, today, settings),
        *_large_sales(tables, today, settings), *_large_stock(tables, today, settings),
    ]  # fmt: skip


def _far_dates(tables: Tables) -> Iterator[Finding]:
    """Dates that no business of today means: an empty field's 1900, a counter read as a date."""
    for name in sorted(tables):
        frame = tables[name]
        for column in frame.columns:
            if COLUMNS[column].kind != "date":
                continue
            year = frame[column].dt.year
            far = frame[column][(year < _FIRST_YEAR) | (year > _LAST_YEAR)]
            if len(far):
                yield Finding(
                    name, 0, column, f"lies before {_FIRST_YEAR} or after {_LAST_YEAR}",
                    f"e.g. {far.min():%Y-%m-%d}", "It is taken as written. An empty field of "
                    "another system, or a wrong year? Leave such cells blank where nothing is "
                    "known.", "warning", rows=len(far),
                )  # fmt: skip


def _far_places(tables: Tables) -> Iterator[Finding]:
    """Regions and nodes that lie across an ocean from every other place: a sign lost, a wrong cell.

    Great-circle distances by the haversine formula, on a sphere of 6,371 km.
    """
    names, rows = [], []
    for table in ("regions", "nodes"):
        frame = tables[table]
        names += [(table, str(name)) for name in frame[f"{table.removesuffix('s')}_id"]]
        rows.append(frame[["latitude", "longitude"]].to_numpy(dtype=float))
    place = np.radians(np.concatenate(rows))
    latitude, longitude = place[:, 0], place[:, 1]
    for row, (table, name) in enumerate(names):
        others = np.arange(len(names)) != row
        half = (
            np.sin((latitude[others] - latitude[row]) / 2) ** 2
            + np.cos(latitude[row]) * np.cos(latitude[others])
            * np.sin((longitude[others] - longitude[row]) / 2) ** 2
        )  # fmt: skip
        if not len(half):
            continue
        nearest = 2 * _EARTH_KM * float(np.arcsin(np.sqrt(np.clip(half.min(), 0, 1))))
        if nearest > _FAR_KM:
            yield Finding(
                table, 0, "latitude", f"{name} lies {nearest:,.0f} km from every other place",
                f"{np.degrees(latitude[row]):g}, {np.degrees(longitude[row]):g}",
                "Correct latitude and longitude (a sign, an exchange of both?); it is taken as "
                "written.", "warning", name,
            )  # fmt: skip


def _margins(tables: Tables, today: pd.Timestamp) -> pd.DataFrame:
    """By item: price_usd (mean over regions of what holds today), unit_cost_usd of the cheapest
    vendor, case_pack_units there, and units sold in the last 28 days."""
    items = tables["items"]
    listed = pd.Series(items["list_price_usd"].to_numpy(), index=items["item_id"].astype("str"))
    prices = tables["prices"]
    prices = prices[prices["start_date"] <= today].sort_values("start_date", kind="stable")
    prices = prices.drop_duplicates(["item_id", "region_id"], keep="last")
    price = prices.groupby(prices["item_id"].astype("str"))["price_usd"].mean()
    offers = tables["vendor_items"].sort_values(["unit_cost_usd", "vendor_id"], kind="stable")
    offers = offers.drop_duplicates("item_id").set_index(
        offers["item_id"].drop_duplicates().astype("str")
    )
    sales = tables["sales"]
    sales = sales[sales["date"] > today - pd.Timedelta(days=_RECENT_DAYS)]
    sold = sales.groupby(sales["item_id"].astype("str"))["units"].sum()
    frame = pd.DataFrame({
        "price_usd": price.reindex(listed.index).fillna(listed),
        "unit_cost_usd": offers["unit_cost_usd"].reindex(listed.index),
        "case_pack_units": offers["case_pack_units"].reindex(listed.index),
        "units": sold.reindex(listed.index).fillna(0),
    })  # fmt: skip
    return frame.dropna(subset=["unit_cost_usd"]).sort_index()


def _costs(margins: pd.DataFrame, settings: IngestSettings) -> Iterator[Finding]:
    share = margins["unit_cost_usd"] / margins["price_usd"].clip(lower=1e-9)
    high, low = share > 1, share < settings.least_cost_share
    for item, row in margins[high].head(_LISTED).iterrows():
        per_case = row["unit_cost_usd"] / row["case_pack_units"]
        hint = (f" Divided by the case of {int(row['case_pack_units'])} it is ${per_case:,.2f}: is "
                "it the cost of a case?" if row["case_pack_units"] > 1 else "")  # fmt: skip
        yield _warning("vendor_items", "unit_cost_usd", "every vendor asks more than the item's "
                       "price", f"${row['unit_cost_usd']:,.2f} against ${row['price_usd']:,.2f}",
                       f"Each sale loses money.{hint}", str(item))  # fmt: skip
    for item, row in margins[low].head(_LISTED).iterrows():
        yield _warning("vendor_items", "unit_cost_usd", "costs next to nothing beside its price",
                       f"${row['unit_cost_usd']:,.4g} against ${row['price_usd']:,.2f}",
                       "Is the price in cents? The bound is ingest.least_cost_share.",
                       str(item))  # fmt: skip


def _whole_margin(margins: pd.DataFrame, settings: IngestSettings) -> Iterator[Finding]:
    revenue = float((margins["units"] * margins["price_usd"]).sum())
    cost = float((margins["units"] * margins["unit_cost_usd"]).sum())
    if revenue > 0 and 1 - cost / revenue < settings.least_margin_share:
        yield Finding(
            "vendor_items", 0, "unit_cost_usd",
            f"what was sold in {_RECENT_DAYS} days would cost more than it brought",
            f"${cost:,.0f} at the cheapest vendors against ${revenue:,.0f}",
            "Costs or prices are in another unit (cases, cents, a currency). If the company means "
            "it, lower ingest.least_margin_share.", "fatal",
        )  # fmt: skip
    if 0 < cost < settings.least_cost_share * revenue:
        yield Finding(
            "vendor_items", 0, "unit_cost_usd",
            f"what was sold in {_RECENT_DAYS} days would cost next to nothing beside what it "
            "brought", f"${cost:,.0f} at the cheapest vendors against ${revenue:,.0f}",
            "Costs or prices are in another unit (cents, a currency): what earns a hundredfold is "
            "overbought. If the company means it, lower ingest.least_cost_share.", "fatal",
        )  # fmt: skip


def _vendor_costs(tables: Tables, settings: IngestSettings) -> Iterator[Finding]:
    """Vendors of one item whose costs differ by more than a factor."""
    offers = tables["vendor_items"]
    spread = offers.groupby(offers["item_id"].astype("str"))["unit_cost_usd"].agg(["min", "max"])
    far = spread[spread["max"] > settings.cost_spread * spread["min"]]
    for item, row in far.head(_LISTED).iterrows():
        yield _warning("vendor_items", "unit_cost_usd", "its vendors' costs are far apart",
                       f"${row['min']:,.2f} to ${row['max']:,.2f}",
                       "Does one quote cases? The bound is ingest.cost_spread.",
                       str(item))  # fmt: skip


def _price_jumps(
    tables: Tables, today: pd.Timestamp, settings: IngestSettings
) -> Iterator[Finding]:
    """Prices that start within four weeks of tonight, far from the price before."""
    prices = tables["prices"].sort_values(["item_id", "region_id", "start_date"], kind="stable")
    before = prices.groupby(["item_id", "region_id"], observed=True)["price_usd"].shift()
    near = (prices["start_date"] - today).abs().dt.days <= _RECENT_DAYS
    ratio = prices["price_usd"] / before
    odd = near & ((ratio >= settings.price_jump) | (ratio <= 1 / settings.price_jump))
    for row, was in zip(prices[odd].head(_LISTED).itertuples(), before[odd].head(_LISTED),
                        strict=True):  # fmt: skip
        yield _warning("prices", "price_usd", "is far from the price before it",
                       f"${row.price_usd:,.2f} after ${was:,.2f}",
                       "Cents or another currency? The bound is ingest.price_jump.",
                       f"{row.item_id} / {row.region_id} / {row.start_date:%Y-%m-%d}")  # fmt: skip


def _large_sales(
    tables: Tables, today: pd.Timestamp, settings: IngestSettings
) -> Iterator[Finding]:
    """Days of an item in a region far above its own mean day with sales, in the last four weeks."""
    sales = tables["sales"]
    grouped = sales.groupby(["item_id", "region_id"], observed=True)["units"]
    rest = (grouped.transform("sum") - sales["units"]) / (grouped.transform("size") - 1).clip(
        lower=1
    )
    odd = (sales["units"] > settings.units_jump * rest.clip(lower=1)) & (sales["units"] > 0)
    odd &= sales["date"] > today - pd.Timedelta(days=_RECENT_DAYS)
    odd &= grouped.transform("size") > 7
    found = sales[odd].assign(usual=rest[odd]).sort_values(["item_id", "region_id", "date"])
    for row in found.head(_LISTED).itertuples():
        yield _warning("sales", "units", "is far above the item's other days",
                       f"{row.units:,} units where {row.usual:,.1f} are usual",
                       "A slipped decimal mark, or grams? The bound is ingest.units_jump.",
                       f"{row.item_id} / {row.region_id} / {row.date:%Y-%m-%d}")  # fmt: skip


def _large_stock(
    tables: Tables, today: pd.Timestamp, settings: IngestSettings
) -> Iterator[Finding]:
    """Items of which tonight more is there or coming than years of sales."""
    sales = tables["sales"]
    if sales.empty:  # a first night: no rate to compare with
        return
    span = min(max((today - sales["date"].min()).days + 1, _RECENT_DAYS), 365)
    recent = sales[sales["date"] > today - pd.Timedelta(days=span)]
    yearly = recent.groupby(recent["item_id"].astype("str"))["units"].sum() * 365 / span
    for name in SNAPSHOTS:
        frame, column = tables[name][tables[name]["date"] == today], COUNTED[name]
        held = frame.groupby(frame["item_id"].astype("str"))[column].sum()
        years = held / yearly.reindex(held.index).fillna(0).clip(lower=1)
        odd = (years > settings.stock_years) & (held > settings.quarantine_threshold_units * 10)
        for item, units in held[odd].head(_LISTED).items():
            yield _warning(name, column, "is more than years of sales",
                           f"{int(units):,} units, {years[item]:,.0f} years",
                           "A bar code or a wrong unit? The item is not bought while it counts. "
                           "The bound is ingest.stock_years.", str(item))  # fmt: skip


def _warning(table: str, column: str, rule: str, value: str, action: str, key: str) -> Finding:
    return Finding(table, 0, column, rule, value, action, "warning", key)
