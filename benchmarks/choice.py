"""How well a learned chain predicts choices that it has not seen, beside the logit.

    python benchmarks/choice.py ../shared/data [--only hotels,population,margarine,juice,recovery]
        [--json OUT]

Reads choice_hotel, choice_synthetic, choice_margarine and dominicks_oj below the folder. Where
`out` rows, households of odd md5, other stores or weeks from 140 on are there they are the test;
else the data are split. Penalties are chosen on training rows. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.recovery import recovered
from pipeline.core.assortment.chain import Chain, logit_chain, offer
from pipeline.core.assortment.choices import Choices, grouped, log_likelihood
from pipeline.core.assortment.logit import fit_logit
from pipeline.core.assortment.penalty import learn_penalized, next_unseen_share
from pipeline.core.assortment.priced import fit_priced, mean_log_likelihood

Row = dict[str, Any]
Floats = np.ndarray
HOTEL_TARGETS = {1: -1.445, 4: -1.113}
HOTEL_MARGINS = {2: 0.02, 3: 0.02, 5: 0.005}
POPULATION_TARGETS = {(20, 2000): 0.045, (40, 10_000): 0.031}
PULLS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


def purchases(rows: pd.DataFrame, products: int) -> Choices:
    """Bookings by offer; the no-purchases of these data are made up and left out."""
    bought = rows[rows["chosen"] > 0]
    offered = np.zeros((len(bought), products), bool)
    chosen = np.zeros((len(bought), products))
    for r, (among, one) in enumerate(zip(bought["offered"], bought["chosen"], strict=True)):
        offered[r, [j - 1 for j in among if j > 0]] = True
        chosen[r, one - 1] = 1
    return grouped(offered, chosen, np.zeros(len(bought)))


def hotels(folder: Path) -> list[Row]:
    """Log-likelihood per purchase of the `out` rows, or of held-out fifths where there are none."""
    data = pd.read_parquet(folder / "choice_hotel" / "hotel_transactions.parquet")
    rows = []
    for hotel, mine in data.groupby("hotel"):
        products = max(max(among) for among in mine["offered"])
        known = purchases(mine[mine["split"] == "in"], products)
        fitted = learn_penalized(known, next_unseen_share(known))
        row = {"id": f"hotel {hotel}", "strength": fitted.strength, "cross_validated": float(
            fitted.scores.max()), "logit_cross_validated": fitted.logit_score}  # fmt: skip
        out = mine[mine["split"] == "out"]
        if len(out):
            test = purchases(out, products)
            each = test.chosen.sum()
            logit = logit_chain(*fit_logit(known))
            row["ours"] = log_likelihood(fitted.learned.chain, test) / each
            row["logit"] = log_likelihood(logit, test) / each
            least = HOTEL_TARGETS.get(hotel, row["logit"] + HOTEL_MARGINS.get(hotel, 0.0))
            row |= {"target": least, "ok": row["ours"] >= least}
        rows.append(row)
    return rows


def population(folder: Path, samples: int = 4) -> list[Row]:
    """Total variation from the true shares, mean of all 1,023 offers and of some samples."""
    data = pd.read_parquet(folder / "choice_synthetic" / "rankings_10items.parquet")
    ranks = data[[f"rank{i}" for i in range(1, 11)]].to_numpy() - 1
    place = np.empty_like(ranks)
    np.put_along_axis(place, ranks, np.arange(10)[None].repeat(len(ranks), 0), 1)
    masks = np.array(list(itertools.product((False, True), repeat=10))[1:])
    best = [np.where(mask, place, 99).argmin(axis=1) for mask in masks]
    truth = np.array([np.bincount(one, minlength=10) for one in best]) / len(ranks)

    def variation(chain: Chain) -> float:
        found = np.array([offer(chain, mask)[0] for mask in masks])
        return float(0.5 * np.abs(found - truth).sum(axis=1).mean())

    rows = []
    for (offers, sales), target in POPULATION_TARGETS.items():
        ours, logit = [], []
        for seed in range(samples):
            random = np.random.default_rng(seed)
            shown = random.choice(len(masks), offers, replace=False)[np.arange(sales) % offers]
            who = random.integers(0, len(ranks), sales)
            chosen = np.zeros((sales, 10))
            chosen[np.arange(sales), np.array(best)[shown, who]] = 1
            known = grouped(masks[shown], chosen, np.zeros(sales))
            ours.append(variation(learn_penalized(known).learned.chain))
            logit.append(variation(logit_chain(*fit_logit(known))))
        rows.append({"id": f"population, {sales:,} sales over {offers} offers",
                     "ours": float(np.mean(ours)), "logit": float(np.mean(logit)),
                     "target": target, "ok": bool(np.mean(ours) <= target)})  # fmt: skip
    return rows


def with_others(own: Floats, price: Floats) -> Floats:
    """Covariates of each product, and every product's price: [days, products, …]."""
    return np.concatenate([own, np.repeat(price[:, None, :], own.shape[1], 1)], axis=2)


