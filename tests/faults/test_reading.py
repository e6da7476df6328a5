"""How cells and files are read: each way of writing is one value, or one finding that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts.settings import IngestSettings, Settings, load_settings
from pipeline.errors import ContractError, SettingsError
from pipeline.ingest.cells import Reading, read_cells
from pipeline.ingest.check import check_raw
from pipeline.ingest.findings import Finding
from pipeline.ingest.raw import read_folder
from pipeline.ingest.world import clean_world
from tests.ingest.conftest import AS_OF, edit, raw, small_world

__all__ = ["raw", "small_world"]  # fixtures used by name
Tables = dict[str, pd.DataFrame]


def night(folder: Path, **ingest: object) -> Tables:
    settings = Settings.model_validate({"ingest": ingest}).ingest
    return clean_world(read_folder(folder, settings), AS_OF, settings)


def findings(folder: Path, table: str, **ingest: object) -> list[Finding]:
    settings = IngestSettings.model_validate(ingest)
    return [found for found in check_raw(folder, AS_OF, settings).findings if found.table == table]


def same(tables: Tables, expected: Tables, *but: str) -> None:
    for name in expected:
        if name not in ("quarantine", *but):
            pd.testing.assert_frame_equal(tables[name], expected[name])


@pytest.fixture(scope="session")
def planned(small_world: Path) -> Tables:
    return night(small_world)


def as_text(raw: Path, name: str, change: Callable[[str], str]) -> None:
    path = raw / f"{name}.csv"
    path.write_text(change(path.read_text()))


def as_parquet(raw: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    frame = change(pd.read_csv(raw / f"{name}.csv"))
    (raw / f"{name}.csv").unlink()
    frame.to_parquet(raw / f"{name}.parquet")


DAYS = {
    "2025-06-29": "2025-06-29", " 2025-06-29 ": "2025-06-29", "20250629": "2025-06-29",
    "20250629.0": "2025-06-29", "2025-06-29T00:00:00Z": "2025-06-29",
    "2025-06-29 00:00:00+00:00": "2025-06-29", "2025-06-29T12:30:00": "2025-06-29",
    "2025-06-29 23:59:59.999": "2025-06-29", "9999-12-31": "9999-12-31", "2024-02-29": "2024-02-29",
}  # fmt: skip
NO_DAYS = (
    "05/06/2025", "29/06/2025", "06/29/2025", "29.06.2025", "2025/06/29", "29-Jun-25",
    "29 Jun 2025",
    "05/06/25", "45837", "1751155200", "1751155200000", "0", "99999999", "20251301", "2025-02-30",
    "2025-02-29", "someday", "2025-06-29T05:00:00Z", "2025-06-28 23:30:00-07:00", "0000-00-00",
    "2025-06-29T25:00:00", "2025.06.29", "2025-6-9", "nan", "NaT", "-", "٢٠٢٥-٠٦-٢٩",
)  # fmt: skip


def test_a_day_is_iso_whole_digits_or_midnight_and_every_cell_is_judged_alone() -> None:
    texts = [*DAYS, *NO_DAYS, ""]
    for order in (1, -1):
        cells = read_cells(pd.Series(texts[::order]), "date", Reading())
        read = dict(zip(texts[::order], cells.values.dt.strftime("%Y-%m-%d"), strict=True))
        assert {text: read[text] for text in DAYS} == DAYS
        assert all(pd.isna(read[text]) for text in (*NO_DAYS, ""))
        assert cells.code is not None
        wrong = {text for text, code in zip(texts[::order], cells.code, strict=True) if code}
        assert wrong == set(NO_DAYS)


def test_a_declared_format_is_read_beside_iso_and_nothing_else() -> None:
    cells = read_cells(pd.Series(["05/06/2025", "2025-07-01", "06/29/2025"]), "date",
                       Reading(date_format="%d/%m/%Y"))  # fmt: skip
    assert cells.values.dt.strftime("%Y-%m-%d").tolist()[:2] == ["2025-06-05", "2025-07-01"]
    assert cells.code is not None
    assert cells.code.tolist() == [0, 0, 1]
    with pytest.raises(SettingsError, match="does not name day, month and year"):
        load_settings(None, {"ingest": {"date_format": "%d/%m"}})


def test_a_declared_zone_decides_the_day_of_an_instant() -> None:
    texts = pd.Series(["2025-06-29T03:00:00Z", "2025-03-09T06:30:00Z", "2025-06-28 23:30:00-07:00"])
    chicago = read_cells(texts, "date", Reading(time_zone="America/Chicago")).values
    assert chicago.dt.strftime("%m-%d").tolist() == ["06-28", "03-09", "06-29"]
    stamps = pd.to_datetime(texts, utc=True, format="ISO8601").dt.tz_convert("America/Chicago")
    again = read_cells(stamps, "date", Reading(time_zone="America/Chicago")).values
    pd.testing.assert_series_equal(again, chicago)
    with pytest.raises(SettingsError, match="there is no time zone 'Mars'"):
        load_settings(None, {"ingest": {"time_zone": "Mars"}})


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_parquet_instants_at_midnight_of_their_zone_are_days_and_others_are_told(zone: str) -> None:
    days = pd.Series(pd.to_datetime(["2025-03-08", "2025-03-09", "2025-11-02"]))
    local = days.dt.tz_localize(zone)
    read = read_cells(local, "date", Reading())
    assert read.code is None or not read.code.any()
    assert read.values.tolist() == days.tolist()
    late = read_cells(local + pd.Timedelta(hours=5, minutes=7), "date", Reading())
    assert late.code is not None
    assert late.code.all()
    assert "ingest.time_zone" in late.why[0].action


@pytest.mark.parametrize("kind", ["int64", "float64", "decimal", "date32", "date64", "us", "text"])
def test_days_of_any_parquet_type_are_the_same_days(raw: Path, planned: Tables, kind: str) -> None:
    frame = pd.read_csv(raw / "prices.csv")
    days = pd.to_datetime(frame["start_date"])
    whole = days.dt.strftime("%Y%m%d").astype("int64")
    columns = {
        "int64": pa.array(whole), "float64": pa.array(whole.astype("float64")),
        "decimal": pa.array(whole).cast(pa.decimal128(20, 0)),
        "date32": pa.array(days.dt.date), "date64": pa.array(days.dt.date).cast(pa.date64()),
        "us": pa.array(days).cast(pa.timestamp("us")), "text": pa.array(whole.astype("str")),
    }  # fmt: skip
    table = pa.Table.from_pandas(frame.drop(columns="start_date"))
    (raw / "prices.csv").unlink()
    pq.write_table(table.append_column("start_date", columns[kind]), raw / "prices.parquet")
    tables = night(raw)
    pd.testing.assert_frame_equal(tables["prices"], planned["prices"])
    said = tables["quarantine"]["rule"].str.contains("whole numbers").any()
    assert said == (kind in ("int64", "float64", "decimal", "text"))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12", "int", 12), ("12.0", "int", 12), ("1e3", "int", 1000), (" 7 ", "int", 7),
        ("1.5", "int", None), ("9007199254740993", "int", None),
        ("9223372036854775808", "int", None),
        ("1e200", "int", None), ("inf", "int", None), ("12,5", "float", None),
        ("1,234", "float", None), ("1.234,50", "float", None), ("$5", "float", None),
        ("１２", "float", None), ("nan", "float", None), ("--", "float", None),
        ("12 pcs", "int", None),
        ("-3", "int", -3), (".5", "float", 0.5), ("4003230000014", "int", 4003230000014),
    ],
)  # fmt: skip
def test_numbers_are_digits_with_a_point(text: str, kind: str, value: float | None) -> None:
    cells = read_cells(pd.Series([text, "1"]), kind, Reading())  # type: ignore[arg-type]  # a parameter
    assert (cells.code is None or not cells.code[0]) == (value is not None)
    assert cells.values[0] == value if value is not None else pd.isna(cells.values[0])
    assert cells.values[1] == 1


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_and_decimal_commas_are_found_and_said(
    raw: Path, planned: Tables, separator: str
) -> None:
    frame = pd.read_csv(raw / "prices.csv", dtype="str")
    frame["price_usd"] = frame["price_usd"].str.replace(".", ",")
    frame.to_csv(raw / "prices.csv", index=False, sep=separator)
    as_text(raw, "stock", lambda text: "sep=,\n" + text)
    same(night(raw), planned)
    rules = " ".join(found.rule for found in findings(raw, "prices"))
    assert "prices.csv is separated by" in rules
    assert "have a decimal comma" in rules
    assert any("begins with a line sep=," in found.rule for found in findings(raw, "stock"))


def test_a_thousands_separator_is_no_decimal_comma(raw: Path) -> None:
    edit(raw, "prices", lambda frame: frame.assign(price_usd="1,234"))
    found = [f for f in findings(raw, "prices") if f.severity == "fatal"]
    assert [f.column for f in found] == ["price_usd"]
    assert "ingest.decimal_mark" in found[0].reason
    read = night(raw, decimal_mark="comma", least_margin_share=-100.0)  # cheap, so at a loss
    assert read["prices"]["price_usd"].eq(1.234).all()


def test_a_separator_too_many_at_the_end_of_lines_is_left_out(raw: Path, planned: Tables) -> None:
    for name in ("vendors", "sales", "items"):
        path = raw / f"{name}.csv"
        head, *lines = path.read_text().splitlines()
        path.write_text("\n".join([head, *(f"{line}," for line in lines)]) + "\n")
    as_text(raw, "stock", lambda text: text.replace("\n", ",\n"))  # in the header, too
    same(night(raw), planned)
    assert any("a separator too many" in found.rule for found in findings(raw, "vendors"))
    assert not any("separator" in found.rule for found in findings(raw, "stock"))


def test_a_file_cut_within_its_last_number_is_told(raw: Path) -> None:
    rule = "the last line has no end"
    assert not any(rule in found.rule for found in findings(raw, "stock"))
    as_text(raw, "stock", lambda text: text.rstrip("\n")[:-1])
    (found,) = (found for found in findings(raw, "stock") if rule in found.rule)
    assert found.row == len((raw / "stock.csv").read_text().splitlines()) - 1
    for path in raw.glob("*.csv"):  # who never ends a last line is not told every night
        path.write_text(path.read_text().rstrip("\n"))
    assert not any(rule in found.rule for found in findings(raw, "stock"))


def test_lines_with_other_numbers_of_fields_are_told_by_row(raw: Path) -> None:
    path = raw / "sales.csv"
    lines = path.read_text().splitlines()
    lines[4] += ",9"
    lines[7] = lines[7].rpartition(",")[0]
    path.write_text("\n".join(lines) + "\n")
    told = {found.row: found.rule for found in findings(raw, "sales") if "fields" in found.rule}
    assert told == {4: "has 5 fields where the header has 4",
                    7: "has 3 fields where the header has 4"}  # fmt: skip


def test_one_finding_tells_that_all_lines_have_a_field_too_many(raw: Path) -> None:
    as_text(raw, "vendors", lambda text: text.replace("\n", ",x\n").replace(",x", "", 1))
    found = [f for f in findings(raw, "vendors") if f.severity == "fatal"]
    assert len(found) == 1
    assert "has 5 fields in 8 of its lines and 4 in its header" in found[0].rule


@pytest.mark.parametrize("spelling", ["units, units", "units,UNITS", "units,units"])
def test_a_repeated_column_is_refused(raw: Path, spelling: str) -> None:
    as_text(raw, "sales", lambda text: text.replace("units", spelling, 1).replace("\n", ",1\n")
            .replace(",1\n", "\n", 1))  # fmt: skip
    assert "sales.units: column is there twice. Keep one of them." in map(
        str, findings(raw, "sales")
    )


def test_spare_spaces_byte_order_marks_and_line_ends_change_nothing(
    raw: Path, planned: Tables
) -> None:
    as_text(raw, "sales", lambda text: text.replace(",", " , ").replace("\n", " \r\n"))
    for name, encoding in {"items": "utf-16-le", "vendors": "utf-32", "lanes": "utf-8-sig"}.items():
        path = raw / f"{name}.csv"
        path.write_bytes(path.read_text().encode(encoding))
    edit(raw, "stock", lambda frame: frame.apply(lambda column: "\u00a0" + column + "\t"))
    as_text(raw, "prices", lambda text: text.replace("\n", "\r"))
    as_text(raw, "receipts", lambda text: text.replace("\n", "\n\n"))
    same(night(raw), planned)


def test_padded_ids_of_a_dictionary_column_are_the_same_ids(raw: Path, planned: Tables) -> None:
    as_parquet(raw, "sales", lambda frame: frame.assign(
        item_id=(frame["item_id"] + "   ").astype("category"),
        region_id=frame["region_id"].astype("category")))  # fmt: skip
    same(night(raw), planned)


def test_marks_that_no_eye_sees_are_no_part_of_an_id(raw: Path, planned: Tables) -> None:
    edit(raw, "stock", lambda frame: frame.assign(item_id="\u200b" + frame["item_id"] + "\ufeff"))
    edit(raw, "items", lambda frame: frame.assign(department=frame["department"] + "\u2060"))
    same(night(raw), planned)


def test_groups_that_look_alike_are_told(raw: Path) -> None:
    """A word that resembles no other is the company's own, and no finding."""

    def shout(frame: pd.DataFrame) -> pd.DataFrame:
        common = frame["category"].mode()[0]
        first = frame.index[frame["category"] == common][0]
        frame.loc[first, "category"] = common.upper() + " "
        return frame

    edit(raw, "items", shout)
    found = [f for f in findings(raw, "items") if "look alike" in f.rule]
    assert [(f.column, f.severity) for f in found] == [("category", "warning")]

    def new(frame: pd.DataFrame) -> pd.DataFrame:
        is_loud = frame["category"].str.isupper()
        return frame.assign(category=frame["category"].mask(is_loud, "brand new"))

    edit(raw, "items", new)
    assert not [f for f in findings(raw, "items") if "look alike" in f.rule]


