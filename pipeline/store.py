"""The only code that reads or writes artifacts: <root>/<as_of>/<table>/, local or object store.

Publishing is the same everywhere: data files first, named by their content, then the manifest in
one atomic step, then files that no manifest names are swept. A reader trusts only what a manifest
names, so a kill at any instant leaves either the old partition or the new one. No stage logic here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

from pipeline.contracts.check import require
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES, Table
from pipeline.errors import CorruptPartitionError, MissingPartitionError, UsageError
from pipeline.processor import platform_names, significant
from pipeline.stages import Stage

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_ROW_GROUP_ROWS = 1_000_000


class Store:
    """Tables and files under a root folder or an object-store address such as s3://bucket/path."""

    def __init__(self, root: str | Path) -> None:
        text = str(root)
        self.is_local = "://" not in text
        if self.is_local:
            self._fs: fs.FileSystem = fs.LocalFileSystem()
            self._base = str(Path(text).expanduser().resolve())
        else:
            self._fs, self._base = fs.FileSystem.from_uri(text)
        self.root = text if not self.is_local else self._base

    def path(self, as_of: date, name: str, file: str = "") -> str:
        """Address of a partition, or of a file in it, in the file system's own notation."""
        parts = [self._base, as_of.isoformat(), name] + ([file] if file else [])
        return "/".join(part.rstrip("/") for part in parts)

    def manifest(self, as_of: date, name: str) -> dict[str, Any] | None:
        """The manifest of a partition, or None if it was never published whole."""
        path = self.path(as_of, name, MANIFEST)
        if not self._is_file(path):
            return None
        try:
            content: dict[str, Any] = json.loads(self._read_bytes(path))
        except ValueError as error:
            raise CorruptPartitionError(
                f"{path} is not a manifest ({error}). Next: publish {name} of {as_of} again."
            ) from error
        return content

    def manifest_sha256(self, as_of: date, name: str) -> str | None:
        """Hash of the manifest, which stands for the partition and all its inputs."""
        content = self.manifest(as_of, name)
        if content is None:
            return None
        content.pop("platform", None)  # another processor's same bytes make nothing stale
        return _sha256(_json_bytes(content))

    def content_sha256(self, as_of: date, name: str) -> str | None:
        """Hash of the partition's data files alone, marked as such; None if not published."""
        content = self.manifest(as_of, name)
        return None if content is None else "files:" + _sha256(_json_bytes(content["files"]))

    def dates(self, name: str) -> list[date]:
        """Business dates on which `name` is published, ascending."""
        if self._fs.get_file_info(self._base).type != fs.FileType.Directory:
            return []
        found = []
        for info in self._fs.get_file_info(fs.FileSelector(self._base)):
            if info.type == fs.FileType.Directory and _is_date(info.base_name):
                day = date.fromisoformat(info.base_name)
                if self._is_file(self.path(day, name, MANIFEST)):
                    found.append(day)
        return sorted(found)

    def read(
        self, as_of: date, name: str, columns: Sequence[str] | None = None, verify: bool = False
    ) -> pd.DataFrame:
        """The table of a business date; raises MissingPartitionError or CorruptPartitionError."""
        table = TABLES[name]
        manifest = self._require_manifest(as_of, name)
        frames = []
        for entry in manifest["files"]:
            path = self.path(as_of, name, entry["name"])
            self._check_file(path, entry, verify)
            try:
                frames.append(pq.read_table(path, columns=columns, filesystem=self._fs,
                                            partitioning=None))  # fmt: skip
            except (OSError, pa.ArrowInvalid) as error:
                raise CorruptPartitionError(
                    f"{path} cannot be read ({error}). Next: publish {name} of {as_of} again."
                ) from error
        wanted = columns or table.columns
        return _to_pandas(pa.concat_tables(frames)).loc[:, list(wanted)]

    def dataset(self, as_of: date, name: str) -> list[str] | ds.Dataset:
        """The data files that the manifest names, of the size it says: local paths, or a data set.

        For query engines that read Parquet where it lies; raises MissingPartitionError or
        CorruptPartitionError.
        """
        entries = self._require_manifest(as_of, name)["files"]
        paths = [self.path(as_of, name, entry["name"]) for entry in entries]
        for path, entry in zip(paths, entries, strict=True):
            self._check_file(path, entry, verify=False)
        if self.is_local:
            return paths
        return ds.dataset(paths, filesystem=self._fs, format="parquet")

    def read_files(self, as_of: date, name: str) -> dict[str, bytes]:
        """The files of a model or report, by name, each checked against its hash."""
        manifest = self._require_manifest(as_of, name)
        content = {}
        for entry in manifest["files"]:
            path = self.path(as_of, name, entry["name"])
            self._check_file(path, entry, verify=True)
            content[entry["name"]] = self._read_bytes(path)
        return content

    def publish(
        self, as_of: date, name: str, frame: pd.DataFrame, lineage: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Publish a table's partition whole; returns its manifest. `frame` must be checked."""
        sink = pa.BufferOutputStream()
        pq.write_table(
            _to_arrow(frame, TABLES[name]), sink, compression="zstd", compression_level=3,
            row_group_size=_ROW_GROUP_ROWS, write_statistics=True,
        )  # fmt: skip
        data = sink.getvalue()
        file = f"part-{_sha256(data)[:16]}.parquet"
        return self._publish(as_of, name, {file: data}, len(frame), lineage)

    def publish_files(
        self, as_of: date, name: str, files: Mapping[str, bytes], lineage: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Publish a model or a report: named files under one manifest."""
        return self._publish(as_of, name, files, len(files), lineage)

    def _publish(
        self, as_of: date, name: str, files: Mapping[str, Any], rows: int,
        lineage: Mapping[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        self._fs.create_dir(self.path(as_of, name), recursive=True)
        entries: list[dict[str, Any]] = []
        for file, data in sorted(files.items()):
            self._write_atomic(self.path(as_of, name, file), data)
            entries.append({"name": file, "bytes": len(data), "sha256": _sha256(data)})
        manifest = {
            "table": name, "as_of": as_of.isoformat(), "schema_version": SCHEMA_VERSION,
            "rows": rows, "bytes": sum(entry["bytes"] for entry in entries), "files": entries,
            **lineage,
        }  # fmt: skip
        self._write_atomic(self.path(as_of, name, MANIFEST), _json_bytes(manifest))
        keep = {entry["name"] for entry in entries} | {MANIFEST}
        for info in self._fs.get_file_info(fs.FileSelector(self.path(as_of, name))):
            if info.type == fs.FileType.File and info.base_name not in keep:
                self._fs.delete_file(info.path)
        return manifest

    def _write_atomic(self, path: str, data: Any) -> None:
        if not self.is_local:
            with self._fs.open_output_stream(path) as stream:
                stream.write(data)
            return
        temporary = f"{path}.{os.getpid()}.tmp"
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _require_manifest(self, as_of: date, name: str) -> dict[str, Any]:
        manifest = self.manifest(as_of, name)
        if manifest is None:
            raise MissingPartitionError(
                f"table {name} of {as_of} is not published under {self.root}. "
                f"Next: run the stages before this one for {as_of}."
            )
        return manifest

    def _check_file(self, path: str, entry: Mapping[str, Any], verify: bool) -> None:
        info = self._fs.get_file_info(path)
        problem = ""
        if info.type != fs.FileType.File:
            problem = "is missing"
        elif info.size != entry["bytes"]:
            problem = f"has {info.size} bytes where its manifest says {entry['bytes']}"
        elif verify and _sha256(self._read_bytes(path)) != entry["sha256"]:
            problem = "does not match the hash in its manifest"
        if problem:
            raise CorruptPartitionError(f"{path} {problem}. Next: publish that partition again.")

    def _is_file(self, path: str) -> bool:
        found: bool = self._fs.get_file_info(path).type == fs.FileType.File
        return found

    def _read_bytes(self, path: str) -> bytes:
        with self._fs.open_input_stream(path) as stream:
            content: bytes = stream.read()
        return content


@dataclass(frozen=True)
class Source:
    """Where raw data comes from: a dataset's adapter and its folder."""

    dataset: str
    raw_dir: Path
    records: str | None = None
    """Address of the database of records (overrides, releases), if any; see pipeline.records."""


class Night:
    """What a stage sees of one business date: the tables it declares, and nothing else."""

    def __init__(
        self, store: Store, stage: Stage, as_of: date, settings: Settings,
        source: Source | None = None, model_date: date | None = None,
        is_for_training: bool = False,
    ) -> None:  # fmt: skip
        self._store, self._stage, self._source = store, stage, source
        self.as_of, self.settings = as_of, settings
        self.model_date = model_date or as_of
        self.is_for_training = is_for_training
        self._inputs: dict[str, str | None] = {}
        self._tables: dict[str, pd.DataFrame] = {}
        self._files: dict[str, Mapping[str, bytes]] = {}

    @property
    def source(self) -> Source:
        """The raw data; only ingest has one."""
        if self._source is None:
            raise UsageError(f"stage {self._stage.name} needs a raw dataset. Next: name one.")
        return self._source

    @property
    def place(self) -> str:
        """Where the night's tables are published: what records of people's decisions name."""
        return self._store.root

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A declared table of this business date, sorted by key."""
        if name not in self._stage.reads:
            raise UsageError(f"stage {self._stage.name} does not declare that it reads {name}")
        self._note(name, self.as_of)
        return self._store.read(self.as_of, name, columns)

    def read_previous(self, name: str) -> pd.DataFrame | None:
        """The table of the day before, or None where that night was not planned."""
        if name not in self._stage.reads_previous:
            raise UsageError(f"stage {self._stage.name} does not declare yesterday's {name}")
        day = self.as_of - timedelta(days=1)
        # By content: the night before is rewritten when *its* predecessor is backfilled, and that
        # must not touch this night where the rows stay the same.
        self._inputs[f"{day.isoformat()}/{name}"] = self._store.content_sha256(day, name)
        return None if self._store.manifest(day, name) is None else self._store.read(day, name)

    def read_model(self) -> dict[str, bytes]:
        """The files of the forecast model that the rule names for this business date."""
        self._note("forecast_model", self.model_date)
        return self._store.read_files(self.model_date, "forecast_model")

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Check a declared table now (ContractError); it is published when the stage has ended."""
        if name not in self._stage.writes:
            raise UsageError(f"stage {self._stage.name} does not declare that it writes {name}")
        self._tables[name] = require(frame, TABLES[name])

    def write_files(self, name: str, files: Mapping[str, bytes]) -> None:
        """Hold a declared model or report; it is published when the stage has ended."""
        if name not in self._stage.files:
            raise UsageError(f"stage {self._stage.name} does not declare the files {name}")
        self._files[name] = dict(files)

    def publish(self) -> dict[str, dict[str, Any]]:
        """Publish all that the stage has written; nothing if something declared is missing."""
        missing = (set(self._stage.writes) - set(self._tables)) | (
            set(self._stage.files) - set(self._files)
        )
        if missing:
            raise UsageError(f"stage {self._stage.name} did not write {', '.join(sorted(missing))}")
        lineage = {
            "stage": self._stage.name, "code_version": code_version(),
            "settings_sha256": self.settings.sha256(), "inputs": dict(sorted(self._inputs.items())),
            "platform": platform_names(),
        }  # fmt: skip
        manifests = {
            name: self._store.publish(self.as_of, name, frame, lineage)
            for name, frame in self._tables.items()
        }
        for name, files in self._files.items():
            manifests[name] = self._store.publish_files(self.as_of, name, files, lineage)
        return manifests

    def _note(self, name: str, day: date) -> None:
        self._inputs[f"{day.isoformat()}/{name}"] = self._store.manifest_sha256(day, name)


@cache
def code_version() -> str:
    """Hash of the package's source and templates: an output names the code that made it."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    sources = (path for kind in ("*.py", "*.j2", "*.css") for path in root.rglob(kind))
    for path in sorted(sources):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def stale_inputs(store: Store, as_of: date, name: str) -> list[str]:
    """Inputs of a published partition that have been published anew since, as 'date/table'."""
    manifest = store.manifest(as_of, name)
    if manifest is None:
        return []
    stale = []
    for key, sha in manifest["inputs"].items():
        day, table = key.split("/")
        by_content = sha is not None and sha.startswith("files:")
        now = (store.content_sha256 if by_content else store.manifest_sha256)(
            date.fromisoformat(day), table
        )
        if now != sha:
            stale.append(key)
    return stale


def _to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    arrays, fields = [], []
    for name in table.columns:
        kind = COLUMNS[name].kind
        arrow_type = {
            "string": pa.string(), "category": pa.dictionary(pa.int32(), pa.string()),
            "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "date": pa.date32(),
            "time": pa.timestamp("s"),
        }[kind]  # fmt: skip
        values = frame[name]
        if kind in ("date", "time"):
            array = pa.Array.from_pandas(values).cast(pa.timestamp("s")).cast(arrow_type)
        elif kind == "category":
            codes = values.cat.codes.to_numpy().astype("int32")
            array = pa.DictionaryArray.from_arrays(
                pa.array(codes, mask=codes < 0),
                pa.array(values.cat.categories.tolist(), pa.string()),
            )
        else:
            if kind == "float":
                values = pd.Series(significant(values.to_numpy(dtype="float64", na_value=np.nan)))
            array = pa.Array.from_pandas(values, type=arrow_type)
        arrays.append(array)
        fields.append(pa.field(name, arrow_type, nullable=True, metadata=None))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _to_pandas(data: pa.Table) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in data.column_names:
        array = data[name].combine_chunks()
        kind = COLUMNS[name].kind
        if kind == "date":
            columns[name] = array.cast(pa.timestamp("s")).to_pandas()
        elif kind == "int" and array.null_count:
            columns[name] = array.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        else:
            columns[name] = array.to_pandas()
    return pd.DataFrame(columns)


def _json_bytes(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _sha256(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
