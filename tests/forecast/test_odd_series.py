"""Items that sell once a year, at events or before them, at cut prices, on Saturdays, by orders
that come by the calendar, twice as much every year or since a day, or for a few days only."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.forecast.assemble import Names, assemble
from pipeline.forecast.model import Model
from pipeline.forecast.serve import Asked, forecast_windows
from pipeline.forecast.train import train
from tests.forecast.odd_world import (
    AHEAD,
    AS_OF,
    CHANGE_KINDS,
    FEAST_KINDS,
    KINDS,
    MORE_KINDS,
    RHYTHM_KINDS,
    Odd,
    odd_world,
)


def forecast(kin: int, kinds: tuple[Odd, ...] = KINDS) -> pd.DataFrame:
    """Truth and forecast of every odd item in a shop of 100 ordinary ones, regions summed."""
    tables, truth = odd_world(100, kin, kinds)
    settings = Settings.model_validate({
        "forecast": {
            "mean": {"trees": 60, "leaves": 15, "leaf_rows": 40},
            "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}, "window_days": [7, 28, 56],
        },
        "planning": {"horizon_weeks": 2}, "run": {"threads": 1},
    })  # fmt: skip
    names = Names.of(tables["items"], tables["regions"], tables["calendar"])
    known = assemble(
        AS_OF, AHEAD, names, *(tables[t] for t in ("items", "prices", "calendar", "daily_demand"))
    )
    model = Model.from_files(train(known.panel, names, settings).to_files())
    asked = Asked([(1, 28), (1, 56)], [])
    found = forecast_windows(known, model, asked, 500, settings.run).quantiles
    columns = ["mean_units", "q0.025", "q0.975"]
    summed = found.groupby(["item_id", "window_days"])[columns].sum().reset_index()
    return truth.rename(columns={"days": "window_days"}).merge(summed)


@pytest.fixture(scope="module")
def alone() -> pd.DataFrame:
    return forecast(1).set_index("kind")


@pytest.fixture(scope="module")
def among_kin() -> pd.DataFrame:
    return forecast(6, KINDS + MORE_KINDS)


@pytest.fixture(scope="module")
def in_feast() -> pd.DataFrame:
    return forecast(6, FEAST_KINDS)


@pytest.fixture(scope="module")
def by_calendar() -> pd.DataFrame:
    return forecast(4, RHYTHM_KINDS)


@pytest.fixture(scope="module")
def changed() -> pd.DataFrame:
    return forecast(8, CHANGE_KINDS)


@pytest.mark.parametrize("kind", [
    "august", "event_4", "event_20", "doubling", "halving", "promoted", "promotion_ahead",
])  # fmt: skip
def test_a_single_odd_item_is_forecast_near_its_truth(alone: pd.DataFrame, kind: str) -> None:
    """One draw of sales, which themselves lie a tenth off: a fifth off at most."""
    row = alone.loc[kind]
    assert row["mean_units"] == pytest.approx(row["units"], rel=0.2)
    assert row["q0.025"] <= row["units"] <= row["q0.975"]


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [
        ("august", 0.15), ("event_4", 0.15), ("event_20", 0.15), ("doubling", 0.15),
        ("halving", 0.15), ("ten_days", 0.15), ("christmas", 0.25),  # the last out of its season
        ("promoted", 0.15), ("promotion_ahead", 0.15), ("step_up", 0.15), ("step_down", 0.25),
        # two months after half went, the level still holds some of it
        ("saturdays", 0.15), ("wave", 0.15), ("before_fair", 0.15), ("thirty_days", 0.15),
    ],
)  # fmt: skip
def test_odd_items_of_a_kind_are_forecast_without_bias_and_within_their_intervals(
    among_kin: pd.DataFrame, kind: str, tolerance: float
) -> None:
    own = among_kin[among_kin["kind"] == kind]
    assert own["mean_units"].sum() == pytest.approx(own["units"].sum(), rel=tolerance)
    inside = (own["q0.025"] <= own["units"]) & (own["units"] <= own["q0.975"])
    assert inside.mean() >= 0.8


@pytest.mark.parametrize("kind", ["feast_month", "saturdays", "steady"])
def test_a_moving_month_of_feasts_lifts_those_whom_it_lifted(
    in_feast: pd.DataFrame, kind: str
) -> None:
    """Not those who know it only from what items launched before the last one did in it."""
    own = in_feast[in_feast["kind"] == kind]
    assert own["mean_units"].sum() == pytest.approx(own["units"].sum(), rel=0.15)
    assert ((own["q0.025"] <= own["units"]) & (own["units"] <= own["q0.975"])).mean() >= 0.8


@pytest.mark.parametrize("kind", [odd.name for odd in RHYTHM_KINDS])
def test_orders_that_come_by_the_calendar_are_expected(
    by_calendar: pd.DataFrame, kind: str
) -> None:
    own = by_calendar[by_calendar["kind"] == kind]
    assert own["mean_units"].sum() == pytest.approx(own["units"].sum(), rel=0.15)
    assert ((own["q0.025"] <= own["units"]) & (own["units"] <= own["q0.975"])).mean() >= 0.8


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [("step_up", 0.15), ("step_down", 0.25), ("drop", 0.15), ("jump", 0.15), ("steady", 0.15)],
)
def test_levels_that_have_changed_for_good_are_followed_at_once(
    changed: pd.DataFrame, kind: str, tolerance: float
) -> None:
    """Twice and half as much since two months, a quarter and three times as much since 25 days."""
    own = changed[changed["kind"] == kind]
    assert own["mean_units"].sum() == pytest.approx(own["units"].sum(), rel=tolerance)
    assert ((own["q0.025"] <= own["units"]) & (own["units"] <= own["q0.975"])).mean() >= 0.75
