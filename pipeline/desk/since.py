"""Page *Changes*: why the plan differs from an earlier night's, in all, by group, or for an item.

Planning the night again with inputs swapped takes seconds to minutes, so it runs beside the page,
once for two nights as they are published; the page says so until it is done.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.desk.tables import NightTables
from pipeline.errors import EchelonError, UsageError
from pipeline.since.bridge import BRIDGE_DRIVERS, stock_bridge
from pipeline.since.changes import Planned, Since, changes_between
from pipeline.since.groups import SINCE_DRIVERS
from pipeline.since.told import account, settings_of, with_category
from pipeline.since.words import MEASURE_WORDS, SINCE_WORDS, held_sentence, how, sentence, summed

GROUPS = {"category": "category", "vendor": "vendor_id", "node": "node_id", "item": "item_id"}
STOCK = "stock_units"
_KEPT, _ROWS = 8, 100
Answer = tuple[Since, pd.DataFrame]


class Explainer:
    """Answers of two nights each, computed one at a time and kept while they are current."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="since")
        self._lock = threading.Lock()
        self._found: dict[tuple[str | None, ...], Future[Answer]] = {}
        self._progress: dict[tuple[str | None, ...], tuple[int, int]] = {}

    def ask(
        self, before: NightTables, after: NightTables, settings: Settings
    ) -> tuple[Answer | None, tuple[int, int]]:
        """The answer, or None with (plans made, plans in all) while it is being computed.

        Raises EchelonError where the nights cannot be compared.
        """
        key = (_version(before), _version(after))
        with self._lock:
            future = self._found.pop(key, None)
            if future is None or (future.done() and future.exception() is not None):
                failed = future
                future = self._worker.submit(self._answer, key, before, after, settings)
                if failed is not None:
                    raise _failure(failed.exception())
            self._found[key] = future
            while len(self._found) > _KEPT:
                self._found.pop(next(iter(self._found)))
        return (future.result() if future.done() else None), self._progress.get(key, (0, 0))

    def _answer(
        self, key: tuple[str | None, ...], before: NightTables, after: NightTables,
        settings: Settings,
    ) -> Answer:  # fmt: skip
        def told(done: int, plans: int) -> None:
            self._progress[key] = (done, plans)

        nights = [
            Planned(night.store, night.as_of, settings_of(night.store, night.as_of, settings))
            for night in (before, after)
        ]
        found = changes_between(nights[0], nights[1], on_plan=told)
        return found, stock_bridge(after.store, before.as_of, after.as_of)


def _failure(error: BaseException | None) -> EchelonError:
    """What to say of nights that could not be compared."""
    if isinstance(error, EchelonError):
        return error
    return UsageError(
        f"these nights cannot be planned again by this version: {error}. Next: run both again, "
        "then look here again."
    )


def since_page(answer: Answer, by: str, measure: str, item: str, category: str) -> dict[str, Any]:
    """Sentences of all, of a category or of an item; and `rows` of one measure by group."""
    found, bridge = answer
    by = by if by in GROUPS else "category"
    measure = measure if measure in MEASURE_WORDS else STOCK
    lines = account(found, bridge, item, category)
    lines = lines if item else lines[: len(MEASURE_WORDS) + 1]
    if item or category:
        own = (bridge["item_id"] == item) if item else (bridge["category"] == category)
        bridge = bridge[own]
    key = GROUPS[by]
    if measure == STOCK:
        key = "category" if key == "node_id" else key
        rows = summed(bridge, [key], BRIDGE_DRIVERS)
    else:
        frame = with_category(found.frame, answer[1])
        frame = frame[frame["item_id"].isin(bridge["item_id"]) & (frame["measure"] == measure)]
        rows = summed(frame[frame[key] != ""], [key], SINCE_DRIVERS)
    shown = rows[rows["change"].abs() > 1e-9].head(_ROWS).to_dict("records")
    return {
        "lines": lines, "how": how(found), "by": by, "measure": measure, "item": item,
        "category": category, "measures": {STOCK: "units in stock", **MEASURE_WORDS},
        "groups": list(GROUPS), "categories": sorted(set(answer[1]["category"].dropna())),
        "rows": [
            row | {"name": row[key], "sentence": _told(row, str(row[key]), measure)}
            for row in shown
        ],
    }  # fmt: skip


def _told(row: dict[str, Any], name: str, measure: str) -> str:
    if measure == STOCK:
        return held_sentence(row, name, "units")
    return sentence(name, row, SINCE_WORDS)


def earlier(days: list[date], as_of: date) -> list[date]:
    """The nights that this one can be compared with, the newest first."""
    return [day for day in reversed(days) if day < as_of]


def _version(night: NightTables) -> str | None:
    names = ("purchase_orders", "transfers", "network_targets")
    shas = [str(night.store.manifest_sha256(night.as_of, name)) for name in names]
    return f"{night.store.root}/{night.as_of}/" + "/".join(shas)
