"""The production plan as a policy: the stages of the night up to placement, as they are."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulate.rivals.situation import ORDER_COLUMNS, TRANSFER_COLUMNS, Plan, Situation


@dataclass(frozen=True)
class Echelon:
    """The night's own orders and transfers; sees_capacity: false shows it capacities without
    limit."""

    name: str = "echelon"
    stages: tuple[str, ...] = ("ingest", "forecast", "assort", "optimize", "buy", "place")
    every_days: int = 1
    reads: tuple[str, ...] = (
        "purchase_orders", "inbound_assignments", "transfers", "demand_quantiles",
        "protection_levels",
    )  # fmt: skip
    sees_capacity: bool = True

    def decide(self, situation: Situation) -> Plan:
        """The published orders, sent where place assigned them, and the published transfers."""
        lines = situation.tables["purchase_orders"].set_index("order_line_id")
        parts = situation.tables["inbound_assignments"]
        parts = parts[parts["assigned_units"] > 0].rename(columns={"assigned_units": "units"})
        parts = parts.join(lines[["unit_cost_usd", "expected_arrival_date"]], on="order_line_id")
        transfers = situation.tables["transfers"]
        return Plan(
            parts[list(ORDER_COLUMNS)].reset_index(drop=True), transfers[list(TRANSFER_COLUMNS)]
        )
