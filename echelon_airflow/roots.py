"""Where runs that a person starts may read and write: configured roots, nothing else.

Whoever may trigger a run fills in its form. Without roots the form would read any file of the
server, write over any folder, or make the server call a host of the person's choice. What an
administrator sets by Variables or environment is trusted, and a root itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from airflow.sdk.exceptions import AirflowFailException

from pipeline.project import ROOT_VARIABLE, project_root

ROOTS_VARIABLE = "echelon_allowed_roots"


def project() -> Path:
    """The project's folder: as the environment says, else the one that holds the DAGs folder.

    In a checkout, that checkout. Tasks, API server and DAG processor have working folders of
    their own, so that the current one says nothing.
    """
    from airflow.sdk.configuration import conf

    beside = Path(conf.get("core", "dags_folder")).resolve().parent
    is_project = (beside / "configs" / "airflow_pools.json").is_file()
    return beside if is_project and ROOT_VARIABLE not in os.environ else project_root()


def require_allowed(
    name: str, value: str, trusted: list[str], variable: Callable[[str], str | None]
) -> None:
    """Raise AirflowFailException unless `value` lies in or under an allowed root.

    trusted: roots by default; more by the Variable echelon_allowed_roots, separated by commas.
    """
    more = (variable(ROOTS_VARIABLE) or "").split(",")
    roots = [root.strip() for root in [*trusted, *more] if root and root.strip()]
    if not any(_lies_under(value, root) for root in roots):
        raise AirflowFailException(
            f"the parameter {name} lies outside the allowed roots. Next: choose a place under "
            f"{', '.join(sorted(set(roots)))}, or have an administrator add its root to the "
            f"Variable {ROOTS_VARIABLE}."
        )


def _lies_under(value: str, root: str) -> bool:
    if "://" in value or "://" in root:
        plain = root.partition("?")[0].rstrip("/")
        has_tricks = "?" in value or "#" in value or ".." in value.split("/") or "%" in value
        return not has_tricks and (value == plain or value.startswith(f"{plain}/"))
    # Links are followed first, so that none leads out of a root.
    place, base = os.path.realpath(value), os.path.realpath(root)
    return Path(place).is_relative_to(base)
