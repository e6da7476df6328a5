"""The model end to end on a small world whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.check import require
from pipeline.contracts.columns import QUANTILE_COLUMNS
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.errors import UsageError
from pipeline.forecast import monitor, stage, train
from tests.forecast.conftest import FIRST

AS_OF = (FIRST + pd.Timedelta(days=419)).date()


@dataclass
class FakeNight:
    """A night in memory."""

    tables: Mapping[str, pd.DataFrame]
    settings: Settings
    as_of: date = AS_OF
    model_date: date = AS_OF
    files: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, pd.DataFrame] = field(default_factory=dict)

    def read(self, name: str) -> pd.DataFrame:
        empty = pd.DataFrame(columns=list(TABLES[name].columns))
        return self.tables.get(name, empty)

    def read_model(self) -> dict[str, bytes]:
        return self.files

    def write(self, name: str, frame: pd.DataFrame) -> None:
        self.written[name] = require(frame, TABLES[name])

    def write_files(self, name: str, files: dict[str, bytes]) -> None:
        self.files = files


def night_of(tables: Mapping[str, pd.DataFrame], settings: Settings) -> Any:
    night: Any = FakeNight(tables, settings)
    train.run(night)
    stage.run(night)
    monitor.run(night)
    return night


@pytest.fixture(scope="module")
def night(world: Mapping[str, pd.DataFrame], quick: Settings) -> Any:
    return night_of(world, quick)


def test_every_item_region_and_window_is_forecast_once(night: Any) -> None:
    table = night.written["demand_quantiles"]
    keys = ["item_id", "region_id", "window_start_day", "window_days"]
    assert len(table) == 24 * 3 * 5
    assert not table.duplicated(keys).any()


def test_quantiles_never_cross(night: Any) -> None:
    values = night.written["demand_quantiles"][list(QUANTILE_COLUMNS)].to_numpy()
    assert (np.diff(values, axis=1) >= 0).all()
    assert (values >= 0).all()


def test_means_of_adjoining_windows_add_up(night: Any) -> None:
    table = night.written["demand_quantiles"].set_index(["window_start_day", "window_days"])
    first, second, both = (table.loc[key]["mean_units"].to_numpy() for key in
                           ((1, 7), (8, 7), (1, 14)))  # fmt: skip
    np.testing.assert_allclose(first + second, both, rtol=1e-9)


def test_the_same_inputs_leave_the_same_bytes_with_any_number_of_threads(
    night: Any, world: Mapping[str, pd.DataFrame], quick: Settings
) -> None:
    two = quick.model_copy(update={"run": quick.run.model_copy(update={"threads": 2})})
    again = night_of(world, two)
    assert again.files == night.files
    pd.testing.assert_frame_equal(
        again.written["demand_quantiles"], night.written["demand_quantiles"]
    )


def test_shards_of_one_item_give_what_one_shard_gives(night: Any, quick: Settings) -> None:
    small = quick.forecast.model_copy(update={"shard_items": 1})
    other: Any = FakeNight(night.tables, quick.model_copy(update={"forecast": small}),
                           files=night.files)  # fmt: skip
    stage.run(other)
    pd.testing.assert_frame_equal(
        other.written["demand_quantiles"], night.written["demand_quantiles"]
    )


def test_the_mean_is_near_the_truth(night: Any, world: Mapping[str, pd.DataFrame]) -> None:
    """Four weeks over all series: within 12 % of what the generator expects on average."""
    recent = world["daily_demand"]
    recent = recent[recent["date"] > FIRST + pd.Timedelta(days=419 - 56)]
    table = night.written["demand_quantiles"]
    window = table[(table["window_start_day"] == 1) & (table["window_days"] == 28)]
    assert window["mean_units"].sum() == pytest.approx(recent["units"].sum() / 2, rel=0.12)


def test_a_planned_discount_raises_the_forecast(night: Any, quick: Settings) -> None:
    """Elasticity −1.5 from 10 to 7 USD lifts demand by 1.7; half of that must be learned."""
    tables = dict(night.tables)
    tomorrow = pd.Timestamp(AS_OF) + pd.Timedelta(days=1)
    prices = tables["prices"]
    past = prices[prices["start_date"] < tomorrow]
    keys = past[["item_id", "region_id"]].drop_duplicates()
    sums = []
    for usd in (10.0, 7.0):
        plan = keys.assign(start_date=tomorrow, price_usd=usd)
        tables["prices"] = pd.concat([past, plan], ignore_index=True)
        other: Any = FakeNight(tables, quick, files=night.files)
        stage.run(other)
        sums.append(other.written["demand_quantiles"]["mean_units"].sum())
    assert 1.35 < sums[1] / sums[0] < 2.1


def test_an_item_sells_from_its_launch_to_its_end(night: Any, quick: Settings) -> None:
    """One item launches on day 10, another is on sale for the last time on day 7."""
    tables = dict(night.tables)
    new = (
        tables["items"]
        .iloc[:1]
        .assign(item_id="item_999", launch_date=pd.Timestamp(AS_OF) + pd.Timedelta(days=10))
    )
    items = pd.concat([tables["items"], new], ignore_index=True)
    items.loc[items["item_id"] == "item_000", "end_date"] = pd.Timestamp(AS_OF) + pd.Timedelta(
        days=8
    )
    other: Any = FakeNight(tables | {"items": items}, quick, files=night.files)
    stage.run(other)
    table = other.written["demand_quantiles"].astype({"item_id": str, "region_id": str})
    table = table.set_index(["item_id", "region_id", "window_start_day", "window_days"])
    launching, ending = (table.loc[(item, "east")] for item in ("item_999", "item_000"))
    assert launching.loc[(1, 7), "mean_units"] == 0
    assert launching.loc[(1, 7), "q0.995"] == 0
    assert launching.loc[(15, 7), "mean_units"] > 0.5
    assert ending.loc[(1, 7), "mean_units"] > 0
    assert ending.loc[(8, 7), "mean_units"] == 0
    assert ending.loc[(1, 28), "mean_units"] == pytest.approx(ending.loc[(1, 7), "mean_units"])


def test_drivers_of_an_item_add_up_to_what_is_expected_of_it(night: Any) -> None:
    table = night.written["demand_quantiles"]
    for item in ("item_001", "item_007"):
        own = table[(table["item_id"].astype(str) == item) & (table["window_days"] == 28)]
        expected = own.loc[own["window_start_day"] == 1, "mean_units"].sum()
        assert monitor.drivers_of(night, item).sum() == pytest.approx(expected, rel=1e-6)


def test_changes_since_yesterday_end_at_tonights_forecast(night: Any) -> None:
    changes = night.written["forecast_changes"].astype({"item_id": str, "driver": str})
    whole = changes[changes["driver"] == "all"].set_index("item_id")
    table = night.written["demand_quantiles"].astype({"item_id": str})
    own = table[(table["window_start_day"] == 1) & (table["window_days"] == 28)]
    np.testing.assert_allclose(whole["mean_units"], own.groupby("item_id")["mean_units"].sum())
    total = whole["previous_mean_units"] + whole["change_units"]
    np.testing.assert_allclose(total, whole["mean_units"])


def test_a_back_test_of_a_night_trains_at_earlier_dates(night: Any, quick: Settings) -> None:
    found = train.backtest_night(night, 2, 14)
    expected = [pd.Timestamp(AS_OF) - pd.Timedelta(days=back) for back in (28, 14)]
    assert list(found["origin_date"].unique()) == expected
    with pytest.raises(UsageError, match="too short for 29 origins"):
        train.backtest_night(night, 29, 14)


@pytest.mark.parametrize(("days", "miss"), [(21, 0.2), (10, 0.3)])
def test_a_short_history_is_forecast_as_what_it_sold_with_wide_quantiles(
    world: Mapping[str, pd.DataFrame], quick: Settings, days: int, miss: float
) -> None:
    """Three weeks used to be forecast 25 % low, with a lower quantile of 0; ten days stopped."""
    old = world["items"]["launch_date"] == FIRST
    recent = world["daily_demand"]
    recent = recent[recent["date"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=days)]
    recent = recent[recent["item_id"].isin(world["items"]["item_id"][old])]
    short = dict(world) | {"daily_demand": recent, "items": world["items"][old]}
    night: Any = FakeNight(short, quick)
    train.run(night)
    stage.run(night)
    found = night.written["demand_quantiles"]
    found = found[(found["window_start_day"] == 1) & (found["window_days"] == 28)]
    sold = recent["units"].sum() / days * 28
    assert found["mean_units"].sum() == pytest.approx(sold, rel=miss)
    fast = found[found["mean_units"] > 50]
    assert (fast["q0.05"] > 0.2 * fast["mean_units"]).all()
    assert (fast["q0.95"] > 1.3 * fast["mean_units"]).all()


def test_a_day_missing_from_every_window_of_the_last_months_asks_nothing_of_the_forecast(
    world: Mapping[str, pd.DataFrame], quick: Settings, night: Any
) -> None:
    """No window of a week was whole, and the trees of the spread had no row to grow on."""
    past = world["daily_demand"]
    days = pd.date_range(pd.Timestamp(AS_OF) - pd.Timedelta(days=150), AS_OF, freq="5D")
    is_lost = past["date"].isin(days)
    lost = past.assign(in_stock_share=past["in_stock_share"].where(~is_lost, 0.0),
                       is_censored=past["is_censored"] | is_lost)  # fmt: skip
    marks = pd.DataFrame(
        [(r, d, "unknown") for r in world["regions"]["region_id"] for d in days],
        columns=["region_id", "date", "day_kind"],
    )
    gaps: Any = FakeNight(dict(world) | {"daily_demand": lost, "demand_calendar": marks}, quick)
    train.run(gaps)
    stage.run(gaps)
    four_weeks = [
        found[(found["window_start_day"] == 1) & (found["window_days"] == 28)]["mean_units"].sum()
        for found in (gaps.written["demand_quantiles"], night.written["demand_quantiles"])
    ]
    assert four_weeks[0] == pytest.approx(four_weeks[1], rel=0.08)


def test_without_any_sale_only_what_planners_expect_is_forecast(
    world: Mapping[str, pd.DataFrame], quick: Settings
) -> None:
    plans = pd.DataFrame({"item_id": ["item_000"], "region_id": ["east"],
                          "expected_daily_units": [5.0]})  # fmt: skip
    first = world["daily_demand"]
    first = first[first["date"] == pd.Timestamp(AS_OF)].assign(
        units=0.0, in_stock_share=0.0, is_censored=True
    )
    night: Any = FakeNight(dict(world) | {"daily_demand": first, "launch_plans": plans}, quick)
    train.run(night)
    stage.run(night)
    found = night.written["demand_quantiles"]
    found = found[(found["window_start_day"] == 1) & (found["window_days"] == 28)]
    planned = (found["item_id"] == "item_000") & (found["region_id"] == "east")
    assert found.loc[planned, "mean_units"].item() == pytest.approx(5 * 28, rel=0.4)
    assert found.loc[~planned, "mean_units"].max() < 2


def test_nothing_is_expected_on_closing_days_and_the_week_keeps_its_sum(
    world: Mapping[str, pd.DataFrame], quick: Settings, night: Any
) -> None:
    """Closed at weekends: the days are left out, and five of seven days sell."""
    past = world["daily_demand"]
    is_closed = past["date"].dt.day_of_week >= 5
    days = pd.date_range(FIRST, pd.Timestamp(AS_OF) + pd.Timedelta(days=100))
    days = days[days.day_of_week >= 5]
    marks = pd.DataFrame(
        [(r, d, "closed") for r in world["regions"]["region_id"] for d in days],
        columns=["region_id", "date", "day_kind"],
    )
    tables = dict(world) | {"daily_demand": past[~is_closed], "demand_calendar": marks}
    closing: Any = FakeNight(tables, quick)
    train.run(closing)
    stage.run(closing)
    found = closing.written["demand_quantiles"]
    own = found[(found["window_start_day"] == 1) & (found["window_days"] == 28)]
    whole = night.written["demand_quantiles"]
    whole = whole[(whole["window_start_day"] == 1) & (whole["window_days"] == 28)]
    open_share = past.loc[~is_closed, "units"].sum() / past["units"].sum()
    expected = open_share * whole["mean_units"].sum()
    # Two forecasts, each with an error of its own: above the generator's truth by 16 % (closed; the
    # history's draw is high) and 9 % (whole; it was 13 % while age told trees the date).
    assert own["mean_units"].sum() == pytest.approx(expected, rel=0.08)
    tail = own["q0.95"].sum() / own["mean_units"].sum()
    assert 1.2 < tail < 2.2


def test_scores_cover_groups_regions_and_lengths(night: Any) -> None:
    scores = night.written["forecast_scores"]
    assert {"all", "hard", "soft"} <= set(scores["item_group"].astype(str))
    assert {"network", "east"} <= set(scores["region_group"].astype(str))
    overall = scores[(scores["item_group"] == "all") & (scores["region_group"] == "network")]
    assert overall["coverage_90"].between(0.75, 1).all()


def test_at_least_five_a_day_on_a_new_item_is_a_hundred_and_forty_in_the_middle_too(
    night: Any, quick: Settings
) -> None:
    """The forecast's doubt whether a new item sells at all goes with the level it was part of."""
    tables = dict(night.tables)
    tomorrow = pd.Timestamp(AS_OF) + pd.Timedelta(days=1)
    new = tables["items"].iloc[:1].assign(item_id="item_999", launch_date=tomorrow)
    tables["items"] = pd.concat([tables["items"], new], ignore_index=True)
    row = dict.fromkeys(tables["overrides"].columns) | {
        "override_id": "o", "item_id": "item_999", "region_id": "east", "planner": "kim",
        "override_target": "demand", "override_kind": "at_least", "override_value": 5.0,
        "start_date": tomorrow, "expiry_date": tomorrow + pd.Timedelta(days=90),
    }  # fmt: skip
    tables["overrides"] = pd.DataFrame([row])
    other: Any = FakeNight(tables, quick, files=night.files)
    stage.run(other)
    own = [(name, frame[(frame["item_id"] == "item_999") & (frame["region_id"] == "east")
                        & (frame["window_days"] == 28)].iloc[0])
           for name, frame in other.written.items()
           if name in ("demand_quantiles", "demand_before_overrides")]  # fmt: skip
    after, before = (dict(own)[name] for name in ("demand_quantiles", "demand_before_overrides"))
    assert after["mean_units"] == pytest.approx(140)
    assert after["q0.5"] == pytest.approx(140, rel=0.15)
    assert after["q0.95"] < 300
    assert before["mean_units"] < 140
    assert before["override_id"] == "o"
