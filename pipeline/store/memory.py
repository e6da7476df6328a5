"""Nights that are kept in memory: what a stage reads is, bit for bit, what it would read back.

For whoever plans thousands of nights and looks at a few of their tables (the simulator). Nothing is
written, hashed or locked; contracts are checked as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.errors import UsageError
from pipeline.stages import Stage
from pipeline.store.arrow import to_arrow, to_pandas
from pipeline.store.night import Night, Source
from pipeline.store.partitions import Store


@dataclass
class Held:
    """Tables of one business date by name, and what they were made of: a frame that a stage hands
    over again is not checked again."""

    as_of: date | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    made_of: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = field(default_factory=dict)

    def start(self, as_of: date) -> None:
        """Forget the tables of the date before."""
        if as_of != self.as_of:
            self.as_of, self.tables = as_of, {}

    def take(self, name: str, frame: pd.DataFrame) -> None:
        """Hold a table as it would be read from a store."""
        before = self.made_of.get(name)
        if before is None or before[0] is not frame:
            table = TABLES[name]
            self.made_of[name] = (frame, to_pandas(to_arrow(require(frame, table), table)))
        self.tables[name] = self.made_of[name][1]


class MemoryNight(Night):
    """A stage's view of a night whose tables are held in memory."""

    def __init__(
        self, held: Held, model: Mapping[str, bytes], stage: Stage, as_of: date,
        settings: Settings, source: Source, model_date: date,
    ) -> None:  # fmt: skip
        super().__init__(Store("memory"), stage, as_of, settings, source, model_date)
        held.start(as_of)
        self._held, self._model = held, dict(model)

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A declared table of this business date, sorted by key."""
        if name not in self._stage.reads:
            raise UsageError(f"stage {self._stage.name} does not declare that it reads {name}")
        frame = self._held.tables[name]
        return frame.loc[:, list(columns or TABLES[name].columns)].copy(deep=False)

    def read_model(self) -> dict[str, bytes]:
        """The files of the forecast model that was lent."""
        return dict(self._model)

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Check a declared table and hold it."""
        if name not in self._stage.writes:
            raise UsageError(f"stage {self._stage.name} does not declare that it writes {name}")
        self._held.take(name, frame)

    def publish(self) -> dict[str, dict[str, Any]]:
        """Nothing is published."""
        return {}
