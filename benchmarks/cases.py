"""Runs every case of a folder (README.md, and case.py or raw tables) and prints what came of it.

    python -m benchmarks.cases FOLDER [--only 05 22 …] [--plan] [--json FILE]

A case.py is called with a generated base folder and makes an edited one; other cases are raw
folders themselves. Each is checked, read, and with `--plan` planned as a whole night beside the
base, in a process of its own. Printed: whether the night can run, the findings that the base does
not have, and what is ordered. Anything but one clear message is a TRACEBACK, and exit code 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.kills import forked
from pipeline import runner
from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import EchelonError
from pipeline.ingest.check import check_raw
from pipeline.ingest.raw import read_folder
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.ingest.world import clean_world
from pipeline.store import Source, Store

AS_OF = date(2025, 6, 29)
_SHOWN = 3


def looked_at(folder: Path, settings: Settings, known: set[str]) -> dict[str, Any]:
    """Outcome of check and ingest, and the findings not `known`."""
    try:
        check = check_raw(folder, AS_OF, settings.ingest)
    except Exception as error:  # what the run looks for
        return {"outcome": f"TRACEBACK {type(error).__name__}: {error}", "findings": []}
    told = [f"{found.severity}: {found}" for found in check.findings]
    outcome = "stops" if check.is_fatal else "ready"
    try:
        clean_world(read_folder(folder, settings.ingest), AS_OF, settings.ingest)
    except EchelonError:
        outcome = "stops" if check.is_fatal else "STOPS UNSAID"
    except Exception as error:
        outcome = f"TRACEBACK {type(error).__name__}: {error}"
    return {"outcome": outcome, "findings": [text for text in told if text not in known]}


def planned(folder: Path, out: Path, settings: Settings) -> dict[str, Any]:
    """What a whole night of the folder orders: lines, units, usd and gain."""
    code = forked(lambda: _plan(folder, out, settings))
    if code:
        return {"night": "one message" if code == 3 else "TRACEBACK"}
    orders = Store(out).read(AS_OF, "purchase_orders")
    return {
        "night": "planned", "lines": len(orders), "units": int(orders["order_units"].sum()),
        "usd": round(float(orders["order_cost_usd"].sum())),
        "gain_usd": round(float(orders["value_gained_usd"].sum())),
        "by_item": orders.astype({"item_id": "str"}).groupby("item_id")["order_units"].sum()
        .astype(int).to_dict(),
    }  # fmt: skip


def _plan(folder: Path, out: Path, settings: Settings) -> None:
    try:
        runner.run_night(Store(out), Source("raw", folder), settings, AS_OF)
    except EchelonError as error:
        print(str(error)[:300], file=sys.stderr)
        raise SystemExit(3) from error


def main() -> int:
    """Run the cases; 1 if any ended in a traceback."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="beginnings of names")
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = load_settings(options.settings)
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch) / "base"
        write_sample(base, SampleSize(items=12, regions=2, days=120), AS_OF)
        known = {f"{f.severity}: {f}" for f in check_raw(base, AS_OF, settings.ingest).findings}
        kept["base"] = planned(base, Path(scratch) / "out base", settings) if options.plan else {}
        print("base", kept["base"], flush=True)
        cases = [path.parent for path in sorted(options.folder.glob("*/README.md"))]
        for case in cases:
            if options.only and not case.name.startswith(tuple(options.only)):
                continue
            raw, script = case, case / "case.py"
            if script.exists():
                raw = Path(scratch) / "edited"
                subprocess.run([sys.executable, script, base, raw], check=True)
            found = looked_at(raw, settings, known)
            if options.plan and found["outcome"] == "ready":
                found |= planned(raw, Path(scratch) / f"out {case.name}", settings)
            kept[case.name] = found
            figures = {name: value for name, value in found.items() if name != "findings"}
            print(case.name, figures, flush=True)
            for text in found["findings"][:_SHOWN]:
                print(f"    {text[:220]}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    return int(any("TRACEBACK" in str(found) for found in kept.values()))


if __name__ == "__main__":
    sys.exit(main())
