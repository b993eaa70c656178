"""The files of deals and registrations that are changed and uploaded again (F3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext

from portal.tables import american, csv_file, neutralised
from portal.ui.listing.files import Cell, xlsx

#: A spreadsheet's numbers keep as many digits.
_DIGITS = 15


def write_for_editing(kind: str, columns: Sequence[str], lines: Iterable[Sequence[Cell]]) -> bytes:
    """Days as MM/DD/YYYY, in Excel as days; texts are neutralised in both, as one may be saved as the other."""
    safe = ([_safe(cell) for cell in line] for line in lines)
    if kind == "csv":
        return csv_file(columns, ([_american(cell) for cell in line] for line in safe))
    return xlsx(columns, safe, sheet=gettext("Deals"), day_format="mm/dd/yyyy", fixed=False)


def _american(cell: Cell) -> Cell:
    return american(cell) if isinstance(cell, date) else cell


def _safe(cell: Cell) -> Cell:
    if isinstance(cell, Decimal) and len(cell.as_tuple().digits) > _DIGITS:
        return str(cell)
    return neutralised(cell) if isinstance(cell, str) else cell
