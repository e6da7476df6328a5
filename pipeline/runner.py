"""Runs stages for a business date: the one path that the command line, Airflow and labs share.

No stage's logic and no printing here; `on_stage` tells a caller what has ended.
"""

from __future__ import annotations

import importlib
import logging
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.contracts.settings import Settings
from pipeline.errors import (
    CorruptPartitionError,
    MissingPartitionError,
    StaleInputError,
    UsageError,
)
from pipeline.stages import BY_NAME, SCORED_DAYS_AGO, STAGES, Stage
from pipeline.store import (
    Night,
    Source,
    Store,
    code_version,
    holding,
    mark_whole,
    not_whole,
    stale_inputs,
)

_log = logging.getLogger(__name__)
_PATIENCE_S = 60.0
"""For a neighbouring date (the model's, tomorrow's) that another night is at work on."""


@dataclass(frozen=True)
class StageRun:
    """What a stage's run cost and published: seconds, peak memory of the process, rows by table."""

    stage: str
    as_of: date
    wall_s: float
    cpu_s: float
    peak_gb: float
    rows: dict[str, int]


OnStage = Callable[[str, date, StageRun | None], None]
"""Called with the stage and business date when a stage starts (None) and when it has ended."""


def run_nights(
    store: Store, source: Source, settings: Settings, first: date, last: date,
    on_stage: OnStage | None = None,
) -> None:  # fmt: skip
    """Run every night from `first` to `last`, in order; the model is trained when one is due."""
    for as_of in business_dates(first, last):
        run_night(store, source, settings, as_of, on_stage)


def run_night(
    store: Store, source: Source, settings: Settings, as_of: date, on_stage: OnStage | None = None
) -> None:
    """One night: every stage in order, then whatever of tomorrow's plan described a change.

    The date is held against other runs all the while (BusyError), and marked whole at the end.
    """
    with holding(store, as_of):
        for stage in STAGES:
            if stage.name == "train":
                ensure_model(store, source, settings, as_of, on_stage)
            else:
                run_stage(store, source, settings, as_of, stage.name, on_stage)
        finish_night(store, source, settings, as_of, on_stage)


def finish_night(
    store: Store, source: Source, settings: Settings, as_of: date, on_stage: OnStage | None = None
) -> None:
    """What follows the last stage: mark the night whole, refresh tomorrow's comparison."""
    with holding(store, as_of):
        mark_whole(store, as_of)
    store.keep_settings(settings.sha256(), settings.model_dump(mode="json", exclude={"run"}))
    refresh_successor(store, source, settings, as_of, on_stage)


def run_stage(
    store: Store, source: Source, settings: Settings, as_of: date, name: str,
    on_stage: OnStage | None = None, trained: date | None = None, is_for_training: bool = False,
) -> StageRun:  # fmt: skip
    """Run one stage for one business date and publish its tables; nothing is published on error.

    trained: training date of the model to use instead of the rule's (the simulator's choice).
    is_for_training: only the date's history is wanted, so that it needs no stock snapshot.
    """
    if name not in BY_NAME:
        raise UsageError(f"no stage {name!r}. Next: use one of {', '.join(BY_NAME)}.")
    stage = BY_NAME[name]
    if on_stage:
        on_stage(name, as_of, None)
    started, cpu = time.perf_counter(), time.process_time()
    trained = trained or model_date(settings, as_of)
    night = Night(store, stage, as_of, settings, source, trained, is_for_training)
    with holding(store, as_of):
        entry(stage)(night)
        manifests = night.publish()
    run = StageRun(
        stage=name,
        as_of=as_of,
        wall_s=time.perf_counter() - started,
        cpu_s=time.process_time() - cpu,
        peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        rows={table: manifest["rows"] for table, manifest in manifests.items()},
    )
    if on_stage:
        on_stage(name, as_of, run)
    return run


