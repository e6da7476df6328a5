"""Review, and how the work is done."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.contracts.sections.base import Section


class ReviewSettings(Section):
    """Explanations and the report."""

    largest_orders: int = Field(
        default=10, ge=1, le=1000, description="Orders shown in the summary."
    )
    approval_usd: float = Field(
        default=1_000.0, ge=0, description="Order lines from this value on wait for a person."
    )
    planner_override_usd: float = Field(
        default=10_000.0,
        ge=0,
        description="Overrides that move tonight's orders by more money need a lead.",
    )
    planner_approval_usd: float = Field(
        default=25_000.0, ge=0, description="Order lines above this value need a lead to approve."
    )
    unplaced_orders: Literal["ask", "ignore"] = Field(
        default="ask",
        description="Last night's order lines that are not on order tonight: ask whether they were "
        "placed, or say nothing. They never count as on order; what the desk released does.",
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
