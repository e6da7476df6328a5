"""Every setting, once: frozen, extra keys refused. configs/default.yaml is generated from here.

Parameters of the mathematics are core's own dataclasses, nested under their stage's section.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import SettingsError

LEAST_HISTORY_DAYS = 56
"""Days with sales that a history must have to teach the forecast by itself."""


class Section(BaseModel):
    """A section of the settings file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanningSettings(Section):
    """The calendar of decisions that all stages share."""

    review_period_days: int = Field(
        default=7, ge=1, le=60, description="Days between orders of an item."
    )
    horizon_weeks: int = Field(
        default=6, ge=1, le=26, description="Weeks of capacity that are planned."
    )
    holding_rate_per_year: float = Field(
        default=0.25,
        ge=0,
        le=2,
        description="Capital cost of stock, as a share of its cost a year.",
    )
    goodwill_share: float = Field(
        default=0.1,
        ge=0,
        le=5,
        description="Goodwill lost with a lost sale, as a share of the price.",
    )
    drops_losing_items: bool = Field(
        default=False,
        description="Items that cost more to deliver than a sale brings get no stock; false: "
        "such a sale is worth its goodwill.",
    )
    seed: int = Field(
        default=20160424, ge=0, description="Mixed with the business date for every draw."
    )


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
        default=0.01, ge=0, le=1, description="A cost below this share of the price is told."
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


class MeanSettings(Section):
    """How expected demand is learned; the last five are LightGBM's."""

    train_days: int = Field(300, ge=28, description="How far back training origins reach.")
    origin_step_days: int = Field(7, ge=1, description="Days between two origins of a series.")
    rows_per_origin: int = Field(2, ge=1, description="Target days drawn for each origin.")
    launch_rows: int = Field(
        8, ge=0, description="Target days drawn in each of the first four weeks of a launch."
    )
    weight_units: float = Field(
        4.0, gt=0, description="Daily units above which a row weighs less: 1 / (1 + level / this)."
    )
    trees: int = Field(200, ge=1, description="Boosting rounds.")
    leaves: int = Field(63, ge=2, description="Leaves of a tree.")
    leaf_rows: int = Field(200, ge=1, description="Rows of a leaf, at least.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Shrinkage of each tree.")
    max_bin: int = Field(127, ge=15, le=255, description="Bins of a feature.")


class ShapeSettings(Section):
    """How the spread around the mean is learned, by LightGBM."""

    trees: int = Field(80, ge=1, description="Boosting rounds.")
    leaves: int = Field(24, ge=2, description="Leaves of a tree.")
    leaf_rows: int = Field(400, ge=1, description="Rows of a leaf, at least.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Shrinkage of each tree.")


class ForecastSettings(Section):
    """What is forecast, and when the model is trained."""

    mean: MeanSettings = MeanSettings()
    shape: ShapeSettings = ShapeSettings()
    calibration_days: int = Field(
        84, ge=14, description="Last days, forecast without having seen them, to learn the spread."
    )
    calibration_step_days: int = Field(
        14, ge=1, description="Days between the origins of those forecasts."
    )
    calibration_items: int = Field(
        1500, ge=1, description="Items whose windows are used for that, at most."
    )
    calibration_strength: float = Field(
        1.0, ge=0, le=1, description="Share of the correction of probability levels applied."
    )
    explained_items: int = Field(
        50, ge=0, description="Items whose forecast moved most, explained by driver each night."
    )
    shard_items: int = Field(500, ge=1, description="Items forecast at a time; bounds memory.")

    train_weekday: int = Field(
        default=6, ge=0, le=6, description="Weekday on which a model is due: 0 Monday … 6 Sunday."
    )
    window_days: tuple[int, ...] = Field(
        default=(7, 14, 21, 28, 35, 42, 56),
        description="Lengths of the windows that start tomorrow.",
    )


