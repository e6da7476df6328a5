"""What needs a look is said once, plainly, and the serious things first."""

from __future__ import annotations

from pipeline.review.attention import attention_points

QUIET = {"violation": 0.0, "certified_gap": 0.004, "items_likely_to_run_out": 0.0,
         "forecast_coverage_90": 0.9, "quarantined_rows": 0.0}  # fmt: skip


def test_a_quiet_night_has_no_points() -> None:
    assert attention_points(QUIET, 0, []) == []


def test_orders_that_last_beyond_the_forecast_are_told() -> None:
    far = {"items_beyond_forecast": 3.0, "longest_cover_days": 127.4, "longest_forecast_days": 56.0}
    (point,) = attention_points(QUIET | far, 0, [])
    assert "3 items must last up to 127 days, beyond the 56 that are forecast" in point.text


def test_an_overflow_that_costs_nothing_is_not_said_to_be_paid_for() -> None:
    (point,) = attention_points(QUIET | {"capacities_exceeded": 2.0}, 0, [])
    assert point.text == (
        "2 capacities overflow in some week; by too little to cost a dollar a week."
    )


def test_a_category_that_is_far_off_is_named_and_the_point_leads_to_the_scores() -> None:
    off = [("toys", -0.57), ("all items", 0.3), ("food", 0.28), ("garden", 0.26)]
    points = attention_points(QUIET, 0, [], (), off)
    assert [point.text for point in points] == [
        "The forecast of toys was 57% too low lately.",
        "The forecast of all items was 30% too high lately.",
        "The forecast of food was 28% too high lately.",
        "As far off: 1 more group.",
    ]
    assert {point.section for point in points} == {"calibration"}


def test_each_figure_out_of_bounds_has_a_point_and_serious_ones_lead() -> None:
    kpis = {
        "violation": 0.02, "certified_gap": 0.03, "items_likely_to_run_out": 1.0,
        "forecast_coverage_90": 0.8, "order_churn": 0.5, "quarantined_rows": 2.0,
        "overrides_in_force": 1.0, "capacities_exceeded": 1.0,
        "overflow_cost_usd": 12.4, "items_not_worth_stocking": 2.0,
        "items_kept_for_goodwill": 1.0, "general_skipped_items": 3.0,
    }  # fmt: skip
    points = attention_points(kpis, 1, ["storage at A", "inbound at B", "x", "y"])
    texts = [point.text for point in points]
    assert [point.is_serious for point in points] == [True] * 4 + [False] * 9
    for text in (
        "The plan exceeds a capacity by up to 2.0%.",
        "1 capacity overflows in some week; it costs $12 a week.",
        "1 item will probably run out of stock before a later order can help.",
        "Full in some week: storage at A, inbound at B, x and 1 more.",
        "Orders changed by 50% since yesterday.",
        "2 items cost more to deliver than a sale brings and get no stock.",
        "1 item to be stocked brings no money after delivery, only goodwill "
        "(planning.goodwill_share); planning.drops_losing_items leaves such items out.",
        "Orders for 3 items can be served in time by nodes that do not nest, and the network is "
        "too wide for the model that knows it: levels are planned as if they did.",
        "1 order looks odd.",
        "2 findings in the raw data.",
        "1 planner's override is in force.",
    ):
        assert text in texts
