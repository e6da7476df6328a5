"""How a run's business date and places are found."""

from __future__ import annotations

from datetime import date

import pytest
from airflow.sdk.exceptions import AirflowFailException

from echelon_airflow.tasks import PLACES, resolve_night, run_stage
from pipeline.errors import BusyError, ContractError
from pipeline.ingest.sample import SampleSize, write_sample

DAY = date(2016, 4, 10)
EMPTY = dict.fromkeys(["as_of", *PLACES])


def nothing(_key):
    return None


def test_the_logical_date_is_the_business_date():
    assert resolve_night(EMPTY, "scheduled", DAY, nothing)["as_of"] == "2016-04-10"


def test_a_manual_run_may_plan_another_date():
    found = resolve_night(EMPTY | {"as_of": "2016-04-01"}, "manual", DAY, nothing)
    assert found["as_of"] == "2016-04-01"


@pytest.mark.parametrize("run_type", ["backfill", "scheduled"])
def test_as_of_is_refused_where_it_would_plan_one_date_again_and_again(run_type):
    with pytest.raises(AirflowFailException, match="leave as_of empty"):
        resolve_night(EMPTY | {"as_of": "2016-04-01"}, run_type, DAY, nothing)


@pytest.mark.parametrize("dataset", ["sample", "raw"])
@pytest.mark.parametrize("filled_in", [date(2026, 11, 26), date(2026, 11, 27), None])
def test_a_day_that_has_not_ended_stands_for_the_newest_that_can_be_planned(dataset, filled_in):
    """The dialog of a manual run fills in the present moment."""
    declared = {"echelon_raw_dir": "/raw", "echelon_dataset": dataset}
    night = resolve_night(EMPTY, "manual", filled_in, declared.get, asked_on=date(2026, 11, 26))
    assert night["as_of"] == {"sample": "2025-06-29", "raw": "2026-11-25"}[dataset]


def test_a_day_that_has_ended_is_planned_as_it_is_and_later_looks_find_the_same_date():
    for asked_on in (date(2016, 4, 11), date(2026, 11, 26)):
        night = resolve_night(EMPTY, "manual", DAY, nothing, asked_on=asked_on)
        assert night["as_of"] == str(DAY)


def test_a_parameter_goes_before_a_variable_and_a_variable_before_the_default():
    variables = {"echelon_raw_dir": "/variable/raw", "echelon_out_dir": "/variable/out",
                 "echelon_allowed_roots": "/other, /param"}  # fmt: skip
    found = resolve_night(EMPTY | {"out_dir": "/param/out"}, "manual", DAY, variables.get)
    assert found["out_dir"] == "/param/out"
    assert found["raw_dir"] == "/variable/raw"
    assert found["dataset"] == "sample"


def test_what_tasks_hand_on_is_strings_only():
    found = resolve_night(EMPTY, "manual", DAY, nothing)
    assert all(isinstance(value, str) for value in found.values())


def test_settings_that_no_retry_can_mend_fail_the_task_at_once(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("planing: {}\n")
    allowed = {"echelon_allowed_roots": str(tmp_path)}
    night = resolve_night(EMPTY | {"settings_file": str(file)}, "manual", DAY, allowed.get)
    with pytest.raises(AirflowFailException, match="planing"):
        run_stage("ingest", night)


@pytest.mark.parametrize(("name", "value"), [
    ("settings_file", "/etc/passwd"),
    ("settings_file", PLACES["raw_dir"] + "/../../../../../etc/passwd"),
    ("raw_dir", "/"),
    ("out_dir", "/tmp/anywhere"),
    ("out_dir", "s3://plans/x?endpoint_override=evil.example"),
    ("out_dir", "s3://plans/other"),
    ("out_dir", "s3://plans/runs/../other"),
    ("out_dir", "s3://plans/runs/x?endpoint_override=evil.example&scheme=http"),
    ("out_dir", "file:///etc"),
])  # fmt: skip
def test_places_outside_the_allowed_roots_are_refused_at_once(name, value):
    roots = {"echelon_allowed_roots": "s3://plans/runs"}
    with pytest.raises(AirflowFailException, match="outside the allowed roots"):
        resolve_night(EMPTY | {name: value}, "manual", DAY, roots.get)


def test_places_under_an_allowed_root_are_taken(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to("/etc")
    roots = {"echelon_allowed_roots": f"{inside},s3://plans/runs"}
    for value in (f"{inside}/what-if", "s3://plans/runs/what-if", PLACES["out_dir"] + "/x"):
        found = resolve_night(EMPTY | {"out_dir": value}, "manual", DAY, roots.get)
        assert found["out_dir"] == value
    with pytest.raises(AirflowFailException, match="outside the allowed roots"):
        resolve_night(EMPTY | {"out_dir": f"{inside}/link"}, "manual", DAY, roots.get)


def test_a_dataset_without_its_folder_fails_at_once():
    with pytest.raises(AirflowFailException, match="m5 needs its folder"):
        resolve_night(EMPTY | {"dataset": "m5"}, "manual", DAY, nothing)


def test_a_folder_that_is_not_there_fails_at_once(tmp_path):
    declared = {"echelon_raw_dir": str(tmp_path / "gone"), "echelon_dataset": "raw"}
    night = resolve_night(EMPTY, "manual", DAY, declared.get)
    with pytest.raises(AirflowFailException, match="there is no folder"):
        run_stage("ingest", night)


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_a_date_without_data_fails_at_once_in_one_message(run_type, tmp_path):
    write_sample(tmp_path / "raw", SampleSize(items=2, regions=1, days=60))
    declared = {"echelon_raw_dir": str(tmp_path / "raw"), "echelon_dataset": "raw",
                "echelon_out_dir": str(tmp_path / "out")}  # fmt: skip
    night = resolve_night(EMPTY, run_type, DAY, declared.get)
    with pytest.raises(AirflowFailException, match=r"violation.*\n") as failed:
        run_stage("ingest", night)
    assert failed.value.__suppress_context__
    assert not (tmp_path / "out" / str(DAY) / "stock").exists()
    # An export may come late: a scheduled night looks again.
    with pytest.raises(ContractError):
        run_stage("ingest", night | {"run_type": "scheduled"})


def test_m5_in_a_folder_without_its_files_fails_at_once(tmp_path):
    declared = {"echelon_raw_dir": str(tmp_path), "echelon_dataset": "m5",
                "echelon_out_dir": str(tmp_path / "out")}  # fmt: skip
    night = resolve_night(EMPTY, "manual", DAY, declared.get)
    with pytest.raises(AirflowFailException, match=r"sales_train|calendar"):
        run_stage("ingest", night)


def test_a_date_that_another_run_plans_is_tried_again(tmp_path, monkeypatch):
    declared = {"echelon_raw_dir": str(tmp_path), "echelon_out_dir": str(tmp_path / "out")}
    night = resolve_night(EMPTY, "manual", DAY, declared.get)

    def busy(*_arguments, **_named):
        raise BusyError("planned by process 7")

    monkeypatch.setattr("pipeline.runner.run_stage", busy)
    with pytest.raises(BusyError):
        run_stage("ingest", night)
