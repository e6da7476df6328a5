"""Order-up-to levels of the network echelon against the newsvendor and Clark-Scarf."""

import numpy as np
import pytest
from scipy.stats import norm

from pipeline.core.copula import Dependence
from pipeline.core.demand import draw_ranks
from pipeline.core.echelon import (
    Curves,
    Supply,
    _at_whole_units,
    _looked_up,
    best_level,
    mean_worth,
    order_up_to,
)

LEVELS = np.array([0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.995])


def levels(lead_days, chances, extra=0.0, hold=1.0, short=9.0, early=0.0, surge=(1.0, 0, 0),
           is_sure=False, is_late=False):  # fmt: skip
    """One region, N(10, 4^2) a day; W is a newsvendor over a cycle of 4 days.

    surge: how many times as much, and as uncertain, days are; the first of them, and the last.
    is_sure: they are no more uncertain than others; is_late: W's cycle is drawn from usual days.
    """
    times, first, last = surge
    unsure = 0.0 if is_sure else times**2 - 1
    days = np.array([1.0, 4.0, 9.0, 13.0, 16.0, 25.0, 36.0])
    ranks = draw_ranks(Dependence(np.eye(1)), days, LEVELS, 1, 4000, 0)
    surged = np.clip(np.minimum(days, last) - first + 1, 0, None) if first else 0 * days
    quantiles, usual = (np.stack([
        10 * (d + (times - 1) * n) + 4 * np.sqrt(d + unsure * n) * norm.ppf(LEVELS)
        for d, n in zip(days, more, strict=True)
    ])[None, :, None].astype(np.float32) for more in (surged, 0 * days))  # fmt: skip
    cycle = norm.ppf((np.arange(400) + 0.5) / 400, 40, 8)
    units = np.diff(np.concatenate([[0.0], cycle]))
    value = short * (1 - np.arange(400) / 400) - hold
    curves = Curves(np.array([0, 400]), np.column_stack([units, value]), np.array([-hold]))
    supply = Supply(
        np.zeros(1, np.int64), np.array(lead_days, float), np.array([chances]), 4.0,
        np.array([early]), np.array([extra]),
    )  # fmt: skip
    return order_up_to(
        curves, supply, quantiles, usual if is_late else quantiles, days, ranks,
        np.zeros(1, np.int64),
    )  # fmt: skip


def test_fixed_lead_time_is_the_newsvendor_over_lead_time_and_cycle():
    found = levels([5.0], [1.0])
    # P(D over 9 days <= X) = 1 - 1/9 (the penalty is a hold below the shortage cost of 9)
    assert found.level[0] == pytest.approx(norm.ppf(1 - 1 / 9, 90, 12), abs=1.5)
    assert found.demand[0] == pytest.approx(90, rel=0.01)


def test_random_lead_time_needs_more_than_its_mean():
    assert levels([1.0, 12.0], [0.5, 0.5]).level[0] > levels([6.5], [1.0]).level[0] + 10


def test_what_sells_only_later_has_the_level_of_what_sells_now_and_comes_sooner():
    """Nothing on the first four days of nine: as if the order took five."""
    found = levels([9.0], [1.0], surge=(0.0, 1, 4), is_late=True)
    assert found.level[0] == pytest.approx(levels([5.0], [1.0]).level[0], abs=1)
    assert found.demand[0] == pytest.approx(90, rel=0.01)


def test_values_are_told_as_what_is_missed_of_the_cycle_s_best():
    """A cycle of a dearer sale is worth more to every vendor; what each position misses is told."""
    cheap, dear = levels([5.0], [1.0], short=9.0), levels([5.0], [1.0], short=90.0)
    best = [value.value[0].max() for value in (cheap, dear)]
    assert -9.0 * 40 < best[0] < 0.0  # of 9 a unit on 40 units a cycle, spread by 12
    assert -90.0 * 40 < best[1] < best[0]
    longer = levels([16.0], [1.0])
    assert longer.value[0].max() < best[0]  # less is known of 20 days than of nine


def test_what_is_ordered_again_sooner_covers_fewer_days():
    found, shorter = levels([5.0], [1.0], early=2.0), levels([3.0], [1.0])
    assert found.level[0] == shorter.level[0]
    assert found.demand[0] == pytest.approx(70, rel=0.01)
    assert levels([1.0], [1.0], early=9.0).demand[0] == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize("surge", [(2.0, 1, 4), (3.0, 1, 4), (2.0, 1, 9), (2.0, 5, 9)])
def test_more_of_the_days_before_an_order_comes_is_ordered_and_takes_no_safety(surge):
    """Of a cycle from tonight, of days after it, of both: all before day 9."""
    plain, found = levels([9.0], [1.0]), levels([9.0], [1.0], surge=surge)
    times, first, last = surge
    n = last - first + 1
    newsvendor = norm.ppf(1 - 1 / 9, 130 + 10 * (times - 1) * n,
                          4 * np.sqrt(13 + (times**2 - 1) * n))  # fmt: skip
    assert found.level[0] == pytest.approx(newsvendor, rel=0.01)
    assert found.level[0] >= plain.level[0] + 10 * (times - 1) * n


