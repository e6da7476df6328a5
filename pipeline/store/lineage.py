"""What was made from what: stale inputs, tables of different runs, and nights that are whole."""

from __future__ import annotations

from datetime import date
from typing import Any

from pipeline.errors import StaleInputError
from pipeline.stages import BY_NAME, STAGES
from pipeline.store.partitions import Store, is_date

MARK = "night.json"


def stale_inputs(store: Store, as_of: date, name: str) -> list[str]:
    """Inputs of a published partition that have been published anew since, as 'date/table'."""
    manifest = store.manifest(as_of, name)
    if manifest is None:
        return []
    stale = []
    for key, sha in manifest.get("inputs", {}).items():
        day, _, table = key.partition("/")
        if not is_date(day):
            continue  # of another store (an arm of a lab)
        by_content = sha is not None and sha.startswith("files:")
        now = (store.content_sha256 if by_content else store.manifest_sha256)(
            date.fromisoformat(day), table
        )
        if now != sha:
            stale.append(key)
    return stale


class Consistency:
    """Whether published tables fit together; what has been looked at once is remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._manifests: dict[tuple[date, str], dict[str, Any] | None] = {}
        self._sound: set[tuple[date, str]] = set()

    def require(self, as_of: date, name: str) -> None:
        """Raise StaleInputError if `name`, or anything of this date that it was made from, stems
        from another run than its inputs or than the tables that were written beside it."""
        if (as_of, name) in self._sound:
            return
        manifest = self._manifest(as_of, name)
        if manifest is None:
            return
        self._sound.add((as_of, name))
        stage = str(manifest.get("stage"))
        self._require_one_run(as_of, name, stage, manifest.get("together"))
        inputs = manifest.get("inputs", {})
        for key in stale_inputs(self._store, as_of, name):
            if str(inputs[key]).startswith("files:"):
                continue  # another night, only compared with: its own run refreshes that
            raise StaleInputError(
                f"{name} of {as_of} was made from an older {key.partition('/')[2]} than the one of "
                f"{key.partition('/')[0]} that is published now: old and new would be mixed. "
                f"Next: run stage {stage} of {as_of} and those after it, or the whole night."
            )
        for key in inputs:
            day, _, table = key.partition("/")
            if day == as_of.isoformat():
                self.require(as_of, table)

    def _require_one_run(self, as_of: date, name: str, stage: str, together: object) -> None:
        made_by = BY_NAME.get(stage)
        if together is None or made_by is None:
            return  # lent by another store, or by hand
        for other in (*made_by.writes, *made_by.files):
            manifest = self._manifest(as_of, other)
            if manifest is None or manifest.get("together") != together:
                raise StaleInputError(
                    f"{name} and {other} of {as_of} were not written by one run of stage {stage}, "
                    "which must have been stopped in between: old and new would be mixed. "
                    f"Next: run stage {stage} of {as_of} and those after it, or the whole night."
                )

    def _manifest(self, as_of: date, name: str) -> dict[str, Any] | None:
        key = (as_of, name)
        if key not in self._manifests:
            self._manifests[key] = self._store.manifest(as_of, name)
        return self._manifests[key]


def mark_whole(store: Store, as_of: date) -> None:
    """Write what the finished night consists of, <root>/<as_of>/night.json: the last thing done."""
    tables = {name: store.manifest_sha256(as_of, name) for name in _night_tables()}
    store.write_json(store.path(as_of, MARK), {"as_of": as_of.isoformat(), "tables": tables})


def not_whole(store: Store, as_of: date) -> list[str]:
    """Tables that are not those of the night's last finished run; empty: the night is whole."""
    mark = store.read_json(store.path(as_of, MARK)) or {}
    marked = mark.get("tables", {})
    return [
        name
        for name in _night_tables()
        if marked.get(name) is None or marked[name] != store.manifest_sha256(as_of, name)
    ]


def _night_tables() -> list[str]:
    # The model belongs to its training day, and lies there for a week of nights.
    return [name for stage in STAGES if stage.name != "train"
            for name in (*stage.writes, *stage.files)]  # fmt: skip
