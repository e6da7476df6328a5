"""Purchase orders and placement."""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.sections.base import Section


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
        default=26,
        gt=0,
        le=520,
        description="Most weeks of expected demand, beyond the cover, that an order may lead to; "
        "of an item known for less, as many as it is known for, four at least.",
    )
    quiet_order_usd: float = Field(
        default=25.0,
        ge=0,
        description="Most that the least order of an item gone quiet may cost while it is out of "
        "stock; more is for a planner's override to order.",
    )
    quiet_demand_usd: float = Field(
        default=0.0,
        ge=0,
        description="Most that what is expected to sell of an item gone quiet may cost. 0: its "
        "return is not bet on; above, where silent items often come back, as M5's do.",
    )
    silent_order_usd: float = Field(
        default=250.0,
        ge=0,
        description="Most that safety stock of an item more likely dead than not may cost beyond "
        "what is expected to sell; more waits until it sells again, or for an override.",
    )


class PlaceSettings(Section):
    """Inbound assignment and transfers."""

    transfer_line_usd: float = Field(
        default=0.05, ge=0, description="Cost of picking and receiving one transfer line."
    )
    protection_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of what Littlewood's rule keeps in a node for orders that lose more "
        "elsewhere (table protection_levels); transfers leave it, assignment honours it; 0: none.",
    )
