"""A trial's outcomes from tables: the simulator's item weeks, or what production publishes.

Both give a frame of (item_id, week_start, profit_usd), so one analysis serves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.simulate.labs.trial import Design, Verdict, design, verdict

OUTCOME = ["item_id", "week_start", "profit_usd"]
DAILY = ["item_id", "date", "profit_usd"]


@dataclass(frozen=True)
class Trial:
    """A design with the names of its clusters and the cluster of each item."""

    design: Design
    clusters: pd.Index
    cluster_of: pd.Series

    def arms(self) -> pd.DataFrame:
        """One row an item: item_id, cluster, arm (A, B, or out where its cluster has no pair)."""
        code = self.clusters.get_indexer(self.cluster_of)
        arm = np.where(self.design.is_b, "B", np.where(self.design.pair >= 0, "A", "out"))
        return pd.DataFrame({
            "item_id": self.cluster_of.index, "cluster": self.cluster_of.to_numpy(),
            "arm": arm[code],
        })  # fmt: skip


def gross_margin_weeks(daily_demand: pd.DataFrame, vendor_items: pd.DataFrame) -> pd.DataFrame:
    """Outcome of production's daily_demand by week from Monday on (see `gross_margin_days`)."""
    daily = gross_margin_days(daily_demand, vendor_items)
    week = daily["date"] - pd.to_timedelta(daily["date"].dt.day_of_week, unit="D")
    found = daily.groupby(["item_id", week.rename("week_start")])["profit_usd"].sum()
    return found.reset_index()[OUTCOME]


def gross_margin_days(daily_demand: pd.DataFrame, vendor_items: pd.DataFrame) -> pd.DataFrame:
    """Units times (price less cheapest cost) by item and date, of production's daily_demand.

    What a plan costs beyond that (capital, handling, transport) is not in those tables; judge it by
    the simulator or subtract it before.
    """
    cost = vendor_items.groupby(vendor_items["item_id"].astype("str"))["unit_cost_usd"].min()
    item = daily_demand["item_id"].astype("str")
    margin = daily_demand["units"] * (daily_demand["price_usd"] - item.map(cost))
    found = margin.groupby([item, daily_demand["date"]]).sum().rename("profit_usd").reset_index()
    return found.set_axis(DAILY, axis=1)


def by_day(
    outcomes: pd.DataFrame, start: pd.Timestamp, n_days: int, cluster_of: pd.Series | None = None,
    clusters: pd.Index | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """[days, clusters] outcome for a switch-back trial that starts on `start`.

    outcomes: rows with date and profit_usd, of gross_margin_days or of simulated_days (one policy
    and replication); without clusters the whole network is one. A day without rows is refused, for
    it would count as a day without profit.
    """
    days = pd.date_range(start, periods=n_days)
    rows = outcomes[outcomes["date"].isin(days)]
    missing = days.difference(pd.DatetimeIndex(rows["date"].unique()))
    if len(missing):
        raise UsageError(
            f"the trial's outcomes lack {len(missing)} day(s), the first {missing[0].date()}. "
            "Next: read tables that cover the trial, or shorten it."
        )
    found = np.zeros((n_days, 1 if clusters is None else len(clusters)))
    code = np.zeros(len(rows), dtype=np.int64)
    if clusters is not None and cluster_of is not None:
        code = clusters.get_indexer(rows["item_id"].astype("str").map(cluster_of))
    known = code >= 0
    at = days.get_indexer(rows["date"])
    np.add.at(found, (at[known], code[known]), rows["profit_usd"].to_numpy(float)[known])
    return found


def start_trial(
    items: pd.DataFrame, outcomes: pd.DataFrame, before: tuple[pd.Timestamp, pd.Timestamp],
    cluster: str = "department", seed: int = 1, parts: int = 1,
) -> Trial:  # fmt: skip
    """Assign the items of the table `items`, clustered by a column, each cluster in `parts` lots.

    outcomes: frame of OUTCOME columns; before: first and last week_start of the pairing period.
    Raises UsageError with fewer than eight clusters.
    """
    name = items["item_id"].astype("str")
    lot = pd.util.hash_array(name.to_numpy(dtype=object)) % np.uint64(parts)
    group = items[cluster].astype("str") + "/" + pd.Series(lot.astype(str), index=items.index)
    cluster_of = pd.Series(group.to_numpy(), index=pd.Index(name, name="item_id"))
    clusters = pd.Index(sorted(cluster_of.unique()))
    if len(clusters) < 8:
        raise UsageError(
            f"{len(clusters)} clusters are too few for a trial. "
            "Next: cluster by a finer column, or raise `parts`."
        )
    earlier = by_cluster(outcomes, cluster_of, clusters, before)
    return Trial(design(earlier, seed), clusters, cluster_of)


def judge(
    trial: Trial, outcomes: pd.DataFrame, before: tuple[pd.Timestamp, pd.Timestamp],
    during: tuple[pd.Timestamp, pd.Timestamp], level: float = 0.95,
) -> Verdict:  # fmt: skip
    """The verdict from outcomes of both periods (first and last week_start, both included)."""
    earlier = by_cluster(outcomes, trial.cluster_of, trial.clusters, before)
    later = by_cluster(outcomes, trial.cluster_of, trial.clusters, during)
    return verdict(trial.design, later, earlier, level)


def by_cluster(
    outcomes: pd.DataFrame, cluster_of: pd.Series, clusters: pd.Index,
    period: tuple[pd.Timestamp, pd.Timestamp],
) -> NDArray[np.float64]:  # fmt: skip
    """[clusters] outcome of the period."""
    rows = outcomes[outcomes["week_start"].between(*period)]
    code = clusters.get_indexer(rows["item_id"].astype("str").map(cluster_of))
    found = np.zeros(len(clusters))
    np.add.at(found, code[code >= 0], rows["profit_usd"].to_numpy(float)[code >= 0])
    return found
