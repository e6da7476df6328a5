"""Rules across tables: a network that can be planned, and data that a planner should know about.

Fatal: cycles, nodes that nothing can reach, tables without the rows a night needs. Warnings stay in
the quarantine table with row number 0: nothing was set aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import TABLES
from pipeline.ingest.cells import AROUND, Reading, read_cells
from pipeline.ingest.closing_days import declared
from pipeline.ingest.findings import Finding
from pipeline.ingest.grain import reported_periods
from pipeline.ingest.raw import RawTables

Tables = Mapping[str, pd.DataFrame]
_NEEDED = ("items", "regions", "nodes", "delivery_options", "delivery_speeds", "order_hours",
           "vendors", "vendor_items", "node_capacity")  # fmt: skip


_OWN_WORDS = (("items", "category"), ("items", "department"), ("calendar", "event_name"))
"""Columns that refer to nothing: a new word in them cannot be told from a wrong one."""


def structure_findings(
    tables: Tables, as_of: date, settings: IngestSettings, needs_snapshot: bool = True
) -> list[Finding]:
    """What is wrong between clean tables as known at `as_of`, fatal findings first."""
    empty = [name for name in _NEEDED if tables[name].empty]
    if empty:
        return [_fatal(name, "", "has no row that can be used", "", "Fill the file.")
                for name in empty]  # fmt: skip
    return [
        *_shares(tables), *_cycles(tables), *_unreachable(tables), *_unserved(tables),
        *(_not_tonight(tables, as_of) if needs_snapshot else ()), *_stale(tables, as_of, settings),
        *_no_vendor(tables), *_lone_groups(tables), *_alike(tables),
        *_no_node(tables), *_full_nodes(tables, as_of),
    ]  # fmt: skip


def _shares(tables: Tables) -> Iterator[Finding]:
    hours = tables["order_hours"]
    if abs(hours["demand_share"].sum() - 1) > 1e-3:
        yield _fatal("order_hours", "demand_share", "shares do not add up to 1",
                     f"{hours['demand_share'].sum():.4f}", "Correct the shares.")  # fmt: skip
    sums = tables["delivery_speeds"].groupby("region_id", observed=True)["demand_share"].sum()
    for region, total in sums.items():
        if abs(total - 1) > 1e-3:
            yield _fatal("delivery_speeds", "demand_share",
                         f"shares of region {region} do not add up to 1", f"{total:.4f}",
                         "Correct the shares.")  # fmt: skip


def _cycles(tables: Tables) -> Iterator[Finding]:
    lanes = tables["lanes"]
    edges = list(zip(lanes["from_node_id"], lanes["to_node_id"], strict=True))
    if cycle := find_cycle(edges):
        yield _fatal("lanes", "to_node_id", "lanes form a cycle", " > ".join(cycle),
                     "Remove one lane of the cycle: goods move from tier to tier.")  # fmt: skip
    nodes = tables["nodes"].dropna(subset="parent_node_id")
    parents = list(zip(nodes["parent_node_id"], nodes["node_id"], strict=True))
    if cycle := find_cycle(parents):
        yield _fatal("nodes", "parent_node_id", "parents form a cycle", " > ".join(cycle),
                     "A top-tier node has no parent.")  # fmt: skip


def find_cycle(edges: list[tuple[str, str]]) -> list[str]:
    """A cycle of the directed graph as a closed walk, or an empty list where there is none."""
    after: dict[str, list[str]] = {}
    for start, end in sorted(edges):
        after.setdefault(start, []).append(end)
    done: set[str] = set()
    for root in sorted(after):
        path: list[str] = []
        stack = [(root, iter(after[root]))] if root not in done else []
        path += [root] if stack else []
        while stack:
            node, ahead = stack[-1]
            for end in ahead:
                if end in path:
                    return [*path[path.index(end) :], end]
                if end not in done:
                    stack.append((end, iter(after.get(end, []))))
                    path.append(end)
                    break
            else:
                done.add(node)
                stack.pop()
                path.pop()
    return []


def _unreachable(tables: Tables) -> Iterator[Finding]:
    nodes, lanes = tables["nodes"], tables["lanes"]
    pairs = set(zip(lanes["from_node_id"], lanes["to_node_id"], strict=True))
    for node in nodes.itertuples():
        if pd.isna(node.parent_node_id):
            if not node.is_vendor_receiving:
                yield _fatal("nodes", "is_vendor_receiving", f"node {node.node_id} has no parent "
                             "and receives nothing from vendors", "",
                             "Give it a parent_node_id or let vendors ship to it.")  # fmt: skip
        elif (node.parent_node_id, node.node_id) not in pairs:
            yield _fatal("lanes", "", f"node {node.node_id} has no lane from its parent "
                         f"{node.parent_node_id}", "", "Add the lane.")  # fmt: skip


def _unserved(tables: Tables) -> Iterator[Finding]:
    options = tables["delivery_options"]
    served = set(zip(options["region_id"], options["speed"], strict=True))
    speeds = tables["delivery_speeds"]
    for region, speed in zip(speeds["region_id"], speeds["speed"], strict=True):
        if (region, speed) not in served:
            yield _fatal("delivery_options", "", f"no node serves region {region} at {speed}", "",
                         "Add an option, or remove the speed.")  # fmt: skip
    asked = set(zip(speeds["region_id"], speeds["speed"], strict=True))
    for region, speed in sorted((str(r), str(s)) for r, s in served - asked):
        rule = f"speed {speed} of region {region} is none of delivery_speeds"
        yield Finding("delivery_options", 0, "speed", rule, "", "The option serves nobody: "
                      "correct the speed, or give it a share of demand.", "warning",
                      f"{region} / {speed}")  # fmt: skip


def _no_snapshot(tables: Tables, as_of: date) -> Iterator[Finding]:
    stock = tables["stock"]
    if not (stock["date"] == pd.Timestamp(as_of)).any():
        newest = stock["date"].max()
        found = "there is none before it" if pd.isna(newest) else f"the newest is {newest:%Y-%m-%d}"
        yield _fatal("stock", "date", f"no stock is known at the end of {as_of}", found,
                     "Export that day's stock, or plan a date that has one.")  # fmt: skip


def _stale(tables: Tables, as_of: date, settings: IngestSettings) -> Iterator[Finding]:
    if tables["sales"].empty:
        yield Finding("sales", 0, "", "no sale is known yet", "",
                      "Nothing is expected of items without launch_plans, and little is ordered; "
                      "add sales as they come.", "warning")  # fmt: skip
        return
    last = pd.Timestamp(as_of)
    periods, _ = reported_periods(tables["sales"]["date"], last, settings)
    newest = tables["sales"]["date"].max()
    allowed = settings.stale_after_days
    if not periods.is_daily:  # a week or month is known once it is over
        newest = max(newest, pd.Timestamp(int(periods.last[periods.label.argmax()]), unit="D"))
        allowed += int(periods.last[-1] - periods.first[-1]) + 1
    since = pd.date_range(newest + pd.Timedelta(days=1), last)
    closed = declared(tables["closures"], "region_id", tables["regions"]["region_id"], since)
    days = int((~closed.all(axis=0)).sum())
    if days >= allowed:
        yield _fatal("sales", "date", f"no sale in the {days} days before {as_of}",
                     f"the newest is of {newest:%Y-%m-%d}",
                     "Export the sales of those days, or plan an earlier date.")  # fmt: skip


def _not_tonight(tables: Tables, as_of: date) -> Iterator[Finding]:
    """What a night needs of its date and a training history does not."""
    yield from _no_snapshot(tables, as_of)
    yield from _capacity_not_yet(tables, as_of)


def _capacity_not_yet(tables: Tables, as_of: date) -> Iterator[Finding]:
    capacity = tables["node_capacity"]
    first = capacity.groupby(["node_id", "resource"], observed=True)["start_date"].min()
    for (node, resource), start in first[first > pd.Timestamp(as_of)].items():
        yield _fatal("node_capacity", "start_date", f"no {resource} of node {node} is known before "
                     f"{start:%Y-%m-%d}", "", "Add the row that holds today; without one there "
                     "would be no limit.")  # fmt: skip


def _lone_groups(tables: Tables) -> Iterator[Finding]:
    """Groups of one, and groups of which nothing was ever sold: nobody can turn from or to them."""
    groups = tables["choice_groups"]
    sold = set(tables["sales"]["item_id"].astype("str"))
    for name, mine in groups.groupby(groups["choice_group"].astype("str"), sort=True):
        items = mine["item_id"].astype("str").tolist()
        if len(items) == 1:
            yield Finding("choice_groups", 0, "choice_group", f"group {name} has one item only", "",
                          "It is planned alone; add its substitutes, or leave it out.",
                          "warning")  # fmt: skip
        elif not sold & set(items):
            yield Finding("choice_groups", 0, "choice_group", f"no item of group {name} ever sold",
                          "", "Its substitution is the prior's; check the group and the sales.",
                          "warning")  # fmt: skip


def _alike(tables: Tables) -> Iterator[Finding]:
    """A company's own words of which two differ in case, spaces or marks that no eye sees."""
    for name, column in _OWN_WORDS:
        words: dict[str, list[str]] = {}
        for word in sorted(tables[name][column].dropna().astype("str").unique()):
            plain = "".join(mark for mark in word.casefold() if mark not in AROUND)
            words.setdefault(plain, []).append(word)
        for same in words.values():
            if len(same) > 1:
                rule = f"{' and '.join(map(repr, same))} look alike"
                yield Finding(name, 0, column, rule, "", "They are planned as different groups; "
                              "write one of them.", "warning")  # fmt: skip


