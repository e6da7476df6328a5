"""The optimizer's sweeps on a Dask cluster: each part lives on a worker, prices go out, usage back.

Results come back in the order of the parts, so the plan has the same bytes as on threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from distributed import Client, Future

from pipeline.core.item import ItemTables
from pipeline.core.shards import Parts

Result = TypeVar("Result")


@dataclass
class Cluster:
    """Engine of core.shards on the workers of a Dask client."""

    client: Client
    parts: Parts
    _held: list[Future] = field(default_factory=list)

    def each(self, work: Callable[[int, ItemTables], Result]) -> list[Result]:
        """See core.shards.Engine."""
        if not self._held:
            tables = [self.parts[i] for i in range(len(self.parts))]
            self._held = self.client.scatter(tables, hash=False)
        task: Any = self.client.scatter(work, broadcast=True, hash=False)
        futures = self.client.map(_apply, [task] * len(self._held), range(len(self._held)),
                                  self._held, pure=False)  # fmt: skip
        return list(self.client.gather(futures))


def _apply(work: Callable[[int, ItemTables], Result], part: int, items: ItemTables) -> Result:
    return work(part, items)
