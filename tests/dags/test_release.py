"""Release in Airflow: backfills never ask; an answer is settled; each line leaves once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.sdk.exceptions import AirflowFailException

from echelon_airflow import parts, release
from pipeline.desk import releasing
from pipeline.desk.releasing import APPROVE_BUT, Waiting, settle
from pipeline.errors import UsageError
from pipeline.records.database import Records
from pipeline.records.decisions import decisions


def test_the_answers_on_the_form_are_those_that_can_be_settled() -> None:
    assert release.ANSWERS == releasing.ANSWERS
    assert release.DEFAULT == releasing.LEAVE


@pytest.mark.parametrize(("kind", "answer"), [
    (DagRunType.SCHEDULED, True), (DagRunType.MANUAL, True), (DagRunType.BACKFILL, False),
    (DagRunType.ASSET_TRIGGERED, False),
])  # fmt: skip
def test_only_scheduled_and_manual_runs_ask(
    kind: DagRunType, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHELON_RECORDS", "sqlite://")
    monkeypatch.setenv("ECHELON_RELEASE_TO", "x")
    # As a worker has it: a member of an enumeration, whose text is not its value.
    context = {"dag_run": SimpleNamespace(run_type=kind)}
    monkeypatch.setattr(parts, "get_current_context", lambda: context)
    run_type = parts.run_type()
    assert release.may_release(run_type) is answer
    monkeypatch.delenv("ECHELON_RELEASE_TO")
    assert not release.may_release(run_type)


def test_all_but_named_lines_are_approved_with_the_comment(tmp_path: Path) -> None:
    records = Records(f"sqlite:///{tmp_path}/r.sqlite")
    found = Waiting([("2025-06-30/V/A", 5), ("2025-06-30/V/B", 6)], "")
    assert settle(records, "place", found, APPROVE_BUT, "2025-06-30/V/B", "too much", "ana") == 2
    kept = decisions(records, "place", "2025-06-30/")
    assert [(line, one.is_approved, one.comment) for line, one in sorted(kept.items())] == [
        ("2025-06-30/V/A", True, "too much"), ("2025-06-30/V/B", False, "too much"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no line that waits: NOPE"):
        settle(records, "place", found, APPROVE_BUT, "NOPE", "", "ana")
    with pytest.raises(UsageError, match="no line was named"):
        settle(records, "place", found, APPROVE_BUT, " ", "", "ana")
    assert settle(records, "place", found, releasing.LEAVE, "", "", "ana") == 0


def test_a_wrong_answer_fails_the_task_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHELON_RECORDS", f"sqlite:///{tmp_path}/r.sqlite")
    monkeypatch.setenv("ECHELON_RELEASE_TO", str(tmp_path / "erp"))
    monkeypatch.setattr(releasing, "waiting", lambda *_: Waiting([("L", 1)], ""))

    def opened(_: Mapping[str, str]) -> tuple[object, ...]:
        from pipeline.contracts.settings import Settings
        from pipeline.store import Store

        return Store(tmp_path / "out"), None, Settings()

    monkeypatch.setattr(release, "open_night", opened)
    response = {"chosen_options": [APPROVE_BUT], "params_input": {"lines": "NOPE"}}
    with pytest.raises(AirflowFailException, match="no line that waits: NOPE"):
        release.settle_and_release({"as_of": "2025-06-30"}, response)
