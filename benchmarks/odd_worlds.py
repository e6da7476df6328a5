"""Random worlds of odd shapes: how near the certificate comes, and whether laws hold.

    python -m benchmarks.odd_worlds [--worlds 24] [--first 0] [--laws] [--json FILE]

Networks of one node, a chain, a star, a deep tree, three trees, or some hundred nodes; demand with
an event or an empty week; docks, storage and what leaves cut to a share of what a free plan uses,
in some weeks or all; closed nodes, nodes without capacity, an item that sells a thousand times what
others do. Prints gap, violation, overflow and CPU seconds of each night's plan.

Sets of nodes are taken as nested (as they are, most of these worlds would be planned by the general
model).

With --laws each world is planned again with its items in another order, cubic feet counted in
other units, rows that bind nothing, a tenth more demand, and a limit in the last week.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import nbinom

from benchmarks.weeks import free_use
from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import Settings
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from tests.optimize.world import AS_OF, START, empty

SETTINGS = Settings.model_validate(
    {
        "optimize": {
            "scenarios": 64,
            "audit_items": 0,
            "price_derivatives": False,
            "general_share": 1.0,
        },
        "run": {"threads": 1},
    }
)
_PER_CUFT = ("storage_overflow_usd_per_cuft_week", "lane_overflow_usd_per_cuft")
SMALL_FEET = SETTINGS.model_copy(
    update={
        "optimize": SETTINGS.optimize.model_copy(
            update={name: getattr(SETTINGS.optimize, name) / 16.0 for name in _PER_CUFT}
        )
    }
)
"""What cubic feet cost if they are counted in sixteenths."""
WEEKS = 6
Frames = dict[str, pd.DataFrame]
Rng = np.random.Generator


def _tree(nodes: int, roots: int) -> Callable[[Rng], list[int]]:
    return lambda rng: [-1] * roots + [int(rng.integers(0, j)) for j in range(roots, nodes)]


SHAPES: dict[str, Callable[[Rng], list[int]]] = {
    "one node": lambda _: [-1],
    "chain of 6": lambda _: list(range(-1, 5)),
    "star of 30": lambda _: [-1] + [0] * 29,
    "deep tree of 30": _tree(30, 1),
    "trees of 30": _tree(30, 3),
    "pair": lambda _: [-1, -1],
    "three tiers of 300": lambda _: (
        [-1] * 3 + [j % 3 for j in range(27)] + [3 + j % 27 for j in range(270)]
    ),
}
FEATURES = ("event", "empty week", "closure", "docks", "storage", "outbound", "no capacity",
            "dominating item", "docks in weeks 3-4")  # fmt: skip


@dataclass(frozen=True)
class World:
    """Its shape, items, features, and raw tables."""

    shape: str
    items: int
    features: tuple[str, ...]
    raw: Frames


def network(parents: list[int], regions: int, rng: Rng) -> Frames:
    """Tables of the network: every node reaches every region, the further the dearer."""
    names = [f"N{j:03d}" for j in range(len(parents))]
    above = np.array(parents)
    place = rng.uniform(0.0, 10.0, (len(parents), 2))
    centre = place[rng.permutation(len(parents))[np.arange(regions) % len(parents)]]
    centre = centre + rng.normal(0.0, 0.3, centre.shape)
    far = np.linalg.norm(centre[:, None] - place[None], axis=2)
    promise = {"same_day": (0, 0.2, 4.0), "one_day": (1, 0.4, 2.5), "five_day": (5, 0.4, 0.5)}
    options = []
    for r in range(regions):
        near = np.argsort(far[r], kind="stable")
        for speed, reach in zip(promise, (1, 1 + len(near) // 3, len(near)), strict=True):
            for j in near[:reach].tolist():
                usd = round(2.0 + 0.4 * far[r, j] + (5 - promise[speed][0]) * 0.2, 2)
                options.append((f"R{r:02d}", speed, names[j], 18.0, usd))
    speeds = [(f"R{r:02d}", s, *promise[s]) for r in range(regions) for s in promise]
    lanes = [(names[p], names[j], 1 + j % 2, 0.4) for j, p in enumerate(parents) if p >= 0]
    return {
        "regions": pd.DataFrame({"region_id": [f"R{r:02d}" for r in range(regions)]}),
        "nodes": pd.DataFrame(
            {
                "node_id": names,
                "accepts": "any",
                "parent_node_id": [names[p] if p >= 0 else None for p in parents],
                "is_vendor_receiving": above < 0,
                "handling_usd_per_unit": 0.2,
                "storage_usd_per_cuft_day": np.where(above < 0, 0.006, 0.02),
            }
        ),
        "lanes": pd.DataFrame(
            lanes, columns=["from_node_id", "to_node_id", "transit_days", "lane_usd_per_cuft"]
        ).assign(lane_capacity_cuft_per_day=None),
        "delivery_options": pd.DataFrame(
            options,
            columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"],
        ),
        "delivery_speeds": pd.DataFrame(
            speeds,
            columns=["region_id", "speed", "promise_days", "demand_share",
                     "missed_speed_usd_per_unit"],
        ),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
    }  # fmt: skip


def demand(ids: list[str], regions: int, by_week: np.ndarray, rng: Rng, big: bool) -> pd.DataFrame:
    """Quantiles of windows from tomorrow; by_week: [8] demand of each week against the first."""
    rate = rng.lognormal(0.0, 1.2, (len(ids), 1)) * rng.dirichlet(np.full(regions, 5.0), 1)
    if big:
        rate[0] *= 1000.0
    frames = []
    for days in (7, 14, 21, 28, 35, 42, 56):
        mean = (rate * 7.0 * by_week[: days // 7].sum()).ravel()
        found = nbinom.ppf(np.array(QUANTILE_LEVELS), 2.0, 2.0 / (2.0 + mean[:, None]))
        frame = pd.DataFrame(np.nan_to_num(found), columns=list(QUANTILE_COLUMNS))
        frame.insert(0, "item_id", np.repeat(ids, regions))
        frame.insert(1, "region_id", np.tile([f"R{r:02d}" for r in range(regions)], len(ids)))
        frames.append(
            frame.assign(
                window_start_day=1, window_days=days, mean_units=mean, dependence_group="all"
            )
        )
    return pd.concat(frames, ignore_index=True)


def limits(raw: Frames, features: tuple[str, ...], rng: Rng) -> pd.DataFrame:
    """Capacities by node, resource and week: shares of what a free plan uses."""
    model = night_model(raw, AS_OF, SETTINGS)
    use, names = free_use(model), model.network.names
    some = {name for name in names if rng.random() < 0.5} or {names[0]}
    closed, none = str(rng.choice(names)), str(rng.choice(names))
    first = int(rng.integers(1, 4))
    share = {name: float(rng.uniform(0.3, 0.95)) for name in FEATURES}
    of = {"docks": "inbound_units_per_day", "storage": "storage_cuft",
          "outbound": "outbound_units_per_day"}  # fmt: skip
    rows = []
    for (node, resource, week), units in sorted(use.items()):
        cap = 1e9
        for feature, kind in of.items():
            if feature in features and resource == kind and node in some:
                cap = share[feature] * units
        is_dock = resource == "inbound_units_per_day"
        if "docks in weeks 3-4" in features and is_dock and week in (2, 3):
            cap = min(cap, share["docks in weeks 3-4"] * units)
        if "closure" in features and node == closed and week in (first, first + 1):
            cap = 0.0
        if "no capacity" in features and node == none:
            cap = 0.0
        start = pd.Timestamp(AS_OF + timedelta(days=1 + 7 * week))
        rows.append((node, resource, start, cap))
    return pd.DataFrame(rows, columns=["node_id", "resource", "start_date", "capacity"])


def odd_world(seed: int) -> World:
    """World number ``seed``: shapes take turns, all else is drawn."""
    rng = np.random.default_rng([13, seed])
    shape = list(SHAPES)[seed % len(SHAPES)]
    parents = SHAPES[shape](rng)
    regions = int(rng.integers(1, 13)) if len(parents) < 300 else 30
    items = int(rng.choice([1, 8, 40, 120])) if len(parents) < 300 else int(rng.choice([8, 40]))
    features = tuple(name for name in FEATURES if rng.random() < 0.4)
    by_week = np.ones(8)
    if "event" in features:
        by_week[2:4] = 3.0
    if "empty week" in features:
        by_week[int(rng.integers(1, 5))] = 0.0
    ids = [f"I{i:04d}" for i in range(items)]
    price = np.round(rng.lognormal(2.5, 0.6, items), 2) + 6.0
    kinds = ("storage_cuft", "inbound_units_per_day", "outbound_units_per_day")
    net = network(parents, regions, rng)
    vendors = pd.DataFrame(
        {
            "vendor_id": "V0",
            "item_id": ids,
            "unit_cost_usd": 0.4 * price,
            "quoted_lead_time_days": 7,
            "moq_units": 1,
            "case_pack_units": 1,
        }
    )
    raw = {
        **net,
        "items": pd.DataFrame({"item_id": ids, "size_class": "sortable", "list_price_usd": price,
                               "unit_cube_cuft": rng.lognormal(-1.0, 0.7, items)}),
        "vendor_items": vendors,
        "lead_times": vendors[["vendor_id", "item_id"]].assign(
            lead_time_days=9, probability=1.0, sd_lead_time_days=2.0
        ),
        "demand_quantiles": demand(ids, regions, by_week, rng, "dominating item" in features),
        "demand_dependence": empty("demand_dependence"),
        "prices": pd.DataFrame({"item_id": ids, "region_id": "R00", "start_date": START,
                                "price_usd": price}),
        "node_capacity": pd.DataFrame(
            [(node, kind, START, 1e9) for node in net["nodes"]["node_id"] for kind in kinds],
            columns=["node_id", "resource", "start_date", "capacity"],
        ),
        "stock": empty("stock"),
        "open_orders": empty("open_orders"),
        "open_transfers": empty("open_transfers"),
        "overrides": empty("overrides"),
    }  # fmt: skip
    raw["node_capacity"] = limits(raw, features, rng)
    return World(shape, items, features, raw)


def planned(raw: Frames, settings: Settings = SETTINGS) -> tuple[pd.Series, pd.Series, float]:
    """Summary by measure, order-up-to by item, CPU seconds of a night's plan."""
    began = process_time()
    found = optimize_night(night_model(raw, AS_OF, settings), settings)
    cpu_s = process_time() - began
    targets = found["network_targets"].set_index("item_id")["order_up_to_units"]
    return found["optimize_summary"].set_index("measure")["value"], targets.sort_index(), cpu_s


