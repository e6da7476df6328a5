"""Stage buy: read the targets and what there is, decide the orders, publish them."""

from __future__ import annotations

from pipeline.buy.lines import order_candidates, purchase_orders
from pipeline.buy.plan import BuyTables, plan_orders
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish purchase_orders and order_candidates of the night."""
    tables = BuyTables(**{name: night.read(name) for name in BuyTables.__dataclass_fields__})
    plan = plan_orders(tables, night.as_of, night.settings.planning, night.settings.buy)
    night.write("purchase_orders", purchase_orders(plan, night.as_of))
    night.write("order_candidates", order_candidates(plan, night.settings.buy))
