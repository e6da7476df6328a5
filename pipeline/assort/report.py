"""The answer as files: two CSV tables, two drawings and one page that needs nothing else."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from pipeline.assort.answer import Answer

_ROWS = 200
_MOVES_SHOWN = 3


def write_answer(answer: Answer, folder: Path) -> list[Path]:
    """Write assortment.csv, curve.csv, curve.png, value.png and report.html into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    answer.plan.round(6).to_csv(folder / "assortment.csv", index=False)
    answer.curve.round(6).to_csv(folder / "curve.csv", index=False)
    drawings = {"curve": draw_curve(answer), "value": draw_value(answer)}
    for name, drawing in drawings.items():
        (folder / f"{name}.png").write_bytes(drawing)
    (folder / "report.html").write_text(page(answer, drawings), encoding="utf-8")
    names = ("report.html", "assortment.csv", "curve.csv", "curve.png", "value.png")
    return [folder / name for name in names]


def page(answer: Answer, drawings: dict[str, bytes]) -> str:
    """The report as HTML, drawings inside it, every text escaped."""
    environment = Environment(
        loader=PackageLoader("pipeline.assort"), autoescape=True, trim_blocks=True
    )
    images = {
        name: "data:image/png;base64," + base64.b64encode(drawing).decode()
        for name, drawing in drawings.items()
    }
    return environment.get_template("answer.html").render(
        answer=answer, images=images, rows=answer.plan.head(_ROWS).to_dict("records"),
        moves=moves(answer), carried=int((answer.plan["units"] > 0).sum()),
    )  # fmt: skip


def moves(answer: Answer) -> dict[str, str]:
    """Where each item's customers turn when it is out, the likeliest first."""
    names = answer.plan.sort_index()["item"].tolist()
    place = {name: answer.items.index(name) for name in names}
    told = {}
    for name, i in place.items():
        onward = answer.chain.transition[i]
        likely = np.argsort(-onward, kind="stable")[:_MOVES_SHOWN]
        parts = [f"{answer.items[j]} {onward[j]:.0%}" for j in likely if onward[j] >= 0.005]
        told[name] = ", ".join([*parts, f"leave {max(1 - onward.sum(), 0):.0%}"])
    return told


def draw_curve(answer: Answer) -> bytes:
    """Profit by number of items, the bound above it, as PNG."""
    figure = Figure(figsize=(6.4, 3.2), dpi=90, layout="constrained")
    axes = figure.subplots()
    axes.plot(answer.curve["items"], answer.curve["profit_usd"], color="#1f5f8b")
    axes.axhline(answer.bound.upper_usd, color="#b04a3a", linestyle="--", linewidth=1)
    axes.annotate("no plan can earn more (95 %)", (0, answer.bound.upper_usd), fontsize=8,
                  color="#b04a3a", va="bottom")  # fmt: skip
    axes.set_xlabel("items carried")
    axes.set_ylabel("profit of a season, usd")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def draw_value(answer: Answer) -> bytes:
    """What each carried item adds and what it takes from others, as PNG."""
    figure = Figure(figsize=(6.4, 3.2), dpi=90, layout="constrained")
    axes = figure.subplots()
    held = answer.plan[answer.plan["units"] > 0]
    share = held["taken_from_others_units"] / np.maximum(held["sold_units"], 1e-9)
    size = 10 + 200 * held["sold_units"] / held["sold_units"].max()
    axes.scatter(100 * share, held["value_if_dropped_usd"], s=size, color="#1f5f8b", alpha=0.6)
    for row, x in zip(held.head(6).itertuples(), 100 * share.head(6), strict=True):
        axes.annotate(str(row.item), (x, row.value_if_dropped_usd), fontsize=8)
    axes.set_xlabel("sales that the others would win back without it, %")
    axes.set_ylabel("profit lost without it, usd")
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
