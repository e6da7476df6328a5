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
from pipeline.forecast.calibration import Calibration, classes_of, fit_calibration
from pipeline.forecast.distribution import quantiles, ranks
from pipeline.forecast.mean import fit_mean
from pipeline.forecast.panel import F64, Panel, Totals
from pipeline.forecast.shape import fit_shape, predict_shape, shape_start
from pipeline.forecast.windows import Windows, foresee, join

_SMALL_PANEL = 400


@dataclass(frozen=True)
class Model:
    """Trees for the mean, trees for the spread, and the correction of probability levels.

    early         trees for the mean that have not seen the last `calibration_days`; honest
                  scores of forecasts of those days are made with them
    shape_start   the (log size, logit none) that the trees for the spread correct
    notes         plain values saved with the model: names, dependence, what it was trained on
    """

    mean: lgb.Booster
    early: lgb.Booster
    shape: lgb.Booster
    shape_start: F64
    calibration: Calibration
    notes: dict[str, Any] = field(default_factory=dict)

    def to_files(self) -> dict[str, bytes]:
        """Text files: three LightGBM models and one JSON."""
        rest = {
            "shape_start": self.shape_start.tolist(),
            "calibration_levels": np.round(self.calibration.levels, 6).tolist(),
            **self.notes,
        }
        return {
            "mean.txt": self.mean.model_to_string().encode(),
            "early.txt": self.early.model_to_string().encode(),
            "shape.txt": self.shape.model_to_string().encode(),
            "model.json": (json.dumps(rest, indent=1, sort_keys=True) + "\n").encode(),
        }

    @staticmethod
    def from_files(files: Mapping[str, bytes]) -> Model:
        """The model that `to_files` wrote."""
        rest = json.loads(files["model.json"])
        mean, early, shape = (
            lgb.Booster(model_str=files[f"{name}.txt"].decode())
            for name in ("mean", "early", "shape")
        )
        start = np.array(rest.pop("shape_start"))
        return Model(
            mean, early, shape, start, Calibration(np.array(rest.pop("calibration_levels"))), rest
        )


@dataclass(frozen=True)
class PastErrors:
    """Windows foreseen without having seen them, what was demanded, and its calibrated ranks."""

    windows: Windows
    units: F64
    rank: F64


def fit(
    panel: Panel,
    totals: Totals,
    settings: ForecastSettings,
    windows: list[tuple[int, int]],
    seed: int,
    threads: int,
    weight: F64 | None = None,
) -> tuple[Model, PastErrors]:
    """A model of all of `panel` for `windows` (start day, days); and its errors on past ones.

    The spread and the levels are learned from forecasts of the last `calibration_days` by trees
    that have not seen them; half of the items for the spread, the other half for the levels.
    Then the trees for the mean are grown again on everything. `weight` multiplies the weight of
    a series.
    """
    last = panel.days - 1
    cut = last - min(settings.calibration_days, panel.days // 3)
    horizon = max(start + days - 1 for start, days in windows)

    def grow(last_day: int) -> lgb.Booster:
        return fit_mean(panel, totals, settings.mean, horizon, last_day, seed, threads, weight)

    early = grow(cut)
    past, y = past_windows(early, panel, totals, settings, windows, cut, seed, threads)
    odd, even = _halves(panel, past)
    importance = np.ones(len(y)) if weight is None else weight[past.series]
    start = shape_start(y[odd], past.mean[odd], importance[odd])
    shape = fit_shape(
        past.x[odd], y[odd], past.mean[odd], start, settings.shape, threads, importance[odd]
    )
    size, none = predict_shape(shape, start, past.x, threads)
    rank = ranks(y, past.mean, size, none, np.random.default_rng(seed).random(len(y)))
    classes = classes_of(past.mean, past.days)
    calibration = fit_calibration(rank[even], classes[even], settings.calibration_strength)
    model = Model(grow(last), early, shape, start, calibration)
    return model, PastErrors(past, y, calibration.nominal(rank, classes))


def _halves(panel: Panel, past: Windows) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Windows of odd and of even items; all of them twice where series are few."""
    if panel.series <= _SMALL_PANEL:
        every = np.ones(len(past.mean), bool)
        return every, every
    odd = panel.item[past.series] % 2 == 1
    return odd, ~odd


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
    items = np.unique(panel.item)
    if len(items) > settings.calibration_items:
        draw = np.random.default_rng(seed)
        items = draw.choice(items, settings.calibration_items, replace=False)
    rows = np.flatnonzero(np.isin(panel.item, items))
    shard = panel.take(rows)
    parts = []
    for origin in range(cut, panel.days - 1, settings.calibration_step_days):
        ends = [(s, n) for s, n in windows if origin + s + n - 1 < panel.days]
        if ends:
            part = foresee(early, shard, totals, origin, ends, threads)
            parts.append(replace(part, series=rows[part.series].astype(np.int32)))
    found = join(parts)
    y = found.units(panel)
    seen = np.isfinite(y)
    return found.take(seen), y[seen]


def window_quantiles(model: Model, windows: Windows, levels: F64, threads: int) -> F64:
    """Quantiles (rows, levels) of windows, corrected; never crossing."""
    size, none = predict_shape(model.shape, model.shape_start, windows.x, threads)
    out = np.empty((len(windows.mean), len(levels)))
    corrected = model.calibration.at(levels)
    quantiles(windows.mean, size, none, corrected, classes_of(windows.mean, windows.days), out)
    return out
