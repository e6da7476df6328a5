"""Settings that all stages share."""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.sections.base import Section


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
