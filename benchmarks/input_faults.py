"""Corrupts raw folders in many ways, ingests each, and counts what came of it.

    python -m benchmarks.input_faults --count 1000 --nights 100 [--first N] [--json FILE]
                                      [--raw FOLDER --as-of DATE]

Every fault must end in the same tables, in a finding, or in a clear error; a changed table without
a word is silent, and anything but ContractError a traceback. Whole nights are planned on `--nights`
of those that ingest accepts, in processes of their own and with the model of the good folder: each
must end whole, or in one message. Exit code 1 if anything else came. `--first` goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd

from benchmarks.kills import QUICK, forked
from pipeline import runner
from pipeline.contracts.columns import COLUMNS, Kind
from pipeline.contracts.settings import IngestSettings, load_settings
from pipeline.contracts.tables import RAW_TABLES, TABLES
from pipeline.errors import EchelonError
from pipeline.ingest.check import check_raw
from pipeline.ingest.raw import read_folder
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.ingest.world import clean_world
from pipeline.store import Source, Store, not_whole

CELLS: dict[str, tuple[tuple[Kind, ...], tuple[str, ...]]] = {
    "text in a number": (("int", "float"), ("many", "12 pcs", "1.234,50", "#REF!", "$5", "１２")),
    "blank where one is needed": (("int", "float", "date", "category"), ("",)),
    "infinite": (("int", "float"), ("inf", "-inf", "1e400")),
    "huge": (("int", "float"), ("1e308", "99999999999999999999", "9223372036854775808", "1e15")),
    "negative": (("int", "float"), ("-1", "-0.5", "-1e9")),
    "fraction of a unit": (("int",), ("1.5", "0.25")),
    "no date": (("date",), ("2025-02-30", "someday", "31/31/2025", "0000-00-00", "45850")),
    "date in another order": (("date",), ("12/07/2025", "07-12-2025", "2025.07.12", "12 Jul 2025")),
    "time in a zone": (("date",), ("2025-06-12 23:30:00-07:00", "2025-06-12T05:00:00Z")),
    "unknown id": (("category",), ("GHOST", "\u200bGHOST", "item-0001")),
    "wrong word": (("bool",), ("Y", "?", "maybe")),
}


OWN_WORDS = ("category", "department", "event_name", "event_type")
"""A company's own words, to which nothing refers: no rule can tell a new one from a wrong one."""
_REFUSED = 3
"""Exit status of a night that ended in one message."""


