"""Tables against frames: casting, every violation at once, and keys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.check import cast_column, conform, require, violations
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.errors import ContractError

ITEMS = ["A", "B"]


def sales(**columns: object) -> pd.DataFrame:
    good = {"item_id": ["B", "A"], "region_id": ["r", "r"], "date": ["2025-01-02", "2025-01-01"],
            "units": [1, 2]}  # fmt: skip
    return pd.DataFrame({**good, **columns})


def test_conform_sorts_by_key_and_orders_columns() -> None:
    frame = conform(sales()[["units", "date", "region_id", "item_id"]], TABLES["sales"])
    assert frame.columns.tolist() == ["item_id", "region_id", "date", "units"]
    assert frame["item_id"].tolist() == ["A", "B"]


@pytest.mark.parametrize("items", [["A", "B", "B"], ["B", None, "A"], [None, "A", "B"]])
def test_rows_in_order_are_as_sorted_ones(items: list[str | None]) -> None:
    """Nulls of a key come last, which only sorting sees to."""
    rows = sales(item_id=items, region_id=["r"] * 3, units=[1, 2, 3],
                 date=["2025-01-01", "2025-01-02", "2025-01-03"])  # fmt: skip
    frame = conform(rows.assign(item_id=rows["item_id"].astype("category")), TABLES["sales"])
    expected = frame.sample(frac=1, random_state=1)
    expected = expected.sort_values(["item_id", "region_id", "date"], ignore_index=True)
    pd.testing.assert_frame_equal(frame, expected)


def test_all_violations_are_told_at_once() -> None:
    frame = sales(item_id=["A", "A"], date=["2025-01-01"] * 2, units=[-1, 2], region_id=["x", "x"])
    with pytest.raises(ContractError) as caught:
        require(frame, TABLES["sales"], {"regions.region_id": ["r"]})
    text = str(caught.value)
    assert "3 violation(s)" in text
    assert "sales.units: is outside [0, inf] at 1 row(s) [1], e.g. -1" in text
    assert "duplicate key" in text
    assert "is unknown in regions.region_id" in text


def test_missing_column_is_named() -> None:
    with pytest.raises(ContractError, match=r"sales\.units: column is missing"):
        conform(sales().drop(columns="units"), TABLES["sales"])


@pytest.mark.parametrize(
    ("value", "is_bad"),
    [("3", False), ("3.0", False), ("3.5", True), ("inf", True), ("", True), ("three", True)],
)
def test_whole_numbers_are_told_from_others(value: str, is_bad: bool) -> None:
    _, bad = cast_column(pd.Series([value, "1"]), COLUMNS["units"])
    assert bad.tolist() == [is_bad, False]


@given(
    st.lists(st.sampled_from(["x", "a", "m", None]), max_size=8),
    st.sampled_from([["a", "m", "x"], ["a", "m", "never", "x"], ["x", "a", "m"]]),
    st.sampled_from(["object", "str", "categories", "category objects"]),
)
def test_categories_are_sorted_and_only_those_present(
    values: list[str | None], names: list[str], kind: str
) -> None:
    given_as = pd.Series(values, dtype="str" if kind == "str" else "object")
    if kind.startswith("categor"):
        index = pd.Index(names, dtype="str" if kind == "categories" else "object")
        given_as = pd.Series(pd.Categorical(values, categories=index))
    cast, _ = cast_column(given_as, COLUMNS["region_id"])
    assert cast.cat.categories.tolist() == sorted({v for v in values if v is not None})
    assert cast.cat.categories.dtype == "str"
    assert not cast.cat.ordered
    assert [None if pd.isna(v) else v for v in cast] == values


@pytest.mark.parametrize("names", [["a", "m", "never", "x"], ["x", "a", "m"], ["a", "m", "x"]])
def test_categories_that_are_given_are_held_to_the_same(names: list[str]) -> None:
    given_as = pd.Series(pd.Categorical(["x", "m", "a"], categories=pd.Index(names, dtype="str")))
    cast, _ = cast_column(given_as, COLUMNS["region_id"])
    assert cast.tolist() == ["x", "m", "a"]
    assert cast.cat.categories.tolist() == ["a", "m", "x"]


def test_numbers_of_categories_become_texts() -> None:
    numbers = pd.Series(pd.Categorical([10, 9, 10], categories=[9, 10, 11]))
    cast, _ = cast_column(numbers, COLUMNS["region_id"])
    assert cast.tolist() == ["10", "9", "10"]
    assert cast.cat.categories.tolist() == ["10", "9"]


def test_infinite_numbers_break_the_contract() -> None:
    frame = pd.DataFrame({"hour": [0], "demand_share": [np.inf]})
    found = violations(conform(frame, TABLES["order_hours"]), TABLES["order_hours"])
    assert any("infinite" in str(violation) for violation in found)
