"""CSV files of a raw folder: bytes to columns of text, whatever program wrote them.

The separator is the one that finds the contract's columns in the header; a `sep=` line is obeyed.
A file whose lines all have the header's number of fields is parsed whole by Arrow; any other is
read record by record, so that each odd line is told by its number.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import Table
from pipeline.ingest.cells import has_comma_numbers
from pipeline.ingest.csv_text import decode
from pipeline.ingest.findings import Finding
from pipeline.ingest.raw_file import RawFile, names_of, told

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def read_csv(path: Path, table: Table, separator: str, decimal_mark: str) -> RawFile:
    """The contract's columns of a file as text.

    separator: one of SEPARATORS, or '' to find it; decimal_mark: 'point', 'comma' or 'detected'.
    Raises ValueError where there is not even a header.
    """
    data, recoded = decode(path.read_bytes())
    findings: list[Finding] = []
    head, body = _split_head(data)
    if match := _SEP_LINE.fullmatch(head):
        separator = match[1]
        findings.append(told(table, "", f"{path.name} begins with a line {head.strip()}",
                             "It is obeyed.", "mended"))  # fmt: skip
        head, body = _split_head(body)
    if not head.strip():
        raise ValueError("the file is empty: not even a header")
    chosen = separator or _separator(head, table)
    if chosen != "," and not separator:
        findings.append(told(
            table, "", f"{path.name} is separated by {SEPARATORS[chosen]}",
            "It is read so; ingest.separator declares it.", "mended"))  # fmt: skip
    header = next(csv.reader([head], delimiter=chosen))
    names, twice = names_of(header, table)
    if twice:
        return RawFile(pd.DataFrame(), np.zeros(0, dtype="int64"), names, [*findings, *twice])
    file = _parse_whole(body, names, chosen) or _parse_records(body, names, chosen, table, path)
    file.frame = file.frame[[name for name in table.readable if name in file.frame]]
    file.names = names
    file.findings = findings + file.findings
    file.recoded = recoded
    file.has_open_end = not data.endswith(b"\n")
    if decimal_mark != "point":
        file.has_decimal_comma = _has_comma(file, decimal_mark == "comma")
        if file.has_decimal_comma and decimal_mark == "detected":
            file.findings.append(told(
                table, "", f"numbers of {path.name} have a decimal comma",
                "They are read so; ingest.decimal_mark declares it.", "mended"))  # fmt: skip
    return file


def _split_head(data: bytes) -> tuple[str, bytes]:
    """The first line that is not blank, and what follows it."""
    data = data.lstrip(b"\n")
    head, _, body = data.partition(b"\n")
    return head.decode("utf-8"), body


def _separator(head: str, table: Table) -> str:
    """The separator by which the header holds most of the contract's columns."""

    def hits(separator: str) -> int:
        names = {name.strip(' "\ufeff') for name in head.split(separator)}
        return sum(name in names for name in table.readable)

    return max(SEPARATORS, key=hits)  # a tie goes to the first: commas


def _parse_whole(body: bytes, names: list[str], separator: str) -> RawFile | None:
    """All lines by Arrow; None unless each is one record with the header's number of fields."""
    lines = body.count(b"\n") + (not body.endswith(b"\n") and len(body) > 0)
    labels = [f"{place}/{name}" for place, name in enumerate(names)]
    has_quotes = b'"' in body
    if not lines:
        columns = {name: pd.Series(dtype="str") for name in names}
        return RawFile(pd.DataFrame(columns), np.zeros(0, dtype="int64"))
    try:
        found = arrow_csv.read_csv(
            io.BytesIO(body),
            arrow_csv.ReadOptions(column_names=labels),
            arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=has_quotes,
                                   ignore_empty_lines=False),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(labels, pa.string()),
                                     strings_can_be_null=False),
        )  # fmt: skip
    except pa.ArrowInvalid:
        return None
    if found.num_rows != lines:
        return None
    frame = pd.DataFrame({name: found[label].to_pandas()
                          for name, label in zip(names, labels, strict=True)})  # fmt: skip
    return RawFile(frame, np.arange(1, lines + 1))


def _parse_records(
    body: bytes, names: list[str], separator: str, table: Table, path: Path
) -> RawFile:
    """Record by record: extra fields that are blank are dropped, other odd lines set aside."""
    width, kept, rows = len(names), [], []
    ragged: dict[int, int] = {}
    trimmed, swallowed = 0, []
    reader = csv.reader(io.StringIO(body.decode("utf-8"), newline=""), delimiter=separator)
    try:
        for number, record in enumerate(reader, 1):
            if not record:
                continue
            if any("\n" in cell for cell in record) and _swallows(record, separator):
                swallowed.append(number)
            if len(record) > width and not any(cell.strip() for cell in record[width:]):
                trimmed += 1
            elif len(record) != width:
                ragged[number] = len(record)
                continue
            kept.append(record[:width])
            rows.append(number)
    except csv.Error as error:
        raise ValueError(f"{error}; a quotation mark may never close") from error
    columns = {name: [record[place] for record in kept] for place, name in enumerate(names)}
    file = RawFile(pd.DataFrame(columns, dtype="str"), np.array(rows, dtype="int64"))
    if trimmed:
        file.findings.append(told(table, "", f"{trimmed} line(s) of {path.name} end with a "
                                  "separator too many", "It is left out.", "mended"))  # fmt: skip
    for number in swallowed:
        file.findings.append(told(
            table, "", "a quotation mark opens here and closes in another row",
            "Write a quotation mark within a text twice, and quote the text; or leave it out.",
            "fatal", number))  # fmt: skip
    _tell_ragged(file, ragged, width, table, path)
    return file


def _tell_ragged(
    file: RawFile, ragged: dict[int, int], width: int, table: Table, path: Path
) -> None:
    """Odd lines one by one, or once for all where most of the file has that many fields."""
    fields, count = Counter(ragged.values()).most_common(1)[0] if ragged else (0, 0)
    if count > max(3, len(file.rows)):
        file.findings.append(told(
            table, "", f"{path.name} has {fields} fields in {count} of its lines and {width} in "
            "its header", "Quote texts that hold the separator, use a decimal point, and name "
            "every column.", "fatal"))  # fmt: skip
        return
    file.ragged = {row: f"has {n} fields where the header has {width}" for row, n in ragged.items()}


def _swallows(record: list[str], separator: str) -> bool:
    """Whether a cell over several lines holds the beginning of another row."""
    for place, cell in enumerate(record):
        for line in cell.split("\n")[1:]:
            start, *rest = line.split(separator)
            if len(rest) >= max(place, 1) and (place == 0 or _shape(start) == _shape(record[0])):
                return True
    return False


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text.strip()))


def _has_comma(file: RawFile, is_declared: bool) -> bool:
    """Whether numbers have a decimal comma: none has a point, and one can have no other mark, or
    the settings say so."""
    numbers = [name for name in file.frame if COLUMNS[name].kind in ("int", "float")]
    hints = [has_comma_numbers(file.frame[name]) for name in numbers]
    return (is_declared or any(surely for surely, _ in hints)) and not any(
        never for _, never in hints
    )
