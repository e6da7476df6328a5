"""Capacities of configs/networks/m5.yaml from an earlier year, so that no test week set them.

    python -m benchmarks.m5_capacity --m5 ../shared/data/m5

Those of before were set once from the use at the demand of spring 2016. A node's use follows its
regions' demand, so each is multiplied by its regions' units of the same weeks a year earlier over
those of spring 2016, and by the growth that could be expected then: all regions' from 2014 to 2015.
Prints the factor of each node; the YAML holds the products, rounded to two digits.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.ingest.network import load_network

SPRING = (date(2016, 1, 25), date(2016, 4, 24))  # thirteen weeks; the same weekdays a year before
YEAR_DAYS = 364


def main() -> None:
    """Print the factors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--m5", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = factors(arguments.m5)
    table = Table("node", "expected / sold, 2016")
    for node, factor in found.items():
        table.add_row(node, f"{factor:.3f}")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def factors(m5: Path) -> dict[str, float]:
    """By node: units expected of its regions from the weeks of 2015, over those of 2016."""
    frame = pd.read_parquet(m5 / "sales_store_dept_daily_d1_d1913.parquet")
    when, sums = pd.to_datetime(frame["date"]), {}
    for year, ago in ((2016, 0), (2015, YEAR_DAYS), (2014, 2 * YEAR_DAYS)):
        first, last = (pd.Timestamp(day) - pd.Timedelta(days=ago) for day in SPRING)
        sums[year] = frame[(when >= first) & (when <= last)].groupby("store_id")["units"].sum()
    network = load_network("m5")
    home: dict[str, list[str]] = {node.node_id: [] for node in network.nodes}
    for region in network.regions:
        for node_id in (region.same_day_site, *region.fulfillment_centers):
            home[node_id].append(region.region_id)
    parent = {node.node_id: node.parent_node_id for node in network.nodes}
    for node_id in list(home):
        up = parent[node_id]
        if up and home.get(up) is not None and parent[up] is None:
            home[up] += [region for region in home[node_id] if region not in home[up]]
    growth = sums[2015].sum() / sums[2014].sum()
    return {
        node: float(growth * sums[2015].loc[regions].sum() / sums[2016].loc[regions].sum())
        for node, regions in home.items() if regions
    }  # fmt: skip


if __name__ == "__main__":
    main()
