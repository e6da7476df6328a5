"""Columns of orders, transfers and their reasons."""

from __future__ import annotations

from pipeline.contracts.fields.names import EXCEPTION_KINDS, REASON_CODES
from pipeline.contracts.kinds import Column

ORDER_COLUMNS = (
    Column("order_units", "int", "Units ordered.", low=1),
    Column("cases", "int", "Cases ordered or moved; a broken case counts as one.", low=1),
    Column("order_cost_usd", "float", "Units times unit cost.", low=0),
    Column("needed_units", "int",
           "Units below the order-up-to (or base-stock) level, before rounding; of a transfer "
           "also those of `relief_units`.", low=0),
    Column("relief_units", "int",
           "Units that the sending node will have no space for, though the receiving one does not "
           "lack them; they may exceed its dock where that costs less than the space.", low=0),
    Column("override_units", "int",
           "Units that planners' overrides added to (or took from) what would be ordered, or "
           "to the level."),
    Column("reason_code", "category", "Main reason of the line.", values=REASON_CODES),
    Column("value_gained_usd", "float", "Value of the decision against doing nothing."),
    Column("candidate_units", "int", "Units of the alternative.", low=0),
    Column("is_chosen", "bool", "The alternative was chosen."),
    Column("why_not", "string", "Why the alternative was not chosen.", null="it was chosen"),
    Column("assigned_units", "int", "Units of the order line sent to the node.", low=0),
    Column("from_hour", "int", "First hour of the time in which the order comes, to the next one "
           "of its region and speed.", low=0, high=23),
    Column("offer_rank", "int", "Place among the ways to serve such an order: those in time first, "
           "each by cost.", low=0),
    Column("keeps_promise", "bool", "The node is in time for the speed."),
    Column("assignable_units", "int", "Units on hand tonight, less tonight's transfers.", low=0),
    Column("replacement_usd", "float", "What bringing the next unit there costs from a vendor's "
           "dock: handling and lanes.", low=0),
    Column("relief_usd", "float", "Overflow that a unit spares by leaving a node that is too "
           "full.", low=0),
    Column("unit_worth_usd", "float", "Replacement less relief: added to the offer's cost, it "
           "decides which node serves."),
    Column("protected_units", "int", "Units that an order of the speed leaves in the node while "
           "anything else can serve it.", low=1),
    Column("transfer_units", "int", "Units moved.", low=1),
    Column("driver", "category", "What moved the quantity."),
    Column("driver_units", "int", "Its share of the quantity; drivers add up exactly."),
    Column("driver_order", "int", "Order in which the drivers are read.", low=0),
    Column("sentence", "string", "The reason in one sentence."),
    Column("change_key", "string", "What changed: an item's order, or a transfer over a lane."),
    Column("previous_units", "int", "Quantity in the previous plan.", low=0),
    Column("current_units", "int", "Quantity in this plan.", low=0),
    Column("on_order_units", "int",
           "Units of its item and vendor that tonight's open orders hold, dated since; 0: not "
           "seen, were they placed?", low=0),
    Column("is_proposed_again", "bool", "Tonight's plan orders the item again."),
    Column("inventory_position_units", "int",
           "On hand, in transit, and open orders that arrive before a new order would.", low=0),
    Column("table_name", "category", "Table of the finding."),
    Column("row_key", "string",
           "Key of the row as written, its columns in order; '-': the whole table. echelon "
           "check gives row numbers of the file."),
    Column("row_count", "int", "Rows that the finding stands for.", low=1),
    Column("column_name", "category", "Column of the finding."),
    Column("rule", "string", "Rule that was broken."),
    Column("bad_value", "string", "What was there."),
    Column("reason", "string", "What it means and what to do."),
    Column("kpi", "category", "Key figure of the night."),
    Column("exception_kind", "category", "What asks for a person.", values=EXCEPTION_KINDS),
    Column("exception_key", "string", "The kind, and what of the night it is about."),
    Column("at_stake_usd", "float", "Money at stake: the order's cost, sales that may be lost, "
           "what a tenth more capacity brings, the cost of what is late; 0: not known.", low=0),
    Column("exception_title", "string", "The item, node, vendor or table."),
    Column("exception_detail", "string", "What is known of it, in a sentence or two."),
    Column("desk_page", "string", "Page of the desk on which to read on."),
)  # fmt: skip
