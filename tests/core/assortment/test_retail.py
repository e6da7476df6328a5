import numpy as np
import pytest

from benchmarks.recovery import simulated
from pipeline.core.assortment.retail import _parts, learn_retail


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
