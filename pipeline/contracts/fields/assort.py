"""Columns of substitution and assortments."""

from __future__ import annotations

from pipeline.contracts.fields.names import LEAVES
from pipeline.contracts.kinds import Column

ASSORT_COLUMNS = (
    Column("to_item_id", "category", f"Item that the customer turns to; '{LEAVES}': none."),
    Column("share_from_data", "float",
           "Share of the row that data say, the rest is the prior's (0: the logit itself).",
           low=0, high=1),
    Column("first_choice_units", "float", "Units a day that customers wanted first.", low=0),
    Column("sold_units", "float", "Units sold a day.", low=0),
    Column("recaptured_units", "float",
           "Units a day sold to customers who had wanted another item first.", low=0),
    Column("stocked_share", "float", "Share of the time that the item was in stock.", low=0,
           high=1),
    Column("is_offered", "bool", "The best plan of a season carries the item."),
    Column("season_units", "int", "Units of the best plan of a season.", low=0),
    Column("value_usd", "float",
           "What a customer is worth who stands at the item, if chance were no matter.", low=0),
    Column("value_if_dropped_usd", "float",
           "Profit of a season that would be lost without the item, the others kept."),
    Column("assortment_reason", "category",
           "unique: most of its sales would be lost without it; pools: the others would win "
           "most of them back; cannibalizes: its customers are worth more elsewhere; "
           "unprofitable: it has no margin.",
           values=("unique", "pools", "cannibalizes", "unprofitable")),
    Column("group_items", "int", "Items of the group.", low=2),
    Column("carried_items", "int", "Items that the best plan carries.", low=0),
    Column("season_profit_usd", "float", "Profit of the best plan on fresh seasons."),
    Column("lp_bound_usd", "float", "Most profit if chance were no matter.", low=0),
    Column("season_bound_usd", "float",
           "Profit that no plan exceeds in expectation, with 95 % confidence."),
    Column("bound_gap", "float", "(bound - profit) / bound.", low=0),
)  # fmt: skip
