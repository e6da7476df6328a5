"""Rolling-origin back-test: train as of past dates, forecast, score against what came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_LEVELS
from pipeline.contracts.settings import Settings
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import fit
from pipeline.forecast.panel import Panel, totals
from pipeline.forecast.scores import score_groups, velocity_class
from pipeline.forecast.seasons import with_exposure
from pipeline.forecast.serve import plan_windows
from pipeline.forecast.windows import foresee


def backtest(
    panel: Panel, categories: list[str], regions: list[str], settings: Settings, origins: list[int]
) -> pd.DataFrame:
    """Scores by item group, region and window length for each origin (day of `panel`).

    At each origin a model is trained on the days up to it, and asked for all windows of the plan
    that have ended by the end of `panel`. `categories` and `regions` name the codes.
    """
    levels, threads = np.array(QUANTILE_LEVELS), settings.run.threads
    parts = []
    for origin in origins:
        known = with_exposure(panel.until(origin + 1))
        sums = totals(known)
        windows = [w for w in plan_windows(settings) if origin + sum(w) <= panel.days]
        if not windows:
            continue
        model, _ = fit(known, sums, settings.forecast, windows, settings.planning.seed, threads)
        seen = foresee(daily_mean(model.mean), known, sums, origin, windows)
        units = seen.units(panel)
        seen, units = seen.take(np.isfinite(units)), units[np.isfinite(units)]
        rows = pd.DataFrame(
            {
                "item_group": np.array(categories, object)[panel.category[seen.series]],
                "velocity": velocity_class(seen.mean, seen.days),
                "region_id": np.array(regions, object)[panel.region[seen.series]],
                "window_days": seen.days.astype(np.int64),
                "mean_units": seen.mean,
            }
        )
        scored = score_groups(rows, units, model.spread.quantiles(seen, levels, threads))
        date = panel.first_date + np.timedelta64(origin, "D")
        parts.append(scored.assign(origin_date=pd.Timestamp(date)))
    return pd.concat(parts, ignore_index=True)