def _no_vendor(tables: Tables) -> Iterator[Finding]:
    items = tables["items"]["item_id"]
    for item in items[~items.isin(tables["vendor_items"]["item_id"].tolist())].astype("str"):
        yield Finding("items", 0, "item_id", f"item {item} has no vendor", "",
                      "It is never bought; add it to vendor_items.", "warning")  # fmt: skip


def _no_node(tables: Tables) -> Iterator[Finding]:
    accepted = set(tables["nodes"]["accepts"].astype("str"))
    sizes = tables["items"]["size_class"].astype("str")
    for size in sorted(set(sizes)):
        if not accepted & {size, "any"}:
            yield _fatal("nodes", "accepts", f"no node accepts {size} items", "",
                         "Let a node accept them.")  # fmt: skip


def _full_nodes(tables: Tables, as_of: date) -> Iterator[Finding]:
    """Nodes in which more lies than their capacity; the plan then pays for the overflow."""
    day = pd.Timestamp(as_of)
    stock = tables["stock"][tables["stock"]["date"] == day]
    cube = stock["item_id"].astype("object").map(
        dict(zip(tables["items"]["item_id"], tables["items"]["unit_cube_cuft"], strict=True))
    )  # fmt: skip
    used = (stock["on_hand_units"] * cube.astype("float64")).groupby(
        stock["node_id"], observed=True
    ).sum()  # fmt: skip
    capacity = tables["node_capacity"]
    capacity = capacity[(capacity["resource"] == "storage_cuft") & (capacity["start_date"] <= day)]
    latest = capacity.sort_values("start_date", kind="stable").drop_duplicates(
        "node_id", keep="last"
    )
    for node, room in zip(latest["node_id"], latest["capacity"], strict=True):
        if used.get(node, 0.0) > room:
            yield Finding("node_capacity", 0, "capacity",
                          f"storage of node {node} is below the stock already there",
                          f"{used[node]:.0f} of {room:.0f} cubic feet",
                          "The plan pays for the overflow; check the capacity and the stock.",
                          "warning")  # fmt: skip


