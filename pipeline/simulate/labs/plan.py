"""What a lab declares: the question, how items are clustered, when it runs and is looked at."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import yaml
from pydantic import Field, ValidationError, model_validator

from pipeline.contracts.settings import Section
from pipeline.errors import SettingsError

Period = tuple[pd.Timestamp, pd.Timestamp]


class LabPlan(Section):
    """A trial of two settings files on items side by side; docs/labs.md has an example."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    question: str = Field(description="What the lab is to answer, in a sentence.")
    start: date = Field(description="Monday of the first week in which the arms differ.")
    weeks: int = Field(8, ge=2, le=52, description="Weeks that outcomes are counted.")
    washout_weeks: int = Field(
        0, ge=0, le=12, description="First weeks left out, in which stock still follows old plans."
    )
    before_weeks: int = Field(8, ge=2, le=52, description="Weeks before, that pair clusters.")
    cluster: str = Field("department", description="Column of items that is not split by arms.")
    parts: int = Field(1, ge=1, le=10_000, description="Lots into which each cluster is cut.")
    lift: float = Field(0.01, gt=0, lt=1, description="Smallest change of profit worth finding.")
    level: float = Field(0.95, gt=0.5, lt=1, description="1 - the chance of a false verdict.")
    looks: tuple[int, ...] = Field((), description="Weeks after which it may end; empty: the last.")
    seed: int = Field(1, ge=0)
    settings_a: Path | None = Field(None, description="Settings file of arm A; null: the defaults.")
    settings_b: Path | None = Field(None, description="Settings file of arm B.")
    guard_rails: dict[str, float] = Field(
        {}, description="Outcome columns that must not fall, and by which share they may."
    )

    @model_validator(mode="after")
    def _is_possible(self) -> LabPlan:
        if self.start.weekday() != 0:
            raise ValueError(f"start {self.start} is no Monday")
        looks = self.look_weeks
        if list(looks) != sorted(set(looks)) or looks[0] < 1 or looks[-1] != self.weeks:
            raise ValueError(f"looks {list(looks)} must rise and end with week {self.weeks}")
        return self

    @property
    def look_weeks(self) -> tuple[int, ...]:
        """Weeks after which the lab is looked at."""
        return self.looks or (self.weeks,)

    @property
    def before(self) -> Period:
        """First and last week of the time that pairs clusters."""
        first = pd.Timestamp(self.start) - pd.Timedelta(weeks=self.before_weeks)
        return first, pd.Timestamp(self.start) - pd.Timedelta(weeks=1)

    def during(self, weeks: int) -> Period:
        """First and last week that count after so many weeks of outcomes."""
        first = pd.Timestamp(self.start) + pd.Timedelta(weeks=self.washout_weeks)
        return first, first + pd.Timedelta(weeks=weeks - 1)

    @property
    def last_day(self) -> date:
        """The last day that counts."""
        return self.start + timedelta(weeks=self.washout_weeks + self.weeks, days=-1)


def load_lab(path: Path) -> LabPlan:
    """The lab of a YAML file; SettingsError names every wrong key or value."""
    try:
        return LabPlan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"lab file {path}: {error}") from error
    except ValidationError as error:
        lines = [f"  - {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise SettingsError(
            f"lab file {path}: {len(lines)} problem(s)\n" + "\n".join(lines)
            + "\nNext: correct them; docs/labs.md holds an example."
        ) from error  # fmt: skip
