"""UCI Online Retail (a UK gift shop's invoices, CC BY 4.0) as a raw folder.

    python -m examples.uci_online_retail FILE.parquet FOLDER --as-of 2011-08-03

A line that a later invoice cancels leaves with its cancellation; what else comes back is netted
within its day. Codes that are no articles (postage, charges, manual entries, gift cards), lines
without a price and write-offs are left out. Prices are in pounds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from examples.one_warehouse import write_folder

_ARTICLE = r"\d{5}[A-Z]*"
_LEAST_DAYS = 5
"""Days with sales that an article must have to be planned."""


def invoices(path: Path) -> pd.DataFrame:
    """Invoice lines of articles, with a region and without what was cancelled whole."""
    lines = pd.read_parquet(path).astype({"StockCode": "str", "Description": "str"})
    lines["StockCode"] = lines["StockCode"].str.strip().str.upper()
    lines = lines[lines["StockCode"].str.fullmatch(_ARTICLE) & (lines["UnitPrice"] > 0)]
    lines["region_id"] = (
        lines["Country"].astype("str").eq("United Kingdom").map({True: "UK", False: "ABROAD"})
    )
    lines["date"] = lines["InvoiceDate"].dt.normalize()
    lines = lines.reset_index(drop=True)
    key = ["CustomerID", "StockCode", "size"]
    sized = lines.assign(size=lines["Quantity"].abs(), row=lines.index).dropna(
        subset=["CustomerID"]
    )
    # Each cancellation meets the newest earlier line of the customer with the same quantity.
    back = sized[sized["Quantity"] < 0].sort_values("InvoiceDate")
    sold = sized[sized["Quantity"] > 0].sort_values("InvoiceDate")
    met = pd.merge_asof(
        back[[*key, "InvoiceDate", "row"]], sold[[*key, "InvoiceDate", "row"]],
        on="InvoiceDate", by=key, suffixes=("", "_sold"),
    ).dropna(subset=["row_sold"]).drop_duplicates("row_sold")  # fmt: skip
    gone = set(met["row"]) | set(met["row_sold"].astype(int))
    return lines[~lines.index.isin(gone)]


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--as-of", default="2011-08-03")
    args = parser.parse_args()
    adapt(args.file, args.folder, args.as_of)


def adapt(file: Path, folder: Path, as_of: str) -> None:
    """Invoices of `file` as a raw folder whose stock is of `as_of`."""
    lines = invoices(file)
    lines = lines.rename(columns={"StockCode": "item_id"})
    known = lines[lines["date"] <= as_of]
    days = known.groupby("item_id")["date"].nunique()
    lines = lines[lines["item_id"].isin(days.index[days >= _LEAST_DAYS])]
    known = lines[lines["date"] <= as_of]
    sales = lines.groupby(["item_id", "region_id", "date"])["Quantity"].sum().clip(lower=0)
    sales = sales.rename("units").reset_index()
    by_item = known[known["Quantity"] > 0].groupby("item_id")
    items = pd.DataFrame({
        "item_name": by_item["Description"].agg(lambda names: names.value_counts().index[0]),
        "category": "gifts", "department": by_item["item_id"].first().str[:2],
        "list_price_usd": by_item["UnitPrice"].median().round(2),
        "launch_date": by_item["date"].min(),
    }).reset_index()  # fmt: skip
    start = by_item["date"].min().reset_index().rename(columns={"date": "start_date"})
    regions = sorted(sales["region_id"].unique())
    prices = start.merge(items[["item_id", "list_price_usd"]]).merge(
        pd.DataFrame({"region_id": regions}), how="cross"
    )
    prices = prices.rename(columns={"list_price_usd": "price_usd"})
    write_folder(folder, items, sales[sales["units"] > 0], prices, as_of, regions)


if __name__ == "__main__":
    main()
