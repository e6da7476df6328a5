"""Substitution."""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.sections.base import Section


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
