"""What can be listed on the desk: orders, transfers, items, levels, candidates, findings."""

from __future__ import annotations

from pipeline.desk.listing import Field, Listing

ORDERS = Listing(
    "orders",
    """
select o.place, o.order_line_id, o.item_id, i.item_name, i.category, i.department, o.vendor_id,
  v.vendor_name, o.order_units, o.cases, o.unit_cost_usd, o.order_cost_usd, o.needed_units,
  o.override_units, o.inventory_position_units, o.order_up_to_units, o.expected_arrival_date,
  o.value_gained_usd, o.reason_code, w.weekly_units,
  o.inventory_position_units / nullif(w.weekly_units, 0) as weeks_before,
  (o.inventory_position_units + o.order_units) / nullif(w.weekly_units, 0) as weeks_after
from numbered o
left join items i using (item_id)
left join vendors v using (vendor_id)
left join weekly w using (item_id)
""",
    ("purchase_orders", "items", "vendors", "demand_quantiles"),
    (
        Field("item_id", "Item", is_shown=False), Field("item_name", "Item"),
        Field("vendor_id", "Vendor id", is_shown=False, is_facet=True),
        Field("vendor_name", "Vendor"), Field("category", "Category", is_facet=True),
        Field("department", "Department", is_shown=False, is_facet=True),
        Field("order_units", "Units", "units"), Field("cases", "Cases", "units", is_shown=False),
        Field("unit_cost_usd", "Unit cost", "usd2", is_shown=False),
        Field("order_cost_usd", "Value", "usd"),
        Field("needed_units", "Needed", "units", is_shown=False),
        Field("override_units", "By override", "units", is_shown=False),
        Field("inventory_position_units", "Position", "units", is_shown=False),
        Field("order_up_to_units", "Order up to", "units", is_shown=False),
        Field("weekly_units", "Sells a week", "decimal"),
        Field("weeks_before", "Weeks of cover", "weeks"), Field("weeks_after", "after", "weeks"),
        Field("expected_arrival_date", "Arrives", "date"),
        Field("value_gained_usd", "Lost if not ordered", "usd2"),
        Field("reason_code", "Set by", is_facet=True),
        Field("order_line_id", "Line", is_shown=False),
    ),
    ("item_id", "item_name", "vendor_name", "order_line_id"),
    "-order_cost_usd", "order_line_id", ("order_cost_usd", "order_units", "value_gained_usd"),
    "select order_line_id as key, any_value(sentence) as sentence from order_reasons "
    "where order_line_id in (?) group by 1", "order_reasons", uses_weekly=True,
)  # fmt: skip

TRANSFERS = Listing(
    "transfers",
    """
select t.place, t.transfer_id, t.item_id, i.item_name, i.category, t.from_node_id, t.to_node_id,
  t.transfer_units, t.needed_units, t.relief_units, t.transfer_units * i.unit_cube_cuft as cuft,
  t.transfer_units * i.unit_cube_cuft * coalesce(l.lane_usd_per_cuft, 0) as freight_usd,
  t.ship_date, t.expected_arrival_date, t.value_gained_usd
from numbered t
left join items i using (item_id)
left join lanes l on l.from_node_id = t.from_node_id and l.to_node_id = t.to_node_id
""",
    ("transfers", "items", "lanes"),
    (
        Field("item_id", "Item", is_shown=False), Field("item_name", "Item"),
        Field("category", "Category", is_facet=True),
        Field("from_node_id", "From", is_facet=True), Field("to_node_id", "To", is_facet=True),
        Field("transfer_units", "Units", "units"), Field("needed_units", "Needed", "units"),
        Field("relief_units", "No space for", "units", is_shown=False),
        Field("cuft", "Cubic feet", "decimal"), Field("freight_usd", "Freight", "usd2"),
        Field("value_gained_usd", "Gains", "usd2"), Field("ship_date", "Ships", "date"),
        Field("expected_arrival_date", "Arrives", "date"),
        Field("transfer_id", "Transfer", is_shown=False),
    ),
    ("item_id", "item_name", "from_node_id", "to_node_id"),
    "-value_gained_usd", "transfer_id", ("transfer_units", "freight_usd", "value_gained_usd"),
    "select transfer_id as key, any_value(sentence) as sentence from transfer_reasons "
    "where transfer_id in (?) group by 1", "transfer_reasons",
)  # fmt: skip

ITEMS = Listing(
    "items",
    """
select i.place, i.item_id, i.item_name, i.category, i.department, i.list_price_usd, i.launch_date,
  w.weekly_units, coalesce(s.on_hand, 0) as on_hand_units,
  coalesce(p.on_order, 0) as on_order_units,
  t.order_up_to_units, coalesce(o.ordered, 0) as order_units,
  coalesce(s.on_hand, 0) / nullif(w.weekly_units, 0) as weeks_on_hand,
  c.why_not
from numbered i
left join weekly w using (item_id)
left join (select item_id, sum(on_hand_units) as on_hand from stock
  where date = (select max(date) from stock) group by 1) s using (item_id)
left join (select item_id, sum(open_units) as on_order from open_orders
  where date = (select max(date) from open_orders) group by 1) p using (item_id)
left join (select item_id, max(order_up_to_units) as order_up_to_units from network_targets
  group by 1) t using (item_id)
left join (select item_id, sum(order_units) as ordered from purchase_orders group by 1) o
  using (item_id)
left join (select item_id, arg_max(why_not, value_gained_usd) as why_not from order_candidates
  where candidate_units > 0 and not is_chosen
    and item_id not in (select item_id from purchase_orders) group by 1) c using (item_id)
""",
    ("items", "demand_quantiles", "stock", "open_orders", "network_targets", "purchase_orders",
     "order_candidates"),
    (
        Field("item_id", "Item"), Field("item_name", "Name"),
        Field("category", "Category", is_facet=True),
        Field("department", "Department", is_shown=False, is_facet=True),
        Field("list_price_usd", "Price", "usd2"), Field("weekly_units", "Sells a week", "decimal"),
        Field("on_hand_units", "On hand", "units"), Field("on_order_units", "On order", "units"),
        Field("weeks_on_hand", "Weeks on hand", "weeks"),
        Field("order_up_to_units", "Order up to", "units"),
        Field("order_units", "Ordered tonight", "units"),
        Field("launch_date", "Launched", "date", is_shown=False),
        Field("why_not", "Best order not placed, because"),
    ),
    ("item_id", "item_name"), "item_id", "item_id",
    ("on_hand_units", "on_order_units", "order_units"), uses_weekly=True,
)  # fmt: skip

FINDINGS = Listing(
    "findings",
    "select *, concat_ws('/', table_name, row_key, column_name, rule, bad_value) as finding_key "
    "from numbered",
    ("quarantine",),
    (
        Field("table_name", "Table", is_facet=True), Field("row_key", "Key of the row"),
        Field("row_count", "Rows", "units"), Field("column_name", "Column"),
        Field("rule", "What is wrong", is_facet=True),
        Field("bad_value", "Value"), Field("reason", "What was done, and what to do"),
        Field("finding_key", "Key", is_shown=False),
    ),
    ("table_name", "rule", "bad_value", "reason"), "table_name", "finding_key",
)  # fmt: skip

LISTINGS = {listing.name: listing for listing in (ORDERS, TRANSFERS, ITEMS, FINDINGS)}
