"""Two real companies end to end: time, memory, and the forecast against what planners use.

    python -m benchmarks.real_companies --data DIR [--only uci|ta_feng] [--items N] [--json FILE]

DIR holds uci_online_retail/online_retail.parquet and ta_feng/ta_feng_transactions.parquet. The
night is planned from the raw folder that the adapter in examples/ writes; the 28 days after it are
the test, item by item. Rivals: the last 28 days again (seasonal naive), and the daily mean of the
last 56. WAPE is the sum of absolute errors over that of sales; the pinball loss of quantiles 0.05,
0.25, 0.5, 0.75 and 0.95, over the mean of sales, gives rivals the quantiles of a Poisson law.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import poisson

from examples import ta_feng, uci_online_retail
from pipeline import runner
from pipeline.contracts.settings import load_settings
from pipeline.store import Source, Store

_DAYS = 28
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_SETS: dict[str, tuple[Callable[[Path, Path, str], None], str, date]] = {
    "uci": (uci_online_retail.adapt, "uci_online_retail/online_retail.parquet", date(2011, 8, 3)),
    "ta_feng": (ta_feng.adapt, "ta_feng/ta_feng_transactions.parquet", date(2001, 1, 3)),
}  # fmt: skip


def scored(store: Store, raw: Path, as_of: date) -> pd.DataFrame:
    """WAPE, bias and pinball loss of Echelon and its rivals over the 28 days after `as_of`."""
    sales = pd.read_parquet(raw / "sales.parquet")
    day = pd.Timestamp(as_of)
    found = store.read(as_of, "demand_quantiles").astype({"item_id": "str", "region_id": "str"})
    found = found[(found["window_start_day"] == 1) & (found["window_days"] == _DAYS)]
    key = ["item_id", "region_id"]

    def units(first: int, last: int) -> pd.Series:
        inside = sales["date"].between(
            day + pd.Timedelta(days=first), day + pd.Timedelta(days=last)
        )
        total = sales[inside].groupby(key)["units"].sum()
        return found.set_index(key).index.map(total).to_series().fillna(0).reset_index(drop=True)

    actual = units(1, _DAYS).to_numpy()
    rivals = {
        "seasonal naive": units(-_DAYS + 1, 0).to_numpy(),
        "moving average": units(-2 * _DAYS + 1, 0).to_numpy() / 2,
    }
    laws = {name: np.stack([poisson.ppf(level, mean) for level in _LEVELS]) for name, mean in
            rivals.items()}  # fmt: skip
    means = {"echelon": found["mean_units"].to_numpy(), **rivals}
    laws["echelon"] = np.stack([found[f"q{level:g}"].to_numpy() for level in _LEVELS])
    middle = {"echelon": found["q0.5"].to_numpy(), **rivals}
    rows = []
    for name in ("echelon", "seasonal naive", "moving average"):
        short = actual[None, :] - laws[name]
        level = np.array(_LEVELS)[:, None]
        loss = np.maximum(level * short, (level - 1) * short).mean()
        rows.append({
            "forecast": name, "wape": np.abs(middle[name] - actual).sum() / actual.sum(),
            "bias": means[name].sum() / actual.sum() - 1, "pinball": loss / actual.mean(),
            "held_95": float((actual <= laws[name][-1]).mean()),
        })  # fmt: skip
    return pd.DataFrame(rows).round(4)


def draw(raw: Path, items: int | None) -> None:
    """Leave so many items, drawn by chance, in the raw folder; all of them for None."""
    known = pd.read_parquet(raw / "items.parquet")["item_id"]
    if items is None or items >= len(known):
        return
    kept = known.sample(items, random_state=1)
    for path in sorted(raw.glob("*.parquet")):
        frame = pd.read_parquet(path)
        if "item_id" in frame:
            frame[frame["item_id"].isin(kept)].to_parquet(path, index=False)


def main() -> None:
    """Plan, score and print each company."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=list(_SETS))
    parser.add_argument("--items", type=int, help="so many items, the same for the same number")
    parser.add_argument("--as-of", type=date.fromisoformat, help="another night")
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, help="keep raw folder and night here")
    args = parser.parse_args()
    kept = {}
    for name in [args.only] if args.only else list(_SETS):
        adapt, file, usual = _SETS[name]
        as_of = args.as_of or usual
        root = args.out or Path(tempfile.mkdtemp())
        raw, store = root / name / "raw", Store(root / name / "out")
        began, spent = time.perf_counter(), time.process_time()
        adapt(args.data / file, raw, as_of.isoformat())
        draw(raw, args.items)
        adapted = time.process_time() - spent
        runner.run_night(store, Source("raw", raw), load_settings(args.settings), as_of)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        scores = scored(store, raw, as_of)
        orders = store.read(as_of, "purchase_orders")
        figures = {
            "items": len(store.read(as_of, "items")), "adapter_cpu_s": round(adapted, 1),
            "cpu_s": round(time.process_time() - spent, 1),
            "wall_s": round(time.perf_counter() - began, 1), "peak_gb": round(peak, 2),
            "order_lines": len(orders), "order_usd": round(float(orders["order_cost_usd"].sum())),
        }  # fmt: skip
        print(name, figures)
        print(scores.to_string(index=False))
        kept[name] = {**figures, "scores": scores.to_dict("records")}
    if args.json:
        args.json.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
