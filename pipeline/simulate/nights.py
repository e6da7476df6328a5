"""A run's nights: the production's own stages, one business date after another, in memory.

The raw folder is the run's; what ingest made of its past is kept and each day is added. A night can
be planned again, table for table, by `echelon run --dataset raw --raw …/raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import runner
from pipeline.simulate.prepare import Base, stored
from pipeline.simulate.rivals.situation import Policy
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.stages import BY_NAME
from pipeline.store import Held, MemoryNight, Source, Store


def plans_itself(scenario: Scenario, policy: Policy) -> bool:
    """Whether a run needs nights of its own: not if it only reads forecasts that are stored."""
    return scenario.forecasts == "own" or not set(policy.stages) <= {"ingest", "forecast"}


@dataclass
class Nights:
    """The nights of one policy's run in `folder`; only the newest one's tables are kept, and what
    the policy made of them (`worked`)."""

    base: Base
    scenario: Scenario
    policy: Policy
    folder: Path
    worked: dict[str, Any] = field(default_factory=dict)
    _held: Held = field(default_factory=Held)
    _models: dict[date, Mapping[str, bytes]] = field(default_factory=dict)
    _memory: dict[str, object] = field(default_factory=dict)
    _stored: dict[date, dict[str, pd.DataFrame]] = field(default_factory=dict)

    def tables(self, as_of: date, day: int) -> dict[str, pd.DataFrame]:
        """What the policy reads on the `day`-th night (from 0), of the newest one planned."""
        ago = day % self.policy.every_days
        planned = as_of - timedelta(days=ago)
        if not plans_itself(self.scenario, self.policy):
            if planned not in self._stored:
                store = stored(self.base)
                read = {name: store.read(planned, name) for name in self.policy.reads}
                self._stored, self.worked = {planned: read}, {}
            return dict(self._stored[planned])
        if self._held.as_of != planned:  # or it was planned before the run was stopped
            self._plan(planned, day - ago)
        return {name: self._held.tables[name] for name in self.policy.reads}

    def _plan(self, as_of: date, day: int) -> None:
        trained = self._model_date(day)
        source = Source("raw", self.folder / "raw", memory=self._memory)
        self._held.start(as_of)
        self.worked = {}
        for name in self.policy.stages:
            if name == "forecast" and self.scenario.forecasts == "stored":
                self._held.tables |= {made: stored(self.base).read(as_of, made)
                                      for made in BY_NAME[name].writes}  # fmt: skip
                continue
            night = MemoryNight(self._held, self._models[trained], BY_NAME[name], as_of,
                                self.base.settings, source, trained)  # fmt: skip
            runner.entry(BY_NAME[name])(night)

    def _model_date(self, day: int) -> date:
        """The model of the start, or the newest that this run was due to train; it is read."""
        weeks, start = self.scenario.retrain_every_weeks, self.scenario.start
        due = day - day % (7 * weeks) if weeks else 0
        store = Store(self.folder / "nights")
        trained = start + timedelta(days=due)
        if due and store.manifest(trained, "forecast_model") is None:
            for name in ("ingest", "train"):
                runner.run_stage(store, Source("raw", self.folder / "raw"), self.base.settings,
                                 trained, name)  # fmt: skip
        if not due:
            store = Store(self.base.folder / "base" / "nights")
            trained = runner.model_date(self.base.settings, start)
        if trained not in self._models:
            self._models = {trained: store.read_files(trained, "forecast_model")}
        return trained