class AssortSettings(Section):
    """Groups of substitutes (raw table choice_groups); without groups nothing here acts."""

    prior_moves: float = Field(
        default=30.0,
        gt=0,
        description="Customers of an item for whom the prior (the logit) counts.",
    )
    season_days: int = Field(
        default=28, ge=1, le=400, description="Days of the season that the assortment is for."
    )
    seasons: int = Field(default=100, ge=10, le=5000, description="Seasons sampled for a group.")
    dispersion: float = Field(
        default=2.0, ge=1, le=100, description="Variance of a season's customers over their mean."
    )
    drops_items: bool = Field(
        default=False,
        description="Items whose customers are worth more when they turn to others get no stock, "
        "and their demand is passed on.",
    )
    least_lost_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="A lost sale never counts for less than this share of the sale, however much "
        "others win back; not used where items are dropped.",
    )


class OptimizeSettings(Section):
    """The multi-echelon optimizer."""

    scenarios: int = Field(
        default=256, ge=16, le=4096, description="Joint demand scenarios drawn for an item."
    )
    rank_banks: int = Field(
        default=16, ge=1, le=256, description="Banks of joint ranks that items share."
    )
    target_gap: float = Field(
        default=3e-4, gt=0, le=0.1, description="Certified gap at which the solver stops."
    )
    exact_items: int = Field(
        default=150,
        ge=0,
        le=1000,
        description="Worlds of no more items get exact prices, and a search where rounding leaves "
        "a gap near 0.1 %. Simulations set it to 0, for speed, unless they name it.",
    )
    general_share: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="A size class is planned by the general model where more of its demand than "
        "this share can be served in time by nodes that are no set of the tree.",
    )
    general_scenarios: int = Field(
        default=32, ge=8, le=512, description="Demand scenarios of an item in the general model."
    )
    audit_items: int = Field(
        default=20,
        ge=0,
        description="Items planned by the general model, too, to see what the nested one loses. "
        "Simulations set it to 0.",
    )
    storage_overflow_usd_per_cuft_week: float = Field(
        default=5.0, gt=0, description="Cost of a cubic foot stored beyond capacity for a week."
    )
    flow_overflow_usd_per_unit: float = Field(
        default=3.0, gt=0, description="Cost of a unit received or shipped beyond capacity."
    )
    lane_overflow_usd_per_cuft: float = Field(
        default=4.0, gt=0, description="Cost of a cubic foot sent over a lane beyond capacity."
    )
    budget_overflow_usd_per_usd: float = Field(
        default=1.0, gt=0, description="Cost of a dollar that levels need beyond buy.budget_usd."
    )


class BuySettings(Section):
    """Purchase orders."""

    budget_usd: float | None = Field(
        default=None, ge=0, description="Most that one night's orders may cost; null: no limit."
    )
    dead_band_share: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="An item asks for an order when short by this share of a review's demand.",
    )
    join_share: float = Field(
        default=0.5,
        ge=0,
        le=10,
        description="An item joins an order that its vendor gets anyway when it lacks this share.",
    )
    order_line_usd: float = Field(
        default=0.5,
        ge=0,
        description="Cost of placing and receiving one order line, whatever its units.",
    )
    max_excess_weeks: float = Field(
        26,
        gt=0,
        le=520,
        description="Most weeks of demand that MOQ and case pack may add to the order-up-to level.",
    )
    max_safety_weeks: float = Field(
        default=8,
        gt=0,
        le=520,
        description="Most weeks of expected demand, beyond the cover, that an order may lead to.",
    )
    quiet_order_usd: float = Field(
        default=25.0,
        ge=0,
        description="Most that the least order of an item gone quiet may cost while it is out of "
        "stock; more is for a planner's override to order.",
    )


class PlaceSettings(Section):
    """Inbound assignment and transfers."""

    transfer_line_usd: float = Field(
        default=0.05, ge=0, description="Cost of picking and receiving one transfer line."
    )


