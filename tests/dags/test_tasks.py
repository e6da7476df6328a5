"""How a run's business date and places are found."""

from __future__ import annotations

from datetime import date

import pytest
from airflow.sdk.exceptions import AirflowFailException

from echelon_airflow.tasks import PLACES, resolve_night, run_stage

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


def test_a_run_without_any_date_is_refused():
    with pytest.raises(AirflowFailException, match="no business date"):
        resolve_night(EMPTY, "manual", None, nothing)


def test_a_parameter_goes_before_a_variable_and_a_variable_before_the_default():
    variables = {"echelon_raw_dir": "/variable/raw", "echelon_out_dir": "/variable/out"}
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
    night = resolve_night(EMPTY | {"settings_file": str(file)}, "manual", DAY, nothing)
    with pytest.raises(AirflowFailException, match="planing"):
        run_stage("ingest", night)
