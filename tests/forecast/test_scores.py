"""Pinball loss is the textbook's, and groups are scored by hand-checked sums."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.forecast.scores import pinball, score_groups, velocity_class


def test_pinball_loss_weighs_misses_by_their_side() -> None:
    found = pinball(np.array([10.0]), np.array([[8.0, 13.0]]), np.array([0.9, 0.9]))
    np.testing.assert_allclose(found, [[0.9 * 2, 0.1 * 3]])


def test_velocity_classes_are_by_units_a_day() -> None:
    found = velocity_class(np.array([0.5, 7.0, 700.0]), np.array([7, 7, 7]))
    assert found.tolist() == [
        "velocity 0-0.1 a day", "velocity 0.5-2 a day", "velocity 10-inf a day",
    ]  # fmt: skip


def test_groups_hold_their_own_rows() -> None:
    rows = pd.DataFrame({
        "item_group": ["hard", "hard", "soft"], "velocity": ["slow"] * 3,
        "region_id": ["east", "west", "east"], "window_days": [7, 7, 7],
        "mean_units": [4.0, 6.0, 10.0],
    })  # fmt: skip
    units = np.array([5.0, 5.0, 8.0])
    quantiles = np.tile(np.array([[4.0], [6.0], [10.0]]), len(QUANTILE_LEVELS))
    found = score_groups(rows, units, quantiles).set_index(["item_group", "region_group"])
    assert found.loc[("all", "network"), "scored_rows"] == 3
    assert found.loc[("hard", "network"), "bias_units"] == pytest.approx(0.0)
    assert found.loc[("soft", "east"), "relative_bias"] == pytest.approx(0.25)
    assert found.loc[("all", "east"), "coverage_90"] == pytest.approx(0.5)  # 5 > 4, 8 ≤ 10
