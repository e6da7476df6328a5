"""Why two nights differ: exactness of the shares, and what explanations cost.

    python benchmarks/since.py --out data/runs --before 2025-06-22 --after 2025-06-29

Prints for each measure how many rows are explained, the largest remainder of their shares, and the
CPU seconds per 10,000 explained rows.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from pathlib import Path

from pipeline.contracts.settings import load_settings
from pipeline.since.changes import Planned, changes_between
from pipeline.since.groups import SINCE_DRIVERS
from pipeline.since.told import settings_of
from pipeline.store import Store


def main() -> None:
    """Explain, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="data/runs")
    parser.add_argument("--before", type=date.fromisoformat, required=True)
    parser.add_argument("--after", type=date.fromisoformat, required=True)
    parser.add_argument("--full", action="store_true", help="solve each plan anew")
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    store, settings = Store(given.out), load_settings(given.settings)
    before, after = (
        Planned(store, day, settings_of(store, day, settings))
        for day in (given.before, given.after)
    )
    started = time.process_time()
    found = changes_between(before, after, is_full=given.full)
    cpu_s = time.process_time() - started
    frame = found.moved
    left = frame[list(SINCE_DRIVERS)].sum(axis=1) - (frame["after"] - frame["before"])
    worst = left.abs().groupby(frame["measure"]).agg(["size", "max"])
    print(worst.rename(columns={"size": "rows", "max": "largest remainder"}).to_string())
    figures = {
        "rows": len(frame), "plans": found.plans, "differing": list(found.differing),
        "cpu_s": cpu_s, "cpu_s_per_10000": cpu_s / max(len(frame), 1) * 10_000,
        "violations": int((left.abs() > 1e-6).sum()),
    }  # fmt: skip
    print(json.dumps(figures, indent=1))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
