"""Files for uploads, and uploads as they are after the worker was there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook, load_workbook

from portal.demo.cast import Cast
from portal.pages.models import Export, Upload, UploadRow
from portal.pages.services import exports as services
from portal.pages.services import uploads
from tests import build
from tests.build import NOW

OWNER = build.CONTOSO
DUE = NOW.date() + timedelta(days=90)

Row = dict[str, str]
#: Columns whose names are no names of arguments.
SHORT = {
    "name": "Deal Name",
    "help": "Microsoft help required?",
    "code": "What specific help from Microsoft?",
    "share": "Share with Microsoft sales team",
    "reason": "Declined/Lost/Error reason",
    "status": "Partner Referral Status",
    "substatus": "Partner Referral Substatus",
    "consent": "Consent to share Customer/Partner contact",
    "value": "Estimated Deal Value",
    "closing": "Estimated Close Date",
    "duns": "Customer D-U-N-S ID",
    "place": "PartnerID (MPN ID)",
    "intent": "Marketplace Purchase Intent",
    "stage": "Sales Stage",
    "id": "Referral ID",
}


def new_row(cast: Cast, **changes: str) -> Row:
    """A row that creates a deal; `changes` by the column's name with underscores for blanks."""
    customer = cast.customers["ege"]
    row = {
        "Referral ID": "",
        "Deal Name": "Plant line 7",
        "Customer Name": customer.name,
        "Customer City": customer.city,
        "Customer Country": customer.country,
        "Customer D-U-N-S ID": customer.duns,
        "Customer Contact First Name": "Ece",
        "Customer Contact Last Name": "Su Kaya",
        "Customer Contact Phone": "+90 555 111 22 33",
        "Customer Contact Email": "ece@customer.example",
        "Partner Referral Status": "New",
        "Partner Referral Substatus": "Accepted",
        "Declined/Lost/Error reason": "",
        "Sales Stage": "",
        "Estimated Deal Value": "40000.50",
        "Currency": "EUR",
        "Estimated Close Date": f"{DUE:%m/%d/%Y}",
        "CRM ID": "",
        "Notes": "",
        "Microsoft help required?": "No",
        "What specific help from Microsoft?": "",
        "Share with Microsoft sales team": "No",
        "Notes to Microsoft": "",
        "Consent to share Customer/Partner contact": "Yes",
        "PartnerID (MPN ID)": "",
        "Marketplace Purchase Intent": "Have not decided",
        "Solution 1": cast.solutions["factory"].code,
        "Team member 1": "Deniz, Ak, +90 555 000 00 00, deniz@contoso.example",
    }
    return row | {SHORT.get(name, name.replace("_", " ")): value for name, value in changes.items()}


def csv_bytes(rows: Sequence[Mapping[str, str]], *, encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    out = io.StringIO()
    header = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, header, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    header = list(dict.fromkeys(name for row in rows for name in row))
    assert book.active is not None
    book.active.append(header)
    for row in rows:
        book.active.append([row.get(name) for name in header])
    book.save(out)
    return out.getvalue()


def uploaded(cast: Cast, content: bytes, *, by: str = OWNER, kind: str = "deals", at: Any = NOW) -> Upload:
    """An upload that the worker has looked at."""
    upload = uploads.receive(kind, name="deals.csv", content=content, actor=cast.actor(by), now=at)
    assert uploads.work_on(upload.pk, now=at)
    return Upload.objects.get(pk=upload.pk)


def carried_out(upload: Upload, *, together: bool = False, at: Any = NOW) -> Upload:
    assert uploads.confirm(upload, together=together, now=at)
    assert uploads.work_on(upload.pk, now=at)
    return Upload.objects.get(pk=upload.pk)


def outcomes(upload: Upload) -> list[str]:
    return [row.outcome for row in upload.rows.order_by("line")]


def results(upload: Upload) -> list[str]:
    return [row.result for row in upload.rows.order_by("line")]


def problems(upload: Upload) -> list[set[tuple[str, str]]]:
    """Of each row its problems, as code and column."""
    return [{(p["code"], p["field"]) for p in row.problems} for row in upload.rows.order_by("line")]


def only(upload: Upload) -> UploadRow:
    return upload.rows.get()


def downloaded(cast: Cast, *, holds: str = "deals", kind: str = "csv", address: str = "", by: str = OWNER) -> bytes:
    export = services.request_export(address, kind=kind, holds=holds, actor=cast.actor(by), now=NOW)
    assert services.make_export(export.pk, now=NOW)
    return bytes(Export.objects.get(pk=export.pk).content or b"")


def rows_of(content: bytes) -> list[Row]:
    """The rows of a written file, as an independent reader has them; days as MM/DD/YYYY."""
    if content.startswith(b"PK"):
        sheet = load_workbook(io.BytesIO(content)).active
        assert sheet is not None
        header, *lines = sheet.iter_rows(values_only=True)
        return [dict(zip(map(str, header), map(_text, line), strict=True)) for line in lines]
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _text(cell: Any) -> str:
    if isinstance(cell, date):
        return f"{cell:%m/%d/%Y}"
    return "" if cell is None else str(cell)
