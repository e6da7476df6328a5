"""The load report: one self-contained HTML page of a business date."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.load.charts import BOTTOM, HEIGHT, LEFT, WIDTH, number, points, ticks
from pipeline.load.frames import PART_WORDS

SHOWN_DAYS = 56


def load_report(
    as_of: date, series: pd.DataFrame, events: pd.DataFrame, forecast: pd.DataFrame,
    components: pd.DataFrame, changes: pd.DataFrame, orders: pd.DataFrame, findings: pd.DataFrame,
    carried: pd.DataFrame,
) -> str:  # fmt: skip
    """The page: each series' days with their range and events, peaks, parts, findings, orders."""
    known = events[events["announced_date"] <= pd.Timestamp(as_of)]
    sections = [
        _section(str(name), own, series, known, components, changes, carried)
        for name, own in forecast.groupby(forecast["series"].astype("str"), sort=True)
    ]
    environment = Environment(
        loader=PackageLoader("pipeline.load"), autoescape=True, undefined=StrictUndefined
    )
    shown = orders[orders["ordered_change"] != 0].sort_values(["need_date", "capacity_for"])
    return environment.get_template("load.html.j2").render(
        as_of=as_of, sections=sections, orders=shown.head(60).to_dict("records"),
        more_orders=max(len(shown) - 60, 0),
        findings=findings.sort_values(["series", "start_time"]).to_dict("records"),
        number=number, signed=_signed,
    )  # fmt: skip


def _section(
    name: str, forecast: pd.DataFrame, series: pd.DataFrame, events: pd.DataFrame,
    components: pd.DataFrame, changes: pd.DataFrame, carried: pd.DataFrame,
) -> dict[str, object]:  # fmt: skip
    own = series[series["series"].astype("str") == name]
    region = str(own["region_id"].iloc[0])
    felt = events[events["region_id"].astype("str").isin([region, "*"])]
    days = forecast[forecast["load_grain"].astype("str") == "day"]
    days = days.sort_values("start_time", kind="stable")
    shown = days.head(SHOWN_DAYS)
    last = shown["start_time"].max() + pd.Timedelta(days=1)
    coming = felt[(felt["end_time"] > shown["start_time"].min()) & (felt["start_time"] < last)]
    top = shown.loc[shown["peak_q95"].idxmax()]
    week = components[components["series"].astype("str") == name]
    week = week.sort_values("start_time", kind="stable")
    week = week[week["start_time"].isin(shown["start_time"].head(7))]
    parts = week.groupby(week["load_part"].astype("str"))["part_load"].sum()
    moved = changes[changes["series"].astype("str") == name]
    moved = moved.set_index(moved["load_part"].astype("str"))["change_load"]
    total = float(moved.sum())
    return {
        "name": name, "chart": _days_chart(shown, coming),
        "peaks": _peaks_chart(shown, carried[carried["series"] == name]),
        "capacity": _capacity(shown, carried[carried["series"] == name]),
        "minutes": int(own["slot_minutes"].iloc[0]),
        "expected": float(shown["expected_load"].head(7).sum()),
        "peak_day": top["start_time"], "peak_q50": float(top["peak_q50"]),
        "peak_q95": float(top["peak_q95"]), "peak_q99": float(top["peak_q99"]),
        "events": coming.sort_values("start_time", kind="stable").to_dict("records"),
        "parts": [(PART_WORDS[part], float(parts[part])) for part in PART_WORDS
                  if part in parts and abs(parts[part]) >= 0.5],
        "changes": [(PART_WORDS[part], float(moved[part])) for part in PART_WORDS
                    if part in moved.index and abs(moved[part]) >= 0.5],
        "moved": total, "moved_share": total / max(float(days["expected_load"].sum()), 1e-12),
    }  # fmt: skip


def _signed(value: float) -> str:
    """A change as text, with its sign."""
    return ("+" if value >= 0 else "\N{MINUS SIGN}") + number(abs(value))


def _days_chart(days: pd.DataFrame, events: pd.DataFrame) -> Markup:
    """Expected load by day with its range from 5 to 95 %, events shaded."""
    return _chart(days, "expected_load", "load_q05", "load_q95", events,
                  "Load by day: expected, and the range from 5 to 95 %")  # fmt: skip


