"""The worked example of docs/examples/assortment.md: 80 fashion items, what to carry where.

    python benchmarks/assortment_example.py --out docs/examples/assortment [--json OUT]

Draws the pictures, writes products.csv and prints the figures that the page quotes.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipeline.core.assortment.catalogs import Products, accept
from pipeline.core.assortment.chain import Chain
from pipeline.core.assortment.decide import QUICK
from pipeline.core.assortment.group import Group, Work, decide_group
from pipeline.core.assortment.limits import decide_in_space, profit_curve, sampled
from pipeline.core.assortment.newsvendor import first_choices
from pipeline.core.assortment.terms import Terms, profit
from pipeline.core.assortment.tiers import decide_local

COLORS, SIZES = ("black", "white", "navy", "olive", "red"), ("S", "M", "L", "XL")
LINES = ("tee", "shirt", "knit", "jacket")
SEASON_CUSTOMERS, SITE_CUSTOMERS = 300.0, 150.0
WORK = Work(seasons=300, fresh=600, bound_samples=4, bound_seasons=40, bound_steps=120)


def fashion() -> tuple[list[str], Chain, Terms, np.ndarray]:
    """80 items, line × color × size: customers keep to line and size and change the color
    first; some take a size up or down; three in ten of those who miss their first choice leave."""
    random = np.random.default_rng(80)
    names = [f"{a} {b} {c}" for a in LINES for b in COLORS for c in SIZES]
    line, color, size = np.unravel_index(np.arange(80), (4, 5, 4))
    liked = np.array([1.0, 0.6, 0.35, 0.2, 0.12])[color] * np.array([0.6, 1.0, 0.9, 0.4])[size]
    arrival = liked * np.array([1.0, 0.6, 0.45, 0.3])[line] * np.exp(random.normal(0, 0.3, 80))
    arrival /= arrival.sum()
    near = np.where(size[:, None] == size, 1.0, np.where(abs(size[:, None] - size) == 1, 0.15, 0.0))
    near = near * np.where(line[:, None] == line, 1.0, 0.03) * arrival
    np.fill_diagonal(near, 0.0)
    chain = Chain(arrival, 0.7 * near / near.sum(axis=1, keepdims=True))
    price = np.array([20.0, 45.0, 60.0, 110.0])[line]
    plain = Terms.plain(price, price * 0.45)
    terms = replace(plain, salvage_usd=0.15 * price, listing_usd=np.full(80, 8.0))
    return names, chain, terms, np.array([0.06, 0.1, 0.18, 0.5])[line]


def main() -> int:
    """Decide, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    names, chain, terms, cube = fashion()
    group = Group(chain, terms, SEASON_CUSTOMERS, 2.0, 7)
    found = decide_group(group, WORK)
    seasons = sampled(group, WORK)
    curve = profit_curve(group, seasons, found.units)
    blind = profit(seasons, terms, first_choices(seasons, terms), False)
    site = _site(names, group, cube)
    later = _catalog(chain, terms)
    figures = {
        "carried": int((found.units > 0).sum()), "units": int(found.units.sum()),
        "profit_usd": found.profit_usd, "blind_profit_usd": blind.profit_usd,
        "blind_items": int((blind.units > 0).sum()), "lp_bound_usd": found.lp_bound_usd,
        "season_bound_95_usd": found.season_bound.upper_usd, **site, **later,
    }  # fmt: skip
    _draw_curve(curve, found.season_bound.upper_usd, arguments.out / "curve.png")
    _draw_grid(found.units, arguments.out / "network.png", "Units of the whole network")
    _draw_grid(
        np.array(site.pop("site_units")), arguments.out / "site.png", "Units of the same-day site"
    )
    rows = ["item,price_usd,unit_cost_usd,weight,salvage_usd,listing_usd,cube_cuft"]
    rows += [
        f"{n},{p:.2f},{c:.2f},{w:.5f},{s:.2f},8,{v}"
        for n, p, c, w, s, v in zip(names, terms.price_usd, terms.unit_cost_usd, chain.arrival,
                                    terms.salvage_usd, cube, strict=True)
    ]  # fmt: skip
    (arguments.out / "products.csv").write_text("\n".join(rows) + "\n")
    figures.pop("site_units", None)
    print(json.dumps(figures, indent=1, default=float))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, default=float) + "\n")
    return 0


