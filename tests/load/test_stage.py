"""The load stages on a small folder: coherent, point in time, repeatable, clear on bad input."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import ContractError, UsageError
from pipeline.load.following import write_throughput
from pipeline.load.stage import _product_shares, run_load_plan, run_load_stage
from pipeline.store import Store
from tests.load.world import FIRST, events_frame, series_frame, write_world

AS_OF = date(2022, 4, 20)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(None, {"load": {"horizon_days": 21, "paths": 40}})


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    return write_world(tmp_path_factory.mktemp("load"))


@pytest.fixture(scope="module")
def planned(world, settings, tmp_path_factory) -> Store:
    store = Store(tmp_path_factory.mktemp("plans"))
    run_load_stage(store, world, settings, AS_OF, "load_plan")
    return store


def folder_with(path: Path, series: pd.DataFrame, events: pd.DataFrame | None = None) -> Path:
    path.mkdir(parents=True)
    series.to_parquet(path / "load_series.parquet")
    if events is not None:
        events.to_csv(path / "load_events.csv", index=False)
    return path


def kinds(folder: Path, out: Path, settings: Settings) -> set[str]:
    store = Store(out)
    run_load_stage(store, folder, settings, AS_OF, "load_train")
    return set(store.read(AS_OF, "load_findings")["load_finding"].astype("str"))


def test_weeks_days_and_hours_are_one_set_of_sums(planned):
    rows = planned.read(AS_OF, "load_forecast")
    for _, own in rows.groupby(rows["series"].astype("str")):
        by = dict(iter(own.groupby(own["load_grain"].astype("str"))))
        day = by["day"].set_index("start_time")["expected_load"]
        hours = (
            by["minute"].groupby(by["minute"]["start_time"].dt.normalize())["expected_load"].sum()
        )
        np.testing.assert_allclose(hours, day.reindex(hours.index), rtol=1e-9)
        assert by["week"]["expected_load"].sum() == pytest.approx(day.sum(), rel=1e-9)


def test_minutes_hours_and_days_are_one_set_of_sums(tmp_path, settings):
    folder = folder_with(tmp_path / "raw", series_frame("clicks", minutes=10, days=60))
    store, day = Store(tmp_path / "out"), date(2022, 2, 28)
    run_load_stage(store, folder, settings, day, "load_plan")
    rows = store.read(day, "load_forecast")
    by = dict(iter(rows.groupby(rows["load_grain"].astype("str"))))
    hour = by["hour"].set_index("start_time")["expected_load"]
    minutes = by["minute"].groupby(by["minute"]["start_time"].dt.floor("h"))["expected_load"].sum()
    np.testing.assert_allclose(minutes, hour.reindex(minutes.index), rtol=1e-9)


def test_parts_add_up_to_each_day(planned):
    rows, parts = planned.read(AS_OF, "load_forecast"), planned.read(AS_OF, "load_components")
    day = rows[rows["load_grain"].astype("str") == "day"].astype({"series": "str"})
    day = day.set_index(["series", "start_time"])["expected_load"]
    total = parts.astype({"series": "str"}).groupby(["series", "start_time"])["part_load"].sum()
    np.testing.assert_allclose(total.sort_index(), day.sort_index(), rtol=1e-9)


def test_an_event_is_known_from_the_date_on_which_it_is_announced(world, settings, tmp_path):
    late = events_frame()
    last = late["load_event"] == "sale2"
    late.loc[last, "announced_date"] = pd.Timestamp("2022-04-21")
    folder = folder_with(tmp_path / "raw", series_frame("page_views"), late)
    store = Store(tmp_path / "out")
    loads = {}
    for day in (AS_OF, date(2022, 4, 21)):
        run_load_stage(store, folder, settings, day, "load_plan")
        rows = store.read(day, "load_forecast")
        rows = rows[rows["load_grain"].astype("str") == "day"].set_index("start_time")
        loads[day] = rows["expected_load"].loc["2022-04-24"]
    assert loads[date(2022, 4, 21)] > 1.5 * loads[AS_OF]


def test_a_series_that_never_saw_a_sale_borrows_it_from_its_region(tmp_path, settings):
    old, new = series_frame("old"), series_frame("new", seed=2)
    new = new[new["start_utc"] >= FIRST + pd.Timedelta(days=80)]
    far = new.assign(series="far", region_id="south")
    folder = folder_with(tmp_path / "raw", pd.concat([old, new, far]), events_frame())
    store = Store(tmp_path / "out")
    run_load_stage(store, folder, settings, AS_OF, "load_plan")
    parts = store.read(AS_OF, "load_components").astype({"series": "str", "load_part": "str"})
    event = parts[parts["load_part"] == "event"].groupby("series")["part_load"].sum()
    assert event["new"] == pytest.approx(event["old"], rel=0.4)
    assert abs(event["far"]) < 1e-6


def test_rows_after_the_business_date_change_nothing(world, settings, planned, tmp_path):
    rows = pd.read_parquet(world / "load_series.parquet")
    future = rows["start_utc"] >= pd.Timestamp("2022-04-21")
    rows.loc[future, "load"] *= 7
    folder = folder_with(tmp_path / "raw", rows, events_frame())
    store = Store(tmp_path / "out")
    run_load_stage(store, folder, settings, AS_OF, "load_plan")
    pd.testing.assert_frame_equal(
        store.read(AS_OF, "load_forecast"), planned.read(AS_OF, "load_forecast")
    )


def test_backfills_in_either_order_leave_the_same_bytes(world, settings, tmp_path):
    days = [date(2022, 4, 19), date(2022, 4, 20)]
    hashes = []
    for order in (days, days[::-1]):
        store = Store(tmp_path / str(len(hashes)))
        for day in order:
            run_load_plan(store, world, settings, day)
        tables = ("load_forecast", "load_changes", "capacity_orders")
        hashes.append([store.content_sha256(day, name) for day in days for name in tables])
    assert hashes[0] == hashes[1]


def test_order_of_the_rows_does_not_matter(world, settings, planned, tmp_path):
    rows = pd.read_parquet(world / "load_series.parquet").sample(frac=1, random_state=1)
    folder = folder_with(tmp_path / "raw", rows, events_frame().iloc[::-1])
    store = Store(tmp_path / "out")
    run_load_stage(store, folder, settings, AS_OF, "load_plan")
    one, two = (s.content_sha256(AS_OF, "load_forecast") for s in (store, planned))
    assert one == two


def test_the_report_names_the_event_and_escapes_what_users_write(settings, tmp_path):
    events = events_frame()
    events.loc[2, "load_event"] = "<script>alert(1)</script>"
    folder = folder_with(tmp_path / "raw", series_frame("page_views"), events)
    store = Store(tmp_path / "out")
    run_load_stage(store, folder, settings, AS_OF, "load_plan")
    page = store.read_files(AS_OF, "load_report")["report.html"].decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page


def test_without_load_series_the_stages_say_so(tmp_path, settings):
    with pytest.raises(UsageError, match="load_series"):
        run_load_stage(Store(tmp_path / "out"), tmp_path, settings, AS_OF, "load_plan")


def test_overlapping_endless_and_late_events_are_found(tmp_path, settings):
    events = events_frame()
    extra = events.iloc[[1, 1, 1]].copy()
    extra["load_event"] = ["twin", "endless", "late"]
    extra["start_time"] += pd.Timedelta(hours=3)
    extra.loc[extra["load_event"] == "endless", "end_time"] += pd.Timedelta(days=400)
    late = extra["load_event"] == "late"
    extra.loc[late, "announced_date"] = extra.loc[late, "start_time"] + pd.Timedelta(days=2)
    folder = folder_with(tmp_path / "raw", series_frame("page_views"), pd.concat([events, extra]))
    found = kinds(folder, tmp_path / "out", settings)
    assert {"event_overlap", "event_too_long", "event_announced_late"} <= found


def test_negative_and_missing_intervals_are_found_and_filled(tmp_path, settings):
    rows = series_frame("page_views")
    rows.loc[100:110, "load"] = -5
    rows = rows.drop(index=range(500, 560))
    folder = folder_with(tmp_path / "raw", rows, events_frame())
    assert {"negative_load", "missing_load"} <= kinds(folder, tmp_path / "out", settings)


def test_clock_changes_keep_days_of_24_hours(tmp_path, settings):
    rows = series_frame("page_views", days=110).assign(time_zone="America/New_York")
    rows["start_utc"] -= pd.Timedelta(days=60)  # back over the change of November
    folder = folder_with(tmp_path / "raw", rows.assign(region_id="east"))
    store = Store(tmp_path / "out")
    run_load_stage(store, folder, settings, date(2022, 2, 18), "load_train")
    found = store.read(date(2022, 2, 18), "load_findings")["load_finding"].astype("str")
    assert "clock_change" in set(found)


def test_two_years_asked_of_ten_days_get_what_ten_days_carry(tmp_path):
    folder = folder_with(tmp_path / "raw", series_frame("page_views", days=10))
    store, day = Store(tmp_path / "out"), date(2022, 1, 12)
    wide = load_settings(None, {"load": {"horizon_days": 731, "paths": 40}})
    for stage in ("load_train", "load_plan"):
        run_load_stage(store, folder, wide, day, stage)
    assert "short_history" in set(store.read(day, "load_findings")["load_finding"].astype("str"))
    rows = store.read(day, "load_forecast")
    assert (rows["load_grain"].astype("str") == "day").sum() == 30
    assert np.isfinite(rows["expected_load"]).all()


def test_a_series_of_zeros_is_told_of_and_not_forecast(tmp_path, settings):
    rows = series_frame("page_views").assign(load=0.0)
    folder = folder_with(tmp_path / "raw", rows)
    assert "all_zero" in kinds(folder, tmp_path / "out", settings)
    store = Store(tmp_path / "out2")
    run_load_stage(store, folder, settings, AS_OF, "load_plan")
    assert store.read(AS_OF, "load_forecast").empty


def test_a_capacity_of_zero_is_found_and_orders_nothing(world, settings, tmp_path):
    folder = write_world(tmp_path / "raw")
    types = pd.read_csv(folder / "server_types.csv").assign(most_servers=0, owned_servers=0)
    types.to_csv(folder / "server_types.csv", index=False)
    assert "zero_capacity" in kinds(folder, tmp_path / "out", settings)
    store = Store(tmp_path / "out2")
    run_load_stage(store, folder, settings, AS_OF, "load_plan")
    assert store.read(AS_OF, "capacity_orders").empty


def test_an_order_whose_date_has_passed_says_when_it_comes(planned):
    orders = planned.read(AS_OF, "capacity_orders")
    ups = orders[orders["ordered_change"] > 0]
    late = ups[ups["order_date"] <= pd.Timestamp(AS_OF)]
    assert len(late)
    for row in late.to_dict("records"):
        comes = pd.Timestamp(AS_OF) + pd.Timedelta(days=1) + (row["need_date"] - row["order_date"])
        assert f"they come on {comes:%Y-%m-%d}" in row["sentence"]
    assert not ups.drop(late.index)["sentence"].str.contains("late").any()


def test_planners_take_windows_out_and_back(tmp_path, settings):
    rows = series_frame("page_views")
    rows.loc[60 * 24 + 2 : 60 * 24 + 6, "load"] *= 8
    folder = folder_with(tmp_path / "raw", rows, events_frame())
    assert "robots" in kinds(folder, tmp_path / "one", settings)
    day = FIRST + pd.Timedelta(days=60)
    window = {"series": "page_views", "start_time": day, "end_time": day + pd.Timedelta(hours=9),
              "window_action": "accept", "planner": "ann", "why": "a real rush"}  # fmt: skip
    pd.DataFrame([window]).to_csv(folder / "load_windows.csv", index=False)
    found = kinds(folder, tmp_path / "two", settings)
    assert "robots" not in found
    assert "accepted_by_planner" in found


@pytest.mark.parametrize("minutes", [7, 2000])
def test_an_interval_that_does_not_divide_the_day_is_refused(tmp_path, settings, minutes):
    rows = series_frame("page_views").assign(slot_minutes=minutes)
    with pytest.raises(UsageError, match="slot_minutes"):
        run_load_stage(Store(tmp_path / "out"), folder_with(tmp_path / "raw", rows), settings,
                       AS_OF, "load_plan")  # fmt: skip


def test_weekly_and_daily_series_are_forecast_too(tmp_path, settings):
    rows = series_frame("page_views", days=112)
    daily = rows.groupby(rows["start_utc"].dt.normalize()).agg({"load": "sum"}).reset_index()
    fixed = {"series": "daily", "region_id": "north", "time_zone": "UTC", "slot_minutes": 1440}
    weekly = daily.groupby(np.arange(len(daily)) // 7).agg({"start_utc": "min", "load": "sum"})
    weeks = fixed | {"series": "weekly", "slot_minutes": 10080}
    both = pd.concat([daily.assign(**fixed), weekly.assign(**weeks)])
    folder = folder_with(tmp_path / "raw", both)
    store = Store(tmp_path / "out")
    run_load_stage(store, folder, settings, date(2022, 4, 24), "load_plan")
    plan = store.read(date(2022, 4, 24), "load_forecast").astype(
        {"series": "str", "load_grain": "str"}
    )
    sums = plan[plan["load_grain"] == "day"].groupby("series")["expected_load"].sum()
    assert sums["weekly"] == pytest.approx(sums["daily"], rel=0.25)


def test_bad_values_are_named_by_table_and_column(tmp_path, settings):
    events = events_frame().astype({"start_time": "str"})
    events.loc[0, "start_time"] = "soon"
    folder = folder_with(tmp_path / "raw", series_frame("page_views"), events)
    with pytest.raises(ContractError, match=r"load_events\.start_time"):
        run_load_stage(Store(tmp_path / "out"), folder, settings, AS_OF, "load_plan")


def launches_frame(stock: float | None, announced: int = 100) -> pd.DataFrame:
    return pd.DataFrame([{
        "series": "page_views", "launch": "console", "start_time": FIRST + pd.Timedelta(hours=2892),
        "announced_date": FIRST + pd.Timedelta(days=announced), "launch_visitors": 50_000.0,
        "launch_conversion": 0.1, "launch_stock_units": stock,
    }])  # fmt: skip


def launch_days(folder: Path, out: Path, settings: Settings) -> pd.Series:
    store, day = Store(out), date(2022, 4, 30)
    run_load_stage(store, folder, settings, day, "load_plan")
    rows = store.read(day, "load_forecast")
    return rows[rows["load_grain"] == "day"].set_index("start_time")["expected_load"]


@pytest.mark.parametrize(("stock", "brings"), [(None, 5000.0), (1200.0, 1200.0)])
def test_a_launch_brings_its_orders_until_it_is_sold_out(tmp_path, settings, stock, brings):
    folder = folder_with(tmp_path / "raw", series_frame("page_views"))
    plain = launch_days(folder, tmp_path / "plain", settings)
    launches_frame(stock).to_csv(folder / "load_launches.csv", index=False)
    more = launch_days(folder, tmp_path / "launch", settings) - plain
    assert more[FIRST + pd.Timedelta(days=120)] == pytest.approx(brings, rel=2e-3)
    assert more.sum() == pytest.approx(brings, rel=2e-3)


def test_a_launch_that_is_not_announced_yet_changes_nothing(tmp_path, settings):
    folder = folder_with(tmp_path / "raw", series_frame("page_views"))
    plain = launch_days(folder, tmp_path / "plain", settings)
    launches_frame(None, announced=119).to_csv(folder / "load_launches.csv", index=False)
    pd.testing.assert_series_equal(launch_days(folder, tmp_path / "launch", settings), plain)


@pytest.mark.parametrize(
    ("first", "hours"), [("2022-03-13", 23), ("2022-11-06", 25), ("2022-05-01", 24)]
)
def test_a_day_of_the_forecast_has_as_many_hours_as_its_clock(tmp_path, settings, first, hours):
    rows = series_frame("orders", days=60).assign(load=100.0, time_zone="America/New_York")
    start = pd.Timestamp(first) - pd.Timedelta(days=60)
    local = pd.date_range(start, periods=len(rows), freq="h", tz="America/New_York")
    rows["start_utc"] = local.tz_convert("UTC").tz_localize(None)
    folder = folder_with(tmp_path / "raw", rows)
    store, day = Store(tmp_path / "out"), (pd.Timestamp(first) - pd.Timedelta(days=1)).date()
    run_load_stage(store, folder, settings, day, "load_plan")
    forecast = store.read(day, "load_forecast").query(f"start_time >= '{first}'")
    days = forecast[forecast["load_grain"] == "day"].set_index("start_time")["expected_load"]
    assert days.iloc[0] == pytest.approx(100 * hours, rel=0.02)
    slots = forecast[forecast["load_grain"] == "minute"]
    by_day = slots.groupby(slots["start_time"].dt.normalize())["expected_load"].sum()
    np.testing.assert_allclose(by_day, days.reindex(by_day.index), rtol=1e-9)
    parts = store.read(day, "load_components")
    whole = parts.groupby("start_time")["part_load"].sum()
    np.testing.assert_allclose(whole, days.reindex(whole.index), rtol=1e-9)


def test_what_a_game_day_measured_is_what_the_next_order_uses(world, settings, tmp_path):
    raw = write_world(tmp_path / "raw")
    write_throughput(raw, "shop", 4.0, 20.0, date(2022, 4, 1))
    write_throughput(raw, "shop", 4.0, 40.0, date(2022, 4, 10))
    write_throughput(raw, "shop", 4.0, 48.0, date(2022, 4, 10))
    known = pd.read_csv(raw / "service_throughput.csv")["throughput_per_second"]
    assert known.tolist() == [5.0, 12.0]
    store = Store(tmp_path / "out")
    run_load_stage(store, raw, settings, AS_OF, "load_plan")
    assert store.read(AS_OF, "capacity_orders")["sentence"].str.contains("measured").all()
    for service, servers, rate in (("none", 1, 1), ("shop", 0, 1), ("shop", 1, 0)):
        with pytest.raises(UsageError, match="Next"):
            write_throughput(raw, service, servers, rate, AS_OF)


def test_products_of_the_script_have_the_shares_of_the_night_before(world, settings, tmp_path):
    store = Store(tmp_path / "out")
    run_load_stage(store, world, settings, AS_OF, "game_day")
    steps = set(store.read(AS_OF, "gameday_plan")["journey_step"].astype("str"))
    assert "product" in steps
    windows = pd.DataFrame({
        "item_id": ["tea", "tea", "soap"], "window_start_day": 1, "window_days": [7, 14, 14],
        "mean_units": [9.0, 30.0, 10.0],
    })  # fmt: skip
    assert _product_shares(windows) == {"tea": 0.75, "soap": 0.25}
    assert _product_shares(None) == {}
