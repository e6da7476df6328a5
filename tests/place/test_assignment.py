"""What the night publishes for an order system is what the simulated world does, to be replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES as CONTRACTS
from pipeline.core.assignment import assign
from pipeline.errors import UsageError
from pipeline.place.plan import plan_placement
from pipeline.place.replay import NEEDED, read_orders, replay, situation
from pipeline.simulate.world import kernel
from pipeline.simulate.world.opportunity import kept_units, replacement_usd
from pipeline.simulate.world.randomness import poisson_demand
from pipeline.store import Store
from tests.place.world import AS_OF, world
from tests.simulate.small import raw_tables, small_world

TABLES = ("assignment_offers", "assignment_worth", "protection_levels")


def night(tightness: float = 5.0, **place: object) -> dict[str, pd.DataFrame]:
    tables = world(25, 3, tightness)
    return plan_placement(tables, AS_OF, Settings.model_validate({"place": place}))


def lines(found: dict[str, pd.DataFrame], n: int = 60, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    items = sorted(found["assignment_worth"]["item_id"].unique())
    return pd.DataFrame({
        "order_id": [f"o{i // 2}" for i in range(n)], "item_id": rng.choice(items[:6], n),
        "region_id": rng.choice(["r1", "r2"], n), "speed": rng.choice(["same_day", "standard"], n),
        "order_hour": rng.integers(0, 24, n), "units": rng.integers(1, 4, n),
    })  # fmt: skip


def world_orders() -> tuple[list[tuple[int, int, int]], np.ndarray]:
    """Orders (item, cell, units) of a simulated day in the order in which they are served, and what
    the world shipped of each item from each node, at the replacement cost of units."""
    _, model, _ = small_world()
    n_items, n_regions, n_nodes = model.shape
    demand = np.zeros((n_items, n_regions), dtype=np.int64)
    poisson_demand(3, model.item_key, model.region_key, 100, np.full(demand.shape, 6.0), demand)
    stock = np.full((n_items, n_nodes), 4, dtype=np.int64) * model.may_hold
    worth = replacement_usd(model, raw_tables()["nodes"])
    offers, shape = model.offers, (n_items, n_regions)
    shipped = np.zeros((n_items, n_nodes), dtype=np.int64)
    keep = np.zeros((n_items, offers.n_speeds, n_nodes), dtype=np.int64)
    kernel.trade_day(
        7, 100, model.bounds, model.item_key, model.region_key, demand, np.ones(shape), stock,
        np.zeros(shape, np.int64), worth, model.cumulative, model.bucket_share, model.reach,
        offers.n_speeds, offers.start, offers.late, offers.node, offers.ship_usd,
        offers.missed_usd, True, keep, 1.0, False, np.zeros(shape, np.int64), shipped,
        np.zeros(shape), np.zeros((n_items, 5), np.int64), np.zeros((n_items, 4)),
        np.zeros((len(model.bounds) - 1, offers.n_speeds, 2), np.int64),
        np.zeros((len(model.bounds) - 1, n_regions, n_nodes), np.int64),
    )  # fmt: skip
    cells = np.zeros((*shape, offers.n_buckets * offers.n_speeds), dtype=np.int64)
    kernel.orders_by_cell(7, 100, model.item_key, model.region_key, demand, model.cumulative, cells)
    found = []
    for k in range(n_items):
        for b in range(offers.n_buckets):
            for turn in range(n_regions):
                r = (turn + 100) % n_regions
                for s in range(offers.n_speeds):
                    units = int(cells[k, r, b * offers.n_speeds + s])
                    if units:
                        found.append((k, (r * offers.n_speeds + s) * offers.n_buckets + b, units))
    return found, shipped


def test_the_simulated_world_assigns_orders_as_the_published_function_does() -> None:
    _, model, _ = small_world()
    orders, shipped = world_orders()
    item, cell, units = np.array(orders).T
    stock = np.full(shipped.shape, 4, dtype=np.int64) * model.may_hold
    worth = replacement_usd(model, raw_tables()["nodes"])
    keep = np.zeros((len(stock), model.offers.n_speeds, stock.shape[1]), dtype=np.int64)
    taken = assign(item, cell, units, stock, model.offers, worth, keep)
    mine = np.zeros_like(shipped)
    line, at = np.nonzero(taken)
    node = model.offers.node[model.offers.start[cell[line]] + at]
    np.add.at(mine, (item[line], node), taken[line, at])
    assert mine.sum() > 50
    np.testing.assert_array_equal(mine, shipped)


def test_the_published_tables_say_all_that_the_function_needs() -> None:
    """Replayed from tables alone, by another numbering of regions, speeds and hours."""
    _, model, _ = small_world()
    orders, shipped = world_orders()
    offers, shape = model.offers, shipped.shape
    cell = np.repeat(np.arange(offers.n_cells), np.diff(offers.start))
    by_speed = cell // offers.n_buckets
    worth = replacement_usd(model, raw_tables()["nodes"])
    k, j = np.indices(shape).reshape(2, -1)
    known = situation({
        "assignment_offers": pd.DataFrame({
            "region_id": model.regions[by_speed // offers.n_speeds],
            "speed": model.speeds[by_speed % offers.n_speeds],
            "from_hour": model.first_hour[cell % offers.n_buckets],
            "node_id": model.nodes[offers.node],
            "offer_rank": np.arange(len(cell)) - offers.start[cell],
            "keeps_promise": np.arange(len(cell)) < offers.late[cell],
            "ship_usd_per_unit": offers.ship_usd, "missed_speed_usd_per_unit": offers.missed_usd,
        }),
        "assignment_worth": pd.DataFrame({
            "item_id": model.items[k], "node_id": model.nodes[j],
            "assignable_units": (4 * model.may_hold)[k, j], "unit_worth_usd": worth[k, j],
        }),
        "protection_levels": pd.DataFrame(
            columns=["item_id", "node_id", "speed", "protected_units"]
        ),
    })  # fmt: skip
    item, cells, units = np.array(orders).T
    region, speed = np.divmod(cells // offers.n_buckets, offers.n_speeds)
    found = replay(known, pd.DataFrame({
        "order_id": np.arange(len(item)).astype(str), "item_id": model.items[item],
        "region_id": model.regions[region], "speed": model.speeds[speed],
        "order_hour": model.first_hour[cells % offers.n_buckets], "units": units,
    }))  # fmt: skip
    served = found[found["node_id"] != ""]
    mine = np.zeros_like(shipped)
    at = (model.items.get_indexer(served["item_id"]), model.nodes.get_indexer(served["node_id"]))
    np.add.at(mine, at, served["assigned_units"])
    np.testing.assert_array_equal(mine, shipped)


def test_every_unit_of_a_line_is_assigned_once_or_told_to_be_short() -> None:
    found = night()
    known, orders = situation(found), lines(found)
    rows = replay(known, orders)
    assert rows.groupby("line")["assigned_units"].sum().tolist() == orders["units"].tolist()
    used = rows[rows["node_id"] != ""].groupby(["item_id", "node_id"])["assigned_units"].sum()
    stock = found["assignment_worth"].set_index(["item_id", "node_id"])["assignable_units"]
    assert (used <= stock.reindex(used.index)).all()
    assert (known.stock == situation(found).stock).all()  # replaying changes no state


def test_an_order_stays_together_where_another_shipment_costs_more() -> None:
    found = night()
    known, orders = situation(found), lines(found)
    apart, together = replay(known, orders), replay(known, orders, split_usd=50.0)
    shipments = [rows[rows["node_id"] != ""].groupby("order_id")["node_id"].nunique().sum()
                 for rows in (apart, together)]  # fmt: skip
    assert shipments[1] < shipments[0]
    assert together.groupby("line")["assigned_units"].sum().tolist() == orders["units"].tolist()
    pd.testing.assert_frame_equal(apart, replay(known, orders, split_usd=1e-9))


def test_no_share_kept_is_the_night_without_and_a_share_is_left_by_transfers() -> None:
    free, kept = night(), night(protection_share=1.0)
    assert free["protection_levels"].empty
    levels = kept["protection_levels"]
    assert len(levels)
    assert (levels["speed"] == "standard").all()  # same-day orders lose most
    most = levels.groupby(["item_id", "node_id"])["protected_units"].max()
    worth = kept["assignment_worth"].set_index(["item_id", "node_id"])["assignable_units"]
    moved = kept["transfers"]
    sent = moved.groupby(["item_id", "from_node_id"])["transfer_units"].sum()
    for key, units in most.items():
        if sent.get(key, 0) > 0:
            assert worth[key] >= units, key


def test_kept_units_reach_the_simulated_world() -> None:
    _, model, _ = small_world()
    table = pd.DataFrame({"item_id": [model.items[1]], "node_id": [model.nodes[2]],
                          "speed": [model.speeds[-1]], "protected_units": [3]})  # fmt: skip
    kept = kept_units(model, table)
    assert kept is not None
    assert kept.sum() == kept[1, -1, 2] == 3
    assert kept_units(model, table.iloc[:0]) is None


def test_a_file_of_orders_that_cannot_be_used_is_told_line_by_line(tmp_path: Path) -> None:
    found = night()
    known = situation(found)
    path = tmp_path / "orders.csv"
    orders = lines(found, 3).astype("str")
    orders.loc[1, "units"] = "some"
    orders.loc[2, "speed"] = "next_year"
    orders.to_csv(path, index=False)
    with pytest.raises(UsageError) as told:
        read_orders(path, known)
    assert "row 2: units 'some'" in str(told.value)
    assert "row 3: speed 'next_year' is not in the night's plan" in str(told.value)
    orders.drop(columns="units").to_csv(path, index=False)
    with pytest.raises(UsageError, match="lacks the columns units"):
        read_orders(path, known)
    assert len(NEEDED) == 6


def test_the_command_assigns_what_the_function_does_and_tells_the_totals(tmp_path: Path) -> None:
    found = night()
    store, orders = Store(tmp_path / "out"), lines(found)
    for name in TABLES:
        store.publish(AS_OF, name, require(found[name], CONTRACTS[name]), {})
    orders.to_csv(tmp_path / "orders.csv", index=False)
    to = tmp_path / "assigned.csv"
    arguments = ["assign", str(tmp_path / "orders.csv"), "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(app, [*arguments, "--to", str(to), "--split-usd", "3"])
    assert ran.exit_code == 0, ran.output
    mine = replay(situation({name: store.read(AS_OF, name) for name in TABLES}), orders, 3.0)
    written = pd.read_csv(to, keep_default_na=False)
    assert written["assigned_units"].tolist() == mine["assigned_units"].tolist()
    assert written["node_id"].tolist() == mine["node_id"].tolist()
    served = int(mine.loc[mine["node_id"] != "", "assigned_units"].sum())
    assert f"{orders['units'].sum():,} units: {served:,} served" in ran.output


def test_the_command_refuses_what_it_cannot_read_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("order_id,item_id\no1,i1\n")
    none = CliRunner().invoke(
        app, ["assign", str(tmp_path / "orders.csv"), "--out", str(tmp_path / "none")]
    )
    assert isinstance(none.exception, UsageError)
    assert "Next: echelon run" in str(none.exception)
    found, store = night(), Store(tmp_path / "out")
    for name in TABLES:
        store.publish(AS_OF, name, require(found[name], CONTRACTS[name]), {})
    bad = CliRunner().invoke(
        app, ["assign", str(tmp_path / "orders.csv"), "--out", str(tmp_path / "out")]
    )
    assert isinstance(bad.exception, UsageError)
    assert "region_id" in str(bad.exception)
