"""A department that the export lacks is not known; one item, a season and known stock-outs are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.silent_parts import Part, parts_of, silent_parts
from tests.faults.test_absence import rules
from tests.faults.test_reading import night
from tests.ingest.conftest import AS_OF, edit, raw, small_world

__all__ = ["raw", "small_world"]  # fixtures used by name

ITEMS, REGIONS, DAYS = 12, 2, 500
DATES = pd.date_range("2024-01-01", periods=DAYS)


def world(seed: int, mean: float = 1.5, spread: float = 1.0) -> np.ndarray:
    """Units [items, regions, days] of three departments of four items."""
    random = np.random.default_rng(seed)
    rate = mean * random.gamma(1 / spread, spread, (ITEMS, REGIONS, 1))
    return random.poisson(rate * random.gamma(4, 1 / 4, (ITEMS, REGIONS, DAYS)))


def parts() -> list[Part]:
    names = pd.Index([f"I-{k:02}" for k in range(ITEMS)])
    items = pd.DataFrame({
        "item_id": names, "category": ["all"] * ITEMS,
        "department": [f"d{k // 4}" for k in range(ITEMS)],
    })  # fmt: skip
    return list(parts_of(items, names, pd.Index(["east", "west"])))


def judged(
    units: np.ndarray, stocked: np.ndarray | None = None, known: np.ndarray | None = None
) -> tuple[np.ndarray, list[str]]:
    every = np.ones(units.shape, dtype=bool)
    absent, findings = silent_parts(
        units, every, every if stocked is None else stocked,
        np.ones(units.shape[1:], dtype=bool) if known is None else known, parts(), DATES,
        IngestSettings(),
    )  # fmt: skip
    return absent, [finding.rule.split(" has sold")[0].split(" sold")[0] for finding in findings]


def test_parts_are_named_once_and_everywhere_before_each_region() -> None:
    assert [part.name for part in parts()] == [
        "department d0", "department d1", "department d2",
        "region east", "department d0 in east", "department d1 in east", "department d2 in east",
        "region west", "department d0 in west", "department d1 in west", "department d2 in west",
    ]  # fmt: skip


@pytest.mark.parametrize("days", [(490, 500), (494, 500), (300, 328), (200, 260)])
@pytest.mark.parametrize("region", [None, 1])
def test_days_without_a_department_are_not_known_and_told_once(
    days: tuple[int, int], region: int | None
) -> None:
    units = world(1, mean=4)
    mine = np.zeros(units.shape, dtype=bool)
    mine[4:8, slice(None) if region is None else region, days[0] : days[1]] = True
    units[mine] = 0
    absent, told = judged(units)
    assert absent[mine].all()
    assert not absent[:4].any()
    assert not absent[8:].any()
    assert absent.sum() <= mine.sum() * 1.1  # a day of chance beside them may look like one
    assert told == ["department d1" if region is None else "department d1 in west"]


def test_of_many_parts_the_first_are_named_and_the_rest_counted() -> None:
    units = np.random.default_rng(8).poisson(3.0, (80, 1, DAYS))
    names = pd.Index([f"I-{k:02}" for k in range(80)])
    items = pd.DataFrame({"item_id": names, "department": [f"d{k // 4:02}" for k in range(80)]})
    units[:40, :, 490:] = 0
    every = np.ones(units.shape, dtype=bool)
    absent, told = silent_parts(
        units, every, every, every[0], list(parts_of(items, names, pd.Index(["r"]))), DATES,
        IngestSettings(),
    )  # fmt: skip
    assert absent[:40, :, 490:].all()
    assert [finding.key for finding in told[:-1]] == [f"department d{k:02}" for k in range(6)]
    assert told[-1].rule.startswith("4 more parts")


def test_a_region_that_falls_silent_is_not_known() -> None:
    units = world(2)
    units[:, 0, 495:] = 0
    absent, told = judged(units)
    assert absent[:, 0, 495:].all()
    assert not absent[:, 1].any()
    assert told == ["region east"]


def test_a_tenth_of_a_large_department_is_no_whole_day() -> None:
    units = np.random.default_rng(3).poisson(3.0, (80, REGIONS, DAYS))
    names = pd.Index([f"I-{k:02}" for k in range(80)])
    items = pd.DataFrame({"item_id": names, "department": ["a"] * 40 + ["b"] * 40})
    units[4:40, :, 495] = 0
    every = np.ones(units.shape, dtype=bool)
    absent, told = silent_parts(
        units, every, every, every[0], list(parts_of(items, names, pd.Index(["r", "s"]))), DATES,
        IngestSettings(),
    )  # fmt: skip
    assert absent[:40, :, 495].all()
    assert absent.sum() == 80
    assert [finding.key for finding in told] == ["department a"]


def test_what_has_been_silent_for_longer_is_believed_and_told() -> None:
    units = world(4)
    units[4:8, :, 460:] = 0
    absent, told = judged(units)
    assert not absent.any()
    assert told == ["department d1"]


def test_a_silence_that_lasts_until_a_closed_night_is_no_gap() -> None:
    units = world(4)
    units[4:8, :, 440:] = 0
    known = np.ones(units.shape[1:], dtype=bool)
    known[:, -1] = False
    absent, told = judged(units, known=known)
    assert not absent.any()
    assert told == ["department d1"]


def test_a_day_of_chance_beside_a_gap_everywhere_is_a_region_s_own() -> None:
    units = world(1, mean=4)
    units[4:8, :, 494:] = 0
    units[4:8, 1, 493] = 0
    units[4, 0, 493] = 1
    absent, told = judged(units)
    assert not absent[:, :, 493].any()
    assert absent[4:8, :, 494:].all()
    assert told == ["department d1"]


def test_one_item_s_silence_stock_that_was_short_and_days_without_a_word_are_no_part() -> None:
    units = world(5)
    units[5, :, 480:] = 0
    assert not judged(units)[0].any()
    units = world(5)
    units[4:8, :, 490:] = 0
    stocked = np.ones(units.shape, dtype=bool)
    stocked[4:8, :, 490:] = False
    assert not judged(units, stocked)[0].any()
    known = np.ones(units.shape[1:], dtype=bool)
    known[:, 490:] = False
    assert not judged(units, known=known)[0].any()


def test_stock_counts_by_what_items_sell() -> None:
    """The one good item of a department is known to be out: the others sell little anyway."""
    units = world(6, mean=0.05)
    units[4] = np.random.default_rng(6).poisson(9, units[4].shape)
    units[4:8, :, 490:] = 0
    stocked = np.ones(units.shape, dtype=bool)
    assert judged(units, stocked)[0].any()
    stocked[4, :, 490:] = False
    assert not judged(units, stocked)[0].any()


def test_a_season_ends_in_the_weeks_of_a_year_ago() -> None:
    dates = pd.date_range("2024-01-01", "2025-10-04")
    units = np.concatenate([world(7), world(8)], axis=2)[:, :, : len(dates)]
    units[:4, :, ~np.isin(dates.month, [5, 6, 7, 8, 9])] = 0
    units[:8, :, -10:] = 0  # it is over a week early; the other department was never silent
    every = np.ones(units.shape, dtype=bool)
    absent, _ = silent_parts(units, every, every, every[0], parts(), dates, IngestSettings())
    assert not absent[:4, :, -10:].any()
    assert absent[4:8, :, -10:].all()


@pytest.mark.parametrize("weeks", [1, 3])
def test_a_week_reported_without_a_department_is_not_known(weeks: int) -> None:
    units = world(9, mean=3)
    dates = pd.date_range(end="2025-06-01", periods=DAYS - 3)  # ends within the first week
    units = units[:, :, 3:]
    units[4:8, :, -7 * weeks :] = 0
    every = np.ones(units.shape, dtype=bool)
    ends = np.asarray(dates.day_of_week == 6)
    absent, told = silent_parts(
        units, every, every, every[0], parts(), dates, IngestSettings(), ends
    )
    assert absent[4:8, :, -7 * weeks :].all()
    assert absent.sum() == 4 * REGIONS * 7 * weeks
    assert [finding.key for finding in told] == ["department d1"]


@pytest.mark.parametrize(("mean", "spread"), [(0.05, 1.0), (0.4, 3.0), (1.5, 1.0), (30.0, 1.0)])
def test_ordinary_days_of_small_and_large_parts_are_known(mean: float, spread: float) -> None:
    found = [judged(world(seed, mean, spread))[0].mean() for seed in range(12)]
    assert np.mean(found) < 1e-3


def test_a_company_of_two_items_has_no_parts() -> None:
    names = pd.Index(["a", "b"])
    items = pd.DataFrame({"item_id": names, "department": ["x", "y"]})
    few = list(parts_of(items, names, pd.Index(["r"])))
    units = np.ones((2, 1, DAYS), dtype=np.int64)
    units[:, :, 490:] = 0
    every = np.ones(units.shape, dtype=bool)
    absent, told = silent_parts(units, every, every, every[0], few, DATES, IngestSettings())
    assert (few, absent.any(), told) == ([], False, [])


def test_a_night_without_a_department_s_sales_knows_no_demand_of_those_days(raw: Path) -> None:
    sold = pd.read_csv(raw / "sales.csv").groupby("item_id")["units"].sum()
    chosen = list(sold.sort_values().index[3:7])
    first = str(AS_OF - timedelta(days=5))
    edit(raw, "items", lambda f: f.assign(
        department=f["department"].where(~f["item_id"].isin(chosen), "toys")))  # fmt: skip
    edit(raw, "sales", lambda f: f[~f["item_id"].isin(chosen) | (f["date"] < first)])
    tables = night(raw)
    assert "department toys sold 0 units on 6 day(s)" in rules(tables, "sales")
    daily = tables["daily_demand"].astype({"item_id": "str"})
    gone = daily["item_id"].isin(chosen) & (daily["date"] >= first)
    assert len(daily[gone]) >= 4 * 6
    assert (daily.loc[gone, "in_stock_share"] == 0).all()
    assert (daily.loc[~gone & (daily["date"] >= first), "in_stock_share"] > 0).any()
