"""The planner's desk and the alerts from the command line: desk, tell.

Parses, calls, prints, as `pipeline.cli` does, which registers them.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.contracts.settings import load_settings
from pipeline.errors import UsageError
from pipeline.printing import console, plain

OutOption = Annotated[str, typer.Option("--out", help="Folder or s3:// address of the nights.")]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="YAML laid over configs/default.yaml.")
]


def desk(
    out: OutOption = "data/runs",
    beside: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER of what-if nights to show, too.")
    ] = None,
    records: Annotated[
        str, typer.Option(help="Database of overrides and approvals (SQLAlchemy address).")
    ] = "",
    release_to: Annotated[
        str, typer.Option(help="Folder or http(s) address that released orders go to.")
    ] = "",
    planner: Annotated[
        bool, typer.Option("--planner", help="Work within the limits of planners (settings).")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8081,
    settings_file: SettingsOption = None,
) -> None:
    """Serve the planner's desk on this machine only, until Ctrl-C; prints the log-in link."""
    import getpass

    import uvicorn

    from pipeline.desk.app import create_app
    from pipeline.desk.people import Token
    from pipeline.records.database import Records, records_address

    places = {"plans": out}
    for text in beside or []:
        name, separator, folder = text.partition("=")
        if not separator or not name.isidentifier():
            raise UsageError(
                f"--beside {text!r} is not NAME=FOLDER. Next: e.g. whatif=data/whatif."
            )
        places[name] = folder
    token = Token(getpass.getuser(), is_lead=not planner)
    address = records_address(records or None) or "sqlite:///data/records.sqlite"
    served = create_app(places, token, Records(address), release_to, load_settings(settings_file))
    served.state.desk.nights.open_newest()
    console.print(f"Desk: http://127.0.0.1:{port}/enter?token={token.token}", soft_wrap=True)
    uvicorn.run(served, host="127.0.0.1", port=port, log_level="warning")


def tell(
    out: OutOption = "data/runs",
    records: Annotated[
        str, typer.Option(help="Database that remembers what was told (SQLAlchemy address).")
    ] = "",
    link: Annotated[str, typer.Option(help="Address of the desk, for links.")] = "",
    settings_file: SettingsOption = None,
) -> None:
    """Tell of late and failed nights, stock-outs and full nodes, each once (docs/desk.md)."""
    from datetime import UTC

    from pipeline.records.database import Records, records_address
    from pipeline.store import Store
    from pipeline.tell.alerts import due_alerts
    from pipeline.tell.once import tell as tell_once
    from pipeline.tell.send import channels

    store, settings = Store(out), load_settings(settings_file)
    ways = channels(os.environ)
    if not ways:
        raise UsageError("nobody to tell. Next: set ECHELON_SMTP or ECHELON_WEBHOOK.")
    address = records_address(records or None) or "sqlite:///data/records.sqlite"
    due = due_alerts(store, datetime.now(UTC), link, settings.review.approval_usd)
    told, problems = tell_once(Records(address), store.root, due, ways)
    for line in (*told, *problems):
        console.print(plain(line), soft_wrap=True, highlight=False)
    raise typer.Exit(1 if problems else 0)