def test_a_quotation_mark_that_swallows_rows_is_told(raw: Path) -> None:
    path = raw / "items.csv"
    lines = path.read_text().splitlines()
    for row in (2, 4):
        cells = lines[row].split(",")
        lines[row] = ",".join([cells[0], '"12 in', *cells[2:]])
    path.write_text("\n".join(lines) + "\n")
    found = [f for f in findings(raw, "items") if "quotation mark" in f.rule]
    assert [(f.row, f.severity) for f in found] == [(2, "fatal")]


def test_a_text_over_two_lines_is_one_text(raw: Path) -> None:
    path = raw / "items.csv"
    head, first, *rest = path.read_text().splitlines()
    cells = first.split(",")
    path.write_text("\n".join([head, ",".join([cells[0], '"kettle,\nblue, large"', *cells[2:]]),
                               *rest]) + "\n")  # fmt: skip
    assert "kettle,\nblue, large" in night(raw)["items"]["item_name"].tolist()


def test_a_dangling_link_and_a_folder_of_that_name_are_told(raw: Path) -> None:
    (raw / "overrides.csv").unlink()
    (raw / "overrides.csv").symlink_to(raw / "nowhere.csv")
    (raw / "calendar.csv").unlink()
    (raw / "calendar.csv").mkdir()
    text = "\n".join(check_raw(raw, AS_OF).lines())
    assert "overrides: overrides.csv is a link to" in text
    assert "calendar: calendar.csv cannot be read" in text


