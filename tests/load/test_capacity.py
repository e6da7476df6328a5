"""Servers, shifts, labor and rehearsals, against enumeration and a stub that answers."""

from __future__ import annotations

import itertools
import multiprocessing
import socket
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import LaborSettings
from pipeline.errors import UsageError
from pipeline.load.capacity import cheapest_cover, standard_servers
from pipeline.load.carried import carried_loads, most_per_second
from pipeline.load.fire import Limits, check_target, fire, starts_of
from pipeline.load.journeys import requests_per_visit, script
from pipeline.load.labor import is_bought, labor_plan, planned_node_capacity
from pipeline.load.labor_page import labor_page
from pipeline.load.rehearsal import _sustained_visits, rehearse
from pipeline.load.shifts import Shift, cover_hours
from tests.load.stub import serve


def test_server_mixes_are_the_cheapest_of_all_on_100_enumerated_cases():
    random = np.random.default_rng(1)
    for _ in range(100):
        k = int(random.integers(1, 4))
        speed = random.choice([0.5, 1.0, 2.0, 3.5], k).tolist()
        cost, change = random.uniform(1, 9, k).round(2), random.uniform(0, 3, k).round(2)
        most, now = random.integers(2, 7, k), random.integers(0, 4, k)
        step = random.integers(1, 3, k)
        had = sum(s * (m // t * t) for s, m, t in zip(speed, most, step, strict=True))
        need = float(random.uniform(0, had))

        def usd(mix, cost=cost, change=change, now=now):
            return float((cost * mix).sum() + (change * np.abs(np.array(mix) - now)).sum())

        mixes = itertools.product(
            *(range(0, m + 1, t) for m, t in zip(most.tolist(), step.tolist(), strict=True))
        )
        best = min(usd(mix) for mix in mixes if np.dot(speed, mix) >= need - 1e-3)
        found = cheapest_cover(need, speed, cost.tolist(), change.tolist(), now.tolist(),
                               most.tolist(), step.tolist())  # fmt: skip
        assert np.dot(speed, found) >= need - 1e-3
        assert usd(found) == pytest.approx(best, abs=1e-6)


def test_too_few_servers_are_refused():
    with pytest.raises(UsageError, match="most_servers"):
        cheapest_cover(10, [1.0], [1.0], [0.0], [0], [5], [1])


def test_shifts_are_the_cheapest_of_all_on_enumerated_days():
    random = np.random.default_rng(2)
    shifts = [Shift(0, 8, 80), Shift(8, 8, 90), Shift(14, 10, 100)]
    for _ in range(10):
        need = random.uniform(0, 3, 24)
        whole = np.ceil(need)

        def usd(workers, whole=whole):
            present = [sum(w for w, s in zip(workers, shifts, strict=True) if s.covers(h))
                       for h in range(24)]  # fmt: skip
            over = np.maximum(whole - present, 0).sum()
            return sum(w * s.cost_usd for w, s in zip(workers, shifts, strict=True)) + 15 * over

        best = min(usd(workers) for workers in itertools.product(range(4), repeat=3))
        assert cover_hours(need.tolist(), shifts, 15).cost_usd == pytest.approx(best)


def test_a_night_shift_covers_the_morning():
    assert [h for h in range(24) if Shift(22, 8, 1).covers(h)] == [0, 1, 2, 3, 4, 5, 22, 23]


def test_requests_of_a_visit_follow_the_chain_and_the_script_rounds_without_losing_any():
    assert requests_per_visit({"home": {"search": 0.5}, "search": {"search": 0.5}}) == (
        {"home": 1.0, "search": pytest.approx(1.0)}
    )
    plan = script(np.full(50, 3.3), {"tea": 3.0, "soap": 1.0}, most_products=1)
    total = plan.groupby("journey_step")["planned_requests"].sum()
    per_visit = requests_per_visit()
    assert total["home"] == pytest.approx(165, abs=1)
    assert total["product/tea"] == pytest.approx(165 * per_visit["product"] * 0.75, abs=1)
    assert total["product/other"] == pytest.approx(165 * per_visit["product"] * 0.25, abs=1)


@pytest.fixture(scope="module")
def stub():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ready = multiprocessing.get_context("spawn").Event()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(port, ready, "checkout", 0.15), daemon=True
    )
    process.start()
    assert ready.wait(30)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.join()


def test_a_game_day_sends_what_it_planned_and_names_the_slow_service_first(stub):
    plan = script(np.full(4, 40.0))
    found = rehearse(plan, stub, Limits(seconds=30), seconds_per_minute=0.5)
    assert (found.result["sent_requests"] == found.result["planned_requests"]).all()
    assert found.result["failed_requests"].sum() == 0
    assert found.chi_square == 0
    assert found.first_saturated == "checkout"
    assert found.saturated_minute == 0  # so no minute before it was sustained
    assert found.sustained_per_second == 0.0


def test_the_rate_that_was_sustained_is_the_best_minute_before_saturation():
    rows = [(m, "home", n, n, 0) for m, n in enumerate((60, 120, 300))]
    result = pd.DataFrame(rows, columns=["minute", "journey_step", "planned_requests",
                                         "sent_requests", "failed_requests"])  # fmt: skip
    requests = sum(requests_per_visit().values())
    assert _sustained_visits(result, 2) == pytest.approx(120 / requests)
    assert _sustained_visits(result, -1) == pytest.approx(300 / requests)


def test_latency_counts_from_the_intended_start(stub):
    outcome = fire(stub, [0.0, 0.1, 0.2], ["/checkout", "/home", "/checkout"], Limits())
    assert outcome.is_ok.all()
    assert (outcome.latency_s[[0, 2]] >= 0.149).all()
    assert (outcome.late_s < 0.5).all()


def test_only_loopback_or_hosts_that_are_named_are_shot_at():
    assert check_target("http://127.0.0.1:8080", Limits()) == ("127.0.0.1", 8080)
    assert check_target("http://shop.example", Limits(hosts=("shop.example",)))[0] == "shop.example"
    for target in ("http://shop.example", "http://10.0.0.1", "https://127.0.0.1", "127.0.0.1"):
        with pytest.raises(UsageError, match="Next"):
            check_target(target, Limits())


def test_a_game_day_is_bounded_in_count_and_time():
    with pytest.raises(UsageError, match="limit"):
        fire("http://127.0.0.1:1", [0.0] * 11, ["/"] * 11, Limits(requests=10))
    with pytest.raises(UsageError, match="limit"):
        fire("http://127.0.0.1:1", [99.0], ["/"], Limits(seconds=60))


def test_a_dead_target_ends_the_run_early():
    starts = np.linspace(0, 3, 3000)
    outcome = fire("http://127.0.0.1:1", starts, ["/"] * 3000, Limits())
    assert outcome.was_broken_off
    assert outcome.sent.sum() < 3000
    assert not outcome.is_ok.any()


def test_what_is_carried_is_the_most_that_needs_no_more_servers_and_late_orders_come_late():
    service = {"service": "shop", "series": "views", "service_s": 0.2, "wait_s": 0.1,
               "wait_chance": 0.01, "most_utilisation": 0.8, "zones": 3}  # fmt: skip
    rate = most_per_second(service, 9, 0.0)
    assert standard_servers(service, rate, 0.0) <= 9 < standard_servers(service, 1.001 * rate, 0.0)
    days = list(pd.date_range("2025-01-02", periods=6))
    orders = pd.DataFrame({
        "capacity_for": "shop", "capacity_kind": "small", "need_date": days[1],
        "order_date": [pd.Timestamp("2024-12-31")], "ordered_change": [6.0]})  # fmt: skip
    tables = {
        "load_services": pd.DataFrame([service]),
        "server_types": pd.DataFrame({"service": ["shop"], "server_type": "small",
                                      "speed_factor": 1.0, "owned_servers": 3}),
        "service_throughput": pd.DataFrame({"service": [], "measured_date": pd.to_datetime([]),
                                            "throughput_per_second": []}),
    }  # fmt: skip
    peaks = {"views": (days, np.zeros((1, 6)), 60)}
    rows = carried_loads(peaks, tables, orders, date(2025, 1, 1))
    before, after = 3600 * most_per_second(service, 3, 0.0), 3600 * rate
    assert (rows["owned_load"] == before).all()
    # Needed on the third, to be ordered two days before it is: it comes on the fifth.
    assert rows["planned_load"].tolist() == [before] * 3 + [after] * 3


def test_starts_fall_into_their_minutes():
    counts = np.array([5, 0, 7])
    at = starts_of(counts, 2.0, 1)
    assert np.histogram(at, [0, 2, 4, 6])[0].tolist() == [5, 0, 7]
    assert (np.diff(at) >= 0).all()


def night(shadow_usd: float) -> dict[str, pd.DataFrame]:
    day = pd.Timestamp("2025-01-02")
    return {
        "nodes": pd.DataFrame({"node_id": ["a", "b", "big"],
                               "accepts": ["any", "sortable", "non_sortable"]}),
        "items": pd.DataFrame({"item_id": ["x", "sofa"],
                               "size_class": ["sortable", "non_sortable"]}),
        "demand_quantiles": pd.DataFrame({
            "region_id": "r", "item_id": ["x", "x"], "window_start_day": 1,
            "window_days": [7, 14], "mean_units": [7000.0, 21000.0]}),
        "delivery_options": pd.DataFrame({
            "region_id": "r", "speed": ["fast", "fast", "slow"], "node_id": ["a", "b", "b"],
            "ship_usd_per_unit": [1.0, 2.0, 1.0], "cutoff_hour": 24.0}),
        "delivery_speeds": pd.DataFrame({
            "region_id": "r", "speed": ["fast", "slow"], "demand_share": [0.4, 0.6]}),
        "lanes": pd.DataFrame({
            "from_node_id": ["a", "c"], "to_node_id": ["b", "b"], "transit_days": [2, 1],
            "lane_usd_per_cuft": [1.0, 2.0]}),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
        "open_orders": pd.DataFrame({
            "node_id": ["a"], "expected_arrival_date": [day], "open_units": [1200]}),
        "purchase_orders": pd.DataFrame({
            "order_line_id": ["o"], "expected_arrival_date": [day + pd.Timedelta(days=1)]}),
        "inbound_assignments": pd.DataFrame({
            "order_line_id": ["o"], "node_id": ["b"], "assigned_units": [500]}),
        "transfers": pd.DataFrame({
            "from_node_id": ["a"], "to_node_id": ["b"], "item_id": ["x"], "ship_date": [day],
            "expected_arrival_date": [day + pd.Timedelta(days=1)], "transfer_units": [60]}),
        "capacity_prices": pd.DataFrame({
            "node_id": ["a"], "resource": ["outbound_units_per_day"], "week_start": [day],
            "price_usd_per_capacity_unit": [shadow_usd]}),
        "node_capacity": pd.DataFrame({
            "node_id": ["a"], "resource": ["outbound_units_per_day"],
            "start_date": [day - pd.Timedelta(days=99)], "capacity": [400.0]}),
    }  # fmt: skip


def test_a_nodes_units_come_from_the_nights_own_tables():
    plan = labor_plan(night(0.0), date(2025, 1, 1), LaborSettings(days=8))
    row = plan.set_index(["node_id", "date"])
    first, second = pd.Timestamp("2025-01-02"), pd.Timestamp("2025-01-03")
    assert row.loc[("a", first), "outbound_load_units"] == pytest.approx(400 + 60)
    assert row.loc[("b", first), "outbound_load_units"] == pytest.approx(600)
    assert row.loc[("b", pd.Timestamp("2025-01-09")), "outbound_load_units"] == (
        pytest.approx(0.6 * 2000)
    )
    assert row.loc[("a", first), "inbound_load_units"] == 1200
    assert row.loc[("b", second), "inbound_load_units"] == 500 + 60
    needed = (460 * 45 + 1200 * 30) / 3600
    assert row.loc[("a", first), "staffed_hours"] + row.loc[("a", first), "overtime_hours"] >= (
        needed
    )


def test_coming_nights_draw_what_a_node_sends_out_from_its_cheapest_lane():
    row = labor_plan(night(0.0), date(2025, 1, 1), LaborSettings(days=8)).set_index(
        ["node_id", "date"]
    )
    for day in range(1, 9):
        date_ = pd.Timestamp("2025-01-01") + pd.Timedelta(days=day)
        direct = 600 if day <= 7 else 1200  # what b sends to its customers
        known = {2: 560}.get(day, 0)
        assert row.loc[("b", date_), "inbound_load_units"] == known + (direct if day >= 4 else 0)
        served = 400 if day <= 7 else 800
        shipped = (60 if day == 1 else 0) + (
            (600 if day + 2 <= 7 else 1200) if 2 <= day <= 6 else 0
        )
        assert row.loc[("a", date_), "outbound_load_units"] == pytest.approx(served + shipped)


def test_bulky_items_leave_from_the_nodes_that_hold_them():
    tables = night(0.0)
    sofas = tables["demand_quantiles"].assign(item_id="sofa", mean_units=[70.0, 140.0])
    tables["demand_quantiles"] = pd.concat([tables["demand_quantiles"], sofas])
    at_big = pd.DataFrame({"region_id": "r", "speed": "slow", "node_id": ["big"],
                           "ship_usd_per_unit": 0.5, "cutoff_hour": 24.0})  # fmt: skip
    tables["delivery_options"] = pd.concat([tables["delivery_options"], at_big])
    more = pd.DataFrame({"from_node_id": ["b", "a"], "to_node_id": "big", "transit_days": 1,
                         "lane_usd_per_cuft": [0.5, 1.0]})  # fmt: skip
    tables["lanes"] = pd.concat([tables["lanes"], more])
    plan = labor_plan(tables, date(2025, 1, 1), LaborSettings(days=8))
    row = plan.set_index(["node_id", "date"])
    third = pd.Timestamp("2025-01-04")
    # Fast sofas leave from a, slow ones from their own node, and only a, which holds them, refills
    # it, though the lane from b is cheaper; nothing sortable goes there, though it is the cheapest.
    assert row.loc[("big", third), "outbound_load_units"] == pytest.approx(6)
    assert row.loc[("big", third), "inbound_load_units"] == pytest.approx(6)
    assert row.loc[("b", third), "outbound_load_units"] == pytest.approx(600)
    assert row.loc[("a", third), "outbound_load_units"] == pytest.approx(400 + 600 + 4 + 6)


def test_overtime_that_covers_the_plan_is_not_bought_to_do_more():
    settings = LaborSettings()
    plan = pd.DataFrame({
        "overtime_hours": settings.overtime_hours_per_day + np.array([9.0, 9.0, -1.0]),
        "shadow_usd_per_hour": settings.overtime_usd_per_hour + np.array([-1.0, 1.0, 1.0]),
    })  # fmt: skip
    assert is_bought(plan, settings).tolist() == [False, True, False]


def test_overtime_is_bought_where_it_costs_less_than_it_is_worth_and_returns_as_capacity():
    settings = LaborSettings(days=3)
    nodes = pd.DataFrame({"node_id": ["a", "b"], "node_name": ["A & Co", "B"]})
    for price, pays in ((0.44, False), (0.46, True)):  # 80 units an hour: 35.2 and 36.8 USD
        tables = night(price)
        plan = labor_plan(tables, date(2025, 1, 1), settings)
        rows = planned_node_capacity(plan, tables["node_capacity"], settings)
        assert (len(rows) > 0) == pays
        page = labor_page(plan, nodes, date(2025, 1, 1), settings)
        assert ("<li>A &amp; Co (a): an hour is worth up to 36.8 USD" in page) == pays
        assert ("Scarce, but not worth overtime: A &amp; Co (35.2 USD an hour)." in page) != pays
        assert page.index("<td>A &amp; Co</td>") < page.index("<td>B</td>")  # the scarce one first
        said = plan[plan["node_id"] == "a"]["sentence"]
        assert said.str.contains("so 40 hours are bought" if pays else "less than").all()
        assert plan[plan["node_id"] == "b"]["sentence"].str.contains("not scarce").all()
    capacity = rows.set_index("start_date")["capacity"]
    assert capacity.iloc[0] == 400 + 40 * 80
    assert capacity.iloc[-1] == 400
