"""Claims of the value curves and the ladder, against plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.buy.curves import curves_of
from pipeline.buy.ladder import best_cases, case_limits, safety_weeks
from pipeline.buy.plan import _pairs, pair_frame
from pipeline.buy.worth import worth_of
from tests.buy.world import AS_OF, world


def slow_value(knots: list[tuple[int, float]], x: float) -> float:
    if not knots:
        return 0.0
    if len(knots) == 1:
        return knots[0][1]
    at = max([n for n, (position, _) in enumerate(knots[:-1]) if position <= x], default=0)
    (x0, v0), (x1, v1) = knots[at], knots[at + 1]
    return v0 + (v1 - v0) / (x1 - x0) * (x - x0)


curve = st.dictionaries(st.integers(0, 50), st.floats(-100, 100), max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(curve, min_size=1, max_size=5),
    st.lists(st.floats(-10, 70), min_size=1, max_size=5),
)
def test_curves_interpolate_and_go_on_with_their_last_slope(curves, positions):
    pairs = pd.DataFrame({"item_id": [f"i{n}" for n in range(len(curves))], "vendor_id": "v"})
    rows = [
        {"item_id": f"i{n}", "vendor_id": "v", "position_units": x, "position_value_usd": v}
        for n, knots in enumerate(curves)
        for x, v in knots.items()
    ]
    columns = ["item_id", "vendor_id", "position_units", "position_value_usd"]
    found = curves_of(pd.DataFrame(rows, columns=columns).astype({"item_id": "str"}), pairs)
    for n, knots in enumerate(curves):
        expected = [slow_value(sorted(knots.items()), x) for x in positions]
        np.testing.assert_allclose(found.at(np.array(n), positions), expected, atol=1e-8)


def test_an_order_lasts_no_longer_than_the_cover_and_the_safety_weeks_beyond_the_moq():
    tables = world(60, 3, 11)
    pairs = _pairs(pair_frame(tables, AS_OF), tables)
    worth = worth_of(pairs, 7, 0.25, 0.5)
    fewest, most = case_limits(worth, 26, 2)
    free = case_limits(worth, 26, 520)[1]
    lasts = pairs.daily_demand * (pairs.cover_days + 14)
    is_cut = most < free
    assert is_cut.any()
    held = is_cut & (most > fewest)
    assert (pairs.position + most * pairs.case <= lasts)[held].all()
    assert (pairs.position + (most + 1) * pairs.case > lasts)[is_cut].all()


def test_an_item_is_stocked_no_longer_ahead_than_it_is_known_for():
    weeks = safety_weeks(np.array([0, 20, 63, 400]), 26)
    np.testing.assert_allclose(weeks, [4, 4, 9, 26])
    assert safety_weeks(np.array([400]), 3.0).item() == 3.0
    tables = world(60, 3, 11)
    pairs = _pairs(pair_frame(tables, AS_OF), tables)
    worth = worth_of(pairs, 7, 0.25, 0.5)
    each = np.arange(len(pairs)) % 4 + 1.0
    mixed = case_limits(worth, 26, each)[1]
    for week in (1, 2, 3, 4):
        own = each == week
        np.testing.assert_array_equal(mixed[own], case_limits(worth, 26, week)[1][own])


def test_the_best_number_of_cases_is_that_of_a_full_search():
    tables = world(60, 3, 11)
    pairs = _pairs(pair_frame(tables, AS_OF), tables)
    worth = worth_of(pairs, 7, 0.25, 0.5)
    fewest, most = case_limits(worth, 26, 8)
    best = best_cases(worth, fewest, most)
    for p in range(len(pairs)):
        if most[p] < fewest[p]:
            continue
        cases = np.arange(fewest[p], most[p] + 1)
        gain = worth.gain(np.full(len(cases), p), cases * pairs.case[p])
        assert gain[best[p] - fewest[p]] >= gain.max() - 1e-7
