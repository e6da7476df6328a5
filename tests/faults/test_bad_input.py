"""What bad input gets: the message that a user sees, and whether anything is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.errors import ContractError
from pipeline.ingest.check import check_raw
from pipeline.ingest.raw import read_folder
from pipeline.ingest.world import clean_world
from pipeline.store import Store
from tests.ingest.conftest import AS_OF, edit, files_of, ingest, raw, small_world

__all__ = ["ingest", "raw", "small_world"]  # fixtures used by name
Night = Callable[..., dict[str, pd.DataFrame]]


@pytest.fixture
def night(raw: Path) -> Night:
    """What ingest would publish from the copy, without publishing it."""

    def run(settings: Settings | None = None) -> dict[str, pd.DataFrame]:
        return clean_world(read_folder(raw), AS_OF, (settings or Settings()).ingest)

    return run


def put(column: str, value: str, row: int = 0) -> Callable[[pd.DataFrame], None]:
    """A change that writes `value` into one cell."""

    def change(frame: pd.DataFrame) -> None:
        frame.loc[row, column] = value

    return change


def cycle(frame: pd.DataFrame) -> pd.DataFrame:
    """Lanes with one that leads back up."""
    back = frame.iloc[[0]].assign(from_node_id=frame["to_node_id"][0],
                                  to_node_id=frame["from_node_id"][0])  # fmt: skip
    return pd.concat([frame, back])


FATAL = {
    "misnamed column": (
        "sales", lambda f: f.rename(columns={"units": "unit"}),
        "sales.units: column is missing. Rename 'unit' to it."),
    "missing column": (
        "vendors", lambda f: f.drop(columns="order_minimum_usd"),
        "vendors.order_minimum_usd: column is missing"),
    "wrong type in the network": (
        "nodes", put("latitude", "north"), "nodes.latitude at row 1: is not a number (north)"),
    "duplicate node": (
        "nodes", lambda f: pd.concat([f, f.iloc[[0]]]), "nodes.node_id at row 9: duplicate key"),
    "lane cycle": ("lanes", cycle, "lanes.to_node_id: lanes form a cycle (DC-"),
    "node with no lane": (
        "lanes", lambda f: f.iloc[1:], "node FC-WEST has no lane from its parent DC-WEST"),
    "unknown node on a lane": (
        "lanes", put("to_node_id", "FC-MARS"), "is unknown in nodes.node_id (FC-MARS)"),
    "unknown size class of a node": (
        "nodes", put("accepts", "huge"), "is none of sortable, non_sortable, any (huge)"),
    "shares that do not add up": (
        "order_hours", put("demand_share", "0.5"), "shares do not add up to 1"),
    "a speed that nobody serves": (
        "delivery_options", lambda f: f[f["speed"] != "same_day"],
        "no node serves region los_angeles at same_day"),
    "no stock for the date": (
        "stock", lambda f: f[f["date"] != AS_OF.isoformat()],
        "no stock is known at the end of 2025-06-10 (the newest is 2025-06-09)"),
    "stale sales": (
        "sales", lambda f: f[f["date"] < "2025-06-01"], "no sale in the 10 days before 2025-06-10"),
    "negative capacity": (
        "node_capacity", put("capacity", "-1"), "node_capacity.capacity at row 1: is outside"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(FATAL))
def test_fatal_input_stops_the_night_before_anything_is_published(
    case: str, raw: Path, ingest: Callable[..., Store], tmp_path: Path
) -> None:
    name, change, message = FATAL[case]
    edit(raw, name, change)
    with pytest.raises(ContractError) as caught:
        ingest()
    assert message in str(caught.value)
    assert "Next: " in str(caught.value)
    assert files_of(Store(tmp_path / "out")) == {}
    report = check_raw(raw, AS_OF)
    assert report.is_fatal
    assert any(message in line for line in report.lines())


ASIDE = {
    "negative units": (
        "stock", put("on_hand_units", "-4", 5),
        ("stock", 6, "on_hand_units", "is outside [0, inf]")),
    "not a number": (
        "sales", put("units", "many", 5), ("sales", 6, "units", "is not a whole number")),
    "NaN": ("sales", put("units", "", 5), ("sales", 6, "units", "is null")),
    "infinity": (
        "items", put("list_price_usd", "inf"), ("items", 1, "list_price_usd", "is infinite")),
    "unknown item": (
        "sales", put("item_id", "GHOST", 5),
        ("sales", 6, "item_id", "is unknown in items.item_id")),
    "not a date": ("sales", put("date", "someday", 5), ("sales", 6, "date", "is not a date")),
    "lead time of zero": (
        "vendor_items", put("quoted_lead_time_days", "0"),
        ("vendor_items", 1, "quoted_lead_time_days", "is outside [1, 730]")),
    "missing lead time": (
        "vendor_items", put("quoted_lead_time_days", ""),
        ("vendor_items", 1, "quoted_lead_time_days", "is null")),
    "receipt before its order": (
        "receipts", put("arrival_date", "2020-01-01"),
        ("receipts", 1, "arrival_date", "lead time is zero or negative")),
    "MOQ above the vendor's capacity": (
        "vendors", put("vendor_capacity_units_per_order", "1", 7),
        ("vendor_items", 1, "moq_units", "MOQ is above the vendor's capacity per order")),
    "MOQ above storage": (
        "vendor_items", put("moq_units", "99999999"),
        ("vendor_items", 1, "moq_units",
         "MOQ is above the storage capacity of every receiving node")),
    "duplicate sale": (
        "sales", lambda f: pd.concat([f.iloc[[4]], f], ignore_index=True),
        ("sales", 6, "item_id, region_id, date", "duplicate key")),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(ASIDE))
def test_bad_rows_are_set_aside_with_their_reason_and_the_night_goes_on(
    case: str, raw: Path, night: Night
) -> None:
    """`check` names the row of the user's file, the quarantine its key."""
    name, change, (table, row, column, rule) = ASIDE[case]
    edit(raw, name, change)
    told = [f for f in check_raw(raw, AS_OF).findings if (f.table, f.column) == (table, column)]
    assert (row, rule) in [(finding.row, finding.rule) for finding in told]
    loose = Settings.model_validate({"ingest": {"quarantine_threshold_rows": 50}})
    found = night(loose)["quarantine"]
    hit = found[(found["table_name"] == table) & (found["column_name"] == column)]
    assert rule in hit["rule"].tolist()
    assert hit["reason"].str.len().min() > 10