def _file_faults(rng: random.Random) -> dict[str, Callable[[bytes], bytes]]:
    def lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
        return lambda content: b"\n".join(change(content.splitlines())) + b"\n"

    def flips(content: bytes) -> bytes:
        data = bytearray(content)
        for _ in range(30):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)

    return {
        "empty": lambda content: rng.choice([b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00"]),
        "header only": lines(lambda rows: rows[:1]),
        "cut within a byte": lambda content: content[: rng.randrange(1, len(content))],
        "comma at the end": lines(lambda rows: [rows[0], *(row + b"," for row in rows[1:])]),
        "semicolons": lambda content: content.replace(b",", b";"),
        "carriage returns": lambda content: content.replace(b"\n", rng.choice([b"\r\n", b"\r"])),
        "UTF-16": lambda content: content.decode().encode(rng.choice(["utf-16", "utf-16-le"])),
        "marks": lambda content: b"\xef\xbb\xbf" * 2 + content,
        "spaces": lambda content: content.replace(b",", b" , "),
        "random bytes": flips,
        "zero bytes": lambda content: content[:-9] + b"\x00\x00" + content[-9:],
        "repeated rows": lines(lambda rows: [*rows, *rows[-3:]]),
        "shuffled": lines(lambda rows: [rows[0], *rng.sample(rows[1:], len(rows) - 1)]),
        "first column twice": lines(lambda rows: [row + b"," + row.split(b",")[0] for row in rows]),
    }


def spoil(folder: Path, rng: random.Random) -> str:
    """Do one fault to the folder; returns what, and where."""
    names = [table.name for table in RAW_TABLES if (folder / f"{table.name}.csv").exists()]
    files = _file_faults(rng)
    what = rng.choice([*CELLS, *files])
    if what in files:
        name = rng.choice(names)
        path = folder / f"{name}.csv"
        path.write_bytes(files[what](path.read_bytes()))
        return f"{what}: {name}"
    kinds, texts = CELLS[what]
    own = OWN_WORDS if what == "unknown id" else ()
    places = [(n, c) for n in names for c in TABLES[n].columns
              if COLUMNS[c].kind in kinds and c not in own]  # fmt: skip
    name, column = rng.choice(places)
    path = folder / f"{name}.csv"
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    rows = range(len(frame))
    if (name, column) == ("vendors", "vendor_id"):  # the name of one that sells nothing is a word
        sold = pd.read_csv(folder / "vendor_items.csv", dtype="str")["vendor_id"]
        rows = [row for row in rows if frame.at[row, column] in set(sold)]
    if column in frame and rows:
        frame.loc[rng.choice(rows), column] = rng.choice(texts)
        frame.to_csv(path, index=False)
    return f"{what}: {name}.{column}"


def outcome(folder: Path, as_of: date, base: dict[str, pd.DataFrame]) -> tuple[str, str]:
    """(kind, detail) of what ingest and check make of the folder."""
    settings = IngestSettings()
    try:
        check = check_raw(folder, as_of, settings)
        world = clean_world(read_folder(folder, settings), as_of, settings)
    except EchelonError as error:
        return "clear error", str(error).splitlines()[1][:160]
    except Exception:  # what the campaign looks for
        return "TRACEBACK", traceback.format_exc().splitlines()[-1][:200]
    if not check.lines()[-1].startswith("Ready"):
        return "SILENT", "check would stop a night that ran"
    changed = [name for name, frame in base.items()
               if name != "quarantine" and not _equal(frame, world[name], name)]  # fmt: skip
    if not changed:
        return "same tables", ""
    known, found = (set(_rows(one["quarantine"])) for one in (base, world))
    return ("told" if found - known else "SILENT"), ", ".join(changed)


def _rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows as text: a finding that counts one row more is another one."""
    return [tuple(map(str, row)) for row in frame.itertuples(index=False)]


def _equal(one: pd.DataFrame, other: pd.DataFrame, name: str) -> bool:
    key = list(TABLES[name].key)
    first, second = (frame.sort_values(key, ignore_index=True).astype("str")
                     for frame in (one, other))  # fmt: skip
    return first.equals(second)


class Nights:
    """Whole nights on spoilt folders, each in a copy of a store that holds the good one's model."""

    def __init__(self, scratch: Path, raw: Path, as_of: date) -> None:
        self.as_of, self.settings = as_of, load_settings(None, QUICK)
        self.good, self.store = scratch / "good", scratch / "store"
        # Settings are the code's own: the model of the good folder stands for a model of last week.
        runner.ensure_model(Store(self.good), Source("raw", raw), self.settings, as_of)

    def planned(self, folder: Path) -> str:
        """What planning the folder came to: a whole night, one message, or a fault in capitals."""
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(self.good, self.store)
        code = forked(lambda: self._plan(folder))
        if code == _REFUSED:
            return "night: clear error"
        if code:
            return "NIGHT: TRACEBACK"
        return "NIGHT: NOT WHOLE" if not_whole(Store(self.store), self.as_of) else "night: whole"

    def _plan(self, folder: Path) -> None:
        try:
            runner.run_night(Store(self.store), Source("raw", folder), self.settings, self.as_of)
        except EchelonError:
            os._exit(_REFUSED)


def main() -> int:
    """Run the campaign; 1 if anything was silent or a traceback."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--raw", type=Path, help="Folder to spoil copies of; default: a sample.")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2025, 6, 10))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--nights", type=int, default=0, help="of them planned as whole nights")
    parser.add_argument("--first", type=int, default=0, help="first fault, to go on from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tally: dict[str, int] = {}
    found: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as scratch:
        raw = options.raw or Path(scratch) / "raw"
        if options.raw is None:
            size = SampleSize(items=10, regions=2, days=90, snapshot_days=4)
            write_sample(raw, size, options.as_of, 3)
        base = clean_world(read_folder(raw), options.as_of, IngestSettings())
        nights = Nights(Path(scratch), raw, options.as_of) if options.nights else None
        planned = 0
        for number in range(options.first, options.first + options.count):
            rng = random.Random(f"{options.seed}/{number}")  # noqa: S311  faults, no secrets
            folder = Path(scratch) / "spoilt"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(raw, folder)
            fault = spoil(folder, rng)
            kind, detail = outcome(folder, options.as_of, base)
            tally[kind] = tally.get(kind, 0) + 1
            kinds = [kind]
            if nights and kind in ("told", "same tables") and planned < options.nights:
                planned += 1
                kinds.append(nights.planned(folder))
                tally[kinds[-1]] = tally.get(kinds[-1], 0) + 1
            for name in (name for name in kinds if name.isupper()):
                found.append({"fault": fault, "kind": name, "detail": detail})
                print(f"{number} {name} {fault}: {detail}", flush=True)
            if number % 50 == 0:
                print(f"  {number} {tally}", flush=True)
    for kind, count in sorted(tally.items()):
        print(f"{kind:<18} {count:>6,}")
    if options.json:
        options.json.write_text(json.dumps({"tally": tally, "found": found}, indent=1) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
