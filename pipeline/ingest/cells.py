"""Cells of a raw table as values: one rule for each kind of column, whatever the file's format.

A text is read by itself: no other cell of its column changes how. Each distinct text is read once,
so that columns of millions of rows cost what their distinct values cost. Typed cells of Parquet
files (numbers, dates, times) go by the same rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pipeline.contracts.columns import Kind

MOST_WHOLE = 2**53
"""From it on a whole number is not exact in every program that a table passes through."""
_ZERO_WIDTH = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
AROUND = "".join(mark for mark in map(chr, range(0x3001)) if mark.isspace()) + _ZERO_WIDTH + _TURNS
"""Marks that no eye sees (spaces, no width, turns of direction): no part of a cell at its ends."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA_NUMBER = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")
_DAY = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_COMPACT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?", re.ASCII)
_LOOKS_LIKE_A_DAY = re.compile(r"\d{1,4}[./ -]+(?:\d{1,2}|[A-Za-z]{3,9})[./ -]+\d{1,4}")
_TRUTH = {"true": True, "1": True, "yes": True, "1.0": True,
          "false": False, "0": False, "no": False, "0.0": False}  # fmt: skip
_WORDS = {"int": "a whole number", "float": "a number", "date": "a date", "bool": "true or false"}


@dataclass(frozen=True)
class Reading:
    """How the cells of a file are written: the format of its dates beside ISO (strptime codes,
    '' for none), the zone whose calendar counts for times with a zone ('': they must be midnight),
    and whether numbers have a decimal comma."""

    date_format: str = ""
    time_zone: str = ""
    has_decimal_comma: bool = False


@dataclass(frozen=True)
class Unread:
    """A cell that is not what its column needs: the rule that it breaks, and what to do."""

    rule: str
    action: str


@dataclass(frozen=True)
class Cells:
    """A column read: values in the kind's dtype, null where blank or unread.

    code: 0 where a cell was read, else 1 + the place in `why` of what was wrong with it; None where
    all were read. compact_days: how many dates were written as whole numbers.
    """

    values: pd.Series
    code: np.ndarray | None = None
    why: tuple[Unread, ...] = ()
    compact_days: int = 0


def read_cells(raw: pd.Series, kind: Kind, reading: Reading) -> Cells:
    """The cells of a raw column (text, or a typed column of a Parquet file) as `kind`."""
    if isinstance(raw.dtype, pd.CategoricalDtype) and (kind != "category" or _untidy(raw)):
        raw = raw.astype("object").astype("str")
    if _is_read(raw, kind):
        return Cells(raw)
    if kind == "date" and raw.dtype.kind == "M":
        return _days_of_instants(raw, reading)
    if kind in ("int", "float") and raw.dtype.kind in "iuf":
        return _numbers(raw, kind)
    if raw.dtype.kind in "iufb":
        raw = pd.Series(_digits(raw), index=raw.index)
    texts = raw if isinstance(raw.dtype, pd.StringDtype) else raw.astype("str")
    if kind in ("string", "category"):
        return _texts(texts.str.strip(AROUND), kind)
    return _each_once(texts, kind, reading)


def _is_read(raw: pd.Series, kind: Kind) -> bool:
    """Whether the column has its kind's own dtype already."""
    if isinstance(raw.dtype, pd.CategoricalDtype):
        return kind == "category"
    return kind == "bool" and raw.dtype == bool


def _untidy(raw: pd.Series) -> list[str]:
    """Names of a dictionary column that are blank, padded, or no text."""
    return [
        n for n in raw.cat.categories if not isinstance(n, str) or not n or n != n.strip(AROUND)
    ]


def _texts(stripped: pd.Series, kind: Kind) -> Cells:
    values = stripped.where(stripped != "", None)
    return Cells(values.astype("category") if kind == "category" else values)


def _digits(raw: pd.Series) -> np.ndarray:
    """Numbers as their shortest text, whole ones without a point; null as None."""
    values = raw.to_numpy(dtype="float64", na_value=np.nan) if raw.hasnans else raw.to_numpy()
    if values.dtype.kind != "f":
        return values.astype("str").astype(object)
    is_whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < MOST_WHOLE)
    words = [str(int(value)) if whole else None if math.isnan(value) else str(value)
             for value, whole in zip(values.tolist(), is_whole.tolist(), strict=True)]  # fmt: skip
    return np.array(words, dtype=object)


