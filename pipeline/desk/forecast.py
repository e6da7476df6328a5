"""Page *Forecast*: scores by group, what moved, and the demand that did not fit."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables


def forecast_page(night: NightTables) -> dict[str, Any]:
    """`scores`, `moved` and `findings`, each the most telling first."""
    return {
        "scores": night.rows(
            "select * from forecast_scores where region_group = 'network' "
            "order by item_group, window_days", (), "forecast_scores",
        ),
        "moved": night.rows(
            "select c.item_id, i.item_name, i.category, c.previous_mean_units, c.mean_units, "
            "c.change_units, c.change_units * i.list_price_usd as change_usd, "
            "(select arg_max(driver, abs(change_units)) from forecast_changes d "
            "where d.item_id = c.item_id and driver <> 'all') as driver "
            "from forecast_changes c join items i using (item_id) where driver = 'all' "
            "order by abs(change_usd) desc, c.item_id limit 50", (), "forecast_changes", "items",
        ),
        "findings": night.rows(
            "select f.*, i.item_name from demand_findings f left join items i using (item_id) "
            "order by abs(observed_units - usual_units) desc, item_id, region_id, finding_date "
            "limit 50", (), "demand_findings", "items",
        ),
        "categories": night.rows(
            "select i.category, sum(mean_units) as units, sum(mean_units * list_price_usd) as usd "
            "from demand_quantiles q join items i using (item_id) where window_start_day = 1 and "
            "window_days = 28 group by 1 order by usd desc", (), "demand_quantiles", "items",
        ),
    }  # fmt: skip