def _peaks_chart(days: pd.DataFrame, carried: pd.DataFrame) -> Markup:
    """Largest interval of each day: median, up to the 99 % quantile, and what is carried."""
    lines = carried.groupby("start_time")[["owned_load", "planned_load"]].min()
    return _chart(days, "peak_q50", "peak_q50", "peak_q99", None,
                  "Largest interval of the day: median, and up to the 99 % quantile",
                  lines.reindex(days["start_time"]))  # fmt: skip


def _capacity(days: pd.DataFrame, carried: pd.DataFrame) -> list[dict[str, object]]:
    """What each service carries, and on how many days the peak is above that."""
    found: list[dict[str, object]] = []
    for service, own in carried.groupby("service", sort=True):
        both = days.merge(own[["start_time", "owned_load", "planned_load"]], on="start_time")
        if both.empty:
            continue
        least = both.loc[(both["peak_q95"] - both["planned_load"]).idxmax()]
        found.append({
            "service": service, "days": len(both), "owned": float(both["owned_load"].iloc[0]),
            "above_median": int((both["peak_q50"] > both["owned_load"]).sum()),
            "above_q95": int((both["peak_q95"] > both["owned_load"]).sum()),
            "still_above_q95": int((both["peak_q95"] > both["planned_load"]).sum()),
            "tightest_day": least["start_time"], "tightest": float(least["planned_load"]),
        })  # fmt: skip
    return found


def _chart(
    days: pd.DataFrame, middle: str, low: str, high: str, events: pd.DataFrame | None, title: str,
    lines: pd.DataFrame | None = None,
) -> Markup:  # fmt: skip
    n = len(days)
    top = float(days[high].max()) * 1.08 or 1.0
    if lines is not None and lines.notna().any().any():  # far above the peaks it is not drawn
        top = max(top, min(1.08 * float(lines.max().max()), 1.5 * top))
    x = LEFT + (np.arange(n) + 0.5) * (WIDTH - LEFT - 8) / n

    def y(values: np.ndarray) -> np.ndarray:
        return 8 + (HEIGHT - BOTTOM - 8) * (1 - values / top)

    first = days["start_time"].iloc[0]
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for row in [] if events is None else events.to_dict("records"):
        a = (row["start_time"] - first) / pd.Timedelta(days=1)
        b = (row["end_time"] - first) / pd.Timedelta(days=1)
        left, right = (LEFT + np.clip(v, 0, n) * (WIDTH - LEFT - 8) / n for v in (a, b))
        parts.append(f'<rect class="event" x="{left:.1f}" y="8" width="{max(right - left, 2):.1f}"'
                     f' height="{HEIGHT - BOTTOM - 8}"><title>{escape(row["load_event"])}</title>'
                     "</rect>")  # fmt: skip
    for tick in ticks(top):
        at = float(y(np.array([tick]))[0])
        across = f'x1="{LEFT}" x2="{WIDTH - 8}"'
        parts.append(f'<line class="grid" {across} y1="{at:.1f}" y2="{at:.1f}"/>'
                     f'<text class="axis" x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
                     f"{number(float(tick))}</text>")  # fmt: skip
    for k in range(0, n, 7):
        stamp = days["start_time"].iloc[k]
        parts.append(f'<text class="axis" x="{x[k]:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                     f"{stamp.day} {stamp:%b}</text>")  # fmt: skip
    ups, downs = y(days[high].to_numpy()), y(days[low].to_numpy())
    ring = [*zip(x, ups, strict=True), *zip(x[::-1], downs[::-1], strict=True)]
    parts.append(f'<polygon class="band" points="{points(ring)}"/>')
    line = list(zip(x, y(days[middle].to_numpy()), strict=True))
    parts.append(f'<polyline class="line" points="{points(line)}"/>')
    for name, column in (pd.DataFrame() if lines is None else lines).items():
        values = column.to_numpy()
        seen = np.flatnonzero(np.isfinite(values) & (values <= top))
        pairs = list(zip(x[seen], y(values[seen]), strict=True))
        parts.append(f'<polyline class="{name}" points="{points(pairs)}"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  numbers are ours, names are escaped