class LaborSettings(Section):
    """Labor, doors and carts of the nodes, in the load stages."""

    days: int = Field(14, ge=1, le=56, description="Days that are staffed.")
    outbound_s_per_unit: float = Field(45.0, gt=0, description="Seconds to pick and pack a unit.")
    inbound_s_per_unit: float = Field(30.0, gt=0, description="Seconds to receive and stow a unit.")
    dock_first_hour: int = Field(6, ge=0, le=23, description="First hour of unloading.")
    dock_last_hour: int = Field(18, ge=1, le=24, description="Hour at which unloading ends.")
    door_units_per_hour: float = Field(600.0, gt=0, description="Units that a door takes an hour.")
    cart_minutes_per_unit: float = Field(1.5, gt=0, description="Minutes that a unit rides a cart.")
    shift_first_hours: tuple[int, ...] = Field((6, 10, 14, 22), description="Starts of shifts.")
    shift_hours: int = Field(8, ge=1, le=12, description="Hours of a shift.")
    wage_usd_per_hour: float = Field(24.0, ge=0, description="Wage.")
    overtime_usd_per_hour: float = Field(36.0, ge=0, description="Wage of overtime.")
    overtime_hours_per_day: float = Field(
        40.0, ge=0, description="Hours bought a day where they cost less than they are worth."
    )


class LoadSettings(Section):
    """Peak load; nothing of it concerns the night."""

    horizon_days: int = Field(731, ge=1, le=1500, description="Days that are forecast by the day.")
    hour_horizon_days: int = Field(56, ge=1, le=731, description="Days that are told by the hour.")
    minute_horizon_days: int = Field(
        14, ge=0, le=366, description="Days that are told by the series' own interval."
    )
    paths: int = Field(200, ge=20, le=5000, description="Sample paths behind every quantile.")
    labor: LaborSettings = LaborSettings()


class ReviewSettings(Section):
    """Explanations and the report."""

    largest_orders: int = Field(
        default=10, ge=1, le=1000, description="Orders shown in the summary."
    )
    approval_usd: float = Field(
        default=1_000.0, ge=0, description="Order lines from this value on wait for a person."
    )
    oddest_orders: int = Field(default=10, ge=0, le=1000, description="Odd orders shown.")
    risk_items: int = Field(
        default=15, ge=0, le=1000, description="Items shown that may run out of stock."
    )
    fan_charts: int = Field(default=6, ge=0, le=100, description="Items whose forecast is drawn.")


class RunSettings(Section):
    """How the work is done; nothing here changes a byte of the plan."""

    threads: int = Field(default=2, ge=1, le=256, description="Threads for solvers and models.")
    engine: Literal["threads", "dask"] = Field(default="threads", description="Where shards run.")
    scheduler: str | None = Field(default=None, description="Address of the Dask scheduler.")


class Settings(Section):
    """All settings of a run."""

    planning: PlanningSettings = PlanningSettings()
    ingest: IngestSettings = IngestSettings()
    forecast: ForecastSettings = ForecastSettings()
    assort: AssortSettings = AssortSettings()
    optimize: OptimizeSettings = OptimizeSettings()
    buy: BuySettings = BuySettings()
    place: PlaceSettings = PlaceSettings()
    load: LoadSettings = LoadSettings()
    review: ReviewSettings = ReviewSettings()
    run: RunSettings = RunSettings()

    def sha256(self) -> str:
        """Hash of every setting that can change the plan (all but `run`)."""
        content = self.model_dump(mode="json", exclude={"run"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_settings(path: Path | None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from a YAML file (None: the defaults), with `overrides` laid over its sections.

    Raises SettingsError naming every wrong key or value at once.
    """
    content: dict[str, Any] = {}
    if path is not None:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise SettingsError(f"settings file {path}: {error.strerror}") from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            # Never its content, which may be another file's than the settings'.
            mark = getattr(error, "problem_mark", None)
            where = f" from line {mark.line + 1}, column {mark.column + 1} on" if mark else ""
            raise SettingsError(
                f"settings file {path}: not YAML{where}. "
                "Next: correct it; docs/settings.md lists every setting."
            ) from None
        if not isinstance(content, dict):
            raise SettingsError(f"settings file {path}: the top level must hold sections")
    for section, values in (overrides or {}).items():
        content[section] = {**(content.get(section) or {}), **values}
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        lines = [
            f"  - {'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        ]
        text = f"settings{f' file {path}' if path else ''}: {len(lines)} problem(s)\n"
        raise SettingsError(
            text + "\n".join(lines) + "\nNext: correct them; docs/settings.md lists every setting."
        ) from error
