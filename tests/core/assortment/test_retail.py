import numpy as np
import pytest

from benchmarks.recovery import simulated
from pipeline.core.assortment.chain import Chain
from pipeline.core.assortment.choices import Choices
from pipeline.core.assortment.retail import RetailFit, _parts, learn_retail
from pipeline.core.assortment.turning import expected_staying, learn_turning
from tests.core.assortment.test_learn import all_masks, offer


@pytest.fixture(scope="module")
def panel() -> tuple:
    chain, sold, share, first, taken = simulated(1)
    return chain, sold[:2], share[:2], first[:2], taken[:2]


def test_recaptured_units_and_first_choices_of_a_simulated_panel_are_found(panel: tuple) -> None:
    _, sold, share, first, taken = panel
    fit = learn_retail(sold, share, 10.0)
    assert fit.recaptured.sum() == pytest.approx(taken.sum(), rel=0.10)
    found = np.nanmean(fit.first_choices, axis=(0, 1)) / first.mean(axis=(0, 1))
    assert np.abs(found - 1).mean() <= 0.03
    sales = sold.mean(axis=(0, 1)) / first.mean(axis=(0, 1))
    assert np.abs(sales - 1).mean() > 0.05  # what sales alone would say


def test_days_not_observed_teach_nothing_and_stay_unknown(panel: tuple) -> None:
    _, sold, share, _, _ = panel
    holes = sold.copy()
    holes[0, 50:80] = np.nan
    fit = learn_retail(holes, share, 10.0)
    assert np.isnan(fit.first_choices[0, 50:80]).all()
    assert np.isfinite(fit.first_choices[1]).all()
    assert not fit.recaptured[0, 50:80].any()


def test_always_in_stock_nothing_is_recaptured_and_sales_are_first_choices() -> None:
    random = np.random.default_rng(3)
    sold = random.poisson([[[5.0, 3.0, 2.0]]], (2, 60, 3)).astype(float)
    fit = learn_retail(sold, np.ones_like(sold), 10.0)
    assert fit.recaptured.sum() == pytest.approx(0.0, abs=1.0)
    assert fit.first_choices == pytest.approx(sold)
    assert not fit.learned.data_share.any()


def test_a_day_in_stock_for_a_part_is_the_offers_in_between() -> None:
    parts = _parts(np.array([[1.0, 0.4], [1.0, 1.0]]))
    found = {
        (int(d), round(float(s), 3)): parts.offers[w].tolist()
        for d, s, w in zip(parts.day, parts.share, parts.which, strict=True)
    }
    assert found == {(1, 1.0): [True, True], (0, 0.4): [True, True], (0, 0.6): [True, False]}


def _fit(seed: int, stay: float) -> tuple[RetailFit, float, float]:
    """Six items in two regions of their own mix, 300 days, each item out one day in eight; what is
    learned, the units that others really won, and the customers who came."""
    random = np.random.default_rng(seed)
    onward = np.zeros((6, 6))
    for k in range(6):
        onward[k, np.arange(6) != k] = stay * random.dirichlet(np.full(5, 2.0))
    rate = random.gamma(1.5, 0.8, (2, 1, 6))
    first = random.poisson(np.broadcast_to(rate, (2, 300, 6)))
    begins = random.random(first.shape) < 0.025
    is_out = np.stack([np.roll(begins, k, axis=1) for k in range(5)]).any(axis=0)
    won = np.zeros(first.shape)
    asking = np.where(is_out, first, 0)
    for _ in range(8):
        going = np.stack(
            [
                random.multinomial(n, np.append(row, 1 - row.sum()))[:6]
                for n, row in zip(asking.reshape(-1), np.tile(onward, (600, 1)), strict=True)
            ]
        )
        going = going.reshape(2, 300, 6, 6).sum(axis=2)
        won += np.where(is_out, 0, going)
        asking = np.where(is_out, going, 0)
    sold = np.where(is_out, 0, first) + won
    fit = learn_retail(sold.astype(float), 1.0 - is_out, 30.0)
    return fit, float(won.sum()), float(first.sum())


def test_where_nobody_turns_to_another_nothing_is_won_back() -> None:
    worlds = [_fit(seed, 0.0) for seed in range(40, 44)]
    fits = [fit for fit, _, _ in worlds]
    assert np.mean([f.learned.chain.transition.sum(axis=1).mean() for f in fits]) < 0.05
    assert max(f.recaptured.sum() / np.nansum(f.first_choices) for f in fits) < 0.01
    came = sum(f.arrivals.sum() for f in fits) / sum(customers for _, _, customers in worlds)
    assert came == pytest.approx(1.0, abs=0.02)  # those who left are counted


def test_as_many_are_said_to_turn_as_do_in_the_mean_of_worlds() -> None:
    """A chance for each pair of items said 0.52 where 0.4 turn: the luck of pairs, cut at zero."""
    fits = [_fit(seed, 0.4) for seed in range(50, 58)]
    stays = [f.learned.chain.transition.sum(axis=1).mean() for f, _, _ in fits]
    error = np.std(stays, ddof=1) / len(stays) ** 0.5
    assert abs(np.mean(stays) - 0.4) < 2.5 * error
    assert error < 0.05
    won = sum(f.recaptured.sum() for f, _, _ in fits) / sum(units for _, units, _ in fits)
    assert won == pytest.approx(1.0, abs=0.12)


def test_where_customers_turn_is_found_from_many_of_them() -> None:
    random = np.random.default_rng(2)
    arrival = np.array([0.5, 0.3, 0.2])
    transition = np.array([[0.0, 0.4, 0.2], [0.3, 0.0, 0.3], [0.15, 0.45, 0.0]])
    chain = Chain(arrival, transition)
    masks, coming = all_masks(3), 4000.0
    sold = np.array([random.poisson(coming * offer(chain, mask)[0]) for mask in masks], float)
    choices = Choices(masks, sold, np.zeros(len(masks)), np.full(len(masks), coming))
    learned, chains = learn_turning([choices], [np.full(3, 1 / 3)], 0.6, 1.0)
    assert learned.chain.transition == pytest.approx(transition, abs=0.05)
    assert chains[0].arrival == pytest.approx(arrival, abs=0.02)
    assert learned.first_choices.sum() == pytest.approx(coming * len(masks), rel=0.02)


def test_sums_that_no_stock_out_touched_leave_the_belief_of_before() -> None:
    sold, seen = np.full((1, 50), 4.0), np.ones((1, 50), bool)
    assert expected_staying(sold, seen, lambda stay: sold) == pytest.approx(0.25, abs=0.01)
