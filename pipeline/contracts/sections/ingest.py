"""How raw rows are read and judged."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from pipeline.contracts.sections.base import Section

LEAST_HISTORY_DAYS = 80
"""Days with sales that a history must have to teach the forecast by itself."""


class IngestSettings(Section):
    """How raw rows are read and cleaned."""

    date_format: str = Field(
        default="",
        description="How dates are written where not as YYYY-MM-DD, in strptime codes, e.g. "
        "'%d/%m/%Y'. Empty: every other way of writing is refused.",
    )
    time_zone: str = Field(
        default="",
        description="Zone whose calendar gives the day of a time with a zone, e.g. "
        "'America/Chicago'. Empty: such times must be midnight.",
    )
    separator: Literal["", ",", ";", "\t", "|"] = Field(
        default="", description="What separates CSV fields. Empty: found in each file's header."
    )
    decimal_mark: Literal["detected", "point", "comma"] = Field(
        default="detected",
        description="Decimal mark of CSV files; detected: a comma where a file's numbers can have "
        "no other.",
    )
    history_days: int = Field(
        default=800, ge=28, description="Days of demand history kept for the forecast."
    )
    quarantine_threshold_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of a table's rows that may be set aside in a night.",
    )
    quarantine_threshold_rows: int = Field(
        default=5, ge=0, description="Bad rows that a table may always have."
    )
    quarantine_threshold_units: int = Field(
        default=100,
        ge=0,
        description="Units that the rows set aside of a table may always hold; above it the share "
        "counts. Of snapshots, tonight's rows.",
    )
    quarantine_threshold_usd: float = Field(
        default=2000.0, ge=0, description="The same in dollars, units at list price."
    )
    most_units: int = Field(
        default=1_000_000,
        ge=1,
        le=1_000_000_000,
        description="Most units of an item that one row of sales, stock, orders, transfers or "
        "receipts can mean.",
    )
    repeated_rows: Literal["once", "add"] = Field(
        default="once",
        description="A row of those tables that repeats another in every column counts once (an "
        "export appended twice), or is added (till lines). Rows of one key that differ are added.",
    )
    returns: Literal["net", "set_aside"] = Field(
        default="net",
        description="Negative sales are returns: taken from the newest sales before them, or set "
        "aside as bad rows.",
    )
    returns_days: int = Field(
        default=28, ge=0, le=365, description="A return takes from sales of so many days before it."
    )
    may_be_empty: tuple[Literal["open_orders", "open_transfers"], ...] = Field(
        default=(),
        description="Snapshots of which no row of a date means that there is none, e.g. "
        "[open_transfers]. Elsewhere it stops the night: the export is late.",
    )
    feed_stop_share: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="The night stops where less than this share of the last snapshot (or of every "
        "same weekday's sales) is there or explained by what was sold, received or due.",
    )
    feed_warn_share: float = Field(
        default=0.9, ge=0, le=1, description="Below this share of the last snapshot it is told."
    )
    told_times: float = Field(
        default=3.0,
        gt=1,
        description="Sales of the last day or week so many times the most of eight weeks and of "
        "the year before, stock or old open orders so many times the last snapshot: told.",
    )
    stop_times: float = Field(
        default=10.0,
        gt=1,
        description="From so many times on, where half of the items grew alike and no event of "
        "the calendar explains it, the night stops: the column is in another unit.",
    )
    cut_day_share: float = Field(
        default=0.25,
        ge=0,
        lt=1,
        description="A past day on which a region sold less than this share of what its weekday "
        "usually sells at least is taken for an export that broke off: not known. So are days on "
        "which a region, department or category sold nothing against all odds. 0: never.",
    )
    stale_on_order_days: int = Field(
        default=60,
        ge=0,
        le=1000,
        description="An open order or transfer overdue by more days no longer counts; it is listed "
        "with its value.",
    )
    least_margin_share: float = Field(
        default=0.0,
        ge=-1000,
        le=1,
        description="The night stops where four weeks' sales, at prices and cheapest costs of "
        "tonight, would bring a smaller share of their revenue.",
    )
    least_cost_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="A cost below this share of the price is told. Where four weeks' sales as a "
        "whole would have cost less than it, the night stops.",
    )
    cost_spread: float = Field(
        default=4.0, ge=1, description="Vendors of an item whose costs differ by more are told."
    )
    price_jump: float = Field(
        default=10.0, gt=1, description="A price so many times the one before (or less) is told."
    )
    units_jump: float = Field(
        default=100.0, gt=1, description="A day's sales so many times the item's others are told."
    )
    stock_years: float = Field(
        default=5.0, gt=0, description="Stock or orders for more years of sales are told."
    )
    stale_after_days: int = Field(
        default=7, ge=1, description="Days without any sale before as_of that stop the night."
    )
    quiet_after_days: int = Field(
        default=28,
        ge=7,
        le=365,
        description="Days without a sale after which an item that sold more often may be dead.",
    )
    sales_grain: Literal["auto", "day", "week", "month"] = Field(
        default="auto",
        description="What a row of sales sums up; auto recognises weeks and months and says so.",
    )
    sales_date: Literal["auto", "first_day", "last_day"] = Field(
        default="auto",
        description="Which day of its week or month the date of a row of sales is.",
    )
    stockout_probability: float = Field(
        default=1e-5,
        ge=0,
        le=0.1,
        description="Runs of days without sales less likely than this are taken for stock-outs.",
    )
    stockout_max_days: int = Field(
        default=28,
        ge=1,
        le=365,
        description="Longer runs without sales are taken for no demand.",
    )
    lead_time_prior_receipts: float = Field(
        default=20.0,
        gt=0,
        description="Receipts of a vendor that weigh as much as what all vendors together show.",
    )
    lead_time_vendor_receipts: float = Field(
        default=12.0,
        gt=0,
        description="Receipts of an item that weigh as much as what its vendor shows.",
    )

    @field_validator("date_format")
    @classmethod
    def _names_a_day(cls, text: str) -> str:
        day = datetime(2031, 12, 25)
        if text and datetime.strptime(day.strftime(text), text).date() != day.date():
            raise ValueError(f"{text!r} does not name day, month and year, e.g. '%d/%m/%Y'")
        return text

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name!r}") from error
        return name
