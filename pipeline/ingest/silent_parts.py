"""Parts of the business without sales where their items would have sold: an export without them.

An item may stop by itself. That all items of a region, a department or a category stop on one day
is a part of the export that is not there, far more often than it is demand of zero; and each item's
own silence is too short to show it. Such days are not known, and told; after
`ingest.stockout_max_days`, or three times as many where it sells again, they are believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.cut_days import cut_days
from pipeline.ingest.findings import Finding
from pipeline.ingest.zero_runs import (
    RATE_DAYS,
    RATE_LEAST_DAYS,
    Bools,
    ZeroRuns,
    between,
    zero_runs,
)

Ints = npt.NDArray[np.integer]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
STOCKED_SHARE = 0.7
"""Items in stock, known by availability, below which few sales say nothing of their export."""
LEAST_ITEMS = 3
"""Items of a part that sold; fewer may all have stopped by themselves."""
_LEAST_CHANCE, _MOST_CHANCE = 1e-3, 0.3
"""Of a day without a sale: however much a part sells, that it was closed is as likely; and what
sells so seldom is not judged."""
_TOLD_PARTS = 6
_CLOSED_TIMES = 3
"""What sells again had no end: so many times as long a silence is not believed."""


@dataclass(frozen=True)
class _Grain:
    """A reported period's days, and in periods: what of the time before a silence tells the pace,
    the least of it, a year, and how far a year ago reaches either way."""

    days: int
    rate: int
    least: int
    year: int
    near: int


_DAILY = _Grain(1, RATE_DAYS, RATE_LEAST_DAYS, 364, 14)


def _grain_of(days: int) -> _Grain:
    rate = max(8, 182 // days)
    return _Grain(days, rate, max(4, rate // 3), round(364 / days), max(1, 14 // days))


@dataclass(frozen=True)
class Part:
    """Items (places) of a region (place; None: of all) by name."""

    name: str
    items: npt.NDArray[np.intp]
    region: int | None

    def of(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The rows of [items, regions, days] that are its own."""
        regions = slice(None) if self.region is None else slice(self.region, self.region + 1)
        return values[self.items, regions]

    def mark(self, mask: Bools, days: Bools) -> None:
        """Set its rows of `mask` [items, regions, days] on `days`."""
        regions = np.arange(mask.shape[1]) if self.region is None else np.array([self.region])
        mask[np.ix_(self.items, regions, np.flatnonzero(days))] = True

    def holds(self, other: Part) -> bool:
        """Whether `other` is a part of it."""
        where = self.region is None or self.region == other.region
        return where and bool(np.isin(other.items, self.items).all())


def parts_of(items: pd.DataFrame, names: pd.Index, regions: pd.Index) -> Iterator[Part]:
    """Categories and departments, everywhere; then regions, and those in each region, if there is
    more than one. Of groups of the same items only the first."""
    known = items.set_index(items["item_id"].astype("str")).reindex(names)
    groups = {np.arange(len(names)).tobytes(): ("", np.arange(len(names)))}
    for column in ("category", "department"):
        if column in known:
            codes, words = pd.factorize(known[column].astype("str"), sort=True)
            for code, word in enumerate(words):
                rows = np.flatnonzero(codes == code)
                groups.setdefault(rows.tobytes(), (f"{column} {word}", rows))
    own = [group for group in groups.values() if len(group[1]) >= LEAST_ITEMS]
    for name, rows in own:
        if name:
            yield Part(name, rows, None)
    for place, region in enumerate(regions if len(regions) > 1 else []):
        for name, rows in own:
            yield Part(f"{name} in {region}" if name else f"region {region}", rows, place)


def silent_parts(
    units: Ints, on_sale: Bools, stocked: Bools, known: Bools, parts: list[Part],
    days: pd.DatetimeIndex, settings: IngestSettings, ends: Bools | None = None,
) -> tuple[Bools, list[Finding]]:  # fmt: skip
    """Days [items, regions, days] of parts whose sales are not known, and what to tell of them.

    units, on_sale, stocked: [items, regions, days]; stocked: nothing says that stock was short.
    known: [regions, days] that may be judged (open, reported, without an event). ends: days that
    end a period of sales reported in one, which is judged as one; None: sales are daily.
    """
    absent = np.zeros(units.shape, dtype=bool)
    findings: list[Finding] = []
    over: list[Part] = []
    usual = units.sum(axis=(1, 2)) + 1

    def odd_days(sold: I64, sellers: I64, could: Bools) -> tuple[Bools, npt.NDArray[np.intp]]:
        if ends is None:
            hit, since = _silent(sold, could, settings, _DAILY)
            return hit | cut_days(sellers, could, days, settings.cut_day_share), since
        start = np.flatnonzero(np.concatenate([[True], ends[:-1]]))
        length = np.diff(start, append=len(days))
        whole = np.add.reduceat(could, start, axis=1) * 2 > length
        total = np.add.reduceat(sold, start, axis=1) * whole
        hit, since = _silent(total, whole, settings, _grain_of(int(np.median(length))))
        return np.repeat(hit, length, axis=1), np.where(since < 0, since, start[since])

    for is_everywhere in (True, False):  # what is gone everywhere is no news of a region
        own = [part for part in parts if (part.region is None) == is_everywhere]
        sold, sellers, could = _by_part(
            units, usual, on_sale & stocked & ~absent, on_sale, known, own
        )
        for part, units_sold, hit, since in zip(
            own, sold, *odd_days(sold, sellers, could), strict=True
        ):
            new = hit & ~part.of(absent).all(axis=(0, 1))
            part.mark(absent, new)
            if new.any():
                findings.append(_finding(part, days[new], int(units_sold[new].sum())))
            elif since >= 0 and not any(whole.holds(part) for whole in over):
                over.append(part)
                findings.append(_ended(part, days[since]))
    return absent, _first(findings)


