"""The optimizer from Parquet item tables to a certified integer plan, and against general solvers.

python -m benchmarks.optimize --items 100000 --nodes 24 --seed 1 [--weeks 4] [--threads 2]
                              [--engine dask] [--warm] [--out-of-core] [--json FILE]
python -m benchmarks.optimize --items 3000 --peer highs
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small dense algebra only: more threads just spin

import argparse
import json
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.optimize_instance import World, capacity_rows, read_tables, world, write_items
from benchmarks.optimize_peers import linear_programme, solve_with
from benchmarks.spool import Spool
from pipeline.core.ascent import Start
from pipeline.core.item import ItemTables, concatenate, sweep
from pipeline.core.prices import Capacity
from pipeline.core.shards import Parts, Threads
from pipeline.core.solve import Plan, SolveParams, solve

Figures = dict[str, object]


def main() -> None:
    """Run one measurement and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weeks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--engine", choices=["threads", "dask"], default="threads")
    parser.add_argument("--warm", action="store_true", help="start from a drifted night's prices")
    parser.add_argument("--out-of-core", action="store_true", help="stream tables from disk")
    parser.add_argument("--peer", choices=["highs", "highs-ipm", "pdlp", "glop"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="keep the instance here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(options, options.folder or Path(scratch))
    _show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(options: argparse.Namespace, folder: Path) -> Figures:
    """All figures of one run."""
    place = world(options.nodes, options.seed)
    files = folder / f"items-{options.items}-{options.seed}-{options.nodes}"
    if not files.exists():
        write_items(files, options.items, options.seed)
    _compile(options)
    began = process_time(), perf_counter()
    parts = _parts(files, place, options)
    table_cpu_s, table_wall_s = process_time() - began[0], perf_counter() - began[1]
    capacity = capacity_rows(place, parts, options.weeks, options.seed)
    if options.peer:  # the peers' programme knows what is held only
        capacity = capacity.take(np.flatnonzero(~capacity.is_on_flows))
    guess = _yesterday(files, place, options) if options.warm else None
    params = SolveParams(threads=options.threads, seed=options.seed)
    with _Engine(options, parts) as engine:
        began = process_time(), perf_counter()
        plan = solve(place.woods, parts, capacity, params, guess, engine)
        cpu_s, wall_s = process_time() - began[0], perf_counter() - began[1]
    figures = _figures(options, plan, capacity)
    figures |= {"cpu_s": cpu_s, "wall_s": wall_s, "table_cpu_s": table_cpu_s,
                "table_wall_s": table_wall_s, **_memory(parts)}  # fmt: skip
    if options.peer:
        items = concatenate([parts[i] for i in range(len(parts))])
        figures |= _peer(options.peer, linear_programme(place.woods, items, capacity), plan, cpu_s)
    if options.items <= 1_000_000 and not options.out_of_core and not options.peer:
        figures |= _bandwidth(place, parts, capacity.shape)
    return figures


def _compile(options: argparse.Namespace) -> None:
    """Compile or load the kernels on a toy, so that compilation is not measured."""
    with tempfile.TemporaryDirectory() as toy:
        small = argparse.Namespace(**{**vars(options), "items": 3000, "out_of_core": False})
        place = world(small.nodes, 0)
        write_items(Path(toy), 3000, 0)
        parts = _parts(Path(toy), place, small)
        solve(
            place.woods,
            parts,
            capacity_rows(place, parts, small.weeks, 0),
            SolveParams(sample_items=999),
        )


def _parts(files: Path, place: World, options: argparse.Namespace, drift: float = 0.0) -> Parts:
    """Packed tables of every shard, in memory or spooled to disk."""
    found = (
        read_tables(path, place, shard, options.seed, drift, options.weeks)
        for shard, path in enumerate(sorted(files.glob("*.parquet")))
    )
    return Spool.write(files / "packed", found) if options.out_of_core else list(found)


def _yesterday(files: Path, place: World, options: argparse.Namespace) -> Start:
    """Prices of a night on which every item's demand was another one, by about a tenth."""
    parts = _parts(files, place, argparse.Namespace(**{**vars(options), "out_of_core": False}), 0.1)
    capacity = capacity_rows(place, _parts(files, place, options), options.weeks, options.seed)
    return solve(place.woods, parts, capacity, SolveParams(seed=options.seed + 1)).start


class _Engine:
    """Threads, or a local Dask cluster that lives as long as the measurement."""

    def __init__(self, options: argparse.Namespace, parts: Parts) -> None:
        self.options, self.parts = options, parts
        self.close: list[Callable[[], object]] = []

    def __enter__(self):
        if self.options.engine == "threads":
            return Threads(self.parts, self.options.threads)
        from distributed import Client, LocalCluster

        from pipeline.optimize.cluster import Cluster

        local = LocalCluster(
            n_workers=self.options.threads, threads_per_worker=1, dashboard_address=None
        )
        client = Client(local)
        self.close = [client.close, local.close]
        return Cluster(client, self.parts)

    def __exit__(self, *_: object) -> None:
        for close in self.close:
            close()


def _figures(options: argparse.Namespace, plan: Plan, capacity: Capacity) -> Figures:
    units = int(sum(part.sum() for part in plan.position))
    return {
        "items": options.items,
        "rows": len(capacity),
        "binding_rows": int((plan.price > 0).sum()),
        "gap": plan.certificate.gap,
        "violation": plan.certificate.violation,
        "cost_usd": plan.certificate.upper,
        "lower_bound_usd": plan.certificate.lower,
        "overflow_usd": plan.certificate.overflow_usd,
        "units": units,
        "sweeps": round(plan.trace.sweeps, 2),
        **{f"{phase}_cpu_s": seconds for phase, seconds in plan.trace.cpu_s.items()},
        **{f"{phase}_wall_s": seconds for phase, seconds in plan.trace.wall_s.items()},
    }


def _memory(parts: Parts) -> Figures:
    n_items = sum(len(parts[i]) for i in range(len(parts)))
    n_bytes = sum(parts[i].n_bytes for i in range(len(parts)))
    return {
        "bytes_per_item": n_bytes / n_items,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def _bandwidth(place: World, parts: list[ItemTables], shape: tuple[int, ...]) -> Figures:
    """Seconds of one sweep, and of merely reading the same bytes; shape: of the rows' cells."""
    price = np.full((1, *shape), 0.05)
    began = process_time()
    for part in parts:
        sweep(place.woods, part, np.array([0, len(part)]), price)
    swept = process_time() - began
    began = process_time()
    for part in parts:
        for name in ("knots", "place_usd", "count", "use"):
            getattr(part, name).view(np.uint8).reshape(-1).view(np.uint8).max()
    read = process_time() - began
    return {"sweep_cpu_s": swept, "read_cpu_s": read}


def _peer(solver: str, programme: tuple, plan: Plan, cpu_s: float) -> Figures:
    answer = solve_with(solver, programme)
    found = answer["objective"]
    return {
        "ours": {"objective": plan.certificate.upper, "cpu_s": cpu_s, "gap": plan.certificate.gap},
        "peer": {"solver": solver, **answer},
        "time_ratio": answer["cpu_s"] / cpu_s,
        "objective_ratio": plan.certificate.upper / found if found else None,
    }


def _show(figures: Figures) -> None:
    table = Table(title="optimizer")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.6g}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
