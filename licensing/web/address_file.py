"""A customer's file of people who are to get a licence: one address a line, below the heading `email` (LIC-4)."""

from __future__ import annotations

from collections.abc import Iterator

from licensing.rules import is_address
from portal.sheets import LineError, Refused, Sheet, decode_sheet, read_sheet
from portal.workflow.blockers import Blocker, _

COLUMNS = ("email",)
RULE = "LIC-4"


def read_addresses(content: bytes) -> tuple[str, ...]:
    """The addresses in their order. Raises Refused with everything that is wrong, by line."""
    sheet = read_sheet(decode_sheet(content, rule=RULE), COLUMNS, rule=RULE)
    if errors := sorted([*sheet.errors, *_wrong(sheet)], key=lambda error: error.line):
        raise Refused(errors)
    return tuple(email for _line, (email,) in sheet.lines)


def _wrong(sheet: Sheet) -> Iterator[LineError]:
    for line, (email,) in sheet.lines:
        if not is_address(email):
            message = _("%(email)s is no e-mail address.")
            yield LineError(line, Blocker("address_invalid", message, RULE, params={"email": email}))
