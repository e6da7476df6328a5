"""From the night's tables to what is known and decided of each group of substitutes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline.contracts.columns import LEAVES
from pipeline.contracts.settings import Settings
from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.decide import QUICK
from pipeline.core.assortment.group import Certified, Group, Work, decide_group, value_if_dropped
from pipeline.core.assortment.retail import RetailFit, learn_retail
from pipeline.core.assortment.terms import Terms
from pipeline.group_panels import GroupPanel, group_panels

Tables = Mapping[str, pd.DataFrame]
Frames = dict[str, pd.DataFrame]

COLUMNS = {
    "substitution": ["choice_group", "item_id", "to_item_id", "probability", "share_from_data"],
    "first_choice": ["item_id", "region_id", "first_choice_units", "sold_units",
                     "recaptured_units", "stocked_share"],
    "assortment": ["item_id", "is_offered", "season_units", "value_usd", "value_if_dropped_usd",
                   "assortment_reason"],
    "assortment_summary": ["choice_group", "group_items", "carried_items", "season_profit_usd",
                           "lp_bound_usd", "season_bound_usd", "bound_gap"],
}  # fmt: skip


def assort_night(tables: Tables, as_of: date, settings: Settings) -> Frames:
    """The stage's four tables, groups in order of name; a group of one is left out.

    Groups are shards: each is learned and decided from its own rows and a seed of its name.
    """
    regions = sorted(tables["regions"]["region_id"].astype(str))
    panels = group_panels(tables["choice_groups"], tables["daily_demand"], regions)
    money = _money(tables, as_of, settings)
    customers = _expected(tables["demand_quantiles"], settings.assort.season_days)

    def one(panel: GroupPanel) -> Frames:
        return _group(panel, regions, money, customers, settings)

    with ThreadPoolExecutor(settings.run.threads) as pool:
        found = list(pool.map(one, panels))
    return {
        name: pd.concat([frames[name] for frames in found], ignore_index=True)
        if found
        else pd.DataFrame(columns=columns)
        for name, columns in COLUMNS.items()
    }


def _money(tables: Tables, as_of: date, settings: Settings) -> pd.DataFrame:
    """Price and least unit cost of each item; a unit costs its holding for the season more."""
    tomorrow = pd.Timestamp(as_of + timedelta(days=1))
    prices = tables["prices"][tables["prices"]["start_date"] <= tomorrow]
    keys = [prices["item_id"].astype(str), prices["region_id"].astype(str)]
    latest = prices.sort_values("start_date", kind="stable").groupby(keys)["price_usd"].last()
    vendors = tables["vendor_items"]
    cost = vendors.groupby(vendors["item_id"].astype(str))["unit_cost_usd"].min()
    items = tables["items"].set_index(tables["items"]["item_id"].astype(str))
    price = latest.groupby(level=0).mean().reindex(items.index)
    found = pd.DataFrame({"price": price.fillna(items["list_price_usd"].astype(float))})
    found["cost"] = cost.reindex(items.index).astype(float)
    found["can_buy"] = found["cost"].notna()
    found["cost"] = found["cost"].fillna(found["price"])
    rate = settings.planning.holding_rate_per_year / 365.0 * settings.assort.season_days
    return found.assign(holding=rate * found["cost"])


def _expected(quantiles: pd.DataFrame, season_days: int) -> pd.Series:
    """Expected units of each item in the season, all regions, from the nearest window."""
    rows = quantiles[quantiles["window_start_day"] == 1]
    if rows.empty:
        return pd.Series(dtype=float)
    lengths = rows["window_days"].unique()
    days = min(lengths, key=lambda length: (abs(length - season_days), length))
    rows = rows[rows["window_days"] == days]
    total = rows.groupby(rows["item_id"].astype(str))["mean_units"].sum()
    return total * (season_days / days)


def _group(
    panel: GroupPanel,
    regions: list[str],
    money: pd.DataFrame,
    expected: pd.Series,
    settings: Settings,
) -> Frames:
    fit = learn_retail(panel.units, panel.in_stock, settings.assort.prior_moves)
    mine = money.reindex(panel.items)
    cost = mine["cost"].to_numpy(float)
    terms = Terms(
        mine["price"].to_numpy(float), cost + mine["holding"].to_numpy(float), cost,
        np.zeros(len(cost)), np.ones(len(cost), np.int64), mine["can_buy"].to_numpy(bool),
    )  # fmt: skip
    customers = float(expected.reindex(panel.items).fillna(0.0).sum())
    seed = settings.planning.seed + sum(ord(letter) * 31**k % 997 for k, letter in
                                        enumerate(panel.name))  # fmt: skip
    group = Group(fit.learned.chain, terms, customers, settings.assort.dispersion, seed)
    work = Work(settings.assort.seasons, settings.assort.seasons, 2, 20, 40, QUICK)
    found = decide_group(group, work)
    dropped = value_if_dropped(group, work, found.units)
    return {
        "substitution": _substitution(panel, fit),
        "first_choice": _first_choice(panel, regions, fit),
        "assortment": _assortment(panel, terms, found, dropped),
        "assortment_summary": pd.DataFrame(
            [[panel.name, len(panel.items), int((found.units > 0).sum()), found.profit_usd,
              found.lp_bound_usd, found.season_bound.upper_usd, _gap(found)]],
            columns=COLUMNS["assortment_summary"],
        ),
    }  # fmt: skip


def _gap(found: Certified) -> float:
    upper = found.season_bound.upper_usd
    return max(upper - found.profit_usd, 0.0) / upper if upper > 0 else 0.0


def _substitution(panel: GroupPanel, fit: RetailFit) -> pd.DataFrame:
    """Each item's likely moves, and leaving; what rounds to nothing is left out."""
    rows = []
    for i, item in enumerate(panel.items):
        onward = fit.learned.chain.transition[i]
        share = float(fit.learned.data_share[i])
        for j in np.flatnonzero(onward >= 1e-4):
            rows.append((panel.name, item, panel.items[j], float(onward[j]), share))
        rows.append((panel.name, item, LEAVES, float(max(1.0 - onward.sum(), 0.0)), share))
    return pd.DataFrame(rows, columns=COLUMNS["substitution"])


