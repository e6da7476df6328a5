"""Lateral pooling: Erlang's formula, the Markov chain behind it, and Kranenburg's table."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import pooling
from pipeline.core.inventory.pooling import PoolingSystem, erlang_loss, pooled_stock, separate_stock

BASE = PoolingSystem(10, 0.001, 10.0, 1000.0, 500.0, 0.2, 2.0, 0.5, 10.0)


@given(servers=st.integers(0, 12), load=st.floats(0.01, 8))
@settings(max_examples=50, deadline=None)
def test_erlang_loss_is_the_truncated_poisson_law(servers: int, load: float) -> None:
    terms = [load**k / math.factorial(k) for k in range(servers + 1)]
    assert erlang_loss(servers, load) == pytest.approx(terms[-1] / sum(terms))


@pytest.mark.parametrize("stock", [1, 2, 3, 4])
def test_the_chain_gives_the_closed_form_while_each_holds_at_most_one(stock: int) -> None:
    system = dataclasses.replace(BASE, warehouses=4, demand_rate=0.05)
    direct, lateral, emergency = pooling.service_shares(system, stock)
    assert pooling._direct_share(system, stock) == pytest.approx(direct)
    assert direct + lateral + emergency == pytest.approx(1)


def test_more_stock_is_more_service() -> None:
    system = dataclasses.replace(BASE, warehouses=4, demand_rate=0.1)
    shares = [pooling.service_shares(system, stock)[0] for stock in range(10)]
    assert all(a < b for a, b in itertools.pairwise(shares))


@pytest.mark.parametrize(
    ("change", "r1", "c1", "r3", "c3"),
    [
        ({}, 9.09, 91.9, 6.10, 63.0),  # 10 · (1 − 0.1)/(1 − 0.0099) = 9.09
        ({"demand_rate": 0.01}, 9.90, 109.0, 7.00, 90.01),
        ({"waiting_target": 0.6}, 7.07, 73.7, 0.99, 14.97),
        ({"warehouses": 50}, 45.45, 459.5, 30.5, 315.0),
    ],
)
def test_kranenburgs_table(
    change: dict[str, float], r1: float, c1: float, r3: float, c3: float
) -> None:
    system = dataclasses.replace(BASE, **change)
    one, three = separate_stock(system), pooled_stock(system)
    assert (one.stock_units, one.cost) == pytest.approx((r1, c1), abs=0.02)
    assert (three.stock_units, three.cost) == pytest.approx((r3, c3), abs=0.02)


def test_pooling_never_costs_more_than_separate_stock_when_transshipment_is_free() -> None:
    system = dataclasses.replace(BASE, lateral_cost=0.0, lateral_time=0.0)
    assert pooled_stock(system).cost <= separate_stock(system).cost


def test_a_joint_warehouse_too_slow_for_the_target_is_refused() -> None:
    with pytest.raises(ValueError, match="waiting-time target"):
        pooling.joint_stock(BASE, 450.0, 0.45)
