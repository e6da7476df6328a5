"""Pooling regions keeps the mean, and the spread that their correlation implies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.tables import TABLES
from pipeline.dependence import dependence_of
from pipeline.review.pooled import (
    LEVELS,
    WEIGHTS,
    expected_shortfall,
    pool_regions,
    run_out_probability,
)

REGIONS = ["a", "b"]


def quantiles(mean: float = 100.0, sd: float = 10.0, group: str = "all") -> pd.DataFrame:
    values = mean + sd * norm.ppf(QUANTILE_LEVELS)
    rows = [("tea", region, 1, 7, mean, *values) for region in REGIONS]
    columns = ["item_id", "region_id", "window_start_day", "window_days", "mean_units",
               *QUANTILE_COLUMNS]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).assign(dependence_group=group)


def dependence(value: float, growth: float = 0.0) -> pd.DataFrame:
    rows = [("all", a, b, 1.0 if a == b else value, growth) for a in REGIONS for b in REGIONS]
    return pd.DataFrame(rows, columns=list(TABLES["demand_dependence"].columns))


@pytest.mark.parametrize(
    ("correlation", "sd"),
    [
        (1.0, 20.0),  # regions that move as one: deviations add up
        (0.0, 10 * np.sqrt(2)),
        (0.5, 10 * np.sqrt(3)),
    ],
)
def test_the_spread_of_normal_demand_is_exact(correlation: float, sd: float) -> None:
    pooled = pool_regions(quantiles(), dependence(correlation))
    assert pooled.mean.tolist() == [200.0]
    assert pooled.quantiles[0] == pytest.approx(200 + sd * norm.ppf(QUANTILE_LEVELS))


def test_a_week_is_narrower_than_four_by_as_much_as_its_regions_hang_together_less() -> None:
    pooled = pool_regions(quantiles(), dependence(0.5, growth=1.0))  # odds of 1 over 28 days
    sd = 10 * np.sqrt(2 + 2 * 0.2)
    assert pooled.quantiles[0] == pytest.approx(200 + sd * norm.ppf(QUANTILE_LEVELS))


def test_items_that_are_away_hang_together_as_their_group_does() -> None:
    table = dependence(0.0)
    both = pd.concat([table, dependence(1.0).assign(item_group="away")])
    for group, known, sd in (("all", both, 10 * np.sqrt(2)), ("away", both, 20.0),
                             ("away", table, 10 * np.sqrt(2))):  # fmt: skip
        pooled = pool_regions(quantiles(group=group), known)
        assert pooled.quantiles[0] == pytest.approx(200 + sd * norm.ppf(QUANTILE_LEVELS))


def test_quantiles_are_never_negative_and_never_fall() -> None:
    pooled = pool_regions(quantiles(mean=5.0, sd=10.0), dependence(1.0))
    assert (pooled.quantiles >= 0).all()
    assert (np.diff(pooled.quantiles, axis=1) >= 0).all()


def test_without_a_dependence_regions_are_independent() -> None:
    assert (dependence_of(dependence(0.3).iloc[:0], REGIONS).over(7.0) == np.eye(2)).all()


def test_weights_are_a_distribution() -> None:
    assert WEIGHTS.sum() == pytest.approx(1.0)
    assert (WEIGHTS > 0).all()


def test_shortfall_and_run_out_against_the_normal_formulas() -> None:
    row = 200 + 20 * norm.ppf(LEVELS)[None, :]
    for supply in (170.0, 200.0, 230.0):
        z = (supply - 200) / 20
        loss = 20 * (norm.pdf(z) - z * norm.sf(z))
        assert expected_shortfall(row, np.array([supply]))[0] == pytest.approx(loss, abs=0.5)
        assert run_out_probability(row, np.array([supply]))[0] == pytest.approx(
            norm.sf(z), abs=0.02
        )
    assert (
        run_out_probability(
            row,
            np.array(
                [
                    0.0,
                ]
            ),
        )[0]
        == 1.0
    )
    assert expected_shortfall(row, np.array([1e6]))[0] == 0.0


def test_run_out_probabilities_are_the_interpolated_ones_of_each_row() -> None:
    draw = np.random.default_rng(3)
    rows = np.sort(draw.integers(0, 9, (400, len(LEVELS))), axis=1).astype(np.float64)
    supply = draw.integers(0, 10, 400) * draw.choice([1.0, 0.93], 400)
    slow = [1 - np.interp(units, row, LEVELS, left=0.0, right=1.0)
            for units, row in zip(supply, rows, strict=True)]  # fmt: skip
    assert run_out_probability(rows, supply).tolist() == slow