def _numbers(raw: pd.Series, kind: Kind) -> Cells:
    values = raw.to_numpy(dtype="float64", na_value=np.nan) if raw.hasnans else raw.to_numpy()
    if kind == "float":
        # A float32 stands for the shortest decimal that names it: 12.99, not 12.989999771.
        cast = values.astype("str") if values.dtype == np.float32 else values
        return Cells(pd.Series(cast.astype("float64"), index=raw.index))
    if values.dtype.kind in "iu":
        high = (values >= MOST_WHOLE) | (values <= -MOST_WHOLE)
        if not high.any():
            return Cells(pd.Series(values.astype("int64", copy=False), index=raw.index))
        fits = np.where(high, 0, values).astype("int64")
        return Cells(_whole(fits, high, raw.index), high.astype("int8"), (_too_large(kind),))
    null = np.isnan(values)
    with np.errstate(invalid="ignore"):
        broken = ~null & ~(np.isfinite(values) & (values == np.floor(values)))
        high = ~null & ~broken & (np.abs(values) >= MOST_WHOLE)
        fits = np.where(null | broken | high, 0, values).astype("int64")
    code = broken.astype("int8") + 2 * high.astype("int8")
    return Cells(_whole(fits, null | broken | high, raw.index), code if code.any() else None,
                 (_not(kind), _too_large(kind)))  # fmt: skip


def _whole(values: np.ndarray, null: np.ndarray, index: pd.Index) -> pd.Series:
    if null.any():
        return pd.Series(pd.arrays.IntegerArray(values, null.copy()), index=index)
    return pd.Series(values, index=index)


def _days_of_instants(raw: pd.Series, reading: Reading) -> Cells:
    """Days of Parquet timestamps. With a zone: midnight there or in UTC, or ingest.time_zone."""
    zone = getattr(raw.dtype, "tz", None)
    if zone is None:
        return Cells(raw.dt.normalize().astype("datetime64[s]"))
    local = raw.dt.tz_convert(reading.time_zone or zone).dt.tz_localize(None)
    utc = raw.dt.tz_convert("UTC").dt.tz_localize(None)
    known = raw.notna()
    days = local.dt.normalize()
    if reading.time_zone:
        return Cells(days.astype("datetime64[s]"))
    if (utc[known] == utc[known].dt.normalize()).all():
        days = utc
    late = known & (days != local) & (days != utc)
    return Cells(days.where(~late).astype("datetime64[s]"), late.to_numpy().astype("int8"),
                 (_ZONED,))  # fmt: skip


def _each_once(texts: pd.Series, kind: Kind, reading: Reading) -> Cells:
    """Every distinct text read once, by the rule of its kind."""
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object), use_na_sentinel=True)
    read = _reader(kind, reading)
    found: list[Any] = [read(str(text).strip(AROUND)) for text in distinct.tolist()]
    why = tuple(dict.fromkeys(value for value in found if isinstance(value, Unread)))
    place = {reason: place for place, reason in enumerate(why, 1)}
    of_text = np.array([place.get(v, 0) if isinstance(v, Unread) else 0 for v in found] + [0],
                       dtype="int8")  # fmt: skip
    code = of_text[codes] if why else None
    good = [None if isinstance(value, Unread) else value for value in found]
    null = np.array([value is None for value in good] + [True])
    index, compact = texts.index, 0
    if kind == "int":
        table = np.array([0 if value is None else value for value in good] + [0], dtype="int64")
        values = _whole(table[codes], null[codes], index)
    elif kind == "float":
        numbers = np.array([np.nan if v is None else v for v in good] + [np.nan], dtype="float64")
        values = pd.Series(numbers[codes], index=index)
    elif kind == "date":
        values = pd.Series(np.array([*good, None], dtype="datetime64[s]")[codes], index=index)
        whole = [_COMPACT_DAY.fullmatch(str(text).strip(AROUND)) is not None for text in distinct]
        compact = int((np.array([*whole, False]) & ~null)[codes].sum())
    else:
        values = pd.Series(np.array([*good, None], dtype=object)[codes], index=index)
        values = values if null[codes].any() else values.astype(bool)
    return Cells(values, code, why, compact)


def _reader(kind: Kind, reading: Reading) -> Callable[[str], Any]:
    if kind == "date":
        return lambda text: day_of(text, reading)
    if kind == "bool":
        return lambda text: _TRUTH.get(text.lower(), _not("bool")) if text else None
    return lambda text: number_of(text, kind, reading.has_decimal_comma)


