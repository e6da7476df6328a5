"""Claims of core.receiving, against a slow twin that places one case after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.receiving import keep_room, split_cases


def one_by_one(cases: int, case: int, have: list[float], need: list[float]) -> list[int]:
    """Give each unit to the lowest ratio; cases are a unit here."""
    got = [0] * len(have)
    for _ in range(cases):
        ratios = [
            (have[j] + (got[j] + 0.5) * case) / need[j] if need[j] else np.inf
            for j in range(len(have))
        ]
        got[int(np.argmin(ratios))] += 1
    return got


nodes = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=2, max_size=4).filter(
    lambda rows: any(need for _, need in rows)
)


@settings(max_examples=150, deadline=None)
@given(nodes, st.integers(1, 30), st.sampled_from([1, 6]))
def test_a_line_is_split_almost_as_if_case_after_case_went_to_the_neediest(rows, cases, case):
    have, need = (np.array([row], dtype=float) for row in zip(*rows, strict=True))
    got = split_cases(np.array([cases]), np.array([case]), have, need)[0]
    assert got.sum() == cases
    assert (got >= 0).all()
    assert (got[need[0] == 0] == 0).all()
    slow = one_by_one(cases, case, have[0].tolist(), need[0].tolist())
    assert np.abs(got - slow).max() <= 1


def test_an_empty_territory_gets_all_until_it_stands_level():
    have, need = np.array([[0.0, 90.0]]), np.array([[10.0, 30.0]])  # ratios 0 and 3
    one = np.array([1])
    assert split_cases(np.array([24]), one, have, need)[0].tolist() == [24, 0]
    assert split_cases(np.array([50]), one, have, need)[0].tolist() == [35, 15]  # both 3.5


def test_cases_move_to_where_there_is_room_and_stay_where_there_is_none():
    have, need = np.zeros((2, 2)), np.ones((2, 2))
    got = np.array([[3, 0], [2, 0]])
    case = np.array([2, 5])
    use = case[:, None].astype(float)
    eased = keep_room(got, case, use, np.array([[10.0, 8.0]]), (have, need))
    assert eased.sum(axis=1).tolist() == [3, 2]
    assert (eased * case[:, None]).sum(axis=0)[0] <= 10
    assert (eased * case[:, None]).sum(axis=0)[1] <= 8
    stuck = keep_room(got, case, use, np.array([[10.0, 0.0]]), (have, need))
    assert stuck.tolist() == got.tolist()


def test_cases_do_not_relieve_one_row_by_filling_another():
    """A node with room for the units, but none for their cubic feet, takes no case."""
    have, need = np.zeros((1, 3)), np.ones((1, 3))
    use = np.array([[1.0, 0.5]])  # a unit and half a cubic foot
    room = np.array([[2.0, 9.0, 9.0], [9.0, 1.0, 9.0]])
    eased = keep_room(np.array([[8, 0, 0]]), np.array([1]), use, room, (have, need))
    assert eased.tolist() == [[2, 2, 4]]


def test_what_comes_half_in_a_week_takes_half_the_room():
    have, need = np.zeros((1, 2)), np.ones((1, 2))
    room = np.array([[2.0, 9.0], [9.0, 9.0]])
    eased = keep_room(np.array([[6, 0]]), np.array([1]), np.array([[0.5, 0.5]]), room, (have, need))
    assert eased.tolist() == [[4, 2]]
