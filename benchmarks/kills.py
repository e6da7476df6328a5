"""Kills nights at every step of the store and at random instants; says what each kill left.

    python -m benchmarks.kills [--steps 1000] [--nights 100] [--backfill 60] [--json FILE]

A small world is planned, its data change, and the night is planned again: every partition must be
the old or the new one, whole; a night that mixes them must be told as not whole; planning again
must end in the bytes of a night that nobody killed. `--steps` replays only what the night
publishes and ends the process before or after the n-th system call of the store; `--nights` runs
the stages themselves and kills them at a random instant. `--backfill` plans so many nights in one
process and prints what each costs. Exit code 1 if anything was lost, corrupt or mixed unseen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import runner
from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import EchelonError
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.store import MANIFEST, Source, Store, not_whole

AS_OF = date(2025, 6, 30)
"""A Monday: the model of the day before is there already, as on six nights of seven."""
QUICK: dict[str, dict[str, Any]] = {
    "forecast": {"mean": {"trees": 10, "leaves": 6, "leaf_rows": 40},
                 "shape": {"trees": 5, "leaves": 4, "leaf_rows": 100}, "calibration_days": 28,
                 "explained_items": 2},
    "optimize": {"scenarios": 32, "rank_banks": 2, "exact_items": 0, "audit_items": 0},
    "run": {"threads": 1},
}  # fmt: skip
State = dict[str, tuple[str, bytes]]


class Campaign:
    """An old and a new store of the same night, a third to kill in, and what came of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = random.Random(seed)  # noqa: S311  faults, no secrets
        self.settings: Settings = load_settings(None, QUICK)
        size = SampleSize(items=6, regions=2, days=100, snapshot_days=4)
        write_sample(folder / "raw old", size, AS_OF, 3)
        shutil.copytree(folder / "raw old", folder / "raw new")
        _change(folder / "raw new")
        self.night("old", "raw old")
        shutil.copytree(folder / "old", folder / "new")
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        with _recorded(self.calls):
            self.night("new", "raw new")
        self.old, self.new = state(folder / "old"), state(folder / "new")
        self.tally: Counter[str] = Counter()
        self.found: list[str] = []

    def night(self, out: str, raw: str) -> None:
        """Plan the night of one of the two data into a store."""
        source = Source("raw", self.folder / raw)
        runner.run_night(Store(self.folder / out), source, self.settings, AS_OF)

    def replay(self) -> None:
        """Publish again what the new night published, in order."""
        store = Store(self.folder / "killed")
        for name, arguments in self.calls:
            getattr(store, name)(*arguments)

    def fresh(self) -> None:
        """The old night in the store to kill in; data as links, since none is written in place."""
        shutil.rmtree(self.folder / "killed", ignore_errors=True)
        shutil.copytree(self.folder / "old", self.folder / "killed", copy_function=os.link)

    def judge(self, label: str) -> None:
        """Compare what a kill left with the old and the new night."""
        now, kinds = state(self.folder / "killed"), set()
        self.tally["kills"] += 1
        for key, (status, manifest) in now.items():
            if status.startswith("corrupt"):
                self._fault("corrupt", f"{label}: {key} {status}")
            elif self.old.get(key) != self.new.get(key):
                kinds.add("old" if (status, manifest) == self.old.get(key)
                          else "new" if (status, manifest) == self.new.get(key)
                          else "unpublished" if status == "unpublished" else "other")  # fmt: skip
        if self.old.keys() - now.keys() or any(
            now[key][0] == "unpublished" for key in self.old.keys() & now.keys()
        ):
            self._fault("lost", label)
        if "other" in kinds:
            self._fault("neither old nor new", label)
        told = not_whole(Store(self.folder / "killed"), AS_OF)
        if len(kinds) > 1:
            self.tally["old and new, told"] += bool(told)
            if not told:
                self._fault("mixed unseen", label)

    def finish(self, label: str, again: Callable[[], None]) -> None:
        """Plan again after a kill: the bytes must be those of a night that nobody killed."""
        if forked(again) != 0 or _tree(self.folder / "killed") != _tree(self.folder / "new"):
            self._fault("not mended by another run", label)
        self.tally["planned again"] += 1

    def _fault(self, kind: str, label: str) -> None:
        self.tally[kind.upper()] += 1
        self.found.append(f"{kind}: {label}")
        print(self.found[-1], flush=True)


def state(root: Path) -> State:
    """(status, manifest) of every partition: whole, unpublished, or corrupt and why."""
    found: State = {}
    for folder in sorted(path for path in root.glob("2*/*") if path.is_dir()):
        key, path = str(folder.relative_to(root)), folder / MANIFEST
        if not path.exists():
            found[key] = ("unpublished", b"")
            continue
        day, name = key.split("/")
        try:
            Store(root).verify(date.fromisoformat(day), name)
            found[key] = ("whole", path.read_bytes())
        except EchelonError as error:
            found[key] = (f"corrupt {error}", path.read_bytes())
    return found


def kill_steps(campaign: Campaign, kills: int, first: int = 1) -> None:
    """Replay the publishing; end the process at each step in turn, then at random instants."""
    total = _count_steps(campaign)
    campaign.tally["steps of a night"] = total
    started = time.perf_counter()
    campaign.fresh()
    forked(campaign.replay)
    whole_s = time.perf_counter() - started
    for number in range(first - 1, first - 1 + kills):
        campaign.fresh()
        step = number + 1
        if step <= total:
            forked(campaign.replay, end_at=step)
        else:
            forked(campaign.replay, kill_after_s=campaign.rng.uniform(0, whole_s))
        campaign.judge(f"step {step}" if step <= total else f"instant {number}")
        if number % 25 == 0:
            print(f"  {step} {dict(campaign.tally)}", flush=True)
            campaign.finish(f"step {step}", campaign.replay)


