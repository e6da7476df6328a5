"""Orders to nodes: at the least cost, from what is kept only where nothing else serves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.assignment import assign, protected_units
from pipeline.core.fulfillment import Offers, list_offers

SHIP = np.array([[[1.0, 2.0, np.nan], [0.5, 1.5, 2.5]]])  # one region: fast, slow; three nodes
CUTOFF = np.array([[[12.0, 24.0, np.nan], [24.0, 24.0, 24.0]]])
OFFERS: Offers = list_offers(SHIP, CUTOFF, np.array([[1, 3]]), np.array([[4.0, 0.5]]),
                             np.array([0, 12]))  # fmt: skip
FAST, SLOW = 0, 2  # cells of the first bucket
NONE = np.zeros((1, 2, 3), dtype=np.int64)


def run(orders: list[tuple[int, int]], stock: list[int], keep: np.ndarray = NONE,
        worth: np.ndarray | None = None) -> tuple[np.ndarray, list[int]]:  # fmt: skip
    """Units by order and offer, and the stock that is left."""
    left = np.array([stock], dtype=np.int64)
    cell, units = np.array(orders, dtype=np.int64).reshape(-1, 2).T
    taken = assign(np.zeros(len(cell), np.int64), cell, units, left, OFFERS, worth, keep)
    return taken, left[0].tolist()


def test_the_nearest_node_serves_first_and_late_ones_last() -> None:
    taken, left = run([(FAST, 5)], [2, 1, 9])
    assert taken[0].tolist() == [2, 1, 2]  # in time from 0 and 1, late from 2
    assert left == [0, 0, 7]


def test_a_unit_that_is_dear_to_replace_stays() -> None:
    taken, _ = run([(SLOW, 2)], [2, 2, 0], worth=np.array([[3.0, 0.0, 0.0]]))
    at = dict(zip(OFFERS.node[OFFERS.start[SLOW] : OFFERS.start[SLOW + 1]], taken[0], strict=False))
    assert at == {0: 0, 1: 2, 2: 0}


def test_slow_orders_leave_what_is_kept_for_fast_ones() -> None:
    keep = NONE.copy()
    keep[0, 1, 0] = 2
    free, _ = run([(SLOW, 2), (FAST, 2)], [2, 0, 2])
    rationed, _ = run([(SLOW, 2), (FAST, 2)], [2, 0, 2], keep)
    assert free[1, :2].sum() == 0  # the fast order came too late
    assert rationed[1, :2].sum() == 2
    assert rationed.sum() == free.sum() == 4


def test_what_is_kept_serves_who_would_else_go_without() -> None:
    keep = NONE.copy()
    keep[0, 1] = 5
    taken, left = run([(SLOW, 3)], [2, 0, 2], keep)
    assert taken.sum() == 3
    assert sum(left) == 1


orders = st.lists(st.tuples(st.sampled_from([0, 1, 2, 3]), st.integers(1, 6)), max_size=8)
triples = st.lists(st.integers(0, 6), min_size=3, max_size=3)


@given(orders, triples, triples)
@settings(max_examples=60, deadline=None)
def test_keeping_units_loses_no_sale_and_no_unit(
    asked: list[tuple[int, int]], stock: list[int], kept: list[int]
) -> None:
    if not asked:
        return
    keep = NONE.copy()
    keep[0, 1] = kept
    free, left = run(asked, stock)
    rationed, remains = run(asked, stock, keep)
    assert rationed.sum() + sum(remains) == free.sum() + sum(left) == sum(stock)
    slow_only = all(cell >= SLOW for cell, _ in asked)
    if slow_only:  # every node serves them: nobody goes without for the sake of others
        assert rationed.sum() == free.sum()


@given(st.floats(0.1, 20), st.floats(0.1, 9), st.floats(0, 9), st.floats(0, 9))
@settings(max_examples=60, deadline=None)
def test_more_is_kept_for_more_demand_and_greater_loss(
    mean: float, dear: float, cheap: float, more: float
) -> None:
    def kept(mean: float, dear: float, cheap: float) -> int:
        found = protected_units(np.array([[[mean], [3.0]]]), np.array([[[dear], [cheap]]]))
        assert found[0, 0, 0] == 0 or cheap > dear
        return int(found[0, 1, 0])

    base = kept(mean, dear, cheap)
    assert base >= 0
    if cheap >= dear:
        assert base == 0
    assert kept(mean + more, dear, cheap) >= base
    assert kept(mean, dear + more, cheap) >= base
    assert kept(mean, dear, cheap + more) <= base