def other_order(raw: Frames) -> Frames:
    """The rows of every table in another order."""
    return {table: frame.iloc[::-1].reset_index(drop=True) for table, frame in raw.items()}


def other_units(raw: Frames) -> Frames:
    """Cubic feet counted in sixteenths."""
    capacity = raw["node_capacity"].copy()
    capacity.loc[capacity["resource"] == "storage_cuft", "capacity"] *= 16.0
    return {
        **raw,
        "node_capacity": capacity,
        "items": raw["items"].assign(unit_cube_cuft=raw["items"]["unit_cube_cuft"] * 16.0),
        "nodes": raw["nodes"].assign(
            storage_usd_per_cuft_day=raw["nodes"]["storage_usd_per_cuft_day"] / 16.0
        ),
        "lanes": raw["lanes"].assign(lane_usd_per_cuft=raw["lanes"]["lane_usd_per_cuft"] / 16.0),
    }


def more_demand(raw: Frames) -> Frames:
    """A tenth more of everything."""
    table = raw["demand_quantiles"].copy()
    values = [c for c in table.columns if table[c].dtype.kind == "f"]
    table[values] *= 1.1
    return {**raw, "demand_quantiles": table}


def last_week(raw: Frames) -> Frames:
    """Docks of the last week at half of what they were, or of what is used."""
    capacity = raw["node_capacity"].copy()
    last = pd.Timestamp(AS_OF + timedelta(days=1 + 7 * (WEEKS - 1)))
    mine = (capacity["resource"] == "inbound_units_per_day") & (capacity["start_date"] == last)
    use = free_use(night_model(raw, AS_OF, SETTINGS))
    units = capacity.loc[mine, "node_id"].map(
        lambda node: use[node, "inbound_units_per_day", WEEKS - 1]
    )
    capacity.loc[mine, "capacity"] = 0.5 * np.minimum(capacity.loc[mine, "capacity"], units)
    return {**raw, "node_capacity": capacity}