def priced(
    name: str, own: Floats, price: Floats, bought: Floats, train: Floats, test: Floats,
    fold: Floats,
) -> list[Row]:  # fmt: skip
    """The chain with prices beside logits with own, and with own and others' prices; ours with
    either, and each at the penalty that predicts training rows held out (fold 0) best."""
    both = with_others(own, price)
    forms: dict[str, tuple[tuple[Floats, ...], bool]] = {
        "ours": ((own, both), False), "logit": ((own,), True), "logit_cross": ((both,), True),
    }  # fmt: skip
    row: Row = {"id": name}
    kept, held = train & (fold != 0), train & (fold == 0)
    for form, (seen, is_logit) in forms.items():
        found = [
            (mean_log_likelihood(fit_priced(x[kept], bought[kept], pull, is_logit, 100),
                                 x[held], bought[held]), k, pull)
            for k, x in enumerate(seen) for pull in PULLS
        ]  # fmt: skip
        _, k, pull = max(found)
        fit = fit_priced(seen[k][train], bought[train], pull, is_logit)
        row[form] = mean_log_likelihood(fit, seen[k][test], bought[test])
        row[f"{form}_pull"] = pull
    best = max(row["logit"], row["logit_cross"])
    row["gain_on_best_logit"] = 1.0 - row["ours"] / best
    row["gain_on_own_price_logit"] = 1.0 - row["ours"] / row["logit"]
    return [row | {"target": 0.01, "ok": row["gain_on_best_logit"] >= 0.01}]


def margarine(folder: Path) -> list[Row]:
    """Households of even md5 teach; others are the test, or a fifth if there are none."""
    data = pd.read_parquet(folder / "choice_margarine" / "margarine_choice.parquet")
    digest = np.array(
        [int(hashlib.md5(str(h).encode(), usedforsecurity=False).hexdigest(), 16)
         for h in data["hhid"]], dtype=object,
    )  # fmt: skip
    other = np.array([int(d % 2) == 1 for d in digest])
    part = np.array([int(d // 2 % 5) for d in digest])
    price = np.log(data.filter(regex="^P").to_numpy(float))
    price = price - price.mean(axis=0)
    bought = np.zeros((len(data), 10))
    bought[np.arange(len(data)), data["choice"].astype(int) - 1] = 1
    test = other if other.any() else part == 4
    return priced("margarine", price[:, :, None], price, bought, ~test, test, part)


def juice(folder: Path) -> list[Row]:
    """Weeks before 140 of the stores given teach; else weeks from 120 on of every second store."""
    data = pd.read_parquet(folder / "dominicks_oj" / "orange_juice_store_week.parquet")
    data = data.sort_values(["store", "week", "brand"])
    data = data[data.groupby(["store", "week"])["brand"].transform("size") == 11]
    shape = (len(data) // 11, 11)
    store, week = (data[name].to_numpy().reshape(shape)[:, 0] for name in ("store", "week"))
    price = np.log(data[[f"price{i}" for i in range(1, 12)]].to_numpy(float)[::11])
    price = price - price.mean(axis=0)
    own = np.stack([price, *(data[c].to_numpy(float).reshape(shape) for c in ("deal", "feat"))], 2)
    bought = np.exp(data["logmove"].to_numpy(float)).reshape(shape)
    bought = 20.0 * bought / bought.sum(axis=1, keepdims=True)
    stores = np.unique(store)
    known = np.isin(store, stores[::2])
    test = (week >= 140) if (week >= 140).any() else (week >= 120) & ~known
    last = 140 if (week >= 140).any() else 120
    fold = np.where(week >= last - 15, 0, 1)
    return priced("orange juice", own, price, bought, (week < last) & known, test, fold)


def recovery(folder: Path) -> list[Row]:  # simulated
    """Sales of a known chain with stock-outs: recaptured units and first-choice shares found."""
    return [recovered(seed) for seed in range(3)]


PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "hotels": hotels, "population": population, "margarine": margarine, "juice": juice,
    "recovery": recovery,
}  # fmt: skip


def main() -> int:
    """Fit, print, write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--json", type=Path, metavar="OUT")
    arguments = parser.parse_args()
    rows = [row for name in arguments.only.split(",") for row in PARTS[name](arguments.folder)]
    shown = Table("data", "ours", "logit", "target", "figures", "")
    for row in rows:
        rest = [
            f"{name} {value:.4g}"
            for name, value in row.items()
            if name not in ("id", "ours", "logit", "target", "ok")
        ]
        numbers = [f"{row[n]:.4f}" if n in row else "" for n in ("ours", "logit", "target")]
        mark = {True: "[green]pass", False: "[red]FAIL", None: ""}[row.get("ok")]
        shown.add_row(row["id"], *numbers, ", ".join(rest), mark)
    Console(width=180 if not sys.stdout.isatty() else None).print(shown)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1, default=float) + "\n")
    return 0 if all(row.get("ok", True) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
