"""What a promotion would do: units, whom it takes from, the dip after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.errors import UsageError
from pipeline.forecast import train
from pipeline.forecast.model import Model
from pipeline.forecast.panel import Calendar, Panel
from pipeline.forecast.promotions import effects_of, past_runs
from pipeline.forecast.what_if import Promotion, what_if
from tests.forecast.test_model import AS_OF, FakeNight

START, END = AS_OF + timedelta(days=8), AS_OF + timedelta(days=14)


@pytest.fixture(scope="module")
def night(world: Mapping[str, pd.DataFrame], quick: Settings) -> Any:
    found: Any = FakeNight(world, quick)
    train.run(found)
    return found


def ask(night: Any, **asked: Any) -> Any:
    item = str(night.tables["items"]["item_id"].iloc[0])
    model = Model.from_files(night.read_model())
    return what_if(night, model, Promotion(item, START, END, **asked))


def test_a_lower_price_sells_more_and_a_higher_one_less(night: Any) -> None:
    prices = night.tables["prices"]
    usual = prices.sort_values("start_date")["price_usd"].iloc[-1]
    low, high = (ask(night, price_usd=usual * factor).windows.iloc[0] for factor in (0.6, 1.4))
    assert low["units_with"] > low["units_without"] > 0
    assert low["units_with"] > high["units_with"]
    assert low["q0.05"] < low["units_with"] < low["q0.95"]


def test_a_lift_that_is_named_is_the_lift(night: Any) -> None:
    found = ask(night, lift=3.0)
    during, after = found.windows.iloc[0], found.windows.iloc[1]
    assert during["units_with"] == pytest.approx(3 * during["units_without"])
    gain = during["units_with"] - during["units_without"]
    dip = after["units_without"] - after["units_with"]
    assert dip == pytest.approx(found.effects.dip * gain, rel=1e-6)
    taken = found.taken["units_taken"].sum()
    assert 0 < taken <= found.effects.taken * gain + 1e-6


def test_days_behind_and_unknown_items_are_refused(night: Any) -> None:
    model = Model.from_files(night.read_model())
    for asked, said in ((Promotion("item_000", AS_OF, AS_OF), "not ahead"),
                        (Promotion("nothing", START, END), "no forecast")):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            what_if(night, model, asked)
    with pytest.raises(UsageError, match="no event"):
        ask(night, event="Moon landing")


def test_planted_cannibalization_and_dip_are_found_again() -> None:
    """Twelve promotions × 3: a third of the gain is the group's, a fifth that of later weeks."""
    rng, days, items = np.random.default_rng(4), 500, 12
    mean = np.full((items, days), 40.0)
    price = np.full((items, days), 10.0, np.float32)
    group = np.arange(items) // 6
    for k in range(items):
        begin = 70 + 30 * k
        run, later = slice(begin, begin + 7), slice(begin + 7, begin + 21)
        price[k, run] = 7.0
        mean[k, run] *= 3.0
        mates = (group == group[k]) & (np.arange(items) != k)
        mean[mates, run] -= (80.0 / 3) / mates.sum()
        mean[k, later] -= 80.0 * 7 / 5 / 14
    demand = rng.poisson(np.maximum(mean, 0)).astype(np.float32)
    code = np.arange(items, dtype=np.int32)
    zero = np.zeros(items, np.int32)
    far = np.full((1, days), 28, np.float32)
    panel = Panel(
        np.datetime64("2022-01-01"), demand, price, np.zeros(demand.shape, bool), zero,
        zero + 10**6, code, zero, group.astype(np.int32), zero, group.astype(np.int32),
        Calendar(np.zeros((1, days, 1), np.float32), far, far, np.arange(days, dtype=np.int32)),
    )  # fmt: skip
    runs = past_runs(panel, group)
    assert len(runs.item) == items
    found = effects_of(runs, group, 0)
    assert found.runs == 6
    assert found.taken == pytest.approx(1 / 3, abs=0.1)
    assert found.dip == pytest.approx(1 / 5, abs=0.1)
