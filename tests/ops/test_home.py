"""Settings and secrets of the local Airflow."""

from __future__ import annotations

import stat

from echelon_airflow.home import environment, password


def test_secrets_are_drawn_once_into_files_that_only_the_owner_reads(tmp_path):
    first, again = (environment(tmp_path / "home", "sqlite://") for _ in range(2))
    assert first == again
    assert password(tmp_path / "home") == password(tmp_path / "home")
    for file in (tmp_path / "home").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_homes_share_no_secret(tmp_path):
    one, other = (environment(tmp_path / name, "sqlite://") for name in "ab")
    for key in ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert one[key] != other[key]


def test_the_server_listens_on_this_machine_only_and_a_port_is_changed_everywhere(tmp_path):
    env = environment(tmp_path, "sqlite://", port=8123)
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert env["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8123"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"


def test_log_in_without_a_password_is_never_a_default(tmp_path):
    assert not any("ALL_ADMINS" in key for key in environment(tmp_path, "sqlite://"))
