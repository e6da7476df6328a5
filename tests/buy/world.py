"""A made-up night for buy: tables as ingest and optimize publish them, of any size."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import nbinom

from pipeline.buy.plan import BuyTables

AS_OF = date(2016, 4, 10)
TODAY = pd.Timestamp(AS_OF)
REVIEW_DAYS = 7


def value_rows(item: str, vendor: str, mean: float, margin: float, holding: float) -> pd.DataFrame:
    """Newsvendor-like value of a position: margin E[min(D, x)] less holding of what is left."""
    top = int(mean * 3 + 10)
    x = np.arange(top + 1)
    tail = nbinom.sf(x - 1, 2, 2 / (2 + mean)) if mean > 0 else np.zeros(top + 1)
    served = np.concatenate([[0.0], np.cumsum(tail[1:])])
    value = margin * served - holding * (x - served)
    knots = np.unique(np.rint(np.linspace(0, top, 24)).astype(int))
    return pd.DataFrame({
        "item_id": item, "vendor_id": vendor, "position_units": x[knots],
        "position_value_usd": value[knots],
    })  # fmt: skip


def overrides(*rows: tuple[str | None, str, float]) -> pd.DataFrame:
    """Order overrides (item or None, kind, value), in force on the night."""
    return pd.DataFrame({
        "override_id": [f"o{n}" for n in range(len(rows))],
        "item_id": [row[0] for row in rows],
        "node_id": None,
        "override_target": "order_units",
        "override_kind": [row[1] for row in rows],
        "override_value": [float(row[2]) for row in rows],
        "start_date": TODAY,
        "expiry_date": TODAY + pd.Timedelta(days=30),
        "planner": "Ada",
        "why": "a test",
    })  # fmt: skip


def no_life(items: list[str], **known: object) -> pd.DataFrame:
    """Items that sold yesterday, without an end, but for what is `known`."""
    table = pd.DataFrame({
        "item_id": items, "last_sale_date": TODAY, "known_days": 800, "quiet_days": 0,
        "is_quiet": False, "dead_probability": 0.0,
        "end_date": pd.NaT, "shelf_life_days": pd.array([pd.NA] * len(items), dtype="Int64"),
    })  # fmt: skip
    return table.assign(**known)


def world(n_items: int, n_vendors: int, seed: int, second_vendor_share: float = 0.2) -> BuyTables:
    """A random night: heavy-tailed demand, case packs, MOQ, order minima, open orders."""
    rng = np.random.default_rng(seed)
    items = [f"i{n:05d}" for n in range(n_items)]
    vendors = pd.DataFrame({
        "vendor_id": [f"v{n:02d}" for n in range(n_vendors)],
        "order_minimum_usd": rng.choice([0.0, 100.0, 500.0], n_vendors),
        "vendor_capacity_units_per_order": pd.array(
            [pd.NA if rng.random() < 0.7 else int(rng.integers(2, 40) * n_items // n_vendors + 50)
             for _ in range(n_vendors)], dtype="Int64"),
    })  # fmt: skip
    offers, targets, curves, leads = [], [], [], []
    stock, orders = [], []
    for n, item in enumerate(items):
        rate = float(rng.lognormal(0.5, 1.2))
        cost = float(np.round(rng.lognormal(1.5, 0.7), 2))
        sellers = [n % n_vendors]
        if rng.random() < second_vendor_share and n_vendors > 1:
            sellers.append((n + 1 + n // n_vendors) % n_vendors)
        for v in sorted(set(sellers)):
            lead = int(rng.integers(3, 21))
            cover = lead + REVIEW_DAYS
            mean = rate * cover
            curve = value_rows(item, f"v{v:02d}", mean, cost * 0.6, cost * 0.02)
            level = int(curve["position_units"].iloc[curve["position_value_usd"].argmax()])
            curves.append(curve)
            case = int(rng.choice([1, 6, 12, 24]))
            offers.append((f"v{v:02d}", item, cost, int(rng.choice([0, 0, 10, 48])), case, lead))
            targets.append((item, f"v{v:02d}", level, level, mean, level - mean, float(cover)))
            leads.append((f"v{v:02d}", item, lead, 1.0, float(lead)))
        stock.append((TODAY, item, "n1", int(rate * rng.uniform(0, 25))))
        if rng.random() < 0.3:
            days = int(rng.integers(-5, 40))
            orders.append((TODAY, f"p{n}", f"v{sellers[0]:02d}", item, "n1",
                           TODAY + pd.Timedelta(days=days), int(rate * 10)))  # fmt: skip
    return BuyTables(
        vendors=vendors,
        vendor_items=pd.DataFrame(offers, columns=[
            "vendor_id", "item_id", "unit_cost_usd", "moq_units", "case_pack_units",
            "quoted_lead_time_days"]),
        lead_times=pd.DataFrame(leads, columns=[
            "vendor_id", "item_id", "lead_time_days", "probability", "mean_lead_time_days"]),
        stock=pd.DataFrame(stock, columns=["date", "item_id", "node_id", "on_hand_units"]),
        open_orders=pd.DataFrame(orders, columns=[
            "date", "order_id", "vendor_id", "item_id", "node_id", "expected_arrival_date",
            "open_units"]),
        open_transfers=pd.DataFrame({
            "date": pd.Series([], dtype="datetime64[s]"), "item_id": pd.Series([], dtype="str"),
            "open_units": pd.Series([], dtype="int64"),
            "expected_arrival_date": pd.Series([], dtype="datetime64[s]")}),
        overrides=overrides(),
        item_life=no_life(items),
        vendor_calendar=pd.DataFrame({
            "vendor_id": vendors["vendor_id"], "takes_orders": True, "order_gap_days": 1,
            "next_order_date": TODAY + pd.Timedelta(days=1),
        }),
        network_targets=pd.DataFrame(targets, columns=[
            "item_id", "vendor_id", "order_up_to_units", "unpriced_order_up_to_units",
            "cover_demand_units", "safety_stock_units", "cover_days",
        ]).assign(node_override_units=0, sold_out_units=0),
        position_values=pd.concat(curves, ignore_index=True),
    )  # fmt: skip


def one_item(
    on_hand: int = 0, level: int = 40, case: int = 1, moq: int = 0, **rest: object
) -> BuyTables:
    """One item of one vendor: 2 units a day, lead time 7, cover 14 days, 10 usd a unit."""
    base = world(1, 1, 0)
    curve = pd.DataFrame({
        "item_id": "i00000", "vendor_id": "v00", "position_units": [0, level, level * 3],
        "position_value_usd": [0.0, level * 5.0, level * 5.0 - level * 2 * 0.5],
    })  # fmt: skip
    tables = replace(
        base,
        vendors=base.vendors.assign(
            order_minimum_usd=0.0, vendor_capacity_units_per_order=pd.array([pd.NA], dtype="Int64")
        ),
        vendor_items=base.vendor_items.assign(
            unit_cost_usd=10.0, moq_units=moq, case_pack_units=case, quoted_lead_time_days=7
        ),
        lead_times=base.lead_times.assign(lead_time_days=7, mean_lead_time_days=7.0),
        stock=base.stock.assign(on_hand_units=on_hand),
        open_orders=base.open_orders.iloc[:0],
        network_targets=base.network_targets.assign(
            order_up_to_units=level, unpriced_order_up_to_units=level, cover_demand_units=28.0,
            safety_stock_units=level - 28.0, cover_days=14.0,
        ),
        position_values=curve,
    )  # fmt: skip
    return replace(tables, **rest)  # type: ignore[arg-type]  # tables by name, given by tests
