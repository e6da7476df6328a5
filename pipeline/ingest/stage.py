"""Stage ingest: the night's raw data, cleaned and typed, demand made dense, lead times fitted."""

from __future__ import annotations

from datetime import date

from pipeline.contracts.settings import IngestSettings
from pipeline.errors import UsageError
from pipeline.ingest.growing import kept_of
from pipeline.ingest.m5 import read_m5
from pipeline.ingest.raw import RawTables, read_folder
from pipeline.ingest.world import clean_world
from pipeline.records.database import Records
from pipeline.records.snapshot import recorded
from pipeline.stages import BY_NAME
from pipeline.store import Night, Source


def run(night: Night) -> None:
    """Publish the clean world as known at the end of `night.as_of`, and what people recorded."""
    settings = night.settings.ingest
    if night.source.memory is not None:
        growing = kept_of(night.source.memory, night.source.raw_dir, settings)
        world = growing.night(night.as_of)
    else:
        raw = read_source(night.source, night.as_of, settings)
        world = clean_world(raw, night.as_of, settings, needs_snapshot=not night.is_for_training)
    if night.source.records and not night.is_for_training:
        world |= recorded(Records(night.source.records), night.place, night.as_of, world)
    for name in BY_NAME["ingest"].writes:
        night.write(name, world[name])


def read_source(source: Source, as_of: date, settings: IngestSettings) -> RawTables:
    """Raw tables of a dataset; adapters make them, the sample and `raw` lie in a folder."""
    if source.dataset == "m5":
        return read_m5(source.raw_dir, as_of, settings.history_days)
    if source.dataset in ("sample", "raw"):
        return read_folder(source.raw_dir, settings)
    raise UsageError(f"no dataset {source.dataset!r}. Next: use sample, m5 or raw.")
