"""Forecast, optimize, buy and place over tables in memory, by the stages' own entry points.

A table handed from one stage to the next is rounded as a published one is, so that a rerun of a
night's own tables gives that night's own figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.runner import entry
from pipeline.since.groups import Tables
from pipeline.stages import BY_NAME
from pipeline.store import Night, Store
from pipeline.store.arrow import to_arrow, to_pandas


class GivenNight(Night):
    """A night whose tables are given and whose outputs are kept: nothing is read or published."""

    def __init__(
        self, store: Store, stage: str, as_of: date, settings: Settings,
        tables: Mapping[str, pd.DataFrame], model: Mapping[str, bytes] | None = None,
        model_date: date | None = None,
    ) -> None:  # fmt: skip
        super().__init__(store, BY_NAME[stage], as_of, settings, model_date=model_date)
        self._given, self._model = tables, dict(model or {})

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The given table."""
        frame = self._given[name]
        return frame if columns is None else frame[list(columns)]

    def read_model(self) -> dict[str, bytes]:
        """The given model."""
        return self._model

    def made(self) -> Tables:
        """What the stage wrote, as it would be read after publishing."""
        return {name: _read_back(name, frame) for name, frame in self._tables.items()}


def rerun_stage(
    store: Store, stage: str, as_of: date, settings: Settings, tables: Mapping[str, pd.DataFrame],
    model: Mapping[str, bytes] | None = None, model_date: date | None = None,
) -> Tables:  # fmt: skip
    """The tables that a stage makes of the given ones."""
    night = GivenNight(store, stage, as_of, settings, tables, model, model_date)
    entry(BY_NAME[stage])(night)
    return night.made()


def as_published(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A table checked, sorted and rounded as publishing and reading it would."""
    return _read_back(name, require(frame, TABLES[name]))


def _read_back(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    return to_pandas(to_arrow(frame, TABLES[name]))