def kill_nights(campaign: Campaign, kills: int) -> None:
    """Run the stages; kill them at random instants."""
    campaign.fresh()
    started = time.perf_counter()
    forked(lambda: campaign.night("killed", "raw new"))
    whole_s = time.perf_counter() - started
    for number in range(kills):
        campaign.fresh()
        wait_s = campaign.rng.uniform(0, whole_s)
        forked(lambda: campaign.night("killed", "raw new"), kill_after_s=wait_s)
        campaign.judge(f"night {number} after {wait_s:.2f} s")
        if number % 10 == 0:
            print(f"  {number} {dict(campaign.tally)}", flush=True)
            campaign.finish(f"night {number}", lambda: campaign.night("killed", "raw new"))


def backfill(campaign: Campaign, nights: int) -> list[dict[str, float]]:
    """Plan consecutive nights in this process; what each cost, and what it left open."""
    raw, out = campaign.folder / "raw long", campaign.folder / "long"
    first = AS_OF - timedelta(days=nights - 1)
    write_sample(raw, SampleSize(items=6, regions=2, days=100 + nights, snapshot_days=nights + 2),
                 AS_OF, 3)  # fmt: skip
    # So small a company has days without anything on the way: it says so, or the night would stop.
    settings = load_settings(
        None, QUICK | {"ingest": {"may_be_empty": ["open_orders", "open_transfers"]}}
    )
    rows = []
    for day in runner.business_dates(first, AS_OF):
        started, cpu = time.perf_counter(), time.process_time()
        runner.run_night(Store(out), Source("raw", raw), settings, day)
        files = [path for path in (out / day.isoformat()).rglob("*") if path.is_file()]
        rows.append({
            "wall_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu,
            "resident_mb": _resident_mb(), "open_files": len(os.listdir("/proc/self/fd")),
            "files": len(files), "disk_kb": sum(path.stat().st_size for path in files) / 1024,
        })  # fmt: skip
    return rows


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _change(raw: Path) -> None:
    stock = pd.read_csv(raw / "stock.csv")
    stock["on_hand_units"] = (stock["on_hand_units"] * 0.8).astype("int64")
    stock.to_csv(raw / "stock.csv", index=False)
    sales = pd.read_csv(raw / "sales.csv")
    sales.loc[sales["date"] > str(AS_OF - timedelta(days=5)), "units"] += 1
    sales.to_csv(raw / "sales.csv", index=False)


class _recorded:  # noqa: N801  a context manager
    """Note every publication of a store while it lasts."""

    NAMES = ("publish_bytes", "publish_files", "write_json")

    def __init__(self, calls: list[tuple[str, tuple[Any, ...]]]) -> None:
        self.calls = calls
        self.kept = {name: getattr(Store, name) for name in self.NAMES}

    def __enter__(self) -> None:
        for name, real in self.kept.items():
            setattr(Store, name, self._noting(name, real))

    def __exit__(self, *_: object) -> None:
        for name, real in self.kept.items():
            setattr(Store, name, real)

    def _noting(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def noted(store: Store, *arguments: Any) -> Any:
            to_killed = tuple(
                str(part).replace("/new/", "/killed/") if name == "write_json" and not place
                else part for place, part in enumerate(arguments)
            )  # fmt: skip
            self.calls.append((name, to_killed))
            return real(store, *arguments)

        return noted


def _count_steps(campaign: Campaign) -> int:
    read, write = os.pipe()
    campaign.fresh()

    def counted() -> None:
        steps = _hook_steps(None)
        campaign.replay()
        os.write(write, str(steps[0]).encode())

    forked(counted)
    return int(os.read(read, 20))


def _hook_steps(end_at: int | None) -> list[int]:
    """Count, and at `end_at` end the process, before and after each system call of the store."""
    steps = [0]

    def hooked(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            for is_after in (False, True):
                result = real(*arguments, **named) if is_after else None
                steps[0] += 1
                if steps[0] == end_at:
                    os._exit(137)
            return result

        return call

    os.fsync, os.replace = hooked(os.fsync), hooked(os.replace)
    return steps


def forked(
    work: Callable[[], None], end_at: int | None = None, kill_after_s: float | None = None
) -> int:
    """Exit status of a process of its own that does the work: that of SystemExit, or 9 after
    another error, told on stderr."""
    child = os.fork()
    if child == 0:
        try:
            if end_at is not None:
                _hook_steps(end_at)
            work()
            os._exit(0)
        except SystemExit as end:
            os._exit(int(end.code or 0))
        except BaseException as error:  # told to the parent by the exit code
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(9)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status)


def _tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*"))
            if path.is_file() and path.suffix != ".lock"}  # fmt: skip


def main() -> int:
    """Run the campaign; print a table; 1 if anything was lost, corrupt or mixed unseen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1, help="first step, to go on from")
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--backfill", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    told: dict[str, Any] = {}
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder), options.seed)
        for name in ("steps", "nights"):
            campaign.tally = Counter()
            if name == "steps" and options.steps:
                kill_steps(campaign, options.steps, options.first)
            if name == "nights" and options.nights:
                kill_nights(campaign, options.nights)
            told[name] = dict(campaign.tally)
            print(name, told[name], flush=True)
        found = campaign.found
        if options.backfill:
            told["backfill"] = rows = backfill(campaign, options.backfill)
            shown = pd.DataFrame(rows)
            shown.index = pd.RangeIndex(1, len(shown) + 1, name="night")
            print(shown.iloc[[*range(0, len(shown), 10), len(shown) - 1]].round(2).to_string())
    if options.json:
        options.json.write_text(json.dumps(told | {"found": found}, indent=1) + "\n")
    return int(bool(found))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
