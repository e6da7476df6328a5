"""A table on a page: filtered, searched, grouped, sorted and paged by what its address says.

The address is the state: every filter stands in the query string, so a view can be shared, kept as
a bookmark and exported as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pipeline.desk.tables import NightTables

PAGE_ROWS = 50
MOST_EXPORTED_ROWS = 1_000_000
WEEKLY = """
select item_id, sum(mean_units) * 7.0 / any_value(window_days) as weekly_units
from demand_quantiles
where window_start_day = 1 and window_days = (
  select window_days from demand_quantiles where window_start_day = 1
  order by abs(window_days - 28), window_days limit 1)
group by item_id
"""
"""Units a week by item, from the window nearest to four weeks; kept as `weekly`."""
_COMPARISONS = {"_from": ">=", "_to": "<="}


@dataclass(frozen=True)
class Field:
    """A column of a listing: the name in the query, its heading, how it is written."""

    name: str
    title: str
    style: str = "text"
    """text, units, usd, usd2, weeks, share, date, days: also decides alignment."""
    is_shown: bool = True
    is_facet: bool = False
    """Offered as a drop-down of its values, and as a grouping."""


@dataclass(frozen=True)
class Listing:
    """What can be listed: a query over tables, its fields, the fields searched, the first order.

    The query lists `numbered`, which is its first table with the `place` of each row: tables are
    published in the order of their key, so that ties need no second sort of a million texts.
    """

    name: str
    query: str
    tables: tuple[str, ...]
    fields: tuple[Field, ...]
    searched: tuple[str, ...]
    order: str
    key: str
    totals: tuple[str, ...] = ()
    told: str = ""
    """A query of (key, sentence) for keys bound to `?`: why, read for the rows of a page alone."""
    told_table: str = ""
    uses_weekly: bool = False
    """Whether the query joins `weekly` (see WEEKLY)."""

    def kept(self, night: NightTables) -> str:
        """The listing as a table that the night keeps, with `place` and `searched`."""
        text = " || ' ' || ".join(f"coalesce(\"{name}\", '')" for name in self.searched)
        query = (
            f"with numbered as (select *, row_number() over () as place from {self.tables[0]}) "
            f"select *, lower({text}) as searched from ({self.query})"
        )
        if self.uses_weekly:
            night.keep("weekly", WEEKLY, "demand_quantiles")
        return night.keep(f"listing_{self.name}", query, *self.tables)

    def best(
        self, night: NightTables, where: str, values: list[Any], order: str, limit: int,
        offset: int = 0,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Rows in an order (ties by place); only these are read whole, however many are sorted."""
        table = self.kept(night)
        chosen = f"select rowid from {table} {where} order by {order}, place"
        if not where:  # the order of all rows is found once, so that the last page is as near
            name = "".join(mark if mark.isalnum() else "_" for mark in order)
            ranked = night.keep(
                f"rank_{self.name}_{name}", chosen.replace("rowid", "rowid as found", 1)
            )
            chosen = f"select found from {ranked}"
        return night.rows(
            f"select * exclude (searched, place) from {table} where rowid in "
            f"({chosen} limit {limit} offset {offset}) order by {order}, place", values,
        )  # fmt: skip

    def tell(self, night: NightTables, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with their `sentence`, where the listing has one."""
        if not self.told or not rows:
            return rows
        keys = [row[self.key] for row in rows]
        told = self.told.replace("?", ", ".join("?" * len(keys)))
        found = {row["key"]: row["sentence"] for row in night.rows(told, keys, self.told_table)}
        return [row | {"sentence": found.get(row[self.key], "")} for row in rows]

    @property
    def facets(self) -> tuple[Field, ...]:
        """The fields with a drop-down."""
        return tuple(field for field in self.fields if field.is_facet)

    def field(self, name: str) -> Field | None:
        """The field of that name, if any: what a request may name."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class Page:
    """One page of a listing, with what its template needs."""

    listing: Listing
    rows: list[dict[str, Any]]
    count: int
    totals: dict[str, Any]
    number: int
    sort: str
    is_descending: bool
    search: str
    group: str
    chosen: dict[str, str]
    choices: dict[str, list[str]]
    groups: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pages(self) -> int:
        """How many pages there are; at least 1."""
        return max(1, -(-self.count // PAGE_ROWS))

    def address(self, **changed: Any) -> str:
        """The query string of this view with some of its state changed ('' takes it away)."""
        state: dict[str, Any] = dict(self.chosen)
        if self.search:
            state["q"] = self.search
        if self.group:
            state["group"] = self.group
        if self.sort != self.listing.order.lstrip("-") or self.is_descending != (
            self.listing.order.startswith("-")
        ):
            state["sort"] = ("-" if self.is_descending else "") + self.sort
        if self.number > 1:
            state["page"] = self.number
        if changed and "page" not in changed:
            state.pop("page", None)
        state.update(changed)
        return "?" + urlencode({key: value for key, value in state.items() if value != ""})


def page_of(night: NightTables, listing: Listing, asked: Mapping[str, str]) -> Page:
    """The page that a query string asks for; unknown names in it are passed over."""
    where, values = _where(listing, asked)
    sort, is_descending = _sort(listing, asked.get("sort", ""))
    number = _whole(asked.get("page", ""), 1)
    group_field = listing.field(asked.get("group", ""))
    group = group_field.name if group_field and group_field.is_facet else ""
    source = f"from {listing.kept(night)} {where}"
    sums = "".join(f', sum("{name}") as "{name}"' for name in listing.totals)
    totals = night.remember(
        (listing.name, "totals", where, *values),
        lambda: night.one(f"select count(*) as n{sums} {source}", values) or {"n": 0},
    )
    count = int(totals["n"])
    number = min(number, max(1, -(-count // PAGE_ROWS)))
    direction = "desc" if is_descending else "asc"
    rows = listing.best(
        night, where, values, f'"{sort}" {direction} nulls last', PAGE_ROWS,
        (number - 1) * PAGE_ROWS,
    )  # fmt: skip
    groups = []
    if group:
        first = f'sum("{listing.totals[0]}")' if listing.totals else "n"
        groups = night.remember(
            (listing.name, "groups", group, where, *values),
            lambda: night.rows(
                f'select "{group}" as name, count(*) as n{sums} {source} group by 1 '
                f"order by {first} desc nulls last, 1 limit 200", values,
            ),
        )  # fmt: skip
    return Page(
        listing, listing.tell(night, rows), count, totals, number, sort, is_descending,
        asked.get("q", "").strip(), group, _chosen(listing, asked),
        night.remember((listing.name, "choices"), lambda: _choices(night, listing)), groups,
    )  # fmt: skip


def exported(night: NightTables, listing: Listing, asked: Mapping[str, str]) -> Any:
    """All rows of the filtered listing as a frame, at most MOST_EXPORTED_ROWS, in its order."""
    where, values = _where(listing, asked)
    sort, is_descending = _sort(listing, asked.get("sort", ""))
    columns = ", ".join(f'"{field.name}"' for field in listing.fields)
    return night.frame(
        f'select {columns} from {listing.kept(night)} {where} order by "{sort}" '
        f'{"desc" if is_descending else "asc"} nulls last, place '
        f"limit {MOST_EXPORTED_ROWS}", values, *listing.tables,
    )  # fmt: skip


def _where(listing: Listing, asked: Mapping[str, str]) -> tuple[str, list[Any]]:
    terms: list[str] = []
    values: list[Any] = []
    search = asked.get("q", "").strip()
    if search:
        terms.append("contains(searched, ?)")
        values.append(search.lower())
    for name, value in _chosen(listing, asked).items():
        plain, comparison = name, "="
        for ending, sign in _COMPARISONS.items():
            if name.endswith(ending):
                plain, comparison = name.removesuffix(ending), sign
        if comparison == "=":
            field = listing.field(plain)
            is_text = field is not None and field.style == "text"
            terms.append(f'"{plain}" = ?' if is_text else f'cast("{plain}" as varchar) = ?')
            values.append(value)
        else:
            terms.append(f'"{plain}" {comparison} ?')
            values.append(float(value))
    return ("where " + " and ".join(terms) if terms else ""), values


def _chosen(listing: Listing, asked: Mapping[str, str]) -> dict[str, str]:
    """The filters of a query string that the listing knows, by name."""
    chosen = {}
    for name, value in asked.items():
        if not value:
            continue
        if listing.field(name):
            chosen[name] = value
        for ending in _COMPARISONS:
            if name.endswith(ending) and listing.field(name.removesuffix(ending)):
                try:
                    float(value)
                except ValueError:
                    continue
                chosen[name] = value
    return chosen


def _sort(listing: Listing, asked: str) -> tuple[str, bool]:
    known = listing.field(asked.lstrip("-"))
    text = asked if known else listing.order
    return text.lstrip("-"), text.startswith("-")


def _choices(night: NightTables, listing: Listing) -> dict[str, list[str]]:
    return {
        field.name: [
            str(row["value"])
            for row in night.rows(
                f'select distinct "{field.name}" as value from {listing.kept(night)} '
                f'where "{field.name}" is not null order by 1 limit 300', (), *listing.tables,
            )
        ]
        for field in listing.facets
    }  # fmt: skip


def _whole(text: str, default: int) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else default