def test_nested_values_are_told_and_not_read(raw: Path) -> None:
    as_parquet(raw, "vendors", lambda frame: frame.assign(
        vendor_name=[[name] for name in frame["vendor_name"]]))  # fmt: skip
    assert any("not one value in a cell" in found.rule for found in findings(raw, "vendors"))


@pytest.mark.parametrize(
    ("table", "column"),
    [("prices", "start_date"), ("overrides", "expiry_date"), ("sales", "date"), ("stock", "date")],
)
def test_dates_written_day_first_are_one_finding_that_names_the_setting(
    raw: Path, table: str, column: str
) -> None:
    edit(raw, table, lambda frame: frame.assign(
        **{column: pd.to_datetime(frame[column]).dt.strftime("%d/%m/%Y")}))  # fmt: skip
    found = [f for f in findings(raw, table) if f.severity == "fatal"]
    assert [f.column for f in found] == [column]
    assert "ingest.date_format" in found[0].reason
    with pytest.raises(ContractError, match=r"ingest\.date_format"):
        night(raw)


def test_a_declared_date_format_gives_the_same_tables(raw: Path, planned: Tables) -> None:
    for table, column in (("prices", "start_date"), ("sales", "date"), ("stock", "date")):
        edit(raw, table, lambda frame, column=column: frame.assign(
            **{column: pd.to_datetime(frame[column]).dt.strftime("%d/%m/%Y")}))  # fmt: skip
    same(night(raw, date_format="%d/%m/%Y"), planned)


