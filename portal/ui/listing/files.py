"""The files made of lists (REF-20): what their columns hold, and how CSV and Excel get them safely."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from portal.tables import csv_file
from portal.workflow import text

Cell = str | int | Decimal | date | datetime | None

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Field:
    """One column of a file: its head, and what it says of a row."""

    label: str
    value: Callable[[Any], Cell]
    for_vendor: bool = True
    for_partner: bool = True


def term(msgid: str) -> str:
    """A term of the rules as a cell says it."""
    return text.phrase(msgid) if msgid else ""


def write(kind: str, fields: Sequence[Field], rows: Iterable[Any], *, sheet: str) -> bytes:
    """The file of these rows, in the language in force."""
    columns = [term(field.label) for field in fields]
    lines = ([field.value(row) for field in fields] for row in rows)
    return csv_file(columns, lines) if kind == "csv" else xlsx(columns, lines, sheet=sheet)


def xlsx(
    columns: Sequence[str],
    lines: Iterable[Sequence[Cell]],
    *,
    sheet: str,
    day_format: str = "yyyy-mm-dd",
    fixed: bool = True,
) -> bytes:
    """Texts are written as texts, never as formulas or links; what can be counted as numbers and days. `fixed`: the
    first columns stay where they are."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet(sheet)
        bold, day, moment, amount = (
            book.add_format(f)
            for f in (
                {"bold": True},
                {"num_format": day_format},
                {"num_format": "yyyy-mm-dd hh:mm"},
                {"num_format": "#,##0.00"},
            )
        )
        page.freeze_panes(1, 2 if fixed else 0)
        page.set_column(0, len(columns) - 1, 18)
        for column, head in enumerate(columns):
            page.write_string(0, column, head, bold)
        count = 0
        for count, line in enumerate(lines, 1):
            for column, cell in enumerate(line):
                _write_cell(page, count, column, cell, day=day, moment=moment, amount=amount)
        page.autofilter(0, 0, count, len(columns) - 1)
    return out.getvalue()


def _write_cell(sheet: Any, row: int, column: int, cell: Cell, **formats: Any) -> None:
    match cell:
        case datetime():
            sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), formats["moment"])
        case date():
            sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), formats["day"])  # noqa: DTZ001
        case Decimal():
            sheet.write_number(row, column, cell, formats["amount"])
        case int():
            sheet.write_number(row, column, cell)
        case str() if cell:
            sheet.write_string(row, column, cell)