def _first(findings: list[Finding]) -> list[Finding]:
    """The findings, or of many the first and how many more there are."""
    rest = findings[_TOLD_PARTS:]
    if len(rest) < 2:
        return findings
    more = Finding(
        "sales", 0, "units", f"{len(rest)} more parts sold too little on some days to be whole",
        ", ".join(finding.key for finding in rest[:5]) + (", …" if len(rest) > 5 else ""),
        rest[0].reason, "warning",
    )  # fmt: skip
    return [*findings[:_TOLD_PARTS], more]


def _silent(
    sold: I64, could: Bools, settings: IngestSettings, grain: _Grain
) -> tuple[Bools, npt.NDArray[np.intp]]:
    """Periods (parts, periods) without a sale against all odds, and the one (parts,) from which a
    part has been silent for too long to be an export's fault; -1: not."""
    runs = zero_runs(sold, could, grain.rate)
    chance = _chance_of_none(sold, could, runs, grain)
    is_odd = runs.length * np.log(chance) < np.log(max(settings.stockout_probability, 1e-300))
    is_odd &= (chance <= _MOST_CHANCE) & (runs.seen >= grain.least)
    newest = sold.shape[1] - 1 - could[:, ::-1].argmax(axis=1)
    is_open = runs.last == newest[runs.row]
    most = max(settings.stockout_max_days // grain.days, 1) * np.where(is_open, 1, _CLOSED_TIMES)
    ended = is_odd & (runs.length > most) & is_open
    since = np.full(len(sold), -1, dtype=np.intp)
    since[runs.row[ended]] = runs.first[ended]
    return runs.marked(is_odd & (runs.length <= most), sold.shape), since


def _by_part(
    units: Ints, usual: Ints, stocked: Bools, on_sale: Bools, known: Bools, parts: list[Part]
) -> tuple[I64, I64, Bools]:
    """Units (parts, days) and items × regions that sold of each part on days that may be judged,
    and those days: enough of its items, by what they `usual`ly sell, were in stock."""
    sold = np.zeros((len(parts), units.shape[2]), dtype=np.int64)
    sellers = np.zeros_like(sold)
    could = np.zeros(sold.shape, dtype=bool)
    for row, part in enumerate(parts):
        mine, weight = part.of(units), usual[part.items]
        if ((mine > 0).any(axis=2).sum(axis=0) < LEAST_ITEMS).all():
            continue
        offered = np.einsum("i,ird->rd", weight, part.of(on_sale), optimize=False)
        there = np.einsum("i,ird->rd", weight, part.of(stocked), optimize=False)
        open_ = known if part.region is None else known[part.region][None]
        is_short = there < STOCKED_SHARE * offered
        could[row] = (open_ & (offered > 0)).any(axis=0) & ~(open_ & is_short).any(axis=0)
        for out, count in ((sold, mine.sum(axis=0)), (sellers, (mine > 0).sum(axis=0))):
            out[row] = np.where(open_, count, 0).sum(axis=0) * could[row]
    return sold, sellers, could


def _chance_of_none(sold: I64, could: Bools, runs: ZeroRuns, grain: _Grain) -> F64:
    """Chance (runs,) that a period of a run has no sale: of those before it, by how many had none,
    or without any by the negative binomial of their mean and variance; and no less than a year ago
    had none, where that is known: a season ends in the same weeks."""
    before = np.maximum(runs.first - grain.rate, 0)
    units, squares = (
        between(values, runs.row, before, runs.first, "int64") / np.maximum(runs.seen, 1)
        for values in (sold, sold**2)
    )
    extra = np.maximum(squares - units**2 - units, 1e-9)
    size = units**2 / extra
    none = np.exp(-size * np.log1p(units / np.maximum(size, 1e-12)))
    seldom = (runs.zeros + 1) / (runs.seen + 2)
    least = _LEAST_CHANCE ** min(grain.days, 2)
    chance = np.where(runs.zeros > 0, seldom, np.minimum(seldom, np.maximum(none, least)))
    begin = runs.first - grain.year - grain.near
    end = np.maximum(runs.last - grain.year + grain.near + 1, 0)
    low = np.maximum(begin, 0)
    seen = between(could, runs.row, low, end)
    zeros = between((sold == 0) & could, runs.row, low, end)
    last_year = np.where((begin >= 0) & (seen > 0), zeros / np.maximum(seen, 1), 0.0)
    return np.asarray(np.maximum(chance, last_year))


def _finding(part: Part, days: pd.DatetimeIndex, units: int) -> Finding:
    named = [f"{day:%Y-%m-%d}" for day in days[-5:]]
    return Finding(
        "sales", 0, "units", f"{part.name} sold {units:,} units on {len(days)} day(s) on which its "
        "items would have sold", ("…, " if len(days) > 5 else "") + ", ".join(named),
        "Taken for an export without them: not known, not zero demand. Export those days again, or "
        "say why in closures, or by items' end_date.", "warning", part.name,
    )  # fmt: skip


def _ended(part: Part, since: pd.Timestamp) -> Finding:
    return Finding(
        "sales", 0, "units", f"{part.name} has sold nothing from {since:%Y-%m-%d} on", "",
        "So long is taken for no demand, and little is ordered. Export its sales if there were "
        "any, or give its items their end_date.", "warning", part.name,
    )  # fmt: skip
