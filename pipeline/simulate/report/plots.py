"""Inline SVG plots of simulated figures: a line with a band, or bars, for each policy."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.simulate.report.intervals import Interval

_COLORS = ("#0b6e99", "#d1495b", "#66a182", "#edae49", "#5d4a8a", "#8d99ae", "#3d405b")


def band_plot(frame: pd.DataFrame, x: str, y: str, unit: str) -> str:
    """Mean over replications by day, with the band from the least to the greatest."""
    figure, axes = _canvas()
    for color, (policy, rows) in zip(_COLORS * 9, _by_policy(frame), strict=False):
        wide = rows.pivot(index=x, columns="replication", values=y).sort_index()
        axes.plot(wide.index, wide.mean(axis=1), color=color, label=policy, linewidth=1.4)
        if wide.shape[1] > 1:
            axes.fill_between(
                wide.index, wide.min(axis=1), wide.max(axis=1), color=color, alpha=0.15
            )
    axes.tick_params(axis="x", rotation=20)
    return _svg(figure, axes, unit)


def bar_plot(frame: pd.DataFrame, x: str, y: str, unit: str) -> str:
    """Bars of the mean over replications, with whiskers from the least to the greatest."""
    figure, axes = _canvas()
    names = sorted(frame[x].astype("str").unique())
    groups = list(_by_policy(frame))
    width = 0.8 / max(len(groups), 1)
    for i, (policy, rows) in enumerate(groups):
        stats = rows.groupby(rows[x].astype("str"))[y].agg(["mean", "min", "max"]).loc[names]
        whiskers = np.stack([stats["mean"] - stats["min"], stats["max"] - stats["mean"]])
        axes.bar(np.arange(len(names)) + (i - (len(groups) - 1) / 2) * width, stats["mean"], width,
                 yerr=np.maximum(whiskers, 0), color=_COLORS[i % len(_COLORS)], label=policy,
                 error_kw={"linewidth": 0.8})  # fmt: skip
    axes.set_xticks(np.arange(len(names)), names)
    return _svg(figure, axes, unit)


def difference_plot(labels: list[str], differences: list[Interval], unit: str) -> str:
    """Horizontal bars of differences, the first on top, with whiskers over their intervals."""
    figure = Figure(figsize=(9.0, 0.8 + 0.26 * len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="#e4e7eb", linewidth=0.6)
    mean = np.array([difference.mean for difference in differences])
    width = np.nan_to_num(np.array([difference.half_width for difference in differences]))
    axes.barh(np.arange(len(labels)), mean, color=[_COLORS[0] if x >= 0 else _COLORS[1]
              for x in mean], xerr=width, error_kw={"linewidth": 0.8})  # fmt: skip
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.invert_yaxis()
    axes.axvline(0.0, color="#1f2933", linewidth=0.8)
    axes.set_xlabel(unit)
    return _text(figure)


def _by_policy(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    policy = frame["policy"].astype("str")
    return [(name, frame[policy == name]) for name in policy.unique()]


def _canvas() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
    return figure, axes


def _svg(figure: Figure, axes: Axes, unit: str) -> str:
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend(frameon=False, fontsize=8, ncols=3)
    return _text(figure)


def _text(figure: Figure) -> str:
    stream = io.StringIO()
    # A fixed salt gives the same bytes in every run.
    with mpl.rc_context({"svg.hashsalt": "echelon", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
