"""A planted lift through the command line: echelon lab assign and read, looked at three times.

    python -m benchmarks.labs_cli --labs 100 --json labs_cli.json

Every lab is a world of its own. Its outcomes by item and week go into a Parquet file, as a
company's books would; B's profit in the lab's weeks is multiplied by 1 + lift, or left as it is
(null). Counted is what `echelon lab read` decides with its looks, and when.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.simulate.labs.rehearsal import lab_world
from pipeline.store import Store

START, WEEKS, CLUSTER_SIZE = date(2025, 3, 3), 12, 2
PLAN = (
    "{name: rehearsal, question: 'Is a planted lift found?', start: 2025-03-03, weeks: 12,"
    " before_weeks: 12, cluster: cluster, looks: [4, 8, 12], seed: %d}"
)


def main() -> None:
    """Run the labs, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=100)
    parser.add_argument("--items", type=int, default=6000)
    parser.add_argument("--lift", type=float, default=0.01)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    began, rows = time.process_time(), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.labs):
            rows.append(rehearse(Path(folder) / str(seed), arguments.items, arguments.lift, seed))
    frame = pd.DataFrame(rows)
    figures = {
        "labs": len(frame), "found_of_100": 100 * (frame["planted"] == "B is better").mean(),
        "wrong_side_of_100": 100 * (frame["planted"] == "A is better").mean(),
        "null_quiet_of_100": 100 * (frame["null"] == "no difference found").mean(),
        "covered_of_100": 100 * frame["is_covered"].mean(),
        "mean_weeks_to_verdict": frame["week"].mean(), "cpu_s": time.process_time() - began,
    }  # fmt: skip
    table = Table("figure", "value", title=f"lift {arguments.lift:.1%}, {arguments.items} items")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}")
    Console().print(table)
    if arguments.json:
        content = {name: float(value) for name, value in figures.items()}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


def rehearse(folder: Path, n_items: int, lift: float, seed: int) -> dict[str, object]:
    """One lab, with the planted lift and without it: decisions, week of the verdict, coverage."""
    folder.mkdir(parents=True)
    nobody = np.zeros((14 * WEEKS, n_items), dtype=bool)
    profit = lab_world(n_items, seed).run(1.5, 1.5, nobody, seed).profit_usd
    weekly = profit.reshape(2 * WEEKS, 7, n_items).sum(axis=1)
    names = np.array([f"item_{k:05d}" for k in range(n_items)])
    groups = np.array([f"c{k // CLUSTER_SIZE:05d}" for k in range(n_items)])
    pd.DataFrame({"item_id": names, "cluster": groups}).to_csv(folder / "items.csv", index=False)
    (folder / "lab.yaml").write_text(PLAN % seed)
    write(folder, names, weekly)
    run("assign", folder, "--items", str(folder / "items.csv"))
    arms = Store(folder / "out").read(START, "lab_assignment").astype({"item_id": "str"})
    is_b = arms.set_index("item_id").loc[names, "arm"].astype("str").to_numpy() == "B"
    run("read", folder)
    null = Store(folder / "out").read(START, "lab_looks").iloc[-1]
    weekly[WEEKS:, is_b] *= 1 + lift
    write(folder, names, weekly)
    run("read", folder)
    last = Store(folder / "out").read(START, "lab_looks").iloc[-1]
    return {"planted": str(last["lab_decision"]), "null": str(null["lab_decision"]),
            "week": int(last["look_week"]),
            "is_covered": last["lift_low"] <= lift <= last["lift_high"]}  # fmt: skip


def write(folder: Path, names: np.ndarray, weekly: np.ndarray) -> None:
    """outcomes.parquet of [weeks, items] profit."""
    first = pd.Timestamp(START) - pd.Timedelta(weeks=WEEKS)
    weeks = pd.date_range(first, periods=len(weekly), freq="7D")
    frame = pd.DataFrame({"item_id": np.tile(names, len(weeks)),
                          "week_start": np.repeat(weeks, len(names)),
                          "profit_usd": weekly.ravel()})  # fmt: skip
    frame.to_parquet(folder / "outcomes.parquet", index=False)


def run(command: str, folder: Path, *more: str) -> None:
    """A command of `echelon lab`; its error is raised."""
    common = ["--lab", str(folder / "lab.yaml"), "--out", str(folder / "out"),
              "--outcomes", str(folder / "outcomes.parquet")]  # fmt: skip
    found = CliRunner().invoke(app, ["lab", command, *common, *more], catch_exceptions=False)
    assert found.exit_code == 0, found.output


if __name__ == "__main__":
    main()
