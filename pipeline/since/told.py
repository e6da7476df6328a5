"""`echelon explain --since`: what changed since an earlier night, and why, as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.errors import UsageError
from pipeline.since.bridge import BRIDGE_DRIVERS, stock_bridge
from pipeline.since.changes import Planned, Since, changes_between
from pipeline.since.groups import SINCE_DRIVERS
from pipeline.since.words import (
    MEASURE_WORDS,
    SINCE_WORDS,
    held_sentence,
    how,
    sentence,
    summed,
    whole_account,
)
from pipeline.store import Store

_SHOWN = 12


def settings_of(store: Store, as_of: date, given: Settings) -> Settings:
    """The settings that a night was planned with: those given, or those the store has kept.

    Raises UsageError where the night's are others and not kept.
    """
    manifest = store.manifest(as_of, "network_targets")
    wanted = (manifest or {}).get("settings_sha256")
    if wanted is None or wanted == given.sha256():
        return given
    kept = store.kept_settings(str(wanted))
    if kept is None:
        raise UsageError(
            f"the night of {as_of} was planned with settings that are not kept (hash "
            f"{str(wanted)[:12]}). Next: give them with --settings, or plan the night again."
        )
    return Settings.model_validate(kept | {"run": given.run})


def since_text(
    store: Store, before: date, after: date, given: Settings, item: str = "", category: str = "",
    is_full: bool = False, on_plan: Callable[[int, int], None] | None = None,
) -> str:  # fmt: skip
    """The account of all items, a category or an item; UsageError for names that are unknown."""
    old, new = (Planned(store, day, settings_of(store, day, given)) for day in (before, after))
    found = changes_between(old, new, is_full=is_full, on_plan=on_plan)
    bridge = stock_bridge(store, before, after)
    return "\n".join([*account(found, bridge, item, category), "", how(found)])


def account(found: Since, bridge: pd.DataFrame, item: str = "", category: str = "") -> list[str]:
    """Lines about an item, about a category by item, or about all items by category and vendor."""
    known = bridge.set_index("item_id")
    if item:
        if item not in known.index:
            raise UsageError(f"no item {item!r} in either night. Next: see table items.")
        return item_account(found, bridge, item)
    subject, own = "All items", found
    by = "category"
    if category:
        if category not in set(known["category"].dropna()):
            names = ", ".join(sorted(set(known["category"].dropna())))
            raise UsageError(f"no category {category!r}. Next: one of {names}.")
        bridge = bridge[bridge["category"] == category]
        rows = found.frame["item_id"].isin(bridge["item_id"])
        own = Since(found.before, found.after, found.frame[rows], found.differing,
                    found.is_sampled, found.is_full, found.plans)  # fmt: skip
        subject, by = category, "item_id"
    lines = whole_account(own, bridge, subject)
    lines += ["", f"Stock by {by.removesuffix('_id')}"]
    for row in summed(bridge, [by], BRIDGE_DRIVERS).head(_SHOWN).to_dict("records"):
        lines.append("  " + held_sentence(row, str(row[by]), "units"))
    for measure, keys in (("order_units", [by]), ("order_units", ["vendor_id"]),
                          ("base_stock_units", ["node_id"])):  # fmt: skip
        lines += ["", f"{MEASURE_WORDS[measure].capitalize()} by {keys[0].removesuffix('_id')}"]
        frame = with_category(own.frame, bridge)
        part = summed(frame[frame["measure"] == measure], keys, SINCE_DRIVERS)
        for row in part[part["change"] != 0].head(_SHOWN).to_dict("records"):
            lines.append("  " + sentence(str(row[keys[0]]), row, SINCE_WORDS))
    return lines


def item_account(found: Since, bridge: pd.DataFrame, item: str) -> list[str]:
    """A sentence for the item's stock, and one for each order, level and transfer that changed."""
    own = bridge[bridge["item_id"] == item].iloc[0]
    lines = [held_sentence(own.to_dict(), f"{own['item_name']}, stock", "units")]
    rows = found.moved[found.moved["item_id"] == item]
    for row in rows.to_dict("records"):
        places = [row["vendor_id"], row["from_node_id"], row["node_id"]]
        where = " → ".join(str(place) for place in places if place)
        lines.append(sentence(where, row, SINCE_WORDS, MEASURE_WORDS[row["measure"]]))
    if rows.empty:
        lines.append("No order, transfer or level of it changed.")
    return lines


def with_category(frame: pd.DataFrame, bridge: pd.DataFrame) -> pd.DataFrame:
    """The changes with each item's category."""
    category = bridge.set_index("item_id")["category"]
    return frame.assign(category=frame["item_id"].map(category).fillna("(gone)"))
