"""Settings and secrets of an Airflow that lives in a folder of this project.

Everything is passed by environment, so that no airflow.cfg has to be kept in step. Secrets are
drawn once into a file that only its owner can read, and git ignores.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

USER = "admin"


def environment(home: Path, database: str, port: int = 8080) -> dict[str, str]:
    """Environment variables of every Airflow process that shares `home` and `database`."""
    # Late: `make secrets` runs this file without the environment.
    from pipeline.project import ROOT_VARIABLE, project_file, project_root

    keys = _secrets(home)
    address = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": str(project_file("dags")),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__FERNET_KEY": keys["fernet"],
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": database,
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": address,
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": keys["jwt"],
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {"AIRFLOW_HOME": str(home), ROOT_VARIABLE: str(project_root())} | {
        f"AIRFLOW__{name}": value for name, value in settings.items()
    }


def password(home: Path) -> str:
    """The password of USER, drawn when it is first asked for."""
    return _kept(home / "passwords.json", {USER: secrets.token_urlsafe(12)})[USER]


def _secrets(home: Path) -> dict[str, str]:
    fresh = {"fernet": _fernet_key(), "jwt": secrets.token_urlsafe(64)}
    return _kept(home / "secrets.json", fresh)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _kept(path: Path, fresh: dict[str, str]) -> dict[str, str]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(fresh, file)
    content: dict[str, str] = json.loads(path.read_text())
    return content


if __name__ == "__main__":  # `make secrets`: the environment that docker-compose.yml requires
    print(f"FERNET_KEY={_fernet_key()}")
    for name, size in (("JWT_SECRET", 64), ("POSTGRES_PASSWORD", 24), ("ADMIN_PASSWORD", 12)):
        print(f"{name}={secrets.token_urlsafe(size)}")
