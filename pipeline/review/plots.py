"""What the charts of the report show: picks the numbers that `charts` draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from pipeline.review.charts import coverage_chart, fan_chart, trace_chart
from pipeline.review.findings import Findings
from pipeline.review.pooled import LEVELS

F64 = npt.NDArray[np.float64]
_BANDS = ((0.05, 0.95), (0.25, 0.75))


def fan_plots(found: Findings, count: int) -> list[tuple[str, Markup]]:
    """(item name, chart) of the items with the greatest expected demand in value."""
    plots = []
    for place, item in enumerate(found.weekly_usd.index[:count]):
        weeks = _weekly(found, item)
        if weeks is None:
            continue
        ahead, mean, quantiles = weeks
        name = str(found.item_names.get(item, item))
        chart = fan_chart(
            f"fan{place}", f"Weekly units of {name}: sold lately, and forecast with ranges",
            found.history.week_starts, found.history.of(item), ahead, mean,
            [_band(quantiles, low, high) for low, high in _BANDS],
        )  # fmt: skip
        plots.append((name, Markup(chart)))  # noqa: S704 - charts escape labels
    return plots


def total_plot(found: Findings) -> Markup | None:
    """Weekly units of the whole network: sold lately, and the forecast mean."""
    weekly = found.demand.keys["window_days"] == 7
    starts = sorted(found.demand.keys.loc[weekly, "window_start_day"].unique())
    if not starts:
        return None
    mean = np.array([found.demand.window(int(start), 7).mean.sum() for start in starts])
    chart = fan_chart(
        "total", "Weekly units of the whole network: sold lately, and the forecast mean",
        found.history.week_starts, found.history.weekly_units.sum(axis=0),
        _dates(found, starts), mean, [], size=(9.4, 2.3),
    )  # fmt: skip
    return Markup(chart)  # noqa: S704 - charts escape labels


def coverage_plot(scores: pd.DataFrame) -> Markup | None:
    """Share of actuals under the 50, 90 and 95% quantiles, all items in the network, by window."""
    text = scores.astype({"item_group": "str", "region_group": "str"})
    rows = text[(text["item_group"] == "all") & (text["region_group"] == "network")]
    if rows.empty:
        return None
    rows = rows.sort_values("window_days", kind="stable")
    series = [
        (nominal, f"{nominal:.0%}", rows[f"coverage_{nominal * 100:.0f}"].to_numpy())
        for nominal in (0.5, 0.9, 0.95)
    ]
    windows = rows["window_days"].astype(int).tolist()
    label = "Share of actual demand at or below the forecast quantile, by window length"
    return Markup(coverage_chart("coverage", label, windows, series))  # noqa: S704 - as above


def trace_plot(trace: pd.DataFrame) -> Markup | None:
    """The solver's lower bound and the cost of its best plan, by iteration."""
    if len(trace) < 2:
        return None
    columns = ("iteration", "lower_bound_usd", "upper_bound_usd")
    numbers = [trace[name].to_numpy(dtype="float64", na_value=np.nan) for name in columns]
    label = "Lower bound and cost of the best plan by iteration of the solver"
    return Markup(trace_chart("trace", label, *numbers))  # noqa: S704 - as above


def _weekly(found: Findings, item: str) -> tuple[pd.DatetimeIndex, F64, F64] | None:
    keys = found.demand.keys
    own = found.demand.where(
        ((keys["item_id"] == item) & (keys["window_days"] == 7)).to_numpy()
    )  # fmt: skip
    if own.keys.empty:
        return None
    starts = own.keys["window_start_day"].astype(int).tolist()
    return _dates(found, starts), own.mean, own.quantiles


def _dates(found: Findings, start_days: list[int]) -> pd.DatetimeIndex:
    first = found.history.week_starts[-1] + pd.Timedelta(days=6)
    return pd.DatetimeIndex([first + pd.Timedelta(days=int(day)) for day in start_days])


def _band(quantiles: F64, low: float, high: float) -> tuple[F64, F64]:
    columns = [int(np.flatnonzero(level == LEVELS)[0]) for level in (low, high)]
    return quantiles[:, columns[0]], quantiles[:, columns[1]]
