"""Calibration of lead times out of sample: how many later orders come within each quantile.

    python -m benchmarks.lead_times [--laws NAME …] [--seeds N] [--scms FILE] [--open] [--json FILE]

At the end of each quarter the night's own fit sees the receipts and open orders of that day; the
orders of the next quarter are the test. A figure is the share of them that came within the fitted
quantile, with ties shared at random (a lead time is whole days, so that P90 can hold more than 90 %
without being wrong). `--open` asks the same of what is still open that day, by days overdue: how
many come within the quantile of the law *given how long they have taken* (pipeline.arrivals).
`--scms` takes the public delivery history of the Supply Chain Management System (USAID,
10,324 shipments: scheduled and actual delivery, vendor, item), not shipped here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.arrivals import LATEST_DAYS, day_chances
from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.lead_times import lead_times

LEVELS = (0.1, 0.5, 0.9, 0.95)
Law = Callable[[np.random.Generator, npt.NDArray[np.int64], float], npt.NDArray[np.float64]]
_DAYS = 900
"""Days of each simulated history; the first year is never a test."""


def _steady(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """A few days late, each vendor its own."""
    return own * 4 + random.normal(0, 2.5, len(day))


def _skewed(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """Early or in time mostly, sometimes weeks late (log-normal)."""
    return -6 + np.exp(random.normal(2.0 + 0.3 * own, 0.8, len(day)))


def _two_modes(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """By air in time, by sea three months later."""
    by_sea = random.random(len(day)) < 0.2 + 0.05 * own
    return np.where(by_sea, 90 + random.normal(0, 6, len(day)), random.normal(0, 2, len(day)))


def _drift(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """A month longer by the end of the history."""
    return 30 * day / _DAYS + random.normal(0, 3 + abs(own), len(day))


def _step(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """A route closes after 500 days: twenty days longer from then on."""
    return np.where(day > 500, 20, 0) + random.normal(own, 3, len(day))


def _lost(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """Like steady, but one in fifty is lost and comes months later."""
    late = own * 4 + random.normal(0, 2.5, len(day))
    return np.where(random.random(len(day)) < 0.02, 150 + random.normal(0, 30, len(day)), late)


def _heavy(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """Late without end (Pareto, exponent 1.5): the longer it has taken, the longer it will."""
    return own * 2 - 2 + 4 * random.pareto(1.5, len(day))


def _early(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """A month before the quoted day."""
    return -30 + 3 * own + random.normal(0, 4, len(day))


def _imports(random: np.random.Generator, day: npt.NDArray[np.int64], own: float) -> np.ndarray:
    """Quoted 120 days, a fifth of them wide."""
    return 10 * own + random.normal(0, 24, len(day))


LAWS: dict[str, tuple[Law, int]] = {
    "steady": (_steady, 14), "skewed": (_skewed, 21), "two modes": (_two_modes, 28),
    "lost": (_lost, 14), "heavy": (_heavy, 14),
    "drift": (_drift, 20), "step": (_step, 20), "early": (_early, 60), "imports": (_imports, 120),
}  # fmt: skip
"""Name -> law of the delay in days, and the quoted days."""


def simulated(name: str, seed: int) -> pd.DataFrame:
    """Orders (vendor_id, item_id, quoted, order_date, arrival_date) of twelve vendors that get from
    four to a hundred orders a year for four items each."""
    law, quoted = LAWS[name]
    random = np.random.default_rng(seed)
    parts = []
    for vendor in range(12):
        count = int(np.exp(random.uniform(np.log(10), np.log(250))))
        day = np.sort(random.integers(0, _DAYS, count))
        lead = np.maximum(np.rint(quoted + law(random, day, random.normal())), 1)
        ordered = pd.Timestamp("2022-01-01") + pd.to_timedelta(day, unit="D")
        parts.append(pd.DataFrame({
            "vendor_id": f"{name} {vendor}",
            "item_id": [f"i{k}" for k in random.integers(0, 4, count)],
            "quoted": quoted, "order_date": ordered,
            "arrival_date": ordered + pd.to_timedelta(lead, unit="D"),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def scms(path: Path) -> pd.DataFrame:
    """Shipments of the SCMS delivery history that name all dates: ordered when the vendor got the
    order (else when the client got the quote), quoted for the scheduled day."""
    frame = pd.read_csv(path, encoding="latin-1")
    asked, sent, due, come = (
        pd.to_datetime(frame[name], errors="coerce", format="mixed")
        for name in ("PQ First Sent to Client Date", "PO Sent to Vendor Date",
                     "Scheduled Delivery Date", "Delivered to Client Date")
    )  # fmt: skip
    sent = sent.fillna(asked)
    known = sent.notna() & due.notna() & come.notna() & (due > sent) & (come > sent)
    return pd.DataFrame({
        "vendor_id": frame["Vendor"], "item_id": frame["Product Group"],
        "quoted": (due - sent).dt.days, "order_date": sent, "arrival_date": come,
    })[known].reset_index(drop=True)  # fmt: skip


def tables_at(orders: pd.DataFrame, day: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The raw tables as an export of the end of `day` would hold them."""
    known = orders[orders["order_date"] <= day].assign(node_id="n", units=1, confirmed_date=pd.NaT)
    known["order_id"] = [f"o{k}" for k in known.index]
    here = known["arrival_date"] <= day
    quoted = known.groupby(["vendor_id", "item_id"])["quoted"].last().reset_index()
    open_orders = known[~here].assign(
        date=day,
        open_units=1,
        expected_arrival_date=lambda f: f["order_date"] + pd.to_timedelta(f["quoted"], unit="D"),
    )
    return {
        "receipts": known[here], "open_orders": open_orders,
        "vendor_items": quoted.rename(columns={"quoted": "quoted_lead_time_days"}),
    }  # fmt: skip


