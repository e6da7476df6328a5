"""The runner: order of stages, all or nothing, the model's date, and comparisons kept fresh."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline import runner
from pipeline.contracts.settings import Settings
from pipeline.errors import ContractError, UsageError
from pipeline.stages import BY_NAME, STAGES, Stage, upstream
from pipeline.store import Night, Source, Store

DAY = date(2025, 6, 10)
SOURCE = Source("raw", Path("nowhere"))


def stock(units: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"date": [DAY], "item_id": ["a"], "node_id": ["n"], "on_hand_units": [units]}
    )


def sales() -> pd.DataFrame:
    return pd.DataFrame({"item_id": ["a"], "region_id": ["r"], "date": [DAY], "units": [1]})


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Night], None]], None]:
    """Puts a stage 'toy' that writes stock and sales into the runner, run by a given function."""

    def put(run: Callable[[Night], None]) -> None:
        stage = Stage("toy", "x:run", (), ("stock", "sales"))
        monkeypatch.setitem(runner.BY_NAME, "toy", stage)
        monkeypatch.setattr(runner, "entry", lambda _: run)

    return put


def test_a_stage_publishes_all_its_tables(
    tmp_path: Path, toy: Callable[[Callable[[Night], None]], None]
) -> None:
    def run(night: Night) -> None:
        night.write("stock", stock(5))
        night.write("sales", sales())

    toy(run)
    told: list[tuple[str, date, runner.StageRun | None]] = []
    store = Store(tmp_path)
    result = runner.run_stage(store, SOURCE, Settings(), DAY, "toy",
                              lambda *step: told.append(step))  # fmt: skip
    assert told == [("toy", DAY, None), ("toy", DAY, result)]
    assert result.rows == {"stock": 1, "sales": 1}
    assert store.read(DAY, "stock")["on_hand_units"].tolist() == [5]


def test_a_stage_that_fails_halfway_publishes_nothing(
    tmp_path: Path, toy: Callable[[Callable[[Night], None]], None]
) -> None:
    def run(night: Night) -> None:
        night.write("sales", sales())
        night.write("stock", stock(-5))

    toy(run)
    with pytest.raises(ContractError):
        runner.run_stage(Store(tmp_path), SOURCE, Settings(), DAY, "toy")
    assert list(tmp_path.rglob("*.parquet")) == []


def test_an_unknown_stage_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no stage 'bake'\. Next: use one of ingest"):
        runner.run_stage(Store(tmp_path), SOURCE, Settings(), DAY, "bake")


def test_model_date_is_the_newest_training_day_by_rule() -> None:
    settings = Settings()
    for offset in range(14):
        day = DAY + timedelta(days=offset)
        model = runner.model_date(settings, day)
        assert model <= day < model + timedelta(days=7)
        assert model.weekday() == settings.forecast.train_weekday


def test_dates_run_in_order_and_not_backwards() -> None:
    days = list(runner.business_dates(DAY, DAY + timedelta(days=2)))
    assert days == [DAY, date(2025, 6, 11), date(2025, 6, 12)]
    with pytest.raises(UsageError, match="lies before"):
        list(runner.business_dates(DAY, date(2025, 6, 9)))


def test_each_table_has_one_maker_that_comes_before_its_readers() -> None:
    made: dict[str, str] = {}
    for stage in STAGES:
        assert [name for name in stage.reads if name not in made] == []
        for name in stage.writes:
            assert name not in made
            made[name] = stage.name
    assert upstream(BY_NAME["forecast"]) == ("ingest", "train")


def test_a_night_runs_every_stage_once_and_trains_when_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, date]] = []
    monkeypatch.setattr(runner, "run_stage",
                        lambda store, source, settings, day, name, on_stage=None, **_:
                        ran.append((name, day)))  # fmt: skip
    runner.run_night(Store(tmp_path), SOURCE, Settings(), DAY)
    model = runner.model_date(Settings(), DAY)
    assert ran == [("ingest", DAY), ("ingest", model), ("train", model),
                   *[(name, DAY) for name in ("forecast", "assort", "optimize", "buy", "place",
                                              "monitor", "project", "accuracy", "explain",
                                              "review")]]  # fmt: skip


def test_the_day_after_is_compared_anew_only_when_it_used_an_older_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, date]] = []
    monkeypatch.setattr(runner, "run_stage",
                        lambda store, source, settings, day, name, on_stage=None, **_:
                        ran.append((name, day)))  # fmt: skip
    stale = {"value": ["2025-06-11/purchase_orders"]}
    monkeypatch.setattr(runner, "stale_inputs", lambda store, day, name:
                        [] if name == "forecast_accuracy" else stale["value"])  # fmt: skip
    store, after = Store(tmp_path), DAY + timedelta(days=1)
    assert not runner.refresh_successor(store, SOURCE, Settings(), DAY)
    stale["value"] = ["2025-06-10/purchase_orders"]
    assert runner.refresh_successor(store, SOURCE, Settings(), DAY)
    assert ran == [("explain", after), ("review", after)]


def test_a_backfilled_night_is_scored_anew_by_the_later_nights_that_scored_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, date]] = []
    monkeypatch.setattr(runner, "run_stage",
                        lambda store, source, settings, day, name, on_stage=None, **_:
                        ran.append((name, day)))  # fmt: skip
    later = {DAY + timedelta(days=days) for days in (7, 28)}  # the others are not planned yet
    monkeypatch.setattr(runner, "stale_inputs", lambda store, day, name:
                        [f"{DAY}/demand_quantiles"]
                        if name == "forecast_accuracy" and day in later else [])  # fmt: skip
    runner.refresh_successor(Store(tmp_path), SOURCE, Settings(), DAY)
    assert ran == [("accuracy", day) for day in sorted(later)]
