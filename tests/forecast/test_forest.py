"""Trees asked for many days at once give LightGBM's sums, to the bit."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from pipeline.forecast.forest import TOGETHER, Forest

SERIES, DAYS = 60, 100  # more days than go down a tree together


def _rows(seed: int) -> np.ndarray:
    """Rows of series by days: two columns of the series, a category of it, two of the day."""
    random = np.random.default_rng(seed)
    own = random.normal(size=(SERIES, 3)).round(1)
    own[:, 2] = random.integers(0, 70, SERIES)
    own[random.random((SERIES, 3)) < 0.2] = np.nan
    x = np.concatenate(
        [np.repeat(own, DAYS, axis=0), random.normal(size=(SERIES * DAYS, 2)).round(1)], axis=1
    )
    x[random.random(len(x)) < 0.2, 3] = np.nan
    x[random.random(len(x)) < 0.2, 4] = 0.0
    return x.astype(np.float32)


def _grown(x: np.ndarray, **options: object) -> lgb.Booster:
    rate = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 3]) * x[:, 4] + np.nan_to_num(x[:, 2]) % 3
    data = lgb.Dataset(x, np.exp(0.3 * rate), categorical_feature=[2])
    return lgb.train(
        {"verbosity": -1, "num_leaves": 31, "min_data_in_leaf": 5, "seed": 1} | options, data, 30
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"zero_as_missing": True}, {"use_missing": False}, {"objective": "poisson"}],
)
def test_equals_lightgbm_to_the_bit(options: dict[str, object]) -> None:
    booster = _grown(_rows(1), **options)
    forest, x = Forest.of(booster), _rows(2)
    x[:50, 2] = -1.0  # categories never seen, and none
    x[50:90, 2] = 1000.0
    np.testing.assert_array_equal(forest.raw(x), booster.predict(x, raw_score=True))
    np.testing.assert_array_equal(
        forest.raw(x, 7, 19),
        booster.predict(x, raw_score=True, start_iteration=7, num_iteration=12),
    )
    mixed = np.random.default_rng(3).permutation(x)[: TOGETHER + 1]
    np.testing.assert_array_equal(forest.raw(mixed), booster.predict(mixed, raw_score=True))


def test_trees_without_a_split_and_no_rows() -> None:
    x = _rows(4)
    booster = lgb.train(
        {"verbosity": -1, "min_data_in_leaf": len(x)}, lgb.Dataset(x, x[:, 4].copy()), 3
    )
    forest = Forest.of(booster)
    np.testing.assert_array_equal(forest.raw(x), booster.predict(x, raw_score=True))
    assert len(forest.raw(x[:0])) == 0