OVERDUE = {"not due": (-(10**6), 0), "1-7": (1, 7), "8-21": (8, 21), "22-60": (22, 60)}
"""Name -> days that an open order is overdue; beyond, it counts no more by default."""


def open_ranks(orders: pd.DataFrame, settings: IngestSettings, seed: int) -> pd.DataFrame:
    """Of each line open at the end of a quarter: late (days overdue) and rank, the probability
    that the law given its age left to coming no later than it came (ties shared)."""
    random = np.random.default_rng(seed)
    first = orders["order_date"].min() + pd.Timedelta(days=365)
    parts = []
    for day in pd.date_range(first, orders["order_date"].max(), freq="91D"):
        tables = tables_at(orders, day)
        lines = tables["open_orders"]
        fitted = lead_times(tables, day.date(), settings)
        chance = day_chances(lines, fitted, day.date(), LATEST_DAYS)
        came = np.minimum((lines["arrival_date"] - day).dt.days.to_numpy(), LATEST_DAYS) - 1
        until = chance.cumsum(axis=1)[np.arange(len(lines)), came]
        at = chance[np.arange(len(lines)), came]
        late = (day - lines["expected_arrival_date"]).dt.days.to_numpy()
        parts.append(pd.DataFrame({
            "late": late, "rank": until - (1 - random.random(len(lines))) * at,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def ranks(orders: pd.DataFrame, settings: IngestSettings, seed: int) -> npt.NDArray[np.float64]:
    """Probability that the fit gave to coming no later than each test order came (ties shared)."""
    random = np.random.default_rng(seed)
    first = orders["order_date"].min() + pd.Timedelta(days=365)
    found = []
    for day in pd.date_range(first, orders["order_date"].max(), freq="91D"):
        after = orders[(orders["order_date"] > day)
                       & (orders["order_date"] <= day + pd.Timedelta(days=91))]  # fmt: skip
        fitted = lead_times(tables_at(orders, day), day.date(), settings)
        law = {key: (rows["lead_time_days"].to_numpy(), rows["probability"].to_numpy())
               for key, rows in fitted.groupby(["vendor_id", "item_id"])}  # fmt: skip
        last = (
            orders[orders["order_date"] <= day].groupby(["vendor_id", "item_id"])["quoted"].last()
        )
        for row in after.itertuples():
            key = (row.vendor_id, row.item_id)
            if key not in law:
                continue
            days, chance = law[key]
            # The law is of the delay against the quote of its day.
            came = (row.arrival_date - row.order_date).days - row.quoted + last[key]
            below, at = chance[days < came].sum(), chance[days == came].sum()
            found.append(below + random.random() * at)
    return np.array(found)


def _ranked(
    sets: dict[str, list[pd.DataFrame]], is_of_open: bool, seed: int
) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Name of each line and its ranks."""
    for name, worlds in sets.items():
        if not is_of_open:
            yield name, np.concatenate([ranks(orders, IngestSettings(), seed) for orders in worlds])
            continue
        found = pd.concat([open_ranks(orders, IngestSettings(), seed) for orders in worlds])
        for days, (least, most) in OVERDUE.items():
            mine = found.loc[found["late"].between(least, most), "rank"].to_numpy()
            if len(mine):
                yield f"{name}, {days}", mine


def main() -> None:
    """Print a line for each law."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--laws", nargs="*", default=list(LAWS), choices=list(LAWS))
    parser.add_argument("--scms", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="worlds of each law, from --seed on")
    parser.add_argument("--open", action="store_true", help="of open orders, by days overdue")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    seeds = range(args.seed, args.seed + args.seeds)
    sets = {name: [simulated(name, seed) for seed in seeds] for name in args.laws}
    if args.scms:
        sets["scms"] = [scms(args.scms)]
    rows = {}
    print(f"{'law':20}{'orders':>8}" + "".join(f"{f'P{100 * p:g}':>8}" for p in LEVELS))
    for name, rank in _ranked(sets, args.open, args.seed):
        held = {f"P{100 * p:g}": round(float(np.mean(rank <= p)), 4) for p in LEVELS}
        rows[name] = {"orders": len(rank), **held}
        print(f"{name:20}{len(rank):8}" + "".join(f"{100 * v:7.1f}%" for v in held.values()))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
