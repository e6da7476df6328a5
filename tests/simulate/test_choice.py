"""Customers who find their item out turn to others by the true chain, and every unit balances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.simulate.world.choice import TrueChain, read_chain, walk
from pipeline.simulate.world.day import Day, kernel
from pipeline.simulate.world.randomness import keys
from pipeline.simulate.world.state import do_nothing
from tests.simulate.small import small_world

ITEMS = [f"item_{k:02d}" for k in range(12)]


def chain_of(rows: dict[tuple[int, int], float]) -> TrueChain:
    onward = np.zeros((12, 12))
    for place, chance in rows.items():
        onward[place] = chance
    return TrueChain(onward)


def one_day(chain: TrueChain | None, stock: dict[int, int], asked: dict[int, int]) -> Day:
    world, model, _ = small_world()
    world.chain = chain
    world.state.on_hand[:] = 0
    demand = np.zeros(model.shape[:2], dtype=np.int64)
    for item, units in stock.items():
        world.state.on_hand[item, 0] = units
    for item, units in asked.items():
        demand[item, 0] = units
    return world.live(3, demand, np.full(model.shape[:2], 20.0), do_nothing())


def test_customers_of_an_item_that_is_out_are_absorbed_as_the_chain_says() -> None:
    """0 turns to 1 (half), 2 (0.3); 1 is out too and sends on to 2 (0.6), back to 0 (0.2):
    the probability of ending at 2 is x0 with x0 = 0.3 + 0.5 x1, x1 = 0.6 + 0.2 x0."""
    chain = chain_of({(0, 1): 0.5, (0, 2): 0.3, (1, 2): 0.6, (1, 0): 0.2})
    day = one_day(chain, {2: 9000}, {0: 4000})
    expected = 4000 * (0.3 + 0.5 * 0.6) / (1 - 0.5 * 0.2)
    spread = np.sqrt(expected * (1 - expected / 4000))
    assert day.recaptured is not None
    assert abs(day.sold[2].sum() - expected) < 4 * spread
    assert day.count[0, kernel.LOST] == 4000 - day.sold[2].sum()
    assert day.recaptured.passed_on[0].sum() == day.recaptured.sold[2].sum() == day.sold[2].sum()
    assert day.money[0, 4] == pytest.approx(day.count[0, kernel.LOST] * 20.0 * 0.1)


def test_who_is_there_first_is_served_first() -> None:
    """Item 1 has stock for its own customers and three others."""
    day = one_day(chain_of({(0, 1): 1.0}), {1: 8}, {0: 10, 1: 5})
    assert day.sold[1].sum() == 8
    assert day.recaptured is not None
    assert day.recaptured.sold[1].sum() == 3
    assert day.count[0, kernel.LOST] == 7
    assert day.count[1, kernel.LOST] == 0


def test_a_chain_of_those_who_all_leave_changes_nothing() -> None:
    plain, with_chain = (one_day(chain, {1: 8}, {0: 10, 1: 15}) for chain in
                         (None, chain_of({})))  # fmt: skip
    for name in ("sold", "in_stock_share", "count", "money", "speed_units", "usage"):
        assert np.array_equal(getattr(plain, name), getattr(with_chain, name)), name


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_nobody_is_served_twice_or_from_nothing(seed: int) -> None:
    """Any chain, any stock by item and region: what is passed on is what others sold."""
    rng = np.random.default_rng(seed)
    onward = rng.dirichlet(np.ones(13), 12)[:, :12]
    np.fill_diagonal(onward, 0.0)
    lost, left = rng.poisson(2.0, (12, 3)), rng.poisson(1.0, (12, 3))
    asked_of: list[np.ndarray] = []

    def serve(attempt: int, asked: np.ndarray) -> np.ndarray:
        assert attempt == len(asked_of) + 1
        asked_of.append(asked)
        sold = np.minimum(asked, left)
        left[:] -= sold
        return sold

    before = left.copy()
    found = walk(TrueChain(onward), seed, 5, keys(ITEMS), keys("abc"), lost, serve)
    assert (found.passed_on <= lost).all()
    assert (found.sold == before - left).all()
    assert (found.sold.sum(axis=0) == found.passed_on.sum(axis=0)).all()
    tries = [asked.sum() for asked in asked_of]
    assert tries == sorted(tries, reverse=True)


def test_a_chain_with_faults_is_refused_with_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "chain.csv"
    path.write_text("item_id,to_item_id,probability\na,b,0.7\na,c,0.6\nb,b,0.1\nc,a,often\n")
    with pytest.raises(UsageError, match=r"(?s)3 problem.*line 5.*line 4.*a: .*1.3000"):
        read_chain(path, pd.Index(["a", "b", "c"]))
    path.write_text("item_id,to_item_id,probability\na,b,0.7\nz,a,0.6\n")
    assert read_chain(path, pd.Index(["a", "b"])).onward.tolist() == [[0.0, 0.7], [0.0, 0.0]]