def _site(names: list[str], group: Group, cube: np.ndarray) -> dict[str, object]:
    """A same-day site of 12 cubic feet: space priced, patience by line, waiting costs 4 usd."""
    plain = replace(group.terms, listing_usd=np.zeros(80), salvage_usd=group.terms.unit_cost_usd)
    margin = group.terms.price_usd - group.terms.unit_cost_usd
    near = replace(plain, unit_cost_usd=plain.unit_cost_usd + 0.4)  # handling and a week's capital
    patience = np.repeat([0.2, 0.35, 0.5, 0.8], 20)  # who wants a jacket waits, a tee is for today
    local = replace(group, customers=SITE_CUSTOMERS, terms=near)
    work = replace(WORK, effort=QUICK)
    price = 0.0
    low, high = 0.0, 60.0
    plan = decide_local(local, patience, np.maximum(margin - 4.0, 0.0), work)
    for _ in range(12):
        price = 0.5 * (low + high)
        dear = replace(near, unit_cost_usd=near.unit_cost_usd + price * cube)
        plan = decide_local(
            replace(local, terms=dear), patience, np.maximum(margin - 4.0, 0.0), work
        )  # fmt: skip
        low, high = (price, high) if (cube * plan.near_units).sum() > 12.0 else (low, price)
    free = decide_in_space(replace(group, customers=SITE_CUSTOMERS), work, cube, 12.0)
    by_line = plan.near_units.reshape(4, 20).sum(axis=1)
    waits = plan.waits.reshape(4, 20).sum(axis=1)
    return {
        "site_items": int((plan.near_units > 0).sum()),
        "site_cuft": float((cube * plan.near_units).sum()),
        "site_units_by_line": dict(zip(LINES, by_line.tolist(), strict=True)),
        "site_waits_by_line": dict(zip(LINES, waits.round(1).tolist(), strict=True)),
        "site_space_price_usd": price, "site_profit_usd": plan.profit_usd,
        "site_without_stock_usd": plan.without_usd,
        "without_network_items": int((free.trial.units > 0).sum()),
        "site_units": plan.near_units.tolist(), "site_most": names[int(plan.near_units.argmax())],
    }  # fmt: skip


def _catalog(chain: Chain, terms: Terms) -> dict[str, object]:
    """A first catalog of ten of the tees while three later ones of four items are unknown."""
    weight = chain.arrival[:20] / chain.arrival[:20].mean()
    tees = Products(weight[:10], terms.price_usd[:10], terms.unit_cost_usd[:10])
    past = Products(weight[10:], 1.1 * terms.price_usd[10:20], terms.unit_cost_usd[10:20])
    found = accept(tees, past, 12, 4.0, 300.0)
    return {"catalog_units": int(found.units.sum()), "catalog_items": int((found.units > 0).sum()),
            "catalog_units_alone": int(found.alone_units.sum()),
            "catalog_items_alone": int((found.alone_units > 0).sum())}  # fmt: skip


def _draw_curve(curve: list, bound: float, path: Path) -> None:
    figure = Figure(figsize=(6.4, 3.0), dpi=80, layout="constrained")
    axes = figure.subplots()
    counts = [int((trial.units > 0).sum()) for trial in curve]
    axes.plot(counts, [trial.profit_usd for trial in curve], color="#1f5f8b")
    axes.axhline(bound, color="#b04a3a", linestyle="--", linewidth=1)
    axes.annotate("no plan can earn more (95 %)", (1, bound), fontsize=8, color="#b04a3a",
                  va="bottom")  # fmt: skip
    axes.set_xlabel("items carried")
    axes.set_ylabel("profit of the season, usd")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Software": None})


def _draw_grid(units: np.ndarray, path: Path, title: str) -> None:
    figure = Figure(figsize=(6.4, 2.6), dpi=80, layout="constrained")
    for axes, line, block in zip(figure.subplots(1, 4), LINES, units.reshape(4, 5, 4), strict=True):
        axes.imshow(np.sqrt(block), cmap="Blues", vmin=0, vmax=np.sqrt(max(units.max(), 1)))
        for (c, s), value in np.ndenumerate(block):
            shade = "white" if value > 0.5 * units.max() else "#222"
            axes.text(s, c, str(value) if value else "–", ha="center", va="center", fontsize=7,
                      color=shade)  # fmt: skip
        axes.set_title(line, fontsize=9)
        axes.set_xticks(range(4), SIZES, fontsize=7)
        axes.set_yticks(range(5), COLORS if line == LINES[0] else [""] * 5, fontsize=7)
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, metadata={"Software": None})


if __name__ == "__main__":
    sys.exit(main())
