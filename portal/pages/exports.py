"""The files made of a list of deals (REF-20): which columns they have, and how CSV and Excel get them safely."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.utils.translation import gettext

from portal.pages.deals.rows import Row
from portal.tables import american, csv_file, neutralised
from portal.workflow import text
from portal.workflow.blockers import _
from referrals import rules

Cell = str | int | Decimal | date | datetime | None

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Field:
    """One column of the file."""

    label: str
    value: Callable[[Row], Cell]
    for_vendor: bool = True


def _own(value: Callable[[Row], Cell]) -> Callable[[Row], Cell]:
    """What only the deal's own company may read of it."""
    return lambda row: value(row) if row.own else None


def _term(msgid: str) -> str:
    return text.phrase(msgid) if msgid else ""


def _registration(row: Row) -> Cell:
    if row.registration is None:
        return None
    return str(row.registration.outcome_text or row.registration.get_status_display())


FIELDS = (
    Field(_("Deal id"), lambda row: str(row.referral.public_id)),
    Field(_("Deal name"), lambda row: row.referral.name),
    Field(_("Direction"), lambda row: _term(_("Inbound") if row.referral.is_inbound else _("Outbound"))),
    Field(_("From"), lambda row: row.sender.name if row.sender else None),
    Field(_("Customer"), lambda row: row.referral.engagement.customer.name),
    Field(_("City"), lambda row: row.referral.engagement.customer.city),
    Field(_("Country"), lambda row: row.referral.engagement.customer.country),
    Field("D-U-N-S", lambda row: row.referral.engagement.customer.duns),
    Field(_("Status"), lambda row: _term(rules.SUBSTATUSES[row.referral.substatus])),
    Field(_("Stage (%%)"), lambda row: row.referral.stage if row.has_stage else None),
    Field(_("Deal type"), lambda row: _term(row.deal_type)),
    Field(_("Partner to partner"), lambda row: _term(_("Yes") if row.referral.p2p else _("No"))),
    Field(_("Help wanted"), lambda row: _term(rules.HELP[row.referral.help_code])),
    Field(
        _("Status at %(vendor)s"),
        lambda row: _term(rules.SUBSTATUSES[row.vendor.substatus]) if row.vendor else None,
        for_vendor=False,
    ),
    Field(_("Value"), lambda row: row.referral.value),
    Field(_("Currency"), lambda row: row.referral.currency),
    Field(_("Value in USD"), lambda row: row.referral.value_usd),
    Field(_("Close date"), lambda row: row.referral.close_date),
    Field(_("Created (UTC)"), lambda row: row.referral.created_at),
    Field(_("Changed (UTC)"), lambda row: row.referral.updated_at),
    Field(_("Closed (UTC)"), lambda row: row.referral.closed_at),
    Field(_("Reason"), lambda row: _term(row.referral.reason_text)),
    Field(_("Registration"), _registration, for_vendor=False),
    Field(_("Solutions"), lambda row: "; ".join(f"{s.solution.name} ({s.solution.code})" for s in row.solutions)),
    Field(_("Team"), lambda row: "; ".join(f"{m} <{m.email}>" for m in row.team)),
    Field(_("Location"), lambda row: str(row.referral.location) if row.referral.location else None),
    Field(_("CRM id"), _own(lambda row: row.referral.crm_id)),
    Field(_("Marketing campaign id"), _own(lambda row: row.referral.campaign_id)),
)


def write(kind: str, rows: Iterable[Row], *, for_vendor: bool) -> bytes:
    """The file of these deals, in the language in force."""
    fields = [field for field in FIELDS if field.for_vendor or not for_vendor]
    columns = [_term(field.label) for field in fields]
    return _WRITERS[kind](columns, ([field.value(row) for field in fields] for row in rows))


#: A spreadsheet's numbers keep as many digits.
_DIGITS = 15


def write_for_editing(kind: str, columns: Sequence[str], lines: Iterable[Sequence[Cell]]) -> bytes:
    """The file that is changed and uploaded again (F3): days as MM/DD/YYYY, in Excel as days; texts are neutralised in
    both, as one may be saved as the other."""
    safe = ([_safe(cell) for cell in line] for line in lines)
    if kind == "csv":
        return csv_file(columns, ([_american(cell) for cell in line] for line in safe))
    return _xlsx(columns, safe, day_format="mm/dd/yyyy", fixed=False)


def _american(cell: Cell) -> Cell:
    return american(cell) if isinstance(cell, date) else cell


def _safe(cell: Cell) -> Cell:
    if isinstance(cell, Decimal) and len(cell.as_tuple().digits) > _DIGITS:
        return str(cell)
    return neutralised(cell) if isinstance(cell, str) else cell


def _xlsx(
    columns: Sequence[str], lines: Iterable[Sequence[Cell]], *, day_format: str = "yyyy-mm-dd", fixed: bool = True
) -> bytes:
    """Texts are written as texts, never as formulas or links; what can be counted as numbers and days. `fixed`: the
    first columns stay where they are."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet(gettext("Deals"))
        bold, day, moment, amount = (
            book.add_format(f)
            for f in (
                {"bold": True},
                {"num_format": day_format},
                {"num_format": "yyyy-mm-dd hh:mm"},
                {"num_format": "#,##0.00"},
            )
        )
        sheet.freeze_panes(1, 2 if fixed else 0)
        sheet.set_column(0, len(columns) - 1, 18)
        for column, head in enumerate(columns):
            sheet.write_string(0, column, head, bold)
        count = 0
        for count, line in enumerate(lines, 1):
            for column, cell in enumerate(line):
                _write_cell(sheet, count, column, cell, day=day, moment=moment, amount=amount)
        sheet.autofilter(0, 0, count, len(columns) - 1)
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


_WRITERS: dict[str, Callable[..., bytes]] = {"csv": csv_file, "xlsx": _xlsx}
