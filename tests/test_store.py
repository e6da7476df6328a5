"""The store: what is published comes back, byte for byte, on disk and in an object store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.desk.tables import NightTables
from pipeline.errors import (
    ContractError,
    MissingPartitionError,
    OutdatedPartitionError,
    UsageError,
)
from pipeline.stages import Stage
from pipeline.store import MANIFEST, Night, Store, stale_inputs

DAY = date(2025, 6, 10)
NEXT = date(2025, 6, 11)
LINEAGE = {"stage": "ingest", "code_version": "c", "settings_sha256": "s", "inputs": {}}


def sales(units: int = 3) -> pd.DataFrame:
    frame = pd.DataFrame({"item_id": ["b", "a"], "region_id": ["r", "r"],
                          "date": ["2025-06-09", "2025-06-10"], "units": [units, 1]})  # fmt: skip
    return require(frame, TABLES["sales"])


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """An object store on loopback (moto), with one bucket."""
    server_module = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    names = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
             "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="plans")
    yield endpoint
    server.stop()
    for name, value in before.items():
        os.environ.pop(name)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The same store on disk and in an object store."""
    if request.param == "disk":
        return Store(tmp_path / "out")
    endpoint = request.getfixturevalue("s3_endpoint")
    return Store(f"s3://plans/{tmp_path.name}?endpoint_override={endpoint.removeprefix('http://')}"
                 "&scheme=http")  # fmt: skip


def test_a_table_comes_back_with_its_types(store: Store) -> None:
    store.publish(DAY, "sales", sales(), LINEAGE)
    pd.testing.assert_frame_equal(store.read(DAY, "sales", verify=True), sales())
    assert store.read(DAY, "sales", columns=["units"])["units"].tolist() == [1, 3]
    assert store.dates("sales") == [DAY]


def test_publishing_twice_gives_the_same_manifest(store: Store) -> None:
    assert store.publish(DAY, "sales", sales(), LINEAGE) == store.publish(
        DAY, "sales", sales(), LINEAGE
    )


def test_a_new_publication_replaces_the_old_and_sweeps_its_files(store: Store) -> None:
    old = store.publish(DAY, "sales", sales(3), LINEAGE)
    new = store.publish(DAY, "sales", sales(4), LINEAGE)
    assert store.read(DAY, "sales")["units"].tolist() == [1, 4]
    assert old["files"][0]["name"] != new["files"][0]["name"]
    info = store._fs.get_file_info(store.path(DAY, "sales", old["files"][0]["name"]))
    assert not info.is_file


def test_reports_and_models_are_files_under_one_manifest(store: Store) -> None:
    store.publish_files(DAY, "report", {"report.html": b"<p>", "a.txt": b"1"}, LINEAGE)
    assert store.read_files(DAY, "report") == {"a.txt": b"1", "report.html": b"<p>"}


def test_what_was_never_published_is_told_with_the_next_step(store: Store) -> None:
    with pytest.raises(MissingPartitionError, match=r"table sales of 2025-06-10 .*Next: run"):
        store.read(DAY, "sales")
    assert store.manifest(DAY, "sales") is None
    assert store.dates("sales") == []


def test_empty_tables_keep_their_columns(store: Store) -> None:
    empty = require(sales().iloc[:0], TABLES["sales"])
    store.publish(DAY, "sales", empty, LINEAGE)
    assert store.read(DAY, "sales").columns.tolist() == list(TABLES["sales"].columns)


def test_nulls_come_back_where_the_contract_admits_them(tmp_path: Path) -> None:
    vendors = require(pd.DataFrame({
        "vendor_id": ["v", "w"], "vendor_name": ["V", "W"], "order_minimum_usd": [0.0, 1.0],
        "vendor_capacity_units_per_order": [None, 5], "order_weekdays": [None, "tue fri"],
        "delivery_weekdays": ["mon", None], "lead_time_counts": [None, "working_days"],
    }), TABLES["vendors"])  # fmt: skip
    store = Store(tmp_path)
    store.publish(DAY, "vendors", vendors, LINEAGE)
    back = store.read(DAY, "vendors")["vendor_capacity_units_per_order"]
    assert back.isna().tolist() == [True, False]
    assert back[1] == 5


STAGE = Stage("toy", "nowhere:run", reads=("sales",), writes=("stock",))


def stock(units: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {"date": [DAY], "item_id": ["a"], "node_id": ["n"], "on_hand_units": [units]}
    )


def test_a_stage_sees_only_what_it_declares(tmp_path: Path) -> None:
    night = Night(Store(tmp_path), STAGE, DAY, Settings())
    with pytest.raises(UsageError, match="does not declare that it reads items"):
        night.read("items")
    with pytest.raises(UsageError, match="does not declare that it writes sales"):
        night.write("sales", sales())
    with pytest.raises(UsageError, match="did not write stock"):
        night.publish()


def test_a_night_of_a_version_that_lacked_a_column_is_read_or_told_never_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(), LINEAGE)
    known = TABLES["sales"]
    later = (*known.columns, "known_days")
    stage = Stage("toy", "nowhere:run", ("sales",), (), reads_previous=("sales",))
    monkeypatch.setitem(TABLES, "sales", replace(known, columns=later))
    with pytest.raises(OutdatedPartitionError, match=r"sales of 2025-06-10 .* without known_days"):
        store.read(DAY, "sales")
    assert Night(store, stage, NEXT, Settings()).read_previous("sales") is None
    assert "plan 2025-06-10 again" in caplog.text
    assert NightTables(store, DAY).rows("from sales", (), "sales")[0]["known_days"] is None
    monkeypatch.setitem(TABLES, "sales", replace(known, columns=later, nullable=("known_days",)))
    assert store.read(DAY, "sales")["known_days"].isna().tolist() == [True, True]
    assert Night(store, stage, NEXT, Settings()).read_previous("sales") is not None


def test_a_frame_that_breaks_its_contract_is_refused_on_write(tmp_path: Path) -> None:
    night = Night(Store(tmp_path), STAGE, DAY, Settings())
    with pytest.raises(ContractError, match=r"stock\.on_hand_units: is outside"):
        night.write("stock", stock(-1))


def test_an_input_published_anew_makes_what_used_it_stale(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(3), LINEAGE)
    night = Night(store, STAGE, DAY, Settings())
    night.read("sales")
    night.write("stock", stock())
    night.publish()
    assert stale_inputs(store, DAY, "stock") == []
    store.publish(DAY, "sales", sales(4), LINEAGE)
    assert stale_inputs(store, DAY, "stock") == ["2025-06-10/sales"]
    store.publish(DAY, "sales", sales(3), LINEAGE)
    assert stale_inputs(store, DAY, "stock") == []


def test_the_manifest_tells_rows_bytes_hashes_and_lineage(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(), LINEAGE)
    path = tmp_path / "2025-06-10" / "sales"
    manifest = json.loads((path / MANIFEST).read_text())
    (entry,) = manifest["files"]
    assert manifest["rows"] == 2
    assert (path / entry["name"]).stat().st_size == entry["bytes"] == manifest["bytes"]
    assert manifest["code_version"] == "c"
    assert NEXT.isoformat() not in manifest["as_of"]
