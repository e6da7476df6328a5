"""Regions that opened later, or have not sold yet: their silence before is no demand of zero."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.ingest.feeds import LEAST_CHANCE
from pipeline.ingest.findings import Finding


def not_open_yet(sold: np.ndarray) -> np.ndarray:
    """Days [regions, days] before a region began to sell, from its units `sold` [regions, days].

    All days of a region that never sold while others did. A first sale that merely came late, as
    it would by chance at the pace since, moves nothing.
    """
    mask = np.zeros(sold.shape, dtype=bool)
    some = sold > 0
    if not some.any():
        return mask
    for region, days in enumerate(some):
        if not days.any():
            mask[region] = True
            continue
        first = int(np.argmax(days))
        pace = (days[first:].sum() - 0.5) / (len(days) - first)
        if first * np.log1p(-min(float(pace), 1 - 1e-9)) < np.log(LEAST_CHANCE):
            mask[region, :first] = True
    return mask


def opening_findings(
    mask: np.ndarray, regions: pd.Index, days: pd.DatetimeIndex, planned: set[str]
) -> Iterator[Finding]:
    """Regions of `not_open_yet`; `planned`: those whose launch_plans say what to expect."""
    for region in np.flatnonzero(mask.any(axis=1)):
        name = str(regions[region])
        if not mask[region].all():
            first = days[int(np.argmin(mask[region]))]
            yield Finding(
                "sales", 0, "region_id", f"region {name} sold nothing before {first:%Y-%m-%d}",
                f"{int(mask[region].sum())} days", "Taken for not open yet, not for zero demand; "
                "export its sales of those days if it was.", "warning", name,
            )  # fmt: skip
            continue
        rest = ("launch_plans say what is expected there." if name in planned else
                "Nothing is expected there: export its sales, or say in launch_plans what it will "
                "sell.")  # fmt: skip
        yield Finding(
            "sales", 0, "region_id", f"region {name} has never sold anything",
            f"{len(days)} days", f"Taken for not open yet, not for zero demand. {rest}", "warning",
            name,
        )  # fmt: skip
