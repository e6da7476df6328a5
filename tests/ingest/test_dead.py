"""A silent item's probability of being dead is right, and asks its sisters and its shelf."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from pipeline.ingest.dead import _dead, dead_probability
from pipeline.ingest.item_life import item_life

DAYS = pd.date_range("2025-01-01", periods=300)


def life(units: np.ndarray, could: np.ndarray | None = None, **known: object) -> pd.DataFrame:
    """item_life of items of one department."""
    names = pd.Index([f"i{k:04d}" for k in range(len(units))])
    items = pd.DataFrame({"item_id": names, "department": "all", "end_date": pd.NaT})
    own = np.ones(units.shape, bool) if could is None else could
    return item_life(items.assign(**known), names, DAYS, units, own, 28)


def test_the_probability_is_that_of_an_integral_over_the_pace() -> None:
    """Three sales on ten days, then five silent ones; a hundredth dies each day."""
    a, b, n, hazard = 3.5, 8.0, 5, 0.01

    def chance(k: int) -> float:
        return float(quad(lambda p: (1 - p) ** k * beta.pdf(p, a, b), 0, 1)[0])

    died = sum(hazard * (1 - hazard) ** k * chance(k) for k in range(n))
    lives = (1 - hazard) ** n * chance(n)
    found = _dead(np.array([a]), np.array([b]), np.array([float(n)]), hazard, np.zeros(1), 0.5)
    assert found[0] == pytest.approx(died / (died + lives), rel=1e-6)


def test_of_items_that_are_dead_with_seventy_percent_seventy_percent_are() -> None:
    """Two thousand items with paces from one in thirty days to two in three, one of 2,500 dying
    each day: said and true agree in every class within ten points, in all within a fifth."""
    random = np.random.default_rng(11)
    n, days = 2000, len(DAYS)
    pace = random.beta(1.0, 5.0, n) * 0.6 + 0.03
    death = random.geometric(1 / 2500, n)
    alive = np.arange(days) < death[:, None]
    units = ((random.random((n, days)) < pace[:, None]) & alive).astype(int)
    found = life(units)["dead_probability"].to_numpy()
    is_dead = death <= days
    assert is_dead.sum() == pytest.approx(found.sum(), rel=0.2)
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.01)):
        own = (found >= low) & (found < high)
        assert own.sum() > 15
        assert is_dead[own].mean() == pytest.approx(found[own].mean(), abs=0.1)


def test_a_silence_that_the_department_shares_kills_nothing() -> None:
    """Forty days closed that nobody recorded, against forty days on which the others sold on."""
    random = np.random.default_rng(2)
    units = (random.random((40, len(DAYS))) < 0.5).astype(int)
    alone, together = units.copy(), units.copy()
    alone[0, -40:] = 0
    together[:, -40:] = 0
    assert life(alone)["dead_probability"].iloc[0] > 0.99
    assert life(together)["dead_probability"].iloc[0] < 0.5


def test_an_empty_shelf_kills_nothing_and_a_past_end_is_certain() -> None:
    random = np.random.default_rng(3)
    units = (random.random((3, len(DAYS))) < 0.5).astype(int)
    units[:, -40:] = 0
    could = np.ones(units.shape, bool)
    could[0, -40:] = False
    ends = [pd.NaT, pd.NaT, DAYS[-10]]
    found = life(units, could, end_date=ends)["dead_probability"].to_numpy()
    assert found[0] < 0.01
    assert found[1] > 0.95
    assert found[2] == 1.0


def test_one_piece_found_in_a_corner_brings_nothing_to_life() -> None:
    random = np.random.default_rng(6)
    units = random.poisson(24, (30, len(DAYS)))
    units[:2, -20:] = 0
    units[0, -2], units[1, -2] = 1, 12
    found = life(units)
    assert found["quiet_days"][:2].tolist() == [1, 1]
    assert found["dead_probability"][0] > 0.9
    assert found["dead_probability"][1] < 0.1


def test_a_piece_a_week_of_what_sold_daily_is_no_life() -> None:
    """Five a day, then one a week for eight weeks; one that sells three a day, and one that is back
    since yesterday, live."""
    random = np.random.default_rng(8)
    units = random.poisson(5, (30, len(DAYS)))
    units[:3, -56:] = 0
    units[0, -56::7] = 1
    units[1, -56:] = random.poisson(3, 56)
    units[2, -2:] = 4
    found = life(units)["dead_probability"].to_numpy()
    assert found[0] > 0.9
    assert found[1:3].max() < 0.1


def test_what_never_could_sell_is_not_dead() -> None:
    none = np.zeros(4, np.int64)
    assert dead_probability(none, none, np.zeros(4), none, none, 38.0).max() == 0.0


def test_an_item_that_was_as_silent_a_year_ago_is_not_taken_for_dead() -> None:
    """Sold daily in August of two years, asked in June; of one year alone, nobody knows."""
    days = pd.date_range("2023-07-01", "2025-06-15")
    random = np.random.default_rng(5)
    units = np.ones((30, len(days)), int)  # sisters that sell all year
    units[0] = np.where(days.month == 8, 6, 0)
    units[1] = random.poisson(6, len(days))
    units[1, -13:] = 0  # sells daily, and nothing for thirteen days
    names = pd.Index([f"i{k:02d}" for k in range(len(units))])
    items = pd.DataFrame({"item_id": names, "department": "all", "end_date": pd.NaT})
    found = item_life(items, names, days, units, np.ones(units.shape, bool), 28)
    assert found["quiet_days"][:2].tolist() == [288, 13]
    assert (found["dead_probability"][:2] > 0.9).all()  # no safety stock, see buy.life
    assert not found["is_quiet"][0]
    once = item_life(items, names, days[250:], units[:, 250:],
                     np.ones((30, len(days) - 250), bool), 28)  # fmt: skip
    assert once["is_quiet"][0]  # one August is no habit


def test_an_item_that_has_come_back_before_is_less_likely_dead() -> None:
    """Thirty items that sell daily; half of them were away for three weeks four times before."""
    days = pd.date_range("2023-07-01", "2025-06-15")
    units = np.random.default_rng(9).poisson(5, (30, len(days)))
    for begin in (100, 250, 400, 550):
        for item in range(15):
            units[item, begin + 9 * item : begin + 9 * item + 21] = 0
    units[:1, -14:] = 0
    units[29:, -14:] = 0
    names = pd.Index([f"i{k:02d}" for k in range(len(units))])
    items = pd.DataFrame({"item_id": names, "department": "all", "end_date": pd.NaT})
    found = item_life(items, names, days, units, np.ones(units.shape, bool), 28)
    back, steady = found["dead_probability"].iloc[[0, 29]]
    assert back < 0.6
    assert steady > back + 0.1
    assert found["dead_probability"].iloc[1:29].max() < 0.01
