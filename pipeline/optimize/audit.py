"""What the nested model loses, every night on a few items: planned again by the general model.

Both plans of an item are made at the same capacity prices and valued by the general model's exact
recourse. On scenarios that neither has seen their difference tells what the nested model loses (the
general plan is fitted to few scenarios, so it may even lose itself); on the scenarios that the
general plan was made for it tells the most that may be lost.

Beside it, on more items, what the draw of scenarios costs: the plan against the best nested one for
other scenarios, both valued on these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.evaluate import evaluate
from pipeline.core.general import climb_position
from pipeline.core.item import positions
from pipeline.core.serve import node_usd, serve
from pipeline.optimize.general_model import NightItem, night_items, scenario_ranks
from pipeline.optimize.item_model import (
    Economics,
    item_seeds,
    item_tables,
)
from pipeline.optimize.night_model import NightModel
from pipeline.optimize.weekly_demand import horizon, ratios

Figures = dict[str, tuple[float, str]]

SCENARIO_ITEMS = 10
"""Items on which scenarios are audited, for each that the general model plans: it is cheap."""


def audit(
    model: NightModel, position: NDArray[np.int32], on_items: NDArray[np.float64],
    settings: Settings,
) -> Figures:  # fmt: skip
    """Figures of the audit of the positions [items, nodes]; none where no item is audited.

    on_items: [weeks, kinds, nodes] capacity prices.
    """
    wanted = sampled(model, settings.optimize.audit_items)
    chosen = wanted[~model.general.is_too_wide(model.money.size_class[wanted])]
    skipped = {"audit_skipped_items": (float(len(wanted) - len(chosen)), "items")}
    if not len(chosen):
        return skipped if len(wanted) else {}
    turn = 7.0 / model.cycle_days
    level, _ = node_usd(model.network.woods, model.ahead.take(chosen), on_items)
    place = model.packed.tables.place_usd[chosen].astype(float) + level / turn
    seen, fresh = (
        night_items(
            model.network, model.general, model.cube, model.money, model.cycle_days, chosen,
            model.worth_usd[chosen], place,
            scenario_ranks(model.general, model.cube.windows, settings, stream),
        )
        for stream in (0, 1)
    )  # fmt: skip
    nested = position[chosen]
    general = [_planned(one, level) for one, level in zip(seen, nested, strict=True)]
    in_sample = _total(seen, nested) / _total(seen, general) - 1.0
    nested_usd, general_usd = _total(fresh, nested), _total(fresh, general)
    return {
        "audit_items": (len(chosen), "items"),
        "audit_nested_cost_usd": (nested_usd, "usd"),
        "audit_general_cost_usd": (general_usd, "usd"),
        "audit_nested_excess": (nested_usd / general_usd - 1.0, "share"),
        "audit_nested_excess_at_most": (in_sample, "share"),
        **skipped,
    }


def audit_scenarios(
    model: NightModel, position: NDArray[np.int32], on_items: NDArray[np.float64],
    settings: Settings,
) -> Figures:  # fmt: skip
    """What tonight's positions [items, nodes] cost more than the best nested ones, at capacity
    prices on_items, on scenarios that are drawn anew; of a sample of items, a share."""
    chosen = sampled(model, SCENARIO_ITEMS * settings.optimize.audit_items)
    if not len(chosen):
        return {}
    # An item's name decides its bank of ranks and its draws: another, others.
    cube = model.cube.take(chosen, [f"~{model.cube.items[k]}" for k in chosen])
    money = Economics(**{
        name: getattr(model.money, name)[chosen] for name in Economics.__dataclass_fields__
    })  # fmt: skip
    holding = model.packed.tables.place_usd[chosen].astype(np.float64)
    drawn = item_tables(
        model.network,
        cube,
        model.ranks,
        money,
        holding,
        model.cycle_days,
        model.premium_usd[chosen],
    )
    tonight = ratios(model.network, cube, drawn.tables.tree, 1, model.cycle_days)
    tables = horizon(model.network, drawn.tables, tonight, model.cycle_days)
    woods = model.network.woods

    def priced_usd(levels: NDArray[np.int32]) -> float:
        placed = serve(woods, tables, levels, on_items)
        cost, used = evaluate(woods, tables, placed, len(on_items))
        return float(cost.sum() + (on_items * used).sum())

    ours, best = priced_usd(position[chosen]), priced_usd(positions(woods, tables, on_items))
    return {
        "audit_scenario_items": (len(chosen), "items"),
        "audit_scenario_excess": (max(ours / best - 1.0, 0.0) if best > 0 else 0.0, "share"),
    }


def sampled(model: NightModel, n: int) -> NDArray[np.int64]:
    """Up to n items with demand that are worth selling, the same night after night."""
    root = model.network.woods.n_sets[model.packed.tables.tree] - 1
    asked = model.packed.mean[np.arange(len(root)), root]
    able = np.flatnonzero((asked > 0) & (model.worth_usd > 0))
    mixed = item_seeds(model.cube.items)[able] * np.uint64(0x9E3779B97F4A7C15)
    return np.sort(able[np.argsort(mixed, kind="stable")[:n]])


def _planned(one: NightItem, nested: NDArray[np.int32]) -> NDArray[np.int32]:
    """The general plan, found from the nested one."""
    found = nested.copy()
    found[one.nodes] = climb_position(one.item, nested[one.nodes].astype(np.int64))[0]
    return found


def _total(items: list[NightItem], positions: NDArray[np.int32] | list[NDArray[np.int32]]) -> float:
    return sum(one.cost(level) for one, level in zip(items, positions, strict=True))
