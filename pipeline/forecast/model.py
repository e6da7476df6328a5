"""The forecast model: fitted, saved as text, and asked for quantiles of windows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.contracts.settings import ForecastSettings
from pipeline.forecast.mean import fit_mean
from pipeline.forecast.panel import Panel, Totals
from pipeline.forecast.past import Past, foresee_past
from pipeline.forecast.pull import Above, errors_of_sums, learned_weights
from pipeline.forecast.spread import PastErrors, Spread, fit_spread
from pipeline.forecast.stopping import first_trees, trees_worth_keeping
from pipeline.forecast.total_models import TotalModels, learn_totals
from pipeline.forecast.total_paths import PathErrors
from pipeline.forecast.windows import Windows

_SMALL_PANEL = 400


@dataclass(frozen=True)
class Model:
    """Trees for the mean of a day, and the spread around the mean of a window.

    early   trees for the mean that have not seen the last `calibration_days`; honest scores of
            forecasts of those days are made with them
    notes   plain values saved with the model: names, dependence, what it was trained on
    sums    the spread of items summed over territories and the network
    errors  past errors of departments of regions, which all sums above items are drawn from
    totals  models of departments' sums, where years are known
    """

    mean: lgb.Booster
    early: lgb.Booster
    spread: Spread
    notes: dict[str, Any] = field(default_factory=dict)
    sums: Spread | None = None
    errors: PathErrors | None = None
    totals: TotalModels | None = None

    def to_files(self) -> dict[str, bytes]:
        """Text files: three to five LightGBM models and one or two JSON."""
        rest = {**self.spread.to_notes(), **self.notes}
        above = {}
        if self.sums is not None and self.errors is not None:
            rest["sums"] = self.sums.to_notes()
            above = {
                "sums.txt": trees_as_text(self.sums.shape),
                "path_errors.json": (json.dumps(self.errors.log.tolist()) + "\n").encode(),
            }
        if self.totals is not None:
            rest["totals"] = self.totals.to_notes()
            above["totals.txt"] = trees_as_text(self.totals.trees.grown[-1][1])
        return above | {
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
        sums = errors = None
        if "sums" in notes:
            trees = lgb.Booster(model_str=files["sums.txt"].decode())
            sums = Spread.from_notes(trees, notes["sums"])
            errors = PathErrors(np.array(json.loads(files["path_errors.json"])))
        totals = None
        if "totals" in notes:
            trees = lgb.Booster(model_str=files["totals.txt"].decode())
            totals = TotalModels.from_notes(trees, notes["totals"])
        return Model(mean, early, Spread.from_notes(shape, notes), notes, sums, errors, totals)


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
    above: Above | None = None,
) -> tuple[Model, PastErrors]:
    """A model of all of `panel` for `windows` (start day, days); and its errors on past ones.

    The spread and the levels are learned from forecasts of the last `calibration_days` by trees
    that have not seen them; half of the items for the spread, the other half for the levels.
    Then the trees for the mean are grown again on everything. `grown` are both sets of trees where
    they were grown elsewhere, up to the days of `last_days`. What stands `above` the series, where
    it is known, pulls them (`pull`), and gives the model the spread of sums.
    """
    cut, last = last_days(panel, settings)
    horizon = max(start + days - 1 for start, days in windows)

    def grow(last_day: int) -> lgb.Booster:
        return fit_mean(panel, totals, settings.mean, horizon, last_day, seed, threads)

    early, mean = grown or (grow(cut), None)
    trees = trees_worth_keeping(early, panel, totals, cut, seed)
    settings = settings.model_copy(
        update={"mean": settings.mean.model_copy(update={"trees": trees})}
    )
    early, mean = first_trees(early, trees), mean and first_trees(mean, trees)
    past = foresee_past(early, panel, totals, settings, windows, cut, seed, threads)
    notes: dict[str, Any] = {"trees_kept": trees}
    sums = errors = models = None
    if above is not None:
        if above.knows_years:
            first = cut + 1 + above.first_day
            models, errors = learn_totals(above.departments, first, threads)
        cells = past.cells(panel, above, models)
        weights = learned_weights(cells) if above.knows_years else (0.0, 0.0)
        notes["pull"] = list(weights)
        if max(weights) > 0:
            past = past.pulled(above, cells, weights)
        errors = errors or errors_of_sums(cells)
        sums = _spread_of_sums(past, panel, above, settings, seed, threads)
    seen, units = past.windows(panel)
    learn, correct = halves(panel, seen)
    spread, of_past = fit_spread(seen, units, learn, correct, settings, seed, threads)
    return Model(mean or grow(last), early, spread, notes, sums, errors, models), of_past


def _spread_of_sums(
    past: Past, panel: Panel, above: Above, settings: ForecastSettings, seed: int, threads: int
) -> Spread:
    """The spread of items summed over the network and over territories."""
    seen, units, summed = past.sums(panel, above.departments.cells.territory)
    learn, correct = halves(summed, seen)
    return fit_spread(seen, units, learn, correct, settings, seed, threads)[0]


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
