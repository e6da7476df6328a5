"""The tracking page: an event's forecast, what has come of it, and how the rest now looks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.load.charts import BOTTOM, HEIGHT, LEFT, WIDTH, number, points, ticks
from pipeline.load.track import Tracked


def tracking_page(
    series: str, event: str, forecast: pd.Series, nowcast: pd.DataFrame, steps: list[Tracked],
    capacity: float,
) -> str:  # fmt: skip
    """The page, from the plan's forecast [times], rows of load_nowcast and the steps so far."""
    environment = Environment(
        loader=PackageLoader("pipeline.load"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("tracking.html.j2").render(
        series=series, event=event, now=steps[-1], capacity=capacity,
        chart=_chart(forecast, nowcast, capacity), alarms=[s for s in steps if s.alarm][-20:],
        number=number,
    )  # fmt: skip


def _chart(forecast: pd.Series, nowcast: pd.DataFrame, capacity: float) -> Markup:
    """Forecast, actuals and the rest over the event, and the capacity where there is one."""
    planned = forecast.to_numpy(dtype="float64")
    seen = nowcast["observed_load"].to_numpy(dtype="float64")
    rest = nowcast["expected_load"].to_numpy(dtype="float64")
    levels = [planned.max(), np.nanmax(seen), rest.max()]
    top = 1.08 * max([*levels, capacity] if np.isfinite(capacity) else levels)
    n = len(planned)
    x = LEFT + (np.arange(n) + 0.5) * (WIDTH - LEFT - 8) / n

    def y(values: np.ndarray) -> np.ndarray:
        return 8 + (HEIGHT - BOTTOM - 8) * (1 - values / top)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
             'aria-label="Forecast, what has come, and the rest as it now looks">']  # fmt: skip
    for tick in ticks(top):
        at = float(y(np.array([tick]))[0])
        across = f'x1="{LEFT}" x2="{WIDTH - 8}"'
        parts.append(f'<line class="grid" {across} y1="{at:.1f}" y2="{at:.1f}"/>'
                     f'<text class="axis" x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
                     f"{number(tick)}</text>")  # fmt: skip
    for k in range(0, n, max(1, n // 6)):
        parts.append(f'<text class="axis" x="{x[k]:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                     f"{forecast.index[k]:%H:%M}</text>")  # fmt: skip
    if np.isfinite(capacity):
        at = float(y(np.array([capacity]))[0])
        parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - 8}" y1="{at:.1f}" '
                     f'y2="{at:.1f}"/>')  # fmt: skip
    known = np.isfinite(seen)
    coming = np.arange(n) >= (np.flatnonzero(known)[-1] if known.any() else 0)
    for name, values, shown in (("plan", planned, np.ones(n, bool)), ("rest", rest, coming),
                                ("seen", seen, known)):  # fmt: skip
        pairs = list(zip(x[shown], y(values[shown]), strict=True))
        parts.append(f'<polyline class="{name}" points="{points(pairs)}"/>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  all of it is numbers and our words
