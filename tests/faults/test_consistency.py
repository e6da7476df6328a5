"""Old and new are never mixed: names by content, one run's tables, one writer, whole nights."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline import runner
from pipeline.contracts.settings import Settings
from pipeline.errors import BusyError, CorruptPartitionError, StaleInputError
from pipeline.stages import BY_NAME, Stage
from pipeline.store import MANIFEST, Night, Source, Store, holding, mark_whole, not_whole
from tests.test_store import DAY, LINEAGE, sales, stock

OLD, NEW = {"report.html": b"old" * 99}, {"report.html": b"new" * 99}


def _killed_at(step: int, deed: Any) -> bool:
    """Run `deed` in a child that ends at the n-th system step of publishing; True if it did."""
    child = os.fork()
    if child == 0:
        count = [0]

        def counted(real: Any) -> Any:
            def call(*arguments: Any) -> Any:
                count[0] += 1
                if count[0] >= step:
                    os._exit(137)
                return real(*arguments)

            return call

        os.fsync, os.replace = counted(os.fsync), counted(os.replace)
        deed()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 137


@pytest.mark.parametrize(("name", "old", "new"), [
    ("report", OLD, NEW),
    ("forecast_model", {f"{n}.txt": b"old" for n in "abcd"}, {f"{n}.txt": b"new" for n in "abcd"}),
])  # fmt: skip
def test_files_killed_at_every_step_are_all_old_or_all_new(
    tmp_path: Path, name: str, old: dict[str, bytes], new: dict[str, bytes]
) -> None:
    seen = []
    for step in range(1, 99):
        store = Store(tmp_path / str(step))
        store.publish_files(DAY, name, old, LINEAGE)
        was_killed = _killed_at(step, lambda at=store: at.publish_files(DAY, name, new, LINEAGE))
        found = store.read_files(DAY, name)
        assert found in (old, new)
        seen.append(found == new)
        store.publish_files(DAY, name, new, LINEAGE)
        left = {path.name for path in Path(store.path(DAY, name)).iterdir()}
        assert len(left) == len(new) + 1, "the next publication sweeps what a kill left"
        if not was_killed:
            break
    assert seen == sorted(seen)
    assert seen[0] is False
    assert seen[-1] is True


def test_a_report_is_found_by_its_name_and_lies_under_its_content(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish_files(DAY, "report", OLD, LINEAGE)
    first = store.address(DAY, "report", "report.html")
    store.publish_files(DAY, "report", NEW, LINEAGE)
    second = store.address(DAY, "report", "report.html")
    assert Path(second).read_bytes() == NEW["report.html"]
    assert Path(first).name != Path(second).name
    assert not Path(first).exists()


def _publish(root: Path, units: int, rounds: int) -> None:
    os.getpid = lambda: 7  # as in two containers
    for _ in range(rounds):
        Store(root).publish(DAY, "sales", sales(units), LINEAGE)


def test_two_writers_and_a_reader_of_one_partition_never_meet_half_a_table(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(1), LINEAGE)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_publish, args=(tmp_path, units, 40)) for units in (1, 2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert store.read(DAY, "sales")["units"].tolist() in ([1, 1], [1, 2])
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(list(Path(store.path(DAY, "sales")).iterdir())) == 2


def test_every_flipped_bit_of_a_table_is_told_by_an_ordinary_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(), LINEAGE)
    (path,) = Path(store.path(DAY, "sales")).glob("*.parquet")
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(CorruptPartitionError, match="does not match the hash"):
            store.read(DAY, "sales")


def test_every_flipped_bit_of_a_manifest_is_told_or_changes_no_value(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(), LINEAGE)
    path = Path(store.path(DAY, "sales", MANIFEST))
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 7]) + whole[at + 1 :])
        try:
            assert store.read(DAY, "sales")["units"].tolist() == [1, 3]
        except CorruptPartitionError:
            continue


FIRST = Stage("toy_first", "x:run", (), ("sales", "stock"))
SECOND = Stage("toy_second", "x:run", ("sales",), ("vendors",))
THIRD = Stage("toy_third", "x:run", ("stock", "vendors"), ("purchase_orders",))


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in (FIRST, SECOND, THIRD):
        monkeypatch.setitem(BY_NAME, stage.name, stage)


def _first(store: Store, units: int) -> Night:
    night = Night(store, FIRST, DAY, Settings())
    night.write("sales", sales(units))
    night.write("stock", stock(units))
    return night


def _second(store: Store) -> Night:
    night = Night(store, SECOND, DAY, Settings())
    night.read("sales")
    night.write("vendors", pd.DataFrame({
        "vendor_id": ["v"], "vendor_name": ["V"], "order_minimum_usd": [0.0],
        "vendor_capacity_units_per_order": [None], "order_weekdays": [None],
        "delivery_weekdays": [None], "lead_time_counts": [None],
    }))  # fmt: skip
    return night


def _third(store: Store) -> Night:
    night = Night(store, THIRD, DAY, Settings())
    night.read("stock")
    night.read("vendors")
    return night


@pytest.mark.usefixtures("toys")
def test_a_stage_refuses_what_was_made_from_an_older_input(tmp_path: Path) -> None:
    store = Store(tmp_path)
    _first(store, 3).publish()
    _second(store).publish()
    _third(store)
    _first(store, 4).publish()
    with pytest.raises(StaleInputError, match=r"vendors .* older sales .*Next: run stage toy_sec"):
        _third(store)
    _second(store).publish()
    _third(store)


@pytest.mark.usefixtures("toys")
def test_a_stage_refuses_tables_of_a_run_that_was_killed_between_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    _first(store, 3).publish()
    steps = 0
    while _killed_at(steps := steps + 1, lambda: _first(store, 4 + steps).publish()):
        kinds = {store.read(DAY, name)[column].max() for name, column in
                 (("sales", "units"), ("stock", "on_hand_units"))}  # fmt: skip
        if len(kinds) == 1:
            _second(store)
        else:
            with pytest.raises(StaleInputError, match="not written by one run of stage toy_first"):
                _second(store)
        _first(store, 3).publish()
    assert steps > 8


def test_a_night_is_whole_only_while_all_its_tables_are_those_of_its_last_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.store.lineage._night_tables", lambda: ["sales", "report"])
    store = Store(tmp_path)
    assert not_whole(store, DAY) == ["sales", "report"]
    store.publish(DAY, "sales", sales(3), LINEAGE)
    store.publish_files(DAY, "report", OLD, LINEAGE)
    mark_whole(store, DAY)
    assert not_whole(store, DAY) == []
    store.publish(DAY, "sales", sales(4), LINEAGE)
    assert not_whole(store, DAY) == ["sales"]
    store.publish(DAY, "sales", sales(3), LINEAGE)
    assert not_whole(store, DAY) == []


HOLD = """
import sys, time
from tests.test_store import DAY
from pipeline.store import Store, holding
with holding(Store(sys.argv[1]), DAY):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_of_a_date_is_told_who_plans_it_and_takes_over_when_that_is_killed(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    store = Store(tmp_path)
    try:
        with (
            pytest.raises(BusyError, match=f"process {process.pid} on {socket.gethostname()}"),
            holding(store, DAY),
        ):
            pass
        with holding(store, DAY + timedelta(days=1)):
            assert len(list(tmp_path.glob("*.lock"))) == 2
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert len(list(tmp_path.glob("*.lock"))) == 1, "the killed run leaves its lock"
    with holding(store, DAY), holding(store, DAY):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_another_machine_counts_until_its_heart_has_stopped(tmp_path: Path) -> None:
    lock = tmp_path / f"{DAY}.lock"
    lock.write_text('{"host": "elsewhere", "pid": 1, "since": "yesterday"}')
    store = Store(tmp_path)
    with (
        pytest.raises(BusyError, match="process 1 on elsewhere since yesterday"),
        holding(store, DAY),
    ):
        pass
    old = time.time() - 3600
    os.utime(lock, (old, old))
    with holding(store, DAY):
        pass
    assert not lock.exists()


def test_a_damaged_model_is_trained_again_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, settings = Store(tmp_path), Settings()
    day = runner.model_date(settings, date(2025, 6, 10))
    lineage = LINEAGE | {"code_version": runner.code_version(),
                         "settings_sha256": settings.sha256()}  # fmt: skip
    ran: list[str] = []

    def run_stage(store: Store, source: Source, settings: Settings, day: date, name: str,
                  *_: Any, **__: Any) -> None:  # fmt: skip
        ran.append(name)

    monkeypatch.setattr(runner, "run_stage", run_stage)
    store.publish_files(day, "forecast_model", {"mean.txt": b"trees"}, lineage)
    source = Source("raw", tmp_path)
    runner.ensure_model(store, source, settings, DAY)
    assert ran == []
    Path(store.address(day, "forecast_model", "mean.txt")).write_bytes(b"treez")
    runner.ensure_model(store, source, settings, DAY)
    assert ran == ["ingest", "train"]
    assert "does not match the hash" in caplog.text
    assert "It is made again now" in caplog.text
