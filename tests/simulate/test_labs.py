"""Trials: randomization, coverage, power, and the same code on simulated and production tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UsageError
from pipeline.simulate.labs.outcomes import (
    by_day,
    gross_margin_days,
    gross_margin_weeks,
    judge,
    start_trial,
)
from pipeline.simulate.labs.rehearsal import common_price, from_day, lab_world
from pipeline.simulate.labs.switchback import carry_over, switch_back, switch_verdict
from pipeline.simulate.labs.trial import design, pair_sd, pairs_needed, power, verdict

LIFT = 0.01


def panel(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Earlier and later outcomes of clusters of very different size, correlated as sales are."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(5, 1.2, n))
    return size * rng.normal(1, 0.05, n), size * rng.normal(1, 0.05, n)


def test_each_pair_has_one_cluster_in_each_arm_and_neighbours_in_size() -> None:
    before = np.array([5.0, 100.0, 90.0, 6.0, 40.0, 45.0, 1.0])
    trial = design(before, seed=3)
    assert trial.pair.tolist() == [2, 0, 0, 2, 1, 1, -1]
    assert [trial.is_b[trial.pair == p].sum() for p in range(3)] == [1, 1, 1]
    assert not trial.is_b[6]


def test_a_coin_decides_within_pairs() -> None:
    """Over seeds every cluster is in B half of the time."""
    before = np.arange(8.0)
    share = np.mean([design(before, seed).is_b for seed in range(400)], axis=0)
    assert (np.abs(share - 0.5) < 0.1).all()


def test_intervals_cover_a_planted_effect_and_a_null_in_nine_of_ten_labs() -> None:
    covered = quiet = 0
    for seed in range(100):
        before, during = panel(seed)
        trial = design(before, seed)
        null = verdict(trial, during, before)
        planted = verdict(trial, np.where(trial.is_b, during * (1 + LIFT), during), before)
        covered += planted.low <= LIFT <= planted.high
        quiet += null.decision == "no difference found"
    assert covered >= 90
    assert quiet >= 90


def test_cuped_narrows_the_interval_when_the_past_tells_more_than_the_pairing() -> None:
    """Within pairs of a coarse size, the earlier outcome still explains the later one."""
    rng = np.random.default_rng(1)
    level = rng.normal(100, 20, 200)
    before, during = level + rng.normal(0, 5, 200), level + rng.normal(0, 5, 200)
    trial = design(np.zeros(200), seed=1)  # pairs know nothing
    with_past = verdict(trial, during, before)
    without = verdict(trial, during, np.zeros(200))
    assert with_past.high - with_past.low < 0.6 * (without.high - without.low)
    assert with_past.noise_removed > 0.6


def test_power_is_the_share_of_labs_that_find_the_effect() -> None:
    found, sd = 0, []
    for seed in range(200):
        before, during = panel(seed, 200)
        trial = design(before, seed)
        sd.append(pair_sd(trial, during, before))
        planted = np.where(trial.is_b, during * 1.03, during)
        found += verdict(trial, planted, before).low > 0
    assert power(0.03, float(np.mean(sd)), 100) == pytest.approx(found / 200, abs=0.12)


def test_power_is_1_where_the_effect_cannot_be_missed() -> None:
    assert power(0.05, 0.01, 12) == pytest.approx(1.0)
    assert power(-0.05, 0.01, 12) == pytest.approx(1.0)


def test_pairs_needed_is_the_least_number_with_enough_power() -> None:
    n = pairs_needed(0.01, 0.1)
    assert n is not None
    assert power(0.01, 0.1, n) >= 0.8 > power(0.01, 0.1, n - 1)
    assert n == pytest.approx((0.1 / 0.01) ** 2 * (1.96 + 0.8416) ** 2, rel=0.02)  # normal theory
    assert pairs_needed(1e-6, 1.0) is None


def test_a_common_price_takes_out_interference_through_shared_space() -> None:
    """B holds more and makes A pay: with shared overflow the trial even gets the sign wrong."""
    errors = np.array([interference(seed) for seed in range(5, 11)])
    with_price, as_charged = np.abs(errors).mean(axis=0)
    assert with_price < 0.6 * as_charged
    assert (errors[:, 1] > 0).all()


def interference(seed: int) -> tuple[float, float]:
    """Error of the lift at the common price, and of that with the overflow as charged."""
    n, days = 120, 20
    free = lab_world(n, seed)
    nobody, everyone = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    usual = free.run(1.0, 1.0, from_day(nobody, days), seed).space_cuft.sum(axis=1).mean(axis=0)
    world = lab_world(n, seed, 1.05 * usual)
    earned = {}
    for name, arm in (("A", nobody), ("B", everyone)):
        run = world.run(1.0, 2.0, from_day(arm, days), seed)
        earned[name] = (run.profit_usd - run.overflow_usd).sum()
    truth = earned["B"] / earned["A"] - 1
    is_b = np.arange(n) % 2 == 0
    mixed = world.run(1.0, 2.0, from_day(is_b, days), seed)
    price, overflow_usd = common_price(mixed, is_b, world)
    scale = free.mean[~is_b].sum() / free.mean[is_b].sum()  # the arms differ in size here
    naive = mixed.profit_usd - mixed.overflow_usd
    priced = mixed.profit_usd - price * mixed.space_cuft.sum(axis=2)
    base = 2 * mixed.profit_usd[:, ~is_b].sum() - overflow_usd
    wrong = naive[:, is_b].sum() * scale / naive[:, ~is_b].sum() - 1
    right = 2 * (priced[:, is_b].sum() * scale - priced[:, ~is_b].sum()) / base
    assert price > 0 > truth
    return float(right - truth), float(wrong - truth)


def test_a_coin_decides_which_policy_of_a_pair_of_periods_comes_first() -> None:
    trial = switch_back(3, 50, period_days=7, washout_days=2, seed=1)
    pairs = trial.is_b.reshape(3, 50, 2)
    assert (pairs.sum(axis=2) == 1).all()
    assert (abs(pairs[:, :, 0].mean(axis=1) - 0.5) < 0.2).all()
    assert not (trial.is_b[0] == trial.is_b[1]).all()  # each cluster has coins of its own
    assert (trial.arms()[:7] == trial.is_b[:, 0]).all()
    assert (trial.arms()[7:14] == trial.is_b[:, 1]).all()
    with pytest.raises(ValueError, match="two days"):
        switch_back(1, 8, period_days=3, washout_days=2, seed=1)


def switched(trial: object, seed: int, lift: float, fade_days: float) -> np.ndarray:
    """Daily outcomes with weekdays and a trend, and a lift that comes and goes in fade_days."""
    rng = np.random.default_rng(seed)
    days = np.arange(trial.n_days)
    usual = 1000 * (1 + 0.2 * np.sin(2 * np.pi * days / 7) + days / 500)
    level, path = 0.0, []
    for is_b in trial.arms()[:, 0]:
        level += (is_b - level) * (1 - np.exp(-1 / fade_days) if fade_days else 1.0)
        path.append(level)
    return (usual * (1 + lift * np.array(path)) * rng.normal(1, 0.005, len(days)))[:, None]


def test_switching_back_covers_the_truth_and_a_null_in_nine_of_ten_trials() -> None:
    covered = quiet = 0
    for seed in range(100):
        trial = switch_back(1, 12, period_days=7, washout_days=2, seed=seed)
        planted = switch_verdict(trial, switched(trial, seed, 0.01, 0.0))
        null = switch_verdict(trial, switched(trial, seed + 1000, 0.0, 0.0))
        covered += planted.low <= 0.01 <= planted.high
        quiet += null.decision == "no difference found"
    assert covered >= 90
    assert quiet >= 90


def test_a_washout_keeps_out_what_the_policy_before_leaves_behind() -> None:
    """The lift takes three days to come: without a washout it is underrated and known to be."""
    hasty = switch_back(1, 20, period_days=14, washout_days=0, seed=3)
    patient = switch_back(1, 20, period_days=14, washout_days=8, seed=3)
    daily = switched(hasty, 3, 0.05, 3.0)
    assert switch_verdict(hasty, daily).high < 0.05
    assert carry_over(hasty, daily).low > 0
    assert switch_verdict(patient, daily).low < 0.05 < switch_verdict(patient, daily).high
    assert carry_over(patient, daily).low < 0 < carry_over(patient, daily).high


def test_switching_back_takes_out_interference_through_shared_space() -> None:
    """Side by side B harms A; one after the other each meets its own overflow."""
    n = 120
    usual = lab_world(n, 5).run(1.0, 1.0, np.zeros((20, n), dtype=bool), 5)
    world = lab_world(n, 5, 1.05 * usual.space_cuft.sum(axis=1).mean(axis=0))
    trial = switch_back(1, 6, period_days=14, washout_days=7, seed=4)
    earned = {}
    for name in ("A", "B"):
        arms = np.full((trial.n_days, n), name == "B")
        run = world.run(1.0, 2.0, arms, 5)
        earned[name] = (run.profit_usd - run.overflow_usd).sum()
    truth = earned["B"] / earned["A"] - 1
    run = world.run(1.0, 2.0, np.repeat(trial.arms(), n, axis=1), 5)
    found = switch_verdict(trial, (run.profit_usd - run.overflow_usd).sum(axis=1)[:, None])
    assert found.low < truth < found.high
    assert found.high < 0 or abs(found.lift - truth) < 0.02


def tables(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    names = [f"item_{k:03d}" for k in range(60)]
    items = pd.DataFrame({"item_id": names, "department": [f"d{k % 6}" for k in range(60)]})
    dates = pd.date_range("2025-01-06", periods=56)
    daily = pd.DataFrame({
        "item_id": np.repeat(names, 56), "region_id": "r", "date": np.tile(dates, 60),
        "units": rng.poisson(20, 60 * 56), "price_usd": 10.0,
    })  # fmt: skip
    vendors = pd.DataFrame({"item_id": names, "vendor_id": "v", "unit_cost_usd": 6.0})
    return items, daily, vendors


def test_a_trial_runs_on_production_tables() -> None:
    items, daily, vendors = tables(np.random.default_rng(0))
    weeks = gross_margin_weeks(daily, vendors)
    assert weeks["profit_usd"].sum() == pytest.approx(4.0 * daily["units"].sum())
    before = (pd.Timestamp("2025-01-06"), pd.Timestamp("2025-01-27"))
    during = (pd.Timestamp("2025-02-03"), pd.Timestamp("2025-02-24"))
    trial = start_trial(items, weeks, before, seed=2, parts=4)
    arms = trial.arms().set_index("item_id")
    assert set(arms["arm"]) <= {"A", "B", "out"}
    assert (arms.groupby("cluster")["arm"].nunique() == 1).all()
    weeks["profit_usd"] *= np.where(
        weeks["item_id"].map(arms["arm"]).eq("B") & (weeks["week_start"] >= during[0]), 1.2, 1.0
    )
    found = judge(trial, weeks, before, during)
    assert found.decision == "B is better"
    assert found.low < 0.2 < found.high


def test_too_few_clusters_are_refused() -> None:
    items, daily, vendors = tables(np.random.default_rng(0))
    period = (pd.Timestamp("2025-01-06"), pd.Timestamp("2025-01-27"))
    with pytest.raises(UsageError, match="6 clusters are too few"):
        start_trial(items, gross_margin_weeks(daily, vendors), period)


def test_a_switch_back_trial_runs_on_production_tables_and_on_simulated_days() -> None:
    items, daily, vendors = tables(np.random.default_rng(0))
    start = pd.Timestamp("2025-01-06")
    outcome = gross_margin_days(daily, vendors)
    trial = switch_back(1, 4, period_days=7, washout_days=2, seed=2)
    is_b = pd.Series(trial.arms()[:, 0], index=pd.date_range(start, periods=trial.n_days))
    outcome["profit_usd"] *= np.where(outcome["date"].map(is_b), 1.2, 1.0)
    found = switch_verdict(trial, by_day(outcome, start, trial.n_days))
    assert found.low < 0.2 < found.high
    assert found.decision == "B is better"
    whole = outcome.groupby("date", as_index=False)["profit_usd"].sum()  # as simulated_days has it
    same = switch_verdict(trial, by_day(whole, start, trial.n_days))
    assert same.lift == pytest.approx(found.lift)
    cluster_of = items.set_index("item_id")["department"]
    clusters = pd.Index(sorted(cluster_of.unique()))
    by_department = by_day(outcome, start, trial.n_days, cluster_of, clusters)
    assert by_department.sum(axis=1) == pytest.approx(by_day(whole, start, trial.n_days)[:, 0])
    with pytest.raises(UsageError, match="lack 14 day"):
        by_day(outcome, start, trial.n_days + 14)