def number_of(text: str, kind: Kind, has_decimal_comma: bool) -> float | int | Unread | None:
    """A number as written in digits, with a decimal point (or comma, where the file has those)."""
    if has_decimal_comma:
        text = text.replace(",", ".") if "." not in text else ","
    if not text or not _NUMBER.fullmatch(text):
        return _no_number(text, kind, has_decimal_comma) if text else None
    value = float(text)
    if kind == "float":
        return value
    if not math.isfinite(value) or abs(value) >= MOST_WHOLE:
        return _too_large(kind)
    return int(value) if value == math.floor(value) else _not(kind)


def _no_number(text: str, kind: Kind, has_decimal_comma: bool) -> float | Unread:
    if kind == "float" and text.lstrip("+-").lower() in ("inf", "infinity"):
        return -math.inf if text[0] == "-" else math.inf
    if "," not in text:
        return _not(kind)
    return _MIXED if has_decimal_comma else _COMMA


def day_of(text: str, reading: Reading) -> date | Unread | None:
    """A day written as YYYY-MM-DD (with or without a time of day), YYYYMMDD, or as declared."""
    if not text:
        return None
    if reading.date_format:
        declared = _declared_day(text, reading.date_format)
        if declared is not None:
            return declared
    if match := _DAY.fullmatch(text):
        return _zoned_day(match, reading.time_zone)
    if match := _COMPACT_DAY.fullmatch(text):
        return _calendar_day(*match.groups()) or _not("date")
    return _UNDECLARED if _LOOKS_LIKE_A_DAY.match(text) else _not("date")


@lru_cache(maxsize=4096)
def _declared_day(text: str, date_format: str) -> date | None:
    try:
        return datetime.strptime(text, date_format).date()
    except ValueError:
        return None


def _calendar_day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _zoned_day(match: re.Match[str], time_zone: str) -> date | Unread:
    year, month, day, hour, minute, second, offset = match.groups()
    written = _calendar_day(year, month, day)
    if written is None or int(hour or 0) > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
        return _not("date")
    if offset is None or (not time_zone and (int(hour), int(minute)) == (0, 0)):
        return written
    if not time_zone:
        return _ZONED
    shift = timedelta()
    if offset not in ("Z", "UTC"):
        digits = offset[1:].replace(":", "").ljust(4, "0")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        shift = -shift if offset[0] == "-" else shift
    if abs(shift) >= timedelta(days=1) or not 1 < written.year < 9999:
        return _not("date")
    moment = datetime(written.year, written.month, written.day, int(hour), int(minute),
                      tzinfo=timezone(shift))  # fmt: skip
    return moment.astimezone(ZoneInfo(time_zone)).date()


def has_comma_numbers(texts: pd.Series) -> tuple[bool, bool]:
    """(surely, never): some number in `texts` can only have a decimal comma; some has a point."""
    surely = never = False
    for text in pd.unique(texts.to_numpy(dtype=object)):
        word = text.strip(AROUND) if isinstance(text, str) else ""
        if "." in word and _NUMBER.fullmatch(word):
            never = True
        elif "," in word and _COMMA_NUMBER.fullmatch(word):
            surely |= len(word.partition(",")[2]) != 3
    return surely, never


def _not(kind: str) -> Unread:
    actions = {
        "int": "Write digits only.", "float": "Write digits with a decimal point.",
        "date": "Write dates as YYYY-MM-DD.", "bool": "Write true or false.",
    }  # fmt: skip
    return Unread(f"is not {_WORDS[kind]}", actions[kind])


def _too_large(kind: str) -> Unread:
    return Unread(f"is not {_WORDS[kind]} below 2^53", "Correct the value.")


_COMMA = Unread(
    "is not a number with a decimal point",
    "Write a decimal point and no thousands separator, or set ingest.decimal_mark to comma.",
)
_MIXED = Unread(
    "is not a number with a decimal comma",
    "The file has decimal commas: write no points, or set ingest.decimal_mark to point.",
)
_UNDECLARED = Unread(
    "is not a date written as YYYY-MM-DD",
    "Day or month first cannot be told. Write YYYY-MM-DD, or name the format in "
    "ingest.date_format, e.g. '%d/%m/%Y'.",
)
_ZONED = Unread(
    "is a time of day in a time zone, not a date",
    "Write the business day, or name the zone whose calendar counts in ingest.time_zone.",
)
