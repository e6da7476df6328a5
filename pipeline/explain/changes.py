"""What changed since yesterday's plan, and why: differences of drivers, exact by construction."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from pipeline.contracts.columns import DRIVERS, TRANSFER_DRIVERS
from pipeline.contracts.tables import TABLES
from pipeline.explain.drivers import long_drivers
from pipeline.explain.plan import Explained, NightPlan, Pairs, explain_orders, explain_transfers
from pipeline.explain.sentences import change_sentence


def plan_changes(
    today: NightPlan,
    yesterday: NightPlan | None,
    item_names: pd.Series,
    node_names: pd.Series,
) -> pd.DataFrame:
    """Table plan_changes: items whose order changed and lanes whose transfer changed, with drivers.

    An order that is new or gone is compared with the zero order of the other night, taken apart in
    the same way, so that the drivers say why nothing was ordered then. Empty without a yesterday.
    """
    if yesterday is None:
        return pd.DataFrame(columns=list(TABLES["plan_changes"].columns))
    orders = _changes(
        explain_orders(today, _keys(yesterday.purchase_orders, _ORDER)),
        explain_orders(yesterday, _keys(today.purchase_orders, _ORDER)),
        ["item_id"], "order_units", list(DRIVERS),
        lambda item: f"Order of {item_names.get(item, item)}",
    )  # fmt: skip
    moves = _changes(
        explain_transfers(today, _keys(yesterday.transfers, _MOVE)),
        explain_transfers(yesterday, _keys(today.transfers, _MOVE)),
        _MOVE, "transfer_units", list(TRANSFER_DRIVERS),
        lambda item, source, target: (
            f"Transfer of {item_names.get(item, item)} from {node_names.get(source, source)}"
            f" to {node_names.get(target, target)}"
        ),
    )  # fmt: skip
    return pd.concat([orders, moves], ignore_index=True)


_ORDER = ["item_id", "vendor_id"]
_MOVE = ["item_id", "from_node_id", "to_node_id"]


def _changes(
    today: Explained,
    yesterday: Explained,
    keys: list[str],
    units: str,
    drivers: list[str],
    subject: Callable[..., str],
) -> pd.DataFrame:
    now, before = _totals(today, keys, units), _totals(yesterday, keys, units)
    index = now.index.union(before.index)
    now, before = now.reindex(index, fill_value=0), before.reindex(index, fill_value=0)
    changed = (now[units] != before[units]).to_numpy()
    now, before = now[changed], before[changed]
    wide = (now - before)[drivers].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "change_key": ["/".join(("order" if len(keys) == 1 else "transfer", *_tuple(key)))
                           for key in now.index],
            "item_id": [_tuple(key)[0] for key in now.index],
            "previous_units": before[units].to_numpy(),
            "current_units": now[units].to_numpy(),
        }
    )  # fmt: skip
    sentences = [
        change_sentence(subject(*_tuple(key)), old, new, dict(zip(drivers, row, strict=True)))
        for key, old, new, row in zip(
            now.index, frame["previous_units"].tolist(), frame["current_units"].tolist(),
            wide.to_numpy().tolist(), strict=True,
        )
    ]  # fmt: skip
    return long_drivers(wide, frame, sentences, keep_zero=False)


def _totals(explained: Explained, keys: list[str], units: str) -> pd.DataFrame:
    frame = pd.concat([explained.lines[[*keys, units]], explained.drivers], axis=1)
    return frame.groupby(keys).sum().astype("int64")


def _keys(frame: pd.DataFrame, columns: list[str]) -> Pairs:
    return list(frame[columns].astype("str").itertuples(index=False, name=None))


def _tuple(key: object) -> tuple[str, ...]:
    return key if isinstance(key, tuple) else (str(key),)
