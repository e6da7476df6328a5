"""Adapters of real exports, on made-up rows of their kind."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from examples import ta_feng, uci_online_retail
from pipeline.ingest.check import check_raw


def invoice_lines() -> pd.DataFrame:
    """Twenty days of two articles, one order cancelled whole, one in part, and no articles."""
    days = pd.date_range("2011-07-01 10:00", periods=20)
    rows = [(f"5{k:05d}", code, "A cup ", 6, day, 2.5, 7, "United Kingdom")
            for k, day in enumerate(days) for code in ("85123A", "22423")]  # fmt: skip
    rows += [
        ("600001", "85123a", "A cup", 74_215, days[4], 1.04, 9, "United Kingdom"),
        ("C60001", "85123A", "A cup", -74_215, days[4] + pd.Timedelta(minutes=9), 1.04, 9,
         "United Kingdom"),
        ("C60002", "22423", "A cup", -2, days[6], 2.5, 7, "United Kingdom"),
        ("600003", "POST", "POSTAGE", 1, days[6], 18.0, 7, "France"),
        ("600004", "22423", "damaged", -900, days[7], 0.0, None, "United Kingdom"),
        ("600005", "22423", "A cup", 4, days[8], 2.5, 8, "France"),
    ]  # fmt: skip
    names = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
             "CustomerID", "Country"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def test_cancellations_leave_with_what_they_cancel_and_bad_codes_stay_out(tmp_path: Path) -> None:
    invoice_lines().to_parquet(tmp_path / "export.parquet")
    uci_online_retail.adapt(tmp_path / "export.parquet", tmp_path / "raw", "2011-07-20")
    sales = pd.read_parquet(tmp_path / "raw" / "sales.parquet")
    assert sorted(sales["item_id"].unique()) == ["22423", "85123A"]
    assert sales["units"].sum() == 2 * 20 * 6 - 2 + 4  # 74,215 came and went
    abroad = sales[sales["region_id"] == "ABROAD"]
    assert abroad["units"].tolist() == [4]
    assert not check_raw(tmp_path / "raw", pd.Timestamp("2011-07-20").date()).is_fatal


def test_a_basket_line_s_price_is_divided_by_its_units(tmp_path: Path) -> None:
    days = pd.date_range("2000-11-01", periods=30)
    rows = [(day, 1, "A", "115", 130315, 47149, 2, 56, 48) for day in days]
    rows.append((days[3], 1, "A", "115", 130315, 47149, 1200, 1, 28_800))  # a trader's
    names = ["TRANSACTION_DT", "CUSTOMER_ID", "AGE_GROUP", "PIN_CODE", "PRODUCT_SUBCLASS",
             "PRODUCT_ID", "AMOUNT", "ASSET", "SALES_PRICE"]  # fmt: skip
    pd.DataFrame(rows, columns=names).to_parquet(tmp_path / "export.parquet")
    ta_feng.adapt(tmp_path / "export.parquet", tmp_path / "raw", "2000-11-30")
    raw = tmp_path / "raw"
    assert pd.read_parquet(raw / "sales.parquet")["units"].sum() == 60
    assert pd.read_parquet(raw / "items.parquet")["list_price_usd"].tolist() == [24.0]
    assert not check_raw(raw, pd.Timestamp("2000-11-30").date()).is_fatal
