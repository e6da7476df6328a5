"""What the tasks of the DAGs for simulations and labs do: find their files, then call pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowFailException

from echelon_airflow.roots import project, require_allowed


def run_simulation(params: Mapping[str, Any]) -> None:
    """Run a scenario night by night; a retry resumes where the last night ended."""
    from pipeline.errors import SettingsError, UsageError
    from pipeline.project import project_file
    from pipeline.simulate.scenarios.scenario import load_scenario
    from pipeline.simulate.stage import run_scenario

    root = project()
    for name, below in (("scenario", "configs"), ("out_dir", "data")):
        require_allowed(name, str(root / params[name]), [str(root / below)], _variable())
    try:
        scenario = load_scenario(root / params["scenario"])
        raw_dir = root / scenario.raw_dir
        raw_dir = raw_dir if raw_dir.exists() else project_file(scenario.raw_dir.as_posix())
        run_scenario(
            scenario.model_copy(update={"raw_dir": raw_dir}), params["compare"].split(","),
            root / params["out_dir"] / scenario.name, params["days"],
            on_day=lambda day: print(f"{day.policy} #{day.replication} {day.as_of}: "
                                     f"{day.profit_usd:,.0f} USD"),
        )  # fmt: skip
    except (SettingsError, UsageError) as error:  # no retry can mend these
        raise AirflowFailException(str(error)) from None


def run_lab_night(params: Mapping[str, Any]) -> None:
    """Run both arms' stages for a business date; publish what each item's arm decided."""
    from pipeline.errors import EchelonError
    from pipeline.simulate.labs.plan import load_lab
    from pipeline.simulate.labs.stage import lab_night
    from pipeline.store import Source, Store

    root = project()
    for name, below in (("lab", "configs"), ("raw_dir", "data"), ("out_dir", "data")):
        require_allowed(name, str(root / params[name]), [str(root / below)], _variable())
    try:
        lab = load_lab(root / params["lab"])
        lab = lab.model_copy(update={
            name: root / path for name in ("settings_a", "settings_b")
            if (path := getattr(lab, name)) is not None
        })  # fmt: skip
        source = Source(params["dataset"], root / params["raw_dir"])
        store = Store(root / params["out_dir"])
        routed = lab_night(lab, store, source, date.fromisoformat(params["as_of"]))
    except EchelonError as error:  # no retry can mend what the input says
        raise AirflowFailException(str(error)) from None
    print(f"order lines by arm: {routed.lines}; small orders: {routed.small_vendors}")


def _variable() -> Callable[[str], str | None]:
    return lambda key: Variable.get(key, default=None)
