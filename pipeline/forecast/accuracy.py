"""How good published forecasts were: each night's quantiles of 1, 2, 4 and 8 weeks ago against
what came, and what planners' overrides added.

Only what was published then is scored, by a model trained no later than that night, so no score is
made on days that fitted it. A window in which the item was not in stock all day is left out: its
sales are no demand. The rival is the seasonal naive forecast of the same night, the same weekdays
of as many days before it. Counts are read as mid-ranks: an actual equal to a quantile counts half.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.forecast.panel import F64
from pipeline.forecast.scores import pinball, velocity_class

AGES = ((0, 28, "age 0-27 days"), (28, 182, "age 28-181 days"), (182, 10**6, "age 182- days"))
COVERED = (0.5, 0.9, 0.95)
LEAST_ROWS = 30
BIASED, TRACKED, UNCOVERED = 0.1, 4.0, 0.05
"""An exception: relative bias and tracking signal both beyond these, or the 0.9 quantile's
coverage further off than this."""
_KEYS = ["horizon_days", "item_group", "region_group"]


def scored_windows(
    published: pd.DataFrame, demand: pd.DataFrame, origin: date, days: int
) -> pd.DataFrame:
    """The windows that began the day after `origin` and lasted `days`, with `units` that came and
    `naive_units`, those of as many days before; in stock all the time both in and before."""
    own = published[
        (published["window_start_day"] == 1)
        & (published["window_days"] == days)
        & (published["model_date"] <= pd.Timestamp(origin))
    ]
    offset = (demand["date"] - pd.Timestamp(origin)).dt.days.to_numpy()
    parts = []
    for name, low, high in (("units", 1, days), ("naive_units", 1 - days, 0)):
        inside = demand[(offset >= low) & (offset <= high)]
        keys = [inside[name].astype(str) for name in ("item_id", "region_id")]
        whole = (inside["in_stock_share"] >= 1.0).groupby(keys).all()
        parts.append(inside["units"].groupby(keys).sum()[whole].rename(name))
    came = pd.concat(parts, axis=1, join="inner").rename_axis(["item_id", "region_id"])
    typed = own.astype({"item_id": "str", "region_id": "str"})
    return typed.merge(came.reset_index(), on=["item_id", "region_id"])


def forecast_accuracy(
    windows: Mapping[int, pd.DataFrame], items: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Table forecast_accuracy from `scored_windows` by horizon (days), sorted by key."""
    parts = []
    facts = items.assign(item_id=items["item_id"].astype(str)).set_index("item_id")
    for days, rows in sorted(windows.items()):
        if rows.empty:
            continue
        base = _errors(rows)
        own = facts.loc[rows["item_id"].tolist()]
        launch = (pd.Timestamp(as_of) - own["launch_date"]).dt.days.to_numpy() - days
        age = np.select(
            [(launch >= low) & (launch < high) for low, high, _ in AGES], [n for *_, n in AGES],
            AGES[0][2],
        )  # fmt: skip
        pace = velocity_class(rows["mean_units"].to_numpy(float), np.full(len(rows), days))
        for group in (own["category"].astype(str).to_numpy(), pace, age, "all"):
            for region in (rows["region_id"].to_numpy(), "network"):
                parts.append(_summary(
                    base.assign(horizon_days=days, item_group=group, region_group=region)
                ))  # fmt: skip
    columns = [*_KEYS, "scored_rows", *_MEASURES, "accuracy_status"]
    if not parts:
        return pd.DataFrame(columns=["horizon_days", "item_group", "region_group", "origin_date",
                                     *columns[3:]])  # fmt: skip
    table = pd.concat(parts, ignore_index=True).drop_duplicates(_KEYS)
    table["origin_date"] = pd.Timestamp(as_of) - pd.to_timedelta(table["horizon_days"], unit="D")
    return table.sort_values(_KEYS, ignore_index=True)


_MEASURES = (
    "actual_units", "bias_units", "relative_bias", "wape", "rmsse", "pinball_loss",
    "scaled_pinball_loss", "coverage_50", "coverage_90", "coverage_95", "tracking_signal",
    "naive_wape",
)  # fmt: skip


