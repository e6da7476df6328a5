"""Service targets against a simulation of the levels that they lead to.

    python -m benchmarks.service_targets [--items 60] [--goodwill 0.05] [--holding 2] [--runs 12]
        [--seed 0] [--shape 0.5] [--lead-days 5,9,16]

The tests' world, where goodwill is low and holding dear so that targets bind; --json FILE writes
the rows. Every day the network is ordered up to its published level, an economic lot at least;
orders come after a lead time (--leads) and the mean transit to nodes; what is not there is lost.
Demand of a day is negative binomial, either independent from day to day ('known'), or with a level
that is drawn once and that the forecast does not learn ('unlearned'); the forecast's quantiles are
those of the law. Nothing is fitted to it: seeds (of items and demand), shapes (of a day's demand,
lumpier the less) and lead times may be any.
Told are, by class: the target, what
the plan says, what the simulation serves, and the target's published cost a week beside the profit
(sales less holding) that the same customers bring less with it.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import nbinom

from pipeline.contracts.columns import ABC_CLASSES, QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.optimize.item_model import lot_units
from pipeline.optimize.night_model import NightModel, night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.service_scopes import abc_classes
from tests.optimize import world

WARM_DAYS, DAYS = 120, 364
WINDOWS = (7, 14, 28, 56)
LAWS = ("known", "unlearned")
TARGETS = (None, 0.90, 0.95, 0.98)


@dataclass(frozen=True)
class Here:
    """A world: seed of its items and demand, shape of a day's demand, days of the lead times, cost
    of a unit as a share of its price, and how many items."""

    items: int
    seed: int
    shape: float
    lead_days: tuple[int, int, int]
    cost_share: float


def tables(here: Here, law: str, rate: NDArray[np.float64]) -> dict[str, pd.DataFrame]:
    """The world with quantiles of the law; rate: [items, regions] units a day."""
    found = world.tables(items=here.items)
    leads = found["lead_times"]
    found["lead_times"] = leads.assign(
        lead_time_days=leads["lead_time_days"].map(
            dict(zip((5, 9, 16), here.lead_days, strict=True))
        )
    )
    ids = found["items"]["item_id"].tolist()
    regions = sorted(found["regions"]["region_id"])
    frames = []
    for days in WINDOWS:
        mean = (rate * days).ravel()
        shape = here.shape * days if law == "known" else 8.0
        levels = nbinom.ppf(np.array(QUANTILE_LEVELS), shape, shape / (shape + mean[:, None]))
        frame = pd.DataFrame(levels, columns=list(QUANTILE_COLUMNS))
        frame.insert(0, "item_id", np.repeat(ids, len(regions)))
        frame.insert(1, "region_id", np.tile(regions, len(ids)))
        frames.append(
            frame.assign(
                window_start_day=1, window_days=days, mean_units=mean, dependence_group="all"
            )
        )
    found["demand_quantiles"] = pd.concat(frames, ignore_index=True)
    found["demand_dependence"] = found["demand_dependence"].iloc[:0]
    vendors = found["vendor_items"]
    vendors = vendors[vendors["vendor_id"] == "V0"].copy()
    price = found["items"].set_index("item_id")["list_price_usd"]
    vendors["unit_cost_usd"] = here.cost_share * vendors["item_id"].map(price)
    found["vendor_items"] = vendors
    found["items"] = found["items"].assign(category="food", department="food")
    return found


def demand(law: str, rate: NDArray[np.float64], shape_a_day: float, seed: int) -> NDArray[np.int64]:
    """[days, items] units asked for."""
    rng = np.random.default_rng(seed)
    days = WARM_DAYS + DAYS
    if law == "known":
        shape = np.full((days, *rate.shape), shape_a_day)
        level = rng.gamma(shape, rate / shape_a_day)
    else:
        level = np.broadcast_to(rng.gamma(8.0, rate / 8.0), (days, *rate.shape))
    return np.asarray(rng.poisson(level).sum(axis=2), np.int64)


def lived(
    model: NightModel, level: NDArray[np.int64], asked: NDArray[np.int64], settings: Settings,
    seed: int, runs: int, leads: str,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """Units served [items], and mean units owned [items], of the days after the warm-up."""
    rng = np.random.default_rng(seed)
    vendors, transit = model.vendors, round(model.cycle_days) - 7
    lot = np.maximum(lot_units(asked.mean(axis=0), model.money, settings), 1.0)
    days, items = asked.shape
    lead = np.empty((items, days), np.int64)
    for row, chances in enumerate(vendors.chances):
        if leads == "steady":  # as the plan takes it: one lead time for all orders on the way
            at = int(np.searchsorted(np.cumsum(chances), (seed % runs + 0.5) / runs))
            lead[row] = vendors.lead_days[min(at, len(chances) - 1)]
        else:
            lead[row] = rng.choice(vendors.lead_days.astype(np.int64), days, p=chances)
    lead += transit
    on_hand, coming = level.copy(), np.zeros((days + 120, items), np.int64)
    position = level.copy()
    sold, owned = np.zeros(items, np.int64), np.zeros(items)
    for day in range(days):
        on_hand += coming[day]
        served = np.minimum(on_hand, asked[day])
        on_hand -= served
        position -= served
        short = level - position
        order = np.where(short >= lot, short, 0)
        np.add.at(coming, (day + 1 + lead[:, day], np.arange(items)), order)
        position += order
        if day >= WARM_DAYS:
            sold += served
            owned += on_hand / DAYS
    return sold, owned


def planned(
    here: Here,
    law: str,
    rate: NDArray[np.float64],
    target: float | None,
    settings: Settings,
) -> tuple[NightModel, dict[str, pd.DataFrame]]:
    """A night with the target for each class."""
    given = tables(here, law, rate)
    rows = [] if target is None else [
        (abc, "fill_rate", target, abc, None, None, None) for abc in ABC_CLASSES
    ]  # fmt: skip
    columns = list(TABLES["service_targets"].columns)
    given["service_targets"] = pd.DataFrame(rows, columns=columns, dtype=object)
    model = night_model(given, world.AS_OF, settings)
    return model, optimize_night(model, settings)


def measured(
    here: Here, goodwill: float, holding: float, runs: int, leads: str
) -> list[dict[str, object]]:
    """A row for each law, target and class."""
    settings = Settings.model_validate({
        "optimize": {"scenarios": 512, "audit_items": 0, "exact_items": 0},
        "run": {"threads": 1},
        "planning": {
            "goodwill_share": goodwill, "horizon_weeks": 3, "holding_rate_per_year": holding,
        },
    })  # fmt: skip
    rng, items = np.random.default_rng(here.seed), here.items
    rate = rng.lognormal(0.0, 1.0, (items, 1)) * rng.dirichlet(np.full(10, 9.0), items)
    found: list[dict[str, object]] = []
    for law in LAWS:
        free: dict[str, tuple[float, float]] = {}
        rate_here = rate[:, : len(world.tables(items=items)["regions"])]
        for target in TARGETS:
            model, out = planned(here, law, rate_here, target, settings)
            level = out["network_targets"]["order_up_to_units"].to_numpy(np.int64)
            asked, sold, owned = np.zeros(items), np.zeros(items), np.zeros(items)
            for run in range(runs):
                day = demand(law, rate_here, here.shape, 1000 * here.seed + 100 + run)
                units, held = lived(model, level, day, settings, runs * 100 + run, runs, leads)
                asked += day[WARM_DAYS:].sum(axis=0)
                sold += units
                owned += held / runs
            hold = model.unit_holding_usd / model.cycle_days * 7.0
            weekly = sold * model.money.lost_sale_usd / (runs * DAYS / 7.0) - owned * hold
            listed = world.tables(items=items)["items"]["list_price_usd"].to_numpy(float)
            abc = abc_classes(model.cube.mean[:, -1].sum(axis=1) * listed)
            told = out["service_levels"].set_index("abc_class")
            for name in ABC_CLASSES:
                mine = abc == name
                fill = float(sold[mine].sum() / asked[mine].sum())
                profit = float(weekly[mine].sum())
                if target is None:
                    free[name] = (fill, profit)
                    continue
                row = told.loc[name]
                found.append({
                    "law": law, "class": name, "target": target, "planned": row["planned_share"],
                    "simulated": fill, "without": free[name][0], "status": row["service_status"],
                    "target_usd": row["target_usd_per_week"],
                    "point_usd": row["point_usd_per_week"], "measured_usd": free[name][1] - profit,
                })  # fmt: skip
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--goodwill", type=float, default=0.05)
    parser.add_argument("--holding", type=float, default=2.0, help="Holding rate a year.")
    parser.add_argument("--cost-share", type=float, default=0.6,
                        help="Of the price that a unit costs: near 1, targets bind.")  # fmt: skip
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--leads", choices=("steady", "crossing"), default="steady",
                        help="One lead time a run, or one drawn for each order.")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="Of items and their demand.")
    parser.add_argument("--shape", type=float, default=0.5, help="Of a day's demand.")
    parser.add_argument(
        "--lead-days", default="5,9,16", help="Of half, a third, a fifth of orders."
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    first, second, third = map(int, options.lead_days.split(","))
    here = Here(
        options.items, options.seed, options.shape, (first, second, third), options.cost_share
    )
    rows = measured(here, options.goodwill, options.holding, options.runs, options.leads)
    shown = Table(*rows[0], title="Service targets: planned, simulated, and what they cost a week")
    for row in rows:
        shown.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(width=160).print(shown)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1, default=float))


if __name__ == "__main__":
    main()
