"""Where the sweeps run: threads here, or the workers of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.contracts.settings import Settings
from pipeline.core.item import ItemTables, concatenate
from pipeline.core.shards import Engine, Threads, views
from pipeline.errors import UsageError

SHARDS = 8
"""Parts of a night's items: a constant, so that threads and workers give the same bytes."""


@contextmanager
def engine(settings: Settings, items: ItemTables) -> Iterator[tuple[list[ItemTables], Engine]]:
    """The items in shards, and what sweeps them, as settings.run says."""
    parts = views(items, min(SHARDS, len(items)))
    if settings.run.engine == "threads":
        yield parts, Threads(parts, settings.run.threads)
        return
    if not settings.run.scheduler:
        raise UsageError("run.engine is dask. Next: name the scheduler's address in run.scheduler.")
    try:
        from distributed import Client  # noqa: PLC0415 - an extra

        from pipeline.optimize.cluster import Cluster  # noqa: PLC0415 - needs the extra
    except ImportError as error:
        raise UsageError("run.engine is dask. Next: pip install 'echelon[dask]'.") from error
    with Client(settings.run.scheduler) as client:
        yield parts, Cluster(client, [concatenate([part]) for part in parts])
