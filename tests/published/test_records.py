"""Records are read, dispatched by their parameters, compared, and never stop the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.records.checks import Answer, NotSolvedError, Record, compare, read_records
from benchmarks.records.demand_specs import integer_demand, parse_demand
from benchmarks.records.families import check_files, check_record


def _record(tmp_path: Path, **entry: Any) -> Record:
    path = tmp_path / "records.json"
    path.write_text(json.dumps({"records": [{"id": "x", "confidence": "A", **entry}]}))
    return next(read_records(path))


@pytest.mark.parametrize("family", ["serial", "single_stage", "lateral_transshipment"])
def test_every_trusted_record_of_the_quick_families_passes(shared_dir: Path, family: str) -> None:
    report = check_files([shared_dir / "benchmarks" / f"{family}.json"], lambda row: None)
    assert report.failures(("A", "A-", "B", "C")) == []
    assert any(row.ok for row in report.rows)


def test_every_trusted_record_of_lost_sales_and_dual_sourcing_passes(shared_dir: Path) -> None:
    rows = [
        row
        for name in ("lost_sales", "dual_sourcing")
        for record in read_records(shared_dir / "benchmarks" / f"{name}.json")
        if record.confidence in ("A", "A-")
        for row in check_record(record)
    ]
    assert len(rows) > 30
    assert [row for row in rows if not row.ok] == []


def test_the_id_plays_no_part(tmp_path: Path) -> None:
    params = {"l_e": 0, "l_r": 2, "c_r": 0, "c_e": 5, "h": 5, "b": 495, "demand": "uniform{0..4}"}
    record = _record(
        tmp_path,
        id="kranenburg2006_base",
        params=params,
        published={"optimal_avg_cost": 16.772},
        tolerance_abs=0.01,
    )
    (row,) = check_record(record)
    assert row.ok
    assert row.quantity == "optimal_avg_cost"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "no family"),
        ({"h": 1, "p": 4, "demand": "triangular(1,2,3)"}, "triangular"),
        ({"demand": "normal(5,1)", "h": "much", "p": 2}, "ValueError"),
        ({"demand": "poisson", "mean": 5, "h": 1, "p": 4, "lead_time": 1.5}, "whole number"),
    ],
)
def test_a_bad_record_becomes_a_row_with_the_reason(
    tmp_path: Path, params: dict[str, Any], reason: str
) -> None:
    record = _record(tmp_path, params=params, published={"optimal_avg_cost": 1.0})
    (row,) = check_record(record)
    assert row.ok is False
    assert reason in row.note


def test_an_instance_without_an_answer_is_neither_pass_nor_failure(tmp_path: Path) -> None:
    (row,) = check_record(_record(tmp_path, params={"data": "elsewhere"}))
    assert row.ok is None


def test_a_wrong_published_value_fails(tmp_path: Path) -> None:
    params = {"h": 10, "p": 30, "demand": "normal(10,1)"}
    record = _record(tmp_path, params=params, published={"cost": 12.9}, tolerance_rel=1e-3)
    (row,) = check_record(record)
    assert row.ok is False
    assert row.rel_error == pytest.approx(0.0146, abs=1e-3)  # 12.711 / 12.9 − 1


def test_half_a_last_digit_is_within_a_tolerance_of_half_a_last_digit(tmp_path: Path) -> None:
    record = _record(tmp_path, params={}, published={"c": 4.98}, tolerance_abs=0.005)
    assert compare(record, Answer("c", 4.98, 4.9749999), 0.0).ok
    assert not compare(record, Answer("c", 4.98, 4.9748), 0.0).ok


@pytest.mark.parametrize(
    ("spec", "params", "mean", "sd"),
    [
        ("normal(50,8)", {}, 50, 8),
        ("normal(8,sqrt8)", {}, 8, 8**0.5),
        ("poisson(18)", {}, 18, 18**0.5),
        ("Poisson(15)", {}, 15, 15**0.5),
        ("uniform(0,b)", {"b": [100, 80]}, 40, 80 / 12**0.5),
        ("uniform{0..4}", {}, 2, 2**0.5),
        ("N50,2", {}, 50, 2),
        ("P0.5", {}, 0.5, 0.5**0.5),
        ("round(max(0,N(50,2^2)))", {}, 50, (4 + 1 / 12) ** 0.5),  # 1/12 by rounding
        ("geometric", {"mean": 5}, 5, 30**0.5),
        ("poisson process", {"rate": 5}, 5, 5**0.5),
        ({"type": "normal", "mean": 3, "sd": 0.5}, {}, 3, 0.5),
        ({"type": "discrete", "values": [0, 2], "probabilities": [0.5, 0.5]}, {}, 1, 1),
    ],
)
def test_demand_specifications(spec: Any, params: dict[str, Any], mean: float, sd: float) -> None:
    found = parse_demand(spec, params, item=1)
    assert found.mean == pytest.approx(mean, rel=1e-6)
    assert found.sd == pytest.approx(sd, rel=1e-4)


def test_integer_models_round_normal_demand() -> None:
    found = integer_demand("N1,5", {})
    assert found.is_integer
    assert found.probabilities[0] == pytest.approx(0.46, abs=0.01)  # Φ((0.5 − 1)/5)
    with pytest.raises(NotSolvedError, match="whole units"):
        integer_demand("gamma(2,3)", {})


@pytest.mark.parametrize(
    ("demand", "mean"),
    [
        ("lognormal(mu=1, sigma=0.5)", 3.0802168),
        ("lognormal(1,0.5)", 3.0802168),
        ("U0-6", 3.0),
        ("uniform[0..6]", 3.0),
        ("burr12(c=3, k=2, scale=10)", 8.0614),
        ("normal(mean=5,sd=1)", 5.0),
        ("weibull(shape=1, scale=4)", 4.0),
    ],
)
def test_a_distribution_may_be_named_with_its_arguments(demand: str, mean: float) -> None:
    assert parse_demand(demand, {}).mean == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize(
    ("params", "published"),
    [
        # Snyder & Shen (2019), example 5.1 and problem 5.2, as stockpyl words them
        ({"holding_cost": 0.225, "stockout_cost": 7.5, "fixed_cost": 8, "demand_mean": 1300,
          "demand_sd": 150, "lead_time": 1 / 12},
         {"reorder_point": 126.8670634479628, "order_quantity": 328.4491421980451,
          "cost": 78.07116250928294}),
        ({"h": 1, "p": 19, "K": 25, "demand": "poisson(5)", "lead_time": 2}, {"Q": 16}),
        ({"h": 1, "p": 19, "K": 25, "demand": "poisson(5)", "lead_time": 2, "rate": 5, "r": 10,
          "Q": 16}, {"cost": 0.0}),
    ],
)  # fmt: skip
def test_reorder_policies_are_read_in_other_words(
    tmp_path: Path, params: dict[str, Any], published: dict[str, float]
) -> None:
    rows = check_record(_record(tmp_path, params=params, published=published))
    assert [row.quantity for row in rows] == list(published)
    assert all(row.ours is not None for row in rows), rows
    if "reorder_point" in published:
        assert all(row.ok for row in rows), rows


def test_poisson_demand_by_the_period_is_not_a_poisson_process(tmp_path: Path) -> None:
    params = {"h": 1, "p": 14, "K_fixed": 5, "lead_time": 2}
    published = {"optimal_avg_cost": 11.46}  # Bijvank, Bhulai & Huh (2015)
    by_period = {**params, "demand": "poisson(5)"}
    (row,) = check_record(
        _record(tmp_path, params=by_period, published=published, tolerance_abs=0.01)
    )
    assert row.ok, row
    process = {**params, "demand": "poisson process", "rate": 5}
    (row,) = check_record(
        _record(tmp_path, params=process, published={"optimal_avg_cost": 13.86}, tolerance_abs=0.01)
    )
    assert row.ok, row


def test_a_record_whose_answers_are_words_has_nothing_to_compare(tmp_path: Path) -> None:
    (row,) = check_record(_record(tmp_path, params={}, published={"regret": "O(sqrt(T))"}))
    assert row.ok is None


def test_a_tree_of_guaranteed_service_is_solved_from_its_record(tmp_path: Path) -> None:
    params = {
        "edges": [[1, 3], [3, 2], [3, 4]], "processing_time": {"1": 2, "2": 1, "3": 1, "4": 1},
        "local_holding_cost": [1, 3, 2, 3], "demand_sd": {"2": 1, "4": 1},
        "external_inbound_cst": {"1": 1}, "external_outbound_cst": {"2": 0, "4": 1},
    }  # fmt: skip
    published = {"cost": 8.277916867529369}  # Snyder & Shen (2019), example 6.5
    (row,) = check_record(_record(tmp_path, params=params, published=published))
    assert row.ok, row
