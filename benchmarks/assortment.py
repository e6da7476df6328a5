"""Joint assortment and inventory against exact optima, records and bounds; marginals; speed.

    python benchmarks/assortment.py ../shared/benchmarks/assortment.json \
        ../shared/benchmarks/joint_instances.json [--speed SHARE] [--json OUT]

--speed 1 decides 10^5 products in groups of 50 (0.1: a tenth). Exit code 1 if a target is missed.
A larger record's profit is of 1,000 seasons of its own luck: `paired` compares what the climb adds
to the newsvendor plan on the bound, ours on our seasons, the record's on its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipeline.core.assortment.chain import Chain, logit_chain, offer
from pipeline.core.assortment.decide import QUICK, Effort, decide
from pipeline.core.assortment.exact import exact_profits
from pipeline.core.assortment.group import Group, Work, decide_groups
from pipeline.core.assortment.lists import chain_seasons
from pipeline.core.assortment.marginals import play
from pipeline.core.assortment.newsvendor import newsvendor
from pipeline.core.assortment.season_bound import season_bound
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.stopping import fluid_plan
from pipeline.core.assortment.terms import Terms, profit

Row = dict[str, Any]
SMALL_CUSTOMERS, LARGE_CUSTOMERS = 400_000, 400_000
"""Customers sampled for a decision on an exact and on a larger record."""


def chain_of(params: Row) -> Chain:
    """The chain of a record, in any of the forms that records have."""
    if "v" in params:
        return logit_chain(np.array(params["v"], float), float(params["v0"]))
    if "mnl_weights" in params:
        weights = np.array(params["mnl_weights"], float)
        return logit_chain(weights[1:], weights[0])
    if "lambda" in params:
        return Chain(np.array(params["lambda"], float), np.array(params["rho"], float))
    arrival = np.array(params["arrival"], float)[1:]
    if "transition" in params:
        return Chain(arrival, np.array(params["transition"], float)[1:, 1:])
    transition = np.zeros((len(arrival), len(arrival)))
    for i, (to, chances) in enumerate(
        zip(params["neighbours"], params["probabilities"], strict=True)
    ):
        transition[i, np.array(to, int) - 1] = chances
    return Chain(arrival, transition)


def static_record(record: Row) -> Row:
    """The best assortment without chance: stopping against all assortments and the record."""
    chain, revenue = chain_of(record["params"]), np.array(record["params"]["revenue"], float)
    plan = fluid_plan(chain, revenue)
    best = max(
        float(offer(chain, np.array(mask))[0] @ revenue)
        for mask in itertools.product((False, True), repeat=len(chain))
    )
    wanted = record["derived"]["optimal_revenue"]
    error = max(abs(plan.bound_usd - wanted), abs(plan.bound_usd - best))
    return {"id": record["id"], "kind": "static", "ours": plan.bound_usd, "record": wanted,
            "error": error, "ok": error <= 1e-8}  # fmt: skip


def exact_record(record: Row) -> Row:
    """The climb's units, valued exactly, against the exact optimum."""
    params = record["params"]
    if "choice" in params:  # simopt's dynamnews: utilities
        chain = logit_chain(np.exp(np.array(params["u"], float)), 1.0)
    else:
        chain = chain_of(params)
    terms = Terms.plain(np.array(params["price"], float), np.array(params["cost"], float))
    customers = int(params["customers"])
    wanted = record["derived"]["optimal_profit"]
    started = time.process_time()
    sizes = np.full(max(SMALL_CUSTOMERS // customers, 200), customers)
    seasons = chain_seasons(chain, sizes, 1)
    effort = Effort(starts=6, final_passes=400, tries=40)
    units = decide(chain, terms, seasons, effort).best.units
    seconds = time.process_time() - started
    value = exact_profits(chain, terms.price_usd, terms.unit_cost_usd, customers, units)[
        tuple(units)
    ]
    gap = max(1.0 - value / wanted, 0.0)
    return {"id": record["id"], "kind": "exact", "ours": float(value), "record": wanted,
            "gap": gap, "is_optimal": gap <= 1e-6, "units": units.tolist(),
            "seconds": seconds}  # fmt: skip


def large_record(record: Row) -> Row:
    """The climb on a larger instance, evaluated on fresh seasons, beside the record's figures."""
    params, derived = record["params"], record["derived"]
    chain, customers = chain_of(params), params["expected_customers"]
    terms = Terms.plain(np.array(params["price"], float), np.array(params["cost"], float))
    started = time.process_time()
    count = int(np.clip(LARGE_CUSTOMERS // customers, 200, 4000))
    seasons = chain_seasons(chain, season_sizes(customers, count), 1)
    found = decide(chain, terms, seasons)
    seconds = time.process_time() - started
    fresh = chain_seasons(chain, season_sizes(customers, max(4000, 800_000 // customers)), 99)
    ours = profit(fresh, terms, found.best.units, False).profit_usd
    single = newsvendor(seasons, terms, found.fluid.is_offered)
    on_lp = profit(fresh, terms, single, False).profit_usd
    thresholded = profit(fresh, terms, found.thresholded.units, False).profit_usd
    bound = customers * found.fluid.bound_usd
    tighter = season_bound(chain, terms, customers, ours, steps=60, samples=3)
    added = derived["marginal_climb"] - derived["newsvendor_on_lp"]
    points = 100.0 * (ours - derived["marginal_climb"]) / bound
    paired = 100.0 * (ours - on_lp - added) / bound
    return {"id": record["id"], "kind": "large", "ours": ours, "record": derived["marginal_climb"],
            "points": points, "paired_points": paired, "newsvendor_on_lp": on_lp,
            "thresholded": thresholded, "lp_bound": bound, "lp_record": derived["lp_bound"],
            "season_bound": tighter.mean_usd, "season_bound_95": tighter.upper_usd,
            "stocked": int((found.best.units > 0).sum()), "seconds": seconds,
            "ok": max(points, paired) >= -0.1 and ours >= thresholded}  # fmt: skip


def marginals(instances: int = 200) -> Row:
    """Largest difference between marginal values and finite differences on random instances."""
    random, worst, above = np.random.default_rng(1), 0.0, 0
    for case in range(instances):
        n, customers = int(random.integers(2, 9)), int(random.integers(2, 40))
        onward = random.dirichlet(np.ones(n), n)[:, : n - 1]
        transition = np.zeros((n, n))
        transition[~np.eye(n, dtype=bool)] = onward.ravel()
        chain = Chain(random.dirichlet(np.ones(n + 1))[:n], transition)
        price = random.uniform(5, 25, n)
        terms = Terms.plain(price, price * random.uniform(0.35, 0.65, n))
        seasons = chain_seasons(chain, np.full(5, customers), case)
        units = random.integers(0, 9, n)
        here = play(seasons, price, terms.salvage_usd, units)
        for i in range(n):
            one = np.eye(n, dtype=np.int64)[i]
            more = play(seasons, price, terms.salvage_usd, units + one, False).earned_usd
            worst = max(worst, abs(more - here.earned_usd - here.more_usd[i]))
            if units[i]:
                fewer = play(seasons, price, terms.salvage_usd, units - one, False).earned_usd
                worst = max(worst, abs(here.earned_usd - fewer - here.fewer_usd[i]))
        if n <= 3 and customers <= 12:  # exact optimum against both bounds
            most = np.full(n, customers)
            best = exact_profits(chain, price, terms.unit_cost_usd, customers, most).max()
            bound = season_bound(chain, terms, customers, best, dispersion=0.0, steps=20)
            lp = customers * fluid_plan(chain, terms.margin_usd).bound_usd
            above += int(best > bound.upper_usd + 1e-9 or best > lp + 1e-9)
    return {"id": f"marginals on {instances} random instances", "kind": "marginals",
            "error": worst, "bounds_broken": above, "ok": worst <= 1e-9 and not above}  # fmt: skip


def speed(share: float) -> list[Row]:
    """CPU seconds of one large group, and of so large a share of 10^5 products in groups of 50."""

    def random_group(products: int, customers: int, seed: int) -> Group:
        random = np.random.default_rng(seed)
        rank = random.permutation(products) + 1.0
        transition = np.zeros((products, products))
        for i in range(products):
            others = np.delete(np.arange(products), i)
            chances = random.dirichlet(np.ones(6))[:5]
            transition[i, random.choice(others, 5, replace=False)] = chances
        price = random.uniform(5, 25, products)
        terms = Terms.plain(price, price * random.uniform(0.35, 0.65, products))
        return Group(Chain(1 / rank / (1 / rank).sum(), transition), terms, customers, 1.0, seed)

    warm = Work(seasons=4, fresh=4, bound_steps=2)
    decide_groups([random_group(6, 5, 0)], warm)
    rows = []
    one = random_group(300, 1000, 1)
    started = time.process_time()
    decide_groups([one], Work(seasons=200, fresh=200, bound_samples=0, effort=QUICK))
    seconds = time.process_time() - started
    rows.append({"id": "300 products x 1,000 customers x 200 seasons", "kind": "speed",
                 "seconds": seconds, "ok": seconds <= 2.0})  # fmt: skip
    count = max(int(2000 * share), 1)
    groups = [random_group(50, 200, seed) for seed in range(count)]
    work = Work(200, 200, bound_samples=2, bound_seasons=20, bound_steps=30, effort=QUICK)
    started = time.process_time()
    found = decide_groups(groups, work)
    seconds = time.process_time() - started
    again = decide_groups(groups[:20], work, workers=2)
    same = all((a.units == b.units).all() for a, b in zip(found, again, strict=False))
    rows.append({"id": f"{50 * count:,} products in groups of 50, bounds included", "kind": "speed",
                 "seconds": seconds, "same_on_two_workers": same,
                 "ok": same and seconds <= 600.0 * share})  # fmt: skip
    return rows


def solve(record: Row) -> Row | None:
    """A record's row, or None where it holds no numbers."""
    derived = record.get("derived", {})
    if "optimal_revenue" in derived:
        return static_record(record)
    if "optimal_profit" in derived:
        return exact_record(record)
    return large_record(record) if "marginal_climb" in derived else None


def main() -> int:
    """Solve, print, write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.json")
    parser.add_argument("--speed", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--json", type=Path, metavar="OUT")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for path in arguments.files:
        found = [solve(record) for record in json.loads(path.read_text())["records"]]
        rows += [row for row in found if row is not None]
    rows.append(marginals())
    if arguments.speed > 0:
        rows += speed(arguments.speed)
    exact = [row for row in rows if row["kind"] == "exact"]
    if exact:
        gaps = np.array([row["gap"] for row in exact])
        optimal = sum(row["is_optimal"] for row in exact)
        rows.append({"id": f"{optimal} of {len(exact)} exact optima", "kind": "exact summary",
                     "mean_gap": gaps.mean(), "worst_gap": gaps.max(),
                     "ok": bool(optimal >= 0.875 * len(exact) and gaps.mean() <= 1e-3
                                and gaps.max() <= 1e-2)})  # fmt: skip
    console = Console(width=200 if not sys.stdout.isatty() else None)
    console.print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1, default=float) + "\n")
    return 0 if all(row.get("ok", True) for row in rows) else 1


def table(rows: list[Row]) -> Table:
    """All rows, each figure beside its name."""
    shown = Table("record", "ours", "record", "figures", "s", "")
    for row in rows:
        rest = [
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in row.items()
            if name not in ("id", "kind", "ours", "record", "seconds", "ok")
        ]
        mark = {True: "[green]pass", False: "[red]FAIL", None: ""}[row.get("ok")]
        numbers = [f"{row[name]:.6g}" if name in row else "" for name in ("ours", "record")]
        seconds = f"{row['seconds']:.2f}" if "seconds" in row else ""
        shown.add_row(row["id"], *numbers, ", ".join(rest), seconds, mark)
    return shown


if __name__ == "__main__":
    sys.exit(main())
