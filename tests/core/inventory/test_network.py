"""General networks: known special cases of the simulation, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.inventory import demand as d
from pipeline.core.inventory.network import SupplyNetwork, base_stock_costs
from pipeline.core.inventory.newsvendor import expected_cost
from pipeline.core.inventory.serial import SerialSystem, serial_cost


def _per_period(network: SupplyNetwork, levels: list[float]) -> float:
    demand, chance = network.sample(200, 1_050, 4)
    totals = [
        base_stock_costs(network, np.array(levels), demand[:, :t], chance[:, :t]).mean()
        for t in (50, 1_050)
    ]
    return float(totals[1] - totals[0]) / 1_000


def test_one_node_is_a_base_stock_system() -> None:
    network = SupplyNetwork(
        np.zeros((1, 1)), np.array([2]), np.array([1.0]), np.array([9.0]), [d.poisson(4)]
    )
    expected = expected_cost(d.poisson(12), 15, 1.0, 9.0)  # lead time 2 and the period itself
    assert _per_period(network, [15.0]) == pytest.approx(expected, rel=0.01)


def test_two_nodes_in_series_cost_what_clark_and_scarf_say() -> None:
    """Local levels 4 and 11 are echelon levels 15 and 11; transit is not charged here."""
    links = np.array([[0.0, 1.0], [0.0, 0.0]])
    network = SupplyNetwork(
        links, np.array([1, 1]), np.array([1.0, 3.0]), np.array([0.0, 20.0]), [None, d.poisson(4)]
    )
    system = SerialSystem([2.0, 1.0], [2, 1], 20.0, d.poisson(4))  # the period at the last stage
    expected = serial_cost(system, [11.0, 15.0]) - system.pipeline_cost
    assert _per_period(network, [4.0, 11.0]) == pytest.approx(expected, rel=0.02)


def test_cycles_and_loose_probabilities_are_refused() -> None:
    sides = (np.array([1, 1]), np.ones(2), np.ones(2), [None, d.poisson(1)])
    with pytest.raises(ValueError, match="before the nodes they supply"):
        SupplyNetwork(np.array([[0.0, 0.0], [1.0, 0.0]]), *sides)
    with pytest.raises(ValueError, match="add up to one"):
        SupplyNetwork(np.array([[0.0, 0.7], [0.0, 0.0]]), *sides)
