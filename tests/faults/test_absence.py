"""What is not there is not zero, and what is physically there is never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import ContractError
from pipeline.ingest.check import check_raw
from tests.faults.test_reading import Tables, night, planned, same
from tests.ingest.conftest import AS_OF, edit, raw, small_world

__all__ = ["planned", "raw", "small_world"]  # fixtures used by name
TODAY = AS_OF.isoformat()


def rules(tables: Tables, table: str) -> str:
    found = tables["quarantine"]
    mine = found[found["table_name"] == table]
    return "\n".join(mine["rule"] + " (" + mine["bad_value"] + ") " + mine["row_key"])


def not_tonight(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["date"] != TODAY]


@pytest.mark.parametrize("table", ["open_orders", "open_transfers"])
def test_a_snapshot_without_rows_of_tonight_stops_the_night(raw: Path, table: str) -> None:
    edit(raw, table, not_tonight)
    words = table.replace("_", " ")
    message = f"no {words} are known at the end of 2025-06-10 .the newest is 2025-06-09."
    with pytest.raises(ContractError, match=message):
        night(raw)
    assert check_raw(raw, AS_OF).is_fatal
    assert len(night(raw, may_be_empty=[table])[table]) == 0


def test_a_part_of_tonight_without_rows_says_that_nothing_is_open(raw: Path) -> None:
    frame = pd.read_csv(raw / "open_orders.csv")
    (raw / "open_orders.csv").unlink()
    (raw / "open_orders").mkdir()
    for day, rows in frame[frame["date"] < TODAY].groupby("date"):
        rows.to_parquet(raw / "open_orders" / f"{day}.parquet")
    frame[:0].to_parquet(raw / "open_orders" / f"{TODAY}.parquet")
    tables = night(raw, feed_stop_share=0)
    assert len(tables["open_orders"]) == 0


def test_what_was_received_or_due_explains_an_empty_snapshot(raw: Path, planned: Tables) -> None:
    """A small company: yesterday's only line arrived today."""
    orders = pd.read_csv(raw / "open_orders.csv", dtype="str")
    is_open = (orders["date"] == "2025-06-09") & (orders["expected_arrival_date"] > TODAY)
    last = orders[is_open].iloc[[0]]
    last.to_csv(raw / "open_orders.csv", index=False)
    with pytest.raises(ContractError, match="no open orders are known"):
        night(raw)
    came = last.assign(arrival_date=TODAY, units=last["open_units"])
    edit(raw, "receipts", lambda frame: pd.concat([frame, came[list(frame.columns)]]))
    assert len(night(raw)["open_orders"]) == 0


