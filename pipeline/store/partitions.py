"""Partitions and how they are published and read; see the package for the rule of the place.

Publishing is the same everywhere: data files first, named by their content, then the manifest in
one atomic step, then the files that only the old manifest named are swept. A reader trusts only
what a manifest names, so a kill at any instant leaves either the old partition or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

from pipeline.contracts.tables import TABLES
from pipeline.errors import CorruptPartitionError, MissingPartitionError, UsageError
from pipeline.store.arrow import as_declared, to_arrow, to_pandas
from pipeline.store.faults import attempt

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_ROW_GROUP_ROWS = 131_072  # tables are sorted by key: a reader of one item skips the others
_RACES = 20
"""Reads tried again because the partition was published anew between manifest and files."""


class Store:
    """Tables and files under a root folder or an object-store address such as s3://bucket/path."""

    def __init__(self, root: str | Path) -> None:
        text = str(root)
        self.is_local = "://" not in text
        if self.is_local:
            self._fs: fs.FileSystem = fs.LocalFileSystem()
            self._base = str(Path(text).expanduser().resolve())
        else:
            try:
                self._fs, self._base = fs.FileSystem.from_uri(text)
            except (pa.ArrowInvalid, OSError) as error:
                raise UsageError(
                    f"{text.partition('?')[0]} is no address of an object store. "
                    "Next: give a folder, or s3://bucket/path."
                ) from error
        self.root = text if not self.is_local else self._base

    def path(self, as_of: date, name: str, file: str = "") -> str:
        """Address of a partition, or of a file in it, in the file system's own notation."""
        parts = [self._base, as_of.isoformat(), name] + ([file] if file else [])
        return "/".join(part.rstrip("/") for part in parts)

    def address(self, as_of: date, name: str, file: str) -> str:
        """Where the named file of a model or report lies now; raises MissingPartitionError."""
        for entry in self._require_manifest(as_of, name)["files"]:
            if _title(entry) == file:
                return self.path(as_of, name, entry["name"])
        raise MissingPartitionError(f"{name} of {as_of} has no file {file}.")

    def manifest(self, as_of: date, name: str) -> dict[str, Any] | None:
        """The manifest of a partition, or None if it was never published whole."""
        content = self.read_json(self.path(as_of, name, MANIFEST))
        if content is None:
            return None
        files = content.get("files")
        if not isinstance(files, list) or not all(
            isinstance(entry, dict) and {"name", "bytes", "sha256"} <= entry.keys()
            for entry in files
        ) or not isinstance(content.get("inputs", {}), dict):  # fmt: skip
            raise CorruptPartitionError(
                f"{self.path(as_of, name, MANIFEST)} is not a manifest (files or inputs are "
                f"damaged). Next: publish {name} of {as_of} again."
            )
        return content

    def manifest_sha256(self, as_of: date, name: str) -> str | None:
        """Hash of the manifest, which stands for the partition and all its inputs."""
        content = self.manifest(as_of, name)
        if content is None:
            return None
        content.pop("platform", None)  # another processor's same bytes make nothing stale
        return sha256(json_bytes(content))

    def content_sha256(self, as_of: date, name: str) -> str | None:
        """Hash of the partition's data files alone, marked as such; None if not published."""
        content = self.manifest(as_of, name)
        return None if content is None else "files:" + sha256(json_bytes(content["files"]))

    def dates(self, name: str) -> list[date]:
        """Business dates on which `name` is published, ascending."""
        if self._info(self._base).type != fs.FileType.Directory:
            return []
        found = []
        for info in self._list(self._base):
            if info.type == fs.FileType.Directory and is_date(info.base_name):
                day = date.fromisoformat(info.base_name)
                if self._is_file(self.path(day, name, MANIFEST)):
                    found.append(day)
        return sorted(found)

    def read(
        self, as_of: date, name: str, columns: Sequence[str] | None = None, verify: bool = True
    ) -> pd.DataFrame:
        """The table of a business date; raises MissingPartitionError, CorruptPartitionError, or
        OutdatedPartitionError (see arrow.as_declared)."""
        parts = []
        for file, data in self._read_whole(as_of, name, verify).items():
            try:
                parts.append(pq.read_table(pa.BufferReader(data), columns=columns))
            except (OSError, pa.ArrowException) as error:
                raise CorruptPartitionError(
                    f"{self.path(as_of, name, file)} cannot be read ({error}). "
                    f"Next: publish {name} of {as_of} again."
                ) from error
        wanted = list(columns or TABLES[name].columns)
        return to_pandas(as_declared(pa.concat_tables(parts), TABLES[name], wanted, as_of))

    def verify(self, as_of: date, name: str) -> None:
        """Check every file against its hash; raises Missing- or CorruptPartitionError."""
        self._read_whole(as_of, name, True)

    def dataset(self, as_of: date, name: str) -> list[str] | ds.Dataset:
        """The data files that the manifest names, of the size it says: local paths, or a data set.

        For query engines that read Parquet where it lies; raises MissingPartitionError or
        CorruptPartitionError.
        """
        entries = self._require_manifest(as_of, name)["files"]
        paths = [self.path(as_of, name, entry["name"]) for entry in entries]
        for path, entry in zip(paths, entries, strict=True):
            info = self._info(path)
            if info.type != fs.FileType.File or info.size != entry["bytes"]:
                raise _corrupt(path, "is missing or of another size than its manifest says")
        if self.is_local:
            return paths
        return ds.dataset(paths, filesystem=self._fs, format="parquet")

    def read_files(self, as_of: date, name: str) -> dict[str, bytes]:
        """The files of a model or report, by name, each checked against its hash."""
        return {title: bytes(data) for title, data in
                self._read_whole(as_of, name, True, by_title=True).items()}  # fmt: skip

    def publish(
        self, as_of: date, name: str, frame: pd.DataFrame, lineage: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Publish a table's partition whole; returns its manifest. `frame` must be checked."""
        return self.publish_bytes(as_of, name, parquet_bytes(frame, name), len(frame), lineage)

    def publish_bytes(
        self, as_of: date, name: str, data: Any, rows: int, lineage: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The same for a table that is encoded already."""
        return self._publish(as_of, name, {f"part-{sha256(data)[:16]}.parquet": ("", data)}, rows,
                             lineage)  # fmt: skip

    def publish_files(
        self, as_of: date, name: str, files: Mapping[str, bytes], lineage: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Publish a model or a report: named files under one manifest.

        Each lies under a name with its content's hash; the manifest says what it stands for.
        """
        named = {_content_name(title, data): (title, data) for title, data in files.items()}
        return self._publish(as_of, name, named, len(files), lineage)

    def read_json(self, path: str) -> dict[str, Any] | None:
        """The object in a file, None where there is none; raises CorruptPartitionError."""
        try:
            content = json.loads(bytes(self._read_bytes(path))) if self._is_file(path) else None
        except FileNotFoundError:  # swept since
            return None
        except ValueError as error:
            raise _corrupt(path, f"is not a manifest ({error})", Path(path).parent.name) from error
        if content is not None and not isinstance(content, dict):
            raise _corrupt(path, "is not a manifest", Path(path).parent.name)
        return content

    def write_json(self, path: str, content: Mapping[str, Any]) -> None:
        """Write an object in one atomic step; its folder is made if need be."""
        folder = path.rpartition("/")[0]
        attempt(lambda: self._fs.create_dir(folder, recursive=True), "cannot make", folder)
        self._write_atomic(path, json_bytes(content))

    def keep_settings(self, sha: str, content: Mapping[str, Any]) -> None:
        """Keep settings under their hash, once: manifests name the hash alone."""
        path = f"{self._base}/settings/{sha}.json"
        if not self._is_file(path):
            self.write_json(path, content)

    def kept_settings(self, sha: str) -> dict[str, Any] | None:
        """The settings of that hash, if they were kept."""
        return self.read_json(f"{self._base}/settings/{sha}.json")

    def _publish(
        self, as_of: date, name: str, files: Mapping[str, tuple[str, Any]], rows: int,
        lineage: Mapping[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        folder = self.path(as_of, name)
        attempt(lambda: self._fs.create_dir(folder, recursive=True), "cannot make", folder)
        with self._alone(folder) as is_alone:
            old = self._named(as_of, name)
            entries: list[dict[str, Any]] = []
            for file, (title, data) in sorted(files.items()):
                self._write_atomic(self.path(as_of, name, file), data)
                entry = {"name": file, "bytes": len(data), "sha256": sha256(data)}
                entries.append(entry | ({"stands_for": title} if title else {}))
            manifest = {
                "table": name, "as_of": as_of.isoformat(), "schema_version": SCHEMA_VERSION,
                "rows": rows, "bytes": sum(entry["bytes"] for entry in entries), "files": entries,
                **lineage,
            }  # fmt: skip
            self._write_atomic(self.path(as_of, name, MANIFEST), json_bytes(manifest))
            self._sweep(as_of, name, old, is_alone)
        return manifest

    def _sweep(self, as_of: date, name: str, old: set[str], is_alone: bool) -> None:
        """Delete what only the old manifest named; alone in the folder, leftovers of kills too."""
        keep = self._named(as_of, name) | {MANIFEST}
        for info in self._list(self.path(as_of, name)):
            is_ours = is_alone or info.base_name in old
            if info.type == fs.FileType.File and info.base_name not in keep and is_ours:
                try:
                    attempt(lambda path=info.path: self._fs.delete_file(path),  # type: ignore[misc]  # bound now
                            "cannot delete", info.path)  # fmt: skip
                except FileNotFoundError:
                    continue  # another writer swept it

    def _named(self, as_of: date, name: str) -> set[str]:
        try:
            manifest = self.manifest(as_of, name)
        except CorruptPartitionError:
            manifest = None
        return {entry["name"] for entry in manifest["files"]} if manifest else set()

    @contextmanager
    def _alone(self, folder: str) -> Iterator[bool]:
        """Hold the folder against other writers; False where the place cannot do that.

        The kernel frees the lock of a killed process. Object stores and some network file systems
        have none: there, writers rely on the night's lock, and nothing unknown is deleted.
        """
        if not self.is_local:
            yield False
            return
        handle = attempt(lambda: os.open(folder, os.O_RDONLY), "cannot open", folder)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                is_alone = True
            except OSError:
                is_alone = False
            yield is_alone
        finally:
            os.close(handle)

    def _write_atomic(self, path: str, data: Any) -> None:
        attempt(lambda: self._write_once(path, data), "cannot write", path)

    def _write_once(self, path: str, data: Any) -> None:
        if not self.is_local:
            with self._fs.open_output_stream(path) as stream:
                stream.write(data)
            return
        # Random, since processes of two containers on one volume may have the same number.
        own = f"{os.getpid()}.{threading.get_ident()}.{os.urandom(4).hex()}"
        temporary = f"{path}.{own}.tmp"
        try:
            with open(temporary, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read_whole(
        self, as_of: date, name: str, verify: bool, by_title: bool = False
    ) -> dict[str, Any]:
        """Bytes of every file that the manifest names, by file; read again if it changed since."""
        for _ in range(_RACES):
            manifest = self._require_manifest(as_of, name)
            try:
                return {
                    _title(entry) if by_title else entry["name"]:
                    self._checked(self.path(as_of, name, entry["name"]), entry, verify)
                    for entry in manifest["files"]
                }  # fmt: skip
            except CorruptPartitionError:
                if self.manifest(as_of, name) == manifest:
                    raise
        raise CorruptPartitionError(
            f"{name} of {as_of} is published again and again while it is read. "
            "Next: wait for the other run to end, then try again."
        )

    def _require_manifest(self, as_of: date, name: str) -> dict[str, Any]:
        manifest = self.manifest(as_of, name)
        if manifest is None:
            raise MissingPartitionError(
                f"table {name} of {as_of} is not published under {self.root}. "
                f"Next: run the stages before this one for {as_of}."
            )
        return manifest

    def _checked(self, path: str, entry: Mapping[str, Any], verify: bool) -> Any:
        try:
            data = self._read_bytes(path)
        except FileNotFoundError as error:
            raise _corrupt(path, "is missing") from error
        if len(data) != entry["bytes"]:
            raise _corrupt(path, f"has {len(data)} bytes where its manifest says {entry['bytes']}")
        if verify and sha256(data) != entry["sha256"]:
            raise _corrupt(path, "does not match the hash in its manifest")
        return data

    def _info(self, path: str) -> fs.FileInfo:
        return attempt(lambda: self._fs.get_file_info(path), "cannot look at", path)

    def _list(self, folder: str) -> list[fs.FileInfo]:
        return attempt(lambda: self._fs.get_file_info(fs.FileSelector(folder)), "cannot list",
                       folder)  # fmt: skip

    def _is_file(self, path: str) -> bool:
        return bool(self._info(path).type == fs.FileType.File)

    def _read_bytes(self, path: str) -> Any:
        def read() -> Any:
            with self._fs.open_input_file(path) as stream:
                return stream.read_buffer()

        return memoryview(attempt(read, "cannot read", path)).cast("B")


def parquet_bytes(frame: pd.DataFrame, name: str) -> Any:
    """A checked frame of table `name` as one Parquet file: the same rows, the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        to_arrow(frame, TABLES[name]), sink, compression="zstd", compression_level=3,
        row_group_size=_ROW_GROUP_ROWS, write_statistics=True,
    )  # fmt: skip
    return sink.getvalue()


def json_bytes(content: Any) -> bytes:
    """One object, one notation."""
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def sha256(data: Any) -> str:
    """The hash that names and checks content."""
    return hashlib.sha256(data).hexdigest()


def _content_name(title: str, data: Any) -> str:
    stem = PurePosixPath(title)
    return f"{stem.stem}-{sha256(data)[:16]}{stem.suffix}"


def _title(entry: Mapping[str, Any]) -> str:
    title: str = entry.get("stands_for", entry["name"])
    return title


def _corrupt(path: str, problem: str, name: str = "that partition") -> CorruptPartitionError:
    return CorruptPartitionError(f"{path} {problem}. Next: publish {name} again.")


def is_date(text: str) -> bool:
    """Whether a folder is one of a business date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
