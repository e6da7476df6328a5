"""What levels lose and hold: against a slow twin that lives day by day; and the law of days."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import nbinom

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.core.copula import Dependence
from pipeline.core.demand import draw_ranks
from pipeline.core.losses import DailyDemand, Losses, Review, _days, daily_demand, losses

ONE = np.ones(1)
BANK = np.zeros(1, np.int64)


def lived(
    mean: float, clump: float, lead: int, nights: int, lot: float, spread: float = 0.0
) -> Losses:
    """Losses of one row with a certain lead time."""
    law = DailyDemand(mean * ONE, spread * ONE, clump * ONE)
    review = Review(np.array([nights]), lot * ONE, 0)
    return losses(law, np.array([float(lead)]), np.ones((1, 1)), review, BANK)


def lost(level: int, lead: int, every: int, demand: np.ndarray, lot: float) -> tuple[float, float]:
    """Share of daily demand [days] that a network loses which orders up to the level every so
    many days, a lot at least; and the mean units that are there."""
    coming = np.zeros(len(demand) + lead + 1)
    on_hand, position, sold, held = float(level), float(level), 0.0, 0.0
    for day, asked in enumerate(demand.tolist()):
        on_hand += coming[day]
        served = min(on_hand, asked)
        on_hand, position, sold = on_hand - served, position - served, sold + served
        held += on_hand
        if day % every == every - 1 and level - position >= max(lot, 1.0):
            coming[day + 1 + lead] += level - position
            position = level
    return 1.0 - sold / demand.sum(), held / len(demand)


@pytest.mark.parametrize(
    ("lead", "every", "mean", "clump", "level", "lot"),
    [(10, 1, 1.0, 1.0, 13, 0.0), (10, 7, 3.0, 7.0, 74, 0.0), (3, 7, 0.2, 1.0, 3, 0.0),
     (21, 1, 0.15, 1.0, 4, 1.1), (5, 2, 3.0, 4.0, 36, 0.0), (10, 1, 40.0, 2.0, 470, 90.0)],
)  # fmt: skip
def test_levels_lose_and_hold_what_a_slow_simulation_of_them_does(
    lead: int, every: int, mean: float, clump: float, level: int, lot: float
) -> None:
    rng = np.random.default_rng(5)
    rate = mean if clump == 1.0 else rng.gamma(mean / (clump - 1.0), clump - 1.0, 40_000)
    share, held = lost(level, lead, every, rng.poisson(rate, 40_000), lot)
    told = lived(mean, clump, lead, every, lot).at(np.array([level]))
    assert 0.01 < share < 0.35  # so that being within this is a finding
    assert told[0][0] == pytest.approx(share, rel=0.08, abs=0.004)
    assert told[1][0] == pytest.approx(held, rel=0.05)


def test_nothing_loses_all_more_never_loses_more_and_what_covers_all_loses_nothing() -> None:
    levels = np.arange(200)
    for mean, clump, lot in ((0.1, 1.0, 0.0), (2.0, 9.0, 5.0), (5.0, 1.5, 20.0)):
        one = lived(mean, clump, 9, 1, lot, spread=0.1)
        found = [one.at(np.array([level])) for level in levels]
        share, held = (np.array([pair[part][0] for pair in found]) for part in (0, 1))
        assert share[0] == 1.0
        assert held[0] == 0.0
        assert (np.diff(share) <= 0.0).all()
        assert (np.diff(held) >= 0.0).all()
        far = one.at(np.array([10**6]))
        assert far[0][0] == 0.0
        assert far[1][0] > 0.99 * 10**6


def test_a_vendor_whose_lead_times_vary_makes_the_same_level_lose_more() -> None:
    law = DailyDemand(2.0 * ONE, 0.0 * ONE, 1.0 * ONE)
    review = Review(np.array([1]), 0.0 * ONE, 0)
    leads = np.array([4.0, 10.0, 16.0])
    sure, unsure = (
        losses(law, leads, np.array([chances]), review, BANK).at(np.array([26]))[0][0]
        for chances in ([0.0, 1.0, 0.0], [0.25, 0.5, 0.25])
    )
    assert unsure > 1.5 * sure > 0.0


@pytest.mark.parametrize(("mean", "clump"), [(0.05, 1.0), (0.7, 6.0), (90.0, 3.0), (9e4, 70.0)])
def test_days_have_the_mean_and_the_variance_of_their_law(mean: float, clump: float) -> None:
    days, n = np.zeros(4000), 4000
    _days(mean, clump, ndtri((np.arange(n) + 0.5) / n), np.uint64(77), np.zeros(n), days)
    assert days.mean() == pytest.approx(mean, rel=0.03)
    assert days.var() == pytest.approx(mean * clump, rel=0.1)
    assert (days == np.rint(days)).all()
    assert abs(np.corrcoef(days[1:], days[:-1])[0, 1]) < 0.06


@pytest.mark.parametrize(("spread", "clump"), [(0.0, 3.0), (0.2, 1.0)])
def test_the_law_of_days_is_found_in_the_forecasts_windows(spread: float, clump: float) -> None:
    windows, daily = np.array([7.0, 14.0, 28.0, 56.0]), 2.0
    mean = daily * windows
    shape = 1.0 / spread if spread else mean / (clump - 1.0)
    levels = np.array(QUANTILE_LEVELS)
    quantiles = nbinom.ppf(levels[None], np.broadcast_to(np.atleast_1d(shape), (4,))[:, None],
                           (shape / (shape + mean))[:, None])  # fmt: skip
    ranks = draw_ranks(Dependence(np.eye(1)), windows, levels, 1, 512, 1)
    found = daily_demand(
        np.zeros(1, np.int64), daily * ONE, quantiles[None, :, None].astype(np.float32), windows,
        mean[None], ranks, BANK,
    )  # fmt: skip
    assert found.spread[0] == pytest.approx(spread, abs=0.03)
    assert found.clump[0] == pytest.approx(clump, abs=0.5)
