"""What a stage sees of one business date: what it declares, checked; and how it is published."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.errors import OutdatedPartitionError, UsageError
from pipeline.processor import platform_names
from pipeline.stages import Stage
from pipeline.store.lineage import Consistency
from pipeline.store.partitions import Store, json_bytes, parquet_bytes, sha256

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Where raw data comes from: a dataset's adapter and its folder."""

    dataset: str
    raw_dir: Path
    records: str | None = None
    """Address of the database of records (overrides, releases), if any; see pipeline.records."""
    memory: dict[str, object] | None = field(default=None, compare=False, repr=False)
    """What a process keeps of a raw folder that grows by a part a day; None: it is read anew."""


class Night:
    """What a stage sees of one business date: the tables it declares, and nothing else."""

    def __init__(
        self, store: Store, stage: Stage, as_of: date, settings: Settings,
        source: Source | None = None, model_date: date | None = None,
        is_for_training: bool = False,
    ) -> None:  # fmt: skip
        self._store, self._stage, self._source = store, stage, source
        self.as_of, self.settings = as_of, settings
        self.model_date = model_date or as_of
        self.is_for_training = is_for_training
        self._inputs: dict[str, str | None] = {}
        self._tables: dict[str, pd.DataFrame] = {}
        self._files: dict[str, Mapping[str, bytes]] = {}
        self._consistency = Consistency(store)

    @property
    def source(self) -> Source:
        """The raw data; only ingest has one."""
        if self._source is None:
            raise UsageError(f"stage {self._stage.name} needs a raw dataset. Next: name one.")
        return self._source

    @property
    def place(self) -> str:
        """Where the night's tables are published: what records of people's decisions name."""
        return self._store.root

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A declared table of this business date, sorted by key.

        Raises StaleInputError if it and what it was made from stem from different runs.
        """
        if name not in self._stage.reads:
            raise UsageError(f"stage {self._stage.name} does not declare that it reads {name}")
        self._consistency.require(self.as_of, name)
        self._note(name, self.as_of)
        return self._store.read(self.as_of, name, columns)

    def read_previous(self, name: str) -> pd.DataFrame | None:
        """The table of the day before, or None where that night was not planned."""
        if name not in self._stage.reads_previous:
            raise UsageError(f"stage {self._stage.name} does not declare yesterday's {name}")
        day = self.as_of - timedelta(days=1)
        # By content: the night before is rewritten when *its* predecessor is backfilled, and that
        # must not touch this night where the rows stay the same.
        self._inputs[f"{day.isoformat()}/{name}"] = self._store.content_sha256(day, name)
        return self._of_another_night(day, name)

    def read_earlier(self, name: str, days: int) -> pd.DataFrame | None:
        """The table of the night `days` days ago, or None where that night was not planned.

        Its content is noted, so that a backfill of that night shows this one to be stale.
        """
        if name not in self._stage.reads_earlier:
            raise UsageError(f"stage {self._stage.name} does not declare earlier {name}")
        day = self.as_of - timedelta(days=days)
        self._inputs[f"{day.isoformat()}/{name}"] = self._store.content_sha256(day, name)
        return self._of_another_night(day, name)

    def _of_another_night(self, day: date, name: str) -> pd.DataFrame | None:
        """The table, or None where that night was not planned, or by a version that knew less."""
        if self._store.manifest(day, name) is None:
            return None
        try:
            return self._store.read(day, name)
        except OutdatedPartitionError as error:
            _log.warning("%s It is left out of what is compared with that night.", error)
            return None

    def read_model(self) -> dict[str, bytes]:
        """The files of the forecast model that the rule names for this business date."""
        self._note("forecast_model", self.model_date)
        return self._store.read_files(self.model_date, "forecast_model")

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Check a declared table now (ContractError); it is published when the stage has ended."""
        if name not in self._stage.writes:
            raise UsageError(f"stage {self._stage.name} does not declare that it writes {name}")
        self._tables[name] = require(frame, TABLES[name])

    def write_files(self, name: str, files: Mapping[str, bytes]) -> None:
        """Hold a declared model or report; it is published when the stage has ended."""
        if name not in self._stage.files:
            raise UsageError(f"stage {self._stage.name} does not declare the files {name}")
        self._files[name] = dict(files)

    def publish(self) -> dict[str, dict[str, Any]]:
        """Publish all that the stage has written; nothing if something declared is missing."""
        missing = (set(self._stage.writes) - set(self._tables)) | (
            set(self._stage.files) - set(self._files)
        )
        if missing:
            raise UsageError(f"stage {self._stage.name} did not write {', '.join(sorted(missing))}")
        tables = {
            name: (parquet_bytes(frame, name), len(frame)) for name, frame in self._tables.items()
        }
        lineage = {
            "stage": self._stage.name, "code_version": code_version(),
            "settings_sha256": self.settings.sha256(), "inputs": dict(sorted(self._inputs.items())),
            "together": self._together({name: data for name, (data, _) in tables.items()}),
            "platform": platform_names(),
        }  # fmt: skip
        manifests = {
            name: self._store.publish_bytes(self.as_of, name, data, rows, lineage)
            for name, (data, rows) in tables.items()
        }
        for name, files in self._files.items():
            manifests[name] = self._store.publish_files(self.as_of, name, files, lineage)
        return manifests

    def _together(self, tables: Mapping[str, Any]) -> str:
        """Hash of all that the stage publishes: tables of a run that was killed in between differ
        in it from those that the run before it left."""
        content = {name: sha256(data) for name, data in tables.items()}
        for name, files in self._files.items():
            content |= {f"{name}/{title}": sha256(data) for title, data in files.items()}
        return sha256(json_bytes(content))[:16]

    def _note(self, name: str, day: date) -> None:
        self._inputs[f"{day.isoformat()}/{name}"] = self._store.manifest_sha256(day, name)


@cache
def code_version() -> str:
    """Hash of the package's source and templates: an output names the code that made it."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    sources = (path for kind in ("*.py", "*.j2", "*.css") for path in root.rglob(kind))
    for path in sorted(sources):
        if path.relative_to(root).parts[0] == "shipped":  # a wheel's DAG files plan nothing
            continue
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
