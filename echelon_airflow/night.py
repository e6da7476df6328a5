"""`make night`: one run of the nightly DAG through Airflow, in this process, on SQLite.

    python -m echelon_airflow.night --as-of 2025-07-13

The same DAG file, tasks and timetable as on a server; without scheduler, retries and waiting.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from echelon_airflow.home import environment
from pipeline.project import project_file, project_root


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if every task succeeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--as-of", type=date.fromisoformat, help="default: the sample's last day")
    parser.add_argument("--dataset", default="sample", choices=["sample", "m5", "raw"])
    parser.add_argument("--raw", type=Path, default=project_file("data/sample"))
    parser.add_argument("--out", default=str(project_root() / "data" / "runs"))
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--home", type=Path, default=project_root() / ".airflow" / "night")
    given = parser.parse_args(arguments)
    conf = {
        "dataset": given.dataset, "raw_dir": str(given.raw.resolve()), "out_dir": given.out,
        "settings_file": str(given.settings.resolve()) if given.settings else None,
    }  # fmt: skip
    return 0 if run_dag(given.home.resolve(), given.as_of or _sample_date(), conf) else 1


def run_dag(home: Path, as_of: date, conf: dict[str, str | None]) -> bool:
    """Run the nightly DAG for one business date; True if it succeeded. One `home` a process."""
    os.environ.update(environment(home, f"sqlite:///{home / 'airflow.db'}"))
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    # Whoever calls this reads and writes with rights of their own: their places are allowed.
    places = [conf.get(name) for name in ("raw_dir", "out_dir", "settings_file")]
    os.environ["AIRFLOW_VAR_ECHELON_ALLOWED_ROOTS"] = ",".join(place for place in places if place)
    # Airflow reads its settings when it is first imported.
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils import db

    try:
        db.check_migrations(timeout=0)
    except TimeoutError:
        db.upgradedb()
    bag = DagBag(project_file("dags/nightly_plan.py"))
    dag = bag.dags["nightly_plan"]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(
        logical_date=datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC), run_conf=conf
    )
    return bool(run.state == "success")


def _sample_date() -> date:
    from pipeline.ingest.sample import SAMPLE_AS_OF

    return SAMPLE_AS_OF


if __name__ == "__main__":
    sys.exit(main())
