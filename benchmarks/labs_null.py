"""How often a lab without any effect is called different: its looks alone, coins thrown anew.

    python -m benchmarks.labs_null --worlds 25 --coins 400 --items 1000 --json labs_null.json

Each world is run once with nobody's plan changed. Then the coins of its pairs are thrown again and
again, which is the law that the verdict claims to know, and the looks of `echelon lab read` judge
every throw by the product's own verdict and bounds. `benchmarks.labs_cli` goes through the whole
command instead, a hundred times; from a hundred labs a true 5 % is read as 1 to 10.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.simulate.labs.looks import bounds, p_to_z
from pipeline.simulate.labs.rehearsal import lab_world
from pipeline.simulate.labs.trial import Design, design, verdict

WEEKS, LOOKS, CLUSTER_SIZE = 12, (4, 8, 12), 2


def main() -> None:
    """Throw the coins, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=25)
    parser.add_argument("--coins", type=int, default=400)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    began = time.process_time()
    ended = np.concatenate([
        ends(weekly_profit(arguments.items, seed), arguments.coins, seed)
        for seed in range(arguments.worlds)
    ])  # fmt: skip
    labs, share = len(ended), float((ended > 0).mean())
    figures = {
        "labs": labs, "different_of_100": 100 * share,
        "half_width_of_100": 196 * float(np.sqrt(share * (1 - share) / labs)),
        **{f"at_week_{week}_of_100": 100 * float((ended == week).mean()) for week in LOOKS},
        "cpu_s": time.process_time() - began,
    }  # fmt: skip
    table = Table("figure", "value", title=f"no effect, {arguments.items} items")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def weekly_profit(n_items: int, seed: int) -> np.ndarray:
    """[2 x WEEKS, clusters] of a world in which both arms do the same."""
    nobody = np.zeros((14 * WEEKS, n_items), dtype=bool)
    daily = lab_world(n_items, seed).run(1.5, 1.5, nobody, seed).profit_usd
    return daily.reshape(2 * WEEKS, 7, n_items // CLUSTER_SIZE, CLUSTER_SIZE).sum(axis=(1, 3))


def ends(weekly: np.ndarray, coins: int, seed: int) -> np.ndarray:
    """[coins] week at which a throw's looks called the arms different, 0 where they never did."""
    before = weekly[:WEEKS].sum(axis=0)
    limits = bounds([week / WEEKS for week in LOOKS])
    pair = design(before, seed).pair
    found = np.zeros(coins, dtype=np.int64)
    for k in range(coins):
        coin = np.random.default_rng([seed, k]).integers(0, 2, pair.max() + 1).astype(bool)
        first = design(before, seed).is_b  # one of each pair; the coin turns it or not
        trial = Design(pair, np.where(pair >= 0, first ^ coin[np.maximum(pair, 0)], False))
        for week, limit in zip(LOOKS, limits, strict=True):
            told = verdict(trial, weekly[WEEKS : WEEKS + week].sum(axis=0), before)
            if p_to_z(told.p_value) > limit:
                found[k] = week
                break
    return found


if __name__ == "__main__":
    main()
