"""Levels of items that sell only once tonight's order has come."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.core.copula import Dependence
from pipeline.core.demand import draw_ranks
from pipeline.core.echelon import SHAPE, Levels, Supply
from pipeline.optimize.item_model import DemandCube
from pipeline.optimize.launches import launch_levels, starting_later

WINDOWS = np.array([7.0, 14, 21, 28, 42, 56])
LEVELS = np.array(QUANTILE_LEVELS)
CYCLE = 9.0


def cube(launch_day: int) -> DemandCube:
    """One item, one region, ten units a day from `launch_day` on, Poisson."""
    mean = 10.0 * np.maximum(WINDOWS - launch_day + 1, 0)
    quantiles = np.array([poisson.ppf(LEVELS, m) for m in mean])
    return DemandCube(["i"], ["r"], WINDOWS, quantiles[None, :, None, :].astype(np.float32),
                      mean[None, :, None], np.zeros(1, np.int64))  # fmt: skip


def level(launch_day: int, lead: float, extra: float = 0.0) -> tuple[int, np.ndarray, np.ndarray]:
    known = cube(launch_day)
    later = starting_later(known, np.array([0]), np.array([lead]), CYCLE)
    supply = Supply(np.array([0]), np.array([lead]), np.ones((1, 1)), CYCLE, np.zeros(1),
                    np.array([extra]))  # fmt: skip
    ranks = draw_ranks(Dependence(np.eye(1)), WINDOWS, LEVELS, 1, 512, 1)
    nothing = Levels(np.zeros(1, np.int64), np.zeros(1), np.arange(len(SHAPE))[None, :].copy(),
                     np.zeros((1, len(SHAPE))))  # fmt: skip
    found = launch_levels(nothing, later, supply, known, ranks, np.zeros(1, np.int64),
                          np.array([5.0]), np.array([0.05]))  # fmt: skip
    return int(found.level[0]), found.position[0], found.value[0]


@pytest.mark.parametrize("lead", [5.0, 14.0, 30.0])
@pytest.mark.parametrize("launch_day", [10, 16, 22, 36])
def test_a_launch_is_covered_from_the_last_review_that_arrives_in_time(
    launch_day: int, lead: float
) -> None:
    """A lost sale costs a hundred times a cycle's holding: at least the demand of the cover."""
    window = [min(max(lead + CYCLE, 0), 56)]
    expected = float(cube(launch_day).mean_over(np.array(window))[0, 0])
    got, _, _ = level(launch_day, lead)
    starts_now = launch_day <= CYCLE
    if expected < 2 or starts_now:
        assert got == 0
    elif lead >= launch_day + 10:
        return  # it sells before tonight's order could come: no matter of a launch
    else:
        assert got >= expected


def test_far_launches_are_not_ordered_yet() -> None:
    assert level(50, 5.0)[0] == 0


def test_the_value_is_the_newsvendor_s_and_concave_around_its_level() -> None:
    best, position, value = level(16, 14.0)
    slope = np.diff(value) / np.diff(position)
    assert (np.diff(slope) <= 1e-9).all()
    around = np.abs(position - best).argmin()
    assert value[around] == pytest.approx(value.max(), rel=0.01)
    assert (np.diff(position) >= 1).all()


def test_a_dearer_vendor_gets_a_lower_level() -> None:
    assert 0 < level(16, 14.0, extra=4.0)[0] < level(16, 14.0)[0]