def model_date(settings: Settings, as_of: date) -> date:
    """Training date of the model that a night uses: the newest scheduled weekday at or before it.

    A rule, not a look at what lies there, so that backfills in any order use the same model.
    """
    return as_of - timedelta(days=(as_of.weekday() - settings.forecast.train_weekday) % 7)


def ensure_model(
    store: Store, source: Source, settings: Settings, as_of: date, on_stage: OnStage | None = None
) -> date:
    """Train the night's model unless a sound one made by this code and these settings is published.

    A damaged model is trained again, and said so in the log: no night waits for a person.
    """
    day = model_date(settings, as_of)
    with holding(store, day, _PATIENCE_S):
        if not _is_current(store, settings, day, "forecast_model"):
            if day != as_of and not _is_current(store, settings, day, "daily_demand"):
                run_stage(store, source, settings, day, "ingest", on_stage, is_for_training=True)
            run_stage(store, source, settings, day, "train", on_stage)
    return day


def refresh_successor(
    store: Store, source: Source, settings: Settings, as_of: date, on_stage: OnStage | None = None
) -> bool:
    """Rewrite tomorrow's comparison with this plan if tomorrow is planned already; True if so.

    Plan changes, and the figures made of them, are the only outputs that look at the night before;
    the accuracy of its forecasts is scored weeks later, by nights that may be planned already.
    Refreshing them here, and on for as long as a night's rewritten figures are another's
    yesterday, makes backfills in either direction end with the same bytes.
    """
    for days in SCORED_DAYS_AGO:
        later = as_of + timedelta(days=days)
        stale = stale_inputs(store, later, "forecast_accuracy")
        if any(key.startswith(f"{as_of}/") for key in stale):
            _again(store, source, settings, later, ("accuracy",), on_stage)
    day = as_of
    while True:
        before, day = day, day + timedelta(days=1)
        stale = [
            name
            for name, made in (("explain", "plan_changes"), ("review", "plan_kpis"))
            if any(key.startswith(f"{before}/") for key in stale_inputs(store, day, made))
        ]
        if not stale:
            return before != as_of
        names = ("explain", "review") if "explain" in stale else ("review",)
        if not _again(store, source, settings, day, names, on_stage):
            return True


def _again(
    store: Store, source: Source, settings: Settings, day: date, names: Sequence[str],
    on_stage: OnStage | None,
) -> bool:  # fmt: skip
    """Run stages of a later night anew; False where that night must be run again itself.

    A later night that was stopped halfway is no fault of the one that has just ended well.
    """
    with holding(store, day, _PATIENCE_S):
        is_whole = not not_whole(store, day)
        try:
            for name in names:
                run_stage(store, source, settings, day, name, on_stage)
        except (StaleInputError, CorruptPartitionError, MissingPartitionError) as error:
            _log.warning("%s\nThe night of %s was not compared anew.", error, day)
            return False
        if is_whole:
            mark_whole(store, day)
    return True


def business_dates(first: date, last: date) -> Iterator[date]:
    """Every date from `first` to `last`, both included; raises UsageError if out of order."""
    if last < first:
        raise UsageError(f"--to {last} lies before --as-of {first}. Next: swap them.")
    for days in range((last - first).days + 1):
        yield first + timedelta(days=days)


def _is_current(store: Store, settings: Settings, day: date, name: str) -> bool:
    """Whether a partition is sound and what this code and these settings would make again."""
    try:
        manifest = store.manifest(day, name)
        if (
            manifest is None
            or manifest.get("code_version") != code_version()
            or manifest.get("settings_sha256") != settings.sha256()
            or stale_inputs(store, day, name)
        ):
            return False
        store.verify(day, name)
    except CorruptPartitionError as error:
        _log.warning("%s\nIt is made again now.", error)
        return False
    return True


def entry(stage: Stage) -> Callable[[Night], None]:
    """The stage's own function, imported now."""
    module, function = stage.entry.split(":")
    found: Callable[[Night], None] = getattr(importlib.import_module(module), function)
    return found
