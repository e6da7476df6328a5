"""The planner's desk inside Airflow, at /desk: behind its log-in, with its rights on the DAG.

Who may read the nightly DAG reads the desk; who may edit it overrides, approves and releases
within the limits of planners; who may edit Airflow's variables is a lead, without limits.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from echelon_airflow.report import DAG_ID

if TYPE_CHECKING:
    from fastapi import FastAPI

DESK_PREFIX = "/desk"


async def desk_app(scope: Any, receive: Any, send: Any) -> None:
    """ASGI entry that builds the app when it is first asked: every task imports plugins too."""
    await build_desk()(scope, receive, send)


@cache
def build_desk() -> FastAPI:
    """The desk over the default `out_dir`; records and target by environment (docs/desk.md)."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import (
        DagDetails,
        VariableDetails,
    )
    from airflow.api_fastapi.core_api.security import get_user
    from airflow.sdk import Variable
    from fastapi import Depends, HTTPException

    from pipeline.contracts.settings import load_settings
    from pipeline.desk.app import create_app
    from pipeline.desk.people import Person
    from pipeline.records.database import Records, records_address

    def recognise(user: Any = Depends(get_user)) -> Person:  # noqa: B008  how FastAPI is told
        """Airflow's user; 403 without the right to read the DAG."""
        manager, details = get_auth_manager(), DagDetails(id=DAG_ID)
        if not manager.is_authorized_dag(method="GET", details=details, user=user):
            raise HTTPException(403, "You may not read the nightly DAG.")
        may_write = manager.is_authorized_dag(method="PUT", details=details, user=user)
        is_lead = may_write and manager.is_authorized_variable(
            method="PUT", details=VariableDetails(), user=user
        )
        return Person(str(user.get_name()), may_write, is_lead)

    out_dir = Variable.get("echelon_out_dir", default=None) or _default("out_dir")
    settings_file = Variable.get("echelon_settings_file", default=None) or None
    address = records_address()
    return create_app(
        {"plans": out_dir}, recognise, Records(address) if address else None,
        os.environ.get("ECHELON_RELEASE_TO", ""),
        load_settings(None if settings_file is None else _path(settings_file)),
    )  # fmt: skip


def _default(name: str) -> str:
    from echelon_airflow.tasks import PLACES

    return PLACES[name]


def _path(text: str) -> Any:
    from pathlib import Path

    return Path(text)
