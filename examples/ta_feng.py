"""Ta Feng (a Taiwanese grocery's baskets of four months) as a raw folder.

    python -m examples.ta_feng FILE.parquet FOLDER --as-of 2001-01-03

SALES_PRICE and ASSET are of the whole line, so a unit's price is SALES_PRICE / AMOUNT; a month's
median is the price of the month. Prices are in Taiwan dollars.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from examples.one_warehouse import write_folder

_BULK_UNITS = 200
"""A basket with more of one article is a trader's, and no shopper's."""


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--as-of", default="2001-01-03")
    args = parser.parse_args()
    adapt(args.file, args.folder, args.as_of)


def adapt(file: Path, folder: Path, as_of: str) -> None:
    """Baskets of `file` as a raw folder whose stock is of `as_of`."""
    lines = pd.read_parquet(file)
    lines = lines[(lines["AMOUNT"] > 0) & (lines["AMOUNT"] <= _BULK_UNITS)]
    lines = pd.DataFrame({
        "item_id": lines["PRODUCT_ID"].astype("str"), "region_id": "STORE",
        "date": lines["TRANSACTION_DT"], "units": lines["AMOUNT"],
        "price_usd": lines["SALES_PRICE"] / lines["AMOUNT"],
        "subclass": lines["PRODUCT_SUBCLASS"].astype("str"),
    })  # fmt: skip
    lines = lines[lines["price_usd"] > 0]
    known = lines[lines["date"] <= as_of]
    lines = lines[lines["item_id"].isin(known["item_id"])]
    by_item = known.groupby("item_id")
    items = pd.DataFrame({
        "item_name": "article", "category": by_item["subclass"].first().str[:2],
        "department": by_item["subclass"].first().str[:4],
        "list_price_usd": by_item["price_usd"].median().round(2),
        "launch_date": by_item["date"].min(),
    }).reset_index()  # fmt: skip
    items["item_name"] = "article " + items["item_id"]
    month = known["date"].dt.to_period("M").dt.to_timestamp()
    prices = known.groupby(["item_id", "region_id", month])["price_usd"].median().round(2)
    prices = prices.rename_axis(["item_id", "region_id", "start_date"]).reset_index()
    sales = lines.groupby(["item_id", "region_id", "date"])["units"].sum().reset_index()
    write_folder(folder, items, sales, prices, as_of, ["STORE"])


if __name__ == "__main__":
    main()
