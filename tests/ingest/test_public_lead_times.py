"""The public delivery history of the SCMS, read in its own column layout (rows made up by hand)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import lead_times

_HEAD = (
    "ID,Project Code,PQ #,PO / SO #,ASN/DN #,Country,Managed By,Fulfill Via,Vendor INCO Term,"
    "Shipment Mode,PQ First Sent to Client Date,PO Sent to Vendor Date,Scheduled Delivery Date,"
    "Delivered to Client Date,Delivery Recorded Date,Product Group,Sub Classification,Vendor,"
    "Item Description,Molecule/Test Type,Brand,Dosage,Dosage Form,Unit of Measure (Per Pack),"
    "Line Item Quantity,Line Item Value,Pack Price,Unit Price,Manufacturing Site,"
    "First Line Designation,Weight (Kilograms),Freight Cost (USD),Line Item Insurance (USD)"
)


def _row(number: int, asked: str, sent: str, due: str, come: str, vendor: str = "ACME") -> str:
    return (
        f"{number},100-CI-T01,{asked},SCMS-{number},ASN-{number},C\xf4te d'Ivoire,PMO - US,"
        f"Direct Drop,EXW,Air,{asked},{sent},{due},{come},{come},HRDT,HIV test,{vendor},"
        '"Kit, rapid test",Kit,Generic,,Test kit,30,19,551,29,0.97,Plant,Yes,13,780.34,'
    )


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Two years of weekly orders, due after 60 days, a tenth of them a month late."""
    rows = [
        _row(1, "Pre-PQ Process", "Date Not Captured", "2-Jun-06", "2-Jun-06"),
        _row(2, "11/13/06", "N/A - From RDC", "1-Feb-07", "9-Feb-07"),
        _row(3, "11/13/06", "11/20/06", "1-Feb-07", "30-Jan-07"),
    ]
    for week in range(104):
        day = pd.Timestamp("2007-01-01") + pd.Timedelta(weeks=week)
        due = day + pd.Timedelta(days=60)
        come = due + pd.Timedelta(days=30 if week % 10 == 0 else week % 3 - 1)
        rows.append(_row(10 + week, "Pre-PQ Process", f"{day:%m/%d/%y}", f"{due:%d-%b-%y}",
                         f"{come:%d-%b-%y}", f"Vendor {week % 2}"))  # fmt: skip
    path = tmp_path / "scms.csv"
    path.write_text("\n".join([_HEAD, *rows]), encoding="latin-1")
    return path


def test_shipments_that_name_their_dates_are_read_and_the_others_left_out(history):
    found = lead_times.scms(history)
    assert len(found) == 106
    assert found["quoted"].head(2).tolist() == [80, 73]
    lead = (found["arrival_date"] - found["order_date"]).dt.days
    assert lead.head(2).tolist() == [88, 71]


def test_the_command_scores_a_history_in_that_layout(history, tmp_path, monkeypatch):
    out = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["lead_times", "--laws", "--scms", str(history),
                                      "--json", str(out)])  # fmt: skip
    lead_times.main()
    assert "scms" in json.dumps(json.loads(out.read_text()))