def test_missing_files_are_all_named_at_once(raw: Path, night: Night) -> None:
    for name in ("sales", "vendors"):
        (raw / f"{name}.csv").unlink()
    with pytest.raises(ContractError) as caught:
        night()
    assert "sales: file is missing in" in str(caught.value)
    assert "Add vendors.csv or vendors.parquet." in str(caught.value)


def test_optional_files_may_be_missing(raw: Path, night: Night) -> None:
    for name in (
        "availability",
        "calendar",
        "open_orders",
        "open_transfers",
        "receipts",
        "overrides",
    ):
        (raw / f"{name}.csv").unlink()
    tables = night()
    assert len(tables["open_orders"]) == 0
    assert len(tables["lead_times"]) > 0


def test_truncated_parquet_is_told_by_name(raw: Path, night: Night) -> None:
    frame = pd.read_csv(raw / "sales.csv")
    (raw / "sales.csv").unlink()
    frame.to_parquet(raw / "sales.parquet")
    whole = (raw / "sales.parquet").read_bytes()
    (raw / "sales.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ContractError, match=r"sales\.parquet cannot be read"):
        night()


def test_empty_file_is_told_by_name(raw: Path, night: Night) -> None:
    (raw / "prices.csv").write_text("")
    with pytest.raises(ContractError, match=r"prices\.csv cannot be read: the file is empty"):
        night()


def test_table_that_is_there_twice_is_refused(raw: Path, night: Night) -> None:
    pd.read_csv(raw / "sales.csv").to_parquet(raw / "sales.parquet")
    with pytest.raises(ContractError, match=r"is there twice, as sales\.csv and sales\.parquet"):
        night()


def test_mixed_encodings_are_read_and_told(raw: Path, night: Night) -> None:
    lines = (raw / "items.csv").read_bytes().splitlines()
    lines[1] = lines[1].replace(b"kettle", "Käsekessel".encode("cp1252"))
    lines[2] = lines[2].replace(b"side table", "Gepäckträger".encode())
    (raw / "items.csv").write_bytes(b"\n".join(lines))
    tables = night()
    names = tables["items"]["item_name"]
    assert names.str.contains("Käsekessel").sum() == 1
    assert names.str.contains("Gepäckträger").sum() == 1
    found = tables["quarantine"]
    told = found[found["rule"] == "text is not UTF-8"]
    assert told[["table_name", "row_key"]].values.tolist() == [["items", "row 1"]]


def test_utf16_export_is_read(raw: Path, night: Night) -> None:
    text = (raw / "vendors.csv").read_text()
    (raw / "vendors.csv").write_bytes(text.encode("utf-16"))
    assert len(night()["vendors"]) == 8


def test_empty_day_is_missing_and_not_zero(raw: Path, night: Night) -> None:
    edit(raw, "sales", lambda frame: frame[frame["date"] != "2025-05-20"])
    tables = night()
    demand = tables["daily_demand"]
    day = demand[demand["date"] == "2025-05-20"]
    assert len(day) > 0
    assert day["is_censored"].all()
    found = tables["quarantine"]
    told = found[found["rule"] == "nothing at all was sold on 1 day(s)"]
    assert told["bad_value"].tolist() == ["2025-05-20"]


def test_capacity_below_stock_is_told_and_the_night_goes_on(raw: Path, night: Night) -> None:
    def halved(frame: pd.DataFrame) -> pd.DataFrame:
        half = (frame["capacity"].astype(float) * 0.4).astype("str")
        return frame.assign(capacity=half.where(frame["resource"] == "storage_cuft",
                                                frame["capacity"]))  # fmt: skip

    edit(raw, "node_capacity", halved)
    found = night()["quarantine"]
    assert found["rule"].str.contains("is below the stock already there").sum() >= 3


def test_too_many_bad_rows_stop_the_night(raw: Path, night: Night) -> None:
    edit(raw, "sales", lambda frame: frame.assign(
        units=frame["units"].where(frame.index % 20 != 0, "many")))  # fmt: skip
    with pytest.raises(ContractError, match=r"rows are bad, more than may be set aside \(1\.0%\)"):
        night()
    loose = Settings.model_validate({"ingest": {"quarantine_threshold_share": 0.1}})
    assert len(night(loose)["quarantine"]) > 20


def test_rows_of_an_item_set_aside_leave_with_it(raw: Path, night: Night) -> None:
    edit(raw, "items", put("unit_cube_cuft", "0"))
    tables = night()
    gone = "ITEM-0001"
    for name in ("items", "vendor_items", "stock", "daily_demand", "prices"):
        assert gone not in tables[name]["item_id"].tolist()
    rules = tables["quarantine"]["rule"]
    assert rules.str.contains("left out with their items").any()


def test_check_tells_of_the_future_and_a_night_does_not_see_it(raw: Path, night: Night) -> None:
    edit(raw, "sales", put("date", "2031-01-01", 3))
    report = check_raw(raw)
    assert not report.is_fatal
    assert any("1 row(s) lie in the future of" in line for line in report.lines())
    assert not night()["quarantine"]["rule"].str.contains("future").any()


def test_check_of_a_good_folder_is_ready(small_world: Path) -> None:
    report = check_raw(small_world)
    assert not report.is_fatal
    assert report.lines()[-1] == "Ready for a night."


def test_check_tells_everything_at_once(raw: Path) -> None:
    edit(raw, "nodes", put("tier", "attic"))
    edit(raw, "sales", lambda frame: frame.drop(columns="units"))
    (raw / "regions.csv").unlink()
    lines = "\n".join(check_raw(raw).lines())
    for text in ("(attic)", "sales.units: column is missing", "regions: file is missing"):
        assert text in lines


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "is not a folder" in "\n".join(check_raw(tmp_path / "nowhere").lines())
