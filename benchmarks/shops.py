"""The sample as a chain of two shops that one center feeds, each with a region of its own.

    python -m benchmarks.shops --out DIR [--items N] [--seed S] [--days N]

Writes DIR/raw and the scenario DIR/shops.yaml, for

    echelon simulate --scenario DIR/shops.yaml --compare base_stock,drp,echelon --no-bound \
        --forecasts stored --out DIR/sim
"""

from __future__ import annotations

import argparse
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import yaml

from pipeline.ingest.sample import SampleSize, write_sample

LAST = date(2025, 6, 30)
SHOPS = {"WEST": "SHOP-LA", "EAST": "SHOP-CH"}
REGIONS = {"los_angeles": "SHOP-LA", "chicago": "SHOP-CH"}
_NODES = {"DC-WEST": "DC", "DC-EAST": "DC", "SD-LAX": "SHOP-LA", "SD-CHI": "SHOP-CH"} | {
    f"{kind}-{coast}": shop for kind in ("FC", "FN") for coast, shop in SHOPS.items()
}
_SUMMED = {
    "node_capacity": (["node_id", "resource", "start_date"], "capacity"),
    "stock": (["date", "item_id", "node_id"], "on_hand_units"),
}
_ONCE = {
    "receipts": ["order_id", "vendor_id", "item_id", "node_id", "arrival_date"],
    "open_orders": ["date", "order_id", "vendor_id", "item_id", "node_id"],
    "open_transfers": ["date", "item_id", "from_node_id", "to_node_id", "ship_date"],
}


def as_shops(raw: Path) -> None:
    """Rewrite a sample of two regions in place: its centers are one, all other nodes of a coast
    are a shop, which alone serves its region."""
    for path in sorted(raw.glob("*.csv")):
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
        _changed(path.stem, frame).to_csv(path, index=False)


def _changed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    shops, regions = list(SHOPS.values()), list(REGIONS)
    if table == "nodes":
        return _repeated(
            frame, node_id=["DC", *shops], node_name=["DC", *shops], accepts=["any"] * 3,
            tier=["distribution_center", "fulfillment_center", "fulfillment_center"],
            parent_node_id=["", "DC", "DC"], is_vendor_receiving=["True", "False", "False"],
        )  # fmt: skip
    if table == "lanes":
        return _repeated(frame, from_node_id=["DC"] * 2, to_node_id=shops)
    walk = {"region_id": regions, "speed": ["walk"] * 2}
    if table == "delivery_options":
        own = [REGIONS[region] for region in regions]
        return _repeated(frame, **walk, node_id=own, cutoff_hour=["24.0"] * 2,
                         ship_usd_per_unit=["0.0"] * 2)  # fmt: skip
    if table == "delivery_speeds":
        return _repeated(frame, **walk, promise_days=["0"] * 2, demand_share=["1.0"] * 2,
                         missed_speed_usd_per_unit=["0.0"] * 2)  # fmt: skip
    for column in {"node_id", "from_node_id", "to_node_id"} & set(frame):
        frame[column] = frame[column].replace(_NODES)
    if table == "open_transfers":
        frame = frame[frame["from_node_id"] != frame["to_node_id"]]
    if table in _SUMMED:
        key, amount = _SUMMED[table]
        summed = frame.assign(**{amount: frame[amount].astype(float)}).groupby(key)[amount].sum()
        is_whole = amount.endswith("_units")
        return (summed.astype(int) if is_whole else summed).reset_index()
    return frame.drop_duplicates(_ONCE[table]) if table in _ONCE else frame


def _repeated(frame: pd.DataFrame, **columns: list[str]) -> pd.DataFrame:
    """The first row as often as the columns have values, with these."""
    rows = len(next(iter(columns.values())))
    return frame.iloc[[0] * rows].reset_index(drop=True).assign(**columns)


def main() -> int:
    """Write the folder and its scenario."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--items", type=int, default=24)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--days", type=int, default=42)
    options = parser.parse_args()
    raw = (options.out / "raw").resolve()
    write_sample(raw, SampleSize(options.items, 2, 300, 60), LAST, options.seed)
    overrides = raw / "overrides.csv"
    pd.read_csv(overrides).iloc[:0].to_csv(overrides, index=False)
    as_shops(raw)
    start = LAST - timedelta(days=options.days + 8)
    (options.out / "shops.yaml").write_text(yaml.safe_dump({
        "name": "shops", "question": "What does a chain of two shops earn?", "dataset": "raw",
        "raw_dir": str(raw), "start": start, "days": options.days, "replications": 2,
        "demand": "resampled", "world": {"assignment": "replacement"},
        "settings": {"run": {"threads": 1}}, "changes": [],
    }, sort_keys=False))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
