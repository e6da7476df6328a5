"""The forecast model: fitted, saved as text, and asked for quantiles of windows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.contracts.settings import ForecastSettings
from pipeline.errors import UsageError
from pipeline.forecast.mean import daily_mean, fit_mean
from pipeline.forecast.panel import F64, Panel, Totals
from pipeline.forecast.panel import totals as sums_of
from pipeline.forecast.seasons import as_known
from pipeline.forecast.spread import PastErrors, Spread, fit_spread
from pipeline.forecast.windows import Windows, foresee, join

_SMALL_PANEL = 400


@dataclass(frozen=True)
class Model:
    """Trees for the mean of a day, and the spread around the mean of a window.

    early   trees for the mean that have not seen the last `calibration_days`; honest scores of
            forecasts of those days are made with them
    notes   plain values saved with the model: names, dependence, what it was trained on
    """

    mean: lgb.Booster
    early: lgb.Booster
    spread: Spread
    notes: dict[str, Any] = field(default_factory=dict)

    def to_files(self) -> dict[str, bytes]:
        """Text files: three LightGBM models and one JSON."""
        rest = {**self.spread.to_notes(), **self.notes}
        return {
            "mean.txt": trees_as_text(self.mean),
            "early.txt": trees_as_text(self.early),
            "shape.txt": trees_as_text(self.spread.shape),
            "model.json": (json.dumps(rest, indent=1, sort_keys=True) + "\n").encode(),
        }

    @staticmethod
    def from_files(files: Mapping[str, bytes]) -> Model:
        """The model that `to_files` wrote."""
        notes = json.loads(files["model.json"])
        mean, early, shape = (
            lgb.Booster(model_str=files[f"{name}.txt"].decode())
            for name in ("mean", "early", "shape")
        )
        return Model(mean, early, Spread.from_notes(shape, notes), notes)


def trees_as_text(booster: lgb.Booster) -> bytes:
    """LightGBM's text format without its parameters, which name the number of threads."""
    text = booster.model_to_string()
    head, _, rest = text.partition("\nparameters:\n")
    return (head + "\n" + rest.partition("end of parameters\n")[2]).encode()


def fit(
    panel: Panel,
    totals: Totals,
    settings: ForecastSettings,
    windows: list[tuple[int, int]],
    seed: int,
    threads: int,
    grown: tuple[lgb.Booster, lgb.Booster] | None = None,
) -> tuple[Model, PastErrors]:
    """A model of all of `panel` for `windows` (start day, days); and its errors on past ones.

    The spread and the levels are learned from forecasts of the last `calibration_days` by trees
    that have not seen them; half of the items for the spread, the other half for the levels.
    Then the trees for the mean are grown again on everything. `grown` are both sets of trees where
    they were grown elsewhere, up to the days of `last_days`.
    """
    cut, last = last_days(panel, settings)
    horizon = max(start + days - 1 for start, days in windows)

    def grow(last_day: int) -> lgb.Booster:
        return fit_mean(panel, totals, settings.mean, horizon, last_day, seed, threads)

    early, mean = grown or (grow(cut), None)
    past, units = past_windows(early, panel, totals, settings, windows, cut, seed, threads)
    learn, correct = halves(panel, past)
    spread, errors = fit_spread(past, units, learn, correct, settings, seed, threads)
    return Model(mean or grow(last), early, spread), errors


def last_days(panel: Panel, settings: ForecastSettings) -> tuple[int, int]:
    """Last days that the early trees and the trees for the mean see; what the former have not seen
    begins with a reported period, and ends with the last one that is over."""
    last = panel.whole_origin(panel.days - 1)
    cut = last - min(settings.calibration_days, (last + 1) // 3)
    return panel.whole_origin(cut), panel.days - 1


def halves(panel: Panel, past: Windows) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Windows of odd and of even items; all of them twice where series are few."""
    if panel.series <= _SMALL_PANEL:
        every = np.ones(len(past.mean), bool)
        return every, every
    odd = panel.item[past.series] % 2 == 1
    return (odd, ~odd) if odd.any() and not odd.all() else (odd | True, odd | True)


def past_windows(
    early: lgb.Booster,
    panel: Panel,
    totals: Totals,
    settings: ForecastSettings,
    windows: list[tuple[int, int]],
    cut: int,
    seed: int,
    threads: int,
) -> tuple[Windows, F64]:
    """Windows after day `cut` as foreseen by `early`, and what was demanded in them."""
    rows = calibration_rows(panel, settings, seed)
    known = as_known(panel, cut)
    if known is not panel:
        totals = sums_of(known)
    shard = known.take(rows)
    parts = []
    origins = range(cut, panel.days - 1, settings.calibration_step_days)
    for origin in sorted({panel.whole_origin(day) for day in origins} - {*range(cut)}):
        ends = [(s, n) for s, n in windows if origin + s + n - 1 < panel.days]
        if ends:
            part = foresee(daily_mean(early, threads), shard, totals, origin, ends)
            parts.append(replace(part, series=rows[part.series].astype(np.int32)))
    if not parts:
        raise UsageError(
            f"the history of {panel.days} days is too short to learn forecasts of "
            f"{min(days for _, days in windows)} days from. Next: load at least "
            f"{3 * min(days for _, days in windows) + 3} days of sales, or ask for shorter windows."
        )
    found = join(parts)
    units = found.units(panel)
    seen = np.isfinite(units)
    return found.take(seen), units[seen]


def calibration_rows(panel: Panel, settings: ForecastSettings, seed: int) -> npt.NDArray[np.intp]:
    """Series of at most `calibration_items` items, drawn at random; items come whole."""
    items = np.unique(panel.item)
    if len(items) > settings.calibration_items:
        draw = np.random.default_rng(seed)
        items = draw.choice(items, settings.calibration_items, replace=False)
    return np.flatnonzero(np.isin(panel.item, items))
