from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.optimize.item_model import DemandCube, Economics
from pipeline.optimize.recapture import net_of_recapture, with_substitution

ITEMS = ["a", "b", "c"]
MONEY = Economics(
    np.ones(3), np.array([10.0, 8.0, 6.0]), np.ones(3), np.zeros(3, np.uint8), np.zeros(3)
)
CUBE = DemandCube(
    ITEMS,
    ["r"],
    np.array([7.0]),
    np.ones((3, 1, 1, 2), np.float32),
    np.full((3, 1, 1), 4.0),
    np.zeros(3, np.int64),
    np.ones((3, 1, 1, 2), np.float32),
    np.full((3, 1, 1), 4.0),
)


def moves(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Transitions that data say in full."""
    frame = pd.DataFrame(rows, columns=["item_id", "to_item_id", "probability"])
    return frame.assign(share_from_data=1.0)


def stocked(*shares: float) -> pd.DataFrame:
    return pd.DataFrame({"item_id": ITEMS, "stocked_share": shares})


def test_without_groups_nothing_changes() -> None:
    empty = {"substitution": moves(), "first_choice": stocked(1, 1, 1)}
    for tables in ({}, empty):
        cube, money = with_substitution(CUBE, MONEY, tables, Settings())
        assert cube is CUBE
        assert money is MONEY


def test_a_lost_sale_costs_what_others_do_not_win_back() -> None:
    chain = moves(("a", "b", 0.5), ("a", "leave", 0.5), ("b", "leave", 1.0))
    net = net_of_recapture(MONEY, ITEMS, chain, stocked(1, 0.9, 1), Settings())
    assert net.lost_sale_usd == pytest.approx([10 - 0.5 * 0.9 * 8, 8.0, 6.0])


def test_who_finds_the_substitute_out_too_turns_on() -> None:
    chain = moves(("a", "b", 1.0), ("b", "c", 0.5))
    net = net_of_recapture(MONEY, ITEMS, chain, stocked(1, 0.6, 1), Settings())
    worth_at_b = 0.6 * 8 + 0.4 * 0.5 * 6
    assert net.lost_sale_usd[0] == pytest.approx(10 - worth_at_b)


def test_a_lost_sale_never_counts_for_less_than_the_floor() -> None:
    chain = moves(("c", "a", 1.0))
    net = net_of_recapture(MONEY, ITEMS, chain, stocked(1, 1, 1), Settings())
    assert net.lost_sale_usd[2] == pytest.approx(0.2 * 6)


def test_a_dropped_items_demand_goes_where_its_customers_do() -> None:
    settings = Settings.model_validate({"assort": {"drops_items": True}})
    tables = {"substitution": moves(("c", "a", 0.75), ("c", "b", 0.2)),
              "first_choice": stocked(1, 1, 1)}  # fmt: skip
    cube, money = with_substitution(CUBE, MONEY, tables, settings)
    assert money.lost_sale_usd[2] == 0.0
    assert cube.mean[:, 0, 0] == pytest.approx([4 + 3, 4 + 0.8, 0])
    assert cube.quantiles[:, 0, 0, 0] == pytest.approx([7 / 4, 4.8 / 4, 0])
    kept = replace(MONEY, lost_sale_usd=np.array([1.0, 8.0, 6.0]))
    cube, _ = with_substitution(CUBE, kept, {**tables, "substitution": moves(("c", "a", 0.5))},
                                settings)  # fmt: skip
    assert cube is CUBE


def test_what_no_stock_out_has_shown_wins_nothing_back() -> None:
    chain = moves(("a", "b", 0.5), ("b", "a", 0.5)).assign(share_from_data=[0.4, 0.0])
    net = net_of_recapture(MONEY, ITEMS, chain, stocked(1, 1, 1), Settings())
    assert net.lost_sale_usd == pytest.approx([10 - 0.4 * 0.5 * 8, 8.0, 6.0])


def test_what_is_in_stock_of_a_dropped_item_sells_first() -> None:
    """3 of the 4 units asked for are there: one customer is passed on, three stay."""
    settings = Settings.model_validate({"assort": {"drops_items": True}})
    tables = {
        "substitution": moves(("c", "a", 0.75), ("c", "b", 0.2)),
        "first_choice": stocked(1, 1, 1),
        "stock": pd.DataFrame({"item_id": ["c", "c", "a"], "on_hand_units": [1, 1, 9]}),
        "open_orders": pd.DataFrame({"item_id": ["c"], "open_units": [1]}),
    }
    cube, _ = with_substitution(CUBE, MONEY, tables, settings)
    assert cube.mean[:, 0, 0] == pytest.approx([4 + 0.75, 4 + 0.2, 3])


def test_two_items_do_not_both_go_because_of_each_other() -> None:
    """a's and b's customers all turn to the other; c's to neither. Dropping both loses both."""
    settings = Settings.model_validate({"assort": {"drops_items": True}})
    money = replace(MONEY, lost_sale_usd=np.array([10.0, 10.5, 6.0]))
    chain = moves(("a", "b", 1.0), ("b", "a", 0.98))
    net = net_of_recapture(money, ITEMS, chain, stocked(1, 1, 1), settings)
    assert net.lost_sale_usd[0] == 0.0
    assert net.lost_sale_usd[1] == 10.5  # nobody has a's customers but b
    assert net.lost_sale_usd[2] == 6.0
