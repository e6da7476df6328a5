"""The optimizer."""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.sections.base import Section


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
        "this share can be served in time by nodes that are no set of the tree, unless its network "
        "is too wide for that (`general_skipped_items` in `optimize_summary`).",
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
    certified_items: int = Field(
        default=20_000,
        ge=0,
        description="Nights of no more items publish what `echelon certify` recomputes the "
        "certificate from (tables problem_*). Simulations set it to 0.",
    )
    price_derivatives: bool = Field(
        default=True,
        description="Tell one-sided derivatives of capacity prices; where not, both are the price, "
        "and nothing else changes. Simulations do without.",
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


class ServiceSettings(Section):
    """Service targets (raw table service_targets)."""

    most_price_per_cost: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="Most that a unit of shortage may be priced for a target, in unit costs of the "
        "dearest item that it is about; a target that needs more is planned as well as that goes.",
    )
    searched_items: int = Field(
        default=4000,
        ge=100,
        description="Items on which prices of targets are searched: the largest, and a sample.",
    )
