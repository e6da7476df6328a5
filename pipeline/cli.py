"""The command line: init, run, train, check, backtest, explain, report, desk, sample, simulate.

Parses, calls, prints. No planning logic: every command is a call into the packages below, which
are imported inside the commands so that --help answers at once.
"""

from __future__ import annotations

import os
import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as RichTable

from pipeline.cli_assign import assign
from pipeline.cli_assort import assort, assort_catalog, assort_near
from pipeline.cli_certify import certify
from pipeline.cli_desk import desk, tell
from pipeline.cli_forecast import forecast_what_if
from pipeline.cli_start import init, sample
from pipeline.cli_trials import lab, simulate
from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import EchelonError, UsageError
from pipeline.load.cli import load_app
from pipeline.printing import console, errors, plain, print_summary, progress, show_version
from pipeline.project import project_file
from pipeline.stages import STAGES

if TYPE_CHECKING:
    from pipeline.store import Source, Store

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Plan a warehouse network's inventory every night: forecast, buy, place.\n\n"
    "Try [bold]echelon run --dataset sample --out data/runs[/bold], then "
    "[bold]echelon report --out data/runs[/bold].",
)
app.add_typer(load_app, name="load")


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Plan a warehouse network's inventory every night: forecast, buy, place."""


class Dataset(StrEnum):
    """Where the raw tables come from."""

    sample = "sample"
    m5 = "m5"
    raw = "raw"


StageName = StrEnum("StageName", {stage.name: stage.name for stage in STAGES})  # type: ignore[misc]  # members come from the stage table

DatasetOption = Annotated[
    Dataset,
    typer.Option(help="sample: the shipped small world; m5: Walmart's M5 files; raw: your own."),
]
RawOption = Annotated[
    Path | None,
    typer.Option("--raw", help="Folder of raw files (docs/tables.md). Default: data/sample."),
]
OutOption = Annotated[
    str, typer.Option("--out", help="Folder or s3:// address for <as_of>/<table>/….")
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date; plans the next day."),
]  # fmt: skip
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="YAML laid over configs/default.yaml's values.")
]


@app.command()
def run(
    dataset: DatasetOption = Dataset.sample,
    raw: RawOption = None,
    out: OutOption = "data/runs",
    as_of: AsOfOption = None,
    to: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last business date of a range."),
    ] = None,
    stage: Annotated[
        list[StageName] | None, typer.Option(help="Run only this stage (may be repeated).")
    ] = None,
    settings_file: SettingsOption = None,
) -> None:
    """Run the night of one business date, or of each date from --as-of to --to.

    Rerunning a date gives the same bytes. Example:

    echelon run --dataset m5 --raw m5/ --out plans --as-of 2016-04-10 --to 2016-04-23
    """
    from pipeline import runner

    settings, source, store = _open(settings_file, dataset, raw, out)
    first = _day(as_of, dataset)
    last = to.date() if to else first
    dates = list(runner.business_dates(first, last))
    names = [name.value for name in stage] if stage else []
    with progress(len(dates) * (len(names) or len(STAGES))) as on_stage:
        for day in dates:
            if not names:
                runner.run_night(store, source, settings, day, on_stage)
            for name in names:
                if name == "train":
                    runner.ensure_model(store, source, settings, day, on_stage)
                else:
                    runner.run_stage(store, source, settings, day, name, on_stage)
    if not names:
        print_summary(store, last, settings)


@app.command()
def train(
    dataset: DatasetOption = Dataset.sample,
    raw: RawOption = None,
    out: OutOption = "data/runs",
    as_of: AsOfOption = None,
    settings_file: SettingsOption = None,
) -> None:
    """Train the forecast model that the night of --as-of uses, even if there is one."""
    from pipeline import runner

    settings, source, store = _open(settings_file, dataset, raw, out)
    day = runner.model_date(settings, _day(as_of, dataset))
    with progress(2) as on_stage:
        runner.run_stage(store, source, settings, day, "ingest", on_stage)
        runner.run_stage(store, source, settings, day, "train", on_stage)
    where = store.path(day, "forecast_model")
    console.print(plain(f"Model of {day}: {where}"), soft_wrap=True)


@app.command()
def check(
    raw: Annotated[Path, typer.Option("--raw", help="Folder of raw files to check.")],
    as_of: AsOfOption = None,
) -> None:
    """Tell everything that is wrong with a folder of raw files, all at once.

    Exit code 0: ready for a night; 2: something would stop it.
    """
    from pipeline.ingest.check import check_raw

    report = check_raw(raw, as_of.date() if as_of else None)
    for line in report.lines():
        console.print(plain(line), highlight=False, soft_wrap=True)
    raise typer.Exit(2 if report.is_fatal else 0)


