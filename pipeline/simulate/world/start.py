"""The first state of a run: stock and open orders as the data of the start tell them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.simulate.world.model import Tables, WorldModel
from pipeline.simulate.world.randomness import draw_uniforms
from pipeline.simulate.world.state import State, empty_state
from pipeline.simulate.world.supply import LeadTimes, Shipments, day_number

_STREAM = 99


def initial_state(
    model: WorldModel, times: LeadTimes, tables: Tables, seed: int, as_of: date
) -> State:
    """Stock of `as_of`; open orders arrive at a drawn lead time, the day after as_of at the
    earliest; open transfers when they are expected."""
    state = empty_state(model)
    stock = tables["stock"]
    k = model.items.get_indexer(stock["item_id"].astype("str"))
    j = model.nodes.get_indexer(stock["node_id"].astype("str"))
    np.add.at(state.on_hand, (k, j), stock["on_hand_units"].to_numpy(np.int64))
    tomorrow = day_number(as_of) + 1
    orders = _shipments(model, tables["open_orders"], "order_date", "node_id")
    u = np.empty(len(orders))
    draw_uniforms(seed, _STREAM, model.vendor_key[orders.vendor], model.item_key[orders.item],
                  orders.sent_day, u)  # fmt: skip
    lead = times.draw(orders.vendor * len(model.items) + orders.item, orders.sent_day, u)
    orders.arrival_day[:] = np.maximum(orders.sent_day + lead, tomorrow)
    transfers = _shipments(model, tables["open_transfers"], "ship_date", "to_node_id")
    transfers.arrival_day[:] = np.maximum(transfers.expected_day, tomorrow)
    state.on_the_way = orders.plus(transfers)
    state.on_the_way.number[:] = np.arange(1, len(state.on_the_way) + 1)
    state.next_number = len(state.on_the_way) + 1
    return state


def _shipments(model: WorldModel, frame: pd.DataFrame, sent: str, node: str) -> Shipments:
    def place(names: pd.Index, column: str) -> np.ndarray:
        if column not in frame:
            return np.full(len(frame), -1, dtype=np.int64)
        return names.get_indexer(frame[column].astype("str")).astype(np.int64)

    def days(column: str) -> np.ndarray:
        return frame[column].to_numpy().astype("datetime64[D]").astype(np.int64)

    return Shipments(
        number=np.zeros(len(frame), dtype=np.int64), vendor=place(model.vendors, "vendor_id"),
        item=place(model.items, "item_id"), source=place(model.nodes, "from_node_id"),
        node=place(model.nodes, node), sent_day=days(sent),
        expected_day=days("expected_arrival_date"), arrival_day=days("expected_arrival_date"),
        units=frame["open_units"].to_numpy(np.int64),
    )  # fmt: skip
