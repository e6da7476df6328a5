"""What each task of the DAGs does: resolve the night once, then call pipeline.runner.

Heavy imports stand inside the functions, because the DAG processor imports this module.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from echelon_airflow.roots import project, require_allowed

if TYPE_CHECKING:
    from pipeline.contracts.settings import Settings
    from pipeline.runner import StageRun
    from pipeline.store import Source, Store

_PROJECT = project()
PLACES = {
    "dataset": "sample",
    "raw_dir": str(_PROJECT / "data" / "sample"),
    "out_dir": str(_PROJECT / "data" / "runs"),
    "settings_file": "",
}
"""Names and last defaults of what a run reads and writes."""
_ROOTS = [str(_PROJECT / "data"), str(_PROJECT / "configs")]


PATIENCE_S = 1200.0
"""How long a stage waits for another one of its night; below a task's own time-out."""


def resolve_night(
    params: Mapping[str, Any],
    run_type: str,
    logical_date: date | None,
    variable: Callable[[str], str | None],
    asked_on: date | None = None,
) -> dict[str, str]:
    """Business date and places of a run, as strings: a parameter, else a Variable, else a default.

    The date is the run's logical date; `as_of` replaces it in manual runs ("what if") only, since
    in a backfill it would plan one date again and again. The dialog of a manual run fills in the
    present moment, whose day has not ended: it stands for the newest date that could be planned
    when the run was asked for (`asked_on`, UTC; default: today).
    """  # fmt: skip
    chosen = params.get("as_of")
    if chosen and run_type != "manual":
        raise AirflowFailException(
            f"the parameter as_of is for manual runs; this is a {run_type} run, whose logical "
            "date is the business date. Next: leave as_of empty."
        )
    night = {"run_type": run_type}
    for name, default in PLACES.items():
        declared = variable(f"echelon_{name}") or default
        night[name] = params.get(name) or declared
        if name != "dataset" and night[name] != declared:
            require_allowed(name, night[name], [declared, *_ROOTS], variable)
    if night["dataset"] != "sample" and night["raw_dir"] == PLACES["raw_dir"]:
        raise AirflowFailException(
            f"the dataset {night['dataset']} needs its folder. Next: give raw_dir."
        )
    if not chosen:
        chosen = logical_date if run_type != "manual" else _newest(
            logical_date, night["dataset"], asked_on
        )  # fmt: skip
    return night | {"as_of": str(chosen)}


def _newest(day: date | None, dataset: str, asked_on: date | None) -> date:
    """A manual run's date: as given if that day has ended, else the last that has (the sample's
    own date where the sample is planned)."""
    today = asked_on or datetime.now(UTC).date()
    if day is not None and day < today:
        return day
    if dataset == "sample":
        from pipeline.ingest.sample import SAMPLE_AS_OF

        return SAMPLE_AS_OF
    return today - timedelta(days=1)


def run_stage(name: str, night: Mapping[str, str]) -> None:
    """Run one stage for the night; training only trains where no current model lies there."""
    from pipeline import runner
    from pipeline.progress import Lines, listening
    from pipeline.store.locks import holding

    with _errors_for_people(night), listening(Lines(print, every_s=60)):
        store, source, settings = open_night(night)
        as_of = date.fromisoformat(night["as_of"])
        if name == "train":
            model_date = runner.ensure_model(store, source, settings, as_of, _log)
            print(f"The night of {as_of} uses the model of {model_date}.")
        else:
            # Stages of a run that need nothing of each other meet here: the second one waits.
            with holding(store, as_of, PATIENCE_S):
                runner.run_stage(store, source, settings, as_of, name, _log)


def run_load(name: str, night: Mapping[str, str]) -> None:
    """Run one of the load stages for the night; skipped where the raw folder has no load series."""
    from pipeline.load import stage
    from pipeline.load.inputs import has_load_series

    with _errors_for_people(night):
        store, source, settings = open_night(night)
        if not has_load_series(source.raw_dir):
            raise AirflowSkipException(f"{source.raw_dir} holds no load series: nothing to do.")
        as_of = date.fromisoformat(night["as_of"])
        place = (store, source.raw_dir, settings, as_of)
        rows = (stage.run_load_plan(*place) if name == "load_plan"
                else stage.run_load_stage(*place, name))  # fmt: skip
        print(f"{as_of} {name}: " + ", ".join(f"{table} {n:,}" for table, n in rows.items()))


def finish_night(night: Mapping[str, str]) -> None:
    """Mark the night whole, and compare the next one's plan anew where it is planned already."""
    from pipeline import runner

    with _errors_for_people(night):
        store, source, settings = open_night(night)
        as_of = date.fromisoformat(night["as_of"])
        runner.finish_night(store, source, settings, as_of, _log)


def open_night(night: Mapping[str, str]) -> tuple[Store, Source, Settings]:
    """Store, source and settings of a night that `resolve_night` fixed."""
    from pipeline.contracts.settings import load_settings
    from pipeline.errors import UsageError
    from pipeline.store import Source, Store

    file = night["settings_file"]
    settings = load_settings(Path(file) if file else None)
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.run.threads))
    if not Path(night["raw_dir"]).is_dir():
        raise UsageError(f"there is no folder {night['raw_dir']}. Next: correct raw_dir.")
    source = Source(night["dataset"], Path(night["raw_dir"]), os.environ.get("ECHELON_RECORDS"))
    return Store(night["out_dir"]), source, settings


def _log(name: str, as_of: date, run: StageRun | None) -> None:
    if run is None:
        return
    rows = ", ".join(f"{table} {count:,}" for table, count in run.rows.items())
    print(
        f"{as_of} {name}: {run.wall_s:.1f} s, {run.cpu_s:.1f} CPU s, "
        f"peak {run.peak_gb:.2f} GB; rows: {rows}"
    )


@contextmanager
def _errors_for_people(night: Mapping[str, str]) -> Iterator[None]:
    """Fail at once, in one message, on what no retry can mend.

    Storage that is away and a date that is being planned are tried again, and so is input in a
    scheduled run, since late exports come. What a person asked for fails while that person looks.
    """
    from pipeline import errors

    passing: tuple[type[Exception], ...] = (errors.BusyError, errors.StorageError)
    if night["run_type"] == "scheduled":
        passing = (*passing, errors.ContractError)
    try:
        yield
    except passing:
        raise
    except errors.EchelonError as error:
        raise AirflowFailException(str(error)) from None
