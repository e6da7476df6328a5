"""Claims of core.ordering, against exhaustive search and on instances that fit in the head."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core import ordering
from pipeline.core.ordering import Options, Terms, choose_orders
from tests.oracles.order_search import best_worth, is_admitted, worth_of


def make(rows: list[tuple[int, int, int, int, int, bool]]) -> Options:
    rows = sorted(rows, key=lambda row: row[0])
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    ints = [np.array(column, dtype=np.int64) for column in columns[:5]]
    return Options(
        *ints, np.array(columns[5], dtype=bool), np.zeros((len(ints[0]), 2), dtype=np.int64)
    )


def chosen(options: Options, terms: Terms, budget: int | None = None) -> tuple[int, ...]:
    return tuple(choose_orders(options, terms, budget).rows.tolist())


NO_TERMS = Terms(np.zeros(3, dtype=np.int64), np.full(3, -1), np.full(3, -1))
row = st.tuples(
    st.integers(0, 3), st.integers(0, 2), st.integers(1, 9), st.integers(0, 40),
    st.integers(-20, 60), st.booleans(),
)  # fmt: skip
terms_of_three = st.builds(
    lambda low, high: Terms(np.array(low), np.array(high), np.full(len(low), -1)),
    st.lists(st.sampled_from([0, 25, 60]), min_size=3, max_size=3),
    st.lists(st.sampled_from([-1, 5, 12]), min_size=3, max_size=3),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(row, min_size=1, max_size=8), terms_of_three, st.none() | st.integers(0, 90))
def test_the_choice_is_admitted_and_as_good_as_exhaustive_search(rows, terms, budget):
    options = make(rows)
    picked = chosen(options, terms, budget)
    assert is_admitted(options, terms, picked, budget)
    assert worth_of(options, picked) == best_worth(options, terms, budget)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=8), terms_of_three, st.integers(0, 90))
def test_the_large_scale_path_respects_everything_and_is_never_above_the_optimum(
    rows, terms, budget
):
    options = make(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "EXACT_OPTIONS", 0)
        picked = chosen(options, terms, budget)
    assert is_admitted(options, terms, picked, budget)
    assert worth_of(options, picked) <= best_worth(options, terms, budget)


def test_the_large_scale_path_loses_less_than_one_step_to_the_relaxed_bound():
    rng = np.random.default_rng(5)
    rows = []
    for item in range(400):
        gain, unit = rng.lognormal(3, 1), int(rng.integers(5, 80))
        for cases in range(1, 6):
            rows.append((item, item % 3, cases, unit * cases,
                         int(1e6 * gain * cases**0.5), False))  # fmt: skip
    options = make(rows)
    budget = int(options.cost_cents[ordering._best_rows(options, options.gain)].sum() * 0.4)
    choice = choose_orders(options, NO_TERMS, budget)
    price = ordering._budget_price(options, options.gain, budget)
    relaxed = ordering._priced(options, options.gain, price)
    bound = relaxed[ordering._best_rows(options, relaxed)].sum() + price * 1e4 * budget
    value = options.gain[choice.rows].sum()
    assert options.cost_cents[choice.rows].sum() <= budget
    assert value <= bound * (1 + 1e-12)
    assert value >= bound - options.gain.max()


def test_without_terms_each_item_takes_its_best_option_and_the_first_of_equals():
    options = make([(0, 0, 5, 10, 7, False), (0, 1, 6, 12, 7, False), (1, 0, 5, 10, -3, False)])
    assert chosen(options, NO_TERMS) == (0,)


def test_an_order_below_the_minimum_is_topped_up_when_that_still_gains():
    options = make([(0, 0, 1, 40, 90, False), (1, 0, 1, 30, -20, False)])
    terms = Terms(np.array([70]), np.array([-1]), np.array([-1]))
    assert chosen(options, terms) == (0, 1)  # 90 - 20 > 0
    assert chosen(make([(0, 0, 1, 40, 10, False), (1, 0, 1, 30, -20, False)]), terms) == ()


def test_the_more_valuable_line_gets_a_vendors_scarce_units():
    options = make([(0, 0, 8, 10, 5, False), (1, 0, 6, 10, 9, False)])
    assert chosen(options, Terms(np.array([0]), np.array([10]), np.array([-1]))) == (1,)


def test_an_item_goes_to_its_second_vendor_when_the_first_has_no_room():
    options = make([(0, 0, 8, 10, 9, False), (0, 1, 8, 10, 6, False), (1, 0, 8, 10, 8, False)])
    terms = Terms(np.zeros(2, dtype=np.int64), np.array([10, -1]), np.array([-1, -1]))
    assert chosen(options, terms) == (1, 2)  # 6 + 8 > 9


def test_a_required_order_comes_before_any_gain_but_not_before_the_budget():
    options = make([(0, 0, 1, 50, -5, True), (1, 0, 1, 50, 1000, False)])
    assert chosen(options, NO_TERMS, 60) == (0,)
    assert chosen(options, NO_TERMS, 40) == ()


def test_no_options_no_orders():
    assert chosen(make([]), NO_TERMS, 100) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(row, min_size=1, max_size=8, unique_by=lambda r: (r[0], r[4])), terms_of_three)
def test_the_same_question_gives_the_same_answer(rows, terms):
    options = make(rows)
    assert chosen(options, terms) == chosen(options, terms)