@pytest.mark.parametrize("times", [2.0, 4.0])
def test_more_of_the_cycle_after_is_counted_in_its_value_alone(times):
    """Days 10 to 13 of lead 9 and cycle 4: W is that cycle's, and here it knows of no surge."""
    plain, found = levels([9.0], [1.0]), levels([9.0], [1.0], surge=(times, 10, 13))
    assert found.level[0] == pytest.approx(plain.level[0], rel=0.02)
    assert found.demand[0] == pytest.approx(plain.demand[0] + 40 * (times - 1), rel=0.02)


def test_a_sure_surge_of_the_cycle_after_takes_nothing_from_the_safety_of_the_lead_time():
    """W thinks of it as three times as uncertain: more than lead time and cycle are together."""
    plain, found = levels([9.0], [1.0]), levels([9.0], [1.0], surge=(3.0, 10, 13), is_sure=True)
    assert found.level[0] == pytest.approx(plain.level[0], rel=0.01)


def test_what_is_worth_nothing_but_rounding_is_not_ordered():
    """An order that comes after the last day on sale: W is zero to sixteen digits."""
    assert levels([9.0], [1.0], hold=0.0, short=1e-17).level[0] == 0
    assert levels([9.0], [1.0], hold=1e-6, short=9e-6).level[0] == levels([9.0], [1.0]).level[0]


def test_dearer_vendor_is_used_for_less():
    assert levels([5.0], [1.0], extra=0.5).level[0] < levels([5.0], [1.0]).level[0]


def test_value_curve_is_concave_and_best_at_the_level():
    found = levels([5.0], [1.0])
    slope = np.diff(found.value[0]) / np.diff(found.position[0])
    assert (np.diff(slope) <= 1e-9).all()
    assert found.position[0][found.value[0].argmax()] == found.level[0]


def lumpy(weeks, rng):
    """Units of weeks: few of a thin trickle, and one week in ten an order of about fifty."""
    bulk = (rng.random(weeks) < 0.1) * rng.geometric(1 / 50, weeks)
    return rng.poisson(2, weeks) + bulk


def weekly_cost(level, demand, wait, short, hold):
    """Mean cost a week of a base-stock level with lost sales, reviewed each week (plain Python)."""
    stock, pipe, lost, held = level, [0] * wait, 0, 0
    for units in demand.tolist():
        stock += pipe.pop(0)
        pipe.append(level - stock - sum(pipe))
        sold = min(stock, units)
        stock, lost, held = stock - sold, lost + units - sold, held + stock - sold
    return (short * lost + hold * held) / len(demand)


def test_a_sale_lost_before_the_order_came_is_not_lost_again_each_cycle():
    wait, short, hold = 8, 40.0, 1.0
    rng = np.random.default_rng(5)
    sums = np.cumsum(lumpy(400_000, rng).reshape(-1, 20), axis=1)
    windows = 7.0 * np.arange(1, 13)
    quantiles = np.quantile(sums[:, :12], LEVELS, axis=0).T[None, :, None, :].astype(np.float32)
    cycle = np.sort(rng.choice(sums[:, 0], 400)).astype(float)
    units = np.diff(np.concatenate([[0.0], cycle]))
    value = short * (1 - np.arange(400) / 400) - hold
    curves = Curves(np.array([0, 400]), np.column_stack([units, value]), np.array([-hold]))
    supply = Supply(
        np.zeros(1, np.int64), np.array([7.0 * wait]), np.ones((1, 1)), 7.0, np.zeros(1),
        np.zeros(1),
    )  # fmt: skip
    ranks = draw_ranks(Dependence(np.eye(1)), windows, LEVELS, 1, 2000, 0)
    found = order_up_to(
        curves, supply, quantiles, quantiles, windows, ranks, np.zeros(1, np.int64)
    ).level[0]
    demand = lumpy(12_000, rng)
    costs = [weekly_cost(x, demand, wait, short, hold) for x in range(80, 261, 20)]
    newsvendor = np.quantile(sums[:, wait], 1 - hold / short)  # over lead time and cycle
    own = weekly_cost(int(found), demand, wait, short, hold)
    assert own <= 1.02 * min(costs)
    assert weekly_cost(int(newsvendor), demand, wait, short, hold) > 1.25 * own


def test_values_looked_up_at_whole_units_are_those_of_the_segments() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        units = np.cumsum(rng.integers(1, 9, 12)).astype(float)
        slope = np.sort(rng.uniform(-0.5, 4.0, 12))[::-1].copy()
        value = np.cumsum(slope * np.diff(units, prepend=0.0))
        demand, before = rng.gamma(2.0, 9.0, (2, 64))
        curve = (units, value, slope, 0, 12)
        table = _at_whole_units(*curve)
        for x in (0.0, 1.0, 7.0, 30.0, 200.0):
            searched = mean_worth(x, demand, before, *curve, -0.5, 0.3)
            looked_up = _looked_up(x, demand, before, table, slope[0], -0.5, 0.3)
            assert looked_up == pytest.approx(searched, rel=1e-12, abs=1e-12)
        level = best_level(demand, before, *curve, -0.5, 0.3)
        every = [mean_worth(float(x), demand, before, *curve, -0.5, 0.3) for x in range(200)]
        assert every[level] == pytest.approx(max(every), rel=1e-9)
