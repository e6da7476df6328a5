"""Daily demand, dense: every item in every region where it is on sale, each day up to as_of.

A day without a sales row is a true zero only while the files cover it. Closing days are left out
(see `closing_days`); another day on which nothing at all was sold is taken for missing, and an
improbable run of zeros for a stock-out: both censored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import LEAST_HISTORY_DAYS, IngestSettings
from pipeline.ingest.closing_days import calendar_rows, coming_days, opening_days
from pipeline.ingest.cut_days import cut_days, cut_finding, without_events
from pipeline.ingest.empty_shelves import believed, empty_days, empty_finding
from pipeline.ingest.findings import Finding
from pipeline.ingest.grain import (
    Periods,
    epoch_days,
    reported_periods,
    spread_to_days,
    without_part,
)
from pipeline.ingest.item_life import item_life
from pipeline.ingest.late_starts import (
    came_late,
    late_findings,
    not_open_yet,
    opening_findings,
)
from pipeline.ingest.silent_parts import STOCKED_SHARE, parts_of, silent_parts
from pipeline.ingest.zero_runs import suspected_stockouts


@dataclass(frozen=True)
class SeriesGrid:
    """Item-region series as rows and days as columns; codes index the sorted identifiers."""

    items: pd.Index
    regions: pd.Index
    days: pd.DatetimeIndex

    @property
    def shape(self) -> tuple[int, int]:
        """Number of series and days."""
        return len(self.items) * len(self.regions), len(self.days)

    def series(self, frame: pd.DataFrame) -> np.ndarray:
        """Row of the grid for each row of a frame with item_id and region_id."""
        item = _codes(frame["item_id"], self.items)
        return item * len(self.regions) + _codes(frame["region_id"], self.regions)

    def day(self, dates: pd.Series) -> np.ndarray:
        """Column of the grid for each date; below 0 before the first day."""
        whole = dates.to_numpy().astype("datetime64[D]").astype("int64")
        first: int = self.days[0].to_datetime64().astype("datetime64[D]").astype("int64")
        return whole - first


@dataclass(frozen=True)
class DailyDemand:
    """The tables daily_demand, demand_calendar and item_life, and what was found meanwhile."""

    demand: pd.DataFrame
    calendar: pd.DataFrame
    life: pd.DataFrame
    findings: list[Finding]


def daily_demand(
    tables: Mapping[str, pd.DataFrame], as_of: date, settings: IngestSettings
) -> DailyDemand:
    """Demand by day and the calendar that goes with it."""
    last = pd.Timestamp(as_of)
    periods, told = reported_periods(tables["sales"]["date"], last, settings)
    periods = without_part(periods, tables["sales"])
    start = tables["sales"]["date"].min()
    start = last if pd.isna(start) else start
    start = start if periods.is_daily else pd.Timestamp(int(periods.first[0]), unit="D")
    grid = SeriesGrid(
        pd.Index(sorted(tables["items"]["item_id"].astype("str"))),
        pd.Index(sorted(tables["regions"]["region_id"].astype("str"))),
        pd.date_range(max(start, last - pd.Timedelta(days=settings.history_days - 1)), last),
    )
    opening = opening_days(tables, grid.regions, grid.days, periods.is_daily)
    share = _spread(grid, tables["availability"], "in_stock_share", 1.0, "float32")
    bare = empty_days(tables, grid.items, grid.regions, grid.days)
    sales = _by_day(grid, tables, periods, np.where(bare, 0, share), opening.past)
    tables = {**tables, "sales": sales}
    units = _spread(grid, sales, "units", 0, "int32")
    bare = believed(bare, units)
    share[bare] = 0.0
    by_region = units.reshape(len(grid.items), len(grid.regions), -1).sum(axis=0)
    closed = np.tile(opening.past & (by_region == 0), (len(grid.items), 1))
    price = _prices(grid, tables)
    unopened = not_open_yet(by_region)
    planned = _planned(grid, tables, unopened)
    on_sale = _on_sale(grid, tables) & ~closed & ~np.tile(unopened, (len(grid.items), 1))
    late = came_late(units, on_sale)
    on_sale &= ~late
    on_sale[planned, -1] = True  # a series of which nothing is known but what planners expect
    share[planned] = 0.0
    unknown = _unreported(grid, periods)
    empty = (units.sum(axis=0) == 0) & ~closed.all(axis=0)
    share[:, empty | unknown] = 0.0
    judged = ~opening.past & ~unopened & ~(empty | unknown) & _is_stocked(grid, share, on_sale)
    cut = _cut_off(grid, tables, by_region, judged, periods, settings)
    share[np.tile(cut, (len(grid.items), 1))] = 0.0
    absent, silences = _absent(
        grid, tables, units, on_sale, share, judged & ~cut, periods, settings
    )
    share[absent] = 0.0
    suspected = suspected_stockouts(
        units, on_sale & (share >= 1), settings.stockout_probability, settings.stockout_max_days
    )
    censored = (share < 1) | suspected
    known_days = int((~(empty | closed.all(axis=0) | cut.all(axis=0))).sum())
    findings = [
        *told, *opening.findings,
        *opening_findings(unopened, grid.regions, grid.days, _names(grid, planned)),
        *late_findings(late, grid.items, grid.regions, grid.days),
        *empty_finding(bare & on_sale),
        *cut_finding(cut, by_region, grid.regions, grid.days),
        *silences,
        *_findings(grid, empty & ~unknown, suspected & on_sale, on_sale, known_days),
    ]  # fmt: skip
    kept = opening.past & (by_region == 0)
    return DailyDemand(
        _table(grid, on_sale, units, share, price, censored),
        calendar_rows(
            *_marked(grid, kept, opening.coming, periods, unknown),
            _by_region(grid, cut | (empty & ~unknown & ~kept)),
        ),
        _life(grid, tables["items"], units, on_sale & (share > 0), settings), findings,
    )  # fmt: skip


def _by_day(
    grid: SeriesGrid, tables: Mapping[str, pd.DataFrame], periods: Periods, share: np.ndarray,
    closed: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """Table sales by day: those of longer periods are dealt to the days on which their item is on
    sale, its region not `closed` [regions, days], and by the `share` [series, days] in stock."""
    sales = tables["sales"]
    if periods.is_daily:
        return sales
    on_sale = _on_sale(grid, {**tables, "sales": sales.iloc[:0]})
    sells = np.where(on_sale & ~np.tile(closed, (len(grid.items), 1)), share, np.float32(0))
    first_day, as_of = epoch_days(pd.Series(grid.days))[0], grid.days[-1]
    return spread_to_days(sales, periods, sells, grid.series(sales), first_day, as_of)


def _planned(
    grid: SeriesGrid, tables: Mapping[str, pd.DataFrame], unopened: np.ndarray
) -> np.ndarray:
    """Rows of launch_plans in regions that have not sold yet, of items that are launched."""
    plans = tables["launch_plans"]
    named = grid.series(plans[plans["expected_daily_units"].notna()])
    launch = tables["items"].set_index(tables["items"]["item_id"].astype("str"))["launch_date"]
    launched = (launch.reindex(grid.items) <= grid.days[-1]).to_numpy()
    item, region = np.divmod(named, len(grid.regions))
    return np.unique(named[launched[item] & unopened[region, -1]])


def _names(grid: SeriesGrid, rows: np.ndarray) -> set[str]:
    return {str(name) for name in grid.regions[np.unique(rows % len(grid.regions))]}


def _is_stocked(grid: SeriesGrid, share: np.ndarray, on_sale: np.ndarray) -> np.ndarray:
    """Days [regions, days] on which most of a region's items were in stock: what was known not to
    be there explains few sales."""
    shape = (len(grid.items), len(grid.regions), -1)
    there = np.einsum("ird,ird->rd", share.reshape(shape), on_sale.reshape(shape), optimize=False)
    stocked: np.ndarray = there >= STOCKED_SHARE * on_sale.reshape(shape).sum(axis=0)
    return stocked


def _cut_off(
    grid: SeriesGrid, tables: Mapping[str, pd.DataFrame], sold: np.ndarray, judged: np.ndarray,
    periods: Periods, settings: IngestSettings,
) -> np.ndarray:  # fmt: skip
    """Days [regions, days] whose export broke off; periods are dealt out to days, and hide them."""
    if not periods.is_daily:
        return np.zeros(sold.shape, dtype=bool)
    known = without_events(judged, tables.get("calendar"), grid.regions, grid.days)
    return cut_days(sold, known, grid.days, settings.cut_day_share)


def _absent(
    grid: SeriesGrid, tables: Mapping[str, pd.DataFrame], units: np.ndarray, on_sale: np.ndarray,
    share: np.ndarray, judged: np.ndarray, periods: Periods, settings: IngestSettings,
) -> tuple[np.ndarray, list[Finding]]:  # fmt: skip
    """Days [series, days] of parts of the business that the export lacks, and what to tell."""
    if settings.cut_day_share <= 0:
        return np.zeros(grid.shape, dtype=bool), []
    shape = (len(grid.items), len(grid.regions), -1)
    absent, findings = silent_parts(
        units.reshape(shape), on_sale.reshape(shape), share.reshape(shape) >= 1,
        without_events(judged, tables.get("calendar"), grid.regions, grid.days),
        list(parts_of(tables["items"], grid.items, grid.regions)), grid.days, settings,
        None if periods.is_daily else _ends(grid, periods),
    )  # fmt: skip
    return absent.reshape(grid.shape), findings


def _life(
    grid: SeriesGrid, items: pd.DataFrame, units: np.ndarray, could_sell: np.ndarray,
    settings: IngestSettings,
) -> pd.DataFrame:  # fmt: skip
    """Table item_life, from units and days [series, days] of all regions."""
    shape = (len(grid.items), len(grid.regions), -1)
    total, could = units.reshape(shape).sum(axis=1), np.any(could_sell.reshape(shape), axis=1)
    return item_life(items, grid.items, grid.days, total, could, settings.quiet_after_days)


def _by_region(grid: SeriesGrid, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Days of each region that `mask` [regions, days] marks."""
    days = grid.days.to_numpy()
    return {str(name): days[mask[r]] for r, name in enumerate(grid.regions)}


