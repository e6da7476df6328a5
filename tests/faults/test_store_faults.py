"""Store faults: killed at any instant, truncated, altered or half-written partitions."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CorruptPartitionError, MissingPartitionError
from pipeline.store import MANIFEST, Store
from tests.test_store import DAY, LINEAGE, sales


class KilledError(BaseException):
    """Stands for the process dying: nothing may catch it."""


class CountedStore(Store):
    """A store that dies at the n-th step of writing; with `tear`, half a file is left behind."""

    def __init__(self, root: Path, steps: int, tear: bool) -> None:
        super().__init__(root)
        self.left, self.tear = steps, tear

    def _write_atomic(self, path: str, data: Any) -> None:
        self.left -= 1
        if self.left < 0:
            if self.tear:
                Path(f"{path}.{99}.tmp").write_bytes(bytes(data)[: len(data) // 2])
            raise KilledError
        super()._write_atomic(path, data)


@pytest.mark.parametrize("tear", [False, True])
@pytest.mark.parametrize("steps", [0, 1])
def test_killed_before_the_manifest_leaves_the_old_partition(
    tmp_path: Path, steps: int, tear: bool
) -> None:
    """Two steps make a publication: the data file, then the manifest."""
    Store(tmp_path).publish(DAY, "sales", sales(3), LINEAGE)
    with pytest.raises(KilledError):
        CountedStore(tmp_path, steps, tear).publish(DAY, "sales", sales(4), LINEAGE)
    assert Store(tmp_path).read(DAY, "sales", verify=True)["units"].tolist() == [1, 3]
    Store(tmp_path).publish(DAY, "sales", sales(4), LINEAGE)
    assert Store(tmp_path).read(DAY, "sales", verify=True)["units"].tolist() == [1, 4]
    left = sorted(path.suffix for path in (tmp_path / DAY.isoformat() / "sales").iterdir())
    assert left == [".json", ".parquet"]


def test_killed_while_sweeping_leaves_the_new_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(3), LINEAGE)

    class NoDelete:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            if name == "delete_file":
                raise KilledError
            return getattr(self.inner, name)

    monkeypatch.setattr(store, "_fs", NoDelete(store._fs))
    with pytest.raises(KilledError):
        store.publish(DAY, "sales", sales(4), LINEAGE)
    assert Store(tmp_path).read(DAY, "sales", verify=True)["units"].tolist() == [1, 4]


LOOP = """
import sys
from tests.test_store import DAY, LINEAGE, sales
from pipeline.store import Store
store = Store(sys.argv[1])
store.publish(DAY, "sales", sales(0), LINEAGE)
print("ready", flush=True)
for units in range(1, 100000):
    store.publish(DAY, "sales", sales(units), LINEAGE)
"""


def test_a_process_killed_while_publishing_leaves_a_whole_partition(tmp_path: Path) -> None:
    """A real SIGKILL, twice, wherever it hits."""
    for delay in (0.02, 0.11):
        process = subprocess.Popen([sys.executable, "-c", LOOP, str(tmp_path)],
                                   stdout=subprocess.PIPE)  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay)
        process.kill()
        process.wait()
        process.stdout.close()
        assert len(Store(tmp_path).read(DAY, "sales", verify=True)) == 2


def _file(root: Path) -> Path:
    (path,) = (root / DAY.isoformat() / "sales").glob("*.parquet")
    return path


def test_truncated_file_is_told_with_sizes_and_next_step(tmp_path: Path) -> None:
    Store(tmp_path).publish(DAY, "sales", sales(), LINEAGE)
    whole = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(whole[:-100])
    with pytest.raises(CorruptPartitionError) as caught:
        Store(tmp_path).read(DAY, "sales")
    assert f"has {len(whole) - 100} bytes where its manifest says {len(whole)}" in str(caught.value)
    assert "Next: publish" in str(caught.value)


def test_altered_bytes_are_found_when_verified(tmp_path: Path) -> None:
    Store(tmp_path).publish(DAY, "sales", sales(), LINEAGE)
    content = bytearray(_file(tmp_path).read_bytes())
    content[10] ^= 1
    _file(tmp_path).write_bytes(content)
    with pytest.raises(CorruptPartitionError, match="does not match the hash"):
        Store(tmp_path).read(DAY, "sales", verify=True)


def test_lost_file_is_told(tmp_path: Path) -> None:
    Store(tmp_path).publish(DAY, "sales", sales(), LINEAGE)
    _file(tmp_path).unlink()
    with pytest.raises(CorruptPartitionError, match="is missing"):
        Store(tmp_path).read(DAY, "sales")


def test_half_written_partition_without_manifest_was_never_published(tmp_path: Path) -> None:
    Store(tmp_path).publish(DAY, "sales", sales(), LINEAGE)
    (tmp_path / DAY.isoformat() / "sales" / MANIFEST).unlink()
    with pytest.raises(MissingPartitionError, match="is not published"):
        Store(tmp_path).read(DAY, "sales")
    assert Store(tmp_path).dates("sales") == []


def test_torn_manifest_is_told(tmp_path: Path) -> None:
    Store(tmp_path).publish(DAY, "sales", sales(), LINEAGE)
    path = tmp_path / DAY.isoformat() / "sales" / MANIFEST
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(CorruptPartitionError, match=r"is not a manifest .*Next: publish sales"):
        Store(tmp_path).read(DAY, "sales")


def test_dates_ignore_folders_that_are_none(tmp_path: Path) -> None:
    Store(tmp_path).publish(DAY, "sales", sales(), LINEAGE)
    (tmp_path / "scratch").mkdir()
    assert Store(tmp_path).dates("sales") == [date(2025, 6, 10)]
