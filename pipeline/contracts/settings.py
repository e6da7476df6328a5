"""All settings: frozen, extra keys refused. configs/default.yaml is generated from them.

Each is defined once, in `sections` by stage. Parameters of the mathematics are core's own
dataclasses, nested under their stage's section.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.contracts.sections.assort import AssortSettings
from pipeline.contracts.sections.base import Section
from pipeline.contracts.sections.forecast import (
    ForecastSettings,
    HierarchySettings,
    MeanSettings,
    ShapeSettings,
)
from pipeline.contracts.sections.ingest import LEAST_HISTORY_DAYS, IngestSettings
from pipeline.contracts.sections.load import LaborSettings, LoadSettings
from pipeline.contracts.sections.optimize import OptimizeSettings, ServiceSettings
from pipeline.contracts.sections.orders import BuySettings, PlaceSettings
from pipeline.contracts.sections.planning import PlanningSettings
from pipeline.contracts.sections.review import ReviewSettings, RunSettings
from pipeline.errors import SettingsError

__all__ = [
    "LEAST_HISTORY_DAYS",
    "AssortSettings",
    "BuySettings",
    "ForecastSettings",
    "HierarchySettings",
    "IngestSettings",
    "LaborSettings",
    "LoadSettings",
    "MeanSettings",
    "OptimizeSettings",
    "PlaceSettings",
    "PlanningSettings",
    "ReviewSettings",
    "RunSettings",
    "Section",
    "Settings",
    "ShapeSettings",
    "load_settings",
]


class Settings(Section):
    """All settings of a run."""

    planning: PlanningSettings = PlanningSettings()
    ingest: IngestSettings = IngestSettings()
    forecast: ForecastSettings = ForecastSettings()
    assort: AssortSettings = AssortSettings()
    optimize: OptimizeSettings = OptimizeSettings()
    service: ServiceSettings = ServiceSettings()
    buy: BuySettings = BuySettings()
    place: PlaceSettings = PlaceSettings()
    load: LoadSettings = LoadSettings()
    review: ReviewSettings = ReviewSettings()
    run: RunSettings = RunSettings()

    def sha256(self) -> str:
        """Hash of every setting that can change the plan (all but `run`)."""
        content = self.model_dump(mode="json", exclude={"run"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_settings(path: Path | None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from a YAML file (None: the defaults), with `overrides` laid over its sections.

    Raises SettingsError naming every wrong key or value at once.
    """
    content: dict[str, Any] = {}
    if path is not None:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise SettingsError(f"settings file {path}: {error.strerror}") from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            # Never its content, which may be another file's than the settings'.
            mark = getattr(error, "problem_mark", None)
            where = f" from line {mark.line + 1}, column {mark.column + 1} on" if mark else ""
            raise SettingsError(
                f"settings file {path}: not YAML{where}. "
                "Next: correct it; docs/settings.md lists every setting."
            ) from None
        if not isinstance(content, dict):
            raise SettingsError(f"settings file {path}: the top level must hold sections")
    for section, values in (overrides or {}).items():
        content[section] = {**(content.get(section) or {}), **values}
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        lines = [
            f"  - {'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        ]
        text = f"settings{f' file {path}' if path else ''}: {len(lines)} problem(s)\n"
        raise SettingsError(
            text + "\n".join(lines) + "\nNext: correct them; docs/settings.md lists every setting."
        ) from error
