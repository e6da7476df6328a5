"""What the next day needs, and what a night decides: plain arrays, saved and read back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.returns import days_until_back
from pipeline.simulate.world.supply import Ints, Shipments, nothing


@dataclass(frozen=True)
class Decisions:
    """Tonight's orders and transfers, by position; expected_day and arrival_day count from 1970.

    Orders: vendor, item, node, units, unit_cost_usd, expected_day. Transfers: item, source, node,
    units, arrival_day.
    """

    vendor: Ints
    item: Ints
    node: Ints
    units: Ints
    unit_cost_usd: NDArray[np.float64]
    expected_day: Ints
    transfer_item: Ints
    transfer_source: Ints
    transfer_node: Ints
    transfer_units: Ints
    transfer_arrival_day: Ints


def do_nothing() -> Decisions:
    """No orders, no transfers."""
    ints, usd = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Decisions(ints, ints, ints, ints, usd, ints, ints, ints, ints, ints, ints)


@dataclass
class State:
    """All that the next day needs: stock [items, nodes], waiting [items, regions], shipments.

    returning: [days, items, regions] units that customers send back, by the days until they come.
    flow: [3, nodes, 2] inbound and outbound of the planning week so far: units used, the capacity
    of the days gone, and units already charged as overflow.
    """

    on_hand: Ints
    waiting: Ints
    on_the_way: Shipments
    flow: NDArray[np.float64]
    returning: Ints
    next_number: int = 1


def empty_state(model: WorldModel) -> State:
    """No stock, nothing on the way, nobody waiting."""
    n_items, n_regions, n_nodes = model.shape
    return State(
        np.zeros((n_items, n_nodes), dtype=np.int64),
        np.zeros((n_items, n_regions), dtype=np.int64),
        nothing(),
        np.zeros((3, n_nodes, 2)),
        np.zeros((days_until_back(model.rules), n_items, n_regions), dtype=np.int64),
    )


def save_state(state: State) -> dict[str, NDArray]:
    """The state as named arrays, for numpy's archive."""
    ways = {f"way_{name}": value for name, value in vars(state.on_the_way).items()}
    return {
        "on_hand": state.on_hand, "waiting": state.waiting, "flow": state.flow,
        "returning": state.returning,
        "next_number": np.array(state.next_number), **ways,
    }  # fmt: skip


def load_state(arrays: dict[str, NDArray]) -> State:
    """The state that `save_state` wrote."""
    ways = {key[4:]: value for key, value in arrays.items() if key.startswith("way_")}
    return State(
        arrays["on_hand"], arrays["waiting"], replace(nothing(), **ways), arrays["flow"],
        arrays["returning"], int(arrays["next_number"]),
    )  # fmt: skip
