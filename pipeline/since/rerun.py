"""Forecast, optimize, buy and place over tables in memory, by the stages' own entry points.

A table handed from one stage to the next is rounded as a published one is, so that a rerun of a
night's own tables gives that night's own figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.runner import entry
from pipeline.since.groups import Tables
from pipeline.stages import BY_NAME
from pipeline.store import Held, MemoryNight, Source

_NOWHERE = Source("raw", Path())


def rerun_stage(
    stage: str, as_of: date, settings: Settings, tables: Mapping[str, pd.DataFrame],
    model: Mapping[str, bytes] | None = None, model_date: date | None = None,
) -> Tables:  # fmt: skip
    """The tables that a stage makes of the given ones, as they would be read after publishing."""
    made = BY_NAME[stage]
    held = Held(as_of, {name: tables[name] for name in made.reads})
    entry(made)(MemoryNight(held, model or {}, made, as_of, settings, _NOWHERE,
                            model_date or as_of))  # fmt: skip
    return {name: held.tables[name] for name in made.writes}


def as_published(tables: Tables) -> Tables:
    """Tables checked, sorted and rounded as publishing and reading them would."""
    held = Held()
    for name, frame in tables.items():
        held.take(name, frame)
    return held.tables
