"""What every section of the settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the settings file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
