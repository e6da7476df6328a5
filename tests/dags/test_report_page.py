"""The report's pages: only for people who may read the DAG, and only for real dates."""

from __future__ import annotations

import pytest

from echelon_airflow import report


@pytest.fixture
def app():
    return report.build_app()


@pytest.fixture
def anonymous(app):
    from fastapi.testclient import TestClient

    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def reader(app, monkeypatch, tmp_path):
    """A client whose right to read the DAG is granted, on an empty store."""
    from fastapi.testclient import TestClient

    monkeypatch.setattr(
        report, "_night", lambda _params, day: {"as_of": str(day), "out_dir": str(tmp_path)}
    )
    dependency = app.router.dependencies[0].dependency
    app.dependency_overrides[dependency] = lambda: None
    yield TestClient(app)
    app.dependency_overrides.clear()


@pytest.mark.parametrize("path", ["/nights", "/nights/2025-06-29", "/run?run_id=x"])
def test_every_page_needs_the_right_to_read_the_dag(app, anonymous, path):
    assert len(app.router.dependencies) == 1
    assert anonymous.get(path).status_code != 200


@pytest.mark.parametrize("day", ["..", "2025-06-31", "%2e%2e%2fetc", "today"])
def test_what_is_not_a_date_is_refused(reader, day):
    assert reader.get(f"/nights/{day}").status_code in (404, 422)


def test_a_night_that_is_not_planned_is_not_found(reader):
    answer = reader.get("/nights/2025-06-29")
    assert answer.status_code == 404
    assert "2025-06-29 has no report yet" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"


def test_the_tab_of_a_run_without_a_report_is_a_page_and_names_are_escaped(reader, monkeypatch):
    night = {"as_of": "2025-06-29", "out_dir": "/nowhere"}
    for found, text in ((None, "no such run"), (night, "has no report yet")):
        monkeypatch.setattr(report, "_run_night", lambda _run, found=found: found)
        answer = reader.get("/run?run_id=<script>")
        assert answer.status_code == 404
        assert text in answer.text
        assert answer.text.startswith("<!doctype html>")
        assert "<script>" not in answer.text


def test_a_report_is_served_into_a_sandbox(reader, monkeypatch):
    monkeypatch.setattr(report, "_report", lambda _out, _day: b"<p>plan</p>")
    answer = reader.get("/nights/2025-06-29")
    assert answer.text == "<p>plan</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["cache-control"] == "no-store"
