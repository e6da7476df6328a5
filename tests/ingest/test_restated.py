"""Rows written in cases, pallets or kilograms, or in another currency."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.ingest.cells import Reading, read_cells
from pipeline.ingest.restated import restated

AS_OF = date(2025, 6, 29)
UNITS = pd.DataFrame({
    "item_id": ["A", "A", "A", "RICE"], "unit_of_measure": ["case", "layer", "pallet", "kg"],
    "planned_units": [12.0, 120.0, 960.0, 1000.0],
})  # fmt: skip
RATES = pd.DataFrame({
    "currency": ["EUR", "EUR", "EUR"], "usd_per_currency": [1.0, 1.1, 1.3],
    "start_date": pd.to_datetime(["2024-01-01", "2025-06-01", "2025-07-01"]),
})  # fmt: skip
TABLES_KNOWN = {"item_units": UNITS, "currency_rates": RATES}


def read(name: str, **columns: list[object]):
    table = TABLES[name]
    frame = pd.DataFrame({key: pd.Series(values, dtype="str") for key, values in columns.items()})
    cells = {
        key: read_cells(frame[key], COLUMNS[key].kind, Reading())
        for key in table.columns if key in frame
    }  # fmt: skip
    return restated(cells, frame, table, Reading(), TABLES_KNOWN, AS_OF)


def test_sales_in_cases_and_kilograms_are_counted_in_planned_units():
    cells, told = read(
        "sales", item_id=["A", "A", "RICE", "A"], units=["2", "3", "1.25", "1"],
        unit_of_measure=["case", "", "kg", "layer"],
    )  # fmt: skip
    assert cells["units"].values.tolist() == [24, 3, 1250, 120]
    assert [finding.column for finding in told] == ["unit_of_measure"] * 3


@pytest.mark.parametrize(
    ("item", "units", "unit"), [("A", "1.3", "case"), ("RICE", "2", "case"), ("A", "1.5", "")]
)
def test_what_is_no_whole_number_of_known_units_is_unread_and_not_rounded(item, units, unit):
    cells, _ = read("sales", item_id=[item], units=[units], unit_of_measure=[unit])
    assert cells["units"].values.isna().all()
    assert cells["units"].code.tolist() != [0]


def test_a_vendor_that_sells_pallets_has_pallets_as_its_case_and_a_unit_s_cost():
    cells, _ = read(
        "vendor_items", item_id=["A"], unit_cost_usd=["960"], moq_units=["2"],
        case_pack_units=["1"], unit_of_measure=["pallet"], currency=["EUR"],
    )  # fmt: skip
    assert cells["moq_units"].values.tolist() == [1920]
    assert cells["case_pack_units"].values.tolist() == [960]
    assert cells["unit_cost_usd"].values.tolist() == pytest.approx([1.1])


def test_prices_take_the_rate_of_their_start_and_later_ones_tonight_s():
    cells, _ = read(
        "prices", item_id=["A"] * 4, currency=["EUR", "eur", "EUR", "usd"],
        start_date=["2024-05-01", "2025-06-05", "2025-12-01", "2025-06-05"],
        price_usd=["10", "10", "10", "10"],
    )  # fmt: skip
    assert cells["price_usd"].values.tolist() == pytest.approx([10.0, 11.0, 11.0, 10.0])


def test_a_currency_without_a_rate_is_unread():
    cells, _ = read("vendors", currency=["CHF"], order_minimum_usd=["10"])
    assert cells["order_minimum_usd"].code.tolist() == [1]


def test_a_neutral_unit_and_currency_change_nothing():
    plain, _ = read("sales", item_id=["A", "A"], units=["2", ""])
    named, told = read("sales", item_id=["A", "A"], units=["2", ""], unit_of_measure=["", ""])
    assert plain["units"].values.equals(named["units"].values)
    assert not told