def test_every_kind_of_fault_is_counted_whatever_else_is_wrong(raw: Path) -> None:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        bad = frame.assign(units=frame["units"].where(frame.index % 2 == 0, "many"))
        good = frame[frame.index % 2 == 0]
        return pd.concat([bad, *[good] * 3], ignore_index=True)

    edit(raw, "sales", spoil)
    report = check_raw(raw, AS_OF)
    counts: dict[str, int] = {}
    for found in report.findings:
        if found.table == "sales" and found.severity == "set_aside":
            counts[found.rule] = counts.get(found.rule, 0) + found.rows
    rows = len(pd.read_csv(raw / "sales.csv"))
    assert counts["is not a whole number"] > 300
    assert counts["duplicate key"] > 900
    assert sum(counts.values()) < rows
    text = "\n".join(report.lines())
    assert "duplicate key" in text
    assert "is not a whole number" in text


def test_blank_keys_are_set_aside_and_blank_rows_left_out(raw: Path, planned: Tables) -> None:
    edit(raw, "sales", lambda f: pd.concat([f, f.iloc[:4].assign(date=""),
                                            f.iloc[:3].map(lambda _: "")]))  # fmt: skip
    tables = night(raw)
    same(tables, planned)
    told = tables["quarantine"]
    assert told.loc[told["rule"] == "is null", "row_count"].sum() == 4
    assert told["rule"].str.contains("3 blank row").any()


def test_numbers_as_ids_are_the_digits_that_a_csv_would_hold() -> None:
    whole = read_cells(pd.Series([1, 20]), "category", Reading()).values
    gaps = read_cells(pd.Series([1.0, np.nan, 20.0]), "category", Reading()).values
    assert whole.astype("str").tolist() == ["1", "20"]
    assert gaps.dropna().astype("str").tolist() == ["1", "20"]