@app.command()
def backtest(
    out: OutOption = "data/runs",
    as_of: AsOfOption = None,
    origins: Annotated[int, typer.Option(min=1, help="Dates to forecast from.")] = 3,
    step_days: Annotated[int, typer.Option(min=7, help="Days between them.")] = 28,
    settings_file: SettingsOption = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all scores there.")
    ] = None,
) -> None:
    """Score the forecaster on the past: train at earlier dates, forecast, compare with what came.

    Uses the cleaned tables of a night that is planned. Coverage is the share of actual demand at
    or below a quantile; the loss and the bias are shares of mean demand.
    """
    from pipeline.forecast.train import backtest_night
    from pipeline.stages import BY_NAME
    from pipeline.store import Night, Store

    store = Store(out)
    day = _planned(store, as_of)
    night = Night(store, BY_NAME["train"], day, load_settings(settings_file))
    scores = backtest_night(night, origins, step_days)
    if json_file:
        json_file.write_text(scores.to_json(orient="records", date_format="iso", indent=1) + "\n")
    shown = RichTable("origin", "items", "window", "scored", "loss", "bias", "≤ 50 %", "≤ 90 %",
                      "≤ 95 %", title=f"Back-test of {day}")  # fmt: skip
    for row in scores[scores["region_group"] == "network"].to_dict("records"):
        shown.add_row(
            f"{row['origin_date']:%Y-%m-%d}", plain(row["item_group"]),
            f"{row['window_days']} days", f"{row['scored_rows']:,}",
            f"{row['scaled_pinball_loss']:.1%}",
            f"{row['relative_bias']:+.1%}", f"{row['coverage_50']:.1%}",
            f"{row['coverage_90']:.1%}", f"{row['coverage_95']:.1%}",
        )  # fmt: skip
    console.print(shown)


@app.command()
def explain(
    item: Annotated[
        str, typer.Argument(help="Item to explain; may be left out with --since.")
    ] = "",
    out: OutOption = "data/runs",
    as_of: AsOfOption = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="Why it changed since that night."),
    ] = None,
    category: Annotated[str, typer.Option(help="With --since: this category only.")] = "",
    full: Annotated[
        bool, typer.Option("--full", help="With --since: solve anew each time, not at the prices "
                           "of capacity that were published (slow).")
    ] = False,
    settings_file: SettingsOption = None,
) -> None:  # fmt: skip
    """Tell the story of one item; or, with --since, what changed since an earlier night and why.

    echelon explain ITEM-0001, or echelon explain --since 2025-06-22 --category tea
    """
    from pipeline.store import Store

    store = Store(out)
    day = _planned(store, as_of)
    if since is not None:
        from pipeline.since.told import since_text

        given = load_settings(settings_file)
        text = since_text(store, since.date(), day, given, item, category, full)
        console.print(plain(text), soft_wrap=True, highlight=False)
        return
    if not item:
        raise UsageError("nothing to explain. Next: name an item, or give --since DATE.")
    from pipeline.explain.item import explain_item

    console.print(plain(explain_item(store, day, item)), soft_wrap=True)
    console.print("\nWhat the expected demand of the next 28 days is made of")
    for driver, units in _forecast_drivers(store, day, item):
        console.print(plain(f"  {driver:<10} {units:>12,.1f}"), highlight=False)


@app.command()
def report(
    out: OutOption = "data/runs",
    as_of: AsOfOption = None,
    settings_file: SettingsOption = None,
) -> None:
    """Print a night's totals, its largest orders with their reasons, and where the report lies."""
    from pipeline.store import Store

    store = Store(out)
    print_summary(store, _planned(store, as_of), load_settings(settings_file))


app.command()(init)
app.command()(sample)
app.command("forecast-what-if")(forecast_what_if)
app.command()(simulate)
app.command()(assign)
app.command()(certify)
app.command()(assort)
app.command("assort-near")(assort_near)
app.command("assort-catalog")(assort_catalog)
app.command()(desk)
app.command()(tell)
app.add_typer(lab, name="lab")


def main() -> None:
    """Entry point: errors that are the user's to mend are printed without a trace."""
    try:
        app(standalone_mode=True)
    except EchelonError as error:
        errors.print(f"[bold red]{type(error).__name__}[/]")
        errors.print(plain(str(error)), highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)


def _open(
    settings_file: Path | None, dataset: Dataset, raw: Path | None, out: str
) -> tuple[Settings, Source, Store]:
    from pipeline.store import Source, Store

    settings: Settings = load_settings(settings_file)
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.run.threads))
    if raw is None:
        if dataset is not Dataset.sample:
            raise UsageError(f"--dataset {dataset} needs --raw DIR. Next: name its folder.")
        raw = project_file("data/sample")
    if not raw.is_dir():
        raise UsageError(f"there is no folder {raw}. Next: give --raw an existing folder.")
    return settings, Source(dataset.value, raw, os.environ.get("ECHELON_RECORDS")), Store(out)


def _day(as_of: datetime | None, dataset: Dataset) -> date:
    if as_of is not None:
        return as_of.date()
    if dataset is Dataset.sample:
        from pipeline.ingest.sample import SAMPLE_AS_OF

        return SAMPLE_AS_OF
    raise UsageError("--as-of is missing. Next: give the business date, e.g. --as-of 2016-04-10.")


def _planned(store: Store, as_of: datetime | None) -> date:
    if as_of is not None:
        return as_of.date()
    dates: list[date] = store.dates("plan_kpis")
    if not dates:
        raise UsageError(f"no night is planned under {store.root}. Next: echelon run.")
    return dates[-1]


def _forecast_drivers(store: Store, day: date, item: str) -> list[tuple[str, float]]:
    """Drivers of an item's forecast and their sum, by the model that the night used."""
    from pipeline.forecast.monitor import drivers_of
    from pipeline.stages import BY_NAME
    from pipeline.store import Night

    used = store.read(day, "demand_quantiles", ["model_date"])["model_date"].max()
    night = Night(store, BY_NAME["monitor"], day, load_settings(None), None, used.date())
    drivers = drivers_of(night, item)
    return [*((str(name), float(units)) for name, units in drivers.items()),
            ("= expected", float(drivers.sum()))]  # fmt: skip


if __name__ == "__main__":
    main()