def _errors(rows: pd.DataFrame) -> pd.DataFrame:
    units, mean = rows["units"].to_numpy(float), rows["mean_units"].to_numpy(float)
    naive = rows["naive_units"].to_numpy(float)
    quantiles = rows[list(QUANTILE_COLUMNS)].to_numpy(float)
    loss = pinball(units, quantiles, np.array(QUANTILE_LEVELS)).mean(axis=1)
    covered = {
        f"coverage_{level * 100:.0f}": mid_rank(units, quantiles[:, QUANTILE_LEVELS.index(level)])
        for level in COVERED
    }
    return pd.DataFrame({
        "actual_units": units, "bias_units": mean - units, "absolute": np.abs(mean - units),
        "square": (mean - units) ** 2, "naive_absolute": np.abs(naive - units),
        "naive_square": (naive - units) ** 2, "pinball_loss": loss, **covered,
    })  # fmt: skip


def mid_rank(units: F64, quantile: F64) -> F64:
    """1 where the actual lies below the quantile, a half where it equals it, else 0."""
    return np.where(units < quantile, 1.0, np.where(units == quantile, 0.5, 0.0))


def _summary(base: pd.DataFrame) -> pd.DataFrame:
    grouped = base.groupby(_KEYS, sort=True)
    mean = grouped.mean()
    count = grouped.size()
    sold = mean["actual_units"].clip(lower=1e-9)
    out = mean[["actual_units", "bias_units", "pinball_loss", "coverage_50", "coverage_90",
                "coverage_95"]].copy()  # fmt: skip
    out["scored_rows"] = count
    out["relative_bias"] = out["bias_units"] / sold
    out["wape"] = mean["absolute"] / sold
    out["naive_wape"] = mean["naive_absolute"] / sold
    out["rmsse"] = np.sqrt(mean["square"] / mean["naive_square"].clip(lower=1e-9))
    out["scaled_pinball_loss"] = out["pinball_loss"] / sold
    off = mean["absolute"].clip(lower=1e-9)
    out["tracking_signal"] = out["bias_units"] / off * np.sqrt(count)
    out["accuracy_status"] = _status(out)
    return out.reset_index()


def _status(found: pd.DataFrame) -> np.ndarray:
    """ok, or the first exception that holds."""
    tracked = found["tracking_signal"].abs() > TRACKED
    biased = tracked & (found["relative_bias"].abs() > BIASED)
    return np.select(
        [
            found["scored_rows"] < LEAST_ROWS,
            biased & (found["relative_bias"] > 0),
            biased,
            found["wape"] > found["naive_wape"],
            (found["coverage_90"] - 0.9).abs() > UNCOVERED,
        ],
        ["few_rows", "too_high", "too_low", "worse_than_naive", "wrong_width"],
        "ok",
    )


def value_added(
    windows: Mapping[int, pd.DataFrame], before: Mapping[int, pd.DataFrame]
) -> pd.DataFrame:
    """Table forecast_value_added: overridden windows with and without the override, by planner,
    kind, direction and horizon; sorted by key."""
    keys = ["planner", "override_kind", "override_direction", "horizon_days"]
    parts = []
    for days, rows in sorted(windows.items()):
        if days not in before or before[days].empty:
            continue
        old = before[days].astype({"item_id": "str", "region_id": "str"})
        old = old[(old["window_start_day"] == 1) & (old["window_days"] == days)]
        both = rows.merge(old, on=["item_id", "region_id"], suffixes=("", "_before"))
        if both.empty:
            continue
        units = both["units"].to_numpy(float)
        levels = np.array(QUANTILE_LEVELS)
        loss, without = (
            pinball(units, both[[name + end for name in QUANTILE_COLUMNS]].to_numpy(float), levels)
            .mean(axis=1) for end in ("", "_before")
        )  # fmt: skip
        up = both["mean_units"] >= both["mean_units_before"]
        parts.append(pd.DataFrame({
            "planner": both["planner"].astype(str), "override_kind": both["override_kind"],
            "override_direction": np.where(up, "up", "down"), "horizon_days": days,
            "actual_units": units, "error_units": (both["mean_units"] - units).abs(),
            "error_units_before": (both["mean_units_before"] - units).abs(),
            "pinball_loss": loss, "pinball_loss_before": without,
        }).astype({"override_kind": "str"}))  # fmt: skip
    measures = ["actual_units", "error_units", "error_units_before", "pinball_loss",
                "pinball_loss_before"]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=[*keys, "scored_rows", *measures, "value_added_units"])
    grouped = pd.concat(parts, ignore_index=True).groupby(keys, sort=True)
    out = grouped[measures].mean()
    out["scored_rows"] = grouped.size()
    out["value_added_units"] = out["error_units_before"] - out["error_units"]
    return out.reset_index()