@pytest.mark.parametrize(("table", "kept"), [("stock", 3), ("open_orders", 8)])
def test_a_snapshot_cut_short_stops_the_night(raw: Path, table: str, kept: int) -> None:
    def cut(frame: pd.DataFrame) -> pd.DataFrame:
        tonight = frame[frame["date"] == TODAY]
        return pd.concat([not_tonight(frame), tonight.iloc[: len(tonight) // kept]])

    edit(raw, table, cut)
    with pytest.raises(ContractError, match=f"{table}.* units where .* were known on 2025-06-09"):
        night(raw)


def test_a_node_or_a_region_missing_on_the_last_day_is_told(raw: Path) -> None:
    edit(raw, "stock", lambda f: f[(f["date"] != TODAY) | (f["node_id"] != "SD-CHI")])
    edit(raw, "sales", lambda f: f[(f["date"] != TODAY) | (f["region_id"] != "chicago")])
    text = "\n".join(check_raw(raw, AS_OF).lines())
    assert "node SD-CHI has no stock tonight and had some every day" in text
    assert "region chicago sold nothing on 2025-06-10" in text


def test_sales_cut_at_two_thirds_of_the_items_stop_the_night(raw: Path) -> None:
    edit(raw, "sales", lambda frame: frame.sort_values("item_id").iloc[: len(frame) * 6 // 10])
    with pytest.raises(ContractError, match=r"sales.item_id: has no row of the last \d+ of"):
        night(raw)


def test_prices_without_a_row_are_told(raw: Path) -> None:
    edit(raw, "prices", lambda frame: frame[:0])
    assert "has no row of any item" in rules(night(raw), "prices")


@pytest.mark.parametrize(("by", "share", "word"), [
    ("arrival_date", 1 / 3, "nothing was received in the"),
    ("arrival_date", 2 / 3, "nothing was received in the"),
    ("item_id", 1 / 3, "has no row of the last"),
    ("item_id", 2 / 3, "has no row of the last"),
])  # fmt: skip
def test_receipts_cut_short_are_told(raw: Path, by: str, share: float, word: str) -> None:
    edit(raw, "receipts", lambda f: f.sort_values(by).iloc[: int(len(f) * share)])
    assert word in rules(night(raw), "receipts")


@pytest.mark.parametrize("share", [1 / 3, 2 / 3])
def test_prices_cut_short_are_told(raw: Path, share: float) -> None:
    edit(raw, "prices", lambda f: f.sort_values("item_id").iloc[: int(len(f) * share)])
    text = "\n".join(check_raw(raw, AS_OF).lines())
    assert "items × regions that sold in the last 28 days" in text or "no row of the last" in text


@pytest.mark.parametrize(("table", "column", "value"), [
    ("items", "end_date", "9999-12-31"), ("items", "launch_date", "1900-01-01"),
    ("prices", "start_date", "1970-01-01"), ("sales", "date", "1989-12-31"),
    ("open_orders", "expected_arrival_date", "2101-01-01"),
])  # fmt: skip
def test_a_date_of_another_century_is_told(raw: Path, table: str, column: str, value: str) -> None:
    def one(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[0], column] = value
        return frame

    edit(raw, table, one)
    told = rules(night(raw), table)
    assert "lies before 1990 or after 2100" in told
    assert value in told


def test_a_last_day_far_below_every_same_weekday_stops_the_night(raw: Path) -> None:
    edit(raw, "sales", lambda f: f[(f["date"] != TODAY) | ~f.duplicated(["date"])])
    with pytest.raises(ContractError, match="far below the same weekday"):
        night(raw)


def test_parts_of_one_quantity_are_added_up(raw: Path, planned: Tables) -> None:
    def halved(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def change(frame: pd.DataFrame) -> pd.DataFrame:
            units = frame[column].astype(int)
            is_odd = units % 2 == 1
            some, rest = units // 2, units - units // 2
            two = pd.concat([frame.assign(**{column: some}), frame.assign(**{column: rest})])
            one = frame[~is_odd]  # parts that are equal would be one export twice
            return pd.concat([two.loc[is_odd[is_odd].index], one])

        return change

    for table, column in (("stock", "on_hand_units"), ("open_orders", "open_units"),
                          ("open_transfers", "open_units")):  # fmt: skip
        edit(raw, table, halved(column))
    tables = night(raw)
    same(tables, planned)
    assert "units are added up" in rules(tables, "stock")


def test_two_schedule_lines_of_an_order_both_count(raw: Path, planned: Tables) -> None:
    def split(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame[frame["date"] == TODAY].iloc[[0]]
        later = row.assign(open_units="5", expected_arrival_date="2025-07-08")
        return pd.concat([frame, later, later])  # and one line exported twice

    edit(raw, "open_orders", split)
    tables = night(raw)
    before = planned["open_orders"]["open_units"].sum()
    assert tables["open_orders"]["open_units"].sum() == before + 5
    assert "duplicate key" in rules(tables, "open_orders")
    assert night(raw, repeated_rows="add")["open_orders"]["open_units"].sum() == before + 10


def test_open_orders_of_a_vendor_that_left_count_and_are_told(raw: Path, planned: Tables) -> None:
    edit(raw, "open_orders", lambda frame: frame.assign(
        vendor_id=frame["vendor_id"].replace(frame["vendor_id"].iloc[-1], "V-OLD")))  # fmt: skip
    tables = night(raw)
    units = "open_units"
    assert tables["open_orders"][units].sum() == planned["open_orders"][units].sum()
    assert "vendor V-OLD is not in vendors: its open lines count" in rules(tables, "open_orders")


@pytest.mark.parametrize("value", ["", "4003230000014", "many", "4294967299"])
def test_a_quantity_of_tonight_that_is_not_known_stops_the_night(raw: Path, value: str) -> None:
    def spoil(frame: pd.DataFrame) -> None:
        frame.loc[frame.index[frame["date"] == TODAY][3], "on_hand_units"] = value

    edit(raw, "stock", spoil)
    with pytest.raises(ContractError, match="on_hand_units at row"):
        night(raw)


@pytest.mark.parametrize("value", ["4003230000014", "4294967299", "9223372036854775808", "1e200"])
def test_a_bar_code_sold_is_set_aside_and_never_wraps_around(
    raw: Path, planned: Tables, value: str
) -> None:
    def spoil(frame: pd.DataFrame) -> None:
        frame.loc[5, "units"] = value

    edit(raw, "sales", spoil)
    tables = night(raw)
    assert tables["daily_demand"]["units"].max() == planned["daily_demand"]["units"].max()
    assert value in tables["quarantine"]["bad_value"].tolist()


def test_units_set_aside_count_as_much_as_rows(raw: Path) -> None:
    """Three rows of two thousand would pass by rows; their units do not."""

    def strangers(frame: pd.DataFrame) -> pd.DataFrame:
        more = frame.iloc[:3].assign(item_id="GHOST", units="400")
        return pd.concat([frame, more])

    edit(raw, "sales", strangers)
    with pytest.raises(ContractError, match=r"the rows set aside hold 1,\d\d\d of"):
        night(raw)
    night(raw, quarantine_threshold_units=2000)


def test_orders_and_transfers_grow_stale_by_one_rule_and_are_listed_with_their_value(
    raw: Path, planned: Tables
) -> None:
    for table in ("open_orders", "open_transfers"):

        def late(frame: pd.DataFrame) -> None:
            row = frame.index[frame["date"] == TODAY][0]
            for column in ("order_date", "ship_date", "expected_arrival_date"):
                if column in frame:
                    day = "2025-03-02" if column.startswith("exp") else "2025-03-01"
                    frame.loc[row, column] = day
            if "confirmed_date" in frame:
                frame.loc[row, "confirmed_date"] = ""

        edit(raw, table, late)
    tables = night(raw)
    for table in ("open_orders", "open_transfers"):
        assert len(tables[table]) == len(planned[table]) - 1
        assert "no longer counts" in rules(tables, table)
        assert " units, $" in rules(tables, table)
    waits = night(raw, stale_on_order_days=365)
    assert len(waits["open_transfers"]) == len(planned["open_transfers"])


def test_a_capacity_that_begins_later_is_no_capacity_without_limit(raw: Path) -> None:
    edit(raw, "node_capacity", lambda frame: frame.assign(start_date="2030-01-01"))
    with pytest.raises(ContractError, match=r"no storage_cuft of node .* is known before 2030"):
        night(raw)


@pytest.mark.parametrize("column", ["item_id", "node_id"])
def test_an_override_of_what_does_not_exist_is_told(raw: Path, column: str) -> None:
    edit(raw, "overrides", lambda frame: frame.assign(**{column: [
        "GHOST", *frame[column].tolist()[1:]]}))  # fmt: skip
    tables = night(raw)
    assert f"is unknown in {column.partition('_')[0]}s.{column}" in rules(tables, "overrides")


IMPLAUSIBLE = {
    "cost of a case": (
        "vendor_items", lambda f: f.assign(unit_cost_usd=[
            str(float(c) * float(p)) if i == f["item_id"].iloc[0] else c for c, p, i in zip(
                f["unit_cost_usd"], f["case_pack_units"], f["item_id"], strict=True)]),
        "every vendor asks more than the item's price"),
    "cost of nothing": (
        "vendor_items", lambda f: f.assign(unit_cost_usd=f["unit_cost_usd"].where(
            f["item_id"] != f["item_id"].iloc[0], "0.01")),
        "costs next to nothing beside its price"),
    "price times a hundred since yesterday": (
        "prices", lambda f: pd.concat([f[f["start_date"] != TODAY], f.iloc[[0]].assign(
            start_date=TODAY, price_usd=str(float(f["price_usd"].iloc[0]) * 100))]),
        "is far from the price before it"),
    "units times a thousand": (
        "sales", lambda f: f.assign(units=f["units"].where(
            f.index != f.index[(f["date"] > "2025-06-01") & (f["date"] <= TODAY)][0], "9000")),
        "is far above the item's other days"),
    "stock of years": (
        "stock", lambda f: f.assign(on_hand_units=f["on_hand_units"].where(
            f.index != f.index[f["date"] == TODAY][0], "99999")),
        "is more than years of sales"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(IMPLAUSIBLE))
def test_figures_that_no_business_means_are_told_with_their_bound(raw: Path, case: str) -> None:
    table, change, rule = IMPLAUSIBLE[case]
    edit(raw, table, change)  # type: ignore[arg-type]  # of the table
    assert rule in rules(night(raw), table)


def test_a_whole_that_is_sold_at_a_loss_stops_before_money_is_spent(raw: Path) -> None:
    edit(raw, "vendor_items", lambda frame: frame.assign(
        unit_cost_usd=(frame["unit_cost_usd"].astype(float) * 100).astype("str")))  # fmt: skip
    with pytest.raises(ContractError, match=r"would cost more than it brought"):
        night(raw)
    night(raw, least_margin_share=-100)


def test_rows_of_one_key_that_differ_are_not_guessed(raw: Path, planned: Tables) -> None:
    """A correction appended to prices: neither the first nor the last row wins in silence."""
    edit(raw, "prices", lambda f: pd.concat([f, f.iloc[[3]].assign(price_usd="1.23")]))
    told = night(raw)["quarantine"]
    mine = told[told["rule"] == "rows of one key differ"]
    assert mine["row_count"].sum() == 2
    assert "1.23" not in planned["prices"]["price_usd"].astype("str").tolist()


def test_a_good_folder_has_no_finding_of_this_kind(small_world: Path) -> None:
    for day in pd.date_range("2025-06-08", "2025-06-14"):
        found = check_raw(small_world, day.date()).findings
        odd = [f for f in found if f.severity in ("fatal", "warning")
               and "future" not in f.rule and "stock-outs" not in f.rule]  # fmt: skip
        assert [str(f) for f in odd if "storage of node" not in f.rule] == []


def test_a_rule_with_a_blank_item_is_told_and_a_star_says_it_on_purpose(raw: Path) -> None:
    def widened(item: str | None) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def change(frame: pd.DataFrame) -> pd.DataFrame:
            first = frame.iloc[[0]].assign(override_id="OV-X", item_id=item)
            return pd.concat([frame, first])

        return change

    edit(raw, "overrides", widened(None))
    blank = night(raw)
    assert "is blank: the rule acts on every item (OV-X) OV-X" in rules(blank, "overrides")
    edit(raw, "overrides", lambda frame: frame.assign(item_id=frame["item_id"].replace("", "*")))
    starred = night(raw)
    assert "is blank" not in rules(starred, "overrides")
    same(starred, blank)
    edit(raw, "overrides", lambda frame: frame.assign(
        item_id=frame["item_id"].replace("*", ""), item_group="CAT-A"))  # fmt: skip
    assert "acts on every item" not in rules(night(raw), "overrides")


def cut_export(days: list[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Sales of which some days have their first row only, as a broken export leaves them."""
    return lambda frame: frame[~frame["date"].isin(days) | (frame.groupby("date").cumcount() == 0)]


def test_a_past_day_cut_short_is_not_known_and_a_named_one_is_low(raw: Path) -> None:
    days = [f"2025-05-{day:02d}" for day in range(19, 26)]
    edit(raw, "sales", lambda frame: frame.assign(
        units=(frame["units"].astype(int) * 20).astype("str")))  # fmt: skip
    whole = night(raw)
    assert "sold far less" not in rules(whole, "sales")
    edit(raw, "sales", cut_export(days))
    cut = night(raw)
    assert "sold far less on 7 day(s)" in rules(cut, "sales")
    daily = cut["daily_demand"]
    unknown = daily[(daily["in_stock_share"] == 0) & (whole["daily_demand"]["in_stock_share"] > 0)]
    assert sorted(unknown["date"].unique()) == list(pd.to_datetime(days))
    assert len(unknown) > 0.8 * daily["date"].isin(pd.to_datetime(days)).sum()
    stock = pd.read_csv(raw / "availability.csv", dtype="str", keep_default_na=False)
    out = [{"item_id": item, "region_id": region, "date": day, "in_stock_share": "0.05"}
           for item in cut["items"]["item_id"] for region in cut["regions"]["region_id"]
           for day in days]  # fmt: skip
    key = ["item_id", "region_id", "date"]
    both = pd.concat([stock, pd.DataFrame(out)]).drop_duplicates(key, keep="last")
    both.to_csv(raw / "availability.csv", index=False)
    assert "sold far less" not in rules(night(raw), "sales")  # empty shelves explain it
    stock.to_csv(raw / "availability.csv", index=False)
    believed = night(raw, cut_day_share=0)["daily_demand"]["in_stock_share"]
    pd.testing.assert_series_equal(believed, whole["daily_demand"]["in_stock_share"])
    calendar = pd.read_csv(raw / "calendar.csv", dtype="str", keep_default_na=False)
    rows = [calendar.iloc[0].to_dict() | {"date": day, "region_id": region, "event_name": "Flood"}
            for day in days for region in cut["regions"]["region_id"]]  # fmt: skip
    pd.concat([calendar, pd.DataFrame(rows)]).to_csv(raw / "calendar.csv", index=False)
    assert "sold far less" not in rules(night(raw), "sales")


@pytest.mark.parametrize(("column", "value"), [("latitude", "-0.5"), ("longitude", "118.2")])
def test_a_place_across_an_ocean_from_all_others_is_told(
    raw: Path, planned: Tables, column: str, value: str
) -> None:
    assert "from every other place" not in rules(planned, "regions")

    def moved(frame: pd.DataFrame) -> None:
        frame.loc[0, column] = value

    edit(raw, "regions", moved)
    assert "los_angeles lies" in rules(night(raw), "regions")


def test_a_delivery_option_of_a_speed_that_nobody_asks_for_is_told(raw: Path) -> None:
    options = pd.read_csv(raw / "delivery_options.csv", dtype="str")
    extra = options.iloc[[0]].assign(speed="GHOST")
    pd.concat([options, extra]).to_csv(raw / "delivery_options.csv", index=False)
    assert "speed GHOST of region" in rules(night(raw), "delivery_options")
