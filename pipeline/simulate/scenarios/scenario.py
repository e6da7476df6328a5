"""A scenario file: which data, from when, how long, how the world behaves and what is changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, ValidationError

from pipeline.contracts.settings import Section, load_settings
from pipeline.errors import SettingsError
from pipeline.simulate.scenarios.changes import Change, Frames
from pipeline.simulate.world.model import WorldRules
from pipeline.simulate.world.randomness import keys


class Scenario(Section):
    """One question to the simulator; docs: configs/scenarios/*.yaml."""

    name: str
    question: str = Field("", description="What the scenario is to answer, in a sentence.")
    dataset: Literal["sample", "m5", "raw"] = "sample"
    raw_dir: Path = Path("data/sample")
    start: date = Field(description="First business date; its plan is for the day after.")
    days: int = Field(28, ge=1, le=730)
    replications: int = Field(3, ge=1, le=200)
    seed: int = Field(1, ge=0)
    items: int | None = Field(
        None, ge=1, description="So many items, drawn by key; capacities shrink with their volume."
    )
    demand: Literal["actual", "resampled"] = "actual"
    forecasts: Literal["own", "stored"] = Field(
        "own",
        description="own: each run forecasts from what it sold, as a real night would; stored: all "
        "runs share forecasts made from the demand itself, for a first look and for tuning.",
    )
    retrain_every_weeks: int = Field(
        0, ge=0, description="Train the forecast model again in the run; 0: the model at the start."
    )
    world: WorldRules = WorldRules()
    chain: Path | None = Field(
        None,
        description="CSV file (item_id, to_item_id, probability) of the true choices of customers "
        "who find their item out; what an item's rows lack to 1 leaves. None: all leave.",
    )
    changes: tuple[Change, ...] = ()
    against_unchanged: bool = Field(
        False,
        description="Also run the world without the changes, and report what they do.",
    )
    policies: dict[str, dict[str, Any]] = Field(
        {}, description="Parameters of policies by name, laid over their defaults."
    )
    settings: dict[str, dict[str, Any]] = Field({}, description="Laid over the planner's settings.")

    def sha256(self) -> str:
        """Hash of everything that decides a run; how many replications there are does not."""
        content = self.model_dump(mode="json", exclude={"replications", "chain"})
        if self.chain:  # what is in the file, not where it lies
            content["chain"] = hashlib.sha256(self.chain.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_scenario(path: Path) -> Scenario:
    """The scenario of a YAML file; SettingsError names every wrong key or value."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Scenario.model_validate(content)
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"scenario file {path}: {error}") from error
    except ValidationError as error:
        lines = [
            f"  - {'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        ]
        raise SettingsError(
            f"scenario file {path}: {len(lines)} problem(s)\n" + "\n".join(lines)
            + "\nNext: correct them; configs/scenarios holds examples."
        ) from error  # fmt: skip


def laid_over(scenario: Scenario, asked: Mapping[str, Any], settings: Path | None) -> Scenario:
    """The scenario with the fields asked for (None: its own), and a settings file's values laid
    over its own; SettingsError names every wrong one of them."""
    changed = {name: value for name, value in asked.items() if value is not None}
    if settings is not None:
        merged = {name: dict(values) for name, values in scenario.settings.items()}
        given = load_settings(settings).model_dump(mode="json", exclude_unset=True)
        for section, values in given.items():
            merged[section] = {**merged.get(section, {}), **values}
        changed["settings"] = merged
    return scenario.model_copy(update=changed)


def choose_items(tables: Frames, count: int | None) -> Frames:
    """The tables of `count` items with the smallest keys; shared capacities shrink in proportion.

    The factor is the chosen items' share of demand over the history, in cubic feet for storage and
    lanes, in units for flows.
    """
    names = pd.Index(sorted(tables["items"]["item_id"].astype("str")))
    if count is None or count >= len(names):
        return tables
    chosen = names[np.sort(np.argsort(keys(names), kind="stable")[:count])]
    found = {
        name: frame[frame["item_id"].astype("str").isin(chosen)].reset_index(drop=True)
        if "item_id" in frame and name != "overrides" else frame
        for name, frame in tables.items()
    }  # fmt: skip
    units = tables["daily_demand"].groupby("item_id", observed=True)["units"].sum()
    units.index = units.index.astype("str")
    cube = tables["items"].set_index(tables["items"]["item_id"].astype("str"))["unit_cube_cuft"]
    volume = units.reindex(cube.index, fill_value=0) * cube
    by_units = float(units.reindex(chosen, fill_value=0).sum() / max(units.sum(), 1))
    by_volume = float(volume.loc[chosen].sum() / max(volume.sum(), 1e-9))
    room = found["node_capacity"].copy()
    is_storage = room["resource"].astype("str") == "storage_cuft"
    room["capacity"] *= np.where(is_storage, by_volume, by_units)
    lanes = found["lanes"].copy()
    lanes["lane_capacity_cuft_per_day"] *= by_volume
    vendors = found["vendors"].copy()
    vendors["order_minimum_usd"] *= by_units
    known = set(found["vendor_items"]["vendor_id"].astype("str"))
    vendors = vendors[vendors["vendor_id"].astype("str").isin(known)]
    return {**found, "node_capacity": room, "lanes": lanes, "vendors": vendors}