def laws(raw: Frames) -> dict[str, float]:
    """Units of order-up-to levels that change, or sink, as a share of all, where none should."""
    _, base, _ = planned(raw)
    total = max(float(base.sum()), 1.0)
    turned = planned(other_order(raw))[1]
    sunk = {
        "demand": planned(more_demand(raw))[1] - base,
        "last week": planned(last_week(raw))[1] - base,
    }
    return {
        "order": float((turned - base).abs().sum()) / total,
        "units": float((planned(other_units(raw), SMALL_FEET)[1] - base).abs().sum()) / total,
        **{name: float(-change[change < 0].sum()) / total for name, change in sunk.items()},
    }


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=24)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--laws", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = []
    shown = Table("world", "shape", "items", "gap", "violation", "overflow usd", "cost usd",
                  "CPU s", "laws", "features")  # fmt: skip
    for seed in range(options.first, options.first + options.worlds):
        world = odd_world(seed)
        summary, _, cpu_s = planned(world.raw)
        broken = laws(world.raw) if options.laws else {}
        one = {"world": seed, "shape": world.shape, "items": world.items, "laws": broken,
               "gap": float(summary["certified_gap"]), "violation": float(summary["violation"]),
               "overflow_usd": float(summary["overflow_cost_usd"]), "cpu_s": cpu_s,
               "cost_usd": float(summary["upper_bound_usd"]),
               "features": list(world.features)}  # fmt: skip
        figures.append(one)
        told = " ".join(f"{name} {share:.2%}" for name, share in broken.items() if share > 0)
        row = [str(seed), world.shape, str(world.items), f"{one['gap']:.3%}",
               f"{one['violation']:.0e}", f"{one['overflow_usd']:,.0f}", f"{one['cost_usd']:,.0f}",
               f"{cpu_s:.1f}", told, ", ".join(world.features)]  # fmt: skip
        print(" | ".join(row), flush=True)
        shown.add_row(*row)
    Console(width=180).print(shown)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
