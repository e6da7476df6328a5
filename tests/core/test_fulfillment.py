"""Real-time fulfillment: nearest with spill-over and the protected policy."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.fulfillment import bucket_hours, list_offers, scenario_prices, take

NAN = np.nan
# One region, two speeds (fast, slow), three nodes: node 0 near, node 1 mid, node 2 far.
SHIP = np.array([[[2.0, 3.0, NAN], [1.5, 2.0, 2.5]]])
CUTOFF = np.array([[[13.0, 20.0, NAN], [24.0, 24.0, 24.0]]])
PROMISE = np.array([[1, 5]])
MISSED = np.array([[0.9, 0.2]])


def offers_of(cell: int) -> tuple[list[int], list[int], list[float]]:
    offers = list_offers(SHIP, CUTOFF, PROMISE, MISSED, bucket_hours(CUTOFF))
    start, late, end = offers.start[cell], offers.late[cell], offers.start[cell + 1]
    cost = offers.ship_usd + offers.missed_usd
    return (offers.node[start:late].tolist(), offers.node[late:end].tolist(),
            cost[start:end].round(6).tolist())  # fmt: skip


def test_buckets_start_where_a_cutoff_passes() -> None:
    assert bucket_hours(CUTOFF).tolist() == [0, 13, 20]
    assert bucket_hours(np.array([12.3])).tolist() == [0, 13]  # the hour 12 still holds a kept part


@pytest.mark.parametrize(
    ("cell", "kept", "late"),
    [
        (0, [0, 1], [2]),  # fast, morning: both nearer nodes keep the promise
        (1, [1], [0, 2]),  # fast, from 13: node 0 has passed its cut-off
        (2, [], [0, 1, 2]),  # fast, from 20: nobody can, the cheapest late one comes first
        (3, [0, 1, 2], []),  # slow: everybody keeps it
    ],
)
def test_cutoffs_decide_who_keeps_the_promise(cell: int, kept: list[int], late: list[int]) -> None:
    assert offers_of(cell)[:2] == (kept, late)


def test_late_service_costs_the_cheapest_slower_delivery_and_the_goodwill() -> None:
    assert offers_of(1)[2] == [3.0, 1.5 + 0.9, 2.5 + 0.9]


def serve(
    stock: list[int], units: int, price: list[float], is_protected: bool, keep: tuple = (0, 0, 0)
) -> tuple:
    left = np.array(stock, dtype=np.int64)
    took = np.zeros(3, dtype=np.int64)
    node, cost = np.array([0, 1, 2]), np.array([1.0, 2.0, 3.0])
    rest = take(left, units, 0, 3, node, cost, np.array(price), is_protected,
                np.array(keep), took)  # fmt: skip
    return took.tolist(), left.tolist(), rest


def test_nearest_spills_over_to_the_next_node() -> None:
    assert serve([2, 1, 5], 4, [0, 0, 0], False) == ([2, 1, 1], [0, 0, 4], 0)


def test_units_without_stock_are_returned() -> None:
    assert serve([1, 0, 1], 5, [0, 0, 0], False) == ([1, 0, 1], [0, 0, 0], 3)


def test_protection_keeps_a_dear_unit_for_those_who_need_it() -> None:
    took, _, rest = serve([2, 1, 5], 4, [5.0, 0, 0], True)
    assert (took, rest) == ([0, 1, 3], 0)  # 1 + 5 is dearer than 2 and 3


def test_units_kept_for_dearer_orders_are_passed_over_and_none_are_at_zero() -> None:
    for is_priced in (False, True):
        assert serve([2, 1, 5], 4, [0, 0, 0], is_priced, (1, 3, 0))[0] == [1, 0, 3]
        assert serve([2, 1, 5], 9, [0, 0, 0], is_priced, (1, 3, 4)) == ([1, 0, 1], [1, 1, 4], 7)


def test_scenario_price_is_the_expected_rise_of_serving_cost() -> None:
    """One node, one region: a unit is worth lost - ship exactly when demand reaches the stock."""
    stock = np.array([[3]])
    demand = np.array([1, 2, 3, 4, 3]).reshape(5, 1, 1)
    price = np.zeros((1, 1))
    scenario_prices(stock, demand, np.array([0, 1]), np.array([0]), np.array([2.0]),
                    np.array([10.0]), price)  # fmt: skip
    assert price[0, 0] == pytest.approx(3 / 5 * (10 - 2))  # demand 3, 4 and 3 reach it