def _first_choice(panel: GroupPanel, regions: list[str], fit: RetailFit) -> pd.DataFrame:
    """Means by day over the days observed."""
    seen = np.isfinite(fit.first_choices[:, :, :1])
    days = np.maximum(seen.sum(axis=1), 1)
    kept = np.where(seen, np.nan_to_num(fit.first_choices), 0.0).sum(axis=1) / days
    sold = np.where(seen, np.nan_to_num(panel.units), 0.0).sum(axis=1) / days
    won = fit.recaptured.sum(axis=1) / days
    share = np.where(seen, panel.in_stock, 0.0).sum(axis=1) / days
    frame = pd.DataFrame({
        "item_id": np.tile(panel.items, len(regions)),
        "region_id": np.repeat(regions, len(panel.items)),
        "first_choice_units": kept.ravel(), "sold_units": sold.ravel(),
        "recaptured_units": won.ravel(), "stocked_share": share.ravel(),
    })  # fmt: skip
    return frame[COLUMNS["first_choice"]]


def _assortment(panel: GroupPanel, terms: Terms, found: Certified, dropped: Floats) -> pd.DataFrame:
    """What to carry for a season, and why."""
    sold, units = found.fresh.outcome.sold, found.units
    direct = sold * (terms.price_usd - terms.salvage_usd)
    reasons = []
    for i in range(len(panel.items)):
        if units[i] == 0:
            reasons.append("unprofitable" if terms.margin_usd[i] <= 0 else "cannibalizes")
        else:
            reasons.append("pools" if dropped[i] < 0.5 * direct[i] else "unique")
    return pd.DataFrame({
        "item_id": panel.items, "is_offered": units > 0, "season_units": units,
        "value_usd": found.decision.fluid.value_usd, "value_if_dropped_usd": dropped,
        "assortment_reason": reasons,
    })  # fmt: skip
