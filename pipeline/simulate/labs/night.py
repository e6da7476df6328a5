"""One night for two settings files: each arm plans the whole network, each item follows its arm.

Both arms' nights lie whole under `arms/A` and `arms/B`, with all their tables. What is carried
out is published as the night of the store itself: ingest's tables, and orders, assignments and
transfers of each item from its own arm's plan. An arm plans as if all items were its own, so that
it sees the whole capacity and neither arm yields space to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline import runner
from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.errors import UsageError
from pipeline.stages import BY_NAME, STAGES
from pipeline.store import Source, Store

_ROUTED = ("purchase_orders", "inbound_assignments", "transfers")
_UNTIL = "place"  # the last stage that decides


@dataclass(frozen=True)
class Routed:
    """What a night carried out of each arm: lines by arm, and vendors whose order fell below their
    least value because their items are in two arms."""

    lines: dict[str, int]
    small_vendors: tuple[str, ...]


def arm_store(store: Store, arm: str) -> Store:
    """Where an arm's own nights lie."""
    return Store(f"{store.root}/arms/{arm}")


def run_lab_night(
    store: Store, source: Source, settings: dict[str, Settings], assignment: pd.DataFrame,
    as_of: date,
) -> Routed:  # fmt: skip
    """Plan the night in each arm (settings by A and B) and publish what each item's arm decided.

    Items that are not assigned follow arm A. Running it again gives the same bytes.
    """
    if set(settings) != {"A", "B"}:
        raise UsageError("a lab night needs settings of the arms A and B. Next: name both files.")
    for arm, chosen in settings.items():
        _plan(arm_store(store, arm), source, chosen, as_of)
    runner.run_stage(store, source, settings["A"], as_of, "ingest")
    arms = assignment.set_index(assignment["item_id"].astype("str"))["arm"].astype("str")
    in_b = set(arms.index[arms == "B"])
    lines: dict[str, int] = {}
    for name in _ROUTED:
        parts = []
        for arm in ("A", "B"):
            frame = arm_store(store, arm).read(as_of, name)
            mine = frame["item_id"].astype("str").isin(in_b) == (arm == "B")
            parts.append(frame[mine].astype(dict.fromkeys(_names(frame), "str")))
            lines[arm] = lines.get(arm, 0) + int(mine.sum()) * (name == "purchase_orders")
        frame = require(pd.concat(parts, ignore_index=True), TABLES[name])
        store.publish(as_of, name, frame, _lineage(store, as_of, name))
    return Routed(lines, _small(store, as_of))


def _plan(store: Store, source: Source, settings: Settings, as_of: date) -> None:
    for stage in STAGES:
        if stage.name == "train":
            runner.ensure_model(store, source, settings, as_of)
        else:
            runner.run_stage(store, source, settings, as_of, stage.name)
        if stage.name == _UNTIL:
            return


def _names(frame: pd.DataFrame) -> list[str]:
    """Categories of two plans differ; as text they can be put together."""
    return [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]


def _lineage(store: Store, as_of: date, name: str) -> dict[str, object]:
    """Of the arms' own tables, with their manifests as inputs."""
    made = [arm_store(store, arm).manifest(as_of, name) or {} for arm in ("A", "B")]
    kept: dict[str, object] = {
        key: made[0][key] for key in ("code_version", "platform") if key in made[0]
    }
    return {
        **kept, "stage": BY_NAME[_UNTIL].name,
        "settings_sha256": "+".join(str(one.get("settings_sha256")) for one in made),
        "inputs": {f"arms/{arm}/{as_of}/{name}": arm_store(store, arm).manifest_sha256(as_of, name)
                   for arm in ("A", "B")},
    }  # fmt: skip


def _small(store: Store, as_of: date) -> tuple[str, ...]:
    """Vendors whose order is below their least value, which they may not accept."""
    orders = store.read(as_of, "purchase_orders").astype({"vendor_id": "str"})
    usd = orders.groupby("vendor_id")["order_cost_usd"].sum()
    vendors = store.read(as_of, "vendors").astype({"vendor_id": "str"}).set_index("vendor_id")
    least = vendors["order_minimum_usd"].reindex(usd.index)
    return tuple(sorted(usd.index[usd < least]))