def future_dates(raw: RawTables, as_of: date, settings: IngestSettings) -> list[Finding]:
    """History rows dated after `as_of`: no night sees them, `echelon check` tells of them."""
    found = []
    for name, frame in raw.frames.items():
        column = TABLES[name].history_date
        if not column or column not in frame:
            continue
        days = dates_of(frame[column], settings)
        rows = np.flatnonzero((days > pd.Timestamp(as_of)).to_numpy(dtype=bool))
        if len(rows):
            file = raw.files.get(name)
            number = int(file.rows[rows[0]]) if file else int(rows[0]) + 1
            found.append(Finding(name, number, column,
                                 f"{len(rows)} row(s) lie in the future of {as_of}",
                                 f"{days.iloc[rows[0]]:%Y-%m-%d}", "History cannot be known in "
                                 "advance; correct the dates, or check with a later --as-of.",
                                 "warning"))  # fmt: skip
    return found


def dates_of(values: pd.Series, settings: IngestSettings) -> pd.Series:
    """Days of a raw column, null where they cannot be read."""
    return read_cells(values, "date", Reading(settings.date_format, settings.time_zone)).values


def _fatal(table: str, column: str, rule: str, value: str, action: str) -> Finding:
    return Finding(table, 0, column, rule, value, action, "fatal")