def _unreported(grid: SeriesGrid, periods: Periods) -> np.ndarray:
    """Days of a period that is not over yet."""
    day = epoch_days(pd.Series(grid.days))
    unknown = np.zeros(len(day), dtype=bool)
    if not periods.is_daily:
        over = periods.last[periods.last <= day[-1]]
        unknown = day > (over[-1] if len(over) else day[0] - 1)
        reported = np.isin(day, periods.label, invert=True)
        unknown &= (day <= periods.last[-1]) | reported
    return unknown


def _marked(
    grid: SeriesGrid, closed: np.ndarray, coming: np.ndarray, periods: Periods, unknown: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Closed days, past and coming, and ends of reported periods within the history, by region."""
    days = grid.days.append(coming_days(grid.days[-1])).to_numpy()
    is_closed = np.hstack([closed, coming])
    last = grid.days.to_numpy()[_ends(grid, periods) & ~unknown]
    return (
        {str(name): days[is_closed[r]] for r, name in enumerate(grid.regions)},
        {str(name): last for name in grid.regions},
    )


def _ends(grid: SeriesGrid, periods: Periods) -> np.ndarray:
    """Days that end a reported period; none where sales are daily."""
    day = epoch_days(pd.Series(grid.days))
    ends = np.isin(day, periods.last)
    if not periods.is_daily:  # days that are reported one by one after them end a period each
        ends |= day > periods.last[-1]
    return np.asarray(ends)


def _codes(values: pd.Series, index: pd.Index) -> np.ndarray:
    """Position of each value in `index`, through the categories."""
    places = index.get_indexer(values.cat.categories)
    return places[values.cat.codes.to_numpy()].astype("int64")


def _spread(
    grid: SeriesGrid, frame: pd.DataFrame, column: str, fill: float, dtype: str
) -> np.ndarray:
    values = np.full(grid.shape, fill, dtype=dtype)
    if len(frame):
        day = grid.day(frame["date"])
        inside = (day >= 0) & (day < grid.shape[1])
        rows = grid.series(frame)[inside]
        values[rows, day[inside]] = frame[column].to_numpy()[inside]
    return values


def _prices(grid: SeriesGrid, tables: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """The price of each day: that of the last change, or the first; the list price where none."""
    listed = tables["items"].set_index(tables["items"]["item_id"].astype("str"))["list_price_usd"]
    price = np.repeat(listed.reindex(grid.items).to_numpy(), len(grid.regions))
    changes = tables["prices"].sort_values("start_date", kind="stable")
    days = grid.day(changes["start_date"])
    changes, days = changes[days < grid.shape[1]], days[days < grid.shape[1]]
    matrix = np.full(grid.shape, np.nan)
    # Of several changes before the window the last one written stands, which is the newest.
    matrix[grid.series(changes), np.maximum(days, 0)] = changes["price_usd"].to_numpy()
    known = np.where(np.isnan(matrix), 0, np.arange(grid.shape[1], dtype="int32"))
    np.maximum.accumulate(known, axis=1, out=known)
    filled = np.take_along_axis(matrix, known, axis=1)
    has_price = ~np.isnan(matrix).all(axis=1)
    first = matrix[np.arange(len(matrix)), np.argmax(~np.isnan(matrix), axis=1)]
    start = np.where(has_price, first, price)
    return np.where(np.isnan(filled), start[:, None], filled)


def _on_sale(grid: SeriesGrid, tables: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """Days from the later of launch and first local price (earlier if sold before) to the end."""
    items = tables["items"].set_index(tables["items"]["item_id"].astype("str")).reindex(grid.items)
    count = len(grid.regions)
    far = grid.shape[1]
    start = np.repeat(grid.day(items["launch_date"]), count)
    priced = tables["prices"].groupby(["item_id", "region_id"], observed=True)["start_date"].min()
    priced = priced.reset_index()
    first_price = np.full(len(start), far, dtype="int64")
    first_price[grid.series(priced)] = grid.day(priced["start_date"])
    has_any = np.repeat((first_price.reshape(-1, count) < far).any(axis=1), count)
    start = np.where(has_any, np.maximum(start, first_price), start)
    end = np.repeat(grid.day(items["end_date"].fillna(grid.days[-1])), count)
    sold = tables["sales"].groupby(["item_id", "region_id"], observed=True)["date"]
    dates = sold.agg(["min", "max"]).reset_index()
    rows = grid.series(dates)
    start[rows] = np.minimum(start[rows], grid.day(dates["min"]))
    end[rows] = np.maximum(end[rows], grid.day(dates["max"]))
    day = np.arange(grid.shape[1])
    return (day >= start[:, None]) & (day <= end[:, None])


def _findings(
    grid: SeriesGrid, empty: np.ndarray, suspected: np.ndarray, on_sale: np.ndarray,
    known_days: int,
) -> list[Finding]:  # fmt: skip
    found = []
    if not empty.all() and known_days < LEAST_HISTORY_DAYS:
        found.append(Finding(
            "sales", 0, "date", f"the history of {known_days} days is too short to learn from",
            "", f"Until it has {LEAST_HISTORY_DAYS} days with sales, forecasts are what items sold "
            "so far, as wide as simulated demand is.", "warning",
        ))  # fmt: skip
    if empty.any():
        named = [f"{day:%Y-%m-%d}" for day in grid.days[empty]]
        found.append(Finding(
            "sales", 0, "date", f"nothing at all was sold on {len(named)} day(s)",
            ", ".join(named[-5:]) + (", …" if len(named) > 5 else ""),
            "Taken for missing days, not for zero demand; export them again, or declare them in "
            "closures.", "warning",
        ))  # fmt: skip
    if suspected.any():
        found.append(Finding(
            "sales", 0, "units", "runs without sales that look like stock-outs",
            f"{int(suspected.sum())} of {int(on_sale.sum())} days, "
            f"{int(suspected.any(axis=1).sum())} series",
            "Taken for censored; give availability rows to settle it.", "warning",
        ))  # fmt: skip
    return found


def _table(
    grid: SeriesGrid, on_sale: np.ndarray, units: np.ndarray, share: np.ndarray,
    price: np.ndarray, censored: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    rows, days = np.nonzero(on_sale)
    item, region = np.divmod(rows, len(grid.regions))
    return pd.DataFrame({
        "item_id": pd.Categorical.from_codes(item.astype("int32"), categories=grid.items),
        "region_id": pd.Categorical.from_codes(region.astype("int32"), categories=grid.regions),
        "date": grid.days.to_numpy().astype("datetime64[s]")[days],
        "units": units[on_sale].astype("int64"),
        # Rounded in float64, so that 0.9 in a file is 0.9 again and not float32's neighbour.
        "in_stock_share": np.round(share[on_sale].astype("float64"), 6),
        "price_usd": price[on_sale],
        "is_censored": censored[on_sale],
    })  # fmt: skip
