"""Shares as sentences: what changed, then its causes, the largest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.since.bridge import BRIDGE_DRIVERS, BRIDGE_WORDS
from pipeline.since.changes import Since
from pipeline.since.groups import SINCE_DRIVERS

SINCE_WORDS = {
    "demand": "expected demand", "lead_time": "lead times", "price_and_cost": "prices and costs",
    "stock_and_receipts": "stock and what is on the way",
    "capacity": "capacity and what it is worth", "overrides": "planners' overrides",
    "settings": "settings", "model": "a newly trained model",
    "data_corrections": "corrections of earlier data", "items_new_or_gone": "items new or gone",
    "calendar": "the calendar (which vendors take orders, days of the week)",
    "fit_to_capacity": "fitting all of it into the capacity, in whole packs",
    "code_version": "another version of the program",
}  # fmt: skip
MEASURE_WORDS = {
    "order_units": "units ordered", "order_usd": "USD ordered",
    "transfer_units": "units transferred", "base_stock_units": "units held by plan",
    "order_up_to_units": "units to order up to",
}  # fmt: skip
GROUPINGS = ("category", "vendor_id", "node_id", "item_id")


def summed(frame: pd.DataFrame, keys: Sequence[str], drivers: Sequence[str]) -> pd.DataFrame:
    """`before`, `after` and the drivers by keys, the largest change first."""
    columns = ["before", "after", *drivers]
    found = frame.groupby(list(keys), observed=True)[columns].sum().reset_index()
    found["change"] = found["after"] - found["before"]
    order = found["change"].abs().mul(-1.0).to_frame("size").join(found[list(keys)])
    return found.loc[order.sort_values(["size", *keys], kind="stable").index].reset_index(drop=True)


def sentence(
    subject: str, row: Mapping[str, float], words: Mapping[str, str], unit: str = "",
    shown: int = 4,
) -> str:  # fmt: skip
    """'Subject: 12 more (from 40 to 52): +10 expected demand, +2 lead times.'

    What is left after the `shown` largest causes is named as other causes, so that it adds up.
    """
    change = row["after"] - row["before"]
    causes = sorted((name for name in words if abs(row[name]) >= 0.05),
                    key=lambda name: (-abs(row[name]), name))  # fmt: skip
    named = [f"{amount(row[name], True)} {words[name]}" for name in causes[:shown]]
    rest = change - sum(row[name] for name in causes[:shown])
    if abs(rest) >= 0.05:
        named.append(f"{amount(rest, True)} other causes")
    unit = f" {unit}" if unit else ""
    if abs(change) < 0.05:
        head = f"{subject}: {amount(row['after'])}{unit}, as before"
    else:
        word = "more" if change > 0 else "less" if "USD" in unit else "fewer"
        head = (f"{subject}: {amount(abs(change))} {word}{unit} "
                f"(from {amount(row['before'])} to {amount(row['after'])})")  # fmt: skip
    return f"{head}: {', '.join(named)}." if named else f"{head}."


def amount(value: float, is_signed: bool = False) -> str:
    """A figure with as many digits as it needs; shares of units have one decimal."""
    is_whole = abs(value - round(value)) < 0.05 or abs(value) >= 100
    text = f"{abs(value):,.0f}" if is_whole else f"{abs(value):,.1f}"
    sign = "−" if value < 0 else "+" if is_signed else ""
    return sign + text


def held_sentence(row: Mapping[str, float], what: str, unit: str, least: float = 0.05) -> str:
    """Why the stock of `what` is higher or lower, from a row of a stock bridge."""
    words = {name: more if row[name] > 0 else less for name, (more, less) in BRIDGE_WORDS.items()}
    kept = {name: word for name, word in words.items() if abs(row[name]) >= least}
    return sentence(what, row, kept, unit)


def whole_account(found: Since, bridge: pd.DataFrame, subject: str = "All items") -> list[str]:
    """One sentence for what is held, and one for each measure of the plan."""
    lines = [held_sentence(_total(bridge, BRIDGE_DRIVERS), f"{subject}, stock", "units")]
    for measure, unit in MEASURE_WORDS.items():
        own = found.frame[found.frame["measure"] == measure]
        lines.append(sentence(subject, _total(own, SINCE_DRIVERS), SINCE_WORDS, unit))
    return lines


def how(found: Since) -> str:
    """How the shares were found, in a sentence."""
    names = ", ".join(SINCE_WORDS[name] for name in found.differing) or "nothing"
    prices = ("the optimizer solved each anew" if found.is_full else
              "each item answered at the published prices of capacity")  # fmt: skip
    mean = "some orders of them and their reverses" if found.is_sampled else "all orders of them"
    return (
        f"Between {found.before} and {found.after} these inputs differ: {names}. The night was "
        f"planned {found.plans} times with some of them swapped ({prices}); a cause's share is the "
        f"mean over {mean}, and all shares add up exactly."
    )


def _total(frame: pd.DataFrame, drivers: Sequence[str]) -> dict[str, float]:
    return {name: float(frame[name].sum()) for name in ("before", "after", *drivers)}
