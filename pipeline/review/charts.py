"""Charts as inline SVG: the same bytes for the same numbers, nothing fetched, text is text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

F64 = npt.NDArray[np.float64]
INK, MUTED, RULE, ACCENT, WARM = "#1d2733", "#5b6772", "#d5dbe1", "#1f5fa8", "#b4530a"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "echelon", "font.family": "sans-serif",
    "font.size": 9.0, "text.color": INK, "axes.labelcolor": MUTED, "xtick.color": MUTED,
    "ytick.color": MUTED, "axes.edgecolor": RULE, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "ytick.major.size": 0,
    "xtick.major.size": 3, "axes.grid": True, "axes.grid.axis": "y", "grid.color": RULE,
    "grid.linewidth": 0.6, "lines.linewidth": 1.4, "figure.dpi": 72, "axes.axisbelow": True,
}  # fmt: skip


def fan_chart(
    name: str, label: str, weeks: pd.DatetimeIndex, units: F64, ahead: pd.DatetimeIndex,
    mean: F64, bands: Sequence[tuple[F64, F64]], size: tuple[float, float] = (4.6, 2.1),
) -> str:  # fmt: skip
    """Weekly units sold, then the forecast of the coming ones: its mean and bands, widest first."""

    def draw(axes: Axes) -> None:
        axes.plot(weeks, units, color=INK)
        for (low, high), strength in zip(bands, (0.16, 0.30), strict=False):
            axes.fill_between(ahead, low, high, color=ACCENT, alpha=strength, linewidth=0)
        axes.plot(ahead, mean, color=ACCENT, marker="o", markersize=2.5)
        axes.axvline(
            date2num(ahead[0] - pd.Timedelta(days=3.5)), color=MUTED, linewidth=0.8, dashes=(2, 2)
        )
        axes.set_ylim(bottom=0)
        ticks = weeks.append(ahead)[::8]
        axes.set_xticks(ticks, [f"{tick:%b} {tick.day}" for tick in ticks])

    return _svg(name, label, size, draw)


def coverage_chart(
    name: str, label: str, windows: Sequence[int], series: Sequence[tuple[float, str, F64]]
) -> str:
    """Share of actuals under a quantile, by window: hollow where it should be, full where it is."""

    def draw(axes: Axes) -> None:
        at = np.arange(len(windows))
        for (nominal, text, shares), shift in zip(series, (-0.12, 0.0, 0.12), strict=False):
            axes.hlines(nominal, -0.4, len(windows) - 0.6, color=MUTED, linewidth=0.8)
            axes.vlines(at + shift, nominal, shares, color=ACCENT, linewidth=1.2)
            axes.plot(at + shift, shares, "o", color=ACCENT, markersize=5)
            axes.text(len(windows) - 0.55, nominal, text, va="center", color=MUTED)
        axes.grid(visible=False)
        axes.set_xlim(-0.5, len(windows) - 0.1)
        axes.set_ylim(min(0.45, *(shares.min() - 0.05 for _, _, shares in series)), 1.02)
        axes.set_xticks(at, [f"{days} days" for days in windows])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}"))

    return _svg(name, label, (6.4, 2.6), draw, is_units=False)


def trace_chart(name: str, label: str, iteration: F64, lower: F64, upper: F64) -> str:
    """The solver's bound and its best plan's cost by iteration."""

    def draw(axes: Axes) -> None:
        axes.plot(iteration, lower, color=ACCENT, marker="o", markersize=3)
        axes.plot(iteration, upper, color=WARM, marker="o", markersize=3)
        for values, text, color in ((lower, "bound", ACCENT), (upper, "plan", WARM)):
            known = np.flatnonzero(np.isfinite(values))
            if known.size:
                last = known[-1]
                axes.annotate(text, (iteration[last], values[last]), color=color, va="center",
                              xytext=(7, 0), textcoords="offset points")  # fmt: skip
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.6g}"))
        axes.margins(x=0.12)
        axes.set_xlabel("iteration")

    return _svg(name, label, (6.4, 2.4), draw)


def _svg(
    name: str, label: str, size: tuple[float, float], draw: Callable[[Axes], None],
    is_units: bool = True,
) -> str:  # fmt: skip
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        if is_units:
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_major_formatter(FuncFormatter(_short))
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True,
                       metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))  # fmt: skip
    return _inline(out.getvalue(), name, label)


def _inline(svg: str, name: str, label: str) -> str:
    """The bare element for an HTML page: no prologue or metadata, own ids, a text for all."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    head, rest = body.split(">", 1)
    head = re.sub(r'\s(xmlns(:\w+)?|width|height|version)="[^"]*"', "", head)
    body = f"{head}>{rest}"
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'(href="|url\()#', rf"\1#{name}-", body)
    return body.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1).strip()


def _short(value: float, _: int) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:,.4g}{letter}"
    return f"{value:,.4g}"
